create materialized view public.mv_contractor_statistics as
 select contractor.id,
    contractor.name,
    contractor.type,
    contractor.rating,
    coalesce(work.total_assignments, (0)::bigint) as total_assignments,
    coalesce(work.completed_assignments, (0)::bigint) as completed_assignments,
    work.avg_score,
    work.last_job_date
   from (public.contractors contractor
     left join ( select assignment.contractor_id,
            count(*) as total_assignments,
            count(*) filter (where (assignment.status = 4)) as completed_assignments,
            avg(assignment.score) as avg_score,
            max(assignment.completed_at) as last_job_date
           from public.assignments assignment
          group by assignment.contractor_id) work on ((work.contractor_id = contractor.id)));

comment on materialized view public.mv_contractor_statistics is 'Work done by every contractor, as of the last refresh. Nightly: refresh materialized view concurrently mv_contractor_statistics.';
comment on column public.mv_contractor_statistics.id is 'contractors.id.';
comment on column public.mv_contractor_statistics.name is 'Name of the contractor.';
comment on column public.mv_contractor_statistics.type is 'Trade: 1=Flooring, 2=Tile, 3=Carpet, 4=Multi.';
comment on column public.mv_contractor_statistics.rating is 'Average rating from 0.00 to 5.00.';
comment on column public.mv_contractor_statistics.total_assignments is 'Assignments in any status; 0 without any.';
comment on column public.mv_contractor_statistics.completed_assignments is 'Assignments that are Completed (4); 0 without any.';
comment on column public.mv_contractor_statistics.avg_score is 'Average score of all assignments; NULL without any.';
comment on column public.mv_contractor_statistics.last_job_date is 'Latest completed_at, UTC; NULL before the first completed job.';

create unique index idx_mv_contractor_statistics_id on public.mv_contractor_statistics using btree (id);
