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
    expect(all.length).toBeGreaterThan(90)
  })
})
