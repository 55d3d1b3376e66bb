create table public.opt_outs (
  id uuid default gen_random_uuid() not null,
  customer_id uuid not null,
  channel character varying(20) not null,
  reason text,
  opted_out_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  expires_at timestamp without time zone,
  metadata jsonb,
  constraint opt_outs_pkey primary key (id),
  constraint opt_outs_customer_id_channel_key unique (customer_id, channel),
  constraint opt_outs_channel_check check (((channel)::text = any (array['email'::character varying, 'phone'::character varying, 'sms'::character varying, 'all'::character varying])))
);

comment on table public.opt_outs is 'Channels on which a customer must not be contacted; at most one row a customer and channel. Ask check_opt_out_status() rather than this table.';
comment on column public.opt_outs.id is 'Surrogate key, generated when not given.';
comment on column public.opt_outs.customer_id is 'Who opted out; the row goes when the customer row is deleted.';
comment on column public.opt_outs.channel is 'The channel; all stands for every one.';
comment on column public.opt_outs.reason is 'What the customer gave as reason.';
comment on column public.opt_outs.opted_out_at is 'When the customer opted out, UTC.';
comment on column public.opt_outs.expires_at is 'When a temporary opt-out ends, UTC; NULL: it does not end.';
comment on column public.opt_outs.metadata is 'How it was received, such as the message or call it came with.';

create index idx_opt_outs_customer_id on public.opt_outs using btree (customer_id);

alter table public.opt_outs add constraint opt_outs_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
