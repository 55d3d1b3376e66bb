-- Functions and tables are there: changes are dated, counted and recorded from here on.

create trigger update_carriers_updated_at
  before update on carriers
  for each row execute function update_updated_at_column();
create trigger update_loads_updated_at
  before update on loads
  for each row execute function update_updated_at_column();
create trigger update_calls_updated_at
  before update on calls
  for each row execute function update_updated_at_column();
create trigger update_negotiations_updated_at
  before update on negotiations
  for each row execute function update_updated_at_column();
create trigger update_api_keys_updated_at
  before update on api_keys
  for each row execute function update_updated_at_column();
create trigger update_equipment_types_updated_at
  before update on equipment_types
  for each row execute function touch_updated_at();

comment on trigger update_carriers_updated_at on carriers is 'Keeps updated_at and version.';
comment on trigger update_loads_updated_at on loads is 'Keeps updated_at and version.';
comment on trigger update_calls_updated_at on calls is 'Keeps updated_at and version.';
comment on trigger update_negotiations_updated_at on negotiations is 'Keeps updated_at and version.';
comment on trigger update_api_keys_updated_at on api_keys is 'Keeps updated_at and version.';
comment on trigger update_equipment_types_updated_at on equipment_types is 'Keeps updated_at; the table has no version.';

create trigger audit_carriers
  after insert or update or delete on carriers
  for each row execute function audit_trigger_function('carrier_id');
create trigger audit_loads
  after insert or update or delete on loads
  for each row execute function audit_trigger_function('load_id');
-- Transcripts are long and personal: the log would hold every version of each of them.
create trigger audit_calls
  after insert or update or delete on calls
  for each row execute function audit_trigger_function('call_id', 'transcript');
create trigger audit_negotiations
  after insert or update or delete on negotiations
  for each row execute function audit_trigger_function('negotiation_id');
-- A hash in the log would outlive the key and be open to everybody who may read the trail.
create trigger audit_api_keys
  after insert or update or delete on api_keys
  for each row execute function audit_trigger_function('api_key_id', 'key_hash');
create trigger audit_equipment_types
  after insert or update or delete on equipment_types
  for each row execute function audit_trigger_function('equipment_type_id');
create trigger audit_rate_history
  after insert or update or delete on rate_history
  for each row execute function audit_trigger_function('rate_history_id');

comment on trigger audit_carriers on carriers is 'Writes each change into audit_log.';
comment on trigger audit_loads on loads is 'Writes each change into audit_log.';
comment on trigger audit_calls on calls is 'Writes each change into audit_log, without the transcript.';
comment on trigger audit_negotiations on negotiations is 'Writes each change into audit_log.';
comment on trigger audit_api_keys on api_keys is 'Writes each change into audit_log, without the hash of the key.';
comment on trigger audit_equipment_types on equipment_types is 'Writes each change into audit_log.';
comment on trigger audit_rate_history on rate_history is 'Writes each change into audit_log.';
