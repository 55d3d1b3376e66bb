-- Carriers and the catalogue of equipment refer to nothing else; loads and calls refer to carriers.

create table carriers (
  carrier_id uuid not null default gen_random_uuid(),
  mc_number varchar(20) not null,
  dot_number varchar(20),
  legal_name varchar(255) not null,
  dba_name varchar(255),
  entity_type varchar(50) not null,
  operating_status varchar(50) not null,
  status varchar(20) not null,
  insurance_on_file boolean default false,
  bipd_required numeric(12, 2),
  bipd_on_file numeric(12, 2),
  cargo_required numeric(12, 2),
  cargo_on_file numeric(12, 2),
  bond_required numeric(12, 2),
  bond_on_file numeric(12, 2),
  safety_rating varchar(20),
  safety_rating_date date,
  safety_scores jsonb,
  primary_contact jsonb,
  address jsonb,
  -- insurance_on_file may be unknown (null); a carrier whose insurance is unknown is not eligible.
  is_eligible boolean generated always as (
    operating_status = 'AUTHORIZED_FOR_HIRE'
    and status = 'ACTIVE'
    and coalesce(insurance_on_file, false)
  ) stored,
  eligibility_notes text,
  last_verified_at timestamptz,
  verification_source varchar(50),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by varchar(100),
  version integer default 1,
  constraint carriers_pkey primary key (carrier_id),
  constraint carriers_mc_number_key unique (mc_number),
  constraint carriers_entity_type_check check (entity_type in ('CARRIER', 'BROKER', 'BOTH')),
  constraint carriers_operating_status_check
    check (operating_status in ('AUTHORIZED_FOR_HIRE', 'NOT_AUTHORIZED', 'OUT_OF_SERVICE')),
  constraint carriers_status_check check (status in ('ACTIVE', 'INACTIVE')),
  constraint carriers_safety_rating_check
    check (safety_rating in ('SATISFACTORY', 'CONDITIONAL', 'UNSATISFACTORY')),
  constraint carriers_verification_source_check
    check (verification_source in ('EXTERNAL_API', 'MANUAL', 'THIRD_PARTY'))
);

create index idx_carriers_mc_number on carriers (mc_number);
create index idx_carriers_dot_number on carriers (dot_number);
create index idx_carriers_eligible on carriers (is_eligible) where is_eligible = true;
create index idx_carriers_status on carriers (operating_status, status);
create index idx_carriers_verified on carriers (last_verified_at);
create index idx_carriers_lookup on carriers (mc_number, is_eligible) where is_eligible = true;

comment on table carriers is 'Motor carriers and brokers that call about loads, with what is known of their authority, insurance and safety.';
comment on column carriers.carrier_id is 'Identifier of the carrier, a random UUID.';
comment on column carriers.mc_number is 'Motor carrier (MC) docket number without prefix: the number by which a caller identifies the company, unique.';
comment on column carriers.dot_number is 'USDOT number, if known.';
comment on column carriers.legal_name is 'Registered legal name of the company.';
comment on column carriers.dba_name is 'Trade name (doing business as), if it differs from the legal name.';
comment on column carriers.entity_type is 'What the company is registered as: CARRIER, BROKER or BOTH.';
comment on column carriers.operating_status is 'Operating authority: AUTHORIZED_FOR_HIRE, NOT_AUTHORIZED or OUT_OF_SERVICE.';
comment on column carriers.status is 'Whether business is done with the carrier: ACTIVE or INACTIVE.';
comment on column carriers.insurance_on_file is 'True when the required insurance is on file; null when nobody has looked yet, which counts as no.';
comment on column carriers.bipd_required is 'Required bodily injury and property damage cover, in US dollars.';
comment on column carriers.bipd_on_file is 'Bodily injury and property damage cover on file, in US dollars.';
comment on column carriers.cargo_required is 'Required cargo cover, in US dollars.';
comment on column carriers.cargo_on_file is 'Cargo cover on file, in US dollars.';
comment on column carriers.bond_required is 'Required surety bond, in US dollars.';
comment on column carriers.bond_on_file is 'Surety bond on file, in US dollars.';
comment on column carriers.safety_rating is 'Result of the last safety review: SATISFACTORY, CONDITIONAL or UNSATISFACTORY; null when the carrier is unrated.';
comment on column carriers.safety_rating_date is 'Day on which the safety rating was given.';
comment on column carriers.safety_scores is 'BASICs safety scores: an object of category name and score.';
comment on column carriers.primary_contact is 'Main contact: {name, phone, email, title}.';
comment on column carriers.address is 'Business address: {street, city, state, zip, country}.';
comment on column carriers.is_eligible is 'Computed: true when the carrier is AUTHORIZED_FOR_HIRE, ACTIVE and has insurance on file, otherwise false.';
comment on column carriers.eligibility_notes is 'Free text of staff on why the carrier may or may not haul.';
comment on column carriers.last_verified_at is 'When authority and insurance were last verified; null when never.';
comment on column carriers.verification_source is 'Where the last verification came from: EXTERNAL_API, MANUAL or THIRD_PARTY.';
comment on column carriers.created_at is 'When the row was stored.';
comment on column carriers.updated_at is 'When the row was last changed; set by a trigger.';
comment on column carriers.created_by is 'User or service that stored the row, as the application names it.';
comment on column carriers.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create table equipment_types (
  equipment_type_id uuid not null default gen_random_uuid(),
  name varchar(50) not null,
  category varchar(30),
  typical_capacity integer,
  dimensions varchar(50),
  requires_cdl boolean default true,
  special_endorsements text[],
  description text,
  is_active boolean default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint equipment_types_pkey primary key (equipment_type_id),
  constraint equipment_types_name_key unique (name),
  constraint equipment_types_category_check
    check (category in ('VAN', 'FLATBED', 'SPECIALIZED', 'POWER_ONLY')),
  constraint equipment_types_typical_capacity_check check (typical_capacity >= 0)
);

comment on table equipment_types is 'Reference list of trailer and truck types. Loads name their equipment freely; this list says what the usual names mean.';
comment on column equipment_types.equipment_type_id is 'Identifier of the equipment type, a random UUID.';
comment on column equipment_types.name is 'Name as used in loads.equipment_type, for example Reefer; unique.';
comment on column equipment_types.category is 'Group of the type: VAN, FLATBED, SPECIALIZED or POWER_ONLY.';
comment on column equipment_types.typical_capacity is 'Usual payload in pounds; null where the type has no trailer of its own.';
comment on column equipment_types.dimensions is 'Usual dimensions as text, for example 53ft x 8.5ft x 9ft.';
comment on column equipment_types.requires_cdl is 'True when the driver needs a commercial driver license.';
comment on column equipment_types.special_endorsements is 'License endorsements that are needed besides.';
comment on column equipment_types.description is 'Explanation for people.';
comment on column equipment_types.is_active is 'False for types that are no longer offered for new loads.';
comment on column equipment_types.created_at is 'When the row was stored.';
comment on column equipment_types.updated_at is 'When the row was last changed; set by a trigger.';
