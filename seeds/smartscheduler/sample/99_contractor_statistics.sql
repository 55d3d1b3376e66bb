-- A materialized view is as old as its last refresh: without one the reports would not know the sample contractors.
-- Concurrently, because that writes only the rows that differ, so a second run changes nothing.
refresh materialized view concurrently mv_contractor_statistics;
