-- Who may call, and who changed what: an audit row names the API key, so the two tables come together.

create table api_keys (
  api_key_id uuid not null default gen_random_uuid(),
  key_hash varchar(255) not null,
  key_prefix varchar(10) not null,
  name varchar(100) not null,
  description text,
  client_type varchar(50),
  scopes text[],
  ip_whitelist inet[],
  rate_limit_per_minute integer default 100,
  rate_limit_per_day integer default 10000,
  last_used_at timestamptz,
  last_used_ip inet,
  total_requests bigint default 0,
  is_active boolean default true,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by varchar(100),
  version integer default 1,
  constraint api_keys_pkey primary key (api_key_id),
  constraint api_keys_key_hash_key unique (key_hash),
  constraint api_keys_client_type_check check (client_type in ('HAPPYROBOT', 'INTERNAL', 'PARTNER')),
  constraint api_keys_rate_limit_per_minute_check check (rate_limit_per_minute >= 0),
  constraint api_keys_rate_limit_per_day_check check (rate_limit_per_day >= 0),
  constraint api_keys_total_requests_check check (total_requests >= 0)
);

create index idx_api_keys_hash on api_keys (key_hash);
create index idx_api_keys_prefix on api_keys (key_prefix);
create index idx_api_keys_active on api_keys (is_active, expires_at) where is_active = true;

comment on table api_keys is 'Keys by which clients call the API. Only hashes are kept; keys are revoked rather than deleted.';
comment on column api_keys.api_key_id is 'Identifier of the key, a random UUID.';
comment on column api_keys.key_hash is 'Hash of the key, unique; never copied into the audit log.';
comment on column api_keys.key_prefix is 'First 8 characters of the key, by which people tell keys apart.';
comment on column api_keys.name is 'Name of the key for people.';
comment on column api_keys.description is 'What the key is for.';
comment on column api_keys.client_type is 'Kind of client: HAPPYROBOT, INTERNAL or PARTNER.';
comment on column api_keys.scopes is 'What the key allows, one scope an element.';
comment on column api_keys.ip_whitelist is 'Addresses or networks from which the key is accepted; null for any.';
comment on column api_keys.rate_limit_per_minute is 'Requests allowed in a minute.';
comment on column api_keys.rate_limit_per_day is 'Requests allowed in a day.';
comment on column api_keys.last_used_at is 'When the key was last used; null when never.';
comment on column api_keys.last_used_ip is 'Address from which the key was last used.';
comment on column api_keys.total_requests is 'Requests made with the key so far.';
comment on column api_keys.is_active is 'False when the key must not be accepted.';
comment on column api_keys.expires_at is 'When the key ends by itself; null when it does not.';
comment on column api_keys.revoked_at is 'When the key was revoked; null while it is valid.';
comment on column api_keys.revoked_reason is 'Why the key was revoked.';
comment on column api_keys.created_at is 'When the row was stored.';
comment on column api_keys.updated_at is 'When the row was last changed; set by a trigger.';
comment on column api_keys.created_by is 'User or service that stored the row, as the application names it.';
comment on column api_keys.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create table audit_log (
  audit_id uuid not null default gen_random_uuid(),
  table_name varchar(50) not null,
  record_id uuid not null,
  action varchar(20) not null,
  changed_fields jsonb,
  old_values jsonb,
  new_values jsonb,
  user_id varchar(100),
  api_key_id uuid,
  ip_address inet,
  user_agent text,
  created_at timestamptz not null default now(),
  constraint audit_log_pkey primary key (audit_id),
  -- A key that is deleted after all must not be held back by its own trail.
  constraint audit_log_api_key_id_fkey foreign key (api_key_id) references api_keys (api_key_id) on delete set null,
  constraint audit_log_action_check check (action in ('INSERT', 'UPDATE', 'DELETE'))
);

create index idx_audit_table_record on audit_log (table_name, record_id);
create index idx_audit_created on audit_log (created_at);
create index idx_audit_user on audit_log (user_id);
-- Deleting a key looks here for rows that name it.
create index idx_audit_api_key on audit_log (api_key_id);

