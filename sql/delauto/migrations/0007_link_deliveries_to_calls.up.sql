-- Closes the circle of deliveries, calls and recordings, now that all three exist. Deferred like the other references
-- of the circle; a delivery survives the deletion of its call and recording. The model had no index here: without one,
-- deleting a call or a recording would read all deliveries.
-- dbkit: allow=foreign-key-scan deliveries comes with the same release and is empty wherever this runs
-- dbkit: allow=index-not-concurrent deliveries comes with the same release and is empty wherever this runs

alter table deliveries
  add constraint deliveries_call_log_id_fkey
    foreign key (call_log_id) references call_logs (id) on delete set null deferrable initially deferred,
  add constraint deliveries_recording_id_fkey
    foreign key (recording_id) references recordings (id) on delete set null deferrable initially deferred;

create index idx_deliveries_call_log_id on deliveries (call_log_id);
create index idx_deliveries_recording_id on deliveries (recording_id);
