create table public.customers (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  name text not null,
  phone text not null,
  email text,
  address text,
  preferences_preferred_times text[] default '{}'::text[] not null,
  preferences_preferred_days text[] default '{}'::text[] not null,
  preferences_delivery_instructions text,
  preferences_contact_method text default 'call'::text not null,
  preferences_language text default 'en'::text not null,
  preferences_timezone text default 'America/New_York'::text not null,
  total_deliveries integer default 0 not null,
  successful_deliveries integer default 0 not null,
  last_delivery_date timestamp with time zone,
  customer_rating numeric,
  created_at timestamp with time zone default current_timestamp not null,
  updated_at timestamp with time zone default current_timestamp not null,
  constraint customers_pkey primary key (id),
  constraint customers_mongo_id_key unique (mongo_id),
  constraint customers_phone_key unique (phone),
  constraint customers_customer_rating_check check (((customer_rating >= (1)::numeric) and (customer_rating <= (5)::numeric))),
  constraint customers_name_check check ((name <> ''::text)),
  constraint customers_phone_check check ((phone <> ''::text)),
  constraint customers_preferences_contact_method_check check ((preferences_contact_method = any (array['call'::text, 'sms'::text, 'both'::text])))
);

comment on table public.customers is 'Recipients of deliveries: how to reach them, when and how they want to be called, and their record so far.';
comment on column public.customers.id is 'Key of the customer; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.customers.mongo_id is 'The _id the customer had in MongoDB; null for customers created since.';
comment on column public.customers.name is 'Full name of the customer.';
comment on column public.customers.phone is 'Number the customer is called on, unique among customers; E.164 by convention.';
comment on column public.customers.email is 'Mail address, if known; a household may share one, so it is not unique.';
comment on column public.customers.address is 'Usual address as one line of text, if known; a delivery carries the address it actually goes to.';
comment on column public.customers.preferences_preferred_times is 'Times of day that suit the customer, as HH:MM-HH:MM in preferences_timezone; empty means any.';
comment on column public.customers.preferences_preferred_days is 'Weekdays that suit the customer, lower-case English names; empty means any.';
comment on column public.customers.preferences_delivery_instructions is 'Standing instructions for every delivery, in the customer''s words.';
comment on column public.customers.preferences_contact_method is 'How the customer wants to be contacted: call, sms, or both.';
comment on column public.customers.preferences_language is 'Language to speak and write to the customer in, as an ISO 639-1 code.';
comment on column public.customers.preferences_timezone is 'IANA time zone in which the preferred times are meant.';
comment on column public.customers.total_deliveries is 'Deliveries to this customer that came to an end; counted by the application.';
comment on column public.customers.successful_deliveries is 'Deliveries among them that succeeded; counted by the application.';
comment on column public.customers.last_delivery_date is 'When the customer last received a delivery; null before the first. Set by the application.';
comment on column public.customers.customer_rating is 'How agents rate the customer, 1 (worst) to 5 (best), fractions allowed; null until rated.';
comment on column public.customers.created_at is 'When the customer was created; imported rows keep the time MongoDB recorded.';
comment on column public.customers.updated_at is 'When the row last changed; set by a trigger on every update.';

create index idx_customers_email on public.customers using btree (email);
create index idx_customers_last_delivery_date on public.customers using btree (last_delivery_date desc nulls last);
create index idx_customers_preferred_days on public.customers using gin (preferences_preferred_days);
create index idx_customers_total_deliveries on public.customers using btree (total_deliveries desc);
