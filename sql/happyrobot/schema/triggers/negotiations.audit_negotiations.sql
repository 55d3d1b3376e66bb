create trigger audit_negotiations after insert or delete or update on public.negotiations for each row execute function public.audit_trigger_function('negotiation_id');

comment on trigger audit_negotiations on public.negotiations is 'Writes each change into audit_log.';
