-- dbkit: no-transaction
drop index concurrently if exists idx_negotiations_rounds;
drop index concurrently if exists idx_calls_daily;
drop index concurrently if exists idx_loads_offers;
