import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createTestDatabase, type TestDatabase } from 'dbkit/client'
import { CompiledQuery } from 'kysely'
import { makeFolder, type Folder } from '../support/cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const TABLES: Readonly<Record<string, string>> = {
  moods: `create type public.mood as enum ('fine', 'bad');`,
  things: `create table public.things (
  id integer not null,
  name character varying(5) not null,
  price numeric(5,2) default 1.5,
  amount numeric default 0,
  big bigint,
  born date,
  made timestamp without time zone,
  seen timestamp with time zone,
  tags text[] default '{}'::text[] not null,
  doc jsonb,
  felt public.mood default 'fine'::public.mood not null,
  level text default 'low'::text,
  constraint things_pkey primary key (id),
  constraint things_level_check check ((level = any (array['low'::text, 'high'::text]))),
  constraint things_price_check check ((price >= (0)::numeric))
);
create unique index things_big on public.things using btree (big);`,
  parts: `create table public.parts (
  id serial not null,
  thing_id integer not null,
  constraint parts_pkey primary key (id)
);
alter table public.parts add constraint parts_thing foreign key (thing_id) references public.things(id) on delete cascade deferrable initially deferred;`,
  watched: `create table public.watched (id integer not null, note text, constraint watched_pkey primary key (id));`,
  child: `create table public.child (id integer not null, watched_id integer, constraint child_pkey primary key (id));
alter table public.child add constraint child_watched foreign key (watched_id) references public.watched(id) on delete cascade;`,
  shapes: `create table public.shapes (
  id integer not null,
  price numeric(8,4) not null,
  half numeric(8,4) generated always as ((price / (3)::numeric)) stored,
  constraint shapes_pkey primary key (id)
);`,
  odd: `create table public.odd (id integer not null, note text, constraint odd_note check ((length(note) > 2)));`,
}
const REST = `create view public.names as select name from public.things;
create function public.touch() returns trigger language plpgsql as $$begin return new; end$$;
create trigger touch_watched before update on public.watched for each row execute function public.touch();
create trigger gone_child after delete on public.child for each row execute function public.touch();`

type Row = Record<string, unknown>
let folder: Folder
let memory: TestDatabase<unknown>
let embedded: TestDatabase<unknown>

// The names in this file's workspace are those of no generated types.
const make = createTestDatabase as unknown as (
  name: string,
  options: { config: string; seed?: readonly string[]; engine?: 'memory' },
) => Promise<TestDatabase<unknown>>

async function on(
  { db }: TestDatabase<unknown>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(sql, [...values]))
  return rows
}

beforeAll(async () => {
  const sql = Object.values(TABLES).join('\n')
  folder = makeFolder({
    'dbkit.config.json': JSON.stringify({ databases: { shop: { migrations: 'sql/shop/migrations' } } }),
    'sql/shop/migrations/0001_all.up.sql': `${sql}\n${REST}`,
    'sql/shop/migrations/0001_all.down.sql':
      'drop view names; drop table child, watched, parts, things, shapes, odd; drop function touch; drop type mood;',
    'sql/shop/schema/rest.sql': REST,
    ...Object.fromEntries(
      Object.entries(TABLES).map(([name, text]) => [`sql/shop/schema/tables/${name}.sql`, text]),
    ),
  })
  const config = join(folder.path, 'dbkit.config.json')
  memory = await make('shop', { config, engine: 'memory' })
  embedded = await make('shop', { config, seed: [] })
})

afterAll(async () => {
  await memory.close()
  await embedded.close()
  folder.remove()
})

