create table public.calls (
  call_id uuid default gen_random_uuid() not null,
  external_call_id character varying(100),
  session_id character varying(100),
  mc_number character varying(20),
  carrier_id uuid,
  caller_phone character varying(20),
  caller_name character varying(100),
  load_id uuid,
  multiple_loads_discussed uuid[],
  start_time timestamp with time zone not null,
  end_time timestamp with time zone,
  duration_seconds integer,
  call_type character varying(30) not null,
  channel character varying(30),
  agent_type character varying(30),
  agent_id character varying(50),
  outcome character varying(50) not null,
  outcome_confidence numeric(3,2),
  sentiment character varying(20),
  sentiment_score numeric(3,2),
  sentiment_breakdown jsonb,
  initial_offer numeric(10,2),
  final_rate numeric(10,2),
  rate_accepted boolean,
  extracted_data jsonb,
  transcript text,
  transcript_summary text,
  key_points text[],
  transferred_to_human boolean default false,
  transfer_reason character varying(100),
  transferred_at timestamp with time zone,
  assigned_rep_id character varying(50),
  follow_up_required boolean default false,
  follow_up_reason text,
  follow_up_deadline timestamp with time zone,
  follow_up_completed boolean default false,
  recording_url text,
  recording_duration_seconds integer,
  quality_score integer,
  quality_issues text[],
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  created_by character varying(100),
  version integer default 1,
  constraint calls_pkey primary key (call_id),
  constraint calls_agent_type_check check (((agent_type)::text = any (array['AI'::character varying, 'HUMAN'::character varying, 'HYBRID'::character varying]))),
  constraint calls_call_type_check check (((call_type)::text = any (array['INBOUND'::character varying, 'OUTBOUND'::character varying, 'CALLBACK'::character varying]))),
  constraint calls_channel_check check (((channel)::text = any (array['VOICE'::character varying, 'WEB_CALL'::character varying, 'API_TRIGGERED'::character varying]))),
  constraint calls_duration_seconds_check check ((duration_seconds >= 0)),
  constraint calls_end_time_check check ((end_time >= start_time)),
  constraint calls_outcome_check check (((outcome)::text = any (array['ACCEPTED'::character varying, 'DECLINED'::character varying, 'NEGOTIATION_FAILED'::character varying, 'NO_EQUIPMENT'::character varying, 'CALLBACK_REQUESTED'::character varying, 'NOT_ELIGIBLE'::character varying, 'WRONG_LANE'::character varying, 'INFORMATION_ONLY'::character varying]))),
  constraint calls_outcome_confidence_check check (((outcome_confidence >= (0)::numeric) and (outcome_confidence <= (1)::numeric))),
  constraint calls_quality_score_check check (((quality_score >= 0) and (quality_score <= 100))),
  constraint calls_recording_duration_seconds_check check ((recording_duration_seconds >= 0)),
  constraint calls_sentiment_check check (((sentiment)::text = any (array['POSITIVE'::character varying, 'NEUTRAL'::character varying, 'NEGATIVE'::character varying]))),
  constraint calls_sentiment_score_check check (((sentiment_score >= ('-1'::integer)::numeric) and (sentiment_score <= (1)::numeric)))
);

