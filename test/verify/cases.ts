/** One migration on objects of its own: `s.` stands for a schema that no other case has. */
export interface Case {
  readonly name: string
  /** What is there before. */
  readonly base?: string
  readonly up: string
  readonly down: string
  /** The verdict, and a part of what is said, of the down as it stands. */
  readonly expected: readonly [verdict: string, ...messages: string[]]
}

const T = 'create table s.t (id integer primary key, a integer not null default 5, b text);'

/** What published rollbacks get wrong, and what must not be taken for wrong. */
export const cases: readonly Case[] = [
  // ---- those that fail
  {
    name: 'a syntax error',
    base: T,
    up: 'alter table s.t add z integer;',
    down: 'alter table s.t drop colunm z;',
    expected: ['error', 'syntax error at or near "z"'],
  },
  {
    name: 'a wrong drop order',
    up: 'create table s.p (id integer primary key); create table s.c (p integer references s.p);',
    down: 'drop table s.p;\ndrop table s.c;',
    expected: ['error', 'cannot drop table'],
  },
  {
    name: 'columns of a view',
    base: `${T} create view s.v as select id, a from s.t;`,
    up: 'create or replace view s.v as select id, a, b from s.t;',
    down: 'create or replace view s.v as select id, a from s.t;',
    expected: ['error', 'cannot drop columns from view'],
  },
  {
    name: 'CONCURRENTLY in a transaction',
    base: T,
    up: 'create index t_b on s.t (b);',
    down: 'drop index concurrently s.t_b;',
    expected: ['error', 'cannot run inside a transaction block'],
  },
  {
    name: 'an unknown object',
    base: T,
    up: 'create index t_b on s.t (b);',
    down: 'drop index s.t_bb;',
    expected: ['error', 'does not exist'],
  },
  {
    name: 'NOT NULL for a column that comes back empty',
    base: 'create table s.t (id integer primary key, z text not null);',
    up: 'alter table s.t drop column z;',
    down: 'alter table s.t add column z text not null;',
    expected: ['error', 'contains null values'],
  },
  // ---- those that report success
  {
    name: 'nullability',
    base: T,
    up: 'alter table s.t alter a drop not null;',
    down: 'select 1;',
    expected: ['different', 'column s.t.a: not null yes -> no'],
  },
  {
    name: 'an index that is not made again',
    base: `${T} create index t_b on s.t (b);`,
    up: 'drop index s.t_b;',
    down: 'select 1;',
    expected: ['different', 'loses index s.t_b'],
  },
  {
    name: 'the type of a column',
    base: 'create table s.t (id integer primary key, b varchar(20));',
    up: 'alter table s.t alter b type text;',
    down: 'alter table s.t alter b type varchar(30);',
    expected: ['different', 'column s.t.b: type character varying(20) -> character varying(30)'],
  },
  {
    name: 'a default',
    base: T,
    up: 'alter table s.t alter a set default 7;',
    down: 'alter table s.t alter a drop default;',
    expected: ['different', 'column s.t.a: default 5 -> none'],
  },
  {
    name: 'an old function body',
    base: `create function s.f() returns integer language sql as 'select 1';`,
    up: `create or replace function s.f() returns integer language sql as 'select 2';`,
    down: `create or replace function s.f() returns integer language sql as 'select 3';`,
    expected: ['different', 'function s.f()'],
  },
  {
    name: 'a foreign key',
    base: 'create table s.p (id integer primary key); create table s.t (p integer constraint t_p references s.p);',
    up: 'alter table s.t drop constraint t_p;',
    down: 'select 1;',
    expected: ['different', 'loses constraint s.t.t_p'],
  },
  {
    name: 'the delete rule of a foreign key',
    base: 'create table s.p (id integer primary key); create table s.t (p integer constraint t_p references s.p on delete cascade);',
    up: 'alter table s.t drop constraint t_p;',
    down: 'alter table s.t add constraint t_p foreign key (p) references s.p;',
    expected: ['different', 'constraint s.t.t_p: definition'],
  },
  {
    name: 'a unique constraint',
    base: 'create table s.t (id integer primary key, e text constraint t_e unique);',
    up: 'alter table s.t drop constraint t_e;',
    down: 'select 1;',
    expected: ['different', 'loses constraint s.t.t_e'],
  },
  {
    name: 'a primary key',
    base: 'create table s.t (id integer constraint t_id primary key);',
    up: 'alter table s.t drop constraint t_id;',
    down: 'alter table s.t alter id set not null;',
    expected: ['different', 'loses constraint s.t.t_id'],
  },
  {
    name: 'a function left behind',
    up: `create table s.t (id integer); create function s.f() returns integer language sql as 'select 1';`,
    down: 'drop table s.t;',
    expected: ['different', 'leaves function s.f()'],
  },
  {
    name: 'a type left behind',
    up: `create type s.mood as enum ('ok'); create table s.t (m s.mood);`,
    down: 'drop table s.t;',
    expected: ['different', 'leaves type s.mood'],
  },
  {
    name: 'a table left behind',
    up: 'create table s.t (id integer); create table s.u (id integer);',
    down: 'drop table s.t;',
    expected: ['different', 'leaves table s.u'],
  },
  {
    name: 'a trigger left behind',
    base: `${T} create function s.f() returns trigger language plpgsql as 'begin return new; end';`,
    up: 'create trigger t_f before update on s.t for each row execute function s.f(); alter table s.t add z text;',
    down: 'alter table s.t drop z;',
    expected: ['different', 'leaves trigger s.t.t_f'],
  },
  {
    name: 'a sequence left behind',
    up: `create sequence s.q; create table s.t (id integer default nextval('s.q'));`,
    down: 'drop table s.t;',
    expected: ['different', 'leaves sequence s.q'],
  },
  {
    name: 'a view that is not made again',
    base: `${T} create view s.v as select id from s.t;`,
    up: 'drop view s.v; alter table s.t add z text;',
    down: 'alter table s.t drop z;',
    expected: ['different', 'loses view s.v'],
  },
  {
    name: 'grants',
    base: `${T} grant select, insert on s.t to public;`,
    up: 'revoke all on s.t from public;',
    down: 'grant select on s.t to public;',
    expected: ['different', 'grant'],
  },
  {
    name: 'comments',
    base: `${T} comment on table s.t is 'Things.';`,
    up: `comment on table s.t is 'All things.';`,
    down: 'comment on table s.t is null;',
    expected: ['different', 'table s.t: comment "Things." -> none'],
  },
  {
    name: 'names',
    base: `${T} create index t_b on s.t (b);`,
    up: 'drop index s.t_b;',
    down: 'create index t_b_idx on s.t (b);',
    expected: ['different', 'index s.t_b has another name: index s.t_b_idx'],
  },
  {
    name: 'rows that the down deletes',
    base: T,
    up: 'alter table s.t add z text;',
    down: 'delete from s.t; alter table s.t drop z;',
    expected: ['different', 'table s.t lost 3 rows'],
  },
  {
    name: 'values that the up kept and the down drops',
    base: T,
    up: 'alter table s.t rename b to c;',
    down: 'alter table s.t drop c; alter table s.t add b text;',
    expected: ['different', 'column s.t.b lost with 3 values, though the up kept them'],
  },
  {
    name: 'rows left behind',
    base: T,
    up: 'insert into s.t (id) values (1000001);',
    down: 'select 1;',
    expected: ['different', 'leaves 1 row in table s.t'],
  },
  // ---- what they are
  {
    name: 'an empty down',
    up: 'create table s.t (id integer);',
    down: '-- nothing to do',
    expected: ['empty', 'leaves table s.t'],
  },
  {
    name: 'an empty down of an up that changes nothing',
    up: 'select 1;',
    down: '-- nothing to do',
    expected: ['exact'],
  },
  {
    name: 'an intended refusal',
    up: 'create table s.t (id integer);',
    down: `do $$ begin raise exception 'there is no way back'; end $$;`,
    expected: ['refuses', 'there is no way back'],
  },
  {
    name: 'an error that a trigger raises',
    base: `${T} create function s.f() returns trigger language plpgsql as $$begin raise exception 'no'; end$$;
           create trigger t_f before delete on s.t for each row execute function s.f();`,
    up: 'alter table s.t add z text;',
    down: 'delete from s.t; alter table s.t drop z;',
    expected: ['error', 'no'],
  },
  {
    name: 'the order of columns',
    base: T,
    up: 'alter table s.t drop column a;',
    down: 'alter table s.t add column a integer not null default 5;',
    expected: ['note', 'another order', 'column s.t.a'],
  },
  {
    name: 'values that the up gives up',
    base: T,
    up: 'alter table s.t drop column b;',
    down: 'alter table s.t add column b text;',
    expected: ['note', 'column s.t.b lost with 3 values: the up takes the column away'],
  },
  {
    name: 'the label of an enum',
    base: `create type s.mood as enum ('ok');`,
    up: `alter type s.mood add value if not exists 'bad';`,
    down: 'select 1;',
    expected: ['note', 'PostgreSQL cannot take a label away'],
  },
  {
    name: 'a function that is only written otherwise',
    base: `create function s.f() returns integer language plpgsql as $$ begin return 1; end $$;`,
    up: `create or replace function s.f() returns integer language plpgsql as $$ begin return 2; end $$;`,
    down: `create or replace function s.f() returns integer language plpgsql as $$\n-- as it was\nbegin\n  return 1;\nend $$;`,
    expected: ['cosmetic', 'the same but for its writing'],
  },
  {
    name: 'a blank inside of quotes',
    base: `create function s.f() returns text language sql as $$ select 'a  b' $$;`,
    up: `create or replace function s.f() returns text language sql as $$ select '' $$;`,
    down: `create or replace function s.f() returns text language sql as $$ select 'a b' $$;`,
    expected: ['different', 'function s.f()'],
  },
  {
    name: 'an up that cannot be applied again',
    base: `${T} create table s.seen (n integer primary key);`,
    up: 'insert into s.seen values (1000001); alter table s.t add z text;',
    down: 'alter table s.t drop z;',
    expected: ['different', 'cannot be applied again'],
  },
  // ---- outside a transaction
  {
    name: 'CONCURRENTLY outside a transaction',
    base: T,
    up: '-- dbkit: no-transaction\ncreate index concurrently t_b on s.t (b);',
    down: '-- dbkit: no-transaction\ndrop index concurrently s.t_b;',
    expected: ['exact'],
  },
  {
    name: 'another index dropped outside a transaction',
    base: `${T} create index t_a on s.t (a);`,
    up: '-- dbkit: no-transaction\ncreate index concurrently t_b on s.t (b);',
    down: '-- dbkit: no-transaction\ndrop index concurrently s.t_a;',
    expected: ['different', 'leaves index s.t_b', 'loses index s.t_a'],
  },
]

