create trigger audit_carriers after insert or delete or update on public.carriers for each row execute function public.audit_trigger_function('carrier_id');

comment on trigger audit_carriers on public.carriers is 'Writes each change into audit_log.';
