create or replace function public.calculate_customer_risk_score(p_customer_id uuid)
 returns numeric
 language sql
 stable parallel safe
 set search_path to '$user', 'public'
as $function$
  with today as (
    select (now() at time zone 'UTC')::date as today
  ),
  invoices as (
    select
      i.amount,
      i.status in ('pending', 'overdue', 'partial') and i.due_date < t.today as is_past_due,
      case
        when i.status = 'paid' then
          -- greatest() would take a missing paid_date for 0; a payment of unknown date says nothing.
          case when i.paid_date is not null then greatest(i.paid_date - i.due_date, 0) end
        when i.due_date < t.today then t.today - i.due_date
      end as delay_days
    from payment_records i
    cross join today t
    where i.customer_id = p_customer_id
      and i.status <> 'cancelled'
  ),
  debt as (
    select
      sum(amount) filter (where is_past_due) / nullif(sum(amount), 0) as past_due_share,
      avg(delay_days) as delay_days
    from invoices
  ),
  contact as (
    select avg((a.status in ('answered', 'replied'))::integer) as response_rate
    from contact_attempts a
    where a.customer_id = p_customer_id
  ),
  profile as (
    select max(p.average_payment_delay) as delay_days, min(p.response_rate) as response_rate
    from customer_profiles p
    where p.customer_id = p_customer_id
  )
  select round(
    50 * least(greatest(coalesce(d.past_due_share, 0), 0), 1)
    + 30 * least(greatest(coalesce(d.delay_days, p.delay_days, 0), 0), 90) / 90
    + 20 * (1 - coalesce(a.response_rate, p.response_rate, 1)),
    2
  )
  from customers c
  cross join debt d
  cross join contact a
  cross join profile p
  where c.id = p_customer_id
$function$;

comment on function public.calculate_customer_risk_score(uuid) is 'Current risk of a customer from 0 to 100, two decimals; NULL for an unknown customer. Writes nothing. 50 x share of the invoiced amount (cancelled invoices apart) that is past due and unpaid, + 30 x average delay in days, capped at 90, / 90, + 20 x (1 - share of contact attempts answered or replied). Delay is payment date or, while unpaid and past due, today, less due date; early payments count 0. Without such invoices the delay, and without attempts the response rate, come from the profile; else 0 and 1. Amounts are added whatever their currency. Usual classes: below 25 low, below 50 medium, below 75 high, else critical.';
