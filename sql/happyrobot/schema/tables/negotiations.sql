create table public.negotiations (
  negotiation_id uuid default gen_random_uuid() not null,
  call_id uuid,
  load_id uuid not null,
  carrier_id uuid,
  mc_number character varying(20),
  session_id character varying(100) not null,
  session_start timestamp with time zone default now() not null,
  session_end timestamp with time zone,
  is_active boolean default true,
  round_number integer not null,
  max_rounds integer default 3,
  carrier_offer numeric(10,2) not null,
  system_response character varying(50) not null,
  counter_offer numeric(10,2),
  loadboard_rate numeric(10,2) not null,
  minimum_acceptable numeric(10,2),
  maximum_acceptable numeric(10,2),
  offer_difference numeric(10,2) generated always as (carrier_offer - loadboard_rate) stored,
  percentage_over numeric(14,2) generated always as (
  case
      when (loadboard_rate > (0)::numeric) then (((carrier_offer - loadboard_rate) / loadboard_rate) * (100)::numeric)
      else (0)::numeric
  end) stored,
  decision_factors jsonb,
  message_to_carrier text,
  justification text,
  final_status character varying(30),
  agreed_rate numeric(10,2),
  response_time_seconds integer,
  total_duration_seconds integer,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  created_by character varying(100),
  version integer default 1,
  constraint negotiations_pkey primary key (negotiation_id),
  constraint negotiations_session_id_round_number_key unique (session_id, round_number),
  constraint negotiations_carrier_offer_check check ((carrier_offer >= (0)::numeric)),
  constraint negotiations_final_status_check check (((final_status)::text = any (array['DEAL_ACCEPTED'::character varying, 'DEAL_REJECTED'::character varying, 'ABANDONED'::character varying, 'TIMEOUT'::character varying]))),
  constraint negotiations_loadboard_rate_check check ((loadboard_rate >= (0)::numeric)),
  constraint negotiations_max_rounds_check check ((max_rounds >= 1)),
  constraint negotiations_response_time_seconds_check check ((response_time_seconds >= 0)),
  constraint negotiations_round_number_check check ((round_number >= 1)),
  constraint negotiations_system_response_check check (((system_response)::text = any (array['ACCEPTED'::character varying, 'COUNTER_OFFER'::character varying, 'REJECTED'::character varying]))),
  constraint negotiations_total_duration_seconds_check check ((total_duration_seconds >= 0))
);

comment on table public.negotiations is 'Rounds of negotiations: one row for each offer of a carrier and the answer to it; the rounds of one negotiation share a session_id.';
comment on column public.negotiations.negotiation_id is 'Identifier of the round, a random UUID.';
comment on column public.negotiations.call_id is 'Call in which the offer was made; becomes null when the call is archived.';
comment on column public.negotiations.load_id is 'Load that is negotiated.';
comment on column public.negotiations.carrier_id is 'Carrier that negotiates, if it is known.';
comment on column public.negotiations.mc_number is 'MC number that the caller gave.';
comment on column public.negotiations.session_id is 'Negotiation to which the round belongs.';
comment on column public.negotiations.session_start is 'When the negotiation began.';
comment on column public.negotiations.session_end is 'When the negotiation ended; null while it runs.';
comment on column public.negotiations.is_active is 'True while the negotiation runs.';
comment on column public.negotiations.round_number is 'Number of the round in its session, from 1; each occurs once.';
comment on column public.negotiations.max_rounds is 'How many rounds the negotiation may have; kept by the application.';
comment on column public.negotiations.carrier_offer is 'Rate that the carrier asks for in this round, in US dollars.';
comment on column public.negotiations.system_response is 'Answer to the offer: ACCEPTED, COUNTER_OFFER or REJECTED.';
comment on column public.negotiations.counter_offer is 'Rate offered in return, in US dollars, when the answer is COUNTER_OFFER.';
comment on column public.negotiations.loadboard_rate is 'Load board rate at the time of the offer, in US dollars.';
comment on column public.negotiations.minimum_acceptable is 'Lowest rate to be offered at the time, in US dollars.';
comment on column public.negotiations.maximum_acceptable is 'Highest rate that could be agreed at the time, in US dollars.';
comment on column public.negotiations.offer_difference is 'Computed: the offer minus the load board rate, in US dollars.';
comment on column public.negotiations.percentage_over is 'Computed: the difference in percent of the load board rate, negative below it; 0 when that rate is 0.';
comment on column public.negotiations.decision_factors is 'What led to the answer: {urgency_level, carrier_history, market_conditions, competitor_rates, special_requirements}.';
comment on column public.negotiations.message_to_carrier is 'What the carrier was told.';
comment on column public.negotiations.justification is 'Why the answer was given, for staff.';
comment on column public.negotiations.final_status is 'End of the negotiation: DEAL_ACCEPTED, DEAL_REJECTED, ABANDONED or TIMEOUT; set on its last round, null before.';
comment on column public.negotiations.agreed_rate is 'Rate that was agreed, in US dollars, when final_status is DEAL_ACCEPTED.';
comment on column public.negotiations.response_time_seconds is 'Time until the answer to this offer, in seconds.';
comment on column public.negotiations.total_duration_seconds is 'Time since the negotiation began, in seconds.';
comment on column public.negotiations.created_at is 'When the row was stored.';
comment on column public.negotiations.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.negotiations.created_by is 'User or service that stored the row, as the application names it.';
comment on column public.negotiations.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create index idx_negotiations_active on public.negotiations using btree (is_active) where (is_active = true);
create index idx_negotiations_call on public.negotiations using btree (call_id);
create index idx_negotiations_call_rounds on public.negotiations using btree (call_id, round_number);

comment on index public.idx_negotiations_call_rounds is 'Rounds of a call, for v_daily_metrics.';

create index idx_negotiations_carrier on public.negotiations using btree (carrier_id);
create index idx_negotiations_deals on public.negotiations using btree (call_id, load_id) include (agreed_rate) where ((final_status)::text = 'DEAL_ACCEPTED'::text);

comment on index public.idx_negotiations_deals is 'Deals of a call, for v_daily_metrics.';

create index idx_negotiations_load on public.negotiations using btree (load_id);
create index idx_negotiations_round on public.negotiations using btree (round_number);
create index idx_negotiations_session on public.negotiations using btree (session_id);
create index idx_negotiations_status on public.negotiations using btree (final_status);

alter table public.negotiations add constraint negotiations_call_id_fkey foreign key (call_id) references public.calls(call_id) on delete set null;
alter table public.negotiations add constraint negotiations_carrier_id_fkey foreign key (carrier_id) references public.carriers(carrier_id);
alter table public.negotiations add constraint negotiations_load_id_fkey foreign key (load_id) references public.loads(load_id);
