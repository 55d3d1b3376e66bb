-- dbkit: no-transaction
-- With a million loads and calls the dashboard took most of its time to sort the calls of a month, twice. Now each day reads its own piece of
-- idx_calls_daily, and rounds and deals are counted apart, each from an index that holds nothing else. They are built while calls go on.

-- Rounds in the order of their calls. What idx_negotiations_rounds has besides is wanted of deals alone, which are one round in twelve.
create index concurrently idx_negotiations_call_rounds on negotiations (call_id, round_number);
create index concurrently idx_negotiations_deals on negotiations (call_id, load_id) include (agreed_rate)
  where final_status = 'DEAL_ACCEPTED';

create or replace view v_daily_metrics as
-- The days that have calls, each found in an index from the one before. UNION, because nothing comes after infinity but infinity.
with recursive days (date) as (
  select ((
    select min(ca.start_time)
    from calls ca
    where ca.start_time >= ((now() at time zone 'UTC')::date - 30)::timestamp at time zone 'UTC'
  ) at time zone 'UTC')::date
  union
  select ((
    select min(ca.start_time)
    from calls ca
    where ca.start_time > (d.date + time '23:59:59.999999') at time zone 'UTC'
  ) at time zone 'UTC')::date
  from days d
  where d.date is not null
)
select
  d.date,
  contacts.total_calls,
  contacts.unique_carriers,
  contacts.deals_closed,
  contacts.avg_call_duration,
  contacts.avg_sentiment,
  deals.total_revenue,
  sessions.avg_negotiation_rounds,
  contacts.human_handoffs
from days d
cross join lateral (
  select
    count(*) as total_calls,
    count(distinct ca.carrier_id) as unique_carriers,
    count(*) filter (where ca.outcome = 'ACCEPTED') as deals_closed,
    avg(ca.duration_seconds) as avg_call_duration,
    avg(case ca.sentiment when 'POSITIVE' then 1 when 'NEUTRAL' then 0 when 'NEGATIVE' then -1 end) as avg_sentiment,
    count(*) filter (where ca.transferred_to_human = true) as human_handoffs
  from calls ca
  where ca.start_time >= d.date::timestamp at time zone 'UTC'
    and ca.start_time <= (d.date + time '23:59:59.999999') at time zone 'UTC'
) contacts
-- One row a call: a call with several rounds must count once.
left join (
  select
    (ca.start_time at time zone 'UTC')::date as date,
    avg(call_rounds.rounds) as avg_negotiation_rounds
  from (
    select n.call_id, max(n.round_number) as rounds
    from negotiations n
    group by n.call_id
  ) call_rounds
  join calls ca on ca.call_id = call_rounds.call_id
  where ca.start_time >= ((now() at time zone 'UTC')::date - 30)::timestamp at time zone 'UTC'
  group by 1
) sessions on sessions.date = d.date
-- One row a call and load: a load that was agreed on twice must count once.
left join (
  select
    deal.date,
    sum(deal.agreed_rate) as total_revenue
  from (
    select
      (ca.start_time at time zone 'UTC')::date as date,
      max(n.agreed_rate) as agreed_rate
    from calls ca
    join negotiations n on n.call_id = ca.call_id
    where ca.start_time >= ((now() at time zone 'UTC')::date - 30)::timestamp at time zone 'UTC'
      and ca.outcome = 'ACCEPTED'
      and n.final_status = 'DEAL_ACCEPTED'
    group by n.call_id, n.load_id, (ca.start_time at time zone 'UTC')::date
  ) deal
  group by deal.date
) deals on deals.date = d.date
where d.date is not null
order by d.date desc;

drop index concurrently if exists idx_negotiations_rounds;

comment on index idx_negotiations_call_rounds is 'Rounds of a call, for v_daily_metrics.';
comment on index idx_negotiations_deals is 'Deals of a call, for v_daily_metrics.';
comment on index idx_calls_daily is 'Calls by day, for v_daily_metrics.';
