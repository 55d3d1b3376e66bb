-- dbkit: no-transaction
-- At a million rows the queue, the dashboard of the agents and the figures of one customer's campaigns took too long: each read whole
-- tables for a few rows. The indexes are built while the tables are written to.

-- A query of its own for each campaign: grouped over all of them first, the figures of one customer cost as much as those of all.
create or replace view v_campaign_effectiveness as
select
  ca.id as campaign_id,
  ca.name as campaign_name,
  ca.status,
  ca.customer_id,
  cu.company_name,
  t.total_tasks,
  t.completed_tasks,
  t.failed_tasks,
  a.total_contact_attempts,
  a.responses,
  round(a.responses::numeric / nullif(a.total_contact_attempts, 0), 4) as response_rate,
  pr.status as payment_status,
  pr.amount as payment_amount,
  case when pr.status = 'paid' then pr.amount else 0.00 end as amount_recovered
from campaigns ca
join customers cu on cu.id = ca.customer_id
left join payment_records pr on pr.id = ca.payment_record_id
cross join lateral (
  select
    count(*) as total_tasks,
    count(*) filter (where ta.status = 'completed') as completed_tasks,
    count(*) filter (where ta.status = 'failed') as failed_tasks
  from tasks ta
  where ta.campaign_id = ca.id
) t
cross join lateral (
  select
    count(*) as total_contact_attempts,
    count(*) filter (where at.status in ('answered', 'replied')) as responses
  from contact_attempts at
  where at.campaign_id = ca.id
) a;

-- In the order of v_pending_tasks, so that its first rows can be read without sorting all that wait.
create index concurrently idx_tasks_queue on tasks
  ((case priority when 'urgent' then 1 when 'high' then 2 when 'medium' then 3 else 4 end), due_at, created_at, id)
  where status in ('pending', 'assigned');

-- All that v_agent_performance wants to know.
create index concurrently idx_tasks_agent_results on tasks (assigned_agent_id) include (status, started_at, completed_at);
create index concurrently idx_contact_attempts_agent_results on contact_attempts (agent_id) include (status);

comment on index idx_tasks_queue is 'The order of v_pending_tasks.';
comment on index idx_tasks_agent_results is 'Covers v_agent_performance.';
comment on index idx_contact_attempts_agent_results is 'Covers v_agent_performance.';
