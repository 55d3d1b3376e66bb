create table public.loads (
  load_id uuid default gen_random_uuid() not null,
  reference_number character varying(50),
  external_id character varying(100),
  origin_city character varying(100) not null,
  origin_state character(2) not null,
  origin_zip character varying(10),
  origin_coordinates jsonb,
  origin_facility jsonb,
  destination_city character varying(100) not null,
  destination_state character(2) not null,
  destination_zip character varying(10),
  destination_coordinates jsonb,
  destination_facility jsonb,
  pickup_date date not null,
  pickup_time_start time without time zone,
  pickup_time_end time without time zone,
  pickup_appointment_required boolean default false,
  delivery_date date not null,
  delivery_time_start time without time zone,
  delivery_time_end time without time zone,
  delivery_appointment_required boolean default false,
  equipment_type character varying(50) not null,
  equipment_requirements jsonb,
  weight integer not null,
  pieces integer,
  commodity_type character varying(100),
  commodity_description text,
  dimensions character varying(100),
  hazmat boolean default false,
  hazmat_class character varying(20),
  miles integer not null,
  estimated_transit_hours integer,
  route_notes text,
  loadboard_rate numeric(10,2) not null,
  fuel_surcharge numeric(10,2) default 0,
  accessorials jsonb,
  total_rate numeric(10,2) generated always as (loadboard_rate + coalesce(fuel_surcharge, (0)::numeric)) stored,
  rate_per_mile numeric(12,4) generated always as (
  case
      when (miles > 0) then ((loadboard_rate + coalesce(fuel_surcharge, (0)::numeric)) / (miles)::numeric)
      else (0)::numeric
  end) stored,
  minimum_rate numeric(10,2),
  maximum_rate numeric(10,2),
  target_rate numeric(10,2),
  auto_accept_threshold numeric(10,2),
  broker_company character varying(255),
  broker_contact jsonb,
  customer_name character varying(255),
  status character varying(30) default 'AVAILABLE'::character varying not null,
  status_changed_at timestamp with time zone default now(),
  booked_by_carrier_id uuid,
  booked_at timestamp with time zone,
  special_requirements text[],
  notes text,
  internal_notes text,
  urgency character varying(20) default 'NORMAL'::character varying,
  priority_score integer default 50,
  is_active boolean default true,
  expires_at timestamp with time zone,
  source character varying(50),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  created_by character varying(100),
  deleted_at timestamp with time zone,
  version integer default 1,
  constraint loads_pkey primary key (load_id),
  constraint loads_reference_number_key unique (reference_number),
  constraint loads_delivery_date_check check ((delivery_date >= pickup_date)),
  constraint loads_destination_state_check check ((destination_state ~ '^[A-Z]{2}$'::text)),
  constraint loads_estimated_transit_hours_check check ((estimated_transit_hours >= 0)),
  constraint loads_loadboard_rate_check check ((loadboard_rate >= (0)::numeric)),
  constraint loads_miles_check check ((miles >= 0)),
  constraint loads_origin_state_check check ((origin_state ~ '^[A-Z]{2}$'::text)),
  constraint loads_pieces_check check ((pieces >= 0)),
  constraint loads_priority_score_check check (((priority_score >= 0) and (priority_score <= 100))),
  constraint loads_status_check check (((status)::text = any (array['AVAILABLE'::character varying, 'PENDING'::character varying, 'BOOKED'::character varying, 'IN_TRANSIT'::character varying, 'DELIVERED'::character varying, 'CANCELLED'::character varying]))),
  constraint loads_urgency_check check (((urgency)::text = any (array['LOW'::character varying, 'NORMAL'::character varying, 'HIGH'::character varying, 'CRITICAL'::character varying]))),
  constraint loads_weight_check check ((weight >= 0))
);

