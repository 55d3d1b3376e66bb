create or replace function public.update_updated_at_column()
 returns trigger
 language plpgsql
as $function$
begin
  new.updated_at := now() at time zone 'UTC';
  return new;
end
$function$;

comment on function public.update_updated_at_column() is 'Trigger function: sets updated_at to the start of the current transaction, in UTC whatever the time zone of the session.';
