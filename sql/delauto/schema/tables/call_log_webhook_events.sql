create table public.call_log_webhook_events (
  call_log_id uuid not null,
  "position" integer not null,
  event text,
  "timestamp" timestamp with time zone default current_timestamp not null,
  data jsonb,
  constraint call_log_webhook_events_pkey primary key (call_log_id, "position"),
  constraint call_log_webhook_events_position_check check (("position" >= 0))
);

comment on table public.call_log_webhook_events is 'What Twilio reported about a call while it went on; the webhook_events array of the document, a row an element.';
comment on column public.call_log_webhook_events.call_log_id is 'Call the event belongs to, and is deleted with.';
comment on column public.call_log_webhook_events."position" is 'Place of the event in its call''s list, counted from 0.';
comment on column public.call_log_webhook_events.event is 'Name of the event, as Twilio sent it.';
comment on column public.call_log_webhook_events."timestamp" is 'When the event arrived; the time of recording unless the application says otherwise.';
comment on column public.call_log_webhook_events.data is 'Payload of the event, as Twilio sent it.';

alter table public.call_log_webhook_events add constraint call_log_webhook_events_call_log_id_fkey foreign key (call_log_id) references public.call_logs(id) on delete cascade;