comment on table public.loads is 'Freight that is offered to carriers, from the offer to the delivery.';
comment on column public.loads.load_id is 'Identifier of the load, a random UUID.';
comment on column public.loads.reference_number is 'Reference that people use on the phone, for example REF-001; unique, null until one is given.';
comment on column public.loads.external_id is 'Identifier of the load in the system it came from.';
comment on column public.loads.origin_city is 'City of the pickup.';
comment on column public.loads.origin_state is 'State of the pickup, two capital letters.';
comment on column public.loads.origin_zip is 'ZIP code of the pickup.';
comment on column public.loads.origin_coordinates is 'Position of the pickup in degrees: {lat, lng}.';
comment on column public.loads.origin_facility is 'Place of the pickup: {name, address, contact, hours}.';
comment on column public.loads.destination_city is 'City of the delivery.';
comment on column public.loads.destination_state is 'State of the delivery, two capital letters.';
comment on column public.loads.destination_zip is 'ZIP code of the delivery.';
comment on column public.loads.destination_coordinates is 'Position of the delivery in degrees: {lat, lng}.';
comment on column public.loads.destination_facility is 'Place of the delivery: {name, address, contact, hours}.';
comment on column public.loads.pickup_date is 'Day of the pickup.';
comment on column public.loads.pickup_time_start is 'Start of the pickup window; read as UTC, null means from midnight.';
comment on column public.loads.pickup_time_end is 'End of the pickup window; read as UTC.';
comment on column public.loads.pickup_appointment_required is 'True when the pickup needs an appointment.';
comment on column public.loads.delivery_date is 'Day of the delivery, not before the pickup.';
comment on column public.loads.delivery_time_start is 'Start of the delivery window; read as UTC.';
comment on column public.loads.delivery_time_end is 'End of the delivery window; read as UTC.';
comment on column public.loads.delivery_appointment_required is 'True when the delivery needs an appointment.';
comment on column public.loads.equipment_type is 'Equipment that is asked for, usually a name of equipment_types; other names are allowed.';
comment on column public.loads.equipment_requirements is 'What the equipment must bring: an object such as {tarps, straps, temp_control}.';
comment on column public.loads.weight is 'Weight in pounds.';
comment on column public.loads.pieces is 'Number of pieces.';
comment on column public.loads.commodity_type is 'Kind of goods.';
comment on column public.loads.commodity_description is 'The goods in more words.';
comment on column public.loads.dimensions is 'Length x width x height of the freight, as text.';
comment on column public.loads.hazmat is 'True for hazardous material.';
comment on column public.loads.hazmat_class is 'Hazard class when hazmat is true.';
comment on column public.loads.miles is 'Distance in miles; 0 when unknown.';
comment on column public.loads.estimated_transit_hours is 'Expected time on the road, in hours.';
comment on column public.loads.route_notes is 'Remarks on the route.';
comment on column public.loads.loadboard_rate is 'Rate shown on the load board, in US dollars, without fuel surcharge.';
comment on column public.loads.fuel_surcharge is 'Fuel surcharge in US dollars; null counts as 0.';
comment on column public.loads.accessorials is 'Extra charges: [{type, amount, description}], amounts in US dollars; not part of total_rate.';
comment on column public.loads.total_rate is 'Computed: load board rate plus fuel surcharge, in US dollars.';
comment on column public.loads.rate_per_mile is 'Computed: total rate by miles, in US dollars per mile; 0 when miles is 0.';
comment on column public.loads.minimum_rate is 'Lowest rate to be offered in a negotiation, in US dollars.';
comment on column public.loads.maximum_rate is 'Highest rate that may be agreed, in US dollars.';
comment on column public.loads.target_rate is 'Rate that the negotiation aims at, in US dollars.';
comment on column public.loads.auto_accept_threshold is 'Offers up to this rate are accepted without asking, in US dollars.';
comment on column public.loads.broker_company is 'Broker that offers the load.';
comment on column public.loads.broker_contact is 'Contact at the broker: {name, phone, email}.';
comment on column public.loads.customer_name is 'Shipper on whose behalf the load moves.';
comment on column public.loads.status is 'AVAILABLE, PENDING, BOOKED, IN_TRANSIT, DELIVERED or CANCELLED.';
comment on column public.loads.status_changed_at is 'When status was last changed; set by the application together with status.';
comment on column public.loads.booked_by_carrier_id is 'Carrier that booked the load; set by the application at the booking.';
comment on column public.loads.booked_at is 'When the load was booked; set by the application.';
comment on column public.loads.special_requirements is 'Requirements to be read to the carrier, one an element.';
comment on column public.loads.notes is 'Notes that carriers may see.';
comment on column public.loads.internal_notes is 'Notes for staff; must not be shown to carriers.';
comment on column public.loads.urgency is 'LOW, NORMAL, HIGH or CRITICAL; raises the highest rate of a negotiation.';
comment on column public.loads.priority_score is 'Priority from 0 (lowest) to 100 (highest).';
comment on column public.loads.is_active is 'False when the load is withdrawn from the offer without being deleted.';
comment on column public.loads.expires_at is 'When the offer ends; null when it does not.';
comment on column public.loads.source is 'Where the load came from, for example DAT, MANUAL or API; an open list.';
comment on column public.loads.created_at is 'When the row was stored.';
comment on column public.loads.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.loads.created_by is 'User or service that stored the row, as the application names it.';
comment on column public.loads.deleted_at is 'When the load was deleted softly; null while it is there.';
comment on column public.loads.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';

create index idx_loads_active on public.loads using btree (is_active, expires_at) where ((is_active = true) and (deleted_at is null));
create index idx_loads_booked on public.loads using btree (booked_by_carrier_id, booked_at);
create index idx_loads_destination on public.loads using btree (destination_state, destination_city);
create index idx_loads_equipment on public.loads using btree (equipment_type);
create index idx_loads_miles on public.loads using btree (miles);
create index idx_loads_offers on public.loads using btree (equipment_type, expires_at) where (((status)::text = 'AVAILABLE'::text) and (is_active = true) and (deleted_at is null));

comment on index public.idx_loads_offers is 'Offers by equipment alone.';

create index idx_loads_origin on public.loads using btree (origin_state, origin_city);
create index idx_loads_pickup_date on public.loads using btree (pickup_date);
create index idx_loads_rate on public.loads using btree (loadboard_rate);
create index idx_loads_reference on public.loads using btree (reference_number);
create index idx_loads_rpm on public.loads using btree (rate_per_mile);
create index idx_loads_search on public.loads using btree (equipment_type, origin_state, pickup_date, status) where (((status)::text = 'AVAILABLE'::text) and (is_active = true));
create index idx_loads_status on public.loads using btree (status) where ((status)::text = 'AVAILABLE'::text);

alter table public.loads add constraint loads_booked_by_carrier_id_fkey foreign key (booked_by_carrier_id) references public.carriers(carrier_id);
