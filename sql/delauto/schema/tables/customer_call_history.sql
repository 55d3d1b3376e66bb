create table public.customer_call_history (
  customer_id uuid not null,
  "position" integer not null,
  call_log_id uuid,
  "timestamp" timestamp with time zone,
  status text,
  duration numeric,
  constraint customer_call_history_pkey primary key (customer_id, "position"),
  constraint customer_call_history_position_check check (("position" >= 0))
);

comment on table public.customer_call_history is 'The calls a customer had, in short; the call_history array of the document, a row an element.';
comment on column public.customer_call_history.customer_id is 'Customer the entry belongs to, and is deleted with.';
comment on column public.customer_call_history."position" is 'Place of the entry in its customer''s list, counted from 0.';
comment on column public.customer_call_history.call_log_id is 'The call itself; null once its log was deleted.';
comment on column public.customer_call_history."timestamp" is 'When the call took place.';
comment on column public.customer_call_history.status is 'How the call ended; by custom a status of call_logs, but the application may write anything.';
comment on column public.customer_call_history.duration is 'Length of the call, in seconds.';

create index idx_customer_call_history_call_log_id on public.customer_call_history using btree (call_log_id);

alter table public.customer_call_history add constraint customer_call_history_call_log_id_fkey foreign key (call_log_id) references public.call_logs(id) on delete set null;
alter table public.customer_call_history add constraint customer_call_history_customer_id_fkey foreign key (customer_id) references public.customers(id) on delete cascade;
