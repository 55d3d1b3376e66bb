drop table calls_archive;
drop table calls;
