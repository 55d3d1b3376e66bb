create or replace function public.refuse_audit_logs_change()
 returns trigger
 language plpgsql
as $function$
begin
  raise exception '% on % is refused: the audit trail is append-only', tg_op, tg_table_name
    using errcode = 'restrict_violation',
      hint = 'Add an entry that corrects the earlier one.';
end
$function$;

comment on function public.refuse_audit_logs_change() is 'Trigger function: fails, so that entries of the audit trail can be added but neither changed nor removed.';
