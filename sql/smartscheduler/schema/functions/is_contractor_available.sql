create or replace function public.is_contractor_available(p_contractor_id uuid, p_start_time timestamp without time zone, p_end_time timestamp without time zone)
 returns boolean
 language sql
 stable parallel safe
 set search_path to '$user', 'public'
as $function$
  select
    p_start_time < p_end_time
    and exists (
      select
      from contractor_working_hours as hours
      where hours.contractor_id = p_contractor_id
        and hours.day_of_week = extract(dow from p_start_time)::integer
        and p_start_time >= p_start_time::date + hours.start_time
        and p_end_time <= p_start_time::date + hours.end_time
    )
    and not exists (
      select
      from assignments as taken
      where taken.contractor_id = p_contractor_id
        and taken.status in (2, 3)
        and taken.scheduled_start_time < p_end_time
        and taken.scheduled_end_time > p_start_time
    )
$function$;

comment on function public.is_contractor_available(uuid, timestamp without time zone, timestamp without time zone) is 'Whether a contractor is free from p_start_time to p_end_time (UTC): the slot lies within the working hours of its day and overlaps no assignment that is Confirmed (2) or InProgress (3). Touching slots do not overlap; Pending ones do not block. False for an empty or reversed slot, an unknown contractor and NULL. Does not look at contractors.status: callers ask for active contractors themselves.';
