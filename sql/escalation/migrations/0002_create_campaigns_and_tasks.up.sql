-- How an unpaid invoice is escalated: a campaign is the plan of steps, a task is one piece of
-- work for one agent.

create table campaigns (
  id uuid not null default gen_random_uuid(),
  name varchar(255) not null,
  description text,
  customer_id uuid not null,
  payment_record_id uuid,
  status varchar(20) not null,
  escalation_steps jsonb not null,
  current_step integer not null default 0,
  start_date timestamp not null,
  end_date timestamp,
  paused_until timestamp,
  results jsonb,
  config jsonb,
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  constraint campaigns_pkey primary key (id),
  constraint campaigns_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint campaigns_payment_record_id_fkey
    foreign key (payment_record_id) references payment_records (id) on delete set null,
  constraint campaigns_status_check
    check (status in ('draft', 'active', 'paused', 'completed', 'cancelled'))
);

create index idx_campaigns_customer_id on campaigns (customer_id);
create index idx_campaigns_status on campaigns (status);
create index idx_campaigns_start_date on campaigns (start_date);
-- Without it, deleting an invoice would scan all campaigns to set this column NULL.
create index idx_campaigns_payment_record_id on campaigns (payment_record_id);

comment on table campaigns is 'Escalations of a customer, usually about one invoice: the steps and how far they got.';
comment on column campaigns.id is 'Surrogate key, generated when not given.';
comment on column campaigns.name is 'Name shown to staff.';
comment on column campaigns.description is 'What the campaign is for.';
comment on column campaigns.customer_id is
  'The customer escalated; the campaign goes when the customer row is deleted.';
comment on column campaigns.payment_record_id is
  'The invoice escalated; NULL for a campaign about no single invoice, or after the invoice was deleted.';
comment on column campaigns.status is 'State of the campaign; active and paused ones are the open ones.';
comment on column campaigns.escalation_steps is
  'The steps in order, a JSON array of objects such as {channel, template, delayDays}.';
comment on column campaigns.current_step is 'Index of the current step in escalation_steps, counted from 0.';
comment on column campaigns.start_date is 'When the first step may run, UTC.';
comment on column campaigns.end_date is 'When the campaign ended or is to end, UTC; NULL: open end.';
comment on column campaigns.paused_until is 'When a paused campaign goes on, UTC; NULL: until somebody resumes it.';
comment on column campaigns.results is 'Figures of the campaign as written by the application; v_campaign_effectiveness counts from the rows.';
comment on column campaigns.config is 'Settings of this campaign, such as limits of contacts a day.';
comment on column campaigns.created_at is 'When the row was inserted, UTC.';
comment on column campaigns.updated_at is 'When the row was last updated, UTC; set by trigger.';

create table tasks (
  id uuid not null default gen_random_uuid(),
  type varchar(50) not null,
  priority varchar(20) not null,
  customer_id uuid not null,
  campaign_id uuid,
  payment_record_id uuid,
  status varchar(20) not null,
  assigned_agent_id uuid,
  context jsonb not null,
  attempts integer default 0,
  max_attempts integer default 3,
  due_at timestamp,
  started_at timestamp,
  completed_at timestamp,
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  constraint tasks_pkey primary key (id),
  constraint tasks_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint tasks_campaign_id_fkey
    foreign key (campaign_id) references campaigns (id) on delete cascade,
  constraint tasks_payment_record_id_fkey
    foreign key (payment_record_id) references payment_records (id) on delete set null,
  constraint tasks_assigned_agent_id_fkey
    foreign key (assigned_agent_id) references agents (id) on delete set null,
  constraint tasks_type_check
    check (type in ('send_email', 'make_call', 'send_sms', 'research_customer', 'escalate', 'follow_up')),
  constraint tasks_priority_check check (priority in ('low', 'medium', 'high', 'urgent')),
  constraint tasks_status_check
    check (status in ('pending', 'assigned', 'in_progress', 'completed', 'failed', 'cancelled'))
);

create index idx_tasks_status on tasks (status);
create index idx_tasks_customer_id on tasks (customer_id);
create index idx_tasks_campaign_id on tasks (campaign_id);
create index idx_tasks_assigned_agent_id on tasks (assigned_agent_id);
create index idx_tasks_due_at on tasks (due_at);
create index idx_tasks_type_status on tasks (type, status);
-- As for campaigns: deleting an invoice sets this column NULL.
create index idx_tasks_payment_record_id on tasks (payment_record_id);

comment on table tasks is 'Single pieces of work for an agent, with or without a campaign.';
comment on column tasks.id is 'Surrogate key, generated when not given.';
comment on column tasks.type is 'What is to be done.';
comment on column tasks.priority is 'Urgency; v_pending_tasks lists urgent before high, medium and low.';
comment on column tasks.customer_id is 'Whom the task is about; the task goes when the customer row is deleted.';
comment on column tasks.campaign_id is
  'The campaign that made the task; the task goes with it. NULL for a task of its own.';
comment on column tasks.payment_record_id is
  'The invoice the task is about; NULL for none, or after the invoice was deleted.';
comment on column tasks.status is 'State of the task; pending and assigned ones are still to be started.';
comment on column tasks.assigned_agent_id is
  'Who does it; NULL before assignment, or after the agent was deleted.';
comment on column tasks.context is 'What the agent has to know: template, talking points, links. An object, {} when nothing.';
comment on column tasks.attempts is 'Tries so far, counted by the agent.';
comment on column tasks.max_attempts is 'Tries after which the task counts as failed.';
comment on column tasks.due_at is 'When the task should be done, UTC; NULL: no deadline.';
comment on column tasks.started_at is 'When the agent began, UTC.';
comment on column tasks.completed_at is 'When the task ended, UTC.';
comment on column tasks.created_at is 'When the row was inserted, UTC.';
comment on column tasks.updated_at is 'When the row was last updated, UTC; set by trigger.';

create trigger update_campaigns_updated_at
  before update on campaigns
  for each row execute function update_updated_at_column();
create trigger update_tasks_updated_at
  before update on tasks
  for each row execute function update_updated_at_column();

comment on trigger update_campaigns_updated_at on campaigns is 'Keeps updated_at.';
comment on trigger update_tasks_updated_at on tasks is 'Keeps updated_at.';
