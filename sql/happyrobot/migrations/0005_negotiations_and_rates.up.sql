-- What was offered and agreed: the rounds of the negotiations, and the rates of the past by lane.

create table negotiations (
  negotiation_id uuid not null default gen_random_uuid(),
  call_id uuid,
  load_id uuid not null,
  carrier_id uuid,
  mc_number varchar(20),
  session_id varchar(100) not null,
  session_start timestamptz not null default now(),
  session_end timestamptz,
  is_active boolean default true,
  round_number integer not null,
  max_rounds integer default 3,
  carrier_offer numeric(10, 2) not null,
  system_response varchar(50) not null,
  counter_offer numeric(10, 2),
  loadboard_rate numeric(10, 2) not null,
  minimum_acceptable numeric(10, 2),
  maximum_acceptable numeric(10, 2),
  offer_difference numeric(10, 2) generated always as (carrier_offer - loadboard_rate) stored,
  -- Fourteen digits hold the percentage of any two amounts: an absurd offer must be recorded, not refused.
  percentage_over numeric(14, 2) generated always as (
    case when loadboard_rate > 0 then (carrier_offer - loadboard_rate) / loadboard_rate * 100 else 0 end
  ) stored,
  decision_factors jsonb,
  message_to_carrier text,
  justification text,
  final_status varchar(30),
  agreed_rate numeric(10, 2),
  response_time_seconds integer,
  total_duration_seconds integer,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by varchar(100),
  version integer default 1,
  constraint negotiations_pkey primary key (negotiation_id),
  constraint negotiations_session_id_round_number_key unique (session_id, round_number),
  -- Calls are archived by age; the rounds stay, and session_id still leads to the archived call.
  constraint negotiations_call_id_fkey foreign key (call_id) references calls (call_id) on delete set null,
  constraint negotiations_load_id_fkey foreign key (load_id) references loads (load_id),
  constraint negotiations_carrier_id_fkey foreign key (carrier_id) references carriers (carrier_id),
  constraint negotiations_round_number_check check (round_number >= 1),
  constraint negotiations_max_rounds_check check (max_rounds >= 1),
  constraint negotiations_carrier_offer_check check (carrier_offer >= 0),
  constraint negotiations_system_response_check
    check (system_response in ('ACCEPTED', 'COUNTER_OFFER', 'REJECTED')),
  constraint negotiations_loadboard_rate_check check (loadboard_rate >= 0),
  constraint negotiations_final_status_check
    check (final_status in ('DEAL_ACCEPTED', 'DEAL_REJECTED', 'ABANDONED', 'TIMEOUT')),
  constraint negotiations_response_time_seconds_check check (response_time_seconds >= 0),
  constraint negotiations_total_duration_seconds_check check (total_duration_seconds >= 0)
);

create index idx_negotiations_session on negotiations (session_id);
create index idx_negotiations_call on negotiations (call_id);
create index idx_negotiations_load on negotiations (load_id);
create index idx_negotiations_carrier on negotiations (carrier_id);
create index idx_negotiations_active on negotiations (is_active) where is_active = true;
create index idx_negotiations_status on negotiations (final_status);
create index idx_negotiations_round on negotiations (round_number);

