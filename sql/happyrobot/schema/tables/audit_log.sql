create table public.audit_log (
  audit_id uuid default gen_random_uuid() not null,
  table_name character varying(50) not null,
  record_id uuid not null,
  action character varying(20) not null,
  changed_fields jsonb,
  old_values jsonb,
  new_values jsonb,
  user_id character varying(100),
  api_key_id uuid,
  ip_address inet,
  user_agent text,
  created_at timestamp with time zone default now() not null,
  constraint audit_log_pkey primary key (audit_id),
  constraint audit_log_action_check check (((action)::text = any (array['INSERT'::character varying, 'UPDATE'::character varying, 'DELETE'::character varying])))
);

comment on table public.audit_log is 'Trail of every insert, update and delete in carriers, loads, calls, negotiations, api_keys, equipment_types and rate_history. Written by triggers, never changed.';
comment on column public.audit_log.audit_id is 'Identifier of the entry, a random UUID.';
comment on column public.audit_log.table_name is 'Table whose row was changed.';
comment on column public.audit_log.record_id is 'Primary key of the row that was changed.';
comment on column public.audit_log.action is 'INSERT, UPDATE or DELETE.';
comment on column public.audit_log.changed_fields is 'For an update: the changed columns with their new values, also those that a trigger changed; otherwise null.';
comment on column public.audit_log.old_values is 'The row before an update or delete; null for an insert. Leaves out api_keys.key_hash and calls.transcript.';
comment on column public.audit_log.new_values is 'The row after an insert or update; null for a delete. Leaves out api_keys.key_hash and calls.transcript.';
comment on column public.audit_log.user_id is 'User for whom the change was made: the session setting app.current_user_id, null when it is not set.';
comment on column public.audit_log.api_key_id is 'Key with which the change was made: the session setting app.current_api_key_id, null when it is not set or names no key.';
comment on column public.audit_log.ip_address is 'Address of the client: the session setting app.current_ip_address, null when it is not set or no address.';
comment on column public.audit_log.user_agent is 'Program of the client: the session setting app.current_user_agent, null when it is not set.';
comment on column public.audit_log.created_at is 'When the transaction of the change began.';

create index idx_audit_api_key on public.audit_log using btree (api_key_id);
create index idx_audit_created on public.audit_log using btree (created_at);
create index idx_audit_table_record on public.audit_log using btree (table_name, record_id);
create index idx_audit_user on public.audit_log using btree (user_id);

alter table public.audit_log add constraint audit_log_api_key_id_fkey foreign key (api_key_id) references public.api_keys(api_key_id) on delete set null;
