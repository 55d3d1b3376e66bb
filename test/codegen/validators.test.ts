import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { PGlite } from '@electric-sql/pglite'
import * as dbkit from 'dbkit'
import { transformSync } from 'esbuild'
import pg from 'pg'
import { poolOf } from '../../src/database/pglite-pool.js'
import { borrowTestPool } from '../../src/verbs/test-database.js'
import { makeFolder, type Folder } from '../support/cli.js'
import { compile } from '../support/emitted-types.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'
import type { Client } from '../support/truth.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The part of a schema that every library of Standard Schema has. */
interface Schema {
  readonly '~standard': {
    readonly vendor: string
    validate(value: unknown): { readonly issues?: readonly { readonly message: string }[] }
  }
}

const SCHEMA = `
create type mood as enum ('ok', 'it''s');
create domain positive as integer check (value > 0);
create domain code as varchar(4) not null check (value ~ '^[A-Z]{2,4}$');
create table things (
  id integer generated always as identity primary key,
  needed text not null,
  state varchar(10) check (state in ('NEW', 'DONE')),
  level integer check (level = any (array[1, 2, 3])),
  rating numeric(3,2) check (rating >= 0 and rating <= 5),
  amount numeric(6,2) check (amount > 0),
  any_number numeric,
  small smallint,
  whole integer check (whole between -5 and 70000 and whole <> 13),
  big bigint check (big >= 0),
  ratio double precision check (ratio < 0.5 or ratio > 2),
  short varchar(5),
  fixed char(3),
  name text check (length(btrim(name)) >= 2),
  mail text check (mail ~* '^[^@ ]+@[^@ ]+\\.[a-z]+$' and mail not like '%..%'),
  plate text check (char_length(plate) <= 6 and plate = upper(plate)),
  at timestamptz,
  day date,
  clock time,
  for_how_long interval,
  address inet,
  mac macaddr,
  who uuid,
  bytes bytea,
  feels mood,
  feelings mood[],
  words varchar(3)[],
  counts integer[],
  share positive,
  abc code default 'AB',
  doc jsonb,
  listing jsonb,
  first integer,
  last integer,
  flag boolean,
  doubled integer generated always as (whole * 2) stored,
  check (first < last),
  check (extract(year from day) > 1999)
);
`

/** Of each column values that may be tried; whether they are right is the database's to say. */
const CANDIDATES: Readonly<Record<string, readonly unknown[]>> = {
  needed: ['x', '', null, undefined],
  state: ['NEW', 'DONE', 'OLD', '', null],
  level: [1, 3, 4, 0, null],
  rating: [0, 5, '4.99', '5.004', '5.005', 5.01, -0.01, '-0', 'x', null],
  amount: [0.01, '9999.99', '9999.994', '9999.996', 10000, 0, -1, '1e3', '1e4', null],
  any_number: ['123456789012345678901234567890.5', 1e300, '.5', '5.', 'x', '', null],
  small: [-32768, 32767, 32768, -32769, 1.5],
  whole: [-5, 70000, -6, 70001, 13, 14, 2147483648],
  big: [
    0,
    -1,
    9007199254740991,
    9223372036854775807n,
    9223372036854775808n,
    '9223372036854775807',
    '9223372036854775808',
    'x',
  ],
  ratio: [0.4, 0.5, 1, 2, 2.1],
  short: ['abcde', 'abcdef', '😀😀😀😀😀', '😀😀😀😀😀😀', 'nul\0', ''],
  fixed: ['ab', 'abc', 'abcd'],
  name: ['ab', 'a', ' a ', '  ab  ', '😀', null],
  mail: ['a@b.cd', 'A@B.CD', 'a@b', 'a b@c.de', 'a@b..cd', 'a@@b.cd'],
  plate: ['ABC123', 'ABC1234', 'abc'],
  at: [
    new Date(),
    '2024-02-29T12:00:00Z',
    '2024-02-29 12:00',
    '2023-02-29 12:00',
    '2024-13-01',
    'soon',
    '2024-01-01T25:00:00Z',
  ],
  day: [new Date(), '2024-02-29', '2023-02-29', '2024-04-31', 'x'],
  clock: ['12:30', '23:59:59.5', '24:00', '24:01', '12:60', 'noonish'],
  for_how_long: ['1 hour', 'PT1H', '1 day 02:00:00', '3 fortnights', '', 'P', '2 weeks 1 day'],
  address: ['192.0.2.1', '192.0.2.0/24', '::1', '2001:db8::/32', '192.0.2.256', 'x', '192.0.2.1/33'],
  mac: ['08:00:2b:01:02:03', '08:00:2b:01:02', 'x'],
  who: [
    '6f1b6f6e-4f0c-4a4e-9d52-2f9dfe4c8b11',
    '6F1B6F6E-4F0C-4A4E-9D52-2F9DFE4C8B11',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '6f1b',
    'x',
  ],
  bytes: [Buffer.from('ab'), Uint8Array.of(1)],
  feels: ['ok', "it's", 'OK', ''],
  feelings: [['ok', null], [], ['OK'], null],
  words: [['abc', null], ['abcd'], []],
  counts: [[1, null], [2147483648], [1.5]],
  share: [1, 0, -1, null],
  abc: ['AB', 'ABCD', 'A', 'ABCDE', 'ab', null, undefined],
  doc: [{ a: 1 }, {}, '{"a": 2}', '{"a"', null],
  listing: ['["x"]', '[]', '["x"', null],
  flag: [true, false, null],
  doubled: [1],
  id: [1],
}

