-- Recordings of calls with what was understood of them, and the things named in them. A call has one recording at most.

create table recordings (
  id uuid default gen_random_uuid() not null,
  mongo_id varchar(24),
  call_log_id uuid not null,
  delivery_id uuid not null,
  audio_url text not null,
  duration numeric not null,
  file_size bigint,
  format text default 'mp3' not null,
  transcription_text text,
  transcription_confidence numeric,
  transcription_language text default 'en' not null,
  transcription_processing_time numeric,
  ai_analysis_sentiment text,
  ai_analysis_keywords text[] default '{}' not null,
  ai_analysis_instructions text,
  ai_analysis_priority text,
  ai_analysis_summary text,
  processing_status text default 'pending' not null,
  processing_attempts integer default 0 not null,
  last_processed_at timestamptz,
  error_message text,
  access_count integer default 0 not null,
  last_accessed_at timestamptz,
  created_at timestamptz default current_timestamp not null,
  updated_at timestamptz default current_timestamp not null,

  constraint recordings_pkey primary key (id),
  constraint recordings_mongo_id_key unique (mongo_id),
  constraint recordings_call_log_id_key unique (call_log_id),
  -- Part of the circle of delivery, call and recording, hence looked at when the transaction commits.
  constraint recordings_call_log_id_fkey
    foreign key (call_log_id) references call_logs (id) deferrable initially deferred,
  constraint recordings_delivery_id_fkey
    foreign key (delivery_id) references deliveries (id) deferrable initially deferred,
  constraint recordings_audio_url_check check (audio_url <> ''),
  constraint recordings_transcription_confidence_check check (transcription_confidence between 0 and 1),
  constraint recordings_ai_analysis_sentiment_check
    check (ai_analysis_sentiment in ('positive', 'neutral', 'negative')),
  constraint recordings_ai_analysis_priority_check
    check (ai_analysis_priority in ('low', 'normal', 'high', 'urgent')),
  constraint recordings_processing_status_check
    check (processing_status in ('pending', 'processing', 'completed', 'failed'))
);

create index idx_recordings_delivery_id on recordings (delivery_id);
create index idx_recordings_processing_status on recordings (processing_status);
-- MongoDB sorts a missing confidence below every number, so a descending list ends with it.
create index idx_recordings_transcription_confidence on recordings (transcription_confidence desc nulls last);
create index idx_recordings_created_at on recordings (created_at desc);

comment on table recordings is 'Audio of calls: where it is kept, and what transcription and analysis made of it.';
comment on column recordings.id is
  'Key of the recording; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column recordings.mongo_id is 'The _id the recording had in MongoDB; null for recordings made since.';
comment on column recordings.call_log_id is 'Call that was recorded; unique, a call has one recording at most.';
comment on column recordings.delivery_id is 'Delivery the call was about.';
comment on column recordings.audio_url is 'Where the audio file is kept (Cloudflare R2).';
comment on column recordings.duration is 'Length of the recording, in seconds.';
comment on column recordings.file_size is 'Size of the audio file, in bytes.';
comment on column recordings.format is 'Audio format, as the extension of such files.';
comment on column recordings.transcription_text is 'What was said; null until transcribed.';
comment on column recordings.transcription_confidence is
  'How sure the transcription is of itself, 0 to 1; null until transcribed.';
comment on column recordings.transcription_language is 'Language that was spoken, as an ISO 639-1 code.';
comment on column recordings.transcription_processing_time is 'How long the transcription took, in seconds.';
comment on column recordings.ai_analysis_sentiment is
  'Mood of the customer as judged by the analysis: positive, neutral or negative.';
comment on column recordings.ai_analysis_keywords is 'Words the analysis found to matter; empty without any.';
comment on column recordings.ai_analysis_instructions is 'What the customer asked for, as understood by the analysis.';
comment on column recordings.ai_analysis_priority is 'Priority the analysis suggests: low, normal, high or urgent.';
comment on column recordings.ai_analysis_summary is 'The call in a few sentences, written by the analysis.';
comment on column recordings.processing_status is
  'How far transcription and analysis are: pending, processing, completed or failed.';
comment on column recordings.processing_attempts is 'How often processing was started; counted by the application.';
comment on column recordings.last_processed_at is
  'When processing last came to an end, well or badly; null before the first time.';
comment on column recordings.error_message is 'Why processing failed the last time; null if it did not.';
comment on column recordings.access_count is 'How often the audio was listened to; counted by the application.';
comment on column recordings.last_accessed_at is 'When it was last listened to; null if never.';
comment on column recordings.created_at is
  'When the recording was stored; imported rows keep the time MongoDB recorded.';
comment on column recordings.updated_at is 'When the row last changed; set by a trigger on every update.';

create table recording_entities (
  recording_id uuid not null,
  "position" integer not null,
  type text,
  value text,
  confidence numeric,

  constraint recording_entities_pkey primary key (recording_id, "position"),
  constraint recording_entities_recording_id_fkey
    foreign key (recording_id) references recordings (id) on delete cascade,
  constraint recording_entities_position_check check ("position" >= 0)
);

comment on table recording_entities is
  'Things named in a recording; the ai_analysis.entities array of the document, a row an element.';
comment on column recording_entities.recording_id is 'Recording the entity was named in, and is deleted with.';
comment on column recording_entities."position" is 'Place of the entity in its recording''s list, counted from 0.';
comment on column recording_entities.type is
  'Kind of thing, such as person, location or time; the list is the analysis'' own.';
comment on column recording_entities.value is 'The thing itself, as it was said.';
comment on column recording_entities.confidence is
  'How sure the analysis is; by custom 0 to 1, but the model sets no bounds.';
