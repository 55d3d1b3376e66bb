create table public.users (
  id uuid default public.uuid_generate_v4() not null,
  email character varying(255) not null,
  password_hash character varying(255) not null,
  name character varying(100) not null,
  role integer not null,
  status integer default 1 not null,
  created_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  last_login_at timestamp without time zone,
  constraint users_pkey primary key (id),
  constraint uq_users_email unique (email),
  constraint users_role_check check ((role = any (array[1, 2, 3]))),
  constraint users_status_check check ((status = any (array[1, 2, 3])))
);

comment on table public.users is 'Accounts of the people who work with the application: dispatchers, managers, administrators.';
comment on column public.users.id is 'Surrogate key, random (version 4) unless the application gives one; audit_logs.user_id holds it.';
comment on column public.users.email is 'Sign-in name and natural key; unique as written, upper and lower case differ.';
comment on column public.users.password_hash is 'Salted hash of the password, never the password; a value that is no hash (such as !disabled) lets nobody in.';
comment on column public.users.name is 'Name shown to colleagues.';
comment on column public.users.role is '1=Dispatcher, 2=Manager, 3=Admin.';
comment on column public.users.status is '1=Active, 2=Inactive, 3=Locked.';
comment on column public.users.created_at is 'When the account was stored, UTC.';
comment on column public.users.updated_at is 'When the row was last changed, UTC; set by trg_users_updated_at.';
comment on column public.users.last_login_at is 'Last successful sign-in, UTC; NULL before the first. Set by the application.';

create unique index idx_users_email on public.users using btree (email);
create index idx_users_role on public.users using btree (role);
create index idx_users_status on public.users using btree (status);
