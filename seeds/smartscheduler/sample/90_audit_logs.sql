-- In SQL, because entity_id and user_id are no foreign keys: a data file has nothing to look them up by.
-- A row is there already when its entity has one with the same action.
with today as (
  select date_trunc('day', current_timestamp at time zone 'UTC') as midnight
),
entries (entity_type, entity_id, action, user_id, changes, "timestamp", ip_address) as (
  select
    'jobs', job.id, 'INSERT', actor.id,
    jsonb_build_object('job_number', job.job_number, 'priority', job.priority),
    job.created_at, '192.0.2.15'::inet
  from jobs as job, users as actor
  where job.job_number in ('JOB-SAMPLE-F101', 'JOB-SAMPLE-T102') and actor.email = 'dana.whitfield@example.com'
  union all
  select
    'assignments', assignment.id, 'UPDATE', actor.id,
    '{"status": {"old": 2, "new": 5}, "cancellation_reason": {"old": null, "new": "Contractor went on leave; customer withdrew the order"}}',
    today.midnight - interval '2 days' + interval '15 hours 4 minutes', '2001:db8::21'
  from assignments as assignment join jobs as job on job.id = assignment.job_id, users as actor, today
  where job.job_number = 'JOB-SAMPLE-F501' and actor.email = 'priya.raman@example.com'
  union all
  -- The application itself, after a job was rated: no account, no address.
  select
    'contractors', contractor.id, 'UPDATE', null,
    '{"rating": {"old": 4.65, "new": 4.70}}',
    today.midnight - interval '5 days' + interval '19 hours 30 minutes', null
  from contractors as contractor, today
  where contractor.email = 'office@lonestar-flooring.example.com'
  union all
  -- A contractor entered twice by mistake: the row is gone, its trail is not.
  select
    'contractors', '00000000-0000-4000-8000-00000000c0de', 'DELETE', actor.id,
    null,
    today.midnight - interval '6 days' + interval '19 hours 52 minutes', '192.0.2.40'
  from users as actor, today
  where actor.email = 'admin@example.com'
)
insert into audit_logs (entity_type, entity_id, action, user_id, changes, "timestamp", ip_address)
select entry.entity_type, entry.entity_id, entry.action, entry.user_id, entry.changes, entry."timestamp", entry.ip_address
from entries as entry
where not exists (
  select
  from audit_logs as written
  where written.entity_type = entry.entity_type
    and written.entity_id = entry.entity_id
    and written.action = entry.action
)
order by entry."timestamp";
