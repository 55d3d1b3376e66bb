create or replace function public.touch_updated_at()
 returns trigger
 language plpgsql
as $function$
begin
  new.updated_at := now();
  return new;
end;
$function$;

comment on function public.touch_updated_at() is 'Before an update of a table that has no version column: sets updated_at to the start of the transaction.';
