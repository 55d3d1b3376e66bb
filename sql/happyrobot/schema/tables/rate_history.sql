create table public.rate_history (
  rate_history_id uuid default gen_random_uuid() not null,
  load_id uuid,
  lane_key character varying(100),
  origin_state character(2),
  destination_state character(2),
  miles integer,
  equipment_type character varying(50),
  quoted_rate numeric(10,2),
  accepted_rate numeric(10,2),
  rate_per_mile numeric(12,4),
  carrier_id uuid,
  quote_date date not null,
  market_conditions jsonb,
  created_at timestamp with time zone default now() not null,
  constraint rate_history_pkey primary key (rate_history_id),
  constraint rate_history_destination_state_check check ((destination_state ~ '^[A-Z]{2}$'::text)),
  constraint rate_history_miles_check check ((miles >= 0)),
  constraint rate_history_origin_state_check check ((origin_state ~ '^[A-Z]{2}$'::text))
);

comment on table public.rate_history is 'Rates quoted and accepted in the past, for the analysis of lanes. Rows are added and not changed.';
comment on column public.rate_history.rate_history_id is 'Identifier of the entry, a random UUID.';
comment on column public.rate_history.load_id is 'Load that was quoted; null for rates from elsewhere.';
comment on column public.rate_history.lane_key is 'Lane as origin and destination state, for example TX-CA.';
comment on column public.rate_history.origin_state is 'State of the pickup, two capital letters.';
comment on column public.rate_history.destination_state is 'State of the delivery, two capital letters.';
comment on column public.rate_history.miles is 'Distance in miles.';
comment on column public.rate_history.equipment_type is 'Equipment that was asked for.';
comment on column public.rate_history.quoted_rate is 'Rate that was quoted, in US dollars.';
comment on column public.rate_history.accepted_rate is 'Rate that was agreed, in US dollars; null when there was no deal.';
comment on column public.rate_history.rate_per_mile is 'Rate in US dollars per mile, as given by whoever stored the entry.';
comment on column public.rate_history.carrier_id is 'Carrier that was quoted.';
comment on column public.rate_history.quote_date is 'Day of the quote.';
comment on column public.rate_history.market_conditions is 'The market on that day, as an object of the application.';
comment on column public.rate_history.created_at is 'When the row was stored.';

create index idx_rate_history_carrier on public.rate_history using btree (carrier_id);
create index idx_rate_history_date on public.rate_history using btree (quote_date);
create index idx_rate_history_equipment on public.rate_history using btree (equipment_type);
create index idx_rate_history_lane on public.rate_history using btree (lane_key);
create index idx_rate_history_load on public.rate_history using btree (load_id);

alter table public.rate_history add constraint rate_history_carrier_id_fkey foreign key (carrier_id) references public.carriers(carrier_id);
alter table public.rate_history add constraint rate_history_load_id_fkey foreign key (load_id) references public.loads(load_id);
