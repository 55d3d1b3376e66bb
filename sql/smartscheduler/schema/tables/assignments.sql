create table public.assignments (
  id uuid default public.uuid_generate_v4() not null,
  job_id uuid not null,
  contractor_id uuid not null,
  status integer default 1 not null,
  score numeric(5,4) not null,
  scheduled_start_time timestamp without time zone not null,
  scheduled_end_time timestamp without time zone not null,
  scheduled_duration interval not null,
  score_availability_score numeric(5,4) not null,
  score_rating_score numeric(5,4) not null,
  score_distance_score numeric(5,4) not null,
  score_availability_weight numeric(3,2) not null,
  score_rating_weight numeric(3,2) not null,
  score_distance_weight numeric(3,2) not null,
  score_explanation text,
  confirmed_at timestamp without time zone,
  started_at timestamp without time zone,
  completed_at timestamp without time zone,
  cancellation_reason text,
  created_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  constraint assignments_pkey primary key (id),
  constraint uq_assignment_job unique (job_id),
  constraint assignments_status_check check ((status = any (array[1, 2, 3, 4, 5]))),
  constraint chk_assignment_score check (((score >= (0)::numeric) and (score <= (1)::numeric))),
  constraint chk_assignment_scores check (((score_availability_score >= (0)::numeric) and (score_availability_score <= (1)::numeric) and (score_rating_score >= (0)::numeric) and (score_rating_score <= (1)::numeric) and (score_distance_score >= (0)::numeric) and (score_distance_score <= (1)::numeric))),
  constraint chk_assignment_time_slot check ((scheduled_end_time > scheduled_start_time)),
  constraint chk_assignment_weights check (((score_availability_weight >= (0)::numeric) and (score_availability_weight <= (1)::numeric) and (score_rating_weight >= (0)::numeric) and (score_rating_weight <= (1)::numeric) and (score_distance_weight >= (0)::numeric) and (score_distance_weight <= (1)::numeric)))
);

comment on table public.assignments is 'A job given to a contractor: the slot in the schedule, the progress, and the score that spoke for this contractor. At most one for a job.';
comment on column public.assignments.id is 'Surrogate key, random (version 4) unless the application gives one.';
comment on column public.assignments.job_id is 'The job, at most once; the assignment goes when the job is deleted.';
comment on column public.assignments.contractor_id is 'Who does the job; a contractor with assignments cannot be deleted.';
comment on column public.assignments.status is '1=Pending, 2=Confirmed, 3=InProgress, 4=Completed, 5=Cancelled. Confirmed and InProgress block the slot, Pending does not.';
comment on column public.assignments.score is 'Overall weighted score from 0.0000 to 1.0000, higher fits better; computed by the application from the parts below.';
comment on column public.assignments.scheduled_start_time is 'Start of the slot, UTC.';
comment on column public.assignments.scheduled_end_time is 'End of the slot, UTC, after its start; the next slot may begin at this moment.';
comment on column public.assignments.scheduled_duration is 'Planned working time; given by the application, may be shorter than the slot (travel, breaks).';
comment on column public.assignments.score_availability_score is 'Part for availability, 0.0000 to 1.0000.';
comment on column public.assignments.score_rating_score is 'Part for the rating of the contractor, 0.0000 to 1.0000.';
comment on column public.assignments.score_distance_score is 'Part for the distance to the site, 0.0000 to 1.0000, nearer is higher.';
comment on column public.assignments.score_availability_weight is 'Weight of the availability part when the score was computed, 0.00 to 1.00.';
comment on column public.assignments.score_rating_weight is 'Weight of the rating part when the score was computed, 0.00 to 1.00.';
comment on column public.assignments.score_distance_weight is 'Weight of the distance part when the score was computed, 0.00 to 1.00.';
comment on column public.assignments.score_explanation is 'The score in words for dispatchers; NULL when none was written.';
comment on column public.assignments.confirmed_at is 'When the contractor confirmed, UTC; NULL until then.';
comment on column public.assignments.started_at is 'When the work began, UTC; NULL until then.';
comment on column public.assignments.completed_at is 'When the work was done, UTC; NULL until then.';
comment on column public.assignments.cancellation_reason is 'Why it was cancelled; NULL unless it was.';
comment on column public.assignments.created_at is 'When the assignment was stored, UTC.';
comment on column public.assignments.updated_at is 'When the row was last changed, UTC; set by trg_assignments_updated_at.';

create index idx_assignments_contractor on public.assignments using btree (contractor_id);
create index idx_assignments_contractor_date on public.assignments using btree (contractor_id, scheduled_start_time, scheduled_end_time) where (status <> 5);

comment on index public.idx_assignments_contractor_date is 'Schedule of a contractor; leaves out cancelled assignments.';

create index idx_assignments_contractor_results on public.assignments using btree (contractor_id) include (status, score);

comment on index public.idx_assignments_contractor_results is 'Covers v_active_contractors.';

create index idx_assignments_job on public.assignments using btree (job_id);
create index idx_assignments_scheduled_start on public.assignments using btree (scheduled_start_time);
create index idx_assignments_score on public.assignments using btree (score desc);
create index idx_assignments_status on public.assignments using btree (status);

alter table public.assignments add constraint fk_assignments_contractor foreign key (contractor_id) references public.contractors(id) on delete restrict;
alter table public.assignments add constraint fk_assignments_job foreign key (job_id) references public.jobs(id) on delete cascade;
