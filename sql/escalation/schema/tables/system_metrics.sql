create table public.system_metrics (
  id uuid default gen_random_uuid() not null,
  metric_type character varying(50) not null,
  metric_name character varying(100) not null,
  value numeric(12,4) not null,
  dimensions jsonb,
  "timestamp" timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint system_metrics_pkey primary key (id)
);

comment on table public.system_metrics is 'Measurements of the system over time, one row a value; rows are only added.';
comment on column public.system_metrics.id is 'Surrogate key, generated when not given.';
comment on column public.system_metrics.metric_type is 'Family of the metric, such as agent_utilization, task_throughput or success_rate; an open list.';
comment on column public.system_metrics.metric_name is 'Name of the metric within its family; says the unit.';
comment on column public.system_metrics.value is 'The value measured, in the unit of metric_name.';
comment on column public.system_metrics.dimensions is 'Tags to group by, such as the agent or the channel.';
comment on column public.system_metrics."timestamp" is 'When it was measured, UTC.';

create index idx_system_metrics_type_timestamp on public.system_metrics using btree (metric_type, "timestamp");
