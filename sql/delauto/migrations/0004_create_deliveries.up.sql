-- Deliveries and the trail of events each one leaves. What a delivery knows of its call and recording is tied to them
-- once both exist.

create table deliveries (
  id uuid default gen_random_uuid() not null,
  mongo_id varchar(24),
  customer_id uuid not null,
  agent_id uuid,
  address text not null,
  longitude double precision not null,
  latitude double precision not null,
  -- Derived from the two numbers, so that applications read and write numbers and the index still sees the globe.
  coordinates geography(Point, 4326)
    generated always as (st_setsrid(st_makepoint(longitude, latitude), 4326)::geography) stored not null,
  scheduled_time timestamptz not null,
  estimated_duration numeric default 30 not null,
  status text default 'scheduled' not null,
  -- Said only where it differs from the ordinary: null is a normal priority, and the only way to write one.
  priority text,
  -- The words sort alphabetically, which puts low between high and normal; the rank sorts by urgency.
  priority_rank smallint
    generated always as (case priority when 'low' then 1 when 'high' then 3 when 'urgent' then 4 else 2 end)
    stored not null,
  package_details_weight numeric,
  package_details_dimensions_length numeric,
  package_details_dimensions_width numeric,
  package_details_dimensions_height numeric,
  package_details_value numeric,
  package_details_fragile boolean default false not null,
  package_details_signature_required boolean default false not null,
  package_details_special_instructions text,
  call_log_id uuid,
  recording_id uuid,
  actual_delivery_time timestamptz,
  customer_feedback_rating numeric,
  customer_feedback_comments text,
  retry_count integer default 0 not null,
  max_retries integer default 3 not null,
  created_at timestamptz default current_timestamp not null,
  updated_at timestamptz default current_timestamp not null,

  constraint deliveries_pkey primary key (id),
  constraint deliveries_mongo_id_key unique (mongo_id),
  constraint deliveries_customer_id_fkey foreign key (customer_id) references customers (id),
  -- A delivery outlives the agent who leaves; it then waits for another one.
  constraint deliveries_agent_id_fkey foreign key (agent_id) references agents (id) on delete set null,
  constraint deliveries_address_check check (address <> ''),
  constraint deliveries_longitude_check check (longitude between -180 and 180),
  constraint deliveries_latitude_check check (latitude between -90 and 90),
  constraint deliveries_status_check
    check (status in ('scheduled', 'assigned', 'in_transit', 'completed', 'failed', 'cancelled')),
  constraint deliveries_priority_check check (priority in ('low', 'high', 'urgent')),
  constraint deliveries_customer_feedback_rating_check check (customer_feedback_rating between 1 and 5)
);

create index idx_deliveries_customer_id on deliveries (customer_id);
create index idx_deliveries_agent_id on deliveries (agent_id);
create index idx_deliveries_status on deliveries (status);
create index idx_deliveries_scheduled_time on deliveries (scheduled_time);
create index idx_deliveries_priority_rank on deliveries (priority_rank desc);
create index idx_deliveries_coordinates on deliveries using gist (coordinates);
create index idx_deliveries_fragile on deliveries (package_details_fragile);
create index idx_deliveries_created_at on deliveries (created_at desc);

comment on table deliveries is 'Parcels to be brought to customers: when, where, by whom, and what became of them.';
comment on column deliveries.id is
  'Key of the delivery; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column deliveries.mongo_id is 'The _id the delivery had in MongoDB; null for deliveries created since.';
comment on column deliveries.customer_id is 'Customer who receives the delivery.';
comment on column deliveries.agent_id is
  'Agent who has the delivery in hand; null while nobody is assigned, or after the agent was removed.';
comment on column deliveries.address is 'Where to deliver, as one line of text.';
comment on column deliveries.longitude is 'Longitude of the address, in degrees east.';
comment on column deliveries.latitude is 'Latitude of the address, in degrees north.';
comment on column deliveries.coordinates is
  'Point made from longitude and latitude (WGS 84), to find the nearest deliveries by; computed.';
comment on column deliveries.scheduled_time is 'When the delivery is due.';
comment on column deliveries.estimated_duration is 'How long the stop is expected to take, in minutes.';
comment on column deliveries.status is
  'How far the delivery is: scheduled, assigned, in_transit, and then completed, failed or cancelled (canceled for calls).';
comment on column deliveries.priority is 'How urgent the delivery is: low, high or urgent; null means normal.';
comment on column deliveries.priority_rank is
  'The priority as a number to sort and compare by: 1 low, 2 normal, 3 high, 4 urgent; computed.';
comment on column deliveries.package_details_weight is 'Weight of the parcel, in kilograms.';
comment on column deliveries.package_details_dimensions_length is
  'Length of the parcel; the unit is the application''s, by its figures centimetres.';
comment on column deliveries.package_details_dimensions_width is 'Width of the parcel, in the unit of the length.';
comment on column deliveries.package_details_dimensions_height is 'Height of the parcel, in the unit of the length.';
comment on column deliveries.package_details_value is
  'Monetary value of the contents, in the currency of the application.';
comment on column deliveries.package_details_fragile is 'Whether the contents break easily.';
comment on column deliveries.package_details_signature_required is 'Whether somebody has to sign for the parcel.';
comment on column deliveries.package_details_special_instructions is
  'What to mind with this parcel, in the sender''s words.';
comment on column deliveries.call_log_id is
  'The call about this delivery that counts at present, usually the latest; call_logs.delivery_id gives all of them.';
comment on column deliveries.recording_id is 'Recording of that call, if there is one.';
comment on column deliveries.actual_delivery_time is 'When the parcel was handed over; null until it was.';
comment on column deliveries.customer_feedback_rating is
  'How the customer rates the delivery, 1 (worst) to 5 (best); null without feedback.';
comment on column deliveries.customer_feedback_comments is 'What the customer said about the delivery.';
comment on column deliveries.retry_count is 'Attempts made after the first one; counted by the application.';
comment on column deliveries.max_retries is 'Attempts after the first one at which the application gives up.';
comment on column deliveries.created_at is
  'When the delivery was entered; imported rows keep the time MongoDB recorded.';
comment on column deliveries.updated_at is 'When the row last changed; set by a trigger on every update.';

create table delivery_tracking_events (
  delivery_id uuid not null,
  "position" integer not null,
  status text,
  "timestamp" timestamptz default current_timestamp not null,
  location jsonb,
  notes text,

  constraint delivery_tracking_events_pkey primary key (delivery_id, "position"),
  constraint delivery_tracking_events_delivery_id_fkey
    foreign key (delivery_id) references deliveries (id) on delete cascade,
  constraint delivery_tracking_events_position_check check ("position" >= 0)
);

comment on table delivery_tracking_events is
  'What happened to a delivery, step by step; the tracking_events array of the document, a row an element.';
comment on column delivery_tracking_events.delivery_id is 'Delivery the event belongs to, and is deleted with.';
comment on column delivery_tracking_events."position" is 'Place of the event in its delivery''s list, counted from 0.';
comment on column delivery_tracking_events.status is
  'What happened; by custom a delivery status, but the application may write anything.';
comment on column delivery_tracking_events."timestamp" is
  'When it happened; the time of recording unless the application says otherwise.';
comment on column delivery_tracking_events.location is
  'Where it happened, in whatever shape the device reported (often a GeoJSON Point); shown, never searched.';
comment on column delivery_tracking_events.notes is 'Remark of the agent or the application.';
