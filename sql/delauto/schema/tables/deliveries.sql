create table public.deliveries (
  id uuid default gen_random_uuid() not null,
  mongo_id character varying(24),
  customer_id uuid not null,
  agent_id uuid,
  address text not null,
  longitude double precision not null,
  latitude double precision not null,
  coordinates public.geography(Point,4326) generated always as ((public.st_setsrid(public.st_makepoint(longitude, latitude), 4326))::public.geography) stored not null,
  scheduled_time timestamp with time zone not null,
  estimated_duration numeric default 30 not null,
  status text default 'scheduled'::text not null,
  priority text default 'normal'::text not null,
  priority_rank smallint generated always as (
  case priority
      when 'low'::text then 1
      when 'high'::text then 3
      when 'urgent'::text then 4
      else 2
  end) stored not null,
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
  actual_delivery_time timestamp with time zone,
  customer_feedback_rating numeric,
  customer_feedback_comments text,
  retry_count integer default 0 not null,
  max_retries integer default 3 not null,
  created_at timestamp with time zone default current_timestamp not null,
  updated_at timestamp with time zone default current_timestamp not null,
  constraint deliveries_pkey primary key (id),
  constraint deliveries_mongo_id_key unique (mongo_id),
  constraint deliveries_address_check check ((address <> ''::text)),
  constraint deliveries_customer_feedback_rating_check check (((customer_feedback_rating >= (1)::numeric) and (customer_feedback_rating <= (5)::numeric))),
  constraint deliveries_latitude_check check (((latitude >= ('-90'::integer)::double precision) and (latitude <= (90)::double precision))),
  constraint deliveries_longitude_check check (((longitude >= ('-180'::integer)::double precision) and (longitude <= (180)::double precision))),
  constraint deliveries_priority_check check ((priority = any (array['low'::text, 'normal'::text, 'high'::text, 'urgent'::text]))),
  constraint deliveries_status_check check ((status = any (array['scheduled'::text, 'assigned'::text, 'in_transit'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
);

comment on table public.deliveries is 'Parcels to be brought to customers: when, where, by whom, and what became of them.';
comment on column public.deliveries.id is 'Key of the delivery; for imported rows derived from mongo_id, so that it can be computed again.';
comment on column public.deliveries.mongo_id is 'The _id the delivery had in MongoDB; null for deliveries created since.';
comment on column public.deliveries.customer_id is 'Customer who receives the delivery.';
comment on column public.deliveries.agent_id is 'Agent who has the delivery in hand; null while nobody is assigned, or after the agent was removed.';
comment on column public.deliveries.address is 'Where to deliver, as one line of text.';
comment on column public.deliveries.longitude is 'Longitude of the address, in degrees east.';
comment on column public.deliveries.latitude is 'Latitude of the address, in degrees north.';
comment on column public.deliveries.coordinates is 'Point made from longitude and latitude (WGS 84), to find the nearest deliveries by; computed.';
comment on column public.deliveries.scheduled_time is 'When the delivery is due.';
comment on column public.deliveries.estimated_duration is 'How long the stop is expected to take, in minutes.';
comment on column public.deliveries.status is 'How far the delivery is: scheduled, assigned, in_transit, and then completed, failed or cancelled (canceled for calls).';
comment on column public.deliveries.priority is 'How urgent the delivery is: low, normal, high or urgent.';
comment on column public.deliveries.priority_rank is 'The priority as a number to sort and compare by: 1 low, 2 normal, 3 high, 4 urgent; computed.';
comment on column public.deliveries.package_details_weight is 'Weight of the parcel, in kilograms.';
comment on column public.deliveries.package_details_dimensions_length is 'Length of the parcel; the unit is the application''s, by its figures centimetres.';
comment on column public.deliveries.package_details_dimensions_width is 'Width of the parcel, in the unit of the length.';
comment on column public.deliveries.package_details_dimensions_height is 'Height of the parcel, in the unit of the length.';
comment on column public.deliveries.package_details_value is 'Monetary value of the contents, in the currency of the application.';
comment on column public.deliveries.package_details_fragile is 'Whether the contents break easily.';
comment on column public.deliveries.package_details_signature_required is 'Whether somebody has to sign for the parcel.';
comment on column public.deliveries.package_details_special_instructions is 'What to mind with this parcel, in the sender''s words.';
comment on column public.deliveries.call_log_id is 'The call about this delivery that counts at present, usually the latest; call_logs.delivery_id gives all of them.';
comment on column public.deliveries.recording_id is 'Recording of that call, if there is one.';
comment on column public.deliveries.actual_delivery_time is 'When the parcel was handed over; null until it was.';
comment on column public.deliveries.customer_feedback_rating is 'How the customer rates the delivery, 1 (worst) to 5 (best); null without feedback.';
comment on column public.deliveries.customer_feedback_comments is 'What the customer said about the delivery.';
comment on column public.deliveries.retry_count is 'Attempts made after the first one; counted by the application.';
comment on column public.deliveries.max_retries is 'Attempts after the first one at which the application gives up.';
comment on column public.deliveries.created_at is 'When the delivery was entered; imported rows keep the time MongoDB recorded.';
comment on column public.deliveries.updated_at is 'When the row last changed; set by a trigger on every update.';

create index idx_deliveries_agent_id on public.deliveries using btree (agent_id);
create index idx_deliveries_call_log_id on public.deliveries using btree (call_log_id);
create index idx_deliveries_coordinates on public.deliveries using gist (coordinates);
create index idx_deliveries_created_at on public.deliveries using btree (created_at desc);
create index idx_deliveries_customer_id on public.deliveries using btree (customer_id);
create index idx_deliveries_fragile on public.deliveries using btree (package_details_fragile);
create index idx_deliveries_priority_rank on public.deliveries using btree (priority_rank desc);
create index idx_deliveries_recording_id on public.deliveries using btree (recording_id);
create index idx_deliveries_scheduled_time on public.deliveries using btree (scheduled_time);
create index idx_deliveries_status on public.deliveries using btree (status);

alter table public.deliveries add constraint deliveries_agent_id_fkey foreign key (agent_id) references public.agents(id) on delete set null;
alter table public.deliveries add constraint deliveries_call_log_id_fkey foreign key (call_log_id) references public.call_logs(id) on delete set null deferrable initially deferred;
alter table public.deliveries add constraint deliveries_customer_id_fkey foreign key (customer_id) references public.customers(id);
alter table public.deliveries add constraint deliveries_recording_id_fkey foreign key (recording_id) references public.recordings(id) on delete set null deferrable initially deferred;
