-- Entries of the audit trail cannot be updated, so they cannot be data files with relative dates:
-- a load on a later day would try to move them. What is there already stays as it is.

insert into audit_logs
  (id, entity_type, entity_id, action, actor_type, actor_id, changes, metadata, ip_address, user_agent, "timestamp")
select
  e.id::uuid, e.entity_type, e.entity_id::uuid, e.action, e.actor_type, e.actor_id, e.changes::jsonb,
  e.metadata::jsonb, e.ip_address::inet, e.user_agent,
  (now() at time zone 'UTC')::date - e.days_ago + e.at_time::time
from (
  values
    ('00000000-0000-4000-8000-00000000ad01', 'campaign', '00000000-0000-4000-8000-00000000c001', 'created',
     'user', 'dana.fields', null, '{"from": "v_overdue_payments"}', '192.0.2.17', 'Mozilla/5.0', 36, '16:00'),
    ('00000000-0000-4000-8000-00000000ad02', 'campaign', '00000000-0000-4000-8000-00000000c001', 'status_changed',
     'system', 'campaign_manager', '{"before": "draft", "after": "active"}', null, null, null, 35, '09:00'),
    ('00000000-0000-4000-8000-00000000ad03', 'campaign', '00000000-0000-4000-8000-00000000c004', 'status_changed',
     'user', 'dana.fields', '{"before": "active", "after": "paused"}', '{"reason": "invoice disputed"}',
     '2001:db8::17', 'Mozilla/5.0', 49, '10:20'),
    ('00000000-0000-4000-8000-00000000ad04', 'task', '00000000-0000-4000-8000-000000007005', 'status_changed',
     'agent', '00000000-0000-4000-8000-00000000a002', '{"before": "in_progress", "after": "failed"}',
     '{"attempts": 3}', null, null, 43, '15:05'),
    ('00000000-0000-4000-8000-00000000ad05', 'agent', '00000000-0000-4000-8000-00000000a004', 'status_changed',
     'system', 'health_check', '{"before": "active", "after": "error"}', null, null, null, 5, '03:20'),
    ('00000000-0000-4000-8000-00000000ad06', 'campaign', '00000000-0000-4000-8000-00000000c007', 'imported',
     null, null, null, '{"source": "former system"}', null, null, 102, '09:40')
) as e (id, entity_type, entity_id, action, actor_type, actor_id, changes, metadata, ip_address, user_agent, days_ago, at_time)
on conflict (id) do nothing;
