create view public.v_active_loads as
 select l.load_id,
    l.reference_number,
    l.external_id,
    l.origin_city,
    l.origin_state,
    l.origin_zip,
    l.origin_coordinates,
    l.origin_facility,
    l.destination_city,
    l.destination_state,
    l.destination_zip,
    l.destination_coordinates,
    l.destination_facility,
    l.pickup_date,
    l.pickup_time_start,
    l.pickup_time_end,
    l.pickup_appointment_required,
    l.delivery_date,
    l.delivery_time_start,
    l.delivery_time_end,
    l.delivery_appointment_required,
    l.equipment_type,
    l.equipment_requirements,
    l.weight,
    l.pieces,
    l.commodity_type,
    l.commodity_description,
    l.dimensions,
    l.hazmat,
    l.hazmat_class,
    l.miles,
    l.estimated_transit_hours,
    l.route_notes,
    l.loadboard_rate,
    l.fuel_surcharge,
    l.accessorials,
    l.total_rate,
    l.rate_per_mile,
    l.minimum_rate,
    l.maximum_rate,
    l.target_rate,
    l.auto_accept_threshold,
    l.broker_company,
    l.broker_contact,
    l.customer_name,
    l.status,
    l.status_changed_at,
    l.booked_by_carrier_id,
    l.booked_at,
    l.special_requirements,
    l.notes,
    l.internal_notes,
    l.urgency,
    l.priority_score,
    l.is_active,
    l.expires_at,
    l.source,
    l.created_at,
    l.updated_at,
    l.created_by,
    l.deleted_at,
    l.version,
    round((extract(epoch from (((l.pickup_date + coalesce(l.pickup_time_start, '00:00:00'::time without time zone)) at time zone 'UTC'::text) - now())) / (3600)::numeric), 2) as hours_until_pickup,
        case
            when (l.pickup_date <= (((now() at time zone 'UTC'::text))::date + 1)) then 'URGENT'::text
            when (l.pickup_date <= (((now() at time zone 'UTC'::text))::date + 3)) then 'SOON'::text
            else 'NORMAL'::text
        end as time_sensitivity,
    offers.times_negotiated,
    coalesce(offers.last_offer, l.loadboard_rate) as last_offered_rate
   from (public.loads l
     cross join lateral ( select count(*) as times_negotiated,
            (array_agg(n.carrier_offer order by n.created_at desc, n.session_start desc, n.round_number desc, n.negotiation_id desc))[1] as last_offer
           from public.negotiations n
          where (n.load_id = l.load_id)) offers)
  where (((l.status)::text = 'AVAILABLE'::text) and (l.is_active = true) and (l.deleted_at is null) and ((l.expires_at is null) or (l.expires_at > now())));

