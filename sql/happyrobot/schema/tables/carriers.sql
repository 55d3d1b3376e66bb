create table public.carriers (
  carrier_id uuid default gen_random_uuid() not null,
  mc_number character varying(20) not null,
  dot_number character varying(20),
  legal_name character varying(255) not null,
  dba_name character varying(255),
  entity_type character varying(50) not null,
  operating_status character varying(50) not null,
  status character varying(20) not null,
  insurance_on_file boolean default false,
  bipd_required numeric(12,2),
  bipd_on_file numeric(12,2),
  cargo_required numeric(12,2),
  cargo_on_file numeric(12,2),
  bond_required numeric(12,2),
  bond_on_file numeric(12,2),
  safety_rating character varying(20),
  safety_rating_date date,
  safety_scores jsonb,
  primary_contact jsonb,
  address jsonb,
  is_eligible boolean generated always as (((operating_status)::text = 'AUTHORIZED_FOR_HIRE'::text) and ((status)::text = 'ACTIVE'::text) and coalesce(insurance_on_file, false)) stored,
  eligibility_notes text,
  last_verified_at timestamp with time zone,
  verification_source character varying(50),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  created_by character varying(100),
  version integer default 1,
  constraint carriers_pkey primary key (carrier_id),
  constraint carriers_mc_number_key unique (mc_number),
  constraint carriers_entity_type_check check (((entity_type)::text = any (array['CARRIER'::character varying, 'BROKER'::character varying, 'BOTH'::character varying]))),
  constraint carriers_operating_status_check check (((operating_status)::text = any (array['AUTHORIZED_FOR_HIRE'::character varying, 'NOT_AUTHORIZED'::character varying, 'OUT_OF_SERVICE'::character varying]))),
  constraint carriers_safety_rating_check check (((safety_rating)::text = any (array['SATISFACTORY'::character varying, 'CONDITIONAL'::character varying, 'UNSATISFACTORY'::character varying]))),
  constraint carriers_status_check check (((status)::text = any (array['ACTIVE'::character varying, 'INACTIVE'::character varying]))),
  constraint carriers_verification_source_check check (((verification_source)::text = any (array['EXTERNAL_API'::character varying, 'MANUAL'::character varying, 'THIRD_PARTY'::character varying])))
);

comment on table public.carriers is 'Motor carriers and brokers that call about loads, with what is known of their authority, insurance and safety.';
comment on column public.carriers.carrier_id is 'Identifier of the carrier, a random UUID.';
comment on column public.carriers.mc_number is 'Motor carrier (MC) docket number without prefix: the number by which a caller identifies the company, unique.';
comment on column public.carriers.dot_number is 'USDOT number, if known.';
comment on column public.carriers.legal_name is 'Registered legal name of the company.';
comment on column public.carriers.dba_name is 'Trade name (doing business as), if it differs from the legal name.';
comment on column public.carriers.entity_type is 'What the company is registered as: CARRIER, BROKER or BOTH.';
comment on column public.carriers.operating_status is 'Operating authority: AUTHORIZED_FOR_HIRE, NOT_AUTHORIZED or OUT_OF_SERVICE.';
comment on column public.carriers.status is 'Whether business is done with the carrier: ACTIVE or INACTIVE.';
comment on column public.carriers.insurance_on_file is 'True when the required insurance is on file; null when nobody has looked yet, which counts as no.';
comment on column public.carriers.bipd_required is 'Required bodily injury and property damage cover, in US dollars.';
comment on column public.carriers.bipd_on_file is 'Bodily injury and property damage cover on file, in US dollars.';
comment on column public.carriers.cargo_required is 'Required cargo cover, in US dollars.';
comment on column public.carriers.cargo_on_file is 'Cargo cover on file, in US dollars.';
comment on column public.carriers.bond_required is 'Required surety bond, in US dollars.';
comment on column public.carriers.bond_on_file is 'Surety bond on file, in US dollars.';
comment on column public.carriers.safety_rating is 'Result of the last safety review: SATISFACTORY, CONDITIONAL or UNSATISFACTORY; null when the carrier is unrated.';
comment on column public.carriers.safety_rating_date is 'Day on which the safety rating was given.';
comment on column public.carriers.safety_scores is 'BASICs safety scores: an object of category name and score.';
comment on column public.carriers.primary_contact is 'Main contact: {name, phone, email, title}.';
comment on column public.carriers.address is 'Business address: {street, city, state, zip, country}.';
comment on column public.carriers.is_eligible is 'Computed: true when the carrier is AUTHORIZED_FOR_HIRE, ACTIVE and has insurance on file, otherwise false.';
comment on column public.carriers.eligibility_notes is 'Free text of staff on why the carrier may or may not haul.';
comment on column public.carriers.last_verified_at is 'When authority and insurance were last verified; null when never.';
comment on column public.carriers.verification_source is 'Where the last verification came from: EXTERNAL_API, MANUAL or THIRD_PARTY.';
comment on column public.carriers.created_at is 'When the row was stored.';
comment on column public.carriers.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.carriers.created_by is 'User or service that stored the row, as the application names it.';
comment on column public.carriers.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create index idx_carriers_dot_number on public.carriers using btree (dot_number);
create index idx_carriers_eligible on public.carriers using btree (is_eligible) where (is_eligible = true);
create index idx_carriers_lookup on public.carriers using btree (mc_number, is_eligible) where (is_eligible = true);
create index idx_carriers_mc_number on public.carriers using btree (mc_number);
create index idx_carriers_status on public.carriers using btree (operating_status, status);
create index idx_carriers_verified on public.carriers using btree (last_verified_at);
