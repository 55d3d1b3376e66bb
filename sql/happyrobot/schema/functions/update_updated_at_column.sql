create or replace function public.update_updated_at_column()
 returns trigger
 language plpgsql
as $function$
begin
  new.updated_at := now();
  -- A row may have been stored without a version; counting from null would leave it without one for ever.
  new.version := coalesce(old.version, 0) + 1;
  return new;
end;
$function$;

comment on function public.update_updated_at_column() is 'Before an update: sets updated_at to the start of the transaction and counts version up by one, whatever the statement set. An optimistic lock is the condition of the update: UPDATE ... WHERE id = $1 AND version = $2 changes no row when somebody else was first.';
