create trigger audit_api_keys after insert or delete or update on public.api_keys for each row execute function public.audit_trigger_function('api_key_id', 'key_hash');

comment on trigger audit_api_keys on public.api_keys is 'Writes each change into audit_log, without the hash of the key.';