comment on table audit_log is 'Trail of every insert, update and delete in carriers, loads, calls, negotiations, api_keys, equipment_types and rate_history. Written by triggers, never changed.';
comment on column audit_log.audit_id is 'Identifier of the entry, a random UUID.';
comment on column audit_log.table_name is 'Table whose row was changed.';
comment on column audit_log.record_id is 'Primary key of the row that was changed.';
comment on column audit_log.action is 'INSERT, UPDATE or DELETE.';
comment on column audit_log.changed_fields is 'For an update: the changed columns with their new values, also those that a trigger changed; otherwise null.';
comment on column audit_log.old_values is 'The row before an update or delete; null for an insert. Leaves out api_keys.key_hash and calls.transcript.';
comment on column audit_log.new_values is 'The row after an insert or update; null for a delete. Leaves out api_keys.key_hash and calls.transcript.';
comment on column audit_log.user_id is 'User for whom the change was made: the session setting app.current_user_id, null when it is not set.';
comment on column audit_log.api_key_id is 'Key with which the change was made: the session setting app.current_api_key_id, null when it is not set or names no key.';
comment on column audit_log.ip_address is 'Address of the client: the session setting app.current_ip_address, null when it is not set or no address.';
comment on column audit_log.user_agent is 'Program of the client: the session setting app.current_user_agent, null when it is not set.';
comment on column audit_log.created_at is 'When the transaction of the change began.';

-- Runs as its owner, so that roles which may change loads need no right to write, let alone forge, audit rows. It names
-- the schema of the table that fired it: the sessions of applications may have any search path, and a temporary
-- table called audit_log must not catch the rows. In UTC, so that the same moment is always written alike.
create function audit_trigger_function() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  v_old jsonb;
  v_new jsonb;
  v_changed jsonb;
  v_record_id uuid;
  -- After a transaction with SET LOCAL a setting reads as an empty string, not as null, for the rest of the session.
  v_user_id text := nullif(current_setting('app.current_user_id', true), '');
  v_api_key_text text := nullif(current_setting('app.current_api_key_id', true), '');
  v_ip_text text := nullif(current_setting('app.current_ip_address', true), '');
  v_user_agent text := nullif(current_setting('app.current_user_agent', true), '');
  v_api_key_id uuid;
  v_ip_address inet;
begin
  if tg_op <> 'INSERT' then
    v_old := to_jsonb(old) - tg_argv[1:];
  end if;
  if tg_op <> 'DELETE' then
    v_new := to_jsonb(new) - tg_argv[1:];
  end if;
  if tg_op = 'UPDATE' then
    select coalesce(jsonb_object_agg(field.key, field.value), '{}')
    into v_changed
    from jsonb_each(v_new) as field
    where field.value is distinct from v_old -> field.key;
  end if;

  v_record_id := (coalesce(v_new, v_old) ->> tg_argv[0])::uuid;
  if v_record_id is null then
    raise exception 'trigger % on table % must name the primary key column of the table as its first argument',
      tg_name, tg_table_name;
  end if;

  -- Whatever a client puts into the settings, the change itself must not fail because of it.
  if v_api_key_text is not null then
    begin
      execute format('select api_key_id from %I.api_keys where api_key_id = $1 for key share', tg_table_schema)
      into v_api_key_id
      using v_api_key_text::uuid;
    exception
      when invalid_text_representation then
        v_api_key_id := null;
    end;
  end if;
  if v_ip_text is not null then
    begin
      v_ip_address := v_ip_text::inet;
    exception
      when invalid_text_representation then
        v_ip_address := null;
    end;
  end if;

  execute format(
    'insert into %I.audit_log
       (table_name, record_id, action, changed_fields, old_values, new_values, user_id, api_key_id, ip_address, user_agent)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    tg_table_schema
  )
  using tg_table_name, v_record_id, tg_op, v_changed, v_old, v_new, left(v_user_id, 100), v_api_key_id, v_ip_address,
    v_user_agent;
  return null;
end;
$$;

comment on function audit_trigger_function() is
  'After a change of a row: writes it into audit_log of the same schema. The first trigger argument names the uuid primary key column; '
  'columns named by further arguments never enter the log. Who made the change is read from the settings app.current_user_id, '
  'app.current_api_key_id, app.current_ip_address and app.current_user_agent.';
