-- What people read: the loads on offer, the carriers by their record, the calls by day. Days and times of day are UTC in
-- all three, so that two sessions in different time zones read the same figures.

-- Each column of loads is listed: with l.* a column added later would be missing without anybody noticing. A migration
-- that changes loads drops this view first and creates it again.
create view v_active_loads as
select
  l.load_id,
  l.reference_number,
  l.external_id,
  l.origin_city,
  l.origin_state,
  l.origin_zip,
  l.origin_coordinates,
  l.origin_facility,
  l.destination_city,
  l.destination_state,
  l.destination_zip,
  l.destination_coordinates,
  l.destination_facility,
  l.pickup_date,
  l.pickup_time_start,
  l.pickup_time_end,
  l.pickup_appointment_required,
  l.delivery_date,
  l.delivery_time_start,
  l.delivery_time_end,
  l.delivery_appointment_required,
  l.equipment_type,
  l.equipment_requirements,
  l.weight,
  l.pieces,
  l.commodity_type,
  l.commodity_description,
  l.dimensions,
  l.hazmat,
  l.hazmat_class,
  l.miles,
  l.estimated_transit_hours,
  l.route_notes,
  l.loadboard_rate,
  l.fuel_surcharge,
  l.accessorials,
  l.total_rate,
  l.rate_per_mile,
  l.minimum_rate,
  l.maximum_rate,
  l.target_rate,
  l.auto_accept_threshold,
  l.broker_company,
  l.broker_contact,
  l.customer_name,
  l.status,
  l.status_changed_at,
  l.booked_by_carrier_id,
  l.booked_at,
  l.special_requirements,
  l.notes,
  l.internal_notes,
  l.urgency,
  l.priority_score,
  l.is_active,
  l.expires_at,
  l.source,
  l.created_at,
  l.updated_at,
  l.created_by,
  l.deleted_at,
  l.version,
  round(
    extract(epoch from (l.pickup_date + coalesce(l.pickup_time_start, time '00:00')) at time zone 'UTC' - now()) / 3600,
    2
  ) as hours_until_pickup,
  case
    when l.pickup_date <= (now() at time zone 'UTC')::date + 1 then 'URGENT'
    when l.pickup_date <= (now() at time zone 'UTC')::date + 3 then 'SOON'
    else 'NORMAL'
  end as time_sensitivity,
  offers.times_negotiated,
  coalesce(offers.last_offer, l.loadboard_rate) as last_offered_rate
from loads l
cross join lateral (
  select
    count(*) as times_negotiated,
    -- Rounds stored in one transaction share created_at; the session and the round then tell which came last.
    (array_agg(
      n.carrier_offer
      order by n.created_at desc, n.session_start desc, n.round_number desc, n.negotiation_id desc
    ))[1] as last_offer
  from negotiations n
  where n.load_id = l.load_id
) offers
where l.status = 'AVAILABLE'
  and l.is_active = true
  and l.deleted_at is null
  and (l.expires_at is null or l.expires_at > now());

comment on view v_active_loads is
  'Loads on offer now: AVAILABLE, active, not deleted and not expired, with urgency and the state of their negotiations. '
  'internal_notes is among the columns: leave it out of what carriers see.';

-- A column of the view means what it means in loads; copying the comments keeps one wording of each.
do $$
declare
  v_column record;
begin
  for v_column in
    select attname, col_description(attrelid, attnum) as description
    from pg_attribute
    where attrelid = 'loads'::regclass and attnum > 0 and not attisdropped
  loop
    execute format('comment on column v_active_loads.%I is %L', v_column.attname, v_column.description);
  end loop;
end;
$$;

comment on column v_active_loads.hours_until_pickup is 'Hours until the start of the pickup window, negative when it has passed; a load without a window counts from midnight UTC.';
comment on column v_active_loads.time_sensitivity is 'URGENT when the pickup is tomorrow or earlier, SOON within three days, otherwise NORMAL.';
comment on column v_active_loads.times_negotiated is 'Rounds of negotiation about the load so far.';
comment on column v_active_loads.last_offered_rate is 'Offer of the latest round, in US dollars; the load board rate when there was none.';

-- Each figure comes from a query of its own: joined in one, a call with three rounds would count three times.
create view v_carrier_performance as
select
  c.carrier_id,
  c.mc_number,
  c.legal_name,
  contacts.total_calls,
  bookings.loads_booked,
  sessions.avg_negotiation_rounds,
  contacts.avg_sentiment_score,
  contacts.accepted_count,
  contacts.declined_count,
  contacts.last_contact_date,
  contacts.equipment_types_used
