-- Calls point at carriers and loads. The archive is created with them, because the two tables must stay alike:
-- whoever adds a column to one adds it to the other.

create table calls (
  call_id uuid not null default gen_random_uuid(),
  external_call_id varchar(100),
  session_id varchar(100),
  mc_number varchar(20),
  carrier_id uuid,
  caller_phone varchar(20),
  caller_name varchar(100),
  load_id uuid,
  multiple_loads_discussed uuid[],
  start_time timestamptz not null,
  end_time timestamptz,
  duration_seconds integer,
  call_type varchar(30) not null,
  channel varchar(30),
  agent_type varchar(30),
  agent_id varchar(50),
  outcome varchar(50) not null,
  outcome_confidence numeric(3, 2),
  sentiment varchar(20),
  sentiment_score numeric(3, 2),
  sentiment_breakdown jsonb,
  initial_offer numeric(10, 2),
  final_rate numeric(10, 2),
  rate_accepted boolean,
  extracted_data jsonb,
  transcript text,
  transcript_summary text,
  key_points text[],
  transferred_to_human boolean default false,
  transfer_reason varchar(100),
  transferred_at timestamptz,
  assigned_rep_id varchar(50),
  follow_up_required boolean default false,
  follow_up_reason text,
  follow_up_deadline timestamptz,
  follow_up_completed boolean default false,
  recording_url text,
  recording_duration_seconds integer,
  quality_score integer,
  quality_issues text[],
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by varchar(100),
  version integer default 1,
  constraint calls_pkey primary key (call_id),
  constraint calls_carrier_id_fkey foreign key (carrier_id) references carriers (carrier_id),
  constraint calls_load_id_fkey foreign key (load_id) references loads (load_id),
  constraint calls_end_time_check check (end_time >= start_time),
  constraint calls_duration_seconds_check check (duration_seconds >= 0),
  constraint calls_call_type_check check (call_type in ('INBOUND', 'OUTBOUND', 'CALLBACK')),
  constraint calls_channel_check check (channel in ('VOICE', 'WEB_CALL', 'API_TRIGGERED')),
  constraint calls_agent_type_check check (agent_type in ('AI', 'HUMAN', 'HYBRID')),
  constraint calls_outcome_check check (
    outcome in (
      'ACCEPTED', 'DECLINED', 'NEGOTIATION_FAILED', 'NO_EQUIPMENT',
      'CALLBACK_REQUESTED', 'NOT_ELIGIBLE', 'WRONG_LANE', 'INFORMATION_ONLY'
    )
  ),
  constraint calls_outcome_confidence_check check (outcome_confidence between 0 and 1),
  constraint calls_sentiment_check check (sentiment in ('POSITIVE', 'NEUTRAL', 'NEGATIVE')),
  constraint calls_sentiment_score_check check (sentiment_score between -1 and 1),
  constraint calls_recording_duration_seconds_check check (recording_duration_seconds >= 0),
  constraint calls_quality_score_check check (quality_score between 0 and 100)
);

create index idx_calls_external_id on calls (external_call_id);
create index idx_calls_mc_number on calls (mc_number);
create index idx_calls_carrier on calls (carrier_id);
create index idx_calls_load on calls (load_id);
create index idx_calls_phone on calls (caller_phone);
create index idx_calls_time on calls (start_time, end_time);
create index idx_calls_outcome on calls (outcome);
create index idx_calls_sentiment on calls (sentiment);
create index idx_calls_transferred on calls (transferred_to_human) where transferred_to_human = true;
create index idx_calls_followup on calls (follow_up_required, follow_up_deadline)
  where follow_up_required = true and follow_up_completed = false;
create index idx_calls_analytics on calls (start_time, outcome, sentiment);

