drop view v_contractor_schedules;
drop view v_open_jobs;
drop view v_active_contractors;
