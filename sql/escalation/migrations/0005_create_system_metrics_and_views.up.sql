-- The last table, and what is read and called rather than stored: three functions and six views.
--
-- Functions and views take "now" and "today" in UTC, since that is what the columns hold. The
-- functions keep the search_path of this migration, so that they find their tables from any session.
-- Views count tasks and attempts each by itself before joining: joined directly they would
-- multiply each other.

create table system_metrics (
  id uuid not null default gen_random_uuid(),
  metric_type varchar(50) not null,
  metric_name varchar(100) not null,
  value numeric(12, 4) not null,
  dimensions jsonb,
  "timestamp" timestamp not null default (now() at time zone 'UTC'),
  constraint system_metrics_pkey primary key (id)
);

create index idx_system_metrics_type_timestamp on system_metrics (metric_type, "timestamp");

comment on table system_metrics is 'Measurements of the system over time, one row a value; rows are only added.';
comment on column system_metrics.id is 'Surrogate key, generated when not given.';
comment on column system_metrics.metric_type is
  'Family of the metric, such as agent_utilization, task_throughput or success_rate; an open list.';
comment on column system_metrics.metric_name is 'Name of the metric within its family; says the unit.';
comment on column system_metrics.value is 'The value measured, in the unit of metric_name.';
comment on column system_metrics.dimensions is 'Tags to group by, such as the agent or the channel.';
comment on column system_metrics."timestamp" is 'When it was measured, UTC.';

create function check_opt_out_status(p_customer_id uuid, p_channel varchar) returns boolean
language sql
stable
parallel safe
set search_path from current
as $$
  select
    exists (
      select from opt_outs o
      where o.customer_id = p_customer_id
        and (o.channel = p_channel or o.channel = 'all')
        and (o.expires_at is null or o.expires_at > now() at time zone 'UTC')
    )
    or exists (
      select from customer_profiles p
      where p.customer_id = p_customer_id
        and p.do_not_contact
    )
$$;

comment on function check_opt_out_status(uuid, varchar) is
  'TRUE if the customer must not be contacted on the channel: an opt-out of that channel or of all that has not expired, or do_not_contact in the profile. FALSE otherwise, also for an unknown customer; never NULL. contact_restrictions is advice and does not count.';

create function log_audit_event(
  p_entity_type varchar,
  p_entity_id uuid,
  p_action varchar,
  p_actor_type varchar default 'system',
  p_actor_id varchar default null,
  p_changes jsonb default null,
  p_metadata jsonb default null,
  p_ip_address inet default null,
  p_user_agent text default null
) returns uuid
language sql
volatile
set search_path from current
as $$
  insert into audit_logs
    (entity_type, entity_id, action, actor_type, actor_id, changes, metadata, ip_address, user_agent)
  values
    (p_entity_type, p_entity_id, p_action, p_actor_type, p_actor_id, p_changes, p_metadata, p_ip_address, p_user_agent)
  returning id
$$;

comment on function log_audit_event(varchar, uuid, varchar, varchar, varchar, jsonb, jsonb, inet, text) is
  'Adds an entry to audit_logs and returns its id. Runs in the transaction of the caller: what is rolled back is not logged.';

