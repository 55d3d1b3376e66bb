create table public.audit_logs (
  id uuid default gen_random_uuid() not null,
  entity_type character varying(50) not null,
  entity_id uuid not null,
  action character varying(50) not null,
  actor_type character varying(50),
  actor_id character varying(100),
  changes jsonb,
  metadata jsonb,
  ip_address inet,
  user_agent text,
  "timestamp" timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint audit_logs_pkey primary key (id),
  constraint audit_logs_actor_type_check check (((actor_type)::text = any (array['agent'::character varying, 'user'::character varying, 'system'::character varying])))
);

comment on table public.audit_logs is 'Append-only record of what happened to which row; triggers refuse UPDATE, DELETE and TRUNCATE. entity_id is no foreign key: an entry outlives what it is about.';
comment on column public.audit_logs.id is 'Surrogate key, generated when not given.';
comment on column public.audit_logs.entity_type is 'Kind of the thing concerned, such as customer, campaign, task or agent; an open list.';
comment on column public.audit_logs.entity_id is 'Key of the thing concerned in the table of its kind.';
comment on column public.audit_logs.action is 'What happened, such as created, updated, deleted or status_changed; an open list.';
comment on column public.audit_logs.actor_type is 'Who did it: an agent, a member of staff (user) or the system itself.';
comment on column public.audit_logs.actor_id is 'Name or key of the actor within its kind.';
comment on column public.audit_logs.changes is 'Values before and after: {before, after}.';
comment on column public.audit_logs.metadata is 'Further context, such as a reason or a request id.';
comment on column public.audit_logs.ip_address is 'Address the request came from.';
comment on column public.audit_logs.user_agent is 'Client software the request came from.';
comment on column public.audit_logs."timestamp" is 'When it happened, UTC.';

create index idx_audit_logs_entity_type_id on public.audit_logs using btree (entity_type, entity_id);
create index idx_audit_logs_timestamp on public.audit_logs using btree ("timestamp");