/** What the validators are stricter about than PostgreSQL, on purpose: the shape that is declared of a document. */
const SHAPES = {
  'things.doc': { type: 'object', properties: { a: { type: 'integer' } } },
  'things.listing': { type: 'array', items: { type: 'string' } },
}

async function emit(
  databases: Readonly<Record<string, object>>,
  files: Readonly<Record<string, string>>,
): Promise<Folder> {
  const folder = makeFolder({ 'dbkit.config.json': JSON.stringify({ databases }), ...files })
  const config = await dbkit.settleConfig(
    {},
    { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
  )
  const report = await dbkit.codegen(config, { validators: true })
  expect(report.databases.map(({ error }) => error)).toEqual(report.databases.map(() => undefined))
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'))
  return folder
}

/** The schemas of a file of validators, by their names. */
async function load(folder: Folder, name: string): Promise<Readonly<Record<string, Schema>>> {
  const { code } = transformSync(readFileSync(join(folder.path, name), 'utf8'), {
    loader: 'ts',
    format: 'esm',
  })
  folder.write({ [`${name}.mjs`]: code })
  return (await import(pathToFileURL(join(folder.path, `${name}.mjs`)).href)) as Readonly<
    Record<string, Schema>
  >
}

const accepts = (schema: Schema | undefined, value: unknown): boolean =>
  schema?.['~standard'].validate(value).issues === undefined

describe('a validator and the database agree', () => {
  const made = emit(
    { things: { codegen: { out: 'things.ts', jsonTypes: SHAPES } } },
    {
      'sql/things/migrations/1_things.up.sql': SCHEMA,
      'sql/things/migrations/1_things.down.sql':
        'drop table things; drop domain positive, code; drop type mood;',
    },
  )

  async function disagreements(client: Client): Promise<readonly string[]> {
    const schemas = await load(await made, 'things.validators.ts')
    const [insert, update] = [schemas['newThingSchema'], schemas['thingUpdateSchema']]
    expect(insert?.['~standard'].vendor).toBe('zod')
    const found: string[] = []
    let refused = 0
    for (const [column, values] of Object.entries(CANDIDATES))
      for (const value of values) {
        const row = Object.fromEntries(
          Object.entries({ needed: 'x', [column]: value }).filter(([, one]) => one !== undefined),
        )
        const names = Object.keys(row)
        let taken = true
        await client.query('begin')
        try {
          await client.query(
            `insert into things (${names.join(', ')}) values (${names.map((_, index) => `$${String(index + 1)}`).join(', ')})`,
            Object.values(row),
          )
        } catch {
          taken = false
          refused++
        }
        await client.query('rollback')
        const shown = `${column} = ${typeof value === 'bigint' ? `${String(value)}n` : JSON.stringify(value)}`
        const given = column === 'needed' && value === undefined ? {} : row
        if (accepts(insert, given) !== taken)
          found.push(`${shown}: the database ${taken ? 'takes' : 'refuses'} it`)
        // Nothing has to be there in an update.
        if (value !== undefined && accepts(update, { [column]: value }) !== accepts(insert, given))
          found.push(`${shown}: an update is not checked like an insert`)
      }
    expect(refused).toBeGreaterThan(50)
    return found
  }

  test('on PGlite', async () => {
    noteEngine('embedded PGlite 0.5.8')
    const engine = await PGlite.create()
    await engine.exec(SCHEMA)
    const pool = poolOf(engine, () => engine.close())
    const client = await pool.connect()
    try {
      expect(await disagreements(client)).toEqual([])
    } finally {
      client.release()
      await pool.end()
    }
  }, 180_000)

  const onAServer = serverUrl() === undefined ? test.skip : test
  onAServer('on a server', async () => {
    const database = await createServerDatabase('validators')
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      await client.query(SCHEMA)
      expect(
        await disagreements({
          query: (sql, parameters) => client.query<Record<string, unknown>>(sql, parameters),
        }),
      ).toEqual([])
    } finally {
      await client.end()
      await database.drop()
    }
  })

  test('on what a document looks like', async () => {
    const { newThingSchema } = await load(await made, 'things.validators.ts')
    const takes = (row: object): boolean => accepts(newThingSchema, { needed: 'x', ...row })
    expect(takes({ doc: { a: 'one' } })).toBe(false)
    expect(takes({ doc: '{"a": "one"}' })).toBe(false)
    expect(takes({ doc: { a: 1, b: 'more' } })).toBe(true)
    expect(takes({ listing: '[1]' })).toBe(false)
    // The driver would send it as an array of PostgreSQL.
    expect(takes({ listing: ['x'] })).toBe(false)
  })

  test('and what it leaves to the database is listed', async () => {
    const text = readFileSync(join((await made).path, 'things.validators.ts'), 'utf8')
    expect([...text.matchAll(/^ \* - (.*)$/gm)].map(([, one]) => one)).toEqual([
      '`CHECK (EXTRACT(year FROM day) > 1999::numeric)`',
      '`CHECK (first < last)`',
    ])
  })

  test('and its types are those of the rows', async () => {
    const { path } = await made
    const read = (name: string): string => readFileSync(join(path, name), 'utf8')
    const { errors } = compile(
      {
        'things.ts': read('things.ts'),
        'things.validators.ts': read('things.validators.ts'),
        'check.ts': `import type { z } from 'zod'
import type { NewThing, ThingUpdate } from './things.js'
import type { newThingSchema, thingUpdateSchema } from './things.validators.js'
export const insert = (row: z.infer<typeof newThingSchema>): NewThing => row
export const update = (row: z.infer<typeof thingUpdateSchema>): ThingUpdate => row
// @ts-expect-error a value that the CHECK refuses
export const refused: z.infer<typeof newThingSchema> = { needed: 'x', state: 'OLD' }
`,
      },
      { exactOptionalPropertyTypes: false },
    )
    expect(errors).toEqual([])
  })
})

