-- Indexes, constraints and triggers go with their tables.

drop table tasks;
drop table campaigns;
