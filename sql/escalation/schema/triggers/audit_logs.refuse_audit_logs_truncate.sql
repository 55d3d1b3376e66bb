create trigger refuse_audit_logs_truncate before truncate on public.audit_logs for each statement execute function public.refuse_audit_logs_change();

comment on trigger refuse_audit_logs_truncate on public.audit_logs is 'Entries are never removed all at once either.';
