-- Mongoose moved updatedAt with every update; here the database does it, whoever writes. Child rows and metrics have no
-- such column.

create function update_updated_at_column() returns trigger
language plpgsql
as $$
begin
  new.updated_at := current_timestamp;
  return new;
end;
$$;

comment on function update_updated_at_column() is
  'Sets updated_at to the time of the transaction, also when the statement asks for another value.';

create trigger update_agents_updated_at
  before update on agents
  for each row execute function update_updated_at_column();

create trigger update_customers_updated_at
  before update on customers
  for each row execute function update_updated_at_column();

create trigger update_deliveries_updated_at
  before update on deliveries
  for each row execute function update_updated_at_column();

create trigger update_call_logs_updated_at
  before update on call_logs
  for each row execute function update_updated_at_column();

create trigger update_recordings_updated_at
  before update on recordings
  for each row execute function update_updated_at_column();

create trigger update_api_keys_updated_at
  before update on api_keys
  for each row execute function update_updated_at_column();

comment on trigger update_agents_updated_at on agents is 'Keeps agents.updated_at.';
comment on trigger update_customers_updated_at on customers is 'Keeps customers.updated_at.';
comment on trigger update_deliveries_updated_at on deliveries is 'Keeps deliveries.updated_at.';
comment on trigger update_call_logs_updated_at on call_logs is 'Keeps call_logs.updated_at.';
comment on trigger update_recordings_updated_at on recordings is 'Keeps recordings.updated_at.';
comment on trigger update_api_keys_updated_at on api_keys is 'Keeps api_keys.updated_at.';
