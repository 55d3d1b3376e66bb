-- Children before parent; the indexes, constraints and comments go with their tables.

drop table customer_call_history;
drop table call_log_webhook_events;
drop table call_logs;
