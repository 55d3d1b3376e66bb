drop view v_daily_metrics;
drop view v_carrier_performance;
drop view v_active_loads;
