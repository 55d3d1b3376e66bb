create table public.jobs (
  id uuid default public.uuid_generate_v4() not null,
  job_number character varying(50) not null,
  type integer not null,
  status integer default 1 not null,
  desired_date timestamp without time zone not null,
  duration interval not null,
  priority integer default 2 not null,
  location_latitude numeric(10,7) not null,
  location_longitude numeric(10,7) not null,
  location_address character varying(255) not null,
  location_city character varying(100) not null,
  location_state character varying(2) not null,
  location_zip_code character varying(10) not null,
  special_requirements jsonb default '[]'::jsonb,
  assigned_contractor_id uuid,
  created_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  constraint jobs_pkey primary key (id),
  constraint uq_jobs_number unique (job_number),
  constraint chk_job_desired_date_future check ((desired_date >= created_at)),
  constraint chk_job_duration check (((duration >= '00:30:00'::interval) and (duration <= '08:00:00'::interval))),
  constraint chk_latitude check (((location_latitude >= ('-90'::integer)::numeric) and (location_latitude <= (90)::numeric))),
  constraint chk_longitude check (((location_longitude >= ('-180'::integer)::numeric) and (location_longitude <= (180)::numeric))),
  constraint jobs_priority_check check ((priority = any (array[1, 2, 3, 4]))),
  constraint jobs_status_check check ((status = any (array[1, 2, 3, 4, 5]))),
  constraint jobs_type_check check ((type = any (array[1, 2, 3])))
);

comment on table public.jobs is 'Requested jobs: what is to be done, when and where, how urgent, and who has been chosen to do it.';
comment on column public.jobs.id is 'Surrogate key, random (version 4) unless the application gives one.';
comment on column public.jobs.job_number is 'Number people use for the job, unique, for example JOB-20251108-ABC123 (date and a random part); given by the application.';
comment on column public.jobs.type is 'Trade needed: 1=Flooring, 2=Tile, 3=Carpet. Contractors of the same type or of type 4 (Multi) fit.';
comment on column public.jobs.status is '1=Open, 2=Assigned, 3=InProgress, 4=Completed, 5=Cancelled.';
comment on column public.jobs.desired_date is 'When the customer wants the work to start, UTC; not before created_at.';
comment on column public.jobs.duration is 'Expected length of the work, 30 minutes to 8 hours.';
comment on column public.jobs.priority is '1=Low, 2=Medium, 3=High, 4=Urgent.';
comment on column public.jobs.location_latitude is 'Latitude of the site in degrees, north positive, -90 to 90.';
comment on column public.jobs.location_longitude is 'Longitude of the site in degrees, east positive, -180 to 180.';
comment on column public.jobs.location_address is 'Street and number of the site.';
comment on column public.jobs.location_city is 'City of the site.';
comment on column public.jobs.location_state is 'State of the site, two letters.';
comment on column public.jobs.location_zip_code is 'ZIP code of the site, five digits or ZIP+4.';
comment on column public.jobs.special_requirements is 'JSON array of requirements (strings); empty when there are none.';
comment on column public.jobs.assigned_contractor_id is 'Contractor chosen for the job, NULL while there is none. Repeats assignments.contractor_id for quick lists; the application keeps the two together. NULL again when the contractor is deleted.';
comment on column public.jobs.created_at is 'When the job was stored, UTC.';
comment on column public.jobs.updated_at is 'When the row was last changed, UTC; set by trg_jobs_updated_at.';

create index idx_jobs_contractor on public.jobs using btree (assigned_contractor_id);
create index idx_jobs_desired_date on public.jobs using btree (desired_date);
create index idx_jobs_location on public.jobs using gist (public.st_makepoint((location_longitude)::double precision, (location_latitude)::double precision));

comment on index public.idx_jobs_location is 'Site as a point without a reference system, in degrees: good for a bounding box or a rough neighbourhood, not for miles. calculate_distance_miles() gives those.';

create unique index idx_jobs_number on public.jobs using btree (job_number);
create index idx_jobs_open on public.jobs using btree (priority desc, desired_date) where (status = 1);

comment on index public.idx_jobs_open is 'The order of v_open_jobs.';

create index idx_jobs_priority on public.jobs using btree (priority);
create index idx_jobs_status on public.jobs using btree (status);
create index idx_jobs_status_type_date on public.jobs using btree (status, type, desired_date);
create index idx_jobs_type on public.jobs using btree (type);

alter table public.jobs add constraint fk_jobs_contractor foreign key (assigned_contractor_id) references public.contractors(id) on delete set null;
