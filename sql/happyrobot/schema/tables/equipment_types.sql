create table public.equipment_types (
  equipment_type_id uuid default gen_random_uuid() not null,
  name character varying(50) not null,
  category character varying(30),
  typical_capacity integer,
  dimensions character varying(50),
  requires_cdl boolean default true,
  special_endorsements text[],
  description text,
  is_active boolean default true,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint equipment_types_pkey primary key (equipment_type_id),
  constraint equipment_types_name_key unique (name),
  constraint equipment_types_category_check check (((category)::text = any (array['VAN'::character varying, 'FLATBED'::character varying, 'SPECIALIZED'::character varying, 'POWER_ONLY'::character varying]))),
  constraint equipment_types_typical_capacity_check check ((typical_capacity >= 0))
);

comment on table public.equipment_types is 'Reference list of trailer and truck types. Loads name their equipment freely; this list says what the usual names mean.';
comment on column public.equipment_types.equipment_type_id is 'Identifier of the equipment type, a random UUID.';
comment on column public.equipment_types.name is 'Name as used in loads.equipment_type, for example Reefer; unique.';
comment on column public.equipment_types.category is 'Group of the type: VAN, FLATBED, SPECIALIZED or POWER_ONLY.';
comment on column public.equipment_types.typical_capacity is 'Usual payload in pounds; null where the type has no trailer of its own.';
comment on column public.equipment_types.dimensions is 'Usual dimensions as text, for example 53ft x 8.5ft x 9ft.';
comment on column public.equipment_types.requires_cdl is 'True when the driver needs a commercial driver license.';
comment on column public.equipment_types.special_endorsements is 'License endorsements that are needed besides.';
comment on column public.equipment_types.description is 'Explanation for people.';
comment on column public.equipment_types.is_active is 'False for types that are no longer offered for new loads.';
comment on column public.equipment_types.created_at is 'When the row was stored.';
comment on column public.equipment_types.updated_at is 'When the row was last changed; set by a trigger.';
