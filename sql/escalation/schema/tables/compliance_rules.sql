create table public.compliance_rules (
  id uuid default gen_random_uuid() not null,
  name character varying(100) not null,
  description text,
  rule_type character varying(50) not null,
  condition jsonb not null,
  action character varying(50) not null,
  severity character varying(20),
  is_enabled boolean default true,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint compliance_rules_pkey primary key (id),
  constraint compliance_rules_name_key unique (name),
  constraint compliance_rules_action_check check (((action)::text = any (array['block_contact'::character varying, 'require_approval'::character varying, 'log_warning'::character varying, 'escalate'::character varying]))),
  constraint compliance_rules_severity_check check (((severity)::text = any (array['low'::character varying, 'medium'::character varying, 'high'::character varying, 'critical'::character varying])))
);

comment on table public.compliance_rules is 'Rules that a contact is checked against before it is made; the application evaluates them.';
comment on column public.compliance_rules.id is 'Surrogate key, generated when not given.';
comment on column public.compliance_rules.name is 'Name of the rule; unique.';
comment on column public.compliance_rules.description is 'What the rule demands and where it comes from.';
comment on column public.compliance_rules.rule_type is 'Kind of rule, such as time_restriction, frequency_limit or channel_restriction; an open list.';
comment on column public.compliance_rules.condition is 'When the rule applies; the shape depends on rule_type.';
comment on column public.compliance_rules.action is 'What happens to a contact that meets the condition.';
comment on column public.compliance_rules.severity is 'Weight of a violation; NULL: not rated.';
comment on column public.compliance_rules.is_enabled is 'FALSE: the rule is not applied.';
comment on column public.compliance_rules.created_at is 'When the row was inserted, UTC.';
comment on column public.compliance_rules.updated_at is 'When the row was last updated, UTC; set by trigger.';
