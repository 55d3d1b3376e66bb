create table public.delivery_tracking_events (
  delivery_id uuid not null,
  "position" integer not null,
  status text,
  "timestamp" timestamp with time zone default current_timestamp not null,
  location jsonb,
  notes text,
  constraint delivery_tracking_events_pkey primary key (delivery_id, "position"),
  constraint delivery_tracking_events_position_check check (("position" >= 0))
);

comment on table public.delivery_tracking_events is 'What happened to a delivery, step by step; the tracking_events array of the document, a row an element.';
comment on column public.delivery_tracking_events.delivery_id is 'Delivery the event belongs to, and is deleted with.';
comment on column public.delivery_tracking_events."position" is 'Place of the event in its delivery''s list, counted from 0.';
comment on column public.delivery_tracking_events.status is 'What happened; by custom a delivery status, but the application may write anything.';
comment on column public.delivery_tracking_events."timestamp" is 'When it happened; the time of recording unless the application says otherwise.';
comment on column public.delivery_tracking_events.location is 'Where it happened, in whatever shape the device reported (often a GeoJSON Point); shown, never searched.';
comment on column public.delivery_tracking_events.notes is 'Remark of the agent or the application.';

alter table public.delivery_tracking_events add constraint delivery_tracking_events_delivery_id_fkey foreign key (delivery_id) references public.deliveries(id) on delete cascade;
