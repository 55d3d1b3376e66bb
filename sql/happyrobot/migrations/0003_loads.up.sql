-- Loads know the carrier that booked them, so they follow the carriers.

create table loads (
  load_id uuid not null default gen_random_uuid(),
  reference_number varchar(50),
  external_id varchar(100),
  origin_city varchar(100) not null,
  origin_state char(2) not null,
  origin_zip varchar(10),
  origin_coordinates jsonb,
  origin_facility jsonb,
  destination_city varchar(100) not null,
  destination_state char(2) not null,
  destination_zip varchar(10),
  destination_coordinates jsonb,
  destination_facility jsonb,
  pickup_date date not null,
  pickup_time_start time,
  pickup_time_end time,
  pickup_appointment_required boolean default false,
  delivery_date date not null,
  delivery_time_start time,
  delivery_time_end time,
  delivery_appointment_required boolean default false,
  equipment_type varchar(50) not null,
  equipment_requirements jsonb,
  weight integer not null,
  pieces integer,
  commodity_type varchar(100),
  commodity_description text,
  dimensions varchar(100),
  hazmat boolean default false,
  hazmat_class varchar(20),
  miles integer not null,
  estimated_transit_hours integer,
  route_notes text,
  loadboard_rate numeric(10, 2) not null,
  fuel_surcharge numeric(10, 2) default 0,
  accessorials jsonb,
  total_rate numeric(10, 2) generated always as (loadboard_rate + coalesce(fuel_surcharge, 0)) stored,
  -- Twelve digits hold the dearest total rate over a single mile.
  rate_per_mile numeric(12, 4) generated always as (
    case when miles > 0 then (loadboard_rate + coalesce(fuel_surcharge, 0)) / miles else 0 end
  ) stored,
  minimum_rate numeric(10, 2),
  maximum_rate numeric(10, 2),
  target_rate numeric(10, 2),
  auto_accept_threshold numeric(10, 2),
  broker_company varchar(255),
  broker_contact jsonb,
  customer_name varchar(255),
  status varchar(30) not null default 'AVAILABLE',
  status_changed_at timestamptz default now(),
  booked_by_carrier_id uuid,
  booked_at timestamptz,
  special_requirements text[],
  notes text,
  internal_notes text,
  urgency varchar(20) default 'NORMAL',
  priority_score integer default 50,
  is_active boolean default true,
  expires_at timestamptz,
  source varchar(50),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by varchar(100),
  deleted_at timestamptz,
  version integer default 1,
  constraint loads_pkey primary key (load_id),
  constraint loads_reference_number_key unique (reference_number),
  constraint loads_booked_by_carrier_id_fkey foreign key (booked_by_carrier_id) references carriers (carrier_id),
  constraint loads_origin_state_check check (origin_state ~ '^[A-Z]{2}$'),
  constraint loads_destination_state_check check (destination_state ~ '^[A-Z]{2}$'),
  constraint loads_delivery_date_check check (delivery_date >= pickup_date),
  constraint loads_weight_check check (weight >= 0),
  constraint loads_pieces_check check (pieces >= 0),
  constraint loads_miles_check check (miles >= 0),
  constraint loads_estimated_transit_hours_check check (estimated_transit_hours >= 0),
  constraint loads_loadboard_rate_check check (loadboard_rate >= 0),
  constraint loads_status_check
    check (status in ('AVAILABLE', 'PENDING', 'BOOKED', 'IN_TRANSIT', 'DELIVERED', 'CANCELLED')),
  constraint loads_urgency_check check (urgency in ('LOW', 'NORMAL', 'HIGH', 'CRITICAL')),
  constraint loads_priority_score_check check (priority_score between 0 and 100)
);

create index idx_loads_reference on loads (reference_number);
create index idx_loads_status on loads (status) where status = 'AVAILABLE';
create index idx_loads_equipment on loads (equipment_type);
create index idx_loads_origin on loads (origin_state, origin_city);
create index idx_loads_destination on loads (destination_state, destination_city);
create index idx_loads_pickup_date on loads (pickup_date);
create index idx_loads_miles on loads (miles);
create index idx_loads_rate on loads (loadboard_rate);
create index idx_loads_rpm on loads (rate_per_mile);
create index idx_loads_active on loads (is_active, expires_at) where is_active = true and deleted_at is null;
create index idx_loads_booked on loads (booked_by_carrier_id, booked_at);
create index idx_loads_search on loads (equipment_type, origin_state, pickup_date, status)
  where status = 'AVAILABLE' and is_active = true;

