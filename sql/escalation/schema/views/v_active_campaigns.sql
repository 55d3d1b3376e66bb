create view public.v_active_campaigns as
 select ca.id as campaign_id,
    ca.name as campaign_name,
    ca.status,
    ca.customer_id,
    cu.company_name,
    cu.contact_name,
    cu.email,
    cu.phone,
    cu.preferred_contact_method,
    ca.payment_record_id,
    pr.invoice_number,
    pr.amount,
    pr.currency,
    pr.due_date,
    ca.current_step,
        case
            when (jsonb_typeof(ca.escalation_steps) = 'array'::text) then jsonb_array_length(ca.escalation_steps)
            else null::integer
        end as total_steps,
    ca.start_date,
    ca.end_date,
    ca.paused_until,
    ca.created_at,
    ca.updated_at
   from ((public.campaigns ca
     join public.customers cu on ((cu.id = ca.customer_id)))
     left join public.payment_records pr on ((pr.id = ca.payment_record_id)))
  where (((ca.status)::text = any (array['active'::character varying, 'paused'::character varying])) and (cu.deleted_at is null));

comment on view public.v_active_campaigns is 'Active and paused campaigns with customer and invoice, one row a campaign; softly deleted customers are left out.';
comment on column public.v_active_campaigns.total_steps is 'Number of steps in escalation_steps; NULL if that is not an array.';