comment on table negotiations is 'Rounds of negotiations: one row for each offer of a carrier and the answer to it; the rounds of one negotiation share a session_id.';
comment on column negotiations.negotiation_id is 'Identifier of the round, a random UUID.';
comment on column negotiations.call_id is 'Call in which the offer was made; becomes null when the call is archived.';
comment on column negotiations.load_id is 'Load that is negotiated.';
comment on column negotiations.carrier_id is 'Carrier that negotiates, if it is known.';
comment on column negotiations.mc_number is 'MC number that the caller gave.';
comment on column negotiations.session_id is 'Negotiation to which the round belongs.';
comment on column negotiations.session_start is 'When the negotiation began.';
comment on column negotiations.session_end is 'When the negotiation ended; null while it runs.';
comment on column negotiations.is_active is 'True while the negotiation runs.';
comment on column negotiations.round_number is 'Number of the round in its session, from 1; each occurs once.';
comment on column negotiations.max_rounds is 'How many rounds the negotiation may have; kept by the application.';
comment on column negotiations.carrier_offer is 'Rate that the carrier asks for in this round, in US dollars.';
comment on column negotiations.system_response is 'Answer to the offer: ACCEPTED, COUNTER_OFFER or REJECTED.';
comment on column negotiations.counter_offer is 'Rate offered in return, in US dollars, when the answer is COUNTER_OFFER.';
comment on column negotiations.loadboard_rate is 'Load board rate at the time of the offer, in US dollars.';
comment on column negotiations.minimum_acceptable is 'Lowest rate to be offered at the time, in US dollars.';
comment on column negotiations.maximum_acceptable is 'Highest rate that could be agreed at the time, in US dollars.';
comment on column negotiations.offer_difference is 'Computed: the offer minus the load board rate, in US dollars.';
comment on column negotiations.percentage_over is 'Computed: the difference in percent of the load board rate, negative below it; 0 when that rate is 0.';
comment on column negotiations.decision_factors is 'What led to the answer: {urgency_level, carrier_history, market_conditions, competitor_rates, special_requirements}.';
comment on column negotiations.message_to_carrier is 'What the carrier was told.';
comment on column negotiations.justification is 'Why the answer was given, for staff.';
comment on column negotiations.final_status is 'End of the negotiation: DEAL_ACCEPTED, DEAL_REJECTED, ABANDONED or TIMEOUT; set on its last round, null before.';
comment on column negotiations.agreed_rate is 'Rate that was agreed, in US dollars, when final_status is DEAL_ACCEPTED.';
comment on column negotiations.response_time_seconds is 'Time until the answer to this offer, in seconds.';
comment on column negotiations.total_duration_seconds is 'Time since the negotiation began, in seconds.';
comment on column negotiations.created_at is 'When the row was stored.';
comment on column negotiations.updated_at is 'When the row was last changed; set by a trigger.';
comment on column negotiations.created_by is 'User or service that stored the row, as the application names it.';
comment on column negotiations.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create table rate_history (
  rate_history_id uuid not null default gen_random_uuid(),
  load_id uuid,
  lane_key varchar(100),
  origin_state char(2),
  destination_state char(2),
  miles integer,
  equipment_type varchar(50),
  quoted_rate numeric(10, 2),
  accepted_rate numeric(10, 2),
  rate_per_mile numeric(12, 4),
  carrier_id uuid,
  quote_date date not null,
  market_conditions jsonb,
  created_at timestamptz not null default now(),
  constraint rate_history_pkey primary key (rate_history_id),
  constraint rate_history_load_id_fkey foreign key (load_id) references loads (load_id),
  constraint rate_history_carrier_id_fkey foreign key (carrier_id) references carriers (carrier_id),
  constraint rate_history_origin_state_check check (origin_state ~ '^[A-Z]{2}$'),
  constraint rate_history_destination_state_check check (destination_state ~ '^[A-Z]{2}$'),
  constraint rate_history_miles_check check (miles >= 0)
);

create index idx_rate_history_lane on rate_history (lane_key);
create index idx_rate_history_date on rate_history (quote_date);
create index idx_rate_history_equipment on rate_history (equipment_type);
-- Without an index on the referencing side each delete of a load or carrier reads the whole history.
create index idx_rate_history_load on rate_history (load_id);
create index idx_rate_history_carrier on rate_history (carrier_id);

comment on table rate_history is 'Rates quoted and accepted in the past, for the analysis of lanes. Rows are added and not changed.';
comment on column rate_history.rate_history_id is 'Identifier of the entry, a random UUID.';
comment on column rate_history.load_id is 'Load that was quoted; null for rates from elsewhere.';
comment on column rate_history.lane_key is 'Lane as origin and destination state, for example TX-CA.';
comment on column rate_history.origin_state is 'State of the pickup, two capital letters.';
comment on column rate_history.destination_state is 'State of the delivery, two capital letters.';
comment on column rate_history.miles is 'Distance in miles.';
comment on column rate_history.equipment_type is 'Equipment that was asked for.';
comment on column rate_history.quoted_rate is 'Rate that was quoted, in US dollars.';
comment on column rate_history.accepted_rate is 'Rate that was agreed, in US dollars; null when there was no deal.';
comment on column rate_history.rate_per_mile is 'Rate in US dollars per mile, as given by whoever stored the entry.';
comment on column rate_history.carrier_id is 'Carrier that was quoted.';
comment on column rate_history.quote_date is 'Day of the quote.';
comment on column rate_history.market_conditions is 'The market on that day, as an object of the application.';
comment on column rate_history.created_at is 'When the row was stored.';
