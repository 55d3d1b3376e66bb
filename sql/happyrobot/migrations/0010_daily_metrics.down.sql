-- dbkit: no-transaction
create index concurrently idx_negotiations_rounds on negotiations (call_id, load_id)
  include (round_number, final_status, agreed_rate);

create or replace view v_daily_metrics as
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

drop index concurrently if exists idx_negotiations_deals;
drop index concurrently if exists idx_negotiations_call_rounds;

comment on index idx_negotiations_rounds is 'Covers v_daily_metrics.';
comment on index idx_calls_daily is 'Covers v_daily_metrics.';
