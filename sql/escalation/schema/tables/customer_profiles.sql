create table public.customer_profiles (
  id uuid default gen_random_uuid() not null,
  customer_id uuid not null,
  risk_level character varying(20),
  risk_score numeric(5,2),
  average_payment_delay integer,
  response_rate numeric(3,2),
  preferred_contact_time_start time without time zone,
  preferred_contact_time_end time without time zone,
  timezone character varying(50),
  communication_style character varying(20),
  do_not_contact boolean default false,
  contact_restrictions text[],
  notes text[],
  last_contact_date timestamp without time zone,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint customer_profiles_pkey primary key (id),
  constraint customer_profiles_customer_id_key unique (customer_id),
  constraint customer_profiles_communication_style_check check (((communication_style)::text = any (array['formal'::character varying, 'casual'::character varying, 'direct'::character varying, 'diplomatic'::character varying]))),
  constraint customer_profiles_response_rate_check check (((response_rate >= (0)::numeric) and (response_rate <= (1)::numeric))),
  constraint customer_profiles_risk_level_check check (((risk_level)::text = any (array['low'::character varying, 'medium'::character varying, 'high'::character varying, 'critical'::character varying]))),
  constraint customer_profiles_risk_score_check check (((risk_score >= (0)::numeric) and (risk_score <= (100)::numeric)))
);

comment on table public.customer_profiles is 'What is known about how a customer pays and communicates; at most one profile a customer.';
comment on column public.customer_profiles.id is 'Surrogate key, generated when not given.';
comment on column public.customer_profiles.customer_id is 'The customer described; the profile goes when the customer row is deleted.';
comment on column public.customer_profiles.risk_level is 'Risk class of the customer, kept by the application; NULL until assessed.';
comment on column public.customer_profiles.risk_score is 'Risk from 0 (none) to 100, as last stored by the application; calculate_customer_risk_score() gives the current one.';
comment on column public.customer_profiles.average_payment_delay is 'Average delay of payments in days; stands in where no invoice shows a delay.';
comment on column public.customer_profiles.response_rate is 'Share of contact attempts that were answered, 0 to 1; stands in where no attempt is recorded.';
comment on column public.customer_profiles.preferred_contact_time_start is 'Start of the hours in which contact is welcome, local time of the customer (timezone).';
comment on column public.customer_profiles.preferred_contact_time_end is 'End of the hours in which contact is welcome, local time of the customer (timezone).';
comment on column public.customer_profiles.timezone is 'IANA time zone of the customer, such as America/Chicago.';
comment on column public.customer_profiles.communication_style is 'Tone to write and speak in.';
comment on column public.customer_profiles.do_not_contact is 'TRUE: opted out of every channel for good; check_opt_out_status() obeys it.';
comment on column public.customer_profiles.contact_restrictions is 'Channels better avoided; advice only, check_opt_out_status() does not read it.';
comment on column public.customer_profiles.notes is 'Remarks of agents and staff, one an element.';
comment on column public.customer_profiles.last_contact_date is 'When the customer was last contacted, UTC.';
comment on column public.customer_profiles.created_at is 'When the row was inserted, UTC.';
comment on column public.customer_profiles.updated_at is 'When the row was last updated, UTC; set by trigger.';

create index idx_customer_profiles_customer_id on public.customer_profiles using btree (customer_id);

alter table public.customer_profiles add constraint customer_profiles_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
