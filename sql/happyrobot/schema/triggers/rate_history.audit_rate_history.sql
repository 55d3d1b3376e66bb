create trigger audit_rate_history after insert or delete or update on public.rate_history for each row execute function public.audit_trigger_function('rate_history_id');

comment on trigger audit_rate_history on public.rate_history is 'Writes each change into audit_log.';
