create view public.v_campaign_effectiveness as
 select ca.id as campaign_id,
    ca.name as campaign_name,
    ca.status,
    ca.customer_id,
    cu.company_name,
    coalesce(t.total_tasks, (0)::bigint) as total_tasks,
    coalesce(t.completed_tasks, (0)::bigint) as completed_tasks,
    coalesce(t.failed_tasks, (0)::bigint) as failed_tasks,
    coalesce(a.total_contact_attempts, (0)::bigint) as total_contact_attempts,
    coalesce(a.responses, (0)::bigint) as responses,
    round(((a.responses)::numeric / (a.total_contact_attempts)::numeric), 4) as response_rate,
    pr.status as payment_status,
    pr.amount as payment_amount,
        case
            when ((pr.status)::text = 'paid'::text) then pr.amount
            else 0.00
        end as amount_recovered
   from ((((public.campaigns ca
     join public.customers cu on ((cu.id = ca.customer_id)))
     left join public.payment_records pr on ((pr.id = ca.payment_record_id)))
     left join ( select tasks.campaign_id,
            count(*) as total_tasks,
            count(*) filter (where ((tasks.status)::text = 'completed'::text)) as completed_tasks,
            count(*) filter (where ((tasks.status)::text = 'failed'::text)) as failed_tasks
           from public.tasks
          group by tasks.campaign_id) t on ((t.campaign_id = ca.id)))
     left join ( select contact_attempts.campaign_id,
            count(*) as total_contact_attempts,
            count(*) filter (where ((contact_attempts.status)::text = any (array['answered'::character varying, 'replied'::character varying]))) as responses
           from public.contact_attempts
          group by contact_attempts.campaign_id) a on ((a.campaign_id = ca.id)));

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
