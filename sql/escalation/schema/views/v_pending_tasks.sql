create view public.v_pending_tasks as
 select t.id as task_id,
    t.type,
    t.priority,
    t.status,
    t.context,
    t.attempts,
    t.max_attempts,
    t.due_at,
    t.customer_id,
    cu.company_name,
    cu.contact_name,
    cu.email,
    cu.phone,
    t.campaign_id,
    ca.name as campaign_name,
    ca.status as campaign_status,
    t.payment_record_id,
    pr.invoice_number,
    pr.amount,
    pr.due_date,
    t.assigned_agent_id,
    ag.type as agent_type,
    ag.status as agent_status,
    t.created_at
   from ((((public.tasks t
     join public.customers cu on ((cu.id = t.customer_id)))
     left join public.campaigns ca on ((ca.id = t.campaign_id)))
     left join public.payment_records pr on ((pr.id = t.payment_record_id)))
     left join public.agents ag on ((ag.id = t.assigned_agent_id)))
  where (((t.status)::text = any (array['pending'::character varying, 'assigned'::character varying])) and (cu.deleted_at is null))
  order by
        case t.priority
            when 'urgent'::text then 1
            when 'high'::text then 2
            when 'medium'::text then 3
            else 4
        end, t.due_at, t.created_at, t.id;

comment on view public.v_pending_tasks is 'Work list: pending and assigned tasks with customer, campaign, invoice and agent, most urgent first, then by due_at (none last); softly deleted customers are left out.';
