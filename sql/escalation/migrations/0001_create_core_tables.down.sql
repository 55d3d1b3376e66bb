-- Indexes, constraints and triggers go with their tables; the trigger function goes last,
-- when nothing calls it any more.

drop table agents;
drop table payment_records;
drop table customer_profiles;
drop table customers;

drop function update_updated_at_column();
