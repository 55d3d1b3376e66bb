-- The triggers before the function they call.

drop trigger update_api_keys_updated_at on api_keys;
drop trigger update_recordings_updated_at on recordings;
drop trigger update_call_logs_updated_at on call_logs;
drop trigger update_deliveries_updated_at on deliveries;
drop trigger update_customers_updated_at on customers;
drop trigger update_agents_updated_at on agents;

drop function update_updated_at_column();