/** A correct down, and (without what stands between the brackets) one that lacks a clause. */
export interface Mutation {
  readonly base?: string
  readonly up: string
  readonly down: string
}

const P = 'create table s.p (id integer primary key);'
const F = `create function s.f() returns trigger language plpgsql as 'begin return new; end';`

export const mutations: readonly Mutation[] = [
  {
    up: 'create table s.t (id integer); create table s.u (id integer);',
    down: 'drop table s.t;[drop table s.u;]',
  },
  {
    base: T,
    up: 'alter table s.t alter a type bigint;',
    down: 'alter table s.t alter a type [integer|numeric];',
  },
  {
    base: T,
    up: 'alter table s.t alter a drop default, alter a drop not null;',
    down: 'alter table s.t alter a set default 5[, alter a set not null];',
  },
  {
    base: T,
    up: 'alter table s.t alter a drop default, alter a drop not null;',
    down: 'alter table s.t alter a set not null[, alter a set default 5];',
  },
  {
    base: T,
    up: 'alter table s.t add z text; create index t_b on s.t (b);',
    down: 'alter table s.t drop z;[drop index s.t_b;]',
  },
  {
    base: `${T} create index t_b on s.t (b) where a > 0;`,
    up: 'drop index s.t_b;',
    down: 'create index t_b on s.t (b)[ where a > 0];',
  },
  {
    base: `${T} create unique index t_b on s.t (b);`,
    up: 'drop index s.t_b;',
    down: 'create [unique ]index t_b on s.t (b);',
  },
  {
    base: `${T} create index t_b on s.t (b desc);`,
    up: 'drop index s.t_b;',
    down: 'create index t_b on s.t (b[ desc]);',
  },
  {
    base: `${T} create index t_b on s.t (b) include (a);`,
    up: 'drop index s.t_b;',
    down: 'create index t_b on s.t (b)[ include (a)];',
  },
  {
    base: `${T} alter table s.t add constraint a_check check (a >= 0);`,
    up: 'alter table s.t drop constraint a_check, add y int;',
    down: 'alter table s.t drop y[, add constraint a_check check (a >= 0)];',
  },
  {
    base: `${P} create table s.t (p int constraint t_p references s.p on delete cascade);`,
    up: 'alter table s.t drop constraint t_p;',
    down: 'alter table s.t add constraint t_p foreign key (p) references s.p[ on delete cascade];',
  },
  {
    base: `${P} create table s.t (p int constraint t_p references s.p on update cascade);`,
    up: 'alter table s.t drop constraint t_p;',
    down: 'alter table s.t add constraint t_p foreign key (p) references s.p[ on update cascade];',
  },
  {
    base: `${P} create table s.t (p int constraint t_p references s.p deferrable initially deferred);`,
    up: 'alter table s.t drop constraint t_p;',
    down: 'alter table s.t add constraint t_p foreign key (p) references s.p deferrable[ initially deferred];',
  },
  {
    base: 'create table s.t (id int, e text constraint t_e unique);',
    up: 'alter table s.t drop constraint t_e;',
    down: 'alter table s.t add constraint t_e unique ([e|id, e]);',
  },
  {
    base: `${T} create view s.v as select id, a from s.t;`,
    up: 'drop view s.v;',
    down: 'create view s.v as select id, a from s.t[|  where a > 0];',
  },
  {
    base: `${T} create view s.v with (security_barrier) as select id from s.t;`,
    up: 'drop view s.v;',
    down: 'create view s.v[ with (security_barrier)] as select id from s.t;',
  },
  {
    base: `${T} create view s.v as select id from s.t; comment on view s.v is 'V.';`,
    up: 'drop view s.v;',
    down: `create view s.v as select id from s.t;[comment on view s.v is 'V.';]`,
  },
  {
    base: `${T} create view s.v as select id from s.t; grant select on s.v to public;`,
    up: 'drop view s.v;',
    down: 'create view s.v as select id from s.t;[grant select on s.v to public;]',
  },
  {
    base: `${T} create materialized view s.m as select id from s.t; create index m_id on s.m (id);`,
    up: 'drop materialized view s.m;',
    down: 'create materialized view s.m as select id from s.t;[create index m_id on s.m (id);]',
  },
  {
    base: `create function s.f(x int) returns int language sql immutable as 'select x';`,
    up: 'drop function s.f(int);',
    down: `create function s.f(x int) returns int language sql [immutable ]as 'select x';`,
  },
  {
    base: `create function s.f(x int) returns int language sql security definer as 'select x';`,
    up: 'drop function s.f(int);',
    down: `create function s.f(x int) returns int language sql [security definer ]as 'select x';`,
  },
  {
    base: `create function s.f(x int default 3) returns int language sql as 'select x';`,
    up: 'drop function s.f(int);',
    down: `create function s.f(x int[ default 3]) returns int language sql as 'select x';`,
  },
  {
    base: `${T} ${F} create trigger t_f before update on s.t for each row execute function s.f();`,
    up: 'drop trigger t_f on s.t; alter table s.t add z int;',
    down: 'alter table s.t drop z;[create trigger t_f before update on s.t for each row execute function s.f();]',
  },
  {
    base: `${T} ${F} create trigger t_f before insert or update on s.t for each row execute function s.f();`,
    up: 'drop trigger t_f on s.t;',
    down: 'create trigger t_f before [insert or ]update on s.t for each row execute function s.f();',
  },
  {
    base: `${T} alter table s.t enable row level security;`,
    up: 'alter table s.t disable row level security, add z int;',
    down: 'alter table s.t drop z[, enable row level security];',
  },
  {
    base: `${T} create policy t_p on s.t for select using (a > 0);`,
    up: 'drop policy t_p on s.t;',
    down: 'create policy t_p on s.t [for select ]using (a > 0);',
  },
  {
    base: `${T} comment on column s.t.a is 'A.';`,
    up: 'alter table s.t drop column a;',
    down: `alter table s.t add a integer not null default 5;[comment on column s.t.a is 'A.';]`,
  },
  {
    base: `create type s.mood as enum ('ok', 'bad');`,
    up: 'drop type s.mood;',
    down: `create type s.mood as enum ('ok'[, 'bad']);`,
  },
  {
    base: `create domain s.d as text check (value <> '');`,
    up: 'drop domain s.d;',
    down: `create domain s.d as text[ check (value <> '')];`,
  },
  {
    base: 'create sequence s.q increment 10;',
    up: 'drop sequence s.q;',
    down: 'create sequence s.q[ increment 10];',
  },
  {
    base: `${T} alter table s.t set (fillfactor = 70);`,
    up: 'alter table s.t reset (fillfactor), add z int;',
    down: 'alter table s.t drop z[, set (fillfactor = 70)];',
  },
  {
    base: T,
    up: 'alter table s.t rename b to c; alter table s.t rename a to d;',
    down: 'alter table s.t rename c to b;[alter table s.t rename d to a;]',
  },
  {
    base: 'create table s.t (id int generated always as identity, x text);',
    up: 'alter table s.t alter id drop identity;',
    down: 'alter table s.t alter id add generated [always|by default] as identity;',
  },
  {
    base: 'create table s.t (id int, n int generated always as (id * 2) stored);',
    up: 'alter table s.t alter n drop expression;',
    down: 'alter table s.t drop n; alter table s.t add n int[ generated always as (id * 2) stored];',
  },
  {
    base: T,
    up: 'alter table s.t add z int; update s.t set b = upper(b);',
    down: 'alter table s.t drop z;[|update s.t set a = a + 1;]',
  },
  // ---- the rarer kinds
  {
    base: 'create type s.place as (city text, code text);',
    up: 'drop type s.place;',
    down: 'create type s.place as (city text[, code text]);',
  },
  {
    base: `create type s.span as range (subtype = text, collation = "C");`,
    up: 'drop type s.span;',
    down: 'create type s.span as range (subtype = text[, collation = "C"]);',
  },
  {
    base: 'create procedure s.p(x int) language sql as $$select x$$;',
    up: 'drop procedure s.p(int); create table s.u (id int);',
    down: 'drop table s.u;[create procedure s.p(x int) language sql as $$select x$$;]',
  },
  {
    base: `create aggregate s.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');`,
    up: 'drop aggregate s.total(integer);',
    down: `create aggregate s.total(integer) (sfunc = int4pl, stype = integer[, initcond = '0']);`,
  },
  {
    base: `create function s.same(a point, b point) returns boolean language sql immutable as 'select a ~= b';
      create operator s.=== (function = s.same, leftarg = point, rightarg = point, commutator = operator(s.===));`,
    up: 'drop operator s.=== (point, point);',
    down: 'create operator s.=== (function = s.same, leftarg = point, rightarg = point[, commutator = operator(s.===)]);',
  },
  {
    base: 'create type s.box as (n integer); create function s.boxed(integer) returns s.box language sql as $$select row($1)::s.box$$; create cast (integer as s.box) with function s.boxed(integer) as assignment;',
    up: 'drop cast (integer as s.box);',
    down: 'create cast (integer as s.box) with function s.boxed(integer)[ as assignment];',
  },
  {
    base: `${T} create rule t_quiet as on delete to s.t where old.a > 0 do instead nothing;`,
    up: 'drop rule t_quiet on s.t;',
    down: 'create rule t_quiet as on delete to s.t[ where old.a > 0] do instead nothing;',
  },
  {
    base: 'create table s.t (a int, b int); create statistics s.t_ab (ndistinct, dependencies) on a, b from s.t;',
    up: 'drop statistics s.t_ab;',
    down: 'create statistics s.t_ab (ndistinct[, dependencies]) on a, b from s.t;',
  },
  {
    base: 'create table s.t (id int, at date) partition by range (at); create table s.t_1 partition of s.t for values from ($$2026-01-01$$) to ($$2027-01-01$$); create index t_at on s.t (at);',
    up: 'alter table s.t detach partition s.t_1; drop index s.t_at;',
    down: 'create index t_at on s.t (at);[alter table s.t attach partition s.t_1 for values from ($$2026-01-01$$) to ($$2027-01-01$$);]',
  },
  {
    base: 'create table s.t (id int, k text) partition by list (k); create table s.t_a partition of s.t for values in ($$a$$, $$b$$);',
    up: 'drop table s.t_a;',
    down: 'create table s.t_a partition of s.t for values in ($$a$$[, $$b$$]);',
  },
  {
    base: `create table s.p (id int); create table s.t (id int, x int) inherits (s.p);`,
    up: 'alter table s.t no inherit s.p;',
    down: 'alter table s.t add y int;alter table s.t drop y;[alter table s.t inherit s.p;]',
  },
  {
    base: `${T} alter table s.t replica identity full;`,
    up: 'alter table s.t replica identity default; alter table s.t add z int;',
    down: 'alter table s.t drop z;[alter table s.t replica identity full;]',
  },
  {
    base: `${T} grant select (a), update (b) on s.t to public;`,
    up: 'revoke select (a), update (b) on s.t from public;',
    down: 'grant select (a)[, update (b)] on s.t to public;',
  },
  {
    base: 'alter default privileges in schema s_ grant select on tables to public;',
    up: 'alter default privileges in schema s_ revoke select on tables from public; create table s.u (id int);',
    down: 'drop table s.u;[alter default privileges in schema s_ grant select on tables to public;]',
  },
  {
    base: `${T} ${F} create trigger t_f before update on s.t for each row execute function s.f(); alter table s.t disable trigger t_f;`,
    up: 'alter table s.t enable trigger t_f; alter table s.t add z int;',
    down: 'alter table s.t drop z;[alter table s.t disable trigger t_f;]',
  },
  {
    base: `${T} alter table s.t alter b set storage external, alter b set statistics 500;`,
    up: 'alter table s.t alter b set storage extended, alter b set statistics -1;',
    down: 'alter table s.t alter b set storage external[, alter b set statistics 500];',
  },
  {
    base: 'create table s.t (during int4range, constraint t_during exclude using gist (during with &&) where (not isempty(during)));',
    up: 'alter table s.t drop constraint t_during;',
    down: 'alter table s.t add constraint t_during exclude using gist (during with &&)[ where (not isempty(during))];',
  },
  {
    base: `create text search configuration s.c (copy = simple); alter text search configuration s.c alter mapping for word with english_stem;`,
    up: 'drop text search configuration s.c;',
    down: 'create text search configuration s.c (copy = simple);[alter text search configuration s.c alter mapping for word with english_stem;]',
  },
  {
    base: `create foreign data wrapper fdw_s_ options (a '1'); create server server_s_ foreign data wrapper fdw_s_; create foreign table s.ft (id int, n text) server server_s_ options (x '1');`,
    up: 'drop foreign table s.ft;',
    down: `create foreign table s.ft (id int, n text) server server_s_[ options (x '1')];`,
  },
  {
    base: `${T} create publication pub_s_ for table s.t with (publish = 'insert');`,
    up: 'drop publication pub_s_;',
    down: `create publication pub_s_ for table s.t[ with (publish = 'insert')];`,
  },
  {
    base: `create collation s.c (provider = icu, locale = 'de', deterministic = false);`,
    up: 'drop collation s.c;',
    down: `create collation s.c (provider = icu, locale = 'de'[, deterministic = false]);`,
  },
  {
    base: `create domain s.d as integer default 4 not null;`,
    up: 'alter domain s.d drop not null; alter domain s.d drop default;',
    down: 'alter domain s.d set default 4;[alter domain s.d set not null;]',
  },
  {
    base: `${T} ${F} create function s.ev() returns event_trigger language plpgsql as 'begin end'; create event trigger ev_s_ on ddl_command_end when tag in ('COMMENT') execute function s.ev();`,
    up: 'drop event trigger ev_s_;',
    down: `create event trigger ev_s_ on ddl_command_end[ when tag in ('COMMENT')] execute function s.ev();`,
  },
  {
    base: `${T} create unlogged table s.cache (id int);`,
    up: 'alter table s.cache set logged; alter table s.t add z int;',
    down: 'alter table s.t drop z;[alter table s.cache set unlogged;]',
  },
]
