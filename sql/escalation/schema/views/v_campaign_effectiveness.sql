create view public.v_campaign_effectiveness as
 select ca.id as campaign_id,
    ca.name as campaign_name,
    ca.status,
    ca.customer_id,
    cu.company_name,
    t.total_tasks,
    t.completed_tasks,
    t.failed_tasks,
    a.total_contact_attempts,
    a.responses,
    round(((a.responses)::numeric / (nullif(a.total_contact_attempts, 0))::numeric), 4) as response_rate,
    pr.status as payment_status,
    pr.amount as payment_amount,
        case
            when ((pr.status)::text = 'paid'::text) then pr.amount
            else 0.00
        end as amount_recovered
   from ((((public.campaigns ca
     join public.customers cu on ((cu.id = ca.customer_id)))
     left join public.payment_records pr on ((pr.id = ca.payment_record_id)))
     cross join lateral ( select count(*) as total_tasks,
            count(*) filter (where ((ta.status)::text = 'completed'::text)) as completed_tasks,
            count(*) filter (where ((ta.status)::text = 'failed'::text)) as failed_tasks
           from public.tasks ta
          where (ta.campaign_id = ca.id)) t)
     cross join lateral ( select count(*) as total_contact_attempts,
            count(*) filter (where ((at.status)::text = any (array['answered'::character varying, 'replied'::character varying]))) as responses
           from public.contact_attempts at
          where (at.campaign_id = ca.id)) a);

comment on view public.v_campaign_effectiveness is 'Work and outcome of every campaign of any status, one row a campaign; softly deleted customers are kept.';
comment on column public.v_campaign_effectiveness.total_tasks is 'Tasks of the campaign, of any status.';
comment on column public.v_campaign_effectiveness.completed_tasks is 'Tasks completed.';
comment on column public.v_campaign_effectiveness.failed_tasks is 'Tasks failed.';
comment on column public.v_campaign_effectiveness.total_contact_attempts is 'Contact attempts of the campaign.';
comment on column public.v_campaign_effectiveness.responses is 'Attempts that were answered or replied.';
comment on column public.v_campaign_effectiveness.response_rate is 'Responses / contact attempts, 0 to 1; NULL before the first attempt.';
comment on column public.v_campaign_effectiveness.payment_status is 'Status of the invoice; NULL without one.';
comment on column public.v_campaign_effectiveness.payment_amount is 'Amount of the invoice; NULL without one.';
comment on column public.v_campaign_effectiveness.amount_recovered is 'Amount of the invoice if it is paid, else 0. Two campaigns about one invoice both show it.';
