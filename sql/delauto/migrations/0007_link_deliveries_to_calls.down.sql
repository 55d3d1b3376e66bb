-- Opens the circle again, without which none of the three tables could be dropped.

drop index idx_deliveries_recording_id;
drop index idx_deliveries_call_log_id;

alter table deliveries
  drop constraint deliveries_recording_id_fkey,
  drop constraint deliveries_call_log_id_fkey;
