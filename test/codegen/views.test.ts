import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { readShape } from '../../src/codegen/read-shape.js'
import type { Session } from '../../src/database/database.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'

const TABLES = `
create table a (id int primary key, n int not null, m int, t text not null, u text, d timestamp not null, j jsonb not null);
create table b (id int primary key, a_id int not null references a, o_id int references a, x int not null, y int, s text not null);
create table e (id int primary key, x int not null);
create function plain(int) returns int language sql as 'select null::int';
create function strict_one(int) returns int language sql strict as 'select $1';
insert into a values (1, 1, null, 'one', null, '2024-01-01', '{}'), (2, 2, 5, 'two', 'u', 'infinity', 'null'), (3, 3, null, '', null, '-infinity', '{"k": 1}');
insert into b values (1, 1, 1, 10, null, 's'), (2, 1, null, 20, 4, ''), (3, 2, 2, 0, null, 'z');
`

/** A query over them, and which of its columns are never NULL whatever the tables hold. */
const CORPUS: readonly (readonly [string, string])[] = [
  ['select id, n, m, t, u from a', 'id n t'],
  ['select a.id, b.x, b.y from a join b on b.a_id = a.id', 'id x'],
  ['select a.id, b.id as bid, b.x from a left join b on b.a_id = a.id', 'id'],
  ['select a.id, b.id as bid from a right join b on b.a_id = a.id', 'bid'],
  ['select a.id, b.id as bid from a full join b on b.a_id = a.id', ''],
  ['select a.id, b.id as bid from a left join b on b.a_id = a.id where b.x > 5', 'id bid'],
  ['select a.id, b.y, b.x from a left join b on b.a_id = a.id where b.y is not null', 'id y x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.x is null or b.x > 5', 'id'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where coalesce(b.x, 0) = 0', 'id'],
  ['select a.id, b.x, e.x as ex from a left join b on b.a_id = a.id left join e on e.id = b.id', 'id'],
  [
    'select a.id, b.x, e.x as ex from a left join b on b.a_id = a.id left join e on e.id = b.id where e.x = 1',
    'id x ex',
  ],
  ['select a.id, b.x, e.x as ex from a left join (b join e on e.id = b.id) on b.a_id = a.id', 'id'],
  [
    'select a.id, b.x, e.x as ex from a left join (b join e on e.id = b.id) on b.a_id = a.id where b.id is not null',
    'id x ex',
  ],
  ['select x.id, x.n from (select * from a) x', 'id n'],
  ['select x.one from e left join (select id, 1 as one from a) x on x.id = e.id', ''],
  ['select id from a full join e using (id)', 'id'],
  ['select m from a where m > 0', 'm'],
  ['select m from a where m = any (array[1, 2])', 'm'],
  ['select m from a where m <> all (array[1, 2])', 'm'],
  ["select m from a where (m = any ('{}'::int[])) is false", ''],
  ['select m from a where not (m = 1)', 'm'],
  ['select m from a where (m = 1) is not true', ''],
  ['select m, u from a where m = 1 or u is not null', ''],
  ["select m, u from a where m = 1 and u like 'x%'", 'm u'],
  ['select m from a where plain(m) = 1', ''],
  ['select m from a where strict_one(m) = 1', 'm'],
  ['select strict_one(n) as s, plain(n) as p from a', ''],
  ['select count(*) as c, count(m) as cm, sum(n) as s, max(n) as x, array_agg(n) as g from a', 'c cm'],
  [
    'select n, count(*) as c, sum(n) as s, sum(m) as sm, max(t) as x, array_agg(m) as g from a group by n',
    'n c s x g',
  ],
  ['select n, sum(n) filter (where n > 1) as s, count(*) filter (where n > 1) as c from a group by n', 'n c'],
  [
    'select n, stddev(n) as s, avg(n) as v, string_agg(t, $$,$$) as g, string_agg(u, $$,$$) as gu from a group by n',
    'n v g',
  ],
  ['select n, t, count(*) as c from a group by rollup (n, t)', 'c'],
  [
    'select n, coalesce(t, $$$$) as t, grouping(n) as g from a group by grouping sets ((n), (coalesce(t, $$$$)))',
    'g',
  ],
  ['select n from a group by n having n > 1', 'n'],
  ['select m, count(*) as c from a group by m having m > 1', 'm c'],
  ['select coalesce(m, 0) as a, coalesce(m, n) as b, coalesce(m, null) as c from a', 'a b'],
  ['select nullif(n, 1) as a, greatest(m, n) as b, least(m, m) as c from a', 'b'],
  ['select case when m > 1 then 1 else 0 end as a, case when m > 1 then 1 end as b from a', 'a'],
  [
    'select case when m is null then 0 else m end as a, case when m is not null then m else 0 end as b from a',
    'a b',
  ],
  [
    'select case m when null then 0 else m end as a, case when m is null and n = 1 then 0 else m end as b from a',
    '',
  ],
  ['select case when b.s = $$z$$ then b.x else 0 end as a from a left join b on b.a_id = a.id', 'a'],
  ['select case when b.s <> $$z$$ or true then b.x else 0 end as a from a left join b on b.a_id = a.id', ''],
  [
    'select n + 1 as a, n + m as b, -n as c, t || $$x$$ as d, t || u as e, n = 1 as f, m = 1 as g from a',
    'a c d f',
  ],
  ['select j -> $$k$$ as a, j ->> $$k$$ as b, j ? $$k$$ as c, jsonb_typeof(j) as d from a', 'c d'],
  [
    'select lower(t) as a, upper(u) as b, length(t) as c, substring(t from $$x(.)$$) as d, substring(t, 1, 1) as e, to_char(d, $$YYYY$$) as f, to_char(n, $$9$$) as g from a',
    'a c e g',
  ],
  [
    'select extract(month from d) as a, extract(epoch from d) as b, date_trunc($$day$$, d) as c from a',
    'b c',
  ],
  ['select now() as a, current_date as b, current_user as c, current_schema as d', 'a b c'],
  ['select concat(u, m) as a, format($$%s$$, u) as b, concat_ws($$,$$, u) as c from a', 'a b c'],
  [
    'select array[m] as a, row(m) is null as b, m is null as c, m is distinct from 1 as d, (m > 1) is true as e from a',
    'a b c d e',
  ],
  ['select array_length(array[]::int[], 1) as a, cardinality(array[n]) as b, (array[n])[2] as c from a', 'b'],
  [
    'select exists (select from b) as a, (select x from b limit 1) as b, (select count(*) from b) as c, (select max(x) from b) as d, array(select x from b) as e, n in (select y from b) as f from a',
    'a c e',
  ],
  [
    'select (select count(*) from b group by a_id limit 1) as a, (select count(*) from b having count(*) > 100) as b',
    '',
  ],
  ['select id, n from a union select id, x from b', 'id n'],
  ['select id, n from a union all select id, y from b', 'id'],
  ['select m from a intersect select x from b', 'm'],
  ['select m from a except select x from b', ''],
  ['select n from a except select y from b', 'n'],
  ['with w as (select id, m from a) select w.id, w.m, b.x from w join b on b.id = w.id', 'id x'],
  ['with recursive r as (select 1 as i union all select i + 1 from r where i < 3) select i from r', 'i'],
  [
    'with recursive r as (select 1 as i, 0 as k union all select i + 1, nullif(k, 0) from r where i < 3) select i, k from r',
    'i',
  ],
  [
    'select x.c, l.y from a cross join lateral (select count(*) as c from b where b.a_id = a.id) x left join lateral (select b.x as y from b where b.a_id = a.id limit 1) l on true',
    'c',
  ],
  ['select v.k, v.l from (values (1, null), (2, 3)) v (k, l)', 'k'],
  ['select g, u.o, u.v from generate_series(1, 2) g, unnest(array[1, null]) with ordinality u (v, o)', 'g o'],
  ['select x.p, x.q from rows from (generate_series(1, 2), generate_series(1, 3)) x (p, q)', ''],
  [
    'select row_number() over () as a, lag(n) over () as b, lag(n, 1, 0) over () as c, sum(n) over (order by id) as d, first_value(n) over (order by id) as e, sum(n) over (order by id rows between 1 following and 2 following) as f, last_value(n) over (order by id rows between 2 preceding and 1 preceding) as g, max(n) over (order by id rows between current row and current row exclude current row) as h from a',
    'a c d e',
  ],
  ['select distinct on (n) n, m from a order by n, m', 'n'],
  ['select a as whole, b as other from a left join b on b.a_id = a.id', 'whole'],
  ['select a.ctid as c from a', 'c'],
  [
    'select n::text as a, m::text as b, t::varchar(3) as c, u::char(1) as d, n::numeric / 3 as e from a',
    'a c e',
  ],
  ['select x.id from (select id from a where m is not null) x join b on b.o_id = x.id', 'id'],
  // What reports are made of.
  [
    'select a.id, count(b.id) as c, coalesce(sum(b.x), 0) as s, max(b.y) as y from a left join b on b.a_id = a.id group by a.id',
    'id c s',
  ],
  [
    'select a.id, a.t, count(*) filter (where b.x > 5) as big, avg(b.x) as v from a join b on b.a_id = a.id group by a.id',
    'id t big v',
  ],
  ['select n, m, count(*) as c from a group by n, m order by c desc limit 3', 'n c'],
  ['select date_trunc($$month$$, d) as month, count(*) as c from a group by 1', 'month c'],
  ['select n % 2 = 0 as even, sum(n) as s, min(t) as t from a group by 1', 'even s t'],
  [
    'select n, sum(m) as s, coalesce(sum(m), 0) as z, bool_or(m > 1) as o, bool_and(n > 0) as w from a group by n',
    'n z w',
  ],
  [
    'select n, round(avg(n), 2) as v, round(avg(m), 2) as w, count(distinct m) as c from a group by n',
    'n v c',
  ],
  [
    'select n, json_agg(t) as j, jsonb_agg(u) as k, array_agg(t order by id) as g from a group by n',
    'n j k g',
  ],
  ['select n, json_object_agg(t, u) as j, string_agg(t, $$,$$ order by t) as g from a group by n', 'n j g'],
  [
    'select n, percentile_cont(0.5) within group (order by n) as p, mode() within group (order by t) as o from a group by n',
    'n p o',
  ],
  [
    'select n, variance(n) as v, stddev_pop(n) as p, corr(n, id) as c, regr_count(n, id) as r from a group by n',
    'n p r',
  ],
  ['select a.n, sum(b.x) as s from a join b on b.a_id = a.id group by a.n having sum(b.x) > 5', 'n s'],
  ['select sum(x) as s, count(*) as c from b having count(*) > 0', 'c'],
  [
    'select s.n, s.c, s.c * 100.0 / sum(s.c) over () as share from (select n, count(*) as c from a group by n) s',
    'n c share',
  ],
  [
    'select n, c, rank() over (order by c desc) as r from (select n, count(*) as c from a group by n) s',
    'n c r',
  ],
  [
    'select id, n, ntile(4) over (order by n) as q, percent_rank() over (order by n) as p, cume_dist() over (order by n) as d from a',
    'id n q p d',
  ],
  [
    'select id, lead(n) over (order by id) as a, lead(n, 1, n) over (order by id) as b, lag(m, 1, 0) over (order by id) as c from a',
    'id b',
  ],
  [
    'select id, avg(n) over (partition by t) as v, sum(m) over (partition by t) as s, count(m) over (partition by t) as c from a',
    'id v c',
  ],
  [
    'select id, n - avg(n) over (partition by t order by d rows between 2 preceding and current row) as v from a',
    'id v',
  ],
  ['select id, max(n) over (order by id rows between unbounded preceding and 1 preceding) as p from a', 'id'],
  ['select id, nth_value(n, 2) over (order by id) as p, first_value(m) over (order by id) as f from a', 'id'],
  // Joins.
  ['select a.id, b.x, e.x as ex from a join b on b.a_id = a.id join e on e.id = b.id', 'id x ex'],
  ['select a.id, b.x from a cross join b', 'id x'],
  ['select a.id, b.x from a, b where a.id = b.a_id', 'id x'],
  ['select a.id, o.t from b join a on a.id = b.a_id left join a o on o.id = b.o_id', 'id'],
  ['select b.id, o.t from b left join a o on o.id = b.o_id where b.o_id is not null', 'id'],
  ['select b.id, b.o_id from b where b.o_id is not null', 'id o_id'],
  ['select b.o_id, o.t from b join a o on o.id = b.o_id', 'o_id t'],
  ['select b.y, e.x from b join e on e.id = b.y', 'y x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.id in (1, 2, 3)', 'id x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.s like $$z%$$', 'id x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.x between 1 and 5', 'id x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where not b.x = 3', 'id x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.x = 1 or b.x = 2', 'id x'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.x = 1 or a.n = 2', 'id'],
  ['select a.id, b.x from a left join b on b.a_id = a.id where b.id is distinct from 5', 'id'],
  [
    'select a.id, b.x from a left join b on b.a_id = a.id where exists (select from e where e.id = b.id)',
    'id',
  ],
  [
    'select a.id, l.x from a, lateral (select b.x from b where b.a_id = a.id order by b.id limit 1) l',
    'id x',
  ],
  [
    'select a.id, l.x, l.c from a left join lateral (select max(b.x) as x, count(*) as c from b where b.a_id = a.id) l on true',
    'id c',
  ],
  ['select coalesce(a.id, e.id) as id, a.n, e.x from a full join e on e.id = a.id', ''],
  ['select id, n, x from a left join e using (id)', 'id n'],
  ['select id, x, n from a right join e using (id)', 'id x'],
  ['select id, n, x from a natural join e', 'id n x'],
  ['select a.id, b.x, e.x as ex from (a left join b on b.a_id = a.id) join e on e.id = a.id', 'id ex'],
  ['select a.id, b.x, e.x as ex from (a left join b on b.a_id = a.id) join e on e.id = b.x', 'id x ex'],
  ['select p.id, q.id as other from a p join a q on q.id > p.id', 'id other'],
  // Expressions.
  ['select id, t || $$ $$ || coalesce(u, $$$$) as name, t || u as broken from a', 'id name'],
  [
    'select id, coalesce(u, t) as u, coalesce(m, n, 0) as m, coalesce(u, nullif(t, $$$$)) as k from a',
    'id u m',
  ],
  ['select id, greatest(n, 1) as g, least(m, n) as l, greatest(m, null) as k from a', 'id g l'],
  ['select id, case when n > 1 then $$many$$ when n = 1 then $$one$$ else $$none$$ end as k from a', 'id k'],
  [
    'select id, case n when 1 then $$one$$ when 2 then $$two$$ end as k, case when u is null then t else u end as w from a',
    'id w',
  ],
  [
    'select id, case when m is not null then m + 1 else -1 end as k, case when m is null then 1 end as w from a',
    'id k',
  ],
  [
    'select id, m is not null as has, u is null or u = $$$$ as blank, (m > 1) is not false as f, m isnull as i from a',
    'id has blank f i',
  ],
  [
    'select id, n in (1, 2) as a, m in (1, 2) as b, n not in (3) as c, t like $$a%$$ as d, n between 1 and 3 as e from a',
    'id a c d e',
  ],
  [
    'select id, not (n > 1) as a, n > 1 and m > 1 as b, n > 1 or m > 1 as c, (m is null) and n > 1 as d from a',
    'id a d',
  ],
  [
    'select id, upper(t) as a, trim(t) as b, length(u) as c, left(t, 2) as d, t::varchar(2) as e, position($$x$$ in t) as f from a',
    'id a b d e f',
  ],
  [
    'select id, abs(n) as a, round(n::numeric, 2) as b, ceil(n / 2.0) as c, mod(n, 2) as d, power(n, 2) as e, sqrt(m) as f from a',
    'id a b c d e',
  ],
  [
    'select id, to_char(n, $$999$$) as a, md5(t) as b, reverse(t) as c, repeat(t, 2) as d, split_part(t, $$,$$, 1) as e from a',
    'id a b c d e',
  ],
  [
    'select id, d + interval $$1 day$$ as next, d::date as day, date_trunc($$day$$, d)::date as start from a',
    'id next day start',
  ],
  [
    'select id, d at time zone $$UTC$$ as z, d > now() as future, extract(epoch from d) as e, date_part($$year$$, d) as y from a',
    'id z future e y',
  ],
  [
    'select id, jsonb_build_object($$a$$, m, $$b$$, u) as o, jsonb_build_array(m) as l, to_jsonb(t) as t, to_jsonb(u) as u, j -> $$k$$ as k from a',
    'id o l t',
  ],
  [
    'select id, (j ->> $$k$$)::int as k, coalesce((j ->> $$k$$)::int, 0) as z, j || $${}$$::jsonb as w, jsonb_typeof(j) as y from a',
    'id z w y',
  ],
  [
    'select id, array[n, m] as l, array_length(array[n], 1) as s, cardinality(array[m]) as c, array_append(array[n], m) as p from a',
    'id l c p',
  ],
  [
    'select id, row(n, m)::text as r, n::text as a, m::text as b, n::bigint * 2 as c, (n || $$$$)::int as d, cast(t as varchar) as e from a',
    'id r a c d e',
  ],
  [
    'select 1 as one, null as none, $$x$$::text as x, true as yes, null::int as i, current_timestamp as at',
    'one x yes at',
  ],
  // Sub-queries, common table expressions, sets.
  [
    'select id, (select count(*) from b where b.a_id = a.id) as c, (select sum(x) from b where b.a_id = a.id) as s from a',
    'id c',
  ],
  [
    'select id, exists (select from b where b.a_id = a.id) as has, coalesce((select max(x) from b where b.a_id = a.id), 0) as top from a',
    'id has top',
  ],
  [
    'select id, array(select x from b where b.a_id = a.id) as xs, (select t from a i where i.id = a.id) as same from a',
    'id xs',
  ],
  [
    'with r as (select a_id, count(*) as c, max(y) as y from b group by a_id) select a.id, r.c, r.y from a join r on r.a_id = a.id',
    'id c',
  ],
  [
    'with r as (select a_id, count(*) as c from b group by a_id) select a.id, r.c, coalesce(r.c, 0) as z from a left join r on r.a_id = a.id',
    'id z',
  ],
  [
    'with r as (select * from a where m is not null), q as (select id, m from r) select q.m, q.id from q',
    'm id',
  ],
  [
    'with recursive r as (select id, o_id, 1 as depth from b where o_id is null union all select b.id, b.o_id, r.depth + 1 from b join r on r.id = b.o_id where r.depth < 5) select id, o_id, depth from r',
    'id depth',
  ],
  ['select $$a$$ as kind, id, n as v from a union all select $$b$$, id, y from b', 'kind id'],
  ['select id, t from a union select id, s from b union select id, $$e$$ from e', 'id t'],
  ['select id, m from a where m is not null union all select id, x from b', 'id m'],
  ['(select id, n from a order by n limit 1) union all (select id, x from b order by x limit 1)', 'id n'],
  ['select id from a intersect select id from b except select id from e', 'id'],
  ['select k.id, k.v from (select id, m as v from a union all select id, y from b) k where k.v > 0', 'id v'],
  ['select distinct n, u from a', 'n'],
  ['select distinct on (a_id) a_id, x, y from b order by a_id, id desc', 'a_id x'],
  [
    'select x.k, x.v from a, jsonb_each_text(case when jsonb_typeof(a.j) = $$object$$ then a.j else $${}$$ end) x (k, v)',
    'k',
  ],
  ['select g.i, a.n from generate_series(1, 3) g (i) left join a on a.id = g.i', 'i'],
  [
    'select v.code, v.name, count(a.id) as c from (values (1, $$x$$), (2, $$y$$)) v (code, name) left join a on a.n = v.code group by 1, 2',
    'code name c',
  ],
  ['select n, t, grouping(n, t) as g, count(*) as c, sum(n) as s from a group by cube (n, t)', 'g c'],
]

interface Engine {
  /** One statement, its values as text. */
  rows(sql: string, parameters?: readonly (string | null)[]): Promise<readonly (readonly (string | null)[])[]>
  script(sql: string): Promise<void>
  close(): Promise<void>
}

async function openServer(): Promise<Engine> {
  const server: ServerDatabase = await createServerDatabase('views')
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const types = { getTypeParser: () => (value: string) => value }
  return {
    rows: async (text, parameters = []) =>
      (await client.query<(string | null)[]>({ text, values: [...parameters], rowMode: 'array', types }))
        .rows,
    script: async (sql) => {
      await client.query(sql)
    },
    close: async () => {
      await client.end()
      await server.drop()
    },
  }
}

/** PostgreSQL 18 keeps trees that differ from those of 15: what is grouped by has an entry of its own. */
async function openEmbedded(): Promise<Engine> {
  noteEngine('embedded PGlite 0.5.8')
  const engine = await PGlite.create()
  const asIs = (value: string): string => value
  const text = (known: object): Record<string, typeof asIs> =>
    Object.fromEntries(Object.keys(known).map((oid) => [oid, asIs]))
  const options = {
    rowMode: 'array' as const,
    parsers: text(engine.parsers),
    serializers: text(engine.serializers),
  }
  return {
    rows: async (sql, parameters = []) =>
      (await engine.query<(string | null)[]>(sql, [...parameters], options)).rows,
    script: async (sql) => {
      await engine.exec(sql)
    },
    close: () => engine.close(),
  }
}

const ENGINES = [
  ['PGlite', openEmbedded, true],
  ['a server', openServer, serverUrl() !== undefined],
] as const

describe.each(ENGINES)('whether a column of a view can be NULL, on %s', (_, open, isThere) => {
  if (!isThere) {
    test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
    return
  }
  let engine: Engine
  const proven = new Map<string, readonly (readonly [string, boolean])[]>()

  beforeAll(async () => {
    engine = await open()
    await engine.script(TABLES)
    for (const [index, [query]] of CORPUS.entries()) {
      await engine.script(`create view v${String(index)} as ${query}`)
      await engine.script(`create view w${String(index)} as select * from v${String(index)}`)
    }
    const session = {
      query: engine.rows,
      script: async (sql: string) => {
        await engine.script(sql)
        return []
      },
    } as unknown as Session
    const shape = await readShape(session, { searchPath: 'public', without: [] })
    for (const { name, columns } of shape.relations)
      proven.set(
        name,
        columns.map((column) => [column.name, column.notNull] as const),
      )
  }, 120_000)

  afterAll(() => engine.close())

  test('is never claimed wrongly', async () => {
    const wrong: string[] = []
    for (const [index, [query, truth]] of CORPUS.entries())
      for (const view of [`v${String(index)}`, `w${String(index)}`]) {
        const rows = await engine.rows(`select * from ${view}`)
        for (const column of truth.split(' ').filter((one) => one !== '')) {
          const at = (proven.get(view) ?? []).findIndex(([name]) => name === column)
          if (at === -1 || rows.some((row) => row[at] === null))
            wrong.push(`the corpus itself is wrong about ${column} of ${query}`)
        }
        for (const [at, [column, notNull]] of (proven.get(view) ?? []).entries()) {
          if (!notNull) continue
          if (!truth.split(' ').includes(column)) wrong.push(`${column} of ${query}`)
          if (rows.some((row) => row[at] === null)) wrong.push(`a row has NULL in ${column} of ${query}`)
        }
      }
    expect(wrong).toEqual([])
  })

  test('is recognised for at least 85 % of those that never are', () => {
    const all = CORPUS.flatMap(([query, truth], index) =>
      truth
        .split(' ')
        .filter((column) => column !== '')
        .map((column) => {
          const found = proven.get(`v${String(index)}`)?.find(([name]) => name === column)?.[1] === true
          return { column, query, found }
        }),
    )
    const missed = all.filter(({ found }) => !found).map(({ column, query }) => `${column} of ${query}`)
    // Shown when there are too many of them.
    expect({ missed, enough: missed.length <= 0.15 * all.length }).toEqual({ missed, enough: true })
    expect(CORPUS.length).toBeGreaterThanOrEqual(150)
    expect(all.length).toBeGreaterThan(300)
  })
})
