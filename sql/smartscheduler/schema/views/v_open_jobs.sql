create view public.v_open_jobs as
 select id,
    job_number,
    type,
    desired_date,
    location_city,
    location_state,
    priority,
    (extract(epoch from (desired_date - (current_timestamp at time zone 'UTC'::text))) / (3600)::numeric) as hours_until_desired_date
   from public.jobs job
  where ((status = 1) and (desired_date >= (current_timestamp at time zone 'UTC'::text)))
  order by priority desc, desired_date;

comment on view public.v_open_jobs is 'Jobs nobody has taken yet and whose date has not passed, most urgent first, then soonest.';
comment on column public.v_open_jobs.id is 'jobs.id.';
comment on column public.v_open_jobs.job_number is 'Number people use for the job.';
comment on column public.v_open_jobs.type is 'Trade needed: 1=Flooring, 2=Tile, 3=Carpet.';
comment on column public.v_open_jobs.desired_date is 'When the customer wants the work to start, UTC.';
comment on column public.v_open_jobs.location_city is 'City of the site.';
comment on column public.v_open_jobs.location_state is 'State of the site, two letters.';
comment on column public.v_open_jobs.priority is '1=Low, 2=Medium, 3=High, 4=Urgent.';
comment on column public.v_open_jobs.hours_until_desired_date is 'Hours from now to desired_date, with decimals; the same in a session of any time zone.';
