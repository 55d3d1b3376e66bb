create or replace function public.audit_trigger_function()
 returns trigger
 language plpgsql
 security definer
 set search_path to 'pg_catalog', 'pg_temp'
 set "TimeZone" to 'UTC'
as $function$
declare
  v_old jsonb;
  v_new jsonb;
  v_changed jsonb;
  v_record_id uuid;
  -- After a transaction with SET LOCAL a setting reads as an empty string, not as null, for the rest of the session.
  v_user_id text := nullif(current_setting('app.current_user_id', true), '');
  v_api_key_text text := nullif(current_setting('app.current_api_key_id', true), '');
  v_ip_text text := nullif(current_setting('app.current_ip_address', true), '');
  v_user_agent text := nullif(current_setting('app.current_user_agent', true), '');
  v_api_key_id uuid;
  v_ip_address inet;
begin
  if tg_op <> 'INSERT' then
    v_old := to_jsonb(old) - tg_argv[1:];
  end if;
  if tg_op <> 'DELETE' then
    v_new := to_jsonb(new) - tg_argv[1:];
  end if;
  if tg_op = 'UPDATE' then
    select coalesce(jsonb_object_agg(field.key, field.value), '{}')
    into v_changed
    from jsonb_each(v_new) as field
    where field.value is distinct from v_old -> field.key;
  end if;

  v_record_id := (coalesce(v_new, v_old) ->> tg_argv[0])::uuid;
  if v_record_id is null then
    raise exception 'trigger % on table % must name the primary key column of the table as its first argument',
      tg_name, tg_table_name;
  end if;

  -- Whatever a client puts into the settings, the change itself must not fail because of it.
  if v_api_key_text is not null then
    begin
      execute format('select api_key_id from %I.api_keys where api_key_id = $1 for key share', tg_table_schema)
      into v_api_key_id
      using v_api_key_text::uuid;
    exception
      when invalid_text_representation then
        v_api_key_id := null;
    end;
  end if;
  if v_ip_text is not null then
    begin
      v_ip_address := v_ip_text::inet;
    exception
      when invalid_text_representation then
        v_ip_address := null;
    end;
  end if;

  execute format(
    'insert into %I.audit_log
       (table_name, record_id, action, changed_fields, old_values, new_values, user_id, api_key_id, ip_address, user_agent)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    tg_table_schema
  )
  using tg_table_name, v_record_id, tg_op, v_changed, v_old, v_new, left(v_user_id, 100), v_api_key_id, v_ip_address,
    v_user_agent;
  return null;
end;
$function$;

comment on function public.audit_trigger_function() is 'After a change of a row: writes it into audit_log of the same schema. The first trigger argument names the uuid primary key column; columns named by further arguments never enter the log. Who made the change is read from the settings app.current_user_id, app.current_api_key_id, app.current_ip_address and app.current_user_agent.';
