create trigger audit_calls after insert or delete or update on public.calls for each row execute function public.audit_trigger_function('call_id', 'transcript');

comment on trigger audit_calls on public.calls is 'Writes each change into audit_log, without the transcript.';
