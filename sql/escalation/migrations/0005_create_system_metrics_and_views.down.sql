-- Views first: they hold on to the columns they read.

drop view v_campaign_effectiveness;
drop view v_overdue_payments;
drop view v_customer_communications;
drop view v_agent_performance;
drop view v_pending_tasks;
drop view v_active_campaigns;

drop function calculate_customer_risk_score(uuid);
drop function log_audit_event(varchar, uuid, varchar, varchar, varchar, jsonb, jsonb, inet, text);
drop function check_opt_out_status(uuid, varchar);

drop table system_metrics;
