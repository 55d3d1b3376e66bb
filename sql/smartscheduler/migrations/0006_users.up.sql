-- People who sign in. Nothing refers to them by a foreign key: audit rows have to outlive an account.

create table users (
  id uuid not null default uuid_generate_v4(),
  email varchar(255) not null,
  password_hash varchar(255) not null,
  name varchar(100) not null,
  role integer not null,
  status integer not null default 1,
  created_at timestamp not null default (current_timestamp at time zone 'UTC'),
  updated_at timestamp not null default (current_timestamp at time zone 'UTC'),
  last_login_at timestamp,

  constraint users_pkey primary key (id),
  constraint uq_users_email unique (email),
  constraint users_role_check check (role in (1, 2, 3)),
  constraint users_status_check check (status in (1, 2, 3))
);

create unique index idx_users_email on users (email);
create index idx_users_role on users (role);
create index idx_users_status on users (status);

create trigger trg_users_updated_at
  before update on users
  for each row execute function update_updated_at_column();

comment on table users is 'Accounts of the people who work with the application: dispatchers, managers, administrators.';
comment on column users.id is 'Surrogate key, random (version 4) unless the application gives one; audit_logs.user_id holds it.';
comment on column users.email is 'Sign-in name and natural key; unique as written, upper and lower case differ.';
comment on column users.password_hash is 'Salted hash of the password, never the password; a value that is no hash (such as !disabled) lets nobody in.';
comment on column users.name is 'Name shown to colleagues.';
comment on column users.role is '1=Dispatcher, 2=Manager, 3=Admin.';
comment on column users.status is '1=Active, 2=Inactive, 3=Locked.';
comment on column users.created_at is 'When the account was stored, UTC.';
comment on column users.updated_at is 'When the row was last changed, UTC; set by trg_users_updated_at.';
comment on column users.last_login_at is 'Last successful sign-in, UTC; NULL before the first. Set by the application.';

comment on trigger trg_users_updated_at on users is 'Keeps updated_at.';
