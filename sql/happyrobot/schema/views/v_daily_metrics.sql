create view public.v_daily_metrics as
 with recent_calls as (
         select ca.call_id,
            ((ca.start_time at time zone 'UTC'::text))::date as date,
            ca.carrier_id,
            ca.outcome,
            ca.duration_seconds,
            ca.sentiment,
            ca.transferred_to_human
           from public.calls ca
          where (ca.start_time >= (((((now() at time zone 'UTC'::text))::date - 30))::timestamp without time zone at time zone 'UTC'::text))
        ), call_loads as (
         select n.call_id,
            max(n.round_number) as rounds,
            max(n.agreed_rate) filter (where ((n.final_status)::text = 'DEAL_ACCEPTED'::text)) as agreed_rate
           from (recent_calls rc_1
             join public.negotiations n on ((n.call_id = rc_1.call_id)))
          group by n.call_id, n.load_id
        ), call_totals as (
         select cl.call_id,
            max(cl.rounds) as rounds,
            sum(cl.agreed_rate) as revenue
           from call_loads cl
          group by cl.call_id
        )
 select rc.date,
    count(*) as total_calls,
    count(distinct rc.carrier_id) as unique_carriers,
    count(*) filter (where ((rc.outcome)::text = 'ACCEPTED'::text)) as deals_closed,
    avg(rc.duration_seconds) as avg_call_duration,
    avg(
        case rc.sentiment
            when 'POSITIVE'::text then 1
            when 'NEUTRAL'::text then 0
            when 'NEGATIVE'::text then '-1'::integer
            else null::integer
        end) as avg_sentiment,
    sum(ct.revenue) filter (where ((rc.outcome)::text = 'ACCEPTED'::text)) as total_revenue,
    avg(ct.rounds) as avg_negotiation_rounds,
    count(*) filter (where (rc.transferred_to_human = true)) as human_handoffs
   from (recent_calls rc
     left join call_totals ct on ((ct.call_id = rc.call_id)))
  group by rc.date
  order by rc.date desc;

comment on view public.v_daily_metrics is 'Calls of today and the last 30 days, by day, newest first; a day without calls has no row.';
comment on column public.v_daily_metrics.date is 'Day in UTC on which the calls began.';
comment on column public.v_daily_metrics.total_calls is 'Calls of the day.';
comment on column public.v_daily_metrics.unique_carriers is 'Known carriers among the callers, each once.';
comment on column public.v_daily_metrics.deals_closed is 'Calls with the outcome ACCEPTED.';
comment on column public.v_daily_metrics.avg_call_duration is 'Average length of the calls in seconds; null when no length is known.';
comment on column public.v_daily_metrics.avg_sentiment is 'Average mood: POSITIVE counts 1, NEUTRAL 0, NEGATIVE -1, calls that were not judged do not count; null when none was.';
comment on column public.v_daily_metrics.total_revenue is 'Sum of the rates agreed in calls with the outcome ACCEPTED, in US dollars, each load of a call once; null when there were none.';
comment on column public.v_daily_metrics.avg_negotiation_rounds is 'Average number of rounds in the calls that negotiated; null when none did.';
comment on column public.v_daily_metrics.human_handoffs is 'Calls that were handed to a person.';
