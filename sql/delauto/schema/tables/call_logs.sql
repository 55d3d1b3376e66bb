create table public.call_logs (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  delivery_id uuid not null,
  call_sid text not null,
  status text not null,
  from_number text not null,
  to_number text not null,
  direction text default 'outbound'::text not null,
  start_time timestamp with time zone,
  end_time timestamp with time zone,
  duration numeric,
  recording_url text,
  recording_duration numeric,
  transcription text,
  ai_analysis_sentiment text,
  ai_analysis_keywords text[] default '{}'::text[] not null,
  ai_analysis_instructions text,
  ai_analysis_priority text,
  ai_analysis_confidence_score numeric,
  error_code text,
  error_message text,
  retry_count integer default 0 not null,
  created_at timestamp with time zone default current_timestamp not null,
  updated_at timestamp with time zone default current_timestamp not null,
  constraint call_logs_pkey primary key (id),
  constraint call_logs_call_sid_key unique (call_sid),
  constraint call_logs_mongo_id_key unique (mongo_id),
  constraint call_logs_ai_analysis_confidence_score_check check (((ai_analysis_confidence_score >= (0)::numeric) and (ai_analysis_confidence_score <= (1)::numeric))),
  constraint call_logs_ai_analysis_priority_check check ((ai_analysis_priority = any (array['low'::text, 'normal'::text, 'high'::text, 'urgent'::text]))),
  constraint call_logs_ai_analysis_sentiment_check check ((ai_analysis_sentiment = any (array['positive'::text, 'neutral'::text, 'negative'::text]))),
  constraint call_logs_call_sid_check check ((call_sid <> ''::text)),
  constraint call_logs_direction_check check ((direction = any (array['outbound'::text, 'inbound'::text]))),
  constraint call_logs_from_number_check check ((from_number <> ''::text)),
  constraint call_logs_status_check check ((status = any (array['queued'::text, 'ringing'::text, 'in-progress'::text, 'completed'::text, 'busy'::text, 'no-answer'::text, 'failed'::text, 'canceled'::text]))),
  constraint call_logs_to_number_check check ((to_number <> ''::text))
);

comment on table public.call_logs is 'Every telephone call about a delivery, from queueing to its analysis; the customer is the delivery''s customer.';
comment on column public.call_logs.id is 'Key of the call; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.call_logs.mongo_id is 'The _id the call had in MongoDB; null for calls logged since.';
comment on column public.call_logs.delivery_id is 'Delivery the call is about; a delivery may have several calls.';
comment on column public.call_logs.call_sid is 'Identifier Twilio gave the call; unique.';
comment on column public.call_logs.status is 'State of the call in Twilio''s words: queued, ringing, in-progress, completed, busy, no-answer, failed or canceled.';
comment on column public.call_logs.from_number is 'Number the call came from.';
comment on column public.call_logs.to_number is 'Number that was called.';
comment on column public.call_logs.direction is 'outbound when the system called the customer, inbound when the customer called.';
comment on column public.call_logs.start_time is 'When the call was answered; null if it never was.';
comment on column public.call_logs.end_time is 'When the call ended; null if it was never answered or is still going on.';
comment on column public.call_logs.duration is 'Length of the call, in seconds.';
comment on column public.call_logs.recording_url is 'Where Twilio keeps its own copy of the recording.';
comment on column public.call_logs.recording_duration is 'Length of that recording, in seconds.';
comment on column public.call_logs.transcription is 'What was said, as plain text; the recording''s transcription has the details.';
comment on column public.call_logs.ai_analysis_sentiment is 'Mood of the customer as judged by the analysis: positive, neutral or negative.';
comment on column public.call_logs.ai_analysis_keywords is 'Words the analysis found to matter; empty without any.';
comment on column public.call_logs.ai_analysis_instructions is 'What the customer asked for, as understood by the analysis.';
comment on column public.call_logs.ai_analysis_priority is 'Priority the analysis suggests: low, normal, high or urgent; the delivery''s own stays until somebody changes it.';
comment on column public.call_logs.ai_analysis_confidence_score is 'How sure the analysis is of itself, 0 to 1.';
comment on column public.call_logs.error_code is 'Code of the error that ended the call, from Twilio; null without one.';
comment on column public.call_logs.error_message is 'The same in words.';
comment on column public.call_logs.retry_count is 'How often the call had been tried before; counted by the application.';
comment on column public.call_logs.created_at is 'When the call was logged; imported rows keep the time MongoDB recorded.';
comment on column public.call_logs.updated_at is 'When the row last changed; set by a trigger on every update.';

create index idx_call_logs_created_at on public.call_logs using btree (created_at desc);
create index idx_call_logs_delivery_id on public.call_logs using btree (delivery_id);
create index idx_call_logs_sentiment on public.call_logs using btree (ai_analysis_sentiment);
create index idx_call_logs_start_time on public.call_logs using btree (start_time);
create index idx_call_logs_status on public.call_logs using btree (status);

alter table public.call_logs add constraint call_logs_delivery_id_fkey foreign key (delivery_id) references public.deliveries(id) deferrable initially deferred;
