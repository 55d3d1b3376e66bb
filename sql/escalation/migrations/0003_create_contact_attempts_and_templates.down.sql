-- Indexes, constraints and triggers go with their tables.

drop table templates;
drop table contact_attempts;
