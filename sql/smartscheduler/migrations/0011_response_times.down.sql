-- dbkit: no-transaction
drop index concurrently if exists idx_jobs_open;
drop index concurrently if exists idx_assignments_contractor_results;

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
