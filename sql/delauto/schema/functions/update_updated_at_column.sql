create or replace function public.update_updated_at_column()
 returns trigger
 language plpgsql
as $function$
begin
  new.updated_at := current_timestamp;
  return new;
end;
$function$;

comment on function public.update_updated_at_column() is 'Sets updated_at to the time of the transaction, also when the statement asks for another value.';