const SYSTEMS = ['happyrobot', 'escalation', 'smartscheduler', 'delauto'] as const

test.each(SYSTEMS)(
  'every row of %s passes its validator',
  async (name) => {
    const folder = await emit(
      {
        [name]: {
          migrations: join(root, 'sql', name, 'migrations'),
          codegen: { out: `${name}.ts`, jsonTypes: join(root, 'sql', name, 'json-types.json') },
        },
      },
      {},
    )
    const { pool, giveBack } = await borrowTestPool(name, {})
    const client = await pool.connect()
    try {
      const schemas = await load(folder, `${name}.validators.ts`)
      const text = readFileSync(join(folder.path, `${name}.validators.ts`), 'utf8')
      const refused: string[] = []
      let seen = 0
      for (const [, table = '', schema = ''] of text.matchAll(
        /inserted into `(\w+)`[\s\S]*?export const (new\w+Schema) = /g,
      )) {
        const { rows: columns }: { rows: Record<string, unknown>[] } = await client.query(
          `select column_name::text as name, data_type::text as type from information_schema.columns
         where table_name = $1 and table_schema = 'public' and is_generated = 'NEVER' and identity_generation is distinct from 'ALWAYS'`,
          [table],
        )
        const { rows } = await client.query(`select * from "${table}"`)
        for (const row of rows) {
          seen++
          const given = Object.fromEntries(
            columns.map(({ name: column, type }): [string, unknown] => {
              const value = row[String(column)]
              return [
                String(column),
                String(type).startsWith('json') && value !== null ? JSON.stringify(value) : value,
              ]
            }),
          )
          const { issues } = schemas[schema]?.['~standard'].validate(given) ?? {
            issues: [{ message: 'no schema' }],
          }
          if (issues !== undefined) refused.push(`${table}: ${JSON.stringify(issues).slice(0, 300)}`)
        }
      }
      expect(refused).toEqual([])
      expect(seen).toBeGreaterThan(20)
    } finally {
      client.release()
      await giveBack()
      folder.remove()
    }
  },
  300_000,
)
