drop function update_contractor_rating(uuid, numeric);
drop function is_contractor_available(uuid, timestamp, timestamp);
drop function calculate_distance_miles(numeric, numeric, numeric, numeric);
