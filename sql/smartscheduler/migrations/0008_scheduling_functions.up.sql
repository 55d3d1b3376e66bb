-- What the matching of jobs and contractors asks the database: how far, whether free, how well rated.
-- After the tables, so that the bodies are checked against them now and not at the first call.

-- Computed in double precision, as the trigonometric functions are. For points on opposite sides of the
-- globe rounding can lift the haversine just above 1, where the square root of 1 - h would fail: hence least().
-- Strict, because least() ignores a NULL and would answer half way round the globe.
create function calculate_distance_miles(lat1 numeric, lon1 numeric, lat2 numeric, lon2 numeric)
returns numeric
language plpgsql
immutable strict parallel safe
as $$
declare
  v_earth_radius_miles constant double precision := 3959;
  v_half_delta_lat double precision := radians(lat2 - lat1) / 2;
  v_half_delta_lon double precision := radians(lon2 - lon1) / 2;
  v_haversine double precision;
begin
  v_haversine := least(
    1,
    sin(v_half_delta_lat) ^ 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(v_half_delta_lon) ^ 2
  );
  return v_earth_radius_miles * 2 * atan2(sqrt(v_haversine), sqrt(1 - v_haversine));
end
$$;

comment on function calculate_distance_miles(numeric, numeric, numeric, numeric) is
  'Great-circle distance in miles between two points in degrees (latitude, longitude, latitude, longitude) by the haversine formula, with an earth radius of 3959 miles; unrounded. NULL when a coordinate is NULL.';

-- The working day is laid out as two points in time on the date of the start. A slot that runs past
-- midnight then ends after it, which comparing times of day cannot see; a day that lasts until 24:00
-- includes a slot that ends at midnight. Two slots overlap when each begins before the other ends, so
-- slots that only touch do not. The search_path is kept from the migration: the tables are found also from
-- a session that has another one.
create function is_contractor_available(p_contractor_id uuid, p_start_time timestamp, p_end_time timestamp)
returns boolean
language sql
stable parallel safe
set search_path from current
as $$
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
$$;

comment on function is_contractor_available(uuid, timestamp, timestamp) is
  'Whether a contractor is free from p_start_time to p_end_time (UTC): the slot lies within the working hours of its day and overlaps no assignment that is Confirmed (2) or InProgress (3). Touching slots do not overlap; Pending ones do not block. False for an empty or reversed slot, an unknown contractor and NULL. Does not look at contractors.status: callers ask for active contractors themselves.';

-- The lock comes first: of two ratings at once the second waits and builds on the first. NO KEY is what the
-- update takes anyway, and it does not hold up new assignments of the contractor.
create function update_contractor_rating(p_contractor_id uuid, p_job_rating numeric)
returns numeric
language plpgsql
volatile
set search_path from current
as $$
declare
  v_rating contractors.rating%type;
  v_rated_jobs bigint;
begin
  if p_job_rating is null then
    raise exception 'the rating of a job must not be NULL'
      using errcode = 'null_value_not_allowed';
  end if;
  if p_job_rating < 0 or p_job_rating > 5 then
    raise exception 'the rating of a job must be from 0 to 5, not %', p_job_rating
      using errcode = 'invalid_parameter_value';
  end if;

  select contractor.rating
  into v_rating
  from contractors as contractor
  where contractor.id = p_contractor_id
  for no key update;

  if not found then
    raise exception 'contractor % does not exist', coalesce(p_contractor_id::text, 'NULL')
      using errcode = 'no_data_found';
  end if;

  select count(*)
  into v_rated_jobs
  from assignments as completed
  where completed.contractor_id = p_contractor_id
    and completed.status = 4;

  -- No completed job before this one makes it the first rating, whatever the column holds.
  update contractors as contractor
  set rating = case
    when v_rated_jobs = 0 then p_job_rating
    else (v_rating * v_rated_jobs + p_job_rating) / (v_rated_jobs + 1)
  end
  where contractor.id = p_contractor_id
  returning contractor.rating into v_rating;

  return v_rating;
end
$$;

comment on function update_contractor_rating(uuid, numeric) is
  'Takes the rating of a finished job (0 to 5) into the average of its contractor and returns what is stored, rounded to 2 decimals: (rating x n + new rating) / (n + 1), where n counts the completed assignments so far; the first rating stands for itself. Call it before the rated assignment is set to Completed (4), otherwise the job counts itself among those before it. Fails for an unknown contractor and for a rating that is NULL or out of range.';
