create table public.payment_records (
  id uuid default gen_random_uuid() not null,
  customer_id uuid not null,
  amount numeric(12,2) not null,
  currency character varying(3) default 'USD'::character varying not null,
  due_date date not null,
  paid_date date,
  status character varying(20) not null,
  invoice_number character varying(100) not null,
  description text,
  metadata jsonb,
  created_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (now() at time zone 'UTC'::text) not null,
  constraint payment_records_pkey primary key (id),
  constraint payment_records_invoice_number_key unique (invoice_number),
  constraint payment_records_status_check check (((status)::text = any (array['pending'::character varying, 'overdue'::character varying, 'paid'::character varying, 'partial'::character varying, 'cancelled'::character varying])))
);

comment on table public.payment_records is 'Invoices and what became of them; one row an invoice.';
comment on column public.payment_records.id is 'Surrogate key, generated when not given.';
comment on column public.payment_records.customer_id is 'Who owes; the invoice goes when the customer row is deleted.';
comment on column public.payment_records.amount is 'Amount of the whole invoice in units of currency. Partial payments are not recorded: it does not shrink.';
comment on column public.payment_records.currency is 'ISO 4217 code of the currency of amount.';
comment on column public.payment_records.due_date is 'Last day on which payment is in time.';
comment on column public.payment_records.paid_date is 'Day of the payment; NULL while unpaid.';
comment on column public.payment_records.status is 'State of the invoice. A pending invoice past its due_date counts as overdue in views and functions, relabelled or not.';
comment on column public.payment_records.invoice_number is 'Number printed on the invoice; unique.';
comment on column public.payment_records.description is 'What was invoiced.';
comment on column public.payment_records.metadata is 'Further details of the invoice, such as purchase order or dispute.';
comment on column public.payment_records.created_at is 'When the row was inserted, UTC.';
comment on column public.payment_records.updated_at is 'When the row was last updated, UTC; set by trigger.';

create index idx_payment_records_customer_id on public.payment_records using btree (customer_id);
create index idx_payment_records_due_date on public.payment_records using btree (due_date);
create index idx_payment_records_invoice_number on public.payment_records using btree (invoice_number);
create index idx_payment_records_status on public.payment_records using btree (status);

alter table public.payment_records add constraint payment_records_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
