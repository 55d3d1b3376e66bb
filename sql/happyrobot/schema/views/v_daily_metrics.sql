create view public.v_daily_metrics as
 with recursive days(date) as (
         select ((( select min(ca.start_time) as min
                   from public.calls ca
                  where (ca.start_time >= (((((now() at time zone 'UTC'::text))::date - 30))::timestamp without time zone at time zone 'UTC'::text))) at time zone 'UTC'::text))::date as timezone
        union
         select ((( select min(ca.start_time) as min
                   from public.calls ca
                  where (ca.start_time > ((d_1.date + '23:59:59.999999'::time without time zone) at time zone 'UTC'::text))) at time zone 'UTC'::text))::date as timezone
           from days d_1
          where (d_1.date is not null)
        )
 select d.date,
    contacts.total_calls,
    contacts.unique_carriers,
    contacts.deals_closed,
    contacts.avg_call_duration,
    contacts.avg_sentiment,
    deals.total_revenue,
    sessions.avg_negotiation_rounds,
    contacts.human_handoffs
   from (((days d
     cross join lateral ( select count(*) as total_calls,
            count(distinct ca.carrier_id) as unique_carriers,
            count(*) filter (where ((ca.outcome)::text = 'ACCEPTED'::text)) as deals_closed,
            avg(ca.duration_seconds) as avg_call_duration,
            avg(
                case ca.sentiment
                    when 'POSITIVE'::text then 1
                    when 'NEUTRAL'::text then 0
                    when 'NEGATIVE'::text then '-1'::integer
                    else null::integer
                end) as avg_sentiment,
            count(*) filter (where (ca.transferred_to_human = true)) as human_handoffs
           from public.calls ca
          where ((ca.start_time >= ((d.date)::timestamp without time zone at time zone 'UTC'::text)) and (ca.start_time <= ((d.date + '23:59:59.999999'::time without time zone) at time zone 'UTC'::text)))) contacts)
     left join ( select ((ca.start_time at time zone 'UTC'::text))::date as date,
            avg(call_rounds.rounds) as avg_negotiation_rounds
           from (( select n.call_id,
                    max(n.round_number) as rounds
                   from public.negotiations n
                  group by n.call_id) call_rounds
             join public.calls ca on ((ca.call_id = call_rounds.call_id)))
          where (ca.start_time >= (((((now() at time zone 'UTC'::text))::date - 30))::timestamp without time zone at time zone 'UTC'::text))
          group by (((ca.start_time at time zone 'UTC'::text))::date)) sessions on ((sessions.date = d.date)))
     left join ( select deal.date,
            sum(deal.agreed_rate) as total_revenue
           from ( select ((ca.start_time at time zone 'UTC'::text))::date as date,
                    max(n.agreed_rate) as agreed_rate
                   from (public.calls ca
                     join public.negotiations n on ((n.call_id = ca.call_id)))
                  where ((ca.start_time >= (((((now() at time zone 'UTC'::text))::date - 30))::timestamp without time zone at time zone 'UTC'::text)) and ((ca.outcome)::text = 'ACCEPTED'::text) and ((n.final_status)::text = 'DEAL_ACCEPTED'::text))
                  group by n.call_id, n.load_id, (((ca.start_time at time zone 'UTC'::text))::date)) deal
          group by deal.date) deals on ((deals.date = d.date)))
  where (d.date is not null)
  order by d.date desc;

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
