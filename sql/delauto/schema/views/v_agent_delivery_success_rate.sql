create view public.v_agent_delivery_success_rate as
 select agent_id,
    count(*) as total,
    count(*) filter (where (status = 'completed'::text)) as successful,
    round(((100.0 * (count(*) filter (where (status = 'completed'::text)))::numeric) / (count(*))::numeric), 2) as success_rate
   from public.deliveries
  where (status = any (array['completed'::text, 'failed'::text]))
  group by agent_id;

comment on view public.v_agent_delivery_success_rate is 'How many of the deliveries each agent finished were successful; agents without a finished delivery have no row.';
comment on column public.v_agent_delivery_success_rate.agent_id is 'The agent; null for the deliveries without one.';
comment on column public.v_agent_delivery_success_rate.total is 'Deliveries that were completed or failed.';
comment on column public.v_agent_delivery_success_rate.successful is 'Deliveries that were completed.';
comment on column public.v_agent_delivery_success_rate.success_rate is 'Share of the successful ones, in per cent, with two decimals.';
