-- Nothing is built on the view.

drop view v_agent_delivery_success_rate;
