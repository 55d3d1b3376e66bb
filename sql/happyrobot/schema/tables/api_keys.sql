create table public.api_keys (
  api_key_id uuid default gen_random_uuid() not null,
  key_hash character varying(255) not null,
  key_prefix character varying(10) not null,
  name character varying(100) not null,
  description text,
  client_type character varying(50),
  scopes text[],
  ip_whitelist inet[],
  rate_limit_per_minute integer default 100,
  rate_limit_per_day integer default 10000,
  last_used_at timestamp with time zone,
  last_used_ip inet,
  total_requests bigint default 0,
  is_active boolean default true,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  revoked_reason text,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  created_by character varying(100),
  version integer default 1,
  constraint api_keys_pkey primary key (api_key_id),
  constraint api_keys_key_hash_key unique (key_hash),
  constraint api_keys_client_type_check check (((client_type)::text = any (array['HAPPYROBOT'::character varying, 'INTERNAL'::character varying, 'PARTNER'::character varying]))),
  constraint api_keys_rate_limit_per_day_check check ((rate_limit_per_day >= 0)),
  constraint api_keys_rate_limit_per_minute_check check ((rate_limit_per_minute >= 0)),
  constraint api_keys_total_requests_check check ((total_requests >= 0))
);

comment on table public.api_keys is 'Keys by which clients call the API. Only hashes are kept; keys are revoked rather than deleted.';
comment on column public.api_keys.api_key_id is 'Identifier of the key, a random UUID.';
comment on column public.api_keys.key_hash is 'Hash of the key, unique; never copied into the audit log.';
comment on column public.api_keys.key_prefix is 'First 8 characters of the key, by which people tell keys apart.';
comment on column public.api_keys.name is 'Name of the key for people.';
comment on column public.api_keys.description is 'What the key is for.';
comment on column public.api_keys.client_type is 'Kind of client: HAPPYROBOT, INTERNAL or PARTNER.';
comment on column public.api_keys.scopes is 'What the key allows, one scope an element.';
comment on column public.api_keys.ip_whitelist is 'Addresses or networks from which the key is accepted; null for any.';
comment on column public.api_keys.rate_limit_per_minute is 'Requests allowed in a minute.';
comment on column public.api_keys.rate_limit_per_day is 'Requests allowed in a day.';
comment on column public.api_keys.last_used_at is 'When the key was last used; null when never.';
comment on column public.api_keys.last_used_ip is 'Address from which the key was last used.';
comment on column public.api_keys.total_requests is 'Requests made with the key so far.';
comment on column public.api_keys.is_active is 'False when the key must not be accepted.';
comment on column public.api_keys.expires_at is 'When the key ends by itself; null when it does not.';
comment on column public.api_keys.revoked_at is 'When the key was revoked; null while it is valid.';
comment on column public.api_keys.revoked_reason is 'Why the key was revoked.';
comment on column public.api_keys.created_at is 'When the row was stored.';
comment on column public.api_keys.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.api_keys.created_by is 'User or service that stored the row, as the application names it.';
comment on column public.api_keys.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create index idx_api_keys_active on public.api_keys using btree (is_active, expires_at) where (is_active = true);
create index idx_api_keys_hash on public.api_keys using btree (key_hash);
create index idx_api_keys_prefix on public.api_keys using btree (key_prefix);
