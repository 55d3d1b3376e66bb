create view public.v_contractor_schedules as
 select contractor.id as contractor_id,
    contractor.name as contractor_name,
    assignment.scheduled_start_time,
    assignment.scheduled_end_time,
    assignment.status as assignment_status,
    job.job_number,
    job.location_address,
    job.location_city
   from ((public.assignments assignment
     join public.contractors contractor on ((contractor.id = assignment.contractor_id)))
     join public.jobs job on ((job.id = assignment.job_id)))
  where ((assignment.status = any (array[2, 3])) and (assignment.scheduled_start_time >= ((current_timestamp at time zone 'UTC'::text) - '7 days'::interval)) and (assignment.scheduled_start_time <= ((current_timestamp at time zone 'UTC'::text) + '30 days'::interval)))
  order by contractor.name, assignment.scheduled_start_time;

comment on view public.v_contractor_schedules is 'Confirmed and running work of all contractors that starts within the next 30 days or started within the last 7, by name and time.';
comment on column public.v_contractor_schedules.contractor_id is 'contractors.id.';
comment on column public.v_contractor_schedules.contractor_name is 'Name of the contractor.';
comment on column public.v_contractor_schedules.scheduled_start_time is 'Start of the slot, UTC.';
comment on column public.v_contractor_schedules.scheduled_end_time is 'End of the slot, UTC.';
comment on column public.v_contractor_schedules.assignment_status is '2=Confirmed, 3=InProgress; the other statuses are not listed.';
comment on column public.v_contractor_schedules.job_number is 'Number people use for the job.';
comment on column public.v_contractor_schedules.location_address is 'Street and number of the site.';
comment on column public.v_contractor_schedules.location_city is 'City of the site.';
