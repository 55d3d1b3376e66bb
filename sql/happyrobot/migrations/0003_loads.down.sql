drop table loads;
