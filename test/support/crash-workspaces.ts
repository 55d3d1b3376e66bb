/**
 * Migrations whose every statement would show if it were run twice, or not at all, or by half: rows that count, not rows that
 * settle. What cannot be rolled back (a procedure that commits) is written as such things have to be: so that it can be run again.
 */

export const TRANSACTIONAL: Readonly<Record<string, string>> = {
  '0001_carriers.up.sql': `
create table carriers (id int primary key, name text not null, score int not null default 0);
insert into carriers (id, name) select g, 'carrier ' || g from generate_series(1, 200) g;
create table audit (what text not null);
insert into audit values ('carriers');
`,
  '0001_carriers.down.sql': 'drop table audit;\ndrop table carriers;\n',
  '0002_score.up.sql': `
update carriers set score = score + id;
create function double_score() returns void language sql as 'update carriers set score = score * 2; select pg_sleep(0.05)';
select double_score();
insert into audit values ('score');
`,
  '0002_score.down.sql': `
delete from audit where what = 'score';
drop function double_score();
update carriers set score = score / 2 - id;
`,
  '0003_more.up.sql': `
do $$ begin insert into audit values ('more'); perform pg_sleep(0.05); end $$;
alter table carriers add column rating text not null default 'new';
create index carriers_rating on carriers (rating, score);
create type tier as enum ('gold', 'silver');
comment on table carriers is 'Who drives';
`,
  '0003_more.down.sql': `
comment on table carriers is null;
drop type tier;
drop index carriers_rating;
alter table carriers drop column rating;
delete from audit where what = 'more';
`,
}

/** Statements that cannot share a transaction with anything, among some that can. */
export const OUTSIDE: Readonly<Record<string, string>> = {
  '0001_loads.up.sql': `
create table loads (id int primary key, origin text, miles int not null, filled int, note text);
insert into loads select g, 'city ' || g % 50, g % 1000, null, repeat('x', 20) from generate_series(1, 6000) g;
create table stops (id int primary key, load_id int, city text);
insert into stops select g, g % 6000, 'city ' || g % 100 from generate_series(1, 6000) g;
create index stops_city on stops (city);
create index stops_load on stops (load_id);
create table audit (what text not null);
create type lane as enum ('short');
create procedure fill() language plpgsql as $$
declare last int := 0;
begin
  while last < 6000 loop
    update loads set filled = miles * 2 where id > last and id <= last + 1500 and filled is null;
    last := last + 1500;
    commit;
  end loop;
end $$;
create procedure unfill() language plpgsql as $$
begin
  for part in 0..3 loop
    update loads set filled = null where id % 4 = part and filled is not null;
    commit;
  end loop;
end $$;
`,
  '0001_loads.down.sql': `
drop procedure unfill();
drop procedure fill();
drop type lane;
drop table audit;
drop table stops;
drop table loads;
`,
  '0002_outside.up.sql': `-- dbkit: no-transaction
insert into audit values ('first');
create index concurrently loads_origin on loads (origin, miles);
update loads set miles = miles + 1;
create index concurrently on loads (miles);
create unique index concurrently if not exists loads_origin_id on loads (origin, id);
do $$ begin insert into audit values ('do'); end $$;
drop index concurrently stops_city;
reindex index concurrently stops_load;
reindex (verbose) table concurrently loads;
alter type lane add value 'long';
vacuum (analyze) stops;
call fill();
do $$ begin
  for part in 0..3 loop
    update stops set city = upper(city) where id % 4 = part and city <> upper(city);
    commit;
  end loop;
end $$;
insert into audit values ('last');
`,
  '0002_outside.down.sql': `-- dbkit: no-transaction
delete from audit where what = 'last';
do $$ begin
  for part in 0..3 loop
    update stops set city = lower(city) where id % 4 = part and city <> lower(city);
    commit;
  end loop;
end $$;
call unfill();
create index concurrently stops_city on stops (city);
drop index concurrently if exists loads_origin_id;
drop index concurrently loads_miles_idx;
update loads set miles = miles - 1;
drop index concurrently loads_origin;
delete from audit;
`,
  '0003_after.up.sql': "insert into audit values ('after');\n",
  '0003_after.down.sql': "delete from audit where what = 'after';\n",
}