comment on view public.v_active_loads is 'Loads on offer now: AVAILABLE, active, not deleted and not expired, with urgency and the state of their negotiations. internal_notes is among the columns: leave it out of what carriers see.';
comment on column public.v_active_loads.load_id is 'Identifier of the load, a random UUID.';
comment on column public.v_active_loads.reference_number is 'Reference that people use on the phone, for example REF-001; unique, null until one is given.';
comment on column public.v_active_loads.external_id is 'Identifier of the load in the system it came from.';
comment on column public.v_active_loads.origin_city is 'City of the pickup.';
comment on column public.v_active_loads.origin_state is 'State of the pickup, two capital letters.';
comment on column public.v_active_loads.origin_zip is 'ZIP code of the pickup.';
comment on column public.v_active_loads.origin_coordinates is 'Position of the pickup in degrees: {lat, lng}.';
comment on column public.v_active_loads.origin_facility is 'Place of the pickup: {name, address, contact, hours}.';
comment on column public.v_active_loads.destination_city is 'City of the delivery.';
comment on column public.v_active_loads.destination_state is 'State of the delivery, two capital letters.';
comment on column public.v_active_loads.destination_zip is 'ZIP code of the delivery.';
comment on column public.v_active_loads.destination_coordinates is 'Position of the delivery in degrees: {lat, lng}.';
comment on column public.v_active_loads.destination_facility is 'Place of the delivery: {name, address, contact, hours}.';
comment on column public.v_active_loads.pickup_date is 'Day of the pickup.';
comment on column public.v_active_loads.pickup_time_start is 'Start of the pickup window; read as UTC, null means from midnight.';
comment on column public.v_active_loads.pickup_time_end is 'End of the pickup window; read as UTC.';
comment on column public.v_active_loads.pickup_appointment_required is 'True when the pickup needs an appointment.';
comment on column public.v_active_loads.delivery_date is 'Day of the delivery, not before the pickup.';
comment on column public.v_active_loads.delivery_time_start is 'Start of the delivery window; read as UTC.';
comment on column public.v_active_loads.delivery_time_end is 'End of the delivery window; read as UTC.';
comment on column public.v_active_loads.delivery_appointment_required is 'True when the delivery needs an appointment.';
comment on column public.v_active_loads.equipment_type is 'Equipment that is asked for, usually a name of equipment_types; other names are allowed.';
comment on column public.v_active_loads.equipment_requirements is 'What the equipment must bring: an object such as {tarps, straps, temp_control}.';
comment on column public.v_active_loads.weight is 'Weight in pounds.';
comment on column public.v_active_loads.pieces is 'Number of pieces.';
comment on column public.v_active_loads.commodity_type is 'Kind of goods.';
comment on column public.v_active_loads.commodity_description is 'The goods in more words.';
comment on column public.v_active_loads.dimensions is 'Length x width x height of the freight, as text.';
comment on column public.v_active_loads.hazmat is 'True for hazardous material.';
comment on column public.v_active_loads.hazmat_class is 'Hazard class when hazmat is true.';
comment on column public.v_active_loads.miles is 'Distance in miles; 0 when unknown.';
comment on column public.v_active_loads.estimated_transit_hours is 'Expected time on the road, in hours.';
comment on column public.v_active_loads.route_notes is 'Remarks on the route.';
comment on column public.v_active_loads.loadboard_rate is 'Rate shown on the load board, in US dollars, without fuel surcharge.';
comment on column public.v_active_loads.fuel_surcharge is 'Fuel surcharge in US dollars; null counts as 0.';
comment on column public.v_active_loads.accessorials is 'Extra charges: [{type, amount, description}], amounts in US dollars; not part of total_rate.';
comment on column public.v_active_loads.total_rate is 'Computed: load board rate plus fuel surcharge, in US dollars.';
comment on column public.v_active_loads.rate_per_mile is 'Computed: total rate by miles, in US dollars per mile; 0 when miles is 0.';
comment on column public.v_active_loads.minimum_rate is 'Lowest rate to be offered in a negotiation, in US dollars.';
comment on column public.v_active_loads.maximum_rate is 'Highest rate that may be agreed, in US dollars.';
comment on column public.v_active_loads.target_rate is 'Rate that the negotiation aims at, in US dollars.';
comment on column public.v_active_loads.auto_accept_threshold is 'Offers up to this rate are accepted without asking, in US dollars.';
comment on column public.v_active_loads.broker_company is 'Broker that offers the load.';
comment on column public.v_active_loads.broker_contact is 'Contact at the broker: {name, phone, email}.';
comment on column public.v_active_loads.customer_name is 'Shipper on whose behalf the load moves.';
comment on column public.v_active_loads.status is 'AVAILABLE, PENDING, BOOKED, IN_TRANSIT, DELIVERED or CANCELLED.';
comment on column public.v_active_loads.status_changed_at is 'When status was last changed; set by the application together with status.';
comment on column public.v_active_loads.booked_by_carrier_id is 'Carrier that booked the load; set by the application at the booking.';
comment on column public.v_active_loads.booked_at is 'When the load was booked; set by the application.';
comment on column public.v_active_loads.special_requirements is 'Requirements to be read to the carrier, one an element.';
comment on column public.v_active_loads.notes is 'Notes that carriers may see.';
comment on column public.v_active_loads.internal_notes is 'Notes for staff; must not be shown to carriers.';
comment on column public.v_active_loads.urgency is 'LOW, NORMAL, HIGH or CRITICAL; raises the highest rate of a negotiation.';
comment on column public.v_active_loads.priority_score is 'Priority from 0 (lowest) to 100 (highest).';
comment on column public.v_active_loads.is_active is 'False when the load is withdrawn from the offer without being deleted.';
comment on column public.v_active_loads.expires_at is 'When the offer ends; null when it does not.';
comment on column public.v_active_loads.source is 'Where the load came from, for example DAT, MANUAL or API; an open list.';
comment on column public.v_active_loads.created_at is 'When the row was stored.';
comment on column public.v_active_loads.updated_at is 'When the row was last changed; set by a trigger.';
comment on column public.v_active_loads.created_by is 'User or service that stored the row, as the application names it.';
comment on column public.v_active_loads.deleted_at is 'When the load was deleted softly; null while it is there.';
comment on column public.v_active_loads.version is 'Number of the row state, from 1, counted up by a trigger on each update; put it into the WHERE of an update to detect a concurrent change.';
comment on column public.v_active_loads.hours_until_pickup is 'Hours until the start of the pickup window, negative when it has passed; a load without a window counts from midnight UTC.';
comment on column public.v_active_loads.time_sensitivity is 'URGENT when the pickup is tomorrow or earlier, SOON within three days, otherwise NORMAL.';
comment on column public.v_active_loads.times_negotiated is 'Rounds of negotiation about the load so far.';
comment on column public.v_active_loads.last_offered_rate is 'Offer of the latest round, in US dollars; the load board rate when there was none.';
