-- Contractors and their weekly hours: the supply side, which jobs and assignments refer to.

create table contractors (
  id uuid not null default uuid_generate_v4(),
  name varchar(100) not null,
  type integer not null,
  rating numeric(3, 2) not null default 0.00,
  status integer not null default 1,
  phone_number varchar(20) not null,
  email varchar(255) not null,
  base_location_latitude numeric(10, 7) not null,
  base_location_longitude numeric(10, 7) not null,
  base_location_address varchar(255) not null,
  base_location_city varchar(100) not null,
  base_location_state varchar(2) not null,
  base_location_zip_code varchar(10) not null,
  skills jsonb default '[]'::jsonb,
  created_at timestamp not null default (current_timestamp at time zone 'UTC'),
  updated_at timestamp not null default (current_timestamp at time zone 'UTC'),

  constraint contractors_pkey primary key (id),
  constraint uq_contractors_email unique (email),
  constraint contractors_type_check check (type in (1, 2, 3, 4)),
  constraint contractors_status_check check (status in (1, 2, 3)),
  constraint chk_contractor_rating check (rating >= 0 and rating <= 5),
  constraint chk_contractor_name_length check (length(name) >= 2),
  constraint chk_contractor_email_format check (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
  constraint chk_latitude check (base_location_latitude >= -90 and base_location_latitude <= 90),
  constraint chk_longitude check (base_location_longitude >= -180 and base_location_longitude <= 180)
);

create index idx_contractors_type on contractors (type);
create index idx_contractors_status on contractors (status);
create index idx_contractors_rating on contractors (rating desc);
create index idx_contractors_email on contractors (email);
create index idx_contractors_location on contractors
  using gist (st_makepoint(base_location_longitude, base_location_latitude));
create index idx_contractors_name_trgm on contractors using gin (name gin_trgm_ops);
create index idx_contractors_search on contractors (type, status, rating desc) include (name, email, phone_number);

create trigger trg_contractors_updated_at
  before update on contractors
  for each row execute function update_updated_at_column();

comment on table contractors is
  'Contractors who can be sent to jobs: profile, trade, rating, contact and the base their travel is measured from.';
comment on column contractors.id is 'Surrogate key, random (version 4) unless the application gives one.';
comment on column contractors.name is 'Name of the person or company, at least 2 characters. Searched fuzzily through idx_contractors_name_trgm.';
comment on column contractors.type is 'Trade: 1=Flooring, 2=Tile, 3=Carpet, 4=Multi (fits jobs of every type).';
comment on column contractors.rating is
  'Average rating from 0.00 to 5.00; 0.00 until the first job is rated. Kept by update_contractor_rating().';
comment on column contractors.status is
  '1=Active, 2=Inactive, 3=OnLeave. Only active contractors are offered for jobs; is_contractor_available() does not look at it.';
comment on column contractors.phone_number is 'Number dispatchers call; free text of up to 20 characters.';
comment on column contractors.email is 'Contact address and natural key; unique as written, upper and lower case differ.';
comment on column contractors.base_location_latitude is 'Latitude of the base in degrees, north positive, -90 to 90.';
comment on column contractors.base_location_longitude is 'Longitude of the base in degrees, east positive, -180 to 180.';
comment on column contractors.base_location_address is 'Street and number of the base.';
comment on column contractors.base_location_city is 'City of the base.';
comment on column contractors.base_location_state is 'State of the base, two letters.';
comment on column contractors.base_location_zip_code is 'ZIP code of the base, five digits or ZIP+4.';
comment on column contractors.skills is 'JSON array of skill names (strings); empty when none are recorded.';
comment on column contractors.created_at is 'When the row was stored, UTC.';
comment on column contractors.updated_at is 'When the row was last changed, UTC; set by trg_contractors_updated_at.';

comment on index idx_contractors_location is
  'Base as a point without a reference system, in degrees: good for a bounding box or a rough neighbourhood, not for miles. calculate_distance_miles() gives those.';
comment on index idx_contractors_search is
  'Covers the search for contractors of a trade and status, best rated first, including what the list shows.';
comment on trigger trg_contractors_updated_at on contractors is 'Keeps updated_at.';

create table contractor_working_hours (
  id serial,
  contractor_id uuid not null,
  day_of_week integer not null,
  start_time time not null,
  end_time time not null,

  constraint contractor_working_hours_pkey primary key (id),
  constraint fk_working_hours_contractor foreign key (contractor_id) references contractors (id) on delete cascade,
  constraint uq_contractor_day unique (contractor_id, day_of_week),
  constraint chk_day_of_week check (day_of_week in (0, 1, 2, 3, 4, 5, 6)),
  constraint chk_time_order check (end_time > start_time),
  constraint chk_max_duration check (end_time - start_time <= interval '16 hours')
);

create index idx_working_hours_contractor on contractor_working_hours (contractor_id);
create index idx_working_hours_day on contractor_working_hours (day_of_week);

comment on table contractor_working_hours is
  'Weekly hours of a contractor: one span for each day of the week; a day without a row is a day off.';
comment on column contractor_working_hours.id is 'Surrogate key; (contractor_id, day_of_week) is the natural one.';
comment on column contractor_working_hours.contractor_id is 'Whose hours these are; they go when the contractor is deleted.';
comment on column contractor_working_hours.day_of_week is
  '0=Sunday, 1=Monday, 2=Tuesday, 3=Wednesday, 4=Thursday, 5=Friday, 6=Saturday; of the UTC date, as all times here.';
comment on column contractor_working_hours.start_time is 'When the working day begins, UTC clock like the slots it is compared with.';
comment on column contractor_working_hours.end_time is
  'When the working day ends, UTC clock, the same day and at most 16 hours later; 24:00 means until midnight.';