comment on table calls is 'Conversations with carriers, by phone or web: who called about which load, how it went and how it ended.';
comment on column calls.call_id is 'Identifier of the call, a random UUID.';
comment on column calls.external_call_id is 'Identifier of the call in the voice platform or phone system.';
comment on column calls.session_id is 'Conversation session; negotiations held in the call carry it too.';
comment on column calls.mc_number is 'MC number that the caller gave, also when no such carrier is known.';
comment on column calls.carrier_id is 'Carrier of the call; the application looks it up by mc_number when it stores the call, null when there is none.';
comment on column calls.caller_phone is 'Phone number of the other side.';
comment on column calls.caller_name is 'Name of the other side, as given in the call.';
comment on column calls.load_id is 'Load that the call was mainly about.';
comment on column calls.multiple_loads_discussed is 'Identifiers of all loads discussed, when there was more than one.';
comment on column calls.start_time is 'When the call began.';
comment on column calls.end_time is 'When the call ended.';
comment on column calls.duration_seconds is 'Length of the call in seconds.';
comment on column calls.call_type is 'INBOUND, OUTBOUND or CALLBACK.';
comment on column calls.channel is 'How the call came about: VOICE, WEB_CALL or API_TRIGGERED.';
comment on column calls.agent_type is 'Who spoke for the broker: AI, HUMAN or HYBRID (both).';
comment on column calls.agent_id is 'Identifier of the speaking agent.';
comment on column calls.outcome is 'How the call ended: ACCEPTED, DECLINED, NEGOTIATION_FAILED, NO_EQUIPMENT, CALLBACK_REQUESTED, NOT_ELIGIBLE, WRONG_LANE or INFORMATION_ONLY. A call is stored at its end, when the outcome is known.';
comment on column calls.outcome_confidence is 'How sure the classification of the outcome is, 0.00 to 1.00.';
comment on column calls.sentiment is 'Mood of the caller: POSITIVE, NEUTRAL or NEGATIVE; null when it was not judged.';
comment on column calls.sentiment_score is 'Mood as a number, -1.00 (worst) to 1.00 (best).';
comment on column calls.sentiment_breakdown is 'Parts of the mood with their shares, for example {frustration, satisfaction}.';
comment on column calls.initial_offer is 'First rate named in the call, in US dollars.';
comment on column calls.final_rate is 'Last rate named in the call, in US dollars.';
comment on column calls.rate_accepted is 'True when the final rate was accepted, null when no rate was discussed.';
comment on column calls.extracted_data is 'What was understood from the conversation: {carrier_info, requirements, availability, competitive_data}.';
comment on column calls.transcript is 'Full text of the conversation; not copied into the audit log.';
comment on column calls.transcript_summary is 'Summary of the conversation.';
comment on column calls.key_points is 'Main points of the conversation, one an element.';
comment on column calls.transferred_to_human is 'True when the call was handed to a person.';
comment on column calls.transfer_reason is 'Why the call was handed over.';
comment on column calls.transferred_at is 'When the call was handed over.';
comment on column calls.assigned_rep_id is 'Representative who took the call over.';
comment on column calls.follow_up_required is 'True when somebody has to come back to the caller.';
comment on column calls.follow_up_reason is 'Why somebody has to come back to the caller.';
comment on column calls.follow_up_deadline is 'Until when somebody has to come back to the caller.';
comment on column calls.follow_up_completed is 'True when that has been done.';
comment on column calls.recording_url is 'Where the recording is kept.';
comment on column calls.recording_duration_seconds is 'Length of the recording in seconds.';
comment on column calls.quality_score is 'Quality of the call from 0 (lowest) to 100 (highest).';
comment on column calls.quality_issues is 'What was wrong with the call, one an element.';
comment on column calls.created_at is 'When the row was stored.';
comment on column calls.updated_at is 'When the row was last changed; set by a trigger.';
comment on column calls.created_by is 'User or service that stored the row, as the application names it.';
comment on column calls.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

-- No defaults: a row is moved whole, and a value that somebody forgot must not be made up here.
create table calls_archive (
  call_id uuid not null,
  external_call_id varchar(100),
  session_id varchar(100),
  mc_number varchar(20),
  carrier_id uuid,
  caller_phone varchar(20),
  caller_name varchar(100),
  load_id uuid,
  multiple_loads_discussed uuid[],
  start_time timestamptz not null,
  end_time timestamptz,
  duration_seconds integer,
  call_type varchar(30) not null,
  channel varchar(30),
  agent_type varchar(30),
  agent_id varchar(50),
  outcome varchar(50) not null,
  outcome_confidence numeric(3, 2),
  sentiment varchar(20),
  sentiment_score numeric(3, 2),
  sentiment_breakdown jsonb,
  initial_offer numeric(10, 2),
  final_rate numeric(10, 2),
  rate_accepted boolean,
  extracted_data jsonb,
  transcript text,
  transcript_summary text,
  key_points text[],
  transferred_to_human boolean,
  transfer_reason varchar(100),
  transferred_at timestamptz,
  assigned_rep_id varchar(50),
  follow_up_required boolean,
  follow_up_reason text,
  follow_up_deadline timestamptz,
  follow_up_completed boolean,
  recording_url text,
  recording_duration_seconds integer,
  quality_score integer,
  quality_issues text[],
  created_at timestamptz not null,
  updated_at timestamptz not null,
  created_by varchar(100),
  version integer,
  constraint calls_archive_pkey primary key (call_id),
  constraint calls_archive_end_time_check check (end_time >= start_time),
  constraint calls_archive_duration_seconds_check check (duration_seconds >= 0),
  constraint calls_archive_call_type_check check (call_type in ('INBOUND', 'OUTBOUND', 'CALLBACK')),
  constraint calls_archive_channel_check check (channel in ('VOICE', 'WEB_CALL', 'API_TRIGGERED')),
  constraint calls_archive_agent_type_check check (agent_type in ('AI', 'HUMAN', 'HYBRID')),
  constraint calls_archive_outcome_check check (
    outcome in (
      'ACCEPTED', 'DECLINED', 'NEGOTIATION_FAILED', 'NO_EQUIPMENT',
      'CALLBACK_REQUESTED', 'NOT_ELIGIBLE', 'WRONG_LANE', 'INFORMATION_ONLY'
    )
  ),
  constraint calls_archive_outcome_confidence_check check (outcome_confidence between 0 and 1),
  constraint calls_archive_sentiment_check check (sentiment in ('POSITIVE', 'NEUTRAL', 'NEGATIVE')),
  constraint calls_archive_sentiment_score_check check (sentiment_score between -1 and 1),
  constraint calls_archive_recording_duration_seconds_check check (recording_duration_seconds >= 0),
  constraint calls_archive_quality_score_check check (quality_score between 0 and 100)
);

