-- Exactly the way back: 'normal' is left unsaid again, every other priority stays as it is.

alter table deliveries
  drop constraint deliveries_priority_check,
  alter column priority drop not null,
  alter column priority drop default;

alter table deliveries disable trigger update_deliveries_updated_at;
update deliveries set priority = null where priority = 'normal';
alter table deliveries enable trigger update_deliveries_updated_at;

alter table deliveries
  add constraint deliveries_priority_check check (priority in ('low', 'high', 'urgent'));

comment on column deliveries.priority is 'How urgent the delivery is: low, high or urgent; null means normal.';
