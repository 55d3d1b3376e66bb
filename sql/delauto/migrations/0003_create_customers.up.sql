-- Customers with the preferences that decide when and how they are called. Their call history refers to calls and
-- therefore follows after the calls.

create table customers (
  id uuid default gen_random_uuid() not null,
  mongo_id varchar(24),
  name text not null,
  phone text not null,
  email text,
  address text,
  preferences_preferred_times text[] default '{}' not null,
  preferences_preferred_days text[] default '{}' not null,
  preferences_delivery_instructions text,
  preferences_contact_method text default 'call' not null,
  preferences_language text default 'en' not null,
  preferences_timezone text default 'America/New_York' not null,
  total_deliveries integer default 0 not null,
  successful_deliveries integer default 0 not null,
  last_delivery_date timestamptz,
  customer_rating numeric,
  created_at timestamptz default current_timestamp not null,
  updated_at timestamptz default current_timestamp not null,

  constraint customers_pkey primary key (id),
  constraint customers_mongo_id_key unique (mongo_id),
  constraint customers_phone_key unique (phone),
  constraint customers_name_check check (name <> ''),
  constraint customers_phone_check check (phone <> ''),
  constraint customers_preferences_contact_method_check
    check (preferences_contact_method in ('call', 'sms', 'both')),
  constraint customers_customer_rating_check check (customer_rating between 1 and 5)
);

create index idx_customers_email on customers (email);
-- One entry a day, as the multikey index had it: finds the customers whose list contains a given day (@>).
create index idx_customers_preferred_days on customers using gin (preferences_preferred_days);
create index idx_customers_total_deliveries on customers (total_deliveries desc);
-- MongoDB sorts a missing date below every date, so a descending list ends with it.
create index idx_customers_last_delivery_date on customers (last_delivery_date desc nulls last);

comment on table customers is
  'Recipients of deliveries: how to reach them, when and how they want to be called, and their record so far.';
comment on column customers.id is
  'Key of the customer; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column customers.mongo_id is 'The _id the customer had in MongoDB; null for customers created since.';
comment on column customers.name is 'Full name of the customer.';
comment on column customers.phone is 'Number the customer is called on, unique among customers; E.164 by convention.';
comment on column customers.email is 'Mail address, if known; a household may share one, so it is not unique.';
comment on column customers.address is
  'Usual address as one line of text, if known; a delivery carries the address it actually goes to.';
comment on column customers.preferences_preferred_times is
  'Times of day that suit the customer, as HH:MM-HH:MM in preferences_timezone; empty means any.';
comment on column customers.preferences_preferred_days is
  'Weekdays that suit the customer, lower-case English names; empty means any.';
comment on column customers.preferences_delivery_instructions is
  'Standing instructions for every delivery, in the customer''s words.';
comment on column customers.preferences_contact_method is 'How the customer wants to be contacted: call, sms, or both.';
comment on column customers.preferences_language is
  'Language to speak and write to the customer in, as an ISO 639-1 code.';
comment on column customers.preferences_timezone is 'IANA time zone in which the preferred times are meant.';
comment on column customers.total_deliveries is
  'Deliveries to this customer that came to an end; counted by the application.';
comment on column customers.successful_deliveries is
  'Deliveries among them that succeeded; counted by the application.';
comment on column customers.last_delivery_date is
  'When the customer last received a delivery; null before the first. Set by the application.';
comment on column customers.customer_rating is
  'How agents rate the customer, 1 (worst) to 5 (best), fractions allowed; null until rated.';
comment on column customers.created_at is
  'When the customer was created; imported rows keep the time MongoDB recorded.';
comment on column customers.updated_at is 'When the row last changed; set by a trigger on every update.';
