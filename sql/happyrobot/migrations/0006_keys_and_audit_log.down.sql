drop function audit_trigger_function();
drop table audit_log;
drop table api_keys;
