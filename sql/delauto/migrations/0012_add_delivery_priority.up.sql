-- Every delivery says its priority: what was left unsaid becomes 'normal', which is what it meant. Until here null was
-- the only way to write a normal priority, so the way down can turn 'normal' back without losing a single one that
-- somebody chose.
-- dbkit: allow=scan-under-exclusive-lock deliveries comes with the same release and is empty wherever this runs
-- dbkit: allow=check-scan deliveries comes with the same release and is empty wherever this runs

alter table deliveries drop constraint deliveries_priority_check;

-- Writing down what was already so is no change to a delivery, and must not look like one in updated_at.
alter table deliveries disable trigger update_deliveries_updated_at;
update deliveries set priority = 'normal' where priority is null;
alter table deliveries enable trigger update_deliveries_updated_at;

alter table deliveries
  alter column priority set default 'normal',
  alter column priority set not null,
  add constraint deliveries_priority_check check (priority in ('low', 'normal', 'high', 'urgent'));

comment on column deliveries.priority is 'How urgent the delivery is: low, normal, high or urgent.';
