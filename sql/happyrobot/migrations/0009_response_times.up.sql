-- dbkit: no-transaction
-- At a million loads and calls two promises were not kept. Each index answers one query without reading the table for every row that
-- qualifies; they are built while calls go on.

-- Offers by equipment, wherever they start: idx_loads_search needs the state as well, and idx_loads_active finds every offer of every equipment.
create index concurrently idx_loads_offers on loads (equipment_type, expires_at)
  where status = 'AVAILABLE' and is_active = true and deleted_at is null;

-- All that the dashboard wants of a call: rows with transcripts are wide, and a month of them is a quarter of the table.
create index concurrently idx_calls_daily on calls (start_time)
  include (call_id, carrier_id, outcome, duration_seconds, sentiment, transferred_to_human);

-- And of a negotiation, in the order in which rounds are counted.
create index concurrently idx_negotiations_rounds on negotiations (call_id, load_id)
  include (round_number, final_status, agreed_rate);

comment on index idx_loads_offers is 'Offers by equipment alone.';
comment on index idx_calls_daily is 'Covers v_daily_metrics.';
comment on index idx_negotiations_rounds is 'Covers v_daily_metrics.';
