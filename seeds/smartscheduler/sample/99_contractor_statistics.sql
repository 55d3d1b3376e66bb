-- A materialized view is as old as its last refresh: without one the reports would not know the sample contractors.
refresh materialized view mv_contractor_statistics;
