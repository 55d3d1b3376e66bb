-- The indexes, constraints and comments go with their table.

drop table agents;