test('plain queries give what PostgreSQL gives, value by value', async () => {
  const at = new Date('2026-03-04T05:06:07.089Z')
  const steps: [string, unknown[]][] = [
    [
      'insert into "things" ("id", "name", "price", "amount", "big", "born", "made", "seen", "tags", "doc", "felt") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *',
      [
        1,
        'one',
        '1.20',
        '7.500',
        '9007199254740991',
        '2026-02-28',
        at,
        at,
        ['a', 'b"c'],
        { b: [1], a: null },
        'bad',
      ],
    ],
    ['insert into "things" ("id", "name") values ($1, $2), ($3, $4) returning *', [2, 'two', 3, 'three']],
    ['insert into "things" ("id", "name", "price", "level") values (4, $1, $2, $3)', ['four', null, null]],
    ['insert into parts (thing_id) values ($1), ($2) returning *', [1, 2]],
    ['select * from things order by id', []],
    ['select "id" from "things" order by "price" desc, "id"', []],
    ['select "id" from "things" order by "price", "id" desc limit $1 offset $2', [2, 1]],
    ['select id from things where not (price = $1) order by id', [1.2]],
    ['select id from things where price <> 1.5 or level is null order by id', []],
    ['select id from things where level = $1 and (price > $2 or price is null) order by id', ['low', 1]],
    ['select id from things where id in ($1, $2) order by id', [1, 3]],
    ['select id from things where id in ($1)', [2]],
    ['select id from things where not (id in (1, 2, null)) order by id', []],
    ['select id from things where level = null', []],
    // From its indexes alone pg-mem answers these two wrongly.
    ['select id from things where (id is not null and big is not null) or id <= 0', []],
    ['select id from things where big <> 5', []],
    ['select id from things where not (id = 2 or (price in (null, 3) and big > 1)) order by id', []],
    ['select id from things where id not in (1, 2) order by id', []],
    ['select id from things where made >= $1 and seen <= $2 and born = $3', [at, at, '2026-02-28']],
    ['select count(*) as n, count(price) as p from things', []],
    [
      'select t.id, p.id as part from things as t left join parts as p on p.thing_id = t.id order by t.id',
      [],
    ],
    ['select t.name from things as t inner join parts as p on p.thing_id = t.id where p.id = 2', []],
    ['update things set price = $1, level = $2 where id = $3 returning id, price', ['0.1', 'high', 2]],
    ['delete from things where id = 2 returning name', []],
    ['select * from parts', []],
    ['delete from things', []],
  ]
  for (const [sql, values] of steps) {
    const [here, there] = [await on(memory, sql, values), await on(embedded, sql, values)]
    expect({ sql, rows: here }).toEqual({ sql, rows: there })
  }
})

test('after a failure the numbers of a sequence are not guessed', async () => {
  const config = join(folder.path, 'dbkit.config.json')
  const fresh = await make('shop', { config, engine: 'memory' })
  await on(fresh, 'insert into things (id, name) values (1, $1)', ['one'])
  expect(await on(fresh, 'insert into parts (thing_id) values (1) returning id')).toEqual([{ id: 1 }])
  await expect(on(fresh, 'insert into parts (thing_id) values (9)')).rejects.toMatchObject({ code: '23503' })
  await expect(on(fresh, 'insert into parts (thing_id) values (1)')).rejects.toThrow(
    /parts\.id without a value/,
  )
  expect(await on(fresh, 'insert into parts (id, thing_id) values (7, 1) returning id')).toEqual([{ id: 7 }])
  await fresh.close()
})

test('violations have the codes of PostgreSQL, and a statement that fails leaves nothing', async () => {
  await on(memory, 'insert into things (id, name, big) values (1, $1, 5)', ['one'])
  for (const [sql, code] of [
    ['insert into things (id, name) values (2, $1), (1, $1)', '23505'],
    ['insert into things (id, name, big) values (2, $1, 5)', '23505'],
    ['insert into things (id, name, price) values (2, $1, -1)', '23514'],
    ["insert into things (id, name, level) values (2, $1, 'odd')", '23514'],
    ['insert into things (id, name) values (2, null)', '23502'],
    ['update things set name = null', '23502'],
    ['insert into parts (thing_id) values (9)', '23503'],
  ] as const) {
    const values = sql.includes('$1') ? ['x'] : []
    await expect(on(memory, sql, values)).rejects.toMatchObject({ code })
  }
  expect(await on(memory, 'select id, name from things')).toEqual([{ id: 1, name: 'one' }])
  await on(memory, 'delete from things')
})

