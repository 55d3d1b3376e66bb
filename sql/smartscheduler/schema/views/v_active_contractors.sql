create view public.v_active_contractors as
 select contractor.id,
    contractor.name,
    contractor.type,
    contractor.rating,
    contractor.base_location_city as city,
    contractor.base_location_state as state,
    contractor.phone_number,
    contractor.email,
    work.active_assignments,
    work.avg_assignment_score
   from (public.contractors contractor
     cross join lateral ( select count(*) filter (where (assignment.status = any (array[2, 3]))) as active_assignments,
            avg(assignment.score) as avg_assignment_score
           from public.assignments assignment
          where (assignment.contractor_id = contractor.id)) work)
  where (contractor.status = 1);

comment on view public.v_active_contractors is 'Contractors with status Active and how much work they have; those without any assignment too.';
comment on column public.v_active_contractors.id is 'contractors.id.';
comment on column public.v_active_contractors.name is 'Name of the contractor.';
comment on column public.v_active_contractors.type is 'Trade: 1=Flooring, 2=Tile, 3=Carpet, 4=Multi.';
comment on column public.v_active_contractors.rating is 'Average rating from 0.00 to 5.00.';
comment on column public.v_active_contractors.city is 'City of the base.';
comment on column public.v_active_contractors.state is 'State of the base, two letters.';
comment on column public.v_active_contractors.phone_number is 'Number dispatchers call.';
comment on column public.v_active_contractors.email is 'Contact address.';
comment on column public.v_active_contractors.active_assignments is 'Assignments that are Confirmed (2) or InProgress (3); 0 without any.';
comment on column public.v_active_contractors.avg_assignment_score is 'Average score of all assignments of the contractor, whatever their status; NULL without any.';
