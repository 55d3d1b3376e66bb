-- The lists dispatchers work from. All columns hold UTC, so "now" is taken in UTC too: a session in another
-- time zone would otherwise be hours off.

-- Assignments are summed up before the join. Grouping by contractors.id would tie the view to the primary
-- key constraint.
create view v_active_contractors as
select
  contractor.id,
  contractor.name,
  contractor.type,
  contractor.rating,
  contractor.base_location_city as city,
  contractor.base_location_state as state,
  contractor.phone_number,
  contractor.email,
  coalesce(work.active_assignments, 0) as active_assignments,
  work.avg_assignment_score
from contractors as contractor
left join (
  select
    assignment.contractor_id,
    count(*) filter (where assignment.status in (2, 3)) as active_assignments,
    avg(assignment.score) as avg_assignment_score
  from assignments as assignment
  group by assignment.contractor_id
) as work on work.contractor_id = contractor.id
where contractor.status = 1;

comment on view v_active_contractors is 'Contractors with status Active and how much work they have; those without any assignment too.';
comment on column v_active_contractors.id is 'contractors.id.';
comment on column v_active_contractors.name is 'Name of the contractor.';
comment on column v_active_contractors.type is 'Trade: 1=Flooring, 2=Tile, 3=Carpet, 4=Multi.';
comment on column v_active_contractors.rating is 'Average rating from 0.00 to 5.00.';
comment on column v_active_contractors.city is 'City of the base.';
comment on column v_active_contractors.state is 'State of the base, two letters.';
comment on column v_active_contractors.phone_number is 'Number dispatchers call.';
comment on column v_active_contractors.email is 'Contact address.';
comment on column v_active_contractors.active_assignments is 'Assignments that are Confirmed (2) or InProgress (3); 0 without any.';
comment on column v_active_contractors.avg_assignment_score is
  'Average score of all assignments of the contractor, whatever their status; NULL without any.';

create view v_open_jobs as
select
  job.id,
  job.job_number,
  job.type,
  job.desired_date,
  job.location_city,
  job.location_state,
  job.priority,
  extract(epoch from job.desired_date - (current_timestamp at time zone 'UTC')) / 3600 as hours_until_desired_date
from jobs as job
where job.status = 1
  and job.desired_date >= (current_timestamp at time zone 'UTC')
order by job.priority desc, job.desired_date;

comment on view v_open_jobs is 'Jobs nobody has taken yet and whose date has not passed, most urgent first, then soonest.';
comment on column v_open_jobs.id is 'jobs.id.';
comment on column v_open_jobs.job_number is 'Number people use for the job.';
comment on column v_open_jobs.type is 'Trade needed: 1=Flooring, 2=Tile, 3=Carpet.';
comment on column v_open_jobs.desired_date is 'When the customer wants the work to start, UTC.';
comment on column v_open_jobs.location_city is 'City of the site.';
comment on column v_open_jobs.location_state is 'State of the site, two letters.';
comment on column v_open_jobs.priority is '1=Low, 2=Medium, 3=High, 4=Urgent.';
comment on column v_open_jobs.hours_until_desired_date is
  'Hours from now to desired_date, with decimals; the same in a session of any time zone.';

create view v_contractor_schedules as
select
  contractor.id as contractor_id,
  contractor.name as contractor_name,
  assignment.scheduled_start_time,
  assignment.scheduled_end_time,
  assignment.status as assignment_status,
  job.job_number,
  job.location_address,
  job.location_city
from assignments as assignment
join contractors as contractor on contractor.id = assignment.contractor_id
join jobs as job on job.id = assignment.job_id
where assignment.status in (2, 3)
  and assignment.scheduled_start_time >= (current_timestamp at time zone 'UTC') - interval '7 days'
  and assignment.scheduled_start_time <= (current_timestamp at time zone 'UTC') + interval '30 days'
order by contractor.name, assignment.scheduled_start_time;

comment on view v_contractor_schedules is
  'Confirmed and running work of all contractors that starts within the next 30 days or started within the last 7, by name and time.';
comment on column v_contractor_schedules.contractor_id is 'contractors.id.';
comment on column v_contractor_schedules.contractor_name is 'Name of the contractor.';
comment on column v_contractor_schedules.scheduled_start_time is 'Start of the slot, UTC.';
comment on column v_contractor_schedules.scheduled_end_time is 'End of the slot, UTC.';
comment on column v_contractor_schedules.assignment_status is '2=Confirmed, 3=InProgress; the other statuses are not listed.';
comment on column v_contractor_schedules.job_number is 'Number people use for the job.';
comment on column v_contractor_schedules.location_address is 'Street and number of the site.';
comment on column v_contractor_schedules.location_city is 'City of the site.';
