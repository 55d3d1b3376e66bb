drop table contractor_working_hours;
drop table contractors;
