-- Jobs: the demand side. Before assignments, which tie a job to a contractor.

create table jobs (
  id uuid not null default uuid_generate_v4(),
  job_number varchar(50) not null,
  type integer not null,
  status integer not null default 1,
  desired_date timestamp not null,
  duration interval not null,
  priority integer not null default 2,
  location_latitude numeric(10, 7) not null,
  location_longitude numeric(10, 7) not null,
  location_address varchar(255) not null,
  location_city varchar(100) not null,
  location_state varchar(2) not null,
  location_zip_code varchar(10) not null,
  special_requirements jsonb default '[]'::jsonb,
  assigned_contractor_id uuid,
  created_at timestamp not null default (current_timestamp at time zone 'UTC'),
  updated_at timestamp not null default (current_timestamp at time zone 'UTC'),

  constraint jobs_pkey primary key (id),
  constraint uq_jobs_number unique (job_number),
  constraint fk_jobs_contractor foreign key (assigned_contractor_id) references contractors (id) on delete set null,
  constraint jobs_type_check check (type in (1, 2, 3)),
  constraint jobs_status_check check (status in (1, 2, 3, 4, 5)),
  constraint jobs_priority_check check (priority in (1, 2, 3, 4)),
  -- Against created_at, not the clock: a stored job stays valid when its date passes.
  constraint chk_job_desired_date_future check (desired_date >= created_at),
  constraint chk_job_duration check (duration >= interval '30 minutes' and duration <= interval '8 hours'),
  constraint chk_latitude check (location_latitude >= -90 and location_latitude <= 90),
  constraint chk_longitude check (location_longitude >= -180 and location_longitude <= 180)
);

create index idx_jobs_type on jobs (type);
create index idx_jobs_status on jobs (status);
create index idx_jobs_desired_date on jobs (desired_date);
create index idx_jobs_priority on jobs (priority);
create index idx_jobs_contractor on jobs (assigned_contractor_id);
create unique index idx_jobs_number on jobs (job_number);
create index idx_jobs_location on jobs using gist (st_makepoint(location_longitude, location_latitude));
create index idx_jobs_status_type_date on jobs (status, type, desired_date);

create trigger trg_jobs_updated_at
  before update on jobs
  for each row execute function update_updated_at_column();

comment on table jobs is
  'Requested jobs: what is to be done, when and where, how urgent, and who has been chosen to do it.';
comment on column jobs.id is 'Surrogate key, random (version 4) unless the application gives one.';
comment on column jobs.job_number is
  'Number people use for the job, unique, for example JOB-20251108-ABC123 (date and a random part); given by the application.';
comment on column jobs.type is 'Trade needed: 1=Flooring, 2=Tile, 3=Carpet. Contractors of the same type or of type 4 (Multi) fit.';
comment on column jobs.status is '1=Open, 2=Assigned, 3=InProgress, 4=Completed, 5=Cancelled.';
comment on column jobs.desired_date is 'When the customer wants the work to start, UTC; not before created_at.';
comment on column jobs.duration is 'Expected length of the work, 30 minutes to 8 hours.';
comment on column jobs.priority is '1=Low, 2=Medium, 3=High, 4=Urgent.';
comment on column jobs.location_latitude is 'Latitude of the site in degrees, north positive, -90 to 90.';
comment on column jobs.location_longitude is 'Longitude of the site in degrees, east positive, -180 to 180.';
comment on column jobs.location_address is 'Street and number of the site.';
comment on column jobs.location_city is 'City of the site.';
comment on column jobs.location_state is 'State of the site, two letters.';
comment on column jobs.location_zip_code is 'ZIP code of the site, five digits or ZIP+4.';
comment on column jobs.special_requirements is 'JSON array of requirements (strings); empty when there are none.';
comment on column jobs.assigned_contractor_id is
  'Contractor chosen for the job, NULL while there is none. Repeats assignments.contractor_id for quick lists; the application keeps the two together. NULL again when the contractor is deleted.';
comment on column jobs.created_at is 'When the job was stored, UTC.';
comment on column jobs.updated_at is 'When the row was last changed, UTC; set by trg_jobs_updated_at.';

comment on index idx_jobs_location is
  'Site as a point without a reference system, in degrees: good for a bounding box or a rough neighbourhood, not for miles. calculate_distance_miles() gives those.';
comment on trigger trg_jobs_updated_at on jobs is 'Keeps updated_at.';
