import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { PGlite } from '@electric-sql/pglite'
import * as dbkit from 'dbkit'
import pg from 'pg'
import { poolOf } from '../../src/database/pglite-pool.js'
import { makeFolder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A table with a column of every built-in type that a client can read, and what is written into it. */
const ZOO: Readonly<Record<string, { readonly type: string; readonly value: string }>> = {
  a_bool: { type: 'boolean', value: 'true' },
  an_int2: { type: 'smallint', value: '-7' },
  an_int4: { type: 'integer', value: '70000' },
  an_int8: { type: 'bigint', value: '9007199254740993' },
  an_oid: { type: 'oid', value: '42' },
  a_float4: { type: 'real', value: '1.5' },
  a_float8: { type: 'double precision', value: '2.25' },
  a_numeric: { type: 'numeric(30,10)', value: '12345678901234567890.0123456789' },
  a_money: { type: 'money', value: '12.50' },
  a_text: { type: 'text', value: 'words' },
  a_varchar: { type: 'varchar(10)', value: 'words' },
  a_char: { type: 'char(5)', value: 'ab' },
  a_name: { type: 'name', value: 'ab' },
  a_bytea: { type: 'bytea', value: '\\xdeadbeef' },
  a_date: { type: 'date', value: '2024-02-29' },
  a_timestamp: { type: 'timestamp', value: '2024-02-29 12:30:00' },
  a_timestamptz: { type: 'timestamptz', value: '2024-02-29 12:30:00+02' },
  a_time: { type: 'time', value: '12:30:00.5' },
  a_timetz: { type: 'timetz', value: '12:30:00+02' },
  an_interval: { type: 'interval', value: '1 year 2 days 03:04:05' },
  a_uuid: { type: 'uuid', value: '6f1b6f6e-4f0c-4a4e-9d52-2f9dfe4c8b11' },
  a_json: { type: 'json', value: '{"a":[1,null,"x"]}' },
  a_jsonb: { type: 'jsonb', value: '{"a":[1,null,"x"]}' },
  an_inet: { type: 'inet', value: '192.0.2.1/24' },
  a_cidr: { type: 'cidr', value: '192.0.2.0/24' },
  a_macaddr: { type: 'macaddr', value: '08:00:2b:01:02:03' },
  a_macaddr8: { type: 'macaddr8', value: '08:00:2b:01:02:03:04:05' },
  a_bit: { type: 'bit(3)', value: '101' },
  a_varbit: { type: 'bit varying(5)', value: '10101' },
  a_point: { type: 'point', value: '(1,2)' },
  a_line: { type: 'line', value: '{1,2,3}' },
  an_lseg: { type: 'lseg', value: '[(1,2),(3,4)]' },
  a_box: { type: 'box', value: '(3,4),(1,2)' },
  a_path: { type: 'path', value: '((1,2),(3,4))' },
  a_polygon: { type: 'polygon', value: '((1,2),(3,4))' },
  a_circle: { type: 'circle', value: '<(1,2),3>' },
  a_tsvector: { type: 'tsvector', value: 'cat rat' },
  a_tsquery: { type: 'tsquery', value: 'cat & rat' },
  a_range: { type: 'int4range', value: '[1,5)' },
  a_num_range: { type: 'numrange', value: '[1.5,5)' },
  a_multirange: { type: 'int4multirange', value: '{[1,5)}' },
  a_lsn: { type: 'pg_lsn', value: '16/B374D848' },
  a_regclass: { type: 'regclass', value: 'pg_class' },
  a_jsonpath: { type: 'jsonpath', value: '$.a' },
  an_enum: { type: 'mood', value: "it's so so" },
  a_domain: { type: 'positive', value: '3' },
  a_level: { type: 'level', value: 'low' },
  a_composite: { type: 'pair', value: '(1,x)' },
  bools: { type: 'boolean[]', value: '{t,NULL}' },
  int2s: { type: 'smallint[]', value: '{1,NULL}' },
  int4s: { type: 'integer[]', value: '{1,NULL}' },
  int8s: { type: 'bigint[]', value: '{1,NULL}' },
  float8s: { type: 'double precision[]', value: '{1.5,NULL}' },
  numerics: { type: 'numeric[]', value: '{1.5,NULL}' },
  texts: { type: 'text[]', value: '{a,NULL}' },
  varchars: { type: 'varchar(5)[]', value: '{a,NULL}' },
  chars: { type: 'char(2)[]', value: '{a,NULL}' },
  names: { type: 'name[]', value: '{a,NULL}' },
  byteas: { type: 'bytea[]', value: '{"\\\\xdead",NULL}' },
  dates: { type: 'date[]', value: '{2024-02-29,NULL}' },
  timestamps: { type: 'timestamp[]', value: '{2024-02-29 12:30:00,NULL}' },
  timestamptzs: { type: 'timestamptz[]', value: '{2024-02-29 12:30:00+02,NULL}' },
  times: { type: 'time[]', value: '{12:30:00,NULL}' },
  intervals: { type: 'interval[]', value: '{1 day,NULL}' },
  uuids: { type: 'uuid[]', value: '{6f1b6f6e-4f0c-4a4e-9d52-2f9dfe4c8b11,NULL}' },
  jsons: { type: 'json[]', value: '{"{\\"a\\":1}",NULL}' },
  jsonbs: { type: 'jsonb[]', value: '{"{\\"a\\":1}",NULL}' },
  inets: { type: 'inet[]', value: '{192.0.2.1,NULL}' },
  moneys: { type: 'money[]', value: '{1.50,NULL}' },
  points: { type: 'point[]', value: '{"(1,2)",NULL}' },
  moods: { type: 'mood[]', value: '{ok,NULL}' },
  pairs: { type: 'pair[]', value: '{"(1,x)",NULL}' },
  positives: { type: 'positive[]', value: '{1,NULL}' },
  ranges: { type: 'int4range[]', value: '{"[1,5)",NULL}' },
  grid: { type: 'integer[][]', value: '{{1,2},{3,NULL}}' },
}

const SCHEMA = `
create type mood as enum ('ok', 'it''s so so');
create domain positive as integer check (value > 0);
create domain level as text check (value in ('low', 'high'));
create type pair as (a integer, b text);
create table zoo (id integer generated always as identity primary key,
  ${Object.entries(ZOO)
    .map(([name, { type }]) => `${name} ${type}`)
    .join(', ')},
  doubled integer generated always as (an_int4 * 2) stored);
`

interface Emitted {
  /** Column to the type that is read, by table. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<string, string>>
}

type Rows = readonly Record<string, unknown>[]
type Query = (sql: string, parameters?: unknown[]) => Promise<Rows>

/** The emitted members as text; the compiler has its own test. */
function readEmitted(text: string): Emitted & { readonly unions: ReadonlyMap<string, string> } {
  const columns = new Map<string, Map<string, string>>()
  const keys = new Map(
    [...text.matchAll(/^ {2}'?([\w.]+)'?: (\w+(?:Table|View))$/gm)].map(([, key, name]) => [name, key]),
  )
  for (const [, name = '', body = ''] of text.matchAll(
    /^export interface (\w+(?:Table|View)) \{\n([\s\S]*?)^\}/gm,
  )) {
    const members = [...body.matchAll(/^ {2}(\w+): (.+)$/gm)].map(
      ([, column = '', type = '']) => [column, type] as const,
    )
    columns.set(keys.get(name) ?? name, new Map(members))
  }
  const unions = new Map<string, string>()
  for (const [, name = '', type = ''] of text.matchAll(
    /^export type (\w+) =\s+((?:\|? ?['"][^\n]*['"]\s*)+)$/gm,
  ))
    unions.set(name, type)
  for (const [, name = '', body = ''] of text.matchAll(/^export const (\w+) = \{\n([\s\S]*?)\} as const/gm))
    unions.set(name, [...body.matchAll(/: (-?\d+),/g)].map(([, code]) => code).join(' | '))
  for (const [, name = '', body = ''] of text.matchAll(/^export type (\w+) = ((?:-?\d+ \| )*-?\d+)$/gm))
    unions.set(name, body)
  return { columns, unions }
}

const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  Date: (value) => value instanceof Date || Object.prototype.toString.call(value) === '[object Date]',
  Timestamp: (value) => Object.prototype.toString.call(value) === '[object Date]',
  Buffer: (value) => Buffer.isBuffer(value),
  Bytea: (value) => Buffer.isBuffer(value),
  Int8: (value) => typeof value === 'string',
  Numeric: (value) => typeof value === 'string',
  IntervalValue: (value) => typeof (value as { toPostgres?: unknown } | null)?.toPostgres === 'function',
  Interval: (value) => typeof (value as { toPostgres?: unknown } | null)?.toPostgres === 'function',
  PointValue: (value) => typeof (value as { x?: unknown } | null)?.x === 'number',
  Point: (value) => typeof (value as { x?: unknown } | null)?.x === 'number',
  Circle: (value) => typeof (value as { radius?: unknown } | null)?.radius === 'number',
  JsonValue: (value) => value === null || ['object', 'string', 'number', 'boolean'].includes(typeof value),
}

/** Whether a value is of an emitted type; throws for a type that it does not know, so that none goes unchecked. */
function isOf(value: unknown, type: string, unions: ReadonlyMap<string, string>): boolean {
  const parts = splitUnion(type)
  if (parts.length > 1) return parts.some((part) => isOf(value, part, unions))
  if (type === 'null') return value === null
  const generic = /^(GeneratedAlways|Generated|Json|TextColumn|ArrayColumn|ColumnType)<([\s\S]*)>$/.exec(type)
  if (generic !== null) {
    const [, name, inner = ''] = generic
    if (name === 'Json') return typeof value === 'object' && value !== null
    if (name === 'TextColumn') return typeof value === 'string'
    const first = splitArguments(inner)[0] ?? ''
    if (name === 'ArrayColumn') return Array.isArray(value) && value.every((one) => isOf(one, first, unions))
    return isOf(value, first, unions)
  }
  if (type === 'Json') return value !== undefined
  if (type.endsWith('[]')) {
    const element = type.slice(0, -2).replace(/^\((.*)\)$/, '$1')
    return Array.isArray(value) && value.every((one) => isOf(one, element, unions))
  }
  if (type.startsWith('(') && type.endsWith(')')) return isOf(value, type.slice(1, -1), unions)
  if (/^'.*'$|^".*"$/.test(type)) return value === type.slice(1, -1).replaceAll("\\'", "'")
  if (/^-?\d+$/.test(type)) return value === Number(type)
  const union = unions.get(type)
  if (union !== undefined) return isOf(value, union.trim().replace(/^\|\s*/, ''), unions)
  const scalar = SCALARS[type]
  if (scalar !== undefined) return scalar(value)
  // What is left are the named shapes of documents.
  return typeof value === 'object' && value !== null
}

function splitUnion(type: string): readonly string[] {
  return splitAt(type, '|')
}

function splitArguments(type: string): readonly string[] {
  return splitAt(type, ',')
}

function splitAt(text: string, separator: string): readonly string[] {
  const parts: string[] = []
  let [depth, start, quote] = [0, 0, '']
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (quote !== '') {
      if (character === '\\') at++
      else if (character === quote) quote = ''
    } else if (character === "'" || character === '"') quote = character
    else if ('<({'.includes(character)) depth++
    else if ('>)}'.includes(character)) depth--
    else if (character === separator && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== '')
}

/** Reads every row of every table and view, and lists each value that its type denies, and each column without a type. */
async function lies(
  query: Query,
  text: string,
): Promise<{ readonly lies: readonly string[]; readonly seen: number }> {
  const { columns, unions } = readEmitted(text)
  const found: string[] = []
  let seen = 0
  for (const [table, types] of columns) {
    const rows = await query(
      `select * from ${table
        .split('.')
        .map((part) => `"${part}"`)
        .join('.')}`,
    )
    for (const row of rows)
      for (const [column, value] of Object.entries(row)) {
        seen++
        const type = types.get(column)
        if (type === undefined) found.push(`${table}.${column} has no type`)
        else if (!isOf(value, type, unions))
          found.push(`${table}.${column}: ${type} is ${JSON.stringify(value)}`)
      }
  }
  return { lies: found, seen }
}

async function onServer(url: string): Promise<{ query: Query; end: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return {
    query: async (sql, parameters) => (await client.query<Record<string, unknown>>(sql, parameters)).rows,
    end: () => client.end(),
  }
}

describe('the zoo', () => {
  const columns = Object.keys(ZOO)
  const insert = `insert into zoo (${columns.join(', ')}) values (${columns
    .map((name, index) => `$${String(index + 1)}::text::${ZOO[name]?.type ?? ''}`)
    .join(', ')})`
  const values = columns.map((name) => ZOO[name]?.value)

  async function check(query: Query, text: string): Promise<void> {
    await query(insert, values)
    // All NULL, which every column but the key allows.
    await query('insert into zoo default values')
    const { lies: found, seen } = await lies(query, text)
    expect(found).toEqual([])
    expect(seen).toBe(2 * (columns.length + 2))
    // What is read can be written back, but for what is documented to be written as text.
    const written = columns.filter((name) => !['a_point', 'a_circle', 'points', 'grid'].includes(name))
    const [row] = await query('select * from zoo where id = 1')
    for (const name of written) {
      // A JSON value is written as an object or as text; a list of documents as a list.
      await query(`update zoo set ${name} = $1 where id = 2`, [row?.[name]])
    }
    const [same] = await query(
      `select ${written.map((name) => `a.${name}::text is not distinct from b.${name}::text as ${name}`).join(', ')}
       from zoo a, zoo b where a.id = 1 and b.id = 2`,
    )
    expect(Object.entries(same ?? {}).filter(([, equal]) => equal !== true)).toEqual([])
  }

  const emit = async (url: string | undefined): Promise<string> => {
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { zoo: { codegen: { out: 'zoo.ts' } } } }),
      'sql/zoo/migrations/0001_zoo.up.sql': SCHEMA,
      'sql/zoo/migrations/0001_zoo.down.sql':
        'drop table zoo; drop type pair, mood; drop domain positive, level;',
    })
    try {
      const config = await dbkit.settleConfig(url === undefined ? {} : { url }, {
        cwd: folder.path,
        environment: { HOME: process.env['HOME'] },
      })
      if (url !== undefined) expect((await dbkit.migrateUp(config)).ok).toBe(true)
      const report = await dbkit.codegen(config)
      expect(report.databases.map(({ error }) => error)).toEqual([undefined])
      return readFileSync(join(folder.path, 'zoo.ts'), 'utf8')
    } finally {
      folder.remove()
    }
  }

  let fromShadow: string | undefined

  test('on PGlite', async () => {
    noteEngine('embedded PGlite 0.5.8')
    fromShadow = await emit(undefined)
    const engine = await PGlite.create()
    await engine.exec(SCHEMA)
    const pool = poolOf(engine, () => engine.close())
    const client = await pool.connect()
    try {
      await check(async (sql, parameters) => (await client.query(sql, parameters)).rows, fromShadow)
    } finally {
      client.release()
      await pool.end()
    }
  }, 120_000)

  const onAServer = serverUrl() === undefined ? test.skip : test
  onAServer('on a server', async () => {
    const database = await createServerDatabase('zoo')
    try {
      const text = await emit(database.url)
      if (fromShadow !== undefined) expect(text).toBe(fromShadow)
      const { query, end } = await onServer(database.url)
      try {
        await check(query, text)
      } finally {
        await end()
      }
    } finally {
      await database.drop()
    }
  })
})

describe.each(['happyrobot', 'escalation', 'smartscheduler', 'delauto'])('the rows of %s', (name) => {
  const onAServer = serverUrl() === undefined ? test.skip : test
  onAServer(
    'are what the committed types say, on a server',
    async () => {
      const database = await createServerDatabase(name)
      try {
        const config = await dbkit.settleConfig(
          { url: database.url, config: join(root, 'dbkit.config.ts'), database: [name] },
          { cwd: root, environment: {} },
        )
        for (const run of [
          dbkit.migrateUp,
          dbkit.seed,
          (c: dbkit.Config) => dbkit.codegen(c, { check: true }),
        ]) {
          const report = await run(config)
          expect(
            report.databases.map(({ ok, error, notes }) => ({ ok, error, notes: ok ? [] : notes })),
          ).toEqual([{ ok: true, error: undefined, notes: [] }])
        }
        const text = readFileSync(join(root, 'src/generated', `${name}.ts`), 'utf8')
        const { query, end } = await onServer(database.url)
        try {
          const { lies: found, seen } = await lies(query, text)
          expect(found).toEqual([])
          expect(seen).toBeGreaterThan(500)
        } finally {
          await end()
        }
      } finally {
        await database.drop()
      }
    },
    120_000,
  )
})
