create table public.recordings (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  call_log_id uuid not null,
  delivery_id uuid not null,
  audio_url text not null,
  duration numeric not null,
  file_size bigint,
  format text default 'mp3'::text not null,
  transcription_text text,
  transcription_confidence numeric,
  transcription_language text default 'en'::text not null,
  transcription_processing_time numeric,
  ai_analysis_sentiment text,
  ai_analysis_keywords text[] default '{}'::text[] not null,
  ai_analysis_instructions text,
  ai_analysis_priority text,
  ai_analysis_summary text,
  processing_status text default 'pending'::text not null,
  processing_attempts integer default 0 not null,
  last_processed_at timestamp with time zone,
  error_message text,
  access_count integer default 0 not null,
  last_accessed_at timestamp with time zone,
  created_at timestamp with time zone default current_timestamp not null,
  updated_at timestamp with time zone default current_timestamp not null,
  constraint recordings_pkey primary key (id),
  constraint recordings_call_log_id_key unique (call_log_id),
  constraint recordings_mongo_id_key unique (mongo_id),
  constraint recordings_ai_analysis_priority_check check ((ai_analysis_priority = any (array['low'::text, 'normal'::text, 'high'::text, 'urgent'::text]))),
  constraint recordings_ai_analysis_sentiment_check check ((ai_analysis_sentiment = any (array['positive'::text, 'neutral'::text, 'negative'::text]))),
  constraint recordings_audio_url_check check ((audio_url <> ''::text)),
  constraint recordings_processing_status_check check ((processing_status = any (array['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text]))),
  constraint recordings_transcription_confidence_check check (((transcription_confidence >= (0)::numeric) and (transcription_confidence <= (1)::numeric)))
);

comment on table public.recordings is 'Audio of calls: where it is kept, and what transcription and analysis made of it.';
comment on column public.recordings.id is 'Key of the recording; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.recordings.mongo_id is 'The _id the recording had in MongoDB; null for recordings made since.';
comment on column public.recordings.call_log_id is 'Call that was recorded; unique, a call has one recording at most.';
comment on column public.recordings.delivery_id is 'Delivery the call was about.';
comment on column public.recordings.audio_url is 'Where the audio file is kept (Cloudflare R2).';
comment on column public.recordings.duration is 'Length of the recording, in seconds.';
comment on column public.recordings.file_size is 'Size of the audio file, in bytes.';
comment on column public.recordings.format is 'Audio format, as the extension of such files.';
comment on column public.recordings.transcription_text is 'What was said; null until transcribed.';
comment on column public.recordings.transcription_confidence is 'How sure the transcription is of itself, 0 to 1; null until transcribed.';
comment on column public.recordings.transcription_language is 'Language that was spoken, as an ISO 639-1 code.';
comment on column public.recordings.transcription_processing_time is 'How long the transcription took, in seconds.';
comment on column public.recordings.ai_analysis_sentiment is 'Mood of the customer as judged by the analysis: positive, neutral or negative.';
comment on column public.recordings.ai_analysis_keywords is 'Words the analysis found to matter; empty without any.';
comment on column public.recordings.ai_analysis_instructions is 'What the customer asked for, as understood by the analysis.';
comment on column public.recordings.ai_analysis_priority is 'Priority the analysis suggests: low, normal, high or urgent.';
comment on column public.recordings.ai_analysis_summary is 'The call in a few sentences, written by the analysis.';
comment on column public.recordings.processing_status is 'How far transcription and analysis are: pending, processing, completed or failed.';
comment on column public.recordings.processing_attempts is 'How often processing was started; counted by the application.';
comment on column public.recordings.last_processed_at is 'When processing last came to an end, well or badly; null before the first time.';
comment on column public.recordings.error_message is 'Why processing failed the last time; null if it did not.';
comment on column public.recordings.access_count is 'How often the audio was listened to; counted by the application.';
comment on column public.recordings.last_accessed_at is 'When it was last listened to; null if never.';
comment on column public.recordings.created_at is 'When the recording was stored; imported rows keep the time MongoDB recorded.';
comment on column public.recordings.updated_at is 'When the row last changed; set by a trigger on every update.';

create index idx_recordings_created_at on public.recordings using btree (created_at desc);
create index idx_recordings_delivery_id on public.recordings using btree (delivery_id);
create index idx_recordings_processing_status on public.recordings using btree (processing_status);
create index idx_recordings_transcription_confidence on public.recordings using btree (transcription_confidence desc nulls last);

alter table public.recordings add constraint recordings_call_log_id_fkey foreign key (call_log_id) references public.call_logs(id) deferrable initially deferred;
alter table public.recordings add constraint recordings_delivery_id_fkey foreign key (delivery_id) references public.deliveries(id) deferrable initially deferred;
