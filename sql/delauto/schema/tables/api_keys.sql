create table public.api_keys (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  key text not null,
  name text not null,
  description text,
  environment text default 'development'::text not null,
  permissions text[] default '{}'::text[] not null,
  rate_limit_requests integer default 1000 not null,
  rate_limit_period bigint default 900000 not null,
  is_active boolean default true not null,
  created_by uuid,
  last_used_at timestamp with time zone,
  usage_count bigint default 0 not null,
  created_at timestamp with time zone default current_timestamp not null,
  updated_at timestamp with time zone default current_timestamp not null,
  constraint api_keys_pkey primary key (id),
  constraint api_keys_key_key unique (key),
  constraint api_keys_mongo_id_key unique (mongo_id),
  constraint api_keys_environment_check check ((environment = any (array['development'::text, 'staging'::text, 'production'::text]))),
  constraint api_keys_key_check check ((key <> ''::text)),
  constraint api_keys_name_check check ((name <> ''::text))
);

comment on table public.api_keys is 'Keys that other systems present to use the API, with what they may do and how often.';
comment on column public.api_keys.id is 'Key of the row; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.api_keys.mongo_id is 'The _id the key had in MongoDB; null for keys made since.';
comment on column public.api_keys.key is 'The secret itself, in clear text, as the application compares it: whoever can read this column can use the API. Keep it out of logs, exports and views, and grant access to it by column.';
comment on column public.api_keys.name is 'Short name for people.';
comment on column public.api_keys.description is 'What the key is for.';
comment on column public.api_keys.environment is 'Where the key is valid: development, staging or production.';
comment on column public.api_keys.permissions is 'What the key allows, as resource:action (deliveries:read); empty allows nothing.';
comment on column public.api_keys.rate_limit_requests is 'Requests allowed within one period.';
comment on column public.api_keys.rate_limit_period is 'Length of that period, in milliseconds; the default is 15 minutes.';
comment on column public.api_keys.is_active is 'Whether the key is accepted; keys are switched off rather than deleted.';
comment on column public.api_keys.created_by is 'Agent who made the key; null if unknown or removed since.';
comment on column public.api_keys.last_used_at is 'When the key was last presented; null if never. Set by the application.';
comment on column public.api_keys.usage_count is 'How often the key was presented; counted by the application.';
comment on column public.api_keys.created_at is 'When the key was made; imported rows keep the time MongoDB recorded.';
comment on column public.api_keys.updated_at is 'When the row last changed; set by a trigger on every update.';

create index idx_api_keys_created_by on public.api_keys using btree (created_by);

alter table public.api_keys add constraint api_keys_created_by_fkey foreign key (created_by) references public.agents(id) on delete set null;
