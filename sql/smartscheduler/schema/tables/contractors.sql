create table public.contractors (
  id uuid default public.uuid_generate_v4() not null,
  name character varying(100) not null,
  type integer not null,
  rating numeric(3,2) default 0.00 not null,
  status integer default 1 not null,
  phone_number character varying(20) not null,
  email character varying(255) not null,
  base_location_latitude numeric(10,7) not null,
  base_location_longitude numeric(10,7) not null,
  base_location_address character varying(255) not null,
  base_location_city character varying(100) not null,
  base_location_state character varying(2) not null,
  base_location_zip_code character varying(10) not null,
  skills jsonb default '[]'::jsonb,
  created_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  updated_at timestamp without time zone default (current_timestamp at time zone 'UTC'::text) not null,
  constraint contractors_pkey primary key (id),
  constraint uq_contractors_email unique (email),
  constraint chk_contractor_email_format check (((email)::text ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'::text)),
  constraint chk_contractor_name_length check ((length((name)::text) >= 2)),
  constraint chk_contractor_rating check (((rating >= (0)::numeric) and (rating <= (5)::numeric))),
  constraint chk_latitude check (((base_location_latitude >= ('-90'::integer)::numeric) and (base_location_latitude <= (90)::numeric))),
  constraint chk_longitude check (((base_location_longitude >= ('-180'::integer)::numeric) and (base_location_longitude <= (180)::numeric))),
  constraint contractors_status_check check ((status = any (array[1, 2, 3]))),
  constraint contractors_type_check check ((type = any (array[1, 2, 3, 4])))
);

comment on table public.contractors is 'Contractors who can be sent to jobs: profile, trade, rating, contact and the base their travel is measured from.';
comment on column public.contractors.id is 'Surrogate key, random (version 4) unless the application gives one.';
comment on column public.contractors.name is 'Name of the person or company, at least 2 characters. Searched fuzzily through idx_contractors_name_trgm.';
comment on column public.contractors.type is 'Trade: 1=Flooring, 2=Tile, 3=Carpet, 4=Multi (fits jobs of every type).';
comment on column public.contractors.rating is 'Average rating from 0.00 to 5.00; 0.00 until the first job is rated. Kept by update_contractor_rating().';
comment on column public.contractors.status is '1=Active, 2=Inactive, 3=OnLeave. Only active contractors are offered for jobs; is_contractor_available() does not look at it.';
comment on column public.contractors.phone_number is 'Number dispatchers call; free text of up to 20 characters.';
comment on column public.contractors.email is 'Contact address and natural key; unique as written, upper and lower case differ.';
comment on column public.contractors.base_location_latitude is 'Latitude of the base in degrees, north positive, -90 to 90.';
comment on column public.contractors.base_location_longitude is 'Longitude of the base in degrees, east positive, -180 to 180.';
comment on column public.contractors.base_location_address is 'Street and number of the base.';
comment on column public.contractors.base_location_city is 'City of the base.';
comment on column public.contractors.base_location_state is 'State of the base, two letters.';
comment on column public.contractors.base_location_zip_code is 'ZIP code of the base, five digits or ZIP+4.';
comment on column public.contractors.skills is 'JSON array of skill names (strings); empty when none are recorded.';
comment on column public.contractors.created_at is 'When the row was stored, UTC.';
comment on column public.contractors.updated_at is 'When the row was last changed, UTC; set by trg_contractors_updated_at.';

create index idx_contractors_email on public.contractors using btree (email);
create index idx_contractors_location on public.contractors using gist (public.st_makepoint((base_location_longitude)::double precision, (base_location_latitude)::double precision));

comment on index public.idx_contractors_location is 'Base as a point without a reference system, in degrees: good for a bounding box or a rough neighbourhood, not for miles. calculate_distance_miles() gives those.';

create index idx_contractors_name_trgm on public.contractors using gin (name public.gin_trgm_ops);
create index idx_contractors_rating on public.contractors using btree (rating desc);
create index idx_contractors_search on public.contractors using btree (type, status, rating desc) include (name, email, phone_number);

comment on index public.idx_contractors_search is 'Covers the search for contractors of a trade and status, best rated first, including what the list shows.';

create index idx_contractors_status on public.contractors using btree (status);
create index idx_contractors_type on public.contractors using btree (type);
