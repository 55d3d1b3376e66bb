import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { PGlite } from '@electric-sql/pglite'
import * as dbkit from 'dbkit'
import { transformSync } from 'esbuild'
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import pg from 'pg'
import { call } from '../../src/client/call.js'
import { poolOf } from '../../src/database/pglite-pool.js'
import { makeFolder, type Folder } from '../support/cli.js'
import { compile } from '../support/emitted-types.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const SCHEMA = `
create type mood as enum ('fine', 'bad');
create table things (id integer primary key, name text not null, price numeric(10,2));
insert into things values (1, 'one', 1.5), (2, 'two', null);
create function plus(a integer, b integer default 10) returns integer language sql as 'select a + b';
create function nothing() returns void language sql as 'select 1';
create function names(p_least integer) returns setof text language sql as 'select name from things where id >= p_least order by id';
create function priced(p_most numeric) returns table (id integer, price numeric) language sql as 'select id, price from things where price <= p_most';
create function whole(p_id integer) returns things language sql as 'select * from things where id = p_id';
create function wholes() returns setof things language sql as 'select * from things order by id';
create function halves(p_value integer, out low integer, out high integer) language sql as 'select p_value / 2, p_value - p_value / 2';
create function lone(p_value integer, out doubled bigint) language sql as 'select p_value * 2::bigint';
create function total(variadic numbers integer[]) returns bigint language sql as 'select sum(n) from unnest(numbers) n';
create function felt(p_mood mood) returns mood language sql as 'select p_mood';
create function over(p_value integer) returns text language sql as $$select 'integer'$$;
create function over(p_value text) returns text language sql as $$select 'text'$$;
create function "Odd Name"("The Value" integer) returns integer language sql as 'select 1';
create procedure add_thing(p_id integer, p_name text, inout p_count bigint default null)
  language plpgsql as $$begin insert into things values (p_id, p_name); select count(*) into p_count from things; end$$;
create procedure clean() language sql as 'delete from things where id > 2';
`
const DOWN = `drop procedure clean, add_thing; drop function "Odd Name", over(integer), over(text), felt, total, lone, halves, wholes, whole, priced, names, nothing, plus;
drop table things; drop type mood;`

/** Compiled against the types, and run. */
const PROGRAM = `
export const calls = async (db: Kysely<Database>): Promise<unknown[]> => {
  const sum: number | null = await call(db, routines.plus, { a: 1 })
  const other: number | null = await call(db, routines.plus, { a: 1, b: 2 })
  const none: void = await call(db, routines.nothing, {})
  const names: (string | null)[] = await call(db, routines.names, { p_least: 2 })
  const priced: { id: number | null; price: string | null }[] = await call(db, routines.priced, { p_most: '2' })
  const whole: { id: number | null; name: string | null; price: string | null } = await call(db, routines.whole, { p_id: 1 })
  const wholes = await call(db, routines.wholes, {})
  const first: string | null | undefined = wholes[0]?.name
  const halves: { low: number | null; high: number | null } = await call(db, routines.halves, { p_value: 5 })
  const lone: string | null = await call(db, routines.lone, { p_value: 4 })
  const total: string | null = await call(db, routines.total, { numbers: [1, 2, 3] })
  const felt: 'fine' | 'bad' | null = await call(db, routines.felt, { p_mood: 'bad' })
  const number: string | null = await call(db, routines['over(integer)'], { p_value: 1 })
  const text: string | null = await call(db, routines['over(text)'], { p_value: 'x' })
  const odd: number | null = await call(db, routines['Odd Name'], { 'The Value': 1 })
  const added: { p_count: string | null } = await call(db, routines.add_thing, { p_id: 3, p_name: 'three', p_count: null })
  const cleaned: void = await call(db, routines.clean, {})
  return [sum, other, none, names, priced, whole, first, halves, lone, total, felt, number, text, odd, added, cleaned]
}
`

const REFUSED = `
// @ts-expect-error an argument without a default is missing
export const missing = (db: Kysely<Database>) => call(db, routines.plus, {})
// @ts-expect-error no such argument
export const unknownName = (db: Kysely<Database>) => call(db, routines.plus, { a: 1, c: 2 })
// @ts-expect-error not of the enum
export const wrong = (db: Kysely<Database>) => call(db, routines.felt, { p_mood: 'ugly' })
// @ts-expect-error a bigint is read as text
export const sum = async (db: Kysely<Database>): Promise<number | null> => call(db, routines.total, { numbers: [1] })
`

describe('functions and procedures, by the names that codegen gives them,', () => {
  let folder: Folder
  let types: string

  beforeAll(async () => {
    folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { shop: { codegen: { out: 'shop.ts' } } } }),
      'sql/shop/migrations/1_shop.up.sql': SCHEMA,
      'sql/shop/migrations/1_shop.down.sql': DOWN,
    })
    const config = await dbkit.settleConfig(
      {},
      { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
    )
    const report = await dbkit.codegen(config)
    expect(report.databases.map(({ error }) => error)).toEqual([undefined])
    types = readFileSync(join(folder.path, 'shop.ts'), 'utf8')
  }, 120_000)

  afterAll(() => {
    folder.remove()
  })

  test('have signatures that the compiler holds', () => {
    const imports = `import type { Kysely } from 'kysely'
import { call } from './client.js'
import { routines, type Database } from './shop.js'
`
    const client = readFileSync(join(root, 'src/client/call.ts'), 'utf8')
    const { errors } = compile({
      'shop.ts': types,
      'client.ts': client,
      'program.ts': `${imports}${PROGRAM}${REFUSED}`,
    })
    expect(errors).toEqual([])
  })

  async function results(pool: unknown): Promise<readonly unknown[]> {
    const db = new Kysely<object>({ dialect: new PostgresDialect({ pool: pool as PostgresPool }) })
    const { code } = transformSync(
      `${types.replace(/^import type .*$/m, '')}\n${PROGRAM.replace('export const calls', 'const calls')}\nscope.calls = calls`,
      { loader: 'ts', format: 'iife' },
    )
    const scope: {
      calls?: (db: unknown) => Promise<unknown[]>
    } = {}
    runInNewContext(code, { scope, call })
    try {
      return (await scope.calls?.(db)) ?? []
    } finally {
      await db.destroy()
    }
  }

  const EXPECTED = [
    11,
    3,
    undefined,
    ['two'],
    [{ id: 1, price: '1.50' }],
    { id: 1, name: 'one', price: '1.50' },
    'one',
    { low: 2, high: 3 },
    '8',
    '6',
    'bad',
    'integer',
    'text',
    1,
    { p_count: '3' },
    undefined,
  ]

  test('give what they say, on PGlite', async () => {
    noteEngine('embedded PGlite 0.5.8')
    const engine = await PGlite.create()
    await engine.exec(SCHEMA)
    expect(await results(poolOf(engine, () => engine.close()))).toEqual(EXPECTED)
  }, 120_000)

  const onAServer = serverUrl() === undefined ? test.skip : test
  onAServer('give what they say, on a server', async () => {
    const database = await createServerDatabase('call')
    try {
      await database.query('select 1')
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      await client.query(SCHEMA)
      await client.end()
      expect(await results(new pg.Pool({ connectionString: database.url }))).toEqual(EXPECTED)
    } finally {
      await database.drop()
    }
  })
})
