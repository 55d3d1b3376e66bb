create view public.v_customer_communications as
 select a.id as contact_attempt_id,
    a.customer_id,
    cu.company_name,
    cu.contact_name,
    a.channel,
    a.status,
    a."timestamp" as contacted_at,
    a.duration,
    a.response,
    a.metadata,
    a.task_id,
    t.type as task_type,
    a.campaign_id,
    ca.name as campaign_name,
    a.agent_id,
    ag.type as agent_type
   from ((((public.contact_attempts a
     join public.customers cu on ((cu.id = a.customer_id)))
     join public.tasks t on ((t.id = a.task_id)))
     join public.agents ag on ((ag.id = a.agent_id)))
     left join public.campaigns ca on ((ca.id = a.campaign_id)));

comment on view public.v_customer_communications is 'Communication history on all channels, one row a contact attempt; softly deleted customers are kept.';
comment on column public.v_customer_communications.contacted_at is 'When the customer was contacted, UTC.';
