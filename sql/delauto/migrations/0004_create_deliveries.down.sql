-- Child before parent; the indexes, constraints and comments go with their tables.

drop table delivery_tracking_events;
drop table deliveries;
