create table public.system_metrics (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  "timestamp" timestamp with time zone default current_timestamp not null,
  metric_type text not null,
  value double precision not null,
  unit text,
  tags jsonb,
  source text default 'application'::text not null,
  constraint system_metrics_pkey primary key (id),
  constraint system_metrics_mongo_id_key unique (mongo_id),
  constraint system_metrics_metric_type_check check ((metric_type <> ''::text))
);

comment on table public.system_metrics is 'Measurements of the running system, a row a value; append-only.';
comment on column public.system_metrics.id is 'Key of the measurement; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.system_metrics.mongo_id is 'The _id the measurement had in MongoDB; null for those taken since.';
comment on column public.system_metrics."timestamp" is 'When it was measured.';
comment on column public.system_metrics.metric_type is 'What was measured, such as api_response_time or call_success_rate.';
comment on column public.system_metrics.value is 'The value, in the given unit.';
comment on column public.system_metrics.unit is 'Unit of the value, such as ms, percentage or count; null for plain numbers.';
comment on column public.system_metrics.tags is 'Anything that says more about the measurement, such as the route or the host.';
comment on column public.system_metrics.source is 'Who measured: the application itself, twilio, redis and so on.';

create index idx_system_metrics_metric_type_timestamp on public.system_metrics using btree (metric_type, "timestamp" desc);
create index idx_system_metrics_source_timestamp on public.system_metrics using btree (source, "timestamp" desc);
create index idx_system_metrics_timestamp on public.system_metrics using btree ("timestamp" desc);
