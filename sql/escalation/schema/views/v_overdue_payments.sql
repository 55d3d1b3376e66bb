create view public.v_overdue_payments as
 select pr.id as payment_record_id,
    pr.invoice_number,
    pr.amount,
    pr.currency,
    pr.due_date,
    (((now() at time zone 'UTC'::text))::date - pr.due_date) as days_overdue,
    pr.status,
    pr.customer_id,
    cu.company_name,
    cu.contact_name,
    cu.email,
    cu.phone,
    p.risk_level,
    p.risk_score,
    p.do_not_contact
   from ((public.payment_records pr
     join public.customers cu on ((cu.id = pr.customer_id)))
     left join lateral ( select cp.risk_level,
            cp.risk_score,
            cp.do_not_contact
           from public.customer_profiles cp
          where (cp.customer_id = pr.customer_id)
          order by cp.updated_at desc, cp.id
         limit 1) p on (true))
  where (((pr.status)::text = any (array['pending'::character varying, 'overdue'::character varying, 'partial'::character varying])) and (pr.due_date < ((now() at time zone 'UTC'::text))::date) and (cu.deleted_at is null));

comment on view public.v_overdue_payments is 'Unpaid invoices past their due date with the risk of the customer, one row an invoice; also pending ones that nobody relabelled. Softly deleted customers are left out.';
comment on column public.v_overdue_payments.amount is 'Amount of the whole invoice, also for a partial payment: what was paid is not recorded.';
comment on column public.v_overdue_payments.days_overdue is 'Days since due_date, today being the date in UTC.';
