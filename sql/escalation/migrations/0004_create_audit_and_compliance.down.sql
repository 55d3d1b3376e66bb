-- Dropping audit_logs takes its guards along: they refuse the removal of entries, not of the table.

drop table compliance_rules;
drop table opt_outs;
drop table audit_logs;

drop function refuse_audit_logs_change();
