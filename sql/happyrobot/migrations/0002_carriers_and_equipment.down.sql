drop table equipment_types;
drop table carriers;
