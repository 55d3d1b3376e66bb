create or replace function public.check_opt_out_status(p_customer_id uuid, p_channel character varying)
 returns boolean
 language sql
 stable parallel safe
 set search_path to '$user', 'public'
as $function$
  select
    exists (
      select from opt_outs o
      where o.customer_id = p_customer_id
        and (o.channel = p_channel or o.channel = 'all')
        and (o.expires_at is null or o.expires_at > now() at time zone 'UTC')
    )
    or exists (
      select from customer_profiles p
      where p.customer_id = p_customer_id
        and p.do_not_contact
    )
$function$;

comment on function public.check_opt_out_status(uuid, character varying) is 'TRUE if the customer must not be contacted on the channel: an opt-out of that channel or of all that has not expired, or do_not_contact in the profile. FALSE otherwise, also for an unknown customer; never NULL. contact_restrictions is advice and does not count.';