comment on table calls_archive is 'Calls that were moved out of calls because of their age, unchanged. Filled by the archive command; no foreign keys and no triggers.';
comment on column calls_archive.call_id is 'Identifier that the call had in calls.';
comment on column calls_archive.external_call_id is 'Identifier of the call in the voice platform or phone system.';
comment on column calls_archive.session_id is 'Conversation session; negotiations held in the call carry it too.';
comment on column calls_archive.mc_number is 'MC number that the caller gave, also when no such carrier is known.';
comment on column calls_archive.carrier_id is 'Carrier of the call; no foreign key, so an archived call holds nobody back.';
comment on column calls_archive.caller_phone is 'Phone number of the other side.';
comment on column calls_archive.caller_name is 'Name of the other side, as given in the call.';
comment on column calls_archive.load_id is 'Load that the call was mainly about; no foreign key, so an archived call holds nobody back.';
comment on column calls_archive.multiple_loads_discussed is 'Identifiers of all loads discussed, when there was more than one.';
comment on column calls_archive.start_time is 'When the call began.';
comment on column calls_archive.end_time is 'When the call ended.';
comment on column calls_archive.duration_seconds is 'Length of the call in seconds.';
comment on column calls_archive.call_type is 'INBOUND, OUTBOUND or CALLBACK.';
comment on column calls_archive.channel is 'How the call came about: VOICE, WEB_CALL or API_TRIGGERED.';
comment on column calls_archive.agent_type is 'Who spoke for the broker: AI, HUMAN or HYBRID (both).';
comment on column calls_archive.agent_id is 'Identifier of the speaking agent.';
comment on column calls_archive.outcome is 'How the call ended: ACCEPTED, DECLINED, NEGOTIATION_FAILED, NO_EQUIPMENT, CALLBACK_REQUESTED, NOT_ELIGIBLE, WRONG_LANE or INFORMATION_ONLY. A call is stored at its end, when the outcome is known.';
comment on column calls_archive.outcome_confidence is 'How sure the classification of the outcome is, 0.00 to 1.00.';
comment on column calls_archive.sentiment is 'Mood of the caller: POSITIVE, NEUTRAL or NEGATIVE; null when it was not judged.';
comment on column calls_archive.sentiment_score is 'Mood as a number, -1.00 (worst) to 1.00 (best).';
comment on column calls_archive.sentiment_breakdown is 'Parts of the mood with their shares, for example {frustration, satisfaction}.';
comment on column calls_archive.initial_offer is 'First rate named in the call, in US dollars.';
comment on column calls_archive.final_rate is 'Last rate named in the call, in US dollars.';
comment on column calls_archive.rate_accepted is 'True when the final rate was accepted, null when no rate was discussed.';
comment on column calls_archive.extracted_data is 'What was understood from the conversation: {carrier_info, requirements, availability, competitive_data}.';
comment on column calls_archive.transcript is 'Full text of the conversation; not copied into the audit log.';
comment on column calls_archive.transcript_summary is 'Summary of the conversation.';
comment on column calls_archive.key_points is 'Main points of the conversation, one an element.';
comment on column calls_archive.transferred_to_human is 'True when the call was handed to a person.';
comment on column calls_archive.transfer_reason is 'Why the call was handed over.';
comment on column calls_archive.transferred_at is 'When the call was handed over.';
comment on column calls_archive.assigned_rep_id is 'Representative who took the call over.';
comment on column calls_archive.follow_up_required is 'True when somebody has to come back to the caller.';
comment on column calls_archive.follow_up_reason is 'Why somebody has to come back to the caller.';
comment on column calls_archive.follow_up_deadline is 'Until when somebody has to come back to the caller.';
comment on column calls_archive.follow_up_completed is 'True when that has been done.';
comment on column calls_archive.recording_url is 'Where the recording is kept.';
comment on column calls_archive.recording_duration_seconds is 'Length of the recording in seconds.';
comment on column calls_archive.quality_score is 'Quality of the call from 0 (lowest) to 100 (highest).';
comment on column calls_archive.quality_issues is 'What was wrong with the call, one an element.';
comment on column calls_archive.created_at is 'When the call was stored in calls.';
comment on column calls_archive.updated_at is 'When the call was last changed in calls.';
comment on column calls_archive.created_by is 'User or service that stored the call, as the application names it.';
comment on column calls_archive.version is 'Number of the last row state in calls.';
