drop table rate_history;
drop table negotiations;
