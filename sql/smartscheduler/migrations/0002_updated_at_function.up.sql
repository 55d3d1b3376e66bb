-- One function for all updated_at triggers, before the tables, so that each table comes with its trigger.

-- The columns are timestamps without a time zone that hold UTC. current_timestamp alone would be turned
-- into the local time of whatever session does the update.
create function update_updated_at_column()
returns trigger
language plpgsql
as $$
begin
  new.updated_at := current_timestamp at time zone 'UTC';
  return new;
end
$$;

comment on function update_updated_at_column() is
  'Trigger function: sets updated_at of the row to the start of the transaction, in UTC whatever the time zone of the session. Overrides a value the statement gives.';
