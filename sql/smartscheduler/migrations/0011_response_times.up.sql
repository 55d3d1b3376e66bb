-- dbkit: no-transaction
-- At a million rows the list of open jobs sorted all of them, and the contractors of one state cost as much as those of all. The indexes
-- are built while the tables are written to.

-- A query of its own for each contractor: only those that are asked for are counted.
create or replace view v_active_contractors as
select
  contractor.id,
  contractor.name,
  contractor.type,
  contractor.rating,
  contractor.base_location_city as city,
  contractor.base_location_state as state,
  contractor.phone_number,
  contractor.email,
  work.active_assignments,
  work.avg_assignment_score
from contractors as contractor
cross join lateral (
  select
    count(*) filter (where assignment.status in (2, 3)) as active_assignments,
    avg(assignment.score) as avg_assignment_score
  from assignments as assignment
  where assignment.contractor_id = contractor.id
) as work
where contractor.status = 1;

create index concurrently idx_assignments_contractor_results on assignments (contractor_id) include (status, score);

-- In the order of v_open_jobs, so that its first rows can be read without sorting the rest.
create index concurrently idx_jobs_open on jobs (priority desc, desired_date) where status = 1;

comment on index idx_assignments_contractor_results is 'Covers v_active_contractors.';
comment on index idx_jobs_open is 'The order of v_open_jobs.';
