create or replace function public.update_contractor_rating(p_contractor_id uuid, p_job_rating numeric)
 returns numeric
 language plpgsql
 set search_path to '$user', 'public'
as $function$
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
$function$;

comment on function public.update_contractor_rating(uuid, numeric) is 'Takes the rating of a finished job (0 to 5) into the average of its contractor and returns what is stored, rounded to 2 decimals: (rating x n + new rating) / (n + 1), where n counts the completed assignments so far; the first rating stands for itself. Call it before the rated assignment is set to Completed (4), otherwise the job counts itself among those before it. Fails for an unknown contractor and for a rating that is NULL or out of range.';
