import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { portable, settleConfig, type PortableReport } from 'dbkit'
import { FUNCTIONS, SETTINGS } from '../../src/portable/builtins.js'
import { definedFunctions, findLacks } from '../../src/portable/find-features.js'
import { RULES } from '../../src/portable/rules.js'
import { splitStatements } from '../../src/workspace/statements.js'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { noteEngine, onServer as connected, serverUrl } from '../support/server.js'

const folders: Folder[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove()
})

function freight(files: Readonly<Record<string, string>>): Folder {
  const folder = makeFolder({
    'dbkit.config.json': '{ "databases": { "freight": {} } }',
    ...Object.fromEntries(
      Object.entries(files).map(([name, text]) => [
        name.includes('/') ? name : `sql/freight/migrations/${name}`,
        text,
      ]),
    ),
  })
  folders.push(folder)
  return folder
}

/** What is found in statements, as "code at what stands there". */
function found(sql: string, major = 14, extensions?: readonly string[]): readonly string[] {
  const statements = splitStatements(sql)
  const target = { major, extensions: extensions === undefined ? undefined : new Set(extensions) }
  return statements.flatMap((statement) =>
    findLacks(statement, target, definedFunctions(statements)).map(
      ({ code, index }) => `${code} at ${sql.slice(index, index + 12).split('\n')[0] ?? ''}`,
    ),
  )
}

describe('what stands in a statement is found where it stands', () => {
  test.each([
    ['create table t (\n  a int,\n  unique nulls not distinct (a)\n)', 'nulls-not-distinct at nulls not di'],
    ['select 1; /* é */ MERGE  INTO t USING v ON true WHEN MATCHED THEN DELETE', 'merge at MERGE  INTO '],
    [
      "create function f() returns void language sql as $$ select json_value('1', '$') $$",
      "json-functions at json_value('",
    ],
    ['do $x$ begin perform uuidv7(); end $x$', 'function at uuidv7(); en'],
    ['select pg_catalog.any_value(a) from t', 'function at pg_catalog.a'],
    ['alter role r set transaction_timeout = 5', 'setting at set transact'],
    ['grant pg_maintain to r', 'role at pg_maintain '],
    ['create extension "pg_logicalinspect"', 'extension at "pg_logicali'],
    ['select * from (values (1)) where true', 'subquery-without-alias at (values (1))'],
  ])('%s', (sql, wanted) => {
    expect(found(sql)).toEqual([wanted])
  })
})

test('what only looks like it is left alone', () => {
  const innocent = [
    `comment on table t is 'merge into x nulls not distinct'; -- json_table(`,
    'create table merge (is_json boolean, "nulls not distinct" int, system int)',
    'create function uuidv7() returns uuid language sql as $$ select gen_random_uuid() $$; select uuidv7()',
    'create table gamma (a int); insert into gamma (a) values (1); create index on gamma (a)',
    'create table u (a int constraint a_known not null, b int not null default 1, check (a is not null))',
    'create table g (a int, b int generated always as (a * (1 + 2)) stored)',
    'select extract(epoch from (select now())), a is distinct from (select 1) from (select 1 as a) as s',
    'select json_object(array[1, 2]::text[]), random(), to_json(1), t.json_array(1)',
    'grant select, insert on t to r; grant r to s with admin option',
    'create publication p for table a, b with (publish = $$insert$$)',
    'alter table t alter column a set storage external; alter table t alter a set statistics 5',
    'create rule r as on update to t do also insert into log values (1) returning new.a',
    'create type base (input = f, output = g, storage = extended)',
    'select 10.5e3, 1 as x_1, t1_000.a, $1 from t1_000',
    'delete from t where a in (select 1) returning a; update t set a = old from (select 1 as old) as o',
  ]
  expect(innocent.flatMap((sql) => found(sql))).toEqual([])
})

test('only what the target lacks is told', () => {
  const sql = 'create table t (a int, b int generated always as (a) virtual, unique nulls not distinct (a))'
  expect([14, 15, 17, 18].map((major) => found(sql, major).length)).toEqual([2, 1, 1, 0])
  expect(found('create unlogged table t (a int) partition by list (a)', 17)).toEqual([])
  expect(found('create unlogged table t (a int) partition by list (a)', 18)).toEqual([
    'unlogged-partitioned at create unlog',
  ])
  expect(found('set force_parallel_mode = on', 16)).toEqual(['setting at set force_pa'])
})

test('an extension that cannot be had is told where it is created and where it is used', () => {
  const sql =
    'create extension if not exists "uuid-ossp"; create extension citext;\ncreate table t (id uuid default uuid_generate_v4(), mail citext)'
  expect(found(sql, 18, ['citext'])).toEqual(['extension at "uuid-ossp";', 'extension at uuid_generat'])
  expect(found(sql, 18, []).length).toBe(4)
  expect(found(sql, 18)).toEqual([])
})

const UP = `create table loads (
  id integer primary key,
  ref text,
  unique nulls not distinct (ref)
);
`

async function report(folder: Folder, options: Parameters<typeof portable>[1]): Promise<PortableReport> {
  const config = await settleConfig({}, { cwd: folder.path, environment: { HOME: process.env['HOME'] } })
  const [database] = (await portable(config, options)).databases
  if (database?.portable === undefined) throw new Error(`no report: ${database?.error?.message ?? ''}`)
  return database.portable
}

/** Of the installed server, which is older than 18 wherever tests are run today. */
async function installedMajor(): Promise<number> {
  const { rows } = await connected(serverUrl() ?? '', (client) =>
    client.query<{ v: string }>(`select current_setting('server_version_num')::int / 10000 || '' as v`),
  )
  return Number(rows[0]?.v)
}

