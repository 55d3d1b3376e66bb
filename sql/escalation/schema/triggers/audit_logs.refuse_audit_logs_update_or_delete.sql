create trigger refuse_audit_logs_update_or_delete before delete or update on public.audit_logs for each row execute function public.refuse_audit_logs_change();

comment on trigger refuse_audit_logs_update_or_delete on public.audit_logs is 'Entries are never changed or removed.';
