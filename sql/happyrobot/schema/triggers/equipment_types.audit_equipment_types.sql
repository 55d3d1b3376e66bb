create trigger audit_equipment_types after insert or delete or update on public.equipment_types for each row execute function public.audit_trigger_function('equipment_type_id');

comment on trigger audit_equipment_types on public.equipment_types is 'Writes each change into audit_log.';
