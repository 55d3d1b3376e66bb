-- The parties every later table refers to: who owes (customers and their profiles),
-- what is owed (payment_records) and who does the work (agents).
--
-- All times are TIMESTAMP without time zone and mean UTC. A bare now() would be turned into
-- the local time of whichever session runs it, so defaults and triggers name UTC themselves.

create function update_updated_at_column() returns trigger
language plpgsql
as $$
begin
  new.updated_at := now() at time zone 'UTC';
  return new;
end
$$;

comment on function update_updated_at_column() is
  'Trigger function: sets updated_at to the start of the current transaction, in UTC whatever the time zone of the session.';

create table customers (
  id uuid not null default gen_random_uuid(),
  company_name varchar(255) not null,
  contact_name varchar(255) not null,
  email varchar(255) not null,
  phone varchar(50),
  mobile varchar(50),
  address jsonb,
  preferred_contact_method varchar(20),
  tags text[],
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  deleted_at timestamp,
  constraint customers_pkey primary key (id),
  constraint customers_email_key unique (email),
  constraint customers_preferred_contact_method_check
    check (preferred_contact_method in ('email', 'phone', 'sms'))
);

create index idx_customers_email on customers (email);
create index idx_customers_company_name on customers (company_name);
create index idx_customers_deleted_at on customers (deleted_at) where deleted_at is null;

comment on table customers is
  'Companies that are contacted about their invoices. Delete softly through deleted_at: a real delete cascades into invoices, contact attempts and opt-outs, which are evidence of lawful contact.';
comment on column customers.id is 'Surrogate key, generated when not given.';
comment on column customers.company_name is 'Name of the company that owes.';
comment on column customers.contact_name is 'Person at the company to write to or ask for.';
comment on column customers.email is
  'Address for e-mails; unique as spelled (case counts), and still taken after a soft delete.';
comment on column customers.phone is 'Landline or switchboard number for calls, as entered.';
comment on column customers.mobile is 'Mobile number for calls and text messages, as entered.';
comment on column customers.address is 'Postal address: {street, city, state, zipCode, country}.';
comment on column customers.preferred_contact_method is
  'Channel the customer asked for; NULL when no preference is known.';
comment on column customers.tags is 'Free labels for grouping and filtering.';
comment on column customers.created_at is 'When the row was inserted, UTC.';
comment on column customers.updated_at is 'When the row was last updated, UTC; set by trigger.';
comment on column customers.deleted_at is
  'When the customer was deleted softly, UTC; NULL while active. Deleted customers leave the work lists and stay in the history.';

create table customer_profiles (
  id uuid not null default gen_random_uuid(),
  customer_id uuid not null,
  risk_level varchar(20),
  risk_score numeric(5, 2),
  average_payment_delay integer,
  response_rate numeric(3, 2),
  preferred_contact_time_start time,
  preferred_contact_time_end time,
  timezone varchar(50),
  communication_style varchar(20),
  do_not_contact boolean default false,
  contact_restrictions text[],
  notes text[],
  last_contact_date timestamp,
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  constraint customer_profiles_pkey primary key (id),
  -- A second profile of a customer would double its rows in every join.
  constraint customer_profiles_customer_id_key unique (customer_id),
  constraint customer_profiles_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint customer_profiles_risk_level_check
    check (risk_level in ('low', 'medium', 'high', 'critical')),
  constraint customer_profiles_risk_score_check check (risk_score between 0 and 100),
  constraint customer_profiles_response_rate_check check (response_rate between 0 and 1),
  constraint customer_profiles_communication_style_check
    check (communication_style in ('formal', 'casual', 'direct', 'diplomatic'))
);

-- Every foreign key is to have an index under its own name, this one too, although the
-- unique constraint would serve the same look-ups.
create index idx_customer_profiles_customer_id on customer_profiles (customer_id);

comment on table customer_profiles is
  'What is known about how a customer pays and communicates; at most one profile a customer.';
comment on column customer_profiles.id is 'Surrogate key, generated when not given.';
comment on column customer_profiles.customer_id is
  'The customer described; the profile goes when the customer row is deleted.';
comment on column customer_profiles.risk_level is
  'Risk class of the customer, kept by the application; NULL until assessed.';
comment on column customer_profiles.risk_score is
  'Risk from 0 (none) to 100, as last stored by the application; calculate_customer_risk_score() gives the current one.';
comment on column customer_profiles.average_payment_delay is
  'Average delay of payments in days; stands in where no invoice shows a delay.';
comment on column customer_profiles.response_rate is
  'Share of contact attempts that were answered, 0 to 1; stands in where no attempt is recorded.';
comment on column customer_profiles.preferred_contact_time_start is
  'Start of the hours in which contact is welcome, local time of the customer (timezone).';
comment on column customer_profiles.preferred_contact_time_end is
  'End of the hours in which contact is welcome, local time of the customer (timezone).';
comment on column customer_profiles.timezone is 'IANA time zone of the customer, such as America/Chicago.';
comment on column customer_profiles.communication_style is 'Tone to write and speak in.';
comment on column customer_profiles.do_not_contact is
  'TRUE: opted out of every channel for good; check_opt_out_status() obeys it.';
comment on column customer_profiles.contact_restrictions is
  'Channels better avoided; advice only, check_opt_out_status() does not read it.';
