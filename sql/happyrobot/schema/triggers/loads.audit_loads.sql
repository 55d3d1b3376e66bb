create trigger audit_loads after insert or delete or update on public.loads for each row execute function public.audit_trigger_function('load_id');

comment on trigger audit_loads on public.loads is 'Writes each change into audit_log.';
