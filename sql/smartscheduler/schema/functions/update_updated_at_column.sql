create or replace function public.update_updated_at_column()
 returns trigger
 language plpgsql
as $function$
begin
  new.updated_at := current_timestamp at time zone 'UTC';
  return new;
end
$function$;

comment on function public.update_updated_at_column() is 'Trigger function: sets updated_at of the row to the start of the transaction, in UTC whatever the time zone of the session. Overrides a value the statement gives.';
