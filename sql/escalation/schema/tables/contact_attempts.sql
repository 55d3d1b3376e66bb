create table public.contact_attempts (
  id uuid default gen_random_uuid() not null,
  task_id uuid not null,
  agent_id uuid not null,
  customer_id uuid not null,
  campaign_id uuid,
  channel character varying(20) not null,
  status character varying(20) not null,
  "timestamp" timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  duration integer,
  response text,
  metadata jsonb,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint contact_attempts_pkey primary key (id),
  constraint contact_attempts_channel_check check (((channel)::text = any (array['email'::character varying, 'phone'::character varying, 'sms'::character varying]))),
  constraint contact_attempts_status_check check (((status)::text = any (array['sent'::character varying, 'delivered'::character varying, 'opened'::character varying, 'answered'::character varying, 'replied'::character varying, 'bounced'::character varying, 'failed'::character varying])))
);

comment on table public.contact_attempts is 'Every try to reach a customer, one row an e-mail, call or text message. Rows are added and, as delivery reports come in, their status moves on.';
comment on column public.contact_attempts.id is 'Surrogate key, generated when not given.';
comment on column public.contact_attempts.task_id is 'The task it was made for; the attempt goes when the task is deleted.';
comment on column public.contact_attempts.agent_id is 'Who made it; the attempt goes when the agent row is deleted.';
comment on column public.contact_attempts.customer_id is 'Who was contacted; the attempt goes when the customer row is deleted.';
comment on column public.contact_attempts.campaign_id is 'The campaign it was part of; NULL for none, or after the campaign was deleted.';
comment on column public.contact_attempts.channel is 'How the customer was contacted.';
comment on column public.contact_attempts.status is 'What became of it. Answered (calls) and replied (messages) count as responses of the customer.';
comment on column public.contact_attempts."timestamp" is 'When the customer was contacted, UTC.';
comment on column public.contact_attempts.duration is 'Length of a call in seconds; NULL on other channels.';
comment on column public.contact_attempts.response is 'What the customer answered, if anything.';
comment on column public.contact_attempts.metadata is 'Identifiers at the carrier of the message by channel, such as emailId, callSid or smsId.';
comment on column public.contact_attempts.created_at is 'When the row was inserted, UTC.';

create index idx_contact_attempts_agent_id on public.contact_attempts using btree (agent_id);
create index idx_contact_attempts_agent_status on public.contact_attempts using btree (agent_id, status);

comment on index public.idx_contact_attempts_agent_status is 'Covers v_agent_performance.';

create index idx_contact_attempts_campaign_id on public.contact_attempts using btree (campaign_id);
create index idx_contact_attempts_channel on public.contact_attempts using btree (channel);
create index idx_contact_attempts_customer_id on public.contact_attempts using btree (customer_id);
create index idx_contact_attempts_task_id on public.contact_attempts using btree (task_id);
create index idx_contact_attempts_timestamp on public.contact_attempts using btree ("timestamp");

alter table public.contact_attempts add constraint contact_attempts_agent_id_fkey foreign key (agent_id) references public.agents(id) on delete cascade;
alter table public.contact_attempts add constraint contact_attempts_campaign_id_fkey foreign key (campaign_id) references public.campaigns(id) on delete set null;
alter table public.contact_attempts add constraint contact_attempts_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
alter table public.contact_attempts add constraint contact_attempts_task_id_fkey foreign key (task_id) references public.tasks(id) on delete cascade;
