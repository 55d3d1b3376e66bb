create table public.campaigns (
  id uuid default gen_random_uuid() not null,
  name character varying(255) not null,
  description text,
  customer_id uuid not null,
  payment_record_id uuid,
  status character varying(20) not null,
  escalation_steps jsonb not null,
  current_step integer default 0 not null,
  start_date timestamp without time zone not null,
  end_date timestamp without time zone,
  paused_until timestamp without time zone,
  results jsonb,
  config jsonb,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint campaigns_pkey primary key (id),
  constraint campaigns_status_check check (((status)::text = any (array['draft'::character varying, 'active'::character varying, 'paused'::character varying, 'completed'::character varying, 'cancelled'::character varying])))
);

comment on table public.campaigns is 'Escalations of a customer, usually about one invoice: the steps and how far they got.';
comment on column public.campaigns.id is 'Surrogate key, generated when not given.';
comment on column public.campaigns.name is 'Name shown to staff.';
comment on column public.campaigns.description is 'What the campaign is for.';
comment on column public.campaigns.customer_id is 'The customer escalated; the campaign goes when the customer row is deleted.';
comment on column public.campaigns.payment_record_id is 'The invoice escalated; NULL for a campaign about no single invoice, or after the invoice was deleted.';
comment on column public.campaigns.status is 'State of the campaign; active and paused ones are the open ones.';
comment on column public.campaigns.escalation_steps is 'The steps in order, a JSON array of objects such as {channel, template, delayDays}.';
comment on column public.campaigns.current_step is 'Index of the current step in escalation_steps, counted from 0.';
comment on column public.campaigns.start_date is 'When the first step may run, UTC.';
comment on column public.campaigns.end_date is 'When the campaign ended or is to end, UTC; NULL: open end.';
comment on column public.campaigns.paused_until is 'When a paused campaign goes on, UTC; NULL: until somebody resumes it.';
comment on column public.campaigns.results is 'Figures of the campaign as written by the application; v_campaign_effectiveness counts from the rows.';
comment on column public.campaigns.config is 'Settings of this campaign, such as limits of contacts a day.';
comment on column public.campaigns.created_at is 'When the row was inserted, UTC.';
comment on column public.campaigns.updated_at is 'When the row was last updated, UTC; set by trigger.';

create index idx_campaigns_customer_id on public.campaigns using btree (customer_id);
create index idx_campaigns_payment_record_id on public.campaigns using btree (payment_record_id);
create index idx_campaigns_start_date on public.campaigns using btree (start_date);
create index idx_campaigns_status on public.campaigns using btree (status);

alter table public.campaigns add constraint campaigns_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
alter table public.campaigns add constraint campaigns_payment_record_id_fkey foreign key (payment_record_id) references public.payment_records(id) on delete set null;
