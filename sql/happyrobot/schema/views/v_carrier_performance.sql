create view public.v_carrier_performance as
 select c.carrier_id,
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
   from (((public.carriers c
     cross join lateral ( select count(*) as total_calls,
            avg(ca.sentiment_score) as avg_sentiment_score,
            count(*) filter (where ((ca.outcome)::text = 'ACCEPTED'::text)) as accepted_count,
            count(*) filter (where ((ca.outcome)::text = 'DECLINED'::text)) as declined_count,
            max(ca.start_time) as last_contact_date,
            coalesce(array_agg(distinct l.equipment_type) filter (where (l.equipment_type is not null)), '{}'::character varying[]) as equipment_types_used
           from (public.calls ca
             left join public.loads l on ((l.load_id = ca.load_id)))
          where (ca.carrier_id = c.carrier_id)) contacts)
     cross join lateral ( select count(*) as loads_booked
           from public.loads l
          where ((l.booked_by_carrier_id = c.carrier_id) and ((l.status)::text = 'BOOKED'::text))) bookings)
     cross join lateral ( select avg(session.rounds) as avg_negotiation_rounds
           from ( select max(round.round_number) as rounds
                   from ( select n.session_id,
                            n.round_number
                           from (public.calls ca
                             join public.negotiations n on ((n.call_id = ca.call_id)))
                          where (ca.carrier_id = c.carrier_id)
                        union all
                         select n.session_id,
                            n.round_number
                           from (public.negotiations n
                             left join public.calls ca on ((ca.call_id = n.call_id)))
                          where ((n.carrier_id = c.carrier_id) and (ca.carrier_id is null))) round
                  group by round.session_id) session) sessions);

comment on view public.v_carrier_performance is 'Calls, bookings and negotiations of each carrier, one row for every carrier, also for one that never called.';
comment on column public.v_carrier_performance.carrier_id is 'Identifier of the carrier.';
comment on column public.v_carrier_performance.mc_number is 'MC number of the carrier.';
comment on column public.v_carrier_performance.legal_name is 'Registered legal name of the carrier.';
comment on column public.v_carrier_performance.total_calls is 'Calls of the carrier that are not archived.';
comment on column public.v_carrier_performance.loads_booked is 'Loads that the carrier has booked and that have not been picked up yet (status BOOKED).';
comment on column public.v_carrier_performance.avg_negotiation_rounds is 'Average number of rounds in the negotiations of the carrier; null when there were none.';
comment on column public.v_carrier_performance.avg_sentiment_score is 'Average mood of the calls of the carrier, -1 to 1; null when none was judged.';
comment on column public.v_carrier_performance.accepted_count is 'Calls of the carrier with the outcome ACCEPTED.';
comment on column public.v_carrier_performance.declined_count is 'Calls of the carrier with the outcome DECLINED.';
comment on column public.v_carrier_performance.last_contact_date is 'When the last call of the carrier began; null when there was none.';
comment on column public.v_carrier_performance.equipment_types_used is 'Equipment of the loads that the carrier called about, each once; empty when there were none.';