-- Each part is bounded, which keeps the score within 0 and 100 whatever is stored: no invoices,
-- invoices of zero, credit notes with negative amounts, delays of years. The parts are aggregates,
-- so each is one row, and a customer without profile or attempts still gets a score.
create function calculate_customer_risk_score(p_customer_id uuid) returns numeric
language sql
stable
parallel safe
set search_path from current
as $$
  with today as (
    select (now() at time zone 'UTC')::date as today
  ),
  invoices as (
    select
      i.amount,
      i.status in ('pending', 'overdue', 'partial') and i.due_date < t.today as is_past_due,
      case
        when i.status = 'paid' then
          -- greatest() would take a missing paid_date for 0; a payment of unknown date says nothing.
          case when i.paid_date is not null then greatest(i.paid_date - i.due_date, 0) end
        when i.due_date < t.today then t.today - i.due_date
      end as delay_days
    from payment_records i
    cross join today t
    where i.customer_id = p_customer_id
      and i.status <> 'cancelled'
  ),
  debt as (
    select
      sum(amount) filter (where is_past_due) / nullif(sum(amount), 0) as past_due_share,
      avg(delay_days) as delay_days
    from invoices
  ),
  contact as (
    select avg((a.status in ('answered', 'replied'))::integer) as response_rate
    from contact_attempts a
    where a.customer_id = p_customer_id
  ),
  profile as (
    select max(p.average_payment_delay) as delay_days, min(p.response_rate) as response_rate
    from customer_profiles p
    where p.customer_id = p_customer_id
  )
  select round(
    50 * least(greatest(coalesce(d.past_due_share, 0), 0), 1)
    + 30 * least(greatest(coalesce(d.delay_days, p.delay_days, 0), 0), 90) / 90
    + 20 * (1 - coalesce(a.response_rate, p.response_rate, 1)),
    2
  )
  from customers c
  cross join debt d
  cross join contact a
  cross join profile p
  where c.id = p_customer_id
$$;

comment on function calculate_customer_risk_score(uuid) is
  'Current risk of a customer from 0 to 100, two decimals; NULL for an unknown customer. Writes nothing. 50 x share of the invoiced amount (cancelled invoices apart) that is past due and unpaid, + 30 x average delay in days, capped at 90, / 90, + 20 x (1 - share of contact attempts answered or replied). Delay is payment date or, while unpaid and past due, today, less due date; early payments count 0. Without such invoices the delay, and without attempts the response rate, come from the profile; else 0 and 1. Amounts are added whatever their currency. Usual classes: below 25 low, below 50 medium, below 75 high, else critical.';

create view v_active_campaigns as
select
  ca.id as campaign_id,
  ca.name as campaign_name,
  ca.status,
  ca.customer_id,
  cu.company_name,
  cu.contact_name,
  cu.email,
  cu.phone,
  cu.preferred_contact_method,
  ca.payment_record_id,
  pr.invoice_number,
  pr.amount,
  pr.currency,
  pr.due_date,
  ca.current_step,
  -- jsonb_array_length fails on anything but an array, and one odd row must not break the list.
  case
    when jsonb_typeof(ca.escalation_steps) = 'array' then jsonb_array_length(ca.escalation_steps)
  end as total_steps,
  ca.start_date,
  ca.end_date,
  ca.paused_until,
  ca.created_at,
  ca.updated_at
from campaigns ca
join customers cu on cu.id = ca.customer_id
left join payment_records pr on pr.id = ca.payment_record_id
where ca.status in ('active', 'paused')
  and cu.deleted_at is null;

comment on view v_active_campaigns is
  'Active and paused campaigns with customer and invoice, one row a campaign; softly deleted customers are left out.';
comment on column v_active_campaigns.total_steps is
  'Number of steps in escalation_steps; NULL if that is not an array.';

create view v_pending_tasks as
select
  t.id as task_id,
  t.type,
  t.priority,
  t.status,
  t.context,
  t.attempts,
  t.max_attempts,
  t.due_at,
  t.customer_id,
  cu.company_name,
  cu.contact_name,
  cu.email,
  cu.phone,
  t.campaign_id,
  ca.name as campaign_name,
  ca.status as campaign_status,
  t.payment_record_id,
  pr.invoice_number,
  pr.amount,
  pr.due_date,
  t.assigned_agent_id,
  ag.type as agent_type,
  ag.status as agent_status,
  t.created_at
from tasks t
join customers cu on cu.id = t.customer_id
left join campaigns ca on ca.id = t.campaign_id
left join payment_records pr on pr.id = t.payment_record_id
left join agents ag on ag.id = t.assigned_agent_id
where t.status in ('pending', 'assigned')
  and cu.deleted_at is null
order by
  case t.priority when 'urgent' then 1 when 'high' then 2 when 'medium' then 3 else 4 end,
  t.due_at,
  t.created_at,
  t.id;

comment on view v_pending_tasks is
  'Work list: pending and assigned tasks with customer, campaign, invoice and agent, most urgent first, then by due_at (none last); softly deleted customers are left out.';

create view v_agent_performance as
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

