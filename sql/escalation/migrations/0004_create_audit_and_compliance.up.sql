-- What has to be shown to a regulator: who did what, who must not be contacted, and the rules
-- that contacts are checked against.

create table audit_logs (
  id uuid not null default gen_random_uuid(),
  entity_type varchar(50) not null,
  entity_id uuid not null,
  action varchar(50) not null,
  actor_type varchar(50),
  actor_id varchar(100),
  changes jsonb,
  metadata jsonb,
  ip_address inet,
  user_agent text,
  "timestamp" timestamp not null default (now() at time zone 'UTC'),
  constraint audit_logs_pkey primary key (id),
  constraint audit_logs_actor_type_check check (actor_type in ('agent', 'user', 'system'))
);

create index idx_audit_logs_entity_type_id on audit_logs (entity_type, entity_id);
create index idx_audit_logs_timestamp on audit_logs ("timestamp");

comment on table audit_logs is
  'Append-only record of what happened to which row; triggers refuse UPDATE, DELETE and TRUNCATE. entity_id is no foreign key: an entry outlives what it is about.';
comment on column audit_logs.id is 'Surrogate key, generated when not given.';
comment on column audit_logs.entity_type is
  'Kind of the thing concerned, such as customer, campaign, task or agent; an open list.';
comment on column audit_logs.entity_id is 'Key of the thing concerned in the table of its kind.';
comment on column audit_logs.action is
  'What happened, such as created, updated, deleted or status_changed; an open list.';
comment on column audit_logs.actor_type is 'Who did it: an agent, a member of staff (user) or the system itself.';
comment on column audit_logs.actor_id is 'Name or key of the actor within its kind.';
comment on column audit_logs.changes is 'Values before and after: {before, after}.';
comment on column audit_logs.metadata is 'Further context, such as a reason or a request id.';
comment on column audit_logs.ip_address is 'Address the request came from.';
comment on column audit_logs.user_agent is 'Client software the request came from.';
comment on column audit_logs."timestamp" is 'When it happened, UTC.';

create function refuse_audit_logs_change() returns trigger
language plpgsql
as $$
begin
  raise exception '% on % is refused: the audit trail is append-only', tg_op, tg_table_name
    using errcode = 'restrict_violation',
      hint = 'Add an entry that corrects the earlier one.';
end
$$;

comment on function refuse_audit_logs_change() is
  'Trigger function: fails, so that entries of the audit trail can be added but neither changed nor removed.';

-- For each row, not for each statement: an INSERT ... ON CONFLICT DO UPDATE that changes nothing
-- fires the statement's UPDATE triggers all the same, and a repeated load must not fail.
create trigger refuse_audit_logs_update_or_delete
  before update or delete on audit_logs
  for each row execute function refuse_audit_logs_change();
create trigger refuse_audit_logs_truncate
  before truncate on audit_logs
  for each statement execute function refuse_audit_logs_change();

comment on trigger refuse_audit_logs_update_or_delete on audit_logs is 'Entries are never changed or removed.';
comment on trigger refuse_audit_logs_truncate on audit_logs is 'Entries are never removed all at once either.';

create table opt_outs (
  id uuid not null default gen_random_uuid(),
  customer_id uuid not null,
  channel varchar(20) not null,
  reason text,
  opted_out_at timestamp not null default (now() at time zone 'UTC'),
  expires_at timestamp,
  metadata jsonb,
  constraint opt_outs_pkey primary key (id),
  constraint opt_outs_customer_id_channel_key unique (customer_id, channel),
  constraint opt_outs_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint opt_outs_channel_check check (channel in ('email', 'phone', 'sms', 'all'))
);

create index idx_opt_outs_customer_id on opt_outs (customer_id);

comment on table opt_outs is
  'Channels on which a customer must not be contacted; at most one row a customer and channel. Ask check_opt_out_status() rather than this table.';
comment on column opt_outs.id is 'Surrogate key, generated when not given.';
comment on column opt_outs.customer_id is
  'Who opted out; the row goes when the customer row is deleted.';
comment on column opt_outs.channel is 'The channel; all stands for every one.';
comment on column opt_outs.reason is 'What the customer gave as reason.';
comment on column opt_outs.opted_out_at is 'When the customer opted out, UTC.';
comment on column opt_outs.expires_at is 'When a temporary opt-out ends, UTC; NULL: it does not end.';
comment on column opt_outs.metadata is 'How it was received, such as the message or call it came with.';

create table compliance_rules (
  id uuid not null default gen_random_uuid(),
  name varchar(100) not null,
  description text,
  rule_type varchar(50) not null,
  condition jsonb not null,
  action varchar(50) not null,
  severity varchar(20),
  is_enabled boolean default true,
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  constraint compliance_rules_pkey primary key (id),
  constraint compliance_rules_name_key unique (name),
  constraint compliance_rules_action_check
    check (action in ('block_contact', 'require_approval', 'log_warning', 'escalate')),
  constraint compliance_rules_severity_check
    check (severity in ('low', 'medium', 'high', 'critical'))
);

comment on table compliance_rules is 'Rules that a contact is checked against before it is made; the application evaluates them.';
comment on column compliance_rules.id is 'Surrogate key, generated when not given.';
comment on column compliance_rules.name is 'Name of the rule; unique.';
comment on column compliance_rules.description is 'What the rule demands and where it comes from.';
comment on column compliance_rules.rule_type is
  'Kind of rule, such as time_restriction, frequency_limit or channel_restriction; an open list.';
comment on column compliance_rules.condition is 'When the rule applies; the shape depends on rule_type.';
comment on column compliance_rules.action is 'What happens to a contact that meets the condition.';
comment on column compliance_rules.severity is 'Weight of a violation; NULL: not rated.';
comment on column compliance_rules.is_enabled is 'FALSE: the rule is not applied.';
comment on column compliance_rules.created_at is 'When the row was inserted, UTC.';
comment on column compliance_rules.updated_at is 'When the row was last updated, UTC; set by trigger.';

create trigger update_compliance_rules_updated_at
  before update on compliance_rules
  for each row execute function update_updated_at_column();

comment on trigger update_compliance_rules_updated_at on compliance_rules is 'Keeps updated_at.';
