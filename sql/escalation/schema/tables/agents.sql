create table public.agents (
  id uuid default gen_random_uuid() not null,
  type character varying(20) not null,
  status character varying(20) not null,
  capabilities text[] not null,
  current_task_count integer default 0,
  max_concurrent_tasks integer default 5 not null,
  working_hours_start time without time zone,
  working_hours_end time without time zone,
  timezone character varying(50) default 'UTC'::character varying,
  config jsonb,
  performance_metrics jsonb,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  last_active_at timestamp without time zone,
  constraint agents_pkey primary key (id),
  constraint agents_status_check check (((status)::text = any (array['idle'::character varying, 'active'::character varying, 'busy'::character varying, 'error'::character varying, 'offline'::character varying]))),
  constraint agents_type_check check (((type)::text = any (array['email'::character varying, 'phone'::character varying, 'sms'::character varying, 'research'::character varying])))
);

comment on table public.agents is 'Workers that carry out tasks. Retire one by setting it offline: deleting it would delete its contact attempts.';
comment on column public.agents.id is 'Surrogate key, generated when not given.';
comment on column public.agents.type is 'Kind of work the agent does.';
comment on column public.agents.status is 'Availability of the agent, kept by the agent itself.';
comment on column public.agents.capabilities is 'What the agent can do, as names the dispatcher matches.';
comment on column public.agents.current_task_count is 'Tasks the agent holds at the moment, kept by the dispatcher.';
comment on column public.agents.max_concurrent_tasks is 'Tasks the agent may hold at once.';
comment on column public.agents.working_hours_start is 'Start of the working day, local time of the agent (timezone); NULL: no restriction.';
comment on column public.agents.working_hours_end is 'End of the working day, local time of the agent (timezone); NULL: no restriction.';
comment on column public.agents.timezone is 'IANA time zone of the working hours.';
comment on column public.agents.config is 'Settings of the agent by type, such as smtpHost of an e-mail agent. Holds no secrets.';
comment on column public.agents.performance_metrics is 'Figures the agent reports, keys in camelCase: tasksCompleted, successRate, avgResponseTime.';
comment on column public.agents.created_at is 'When the row was inserted, UTC.';
comment on column public.agents.updated_at is 'When the row was last updated, UTC; set by trigger.';
comment on column public.agents.last_active_at is 'When the agent last reported, UTC.';

create index idx_agents_status on public.agents using btree (status);
create index idx_agents_type on public.agents using btree (type);
