create or replace function public.log_audit_event(p_entity_type character varying, p_entity_id uuid, p_action character varying, p_actor_type character varying default 'system'::character varying, p_actor_id character varying default null::character varying, p_changes jsonb default null::jsonb, p_metadata jsonb default null::jsonb, p_ip_address inet default null::inet, p_user_agent text default null::text)
 returns uuid
 language sql
 set search_path to '$user', 'public'
as $function$
  insert into audit_logs
    (entity_type, entity_id, action, actor_type, actor_id, changes, metadata, ip_address, user_agent)
  values
    (p_entity_type, p_entity_id, p_action, p_actor_type, p_actor_id, p_changes, p_metadata, p_ip_address, p_user_agent)
  returning id
$function$;

comment on function public.log_audit_event(character varying, uuid, character varying, character varying, character varying, jsonb, jsonb, inet, text) is 'Adds an entry to audit_logs and returns its id. Runs in the transaction of the caller: what is rolled back is not logged.';
