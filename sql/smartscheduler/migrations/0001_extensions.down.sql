-- The extensions stay. They may have been there before (the up says "if not exists"), be owned by a
-- superuser who is not the one rolling back, or carry columns, indexes and spatial reference systems
-- that are none of SmartScheduler's. A drop would fail for the one half of these cases and destroy
-- for the other. They are harmless to keep, and the up accepts them when it runs again.
do $$
begin
  raise notice 'the extensions "uuid-ossp", postgis and pg_trgm are kept; drop them by hand if nothing else uses them';
end
$$;
