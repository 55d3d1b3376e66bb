create table public.audit_logs (
  id bigserial,
  entity_type character varying(50) not null,
  entity_id uuid not null,
  action character varying(20) not null,
  user_id uuid,
  changes jsonb,
  "timestamp" timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  ip_address inet,
  constraint audit_logs_pkey primary key (id),
  constraint audit_logs_action_check check (((action)::text = any (array['INSERT'::character varying, 'UPDATE'::character varying, 'DELETE'::character varying])))
);

comment on table public.audit_logs is 'Who changed what and when, for compliance and for finding mistakes. Written by the application; rows are added, never changed.';
comment on column public.audit_logs.id is 'Sequence number; later rows have higher ones.';
comment on column public.audit_logs.entity_type is 'Table of the changed row, for example jobs.';
comment on column public.audit_logs.entity_id is 'Id of the changed row; no foreign key, so that the trail outlives the row.';
comment on column public.audit_logs.action is 'What was done: INSERT, UPDATE, DELETE.';
comment on column public.audit_logs.user_id is 'users.id of who did it; NULL for the system itself. No foreign key, so that the trail outlives the account.';
comment on column public.audit_logs.changes is 'Changed columns with their old and new values; NULL when none were recorded. No password hashes.';
comment on column public.audit_logs."timestamp" is 'When it was done, UTC.';
comment on column public.audit_logs.ip_address is 'Address the request came from; NULL when there was none.';

create index idx_audit_entity on public.audit_logs using btree (entity_type, entity_id);
create index idx_audit_timestamp on public.audit_logs using btree ("timestamp");
create index idx_audit_user on public.audit_logs using btree (user_id);
