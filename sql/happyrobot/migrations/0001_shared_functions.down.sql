drop function calculate_negotiation_threshold(numeric, varchar, jsonb);
drop function touch_updated_at();
drop function update_updated_at_column();
