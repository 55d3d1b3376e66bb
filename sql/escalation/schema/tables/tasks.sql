create table public.tasks (
  id uuid default gen_random_uuid() not null,
  type character varying(50) not null,
  priority character varying(20) not null,
  customer_id uuid not null,
  campaign_id uuid,
  payment_record_id uuid,
  status character varying(20) not null,
  assigned_agent_id uuid,
  context jsonb not null,
  attempts integer default 0,
  max_attempts integer default 3,
  due_at timestamp without time zone,
  started_at timestamp without time zone,
  completed_at timestamp without time zone,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint tasks_pkey primary key (id),
  constraint tasks_priority_check check (((priority)::text = any (array['low'::character varying, 'medium'::character varying, 'high'::character varying, 'urgent'::character varying]))),
  constraint tasks_status_check check (((status)::text = any (array['pending'::character varying, 'assigned'::character varying, 'in_progress'::character varying, 'completed'::character varying, 'failed'::character varying, 'cancelled'::character varying]))),
  constraint tasks_type_check check (((type)::text = any (array['send_email'::character varying, 'make_call'::character varying, 'send_sms'::character varying, 'research_customer'::character varying, 'escalate'::character varying, 'follow_up'::character varying])))
);

comment on table public.tasks is 'Single pieces of work for an agent, with or without a campaign.';
comment on column public.tasks.id is 'Surrogate key, generated when not given.';
comment on column public.tasks.type is 'What is to be done.';
comment on column public.tasks.priority is 'Urgency; v_pending_tasks lists urgent before high, medium and low.';
comment on column public.tasks.customer_id is 'Whom the task is about; the task goes when the customer row is deleted.';
comment on column public.tasks.campaign_id is 'The campaign that made the task; the task goes with it. NULL for a task of its own.';
comment on column public.tasks.payment_record_id is 'The invoice the task is about; NULL for none, or after the invoice was deleted.';
comment on column public.tasks.status is 'State of the task; pending and assigned ones are still to be started.';
comment on column public.tasks.assigned_agent_id is 'Who does it; NULL before assignment, or after the agent was deleted.';
comment on column public.tasks.context is 'What the agent has to know: template, talking points, links. An object, {} when nothing.';
comment on column public.tasks.attempts is 'Tries so far, counted by the agent.';
comment on column public.tasks.max_attempts is 'Tries after which the task counts as failed.';
comment on column public.tasks.due_at is 'When the task should be done, UTC; NULL: no deadline.';
comment on column public.tasks.started_at is 'When the agent began, UTC.';
comment on column public.tasks.completed_at is 'When the task ended, UTC.';
comment on column public.tasks.created_at is 'When the row was inserted, UTC.';
comment on column public.tasks.updated_at is 'When the row was last updated, UTC; set by trigger.';

create index idx_tasks_agent_completed on public.tasks using btree (assigned_agent_id) include (started_at, completed_at) where ((status)::text = 'completed'::text);

comment on index public.idx_tasks_agent_completed is 'Completed tasks and their times, for v_agent_performance.';

create index idx_tasks_agent_others on public.tasks using btree (assigned_agent_id, status) where ((status)::text <> 'completed'::text);

comment on index public.idx_tasks_agent_others is 'Tasks that are not completed, for v_agent_performance.';

create index idx_tasks_assigned_agent_id on public.tasks using btree (assigned_agent_id);
create index idx_tasks_campaign_id on public.tasks using btree (campaign_id);
create index idx_tasks_customer_id on public.tasks using btree (customer_id);
create index idx_tasks_due_at on public.tasks using btree (due_at);
create index idx_tasks_payment_record_id on public.tasks using btree (payment_record_id);
create index idx_tasks_queue on public.tasks using btree ((
case priority
    when 'urgent'::text then 1
    when 'high'::text then 2
    when 'medium'::text then 3
    else 4
end), due_at, created_at, id) where ((status)::text = any (array['pending'::character varying, 'assigned'::character varying]));

comment on index public.idx_tasks_queue is 'The order of v_pending_tasks.';

create index idx_tasks_status on public.tasks using btree (status);
create index idx_tasks_type_status on public.tasks using btree (type, status);

alter table public.tasks add constraint tasks_assigned_agent_id_fkey foreign key (assigned_agent_id) references public.agents(id) on delete set null;
alter table public.tasks add constraint tasks_campaign_id_fkey foreign key (campaign_id) references public.campaigns(id) on delete cascade;
alter table public.tasks add constraint tasks_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
alter table public.tasks add constraint tasks_payment_record_id_fkey foreign key (payment_record_id) references public.payment_records(id) on delete set null;