comment on table public.calls is 'Conversations with carriers, by phone or web: who called about which load, how it went and how it ended.';
comment on column public.calls.call_id is 'Identifier of the call, a random UUID.';
comment on column public.calls.external_call_id is 'Identifier of the call in the voice platform or phone system.';
comment on column public.calls.session_id is 'Conversation session; negotiations held in the call carry it too.';
comment on column public.calls.mc_number is 'MC number that the caller gave, also when no such carrier is known.';
comment on column public.calls.carrier_id is 'Carrier of the call; the application looks it up by mc_number when it stores the call, null when there is none.';
comment on column public.calls.caller_phone is 'Phone number of the other side.';
comment on column public.calls.caller_name is 'Name of the other side, as given in the call.';
comment on column public.calls.load_id is 'Load that the call was mainly about.';
comment on column public.calls.multiple_loads_discussed is 'Identifiers of all loads discussed, when there was more than one.';
comment on column public.calls.start_time is 'When the call began.';
comment on column public.calls.end_time is 'When the call ended.';
comment on column public.calls.duration_seconds is 'Length of the call in seconds.';
comment on column public.calls.call_type is 'INBOUND, OUTBOUND or CALLBACK.';
comment on column public.calls.channel is 'How the call came about: VOICE, WEB_CALL or API_TRIGGERED.';
comment on column public.calls.agent_type is 'Who spoke for the broker: AI, HUMAN or HYBRID (both).';
comment on column public.calls.agent_id is 'Identifier of the speaking agent.';
comment on column public.calls.outcome is 'How the call ended: ACCEPTED, DECLINED, NEGOTIATION_FAILED, NO_EQUIPMENT, CALLBACK_REQUESTED, NOT_ELIGIBLE, WRONG_LANE or INFORMATION_ONLY. A call is stored at its end, when the outcome is known.';
comment on column public.calls.outcome_confidence is 'How sure the classification of the outcome is, 0.00 to 1.00.';
comment on column public.calls.sentiment is 'Mood of the caller: POSITIVE, NEUTRAL or NEGATIVE; null when it was not judged.';
comment on column public.calls.sentiment_score is 'Mood as a number, -1.00 (worst) to 1.00 (best).';
comment on column public.calls.sentiment_breakdown is 'Parts of the mood with their shares, for example {frustration, satisfaction}.';
comment on column public.calls.initial_offer is 'First rate named in the call, in US dollars.';
comment on column public.calls.final_rate is 'Last rate named in the call, in US dollars.';
comment on column public.calls.rate_accepted is 'True when the final rate was accepted, null when no rate was discussed.';
comment on column public.calls.extracted_data is 'What was understood from the conversation: {carrier_info, requirements, availability, competitive_data}.';
comment on column public.calls.transcript is 'Full text of the conversation; not copied into the audit log.';
comment on column public.calls.transcript_summary is 'Summary of the conversation.';
comment on column public.calls.key_points is 'Main points of the conversation, one an element.';
comment on column public.calls.transferred_to_human is 'True when the call was handed to a person.';
comment on column public.calls.transfer_reason is 'Why the call was handed over.';
comment on column public.calls.transferred_at is 'When the call was handed over.';
comment on column public.calls.assigned_rep_id is 'Representative who took the call over.';
comment on column public.calls.follow_up_required is 'True when somebody has to come back to the caller.';
comment on column public.calls.follow_up_reason is 'Why somebody has to come back to the caller.';
comment on column public.calls.follow_up_deadline is 'Until when somebody has to come back to the caller.';
comment on column public.calls.follow_up_completed is 'True when that has been done.';
comment on column public.calls.recording_url is 'Where the recording is kept.';
comment on column public.calls.recording_duration_seconds is 'Length of the recording in seconds.';
comment on column public.calls.quality_score is 'Quality of the call from 0 (lowest) to 100 (highest).';
comment on column public.calls.quality_issues is 'What was wrong with the call, one an element.';
comment on column public.calls.created_at is 'When the row was stored.';
comment on column public.calls.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.calls.created_by is 'User or service that stored the row, as the application names it.';
comment on column public.calls.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create index idx_calls_analytics on public.calls using btree (start_time, outcome, sentiment);
create index idx_calls_carrier on public.calls using btree (carrier_id);
create index idx_calls_daily on public.calls using btree (start_time) include (call_id, carrier_id, outcome, duration_seconds, sentiment, transferred_to_human);

comment on index public.idx_calls_daily is 'Calls by day, for v_daily_metrics.';

create index idx_calls_external_id on public.calls using btree (external_call_id);
create index idx_calls_followup on public.calls using btree (follow_up_required, follow_up_deadline) where ((follow_up_required = true) and (follow_up_completed = false));
create index idx_calls_load on public.calls using btree (load_id);
create index idx_calls_mc_number on public.calls using btree (mc_number);
create index idx_calls_outcome on public.calls using btree (outcome);
create index idx_calls_phone on public.calls using btree (caller_phone);
create index idx_calls_sentiment on public.calls using btree (sentiment);
create index idx_calls_time on public.calls using btree (start_time, end_time);
create index idx_calls_transferred on public.calls using btree (transferred_to_human) where (transferred_to_human = true);

alter table public.calls add constraint calls_carrier_id_fkey foreign key (carrier_id) references public.carriers(carrier_id);
alter table public.calls add constraint calls_load_id_fkey foreign key (load_id) references public.loads(load_id);