describe('on a server of the target', () => {
  test('the embedded engine takes what PostgreSQL 18 takes, up and down', async () => {
    noteEngine('embedded PGlite 0.5.8')
    const folder = freight({ '0001_loads.up.sql': UP, '0001_loads.down.sql': 'drop table loads;' })
    const { proof, findings, statements } = await report(folder, { target: 18 })
    expect([proof.outcome, findings, statements]).toEqual(['taken', [], 2])
  })

  const onServer = serverUrl() === undefined ? test.skip : test
  onServer('what the server refuses is told, also where the text told nothing', async () => {
    const folder = freight({
      '0001_loads.up.sql': `${UP}\ncreate table rates (a int, b int generated always as (a) virtual);`,
      '0001_loads.down.sql': 'drop table rates; drop table loads;',
    })
    const shadowUrl = serverUrl() ?? ''
    const target = await installedMajor()
    const seen = await report(folder, { target, shadowUrl })
    expect([
      seen.proof.outcome,
      seen.findings.map(({ code, line, refused }) => [code, line, refused]),
    ]).toEqual(['refused', [['virtual-generated', 7, 'syntax error at or near "virtual"']]])
    folder.write({
      'sql/freight/migrations/0001_loads.up.sql': `${UP}\ncreate index on loads ((no_such_function(ref)));`,
    })
    const other = await report(folder, { target, shadowUrl })
    expect(other.findings).toMatchObject([
      { code: 'refused', line: 7, file: 'sql/freight/migrations/0001_loads.up.sql' },
    ])
  })

  onServer('a declared schema is run whole, and each statement that is refused is told', async () => {
    const folder = freight({
      'sql/freight/migrations/.keep': '',
      'sql/freight/schema/tables/loads.sql': UP,
      'sql/freight/schema/tables/odd.sql': 'create table odd (id no_such_type);\n',
      'sql/freight/schema/views/b.sql': 'create view b as select no_such_column from loads;\n',
    })
    const seen = await report(folder, {
      target: await installedMajor(),
      from: 'schema',
      shadowUrl: serverUrl() ?? '',
    })
    expect(seen.findings.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'sql/freight/schema/tables/odd.sql refused',
      'sql/freight/schema/views/b.sql refused',
    ])
  })

  test('where there is none, the text alone is judged, and that is said', async () => {
    const folder = freight({ '0001_loads.up.sql': UP, '0001_loads.down.sql': 'drop table loads;' })
    const { proof, findings } = await report(folder, { target: 14 })
    expect(findings.map(({ code, line, column }) => [code, line, column])).toEqual([
      ['nulls-not-distinct', 4, 10],
    ])
    // A machine may have it.
    expect(proof).toMatchObject(
      proof.engine === undefined
        ? { outcome: 'not-run', why: expect.stringContaining('No PostgreSQL 14') as unknown }
        : { outcome: 'refused' },
    )
  })
})

describe('the command', () => {
  const files = { '0001_loads.up.sql': UP, '0001_loads.down.sql': 'drop table loads;' }

  test('says each place, what it needs and what to write instead, and exits 1', async () => {
    const { path } = freight(files)
    const { exit, stdout } = await runCli(['portable', '--target', '14'], { cwd: path })
    expect(exit).toBe(1)
    expect(stdout).toContain(
      'sql/freight/migrations/0001_loads.up.sql:4:10  UNIQUE NULLS [NOT] DISTINCT: needs PostgreSQL 15 or later',
    )
    expect(stdout).toContain('instead: A unique index on coalesce(')
  })

  test('gives the same as JSON', async () => {
    const { path } = freight(files)
    const { exit, stdout } = await runCli(
      ['portable', '--target', '14', '--extensions', 'pgcrypto', '--json'],
      {
        cwd: path,
      },
    )
    const [database] = (JSON.parse(stdout) as { databases: readonly { portable: PortableReport }[] })
      .databases
    expect([exit, database?.portable.extensions, database?.portable.findings.length]).toEqual([
      1,
      ['pgcrypto'],
      1,
    ])
  })

  test.each([
    [['--target', '13'], 2, 'expected one of 14, 15, 16, 17, 18'],
    [['--target', 'new'], 2, 'Expected a major version'],
    [[], 2, "required option '--target <major>'"],
  ])('refuses %j', async (args, exit, message) => {
    const { path } = freight(files)
    const ended = await runCli(['portable', ...args], { cwd: path })
    expect([ended.exit, ended.stderr.includes(message)]).toEqual([exit, true])
  })

  const onServer = serverUrl() === undefined ? test.skip : test
  onServer('refuses a server of another major', async () => {
    const { path } = freight(files)
    const url = serverUrl() ?? ''
    const ended = await runCli(['portable', '--target', '17', '--shadow-url', url, '--json'], { cwd: path })
    expect([ended.exit, ended.stdout.includes('shadow.other-major')]).toEqual([2, true])
  })
})

test('the documentation has every rule', () => {
  const text = readFileSync(new URL('../../docs/portable.md', import.meta.url), 'utf8')
  const missing = Object.entries(RULES).filter(([code, { what, since, until }]) => {
    const majors = since === undefined ? `up to ${String(until)}` : `from ${String(since)}`
    return (
      !text.includes(`\`${code}\``) || !text.includes(what.replaceAll('|', '\\|')) || !text.includes(majors)
    )
  })
  expect(missing.map(([code]) => code)).toEqual([])
  expect([...FUNCTIONS.keys(), ...SETTINGS.keys()].filter((name) => !text.includes(name))).toEqual([])
})
