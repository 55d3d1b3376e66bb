-- Assignments: which contractor does which job, when, and why that one was chosen.

create table assignments (
  id uuid not null default uuid_generate_v4(),
  job_id uuid not null,
  contractor_id uuid not null,
  status integer not null default 1,
  score numeric(5, 4) not null,
  scheduled_start_time timestamp not null,
  scheduled_end_time timestamp not null,
  scheduled_duration interval not null,
  score_availability_score numeric(5, 4) not null,
  score_rating_score numeric(5, 4) not null,
  score_distance_score numeric(5, 4) not null,
  score_availability_weight numeric(3, 2) not null,
  score_rating_weight numeric(3, 2) not null,
  score_distance_weight numeric(3, 2) not null,
  score_explanation text,
  confirmed_at timestamp,
  started_at timestamp,
  completed_at timestamp,
  cancellation_reason text,
  created_at timestamp not null default (current_timestamp at time zone 'UTC'),
  updated_at timestamp not null default (current_timestamp at time zone 'UTC'),

  constraint assignments_pkey primary key (id),
  -- One row a job for its whole life: a cancelled one is changed or deleted before somebody else gets the job.
  constraint uq_assignment_job unique (job_id),
  constraint fk_assignments_job foreign key (job_id) references jobs (id) on delete cascade,
  -- Who has a history is set to Inactive, not deleted.
  constraint fk_assignments_contractor foreign key (contractor_id) references contractors (id) on delete restrict,
  constraint assignments_status_check check (status in (1, 2, 3, 4, 5)),
  constraint chk_assignment_score check (score >= 0 and score <= 1),
  constraint chk_assignment_time_slot check (scheduled_end_time > scheduled_start_time),
  constraint chk_assignment_scores check (
    score_availability_score >= 0 and score_availability_score <= 1
    and score_rating_score >= 0 and score_rating_score <= 1
    and score_distance_score >= 0 and score_distance_score <= 1
  ),
  constraint chk_assignment_weights check (
    score_availability_weight >= 0 and score_availability_weight <= 1
    and score_rating_weight >= 0 and score_rating_weight <= 1
    and score_distance_weight >= 0 and score_distance_weight <= 1
  )
);

create index idx_assignments_job on assignments (job_id);
create index idx_assignments_contractor on assignments (contractor_id);
create index idx_assignments_status on assignments (status);
create index idx_assignments_score on assignments (score desc);
create index idx_assignments_scheduled_start on assignments (scheduled_start_time);
-- Cancelled assignments (5) hold no time, so no question about a schedule asks for them.
create index idx_assignments_contractor_date on assignments (contractor_id, scheduled_start_time, scheduled_end_time)
  where status <> 5;

create trigger trg_assignments_updated_at
  before update on assignments
  for each row execute function update_updated_at_column();

comment on table assignments is
  'A job given to a contractor: the slot in the schedule, the progress, and the score that spoke for this contractor. At most one for a job.';
comment on column assignments.id is 'Surrogate key, random (version 4) unless the application gives one.';
comment on column assignments.job_id is 'The job, at most once; the assignment goes when the job is deleted.';
comment on column assignments.contractor_id is 'Who does the job; a contractor with assignments cannot be deleted.';
comment on column assignments.status is
  '1=Pending, 2=Confirmed, 3=InProgress, 4=Completed, 5=Cancelled. Confirmed and InProgress block the slot, Pending does not.';
comment on column assignments.score is
  'Overall weighted score from 0.0000 to 1.0000, higher fits better; computed by the application from the parts below.';
comment on column assignments.scheduled_start_time is 'Start of the slot, UTC.';
comment on column assignments.scheduled_end_time is 'End of the slot, UTC, after its start; the next slot may begin at this moment.';
comment on column assignments.scheduled_duration is
  'Planned working time; given by the application, may be shorter than the slot (travel, breaks).';
comment on column assignments.score_availability_score is 'Part for availability, 0.0000 to 1.0000.';
comment on column assignments.score_rating_score is 'Part for the rating of the contractor, 0.0000 to 1.0000.';
comment on column assignments.score_distance_score is 'Part for the distance to the site, 0.0000 to 1.0000, nearer is higher.';
comment on column assignments.score_availability_weight is 'Weight of the availability part when the score was computed, 0.00 to 1.00.';
comment on column assignments.score_rating_weight is 'Weight of the rating part when the score was computed, 0.00 to 1.00.';
comment on column assignments.score_distance_weight is 'Weight of the distance part when the score was computed, 0.00 to 1.00.';
comment on column assignments.score_explanation is 'The score in words for dispatchers; NULL when none was written.';
comment on column assignments.confirmed_at is 'When the contractor confirmed, UTC; NULL until then.';
comment on column assignments.started_at is 'When the work began, UTC; NULL until then.';
comment on column assignments.completed_at is 'When the work was done, UTC; NULL until then.';
comment on column assignments.cancellation_reason is 'Why it was cancelled; NULL unless it was.';
comment on column assignments.created_at is 'When the assignment was stored, UTC.';
comment on column assignments.updated_at is 'When the row was last changed, UTC; set by trg_assignments_updated_at.';

comment on index idx_assignments_contractor_date is 'Schedule of a contractor; leaves out cancelled assignments.';
comment on trigger trg_assignments_updated_at on assignments is 'Keeps updated_at.';
