-- The aggregation by which agents are compared, as a view. Only deliveries that came to an end count: one that is under
-- way or was called off says nothing about the agent. Deliveries that nobody is assigned to stay a group of their own,
-- as they were in the aggregation; its agent_id is null.

create view v_agent_delivery_success_rate (agent_id, total, successful, success_rate) as
select
  deliveries.agent_id,
  count(*),
  count(*) filter (where deliveries.status = 'completed'),
  round(100.0 * count(*) filter (where deliveries.status = 'completed') / count(*), 2)
from deliveries
where deliveries.status in ('completed', 'failed')
group by deliveries.agent_id;

comment on view v_agent_delivery_success_rate is
  'How many of the deliveries each agent finished were successful; agents without a finished delivery have no row.';
comment on column v_agent_delivery_success_rate.agent_id is 'The agent; null for the deliveries without one.';
comment on column v_agent_delivery_success_rate.total is 'Deliveries that were completed or failed.';
comment on column v_agent_delivery_success_rate.successful is 'Deliveries that were completed.';
comment on column v_agent_delivery_success_rate.success_rate is
  'Share of the successful ones, in per cent, with two decimals.';
