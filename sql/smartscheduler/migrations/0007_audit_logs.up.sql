-- The trail of changes. The application writes it, because only the application knows the user and the
-- address behind a change; a trigger here would add a second, poorer row for each of them.

create table audit_logs (
  id bigserial,
  entity_type varchar(50) not null,
  entity_id uuid not null,
  action varchar(20) not null,
  user_id uuid,
  changes jsonb,
  "timestamp" timestamp not null default (current_timestamp at time zone 'UTC'),
  ip_address inet,

  constraint audit_logs_pkey primary key (id),
  constraint audit_logs_action_check check (action in ('INSERT', 'UPDATE', 'DELETE'))
);

create index idx_audit_entity on audit_logs (entity_type, entity_id);
create index idx_audit_user on audit_logs (user_id);
create index idx_audit_timestamp on audit_logs ("timestamp");

comment on table audit_logs is
  'Who changed what and when, for compliance and for finding mistakes. Written by the application; rows are added, never changed.';
comment on column audit_logs.id is 'Sequence number; later rows have higher ones.';
comment on column audit_logs.entity_type is 'Table of the changed row, for example jobs.';
comment on column audit_logs.entity_id is 'Id of the changed row; no foreign key, so that the trail outlives the row.';
comment on column audit_logs.action is 'What was done: INSERT, UPDATE, DELETE.';
comment on column audit_logs.user_id is 'users.id of who did it; NULL for the system itself. No foreign key, so that the trail outlives the account.';
comment on column audit_logs.changes is 'Changed columns with their old and new values; NULL when none were recorded. No password hashes.';
comment on column audit_logs."timestamp" is 'When it was done, UTC.';
comment on column audit_logs.ip_address is 'Address the request came from; NULL when there was none.';
