-- dbkit: no-transaction
create index concurrently idx_tasks_agent_results on tasks (assigned_agent_id) include (status, started_at, completed_at);
create index concurrently idx_contact_attempts_agent_results on contact_attempts (agent_id) include (status);

create or replace view v_agent_performance as
select
  ag.id as agent_id,
  ag.type as agent_type,
  ag.status,
  ag.current_task_count,
  ag.max_concurrent_tasks,
  coalesce(t.total_tasks, 0) as total_tasks,
  coalesce(t.completed_tasks, 0) as completed_tasks,
  coalesce(t.failed_tasks, 0) as failed_tasks,
  round(t.completed_tasks::numeric / nullif(t.completed_tasks + t.failed_tasks, 0), 4) as success_rate,
  t.avg_completion_seconds,
  coalesce(a.total_contact_attempts, 0) as total_contact_attempts,
  coalesce(a.successful_contacts, 0) as successful_contacts,
  ag.last_active_at
from agents ag
left join (
  select
    assigned_agent_id,
    count(*) as total_tasks,
    count(*) filter (where status = 'completed') as completed_tasks,
    count(*) filter (where status = 'failed') as failed_tasks,
    round(avg(extract(epoch from completed_at - started_at)) filter (where status = 'completed'), 2)
      as avg_completion_seconds
  from tasks
  group by assigned_agent_id
) t on t.assigned_agent_id = ag.id
left join (
  select
    agent_id,
    count(*) as total_contact_attempts,
    count(*) filter (where status in ('answered', 'replied')) as successful_contacts
  from contact_attempts
  group by agent_id
) a on a.agent_id = ag.id;

drop index concurrently if exists idx_contact_attempts_agent_status;
drop index concurrently if exists idx_tasks_agent_others;
drop index concurrently if exists idx_tasks_agent_completed;

comment on index idx_tasks_agent_results is 'Covers v_agent_performance.';
comment on index idx_contact_attempts_agent_results is 'Covers v_agent_performance.';
