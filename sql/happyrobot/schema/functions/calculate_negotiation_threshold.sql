create or replace function public.calculate_negotiation_threshold(p_loadboard_rate numeric, p_urgency character varying, p_carrier_history jsonb)
 returns jsonb
 language plpgsql
 immutable parallel safe
as $function$
declare
  v_urgency_factor numeric :=
    case p_urgency
      when 'CRITICAL' then 1.15
      when 'HIGH' then 1.10
      when 'NORMAL' then 1.05
      else 1.0
    end;
  v_history_factor numeric := 1.0;
begin
  -- Callers send counts as 12, 12.0 or an empty string; through numeric all three can be read.
  if nullif(btrim(p_carrier_history ->> 'total_loads'), '')::numeric > 10 then
    v_history_factor := 1.05;
  end if;
  if nullif(btrim(p_carrier_history ->> 'avg_rating'), '')::numeric > 4.5 then
    v_history_factor := v_history_factor + 0.02;
  end if;

  return jsonb_build_object(
    'minimum_rate', round(p_loadboard_rate * 0.95, 2),
    'maximum_rate', round(p_loadboard_rate * v_urgency_factor * v_history_factor, 2),
    'auto_accept_threshold', round(p_loadboard_rate * 1.02, 2),
    'loadboard_rate', p_loadboard_rate,
    'factors_applied', jsonb_build_object(
      'urgency_factor', v_urgency_factor,
      'history_factor', v_history_factor
    )
  );
end;
$function$;

comment on function public.calculate_negotiation_threshold(numeric, character varying, jsonb) is 'Limits of a negotiation, in US dollars: minimum_rate is 95 % and auto_accept_threshold 102 % of the load board rate; maximum_rate is the load board rate times the urgency factor (CRITICAL 1.15, HIGH 1.10, NORMAL 1.05, anything else 1.0) times the history factor (1.0; 1.05 for more than 10 total_loads; 0.02 more for an avg_rating above 4.5). For LOW or unknown urgency without such a history auto_accept_threshold lies above maximum_rate: compare an offer with both.';
