create table public.customers (
  id uuid default gen_random_uuid() not null,
  company_name character varying(255) not null,
  contact_name character varying(255) not null,
  email character varying(255) not null,
  phone character varying(50),
  mobile character varying(50),
  address jsonb,
  preferred_contact_method character varying(20),
  tags text[],
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  deleted_at timestamp without time zone,
  constraint customers_pkey primary key (id),
  constraint customers_email_key unique (email),
  constraint customers_preferred_contact_method_check check (((preferred_contact_method)::text = any (array['email'::character varying, 'phone'::character varying, 'sms'::character varying])))
);

comment on table public.customers is 'Companies that are contacted about their invoices. Delete softly through deleted_at: a real delete cascades into invoices, contact attempts and opt-outs, which are evidence of lawful contact.';
comment on column public.customers.id is 'Surrogate key, generated when not given.';
comment on column public.customers.company_name is 'Name of the company that owes.';
comment on column public.customers.contact_name is 'Person at the company to write to or ask for.';
comment on column public.customers.email is 'Address for e-mails; unique as spelled (case counts), and still taken after a soft delete.';
comment on column public.customers.phone is 'Landline or switchboard number for calls, as entered.';
comment on column public.customers.mobile is 'Mobile number for calls and text messages, as entered.';
comment on column public.customers.address is 'Postal address: {street, city, state, zipCode, country}.';
comment on column public.customers.preferred_contact_method is 'Channel the customer asked for; NULL when no preference is known.';
comment on column public.customers.tags is 'Free labels for grouping and filtering.';
comment on column public.customers.created_at is 'When the row was inserted, UTC.';
comment on column public.customers.updated_at is 'When the row was last updated, UTC; set by trigger.';
comment on column public.customers.deleted_at is 'When the customer was deleted softly, UTC; NULL while active. Deleted customers leave the work lists and stay in the history.';

create index idx_customers_company_name on public.customers using btree (company_name);
create index idx_customers_deleted_at on public.customers using btree (deleted_at) where (deleted_at is null);
create index idx_customers_email on public.customers using btree (email);