comment on column customer_profiles.notes is 'Remarks of agents and staff, one an element.';
comment on column customer_profiles.last_contact_date is 'When the customer was last contacted, UTC.';
comment on column customer_profiles.created_at is 'When the row was inserted, UTC.';
comment on column customer_profiles.updated_at is 'When the row was last updated, UTC; set by trigger.';

create table payment_records (
  id uuid not null default gen_random_uuid(),
  customer_id uuid not null,
  amount numeric(12, 2) not null,
  currency varchar(3) not null default 'USD',
  due_date date not null,
  paid_date date,
  status varchar(20) not null,
  invoice_number varchar(100) not null,
  description text,
  metadata jsonb,
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  constraint payment_records_pkey primary key (id),
  constraint payment_records_invoice_number_key unique (invoice_number),
  constraint payment_records_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint payment_records_status_check
    check (status in ('pending', 'overdue', 'paid', 'partial', 'cancelled'))
);

create index idx_payment_records_customer_id on payment_records (customer_id);
create index idx_payment_records_status on payment_records (status);
create index idx_payment_records_due_date on payment_records (due_date);
create index idx_payment_records_invoice_number on payment_records (invoice_number);

comment on table payment_records is 'Invoices and what became of them; one row an invoice.';
comment on column payment_records.id is 'Surrogate key, generated when not given.';
comment on column payment_records.customer_id is
  'Who owes; the invoice goes when the customer row is deleted.';
comment on column payment_records.amount is
  'Amount of the whole invoice in units of currency. Partial payments are not recorded: it does not shrink.';
comment on column payment_records.currency is 'ISO 4217 code of the currency of amount.';
comment on column payment_records.due_date is 'Last day on which payment is in time.';
comment on column payment_records.paid_date is 'Day of the payment; NULL while unpaid.';
comment on column payment_records.status is
  'State of the invoice. A pending invoice past its due_date counts as overdue in views and functions, relabelled or not.';
comment on column payment_records.invoice_number is 'Number printed on the invoice; unique.';
comment on column payment_records.description is 'What was invoiced.';
comment on column payment_records.metadata is 'Further details of the invoice, such as purchase order or dispute.';
comment on column payment_records.created_at is 'When the row was inserted, UTC.';
comment on column payment_records.updated_at is 'When the row was last updated, UTC; set by trigger.';

create table agents (
  id uuid not null default gen_random_uuid(),
  type varchar(20) not null,
  status varchar(20) not null,
  capabilities text[] not null,
  current_task_count integer default 0,
  max_concurrent_tasks integer not null default 5,
  working_hours_start time,
  working_hours_end time,
  timezone varchar(50) default 'UTC',
  config jsonb,
  performance_metrics jsonb,
  created_at timestamp not null default (now() at time zone 'UTC'),
  updated_at timestamp not null default (now() at time zone 'UTC'),
  last_active_at timestamp,
  constraint agents_pkey primary key (id),
  constraint agents_type_check check (type in ('email', 'phone', 'sms', 'research')),
  constraint agents_status_check check (status in ('idle', 'active', 'busy', 'error', 'offline'))
);

create index idx_agents_type on agents (type);
create index idx_agents_status on agents (status);

comment on table agents is
  'Workers that carry out tasks. Retire one by setting it offline: deleting it would delete its contact attempts.';
comment on column agents.id is 'Surrogate key, generated when not given.';
comment on column agents.type is 'Kind of work the agent does.';
comment on column agents.status is 'Availability of the agent, kept by the agent itself.';
comment on column agents.capabilities is 'What the agent can do, as names the dispatcher matches.';
comment on column agents.current_task_count is 'Tasks the agent holds at the moment, kept by the dispatcher.';
comment on column agents.max_concurrent_tasks is 'Tasks the agent may hold at once.';
comment on column agents.working_hours_start is
  'Start of the working day, local time of the agent (timezone); NULL: no restriction.';
comment on column agents.working_hours_end is
  'End of the working day, local time of the agent (timezone); NULL: no restriction.';
comment on column agents.timezone is 'IANA time zone of the working hours.';
comment on column agents.config is
  'Settings of the agent by type, such as smtpHost of an e-mail agent. Holds no secrets.';
comment on column agents.performance_metrics is
  'Figures the agent reports, keys in camelCase: tasksCompleted, successRate, avgResponseTime.';
comment on column agents.created_at is 'When the row was inserted, UTC.';
comment on column agents.updated_at is 'When the row was last updated, UTC; set by trigger.';
comment on column agents.last_active_at is 'When the agent last reported, UTC.';

create trigger update_customers_updated_at
  before update on customers
  for each row execute function update_updated_at_column();
create trigger update_customer_profiles_updated_at
  before update on customer_profiles
  for each row execute function update_updated_at_column();
create trigger update_payment_records_updated_at
  before update on payment_records
  for each row execute function update_updated_at_column();
create trigger update_agents_updated_at
  before update on agents
  for each row execute function update_updated_at_column();

comment on trigger update_customers_updated_at on customers is 'Keeps updated_at.';
comment on trigger update_customer_profiles_updated_at on customer_profiles is 'Keeps updated_at.';
comment on trigger update_payment_records_updated_at on payment_records is 'Keeps updated_at.';
comment on trigger update_agents_updated_at on agents is 'Keeps updated_at.';