comment on view v_agent_performance is
  'Tasks and contacts of every agent, one row an agent, also of those without any.';
comment on column v_agent_performance.total_tasks is 'Tasks assigned to the agent, of any status.';
comment on column v_agent_performance.completed_tasks is 'Tasks completed.';
comment on column v_agent_performance.failed_tasks is 'Tasks failed.';
comment on column v_agent_performance.success_rate is
  'Completed / (completed + failed), 0 to 1; NULL before the first of either.';
comment on column v_agent_performance.avg_completion_seconds is
  'Average time in seconds from start to end of the completed tasks; NULL if none has both times.';
comment on column v_agent_performance.total_contact_attempts is 'Contact attempts the agent made.';
comment on column v_agent_performance.successful_contacts is 'Attempts that were answered or replied.';

create view v_customer_communications as
select
  a.id as contact_attempt_id,
  a.customer_id,
  cu.company_name,
  cu.contact_name,
  a.channel,
  a.status,
  a."timestamp" as contacted_at,
  a.duration,
  a.response,
  a.metadata,
  a.task_id,
  t.type as task_type,
  a.campaign_id,
  ca.name as campaign_name,
  a.agent_id,
  ag.type as agent_type
from contact_attempts a
join customers cu on cu.id = a.customer_id
join tasks t on t.id = a.task_id
join agents ag on ag.id = a.agent_id
left join campaigns ca on ca.id = a.campaign_id;

comment on view v_customer_communications is
  'Communication history on all channels, one row a contact attempt; softly deleted customers are kept.';
comment on column v_customer_communications.contacted_at is 'When the customer was contacted, UTC.';

create view v_overdue_payments as
select
  pr.id as payment_record_id,
  pr.invoice_number,
  pr.amount,
  pr.currency,
  pr.due_date,
  (now() at time zone 'UTC')::date - pr.due_date as days_overdue,
  pr.status,
  pr.customer_id,
  cu.company_name,
  cu.contact_name,
  cu.email,
  cu.phone,
  p.risk_level,
  p.risk_score,
  p.do_not_contact
from payment_records pr
join customers cu on cu.id = pr.customer_id
-- At most one profile, whatever the tables allow: an invoice must not be listed twice.
left join lateral (
  select cp.risk_level, cp.risk_score, cp.do_not_contact
  from customer_profiles cp
  where cp.customer_id = pr.customer_id
  order by cp.updated_at desc, cp.id
  limit 1
) p on true
where pr.status in ('pending', 'overdue', 'partial')
  and pr.due_date < (now() at time zone 'UTC')::date
  and cu.deleted_at is null;

comment on view v_overdue_payments is
  'Unpaid invoices past their due date with the risk of the customer, one row an invoice; also pending ones that nobody relabelled. Softly deleted customers are left out.';
comment on column v_overdue_payments.amount is
  'Amount of the whole invoice, also for a partial payment: what was paid is not recorded.';
comment on column v_overdue_payments.days_overdue is 'Days since due_date, today being the date in UTC.';

create view v_campaign_effectiveness as
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

comment on view v_campaign_effectiveness is
  'Work and outcome of every campaign of any status, one row a campaign; softly deleted customers are kept.';
comment on column v_campaign_effectiveness.total_tasks is 'Tasks of the campaign, of any status.';
comment on column v_campaign_effectiveness.completed_tasks is 'Tasks completed.';
comment on column v_campaign_effectiveness.failed_tasks is 'Tasks failed.';
comment on column v_campaign_effectiveness.total_contact_attempts is 'Contact attempts of the campaign.';
comment on column v_campaign_effectiveness.responses is 'Attempts that were answered or replied.';
comment on column v_campaign_effectiveness.response_rate is
  'Responses / contact attempts, 0 to 1; NULL before the first attempt.';
comment on column v_campaign_effectiveness.payment_status is 'Status of the invoice; NULL without one.';
comment on column v_campaign_effectiveness.payment_amount is 'Amount of the invoice; NULL without one.';
comment on column v_campaign_effectiveness.amount_recovered is
  'Amount of the invoice if it is paid, else 0. Two campaigns about one invoice both show it.';