describe('refused by name', () => {
  test.each<[string, string, unknown[], RegExp]>([
    ['a transaction', 'begin', [], /BEGIN: pg-mem has no transactions/],
    ['a savepoint', 'savepoint x', [], /SAVEPOINT/],
    ['DDL', 'create table x (id integer)', [], /CREATE TABLE/],
    ['a view', 'select * from names', [], /the view names: it is left out/],
    ['an unknown table', 'select * from nowhere', [], /nowhere/],
    ['a function', 'select touch() as x from things', [], /the function touch\(\)/],
    ['arithmetic', 'select id + 1 as x from things', [], /refuses \+/],
    ['arithmetic in SET', 'update things set price = price * 2', [], /refuses \*/],
    ['a trigger', 'update watched set note = $1', ['x'], /UPDATE on watched: it would fire touch_watched/],
    ['a trigger of a cascade', 'delete from watched', [], /DELETE on child: it would fire gone_child/],
    ['rounding', 'insert into things (id, name, price) values (5, $1, $2)', ['x', 1.239], /things\.price/],
    ['overflow', 'insert into things (id, name, price) values (5, $1, $2)', ['x', '1000'], /things\.price/],
    ['an integer too large', 'update things set id = 3000000000', [], /things\.id/],
    ['a text too long', 'update things set name = $1', ['toolong'], /things\.name/],
    ['no label of the enum', 'update things set felt = $1', ['odd'], /things\.felt/],
    ['a generated column', 'select half from shapes', [], /shapes\.half: it is left out: it is generated/],
    ['all columns, one left out', 'select * from shapes', [], /shapes\.half/],
    ['a CHECK left out', 'insert into odd (id) values (1)', [], /odd_note/],
    ['the order of text', 'select id from things order by name', [], /collation/],
    ['comparing documents', 'select id from things where doc = $1', ['{}'], /comparison with doc/],
    [
      'a parameter of two types',
      'select id from things where made = $1 or seen = $1',
      [new Date()],
      /one type/,
    ],
    ['LIKE', 'select id from things where name like $1', ['a%'], /LIKE/],
    ['FOR UPDATE', 'select id from things for update', [], /FOR in SELECT/],
    ['DISTINCT', 'select distinct level from things', [], /DISTINCT in SELECT/],
    ['GROUP BY', 'select level from things group by level', [], /GROUPBY in SELECT/],
    ['WITH', 'with x as (select 1) select * from x', [], /WITH/],
    ['a subquery', 'select id from (select id from things) as x', [], /FROM/],
    [
      'ON CONFLICT',
      'insert into things (id, name) values (1, $1) on conflict (id) do nothing',
      ['x'],
      /ON CONFLICT/,
    ],
    [
      'two columns of a name',
      'select a.id, b.id from things as a inner join things as b on a.id = b.id',
      [],
      /two columns named id/,
    ],
  ])('%s', async (_, sql, values, message) => {
    const refusal = {
      code: 'client.memory-refused',
      message: expect.stringMatching(message) as unknown,
      hint: expect.stringMatching(/leave `engine` out/) as unknown,
    }
    await expect(on(memory, sql, values)).rejects.toMatchObject(refusal)
  })

  test('a transaction of Kysely runs nothing', async () => {
    let isRun = false
    const body = (): Promise<void> => {
      isRun = true
      return Promise.resolve()
    }
    await expect(memory.db.transaction().execute(body)).rejects.toMatchObject({
      code: 'client.memory-refused',
    })
    expect(isRun).toBe(false)
  })

  test('seeds', async () => {
    const config = join(folder.path, 'dbkit.config.json')
    await expect(make('shop', { config, engine: 'memory', seed: ['sample'] })).rejects.toMatchObject({
      code: 'client.memory-refused',
      message: expect.stringMatching(/the seeds sample/) as unknown,
    })
  })

  test('and listed', () => {
    const names = memory.leftOut.map(({ kind, name }) => `${kind} ${name}`)
    expect(names).toEqual(
      expect.arrayContaining([
        'view names',
        'function touch',
        'trigger touch_watched on watched',
        'column shapes.half',
        'writing to odd',
      ]),
    )
    expect(embedded.leftOut).toEqual([])
  })
})

test('a database of the package: what it takes and what it refuses', async () => {
  const { db, leftOut, close } = await createTestDatabase('delauto', { engine: 'memory' })
  try {
    const made = await db
      .insertInto('system_metrics')
      .values({ metric_type: 'load', value: 0.5, tags: { host: 'a' } })
      .returningAll()
      .executeTakeFirstOrThrow()
    expect(made).toMatchObject({ mongo_id: null, metric_type: 'load', value: 0.5, tags: { host: 'a' } })
    expect(made.timestamp.getTime()).toBeGreaterThan(Date.now() - 60_000)
    expect(await db.selectFrom('system_metrics').selectAll().where('id', '=', made.id).execute()).toEqual([
      made,
    ])
    const rows = await db.selectFrom('api_keys').select(['id', 'created_at']).execute()
    expect(rows).toEqual([])
    await expect(db.selectFrom('v_agent_delivery_success_rate').selectAll().execute()).rejects.toThrow(
      /the view/,
    )
    await expect(db.updateTable('api_keys').set({ name: 'x' }).execute()).rejects.toThrow(
      /update_api_keys_updated_at/,
    )
    expect(leftOut.map(({ name }) => name)).toContain('agents.current_location')
  } finally {
    await close()
  }
})

test('pg-mem is loaded by nobody but engine: memory', () => {
  const client = pathToFileURL(join(root, 'dist/lib/client.js')).href
  const script = `
    const { createRequire } = await import('node:module')
    const { _cache } = createRequire(${JSON.stringify(client)})('node:module')
    const isLoaded = () => Object.keys(_cache).some((path) => path.includes('pg-mem'))
    const { createTestDatabase } = await import(${JSON.stringify(client)})
    const before = isLoaded()
    const { close } = await createTestDatabase('delauto', { engine: 'memory' })
    console.log(JSON.stringify([before, isLoaded()]))
    await close()`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(JSON.parse(out)).toEqual([false, true])
})
