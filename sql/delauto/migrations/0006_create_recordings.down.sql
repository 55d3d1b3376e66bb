-- Child before parent; the indexes, constraints and comments go with their tables.

drop table recording_entities;
drop table recordings;