comment on table loads is 'Freight that is offered to carriers, from the offer to the delivery.';
comment on column loads.load_id is 'Identifier of the load, a random UUID.';
comment on column loads.reference_number is 'Reference that people use on the phone, for example REF-001; unique, null until one is given.';
comment on column loads.external_id is 'Identifier of the load in the system it came from.';
comment on column loads.origin_city is 'City of the pickup.';
comment on column loads.origin_state is 'State of the pickup, two capital letters.';
comment on column loads.origin_zip is 'ZIP code of the pickup.';
comment on column loads.origin_coordinates is 'Position of the pickup in degrees: {lat, lng}.';
comment on column loads.origin_facility is 'Place of the pickup: {name, address, contact, hours}.';
comment on column loads.destination_city is 'City of the delivery.';
comment on column loads.destination_state is 'State of the delivery, two capital letters.';
comment on column loads.destination_zip is 'ZIP code of the delivery.';
comment on column loads.destination_coordinates is 'Position of the delivery in degrees: {lat, lng}.';
comment on column loads.destination_facility is 'Place of the delivery: {name, address, contact, hours}.';
comment on column loads.pickup_date is 'Day of the pickup.';
comment on column loads.pickup_time_start is 'Start of the pickup window; read as UTC, null means from midnight.';
comment on column loads.pickup_time_end is 'End of the pickup window; read as UTC.';
comment on column loads.pickup_appointment_required is 'True when the pickup needs an appointment.';
comment on column loads.delivery_date is 'Day of the delivery, not before the pickup.';
comment on column loads.delivery_time_start is 'Start of the delivery window; read as UTC.';
comment on column loads.delivery_time_end is 'End of the delivery window; read as UTC.';
comment on column loads.delivery_appointment_required is 'True when the delivery needs an appointment.';
comment on column loads.equipment_type is 'Equipment that is asked for, usually a name of equipment_types; other names are allowed.';
comment on column loads.equipment_requirements is 'What the equipment must bring: an object such as {tarps, straps, temp_control}.';
comment on column loads.weight is 'Weight in pounds.';
comment on column loads.pieces is 'Number of pieces.';
comment on column loads.commodity_type is 'Kind of goods.';
comment on column loads.commodity_description is 'The goods in more words.';
comment on column loads.dimensions is 'Length x width x height of the freight, as text.';
comment on column loads.hazmat is 'True for hazardous material.';
comment on column loads.hazmat_class is 'Hazard class when hazmat is true.';
comment on column loads.miles is 'Distance in miles; 0 when unknown.';
comment on column loads.estimated_transit_hours is 'Expected time on the road, in hours.';
comment on column loads.route_notes is 'Remarks on the route.';
comment on column loads.loadboard_rate is 'Rate shown on the load board, in US dollars, without fuel surcharge.';
comment on column loads.fuel_surcharge is 'Fuel surcharge in US dollars; null counts as 0.';
comment on column loads.accessorials is 'Extra charges: [{type, amount, description}], amounts in US dollars; not part of total_rate.';
comment on column loads.total_rate is 'Computed: load board rate plus fuel surcharge, in US dollars.';
comment on column loads.rate_per_mile is 'Computed: total rate by miles, in US dollars per mile; 0 when miles is 0.';
comment on column loads.minimum_rate is 'Lowest rate to be offered in a negotiation, in US dollars.';
comment on column loads.maximum_rate is 'Highest rate that may be agreed, in US dollars.';
comment on column loads.target_rate is 'Rate that the negotiation aims at, in US dollars.';
comment on column loads.auto_accept_threshold is 'Offers up to this rate are accepted without asking, in US dollars.';
comment on column loads.broker_company is 'Broker that offers the load.';
comment on column loads.broker_contact is 'Contact at the broker: {name, phone, email}.';
comment on column loads.customer_name is 'Shipper on whose behalf the load moves.';
comment on column loads.status is 'AVAILABLE, PENDING, BOOKED, IN_TRANSIT, DELIVERED or CANCELLED.';
comment on column loads.status_changed_at is 'When status was last changed; set by the application together with status.';
comment on column loads.booked_by_carrier_id is 'Carrier that booked the load; set by the application at the booking.';
comment on column loads.booked_at is 'When the load was booked; set by the application.';
comment on column loads.special_requirements is 'Requirements to be read to the carrier, one an element.';
comment on column loads.notes is 'Notes that carriers may see.';
comment on column loads.internal_notes is 'Notes for staff; must not be shown to carriers.';
comment on column loads.urgency is 'LOW, NORMAL, HIGH or CRITICAL; raises the highest rate of a negotiation.';
comment on column loads.priority_score is 'Priority from 0 (lowest) to 100 (highest).';
comment on column loads.is_active is 'False when the load is withdrawn from the offer without being deleted.';
comment on column loads.expires_at is 'When the offer ends; null when it does not.';
comment on column loads.source is 'Where the load came from, for example DAT, MANUAL or API; an open list.';
comment on column loads.created_at is 'When the row was stored.';
comment on column loads.updated_at is 'When the row was last changed; set by a trigger.';
comment on column loads.created_by is 'User or service that stored the row, as the application names it.';
comment on column loads.deleted_at is 'When the load was deleted softly; null while it is there.';
comment on column loads.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';
