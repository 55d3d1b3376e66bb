-- Calls to customers about deliveries, what the telephone provider reported of each, and the customers' own lists of
-- calls, which could not refer to them before.

create table call_logs (
  id uuid default gen_random_uuid() not null,
  mongo_id varchar(24),
  delivery_id uuid not null,
  call_sid text not null,
  status text not null,
  from_number text not null,
  to_number text not null,
  direction text default 'outbound' not null,
  start_time timestamptz,
  end_time timestamptz,
  duration numeric,
  recording_url text,
  recording_duration numeric,
  transcription text,
  ai_analysis_sentiment text,
  ai_analysis_keywords text[] default '{}' not null,
  ai_analysis_instructions text,
  ai_analysis_priority text,
  ai_analysis_confidence_score numeric,
  error_code text,
  error_message text,
  retry_count integer default 0 not null,
  created_at timestamptz default current_timestamp not null,
  updated_at timestamptz default current_timestamp not null,

  constraint call_logs_pkey primary key (id),
  constraint call_logs_mongo_id_key unique (mongo_id),
  constraint call_logs_call_sid_key unique (call_sid),
  -- Delivery, call and recording refer to one another, so whichever is stored first names a row that is yet to come:
  -- the references of this circle are looked at when the transaction commits.
  constraint call_logs_delivery_id_fkey
    foreign key (delivery_id) references deliveries (id) deferrable initially deferred,
  constraint call_logs_call_sid_check check (call_sid <> ''),
  constraint call_logs_status_check
    check (status in ('queued', 'ringing', 'in-progress', 'completed', 'busy', 'no-answer', 'failed', 'canceled')),
  constraint call_logs_from_number_check check (from_number <> ''),
  constraint call_logs_to_number_check check (to_number <> ''),
  constraint call_logs_direction_check check (direction in ('outbound', 'inbound')),
  constraint call_logs_ai_analysis_sentiment_check
    check (ai_analysis_sentiment in ('positive', 'neutral', 'negative')),
  constraint call_logs_ai_analysis_priority_check
    check (ai_analysis_priority in ('low', 'normal', 'high', 'urgent')),
  constraint call_logs_ai_analysis_confidence_score_check check (ai_analysis_confidence_score between 0 and 1)
);

create index idx_call_logs_delivery_id on call_logs (delivery_id);
create index idx_call_logs_status on call_logs (status);
create index idx_call_logs_start_time on call_logs (start_time);
create index idx_call_logs_sentiment on call_logs (ai_analysis_sentiment);
create index idx_call_logs_created_at on call_logs (created_at desc);

comment on table call_logs is
  'Every telephone call about a delivery, from queueing to its analysis; the customer is the delivery''s customer.';
comment on column call_logs.id is
  'Key of the call; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column call_logs.mongo_id is 'The _id the call had in MongoDB; null for calls logged since.';
comment on column call_logs.delivery_id is 'Delivery the call is about; a delivery may have several calls.';
comment on column call_logs.call_sid is 'Identifier Twilio gave the call; unique.';
comment on column call_logs.status is
  'State of the call in Twilio''s words: queued, ringing, in-progress, completed, busy, no-answer, failed or canceled.';
comment on column call_logs.from_number is 'Number the call came from.';
comment on column call_logs.to_number is 'Number that was called.';
comment on column call_logs.direction is
  'outbound when the system called the customer, inbound when the customer called.';
comment on column call_logs.start_time is 'When the call was answered; null if it never was.';
comment on column call_logs.end_time is 'When the call ended; null if it was never answered or is still going on.';
comment on column call_logs.duration is 'Length of the call, in seconds.';
comment on column call_logs.recording_url is 'Where Twilio keeps its own copy of the recording.';
comment on column call_logs.recording_duration is 'Length of that recording, in seconds.';
comment on column call_logs.transcription is
  'What was said, as plain text; the recording''s transcription has the details.';
comment on column call_logs.ai_analysis_sentiment is
  'Mood of the customer as judged by the analysis: positive, neutral or negative.';
comment on column call_logs.ai_analysis_keywords is 'Words the analysis found to matter; empty without any.';
comment on column call_logs.ai_analysis_instructions is 'What the customer asked for, as understood by the analysis.';
comment on column call_logs.ai_analysis_priority is
  'Priority the analysis suggests: low, normal, high or urgent; the delivery''s own stays until somebody changes it.';
comment on column call_logs.ai_analysis_confidence_score is 'How sure the analysis is of itself, 0 to 1.';
comment on column call_logs.error_code is 'Code of the error that ended the call, from Twilio; null without one.';
comment on column call_logs.error_message is 'The same in words.';
comment on column call_logs.retry_count is 'How often the call had been tried before; counted by the application.';
comment on column call_logs.created_at is 'When the call was logged; imported rows keep the time MongoDB recorded.';
comment on column call_logs.updated_at is 'When the row last changed; set by a trigger on every update.';

create table call_log_webhook_events (
  call_log_id uuid not null,
  "position" integer not null,
  event text,
  "timestamp" timestamptz default current_timestamp not null,
  data jsonb,

  constraint call_log_webhook_events_pkey primary key (call_log_id, "position"),
  constraint call_log_webhook_events_call_log_id_fkey
    foreign key (call_log_id) references call_logs (id) on delete cascade,
  constraint call_log_webhook_events_position_check check ("position" >= 0)
);

comment on table call_log_webhook_events is
  'What Twilio reported about a call while it went on; the webhook_events array of the document, a row an element.';
comment on column call_log_webhook_events.call_log_id is 'Call the event belongs to, and is deleted with.';
comment on column call_log_webhook_events."position" is 'Place of the event in its call''s list, counted from 0.';
comment on column call_log_webhook_events.event is 'Name of the event, as Twilio sent it.';
comment on column call_log_webhook_events."timestamp" is
  'When the event arrived; the time of recording unless the application says otherwise.';
comment on column call_log_webhook_events.data is 'Payload of the event, as Twilio sent it.';

create table customer_call_history (
  customer_id uuid not null,
  "position" integer not null,
  call_log_id uuid,
  "timestamp" timestamptz,
  status text,
  duration numeric,

  constraint customer_call_history_pkey primary key (customer_id, "position"),
  constraint customer_call_history_customer_id_fkey
    foreign key (customer_id) references customers (id) on delete cascade,
  constraint customer_call_history_call_log_id_fkey
    foreign key (call_log_id) references call_logs (id) on delete set null,
  constraint customer_call_history_position_check check ("position" >= 0)
);

create index idx_customer_call_history_call_log_id on customer_call_history (call_log_id);

comment on table customer_call_history is
  'The calls a customer had, in short; the call_history array of the document, a row an element.';
comment on column customer_call_history.customer_id is 'Customer the entry belongs to, and is deleted with.';
comment on column customer_call_history."position" is 'Place of the entry in its customer''s list, counted from 0.';
comment on column customer_call_history.call_log_id is 'The call itself; null once its log was deleted.';
comment on column customer_call_history."timestamp" is 'When the call took place.';
comment on column customer_call_history.status is
  'How the call ended; by custom a status of call_logs, but the application may write anything.';
comment on column customer_call_history.duration is 'Length of the call, in seconds.';
