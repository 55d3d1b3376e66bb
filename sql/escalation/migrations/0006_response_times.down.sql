-- dbkit: no-transaction
drop index concurrently if exists idx_contact_attempts_agent_results;
drop index concurrently if exists idx_tasks_agent_results;
drop index concurrently if exists idx_tasks_queue;

create or replace view v_campaign_effectiveness as
select
  ca.id as campaign_id,
  ca.name as campaign_name,
  ca.status,
  ca.customer_id,
  cu.company_name,
  coalesce(t.total_tasks, 0) as total_tasks,
  coalesce(t.completed_tasks, 0) as completed_tasks,
  coalesce(t.failed_tasks, 0) as failed_tasks,
  coalesce(a.total_contact_attempts, 0) as total_contact_attempts,
  coalesce(a.responses, 0) as responses,
  round(a.responses::numeric / a.total_contact_attempts, 4) as response_rate,
  pr.status as payment_status,
  pr.amount as payment_amount,
  case when pr.status = 'paid' then pr.amount else 0.00 end as amount_recovered
from campaigns ca
join customers cu on cu.id = ca.customer_id
left join payment_records pr on pr.id = ca.payment_record_id
left join (
  select
    campaign_id,
    count(*) as total_tasks,
    count(*) filter (where status = 'completed') as completed_tasks,
    count(*) filter (where status = 'failed') as failed_tasks
  from tasks
  group by campaign_id
) t on t.campaign_id = ca.id
left join (
  select
    campaign_id,
    count(*) as total_contact_attempts,
    count(*) filter (where status in ('answered', 'replied')) as responses
  from contact_attempts
  group by campaign_id
) a on a.campaign_id = ca.id;