from carriers c
cross join lateral (
  select
    count(*) as total_calls,
    avg(ca.sentiment_score) as avg_sentiment_score,
    count(*) filter (where ca.outcome = 'ACCEPTED') as accepted_count,
    count(*) filter (where ca.outcome = 'DECLINED') as declined_count,
    max(ca.start_time) as last_contact_date,
    coalesce(
      array_agg(distinct l.equipment_type) filter (where l.equipment_type is not null),
      '{}'
    ) as equipment_types_used
  from calls ca
  left join loads l on l.load_id = ca.load_id
  where ca.carrier_id = c.carrier_id
) contacts
cross join lateral (
  select count(*) as loads_booked
  from loads l
  where l.booked_by_carrier_id = c.carrier_id
    and l.status = 'BOOKED'
) bookings
cross join lateral (
  select avg(session.rounds) as avg_negotiation_rounds
  from (
    select max(round.round_number) as rounds
    from (
      select n.session_id, n.round_number
      from calls ca
      join negotiations n on n.call_id = ca.call_id
      where ca.carrier_id = c.carrier_id
      union all
      -- Rounds without a call of a known carrier, archived ones among them, count for the carrier they name.
      select n.session_id, n.round_number
      from negotiations n
      left join calls ca on ca.call_id = n.call_id
      where n.carrier_id = c.carrier_id
        and ca.carrier_id is null
    ) round
    group by round.session_id
  ) session
) sessions;

comment on view v_carrier_performance is 'Calls, bookings and negotiations of each carrier, one row for every carrier, also for one that never called.';
comment on column v_carrier_performance.carrier_id is 'Identifier of the carrier.';
comment on column v_carrier_performance.mc_number is 'MC number of the carrier.';
comment on column v_carrier_performance.legal_name is 'Registered legal name of the carrier.';
comment on column v_carrier_performance.total_calls is 'Calls of the carrier that are not archived.';
comment on column v_carrier_performance.loads_booked is 'Loads that the carrier has booked and that have not been picked up yet (status BOOKED).';
comment on column v_carrier_performance.avg_negotiation_rounds is 'Average number of rounds in the negotiations of the carrier; null when there were none.';
comment on column v_carrier_performance.avg_sentiment_score is 'Average mood of the calls of the carrier, -1 to 1; null when none was judged.';
comment on column v_carrier_performance.accepted_count is 'Calls of the carrier with the outcome ACCEPTED.';
comment on column v_carrier_performance.declined_count is 'Calls of the carrier with the outcome DECLINED.';
comment on column v_carrier_performance.last_contact_date is 'When the last call of the carrier began; null when there was none.';
comment on column v_carrier_performance.equipment_types_used is 'Equipment of the loads that the carrier called about, each once; empty when there were none.';

create view v_daily_metrics as
with recent_calls as (
  select
    ca.call_id,
    (ca.start_time at time zone 'UTC')::date as date,
    ca.carrier_id,
    ca.outcome,
    ca.duration_seconds,
    ca.sentiment,
    ca.transferred_to_human
  from calls ca
  where ca.start_time >= ((now() at time zone 'UTC')::date - 30)::timestamp at time zone 'UTC'
),
-- One row a call and load, then one row a call: a call with several rounds or several loads must count once.
call_loads as (
  select
    n.call_id,
    max(n.round_number) as rounds,
    max(n.agreed_rate) filter (where n.final_status = 'DEAL_ACCEPTED') as agreed_rate
  from recent_calls rc
  join negotiations n on n.call_id = rc.call_id
  group by n.call_id, n.load_id
),
call_totals as (
  select
    cl.call_id,
    max(cl.rounds) as rounds,
    sum(cl.agreed_rate) as revenue
  from call_loads cl
  group by cl.call_id
)
select
  rc.date,
  count(*) as total_calls,
  count(distinct rc.carrier_id) as unique_carriers,
  count(*) filter (where rc.outcome = 'ACCEPTED') as deals_closed,
  avg(rc.duration_seconds) as avg_call_duration,
  avg(case rc.sentiment when 'POSITIVE' then 1 when 'NEUTRAL' then 0 when 'NEGATIVE' then -1 end) as avg_sentiment,
  sum(ct.revenue) filter (where rc.outcome = 'ACCEPTED') as total_revenue,
  avg(ct.rounds) as avg_negotiation_rounds,
  count(*) filter (where rc.transferred_to_human = true) as human_handoffs
from recent_calls rc
left join call_totals ct on ct.call_id = rc.call_id
group by rc.date
order by rc.date desc;

comment on view v_daily_metrics is 'Calls of today and the last 30 days, by day, newest first; a day without calls has no row.';
comment on column v_daily_metrics.date is 'Day in UTC on which the calls began.';
comment on column v_daily_metrics.total_calls is 'Calls of the day.';
comment on column v_daily_metrics.unique_carriers is 'Known carriers among the callers, each once.';
comment on column v_daily_metrics.deals_closed is 'Calls with the outcome ACCEPTED.';
comment on column v_daily_metrics.avg_call_duration is 'Average length of the calls in seconds; null when no length is known.';
comment on column v_daily_metrics.avg_sentiment is 'Average mood: POSITIVE counts 1, NEUTRAL 0, NEGATIVE -1, calls that were not judged do not count; null when none was.';
comment on column v_daily_metrics.total_revenue is 'Sum of the rates agreed in calls with the outcome ACCEPTED, in US dollars, each load of a call once; null when there were none.';
comment on column v_daily_metrics.avg_negotiation_rounds is 'Average number of rounds in the calls that negotiated; null when none did.';
comment on column v_daily_metrics.human_handoffs is 'Calls that were handed to a person.';
