import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { settleConfig, switchToFiles, type SwitchReport } from '../../src/index.js'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { describeEngines, type Bench, type JsonReport } from '../support/engines.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'

type SwitchJson = JsonReport & { readonly databases: readonly { readonly switch?: SwitchReport }[] }

const table = (file: string, name: string, columns = 'id integer'): Record<string, string> => ({
  [`${file}.up.sql`]: `create table ${name} (${columns});\n`,
  [`${file}.down.sql`]: `drop table ${name};\n`,
})

const MAIN = {
  ...table('1_loads', 'loads'),
  ...table('2_stops', 'stops'),
  ...table('3_fares', 'fares'),
}

/** What a switch did, a line a step. */
const stepsOf = (report: JsonReport): readonly string[] =>
  (report.databases[0]?.steps ?? []).map(
    ({ name, outcome, source }) => `${outcome} ${name}${source === undefined ? '' : ` (${source})`}`,
  )
const errorOf = (report: JsonReport): NonNullable<JsonReport['error']> | undefined =>
  report.error ?? report.databases[0]?.error

describeEngines('switch', (open, { everywhere, once }) => {
  let bench: Bench
  afterEach(async () => {
    await bench.remove()
  })
  const sql = (...names: string[]): void => {
    for (const name of names) rmSync(join(bench.folder.path, 'sql', name))
  }
  const run = async (
    ...args: string[]
  ): Promise<{ exit: number | null; report: SwitchJson; steps: readonly string[] }> => {
    const { exit, report } = await bench.json('switch', ...args)
    return { exit, report, steps: stepsOf(report) }
  }

  everywhere(
    'rolls back what another branch has, with its own SQL, and applies what this one has',
    async () => {
      bench = await open(MAIN)
      expect((await run()).steps).toEqual(['applied 1_loads', 'applied 2_stops', 'applied 3_fares'])
      expect((await run()).steps).toEqual([])
      sql('3_fares.up.sql', '3_fares.down.sql')
      // The way back of what was applied, and not of what is in the file now.
      bench.folder.write({
        ...table('2_stops', 'places', 'id integer, name text'),
        ...table('4_docks', 'docks'),
      })
      const dry = await run('--dry-run')
      expect(dry.exit).toBe(0)
      expect(dry.report.databases[0]?.switch).toEqual({
        kept: 1,
        rolledBack: [
          { version: '3', name: '3_fares', why: 'missing' },
          { version: '2', name: '2_stops', why: 'edited' },
        ],
        loses: ['table fares', 'table stops'],
      })
      expect(dry.report.databases[0]?.sql?.map(({ name, sql: text }) => `${name}: ${text.trim()}`)).toEqual([
        '3_fares: drop table fares;',
        '2_stops: drop table stops;',
        '2_stops: create table places (id integer, name text);',
        '4_docks: create table docks (id integer);',
      ])
      if (bench.server !== undefined) {
        const refused = await run()
        expect(refused).toMatchObject({ exit: 2, steps: [] })
        expect(errorOf(refused.report)?.code).toBe('request.needs-yes')
      }
      expect((await run('--yes')).steps).toEqual([
        'rolled-back 3_fares (ledger)',
        'rolled-back 2_stops (ledger)',
        'applied 2_stops',
        'applied 4_docks',
      ])
      const { report } = await bench.json('migrate', 'status')
      expect(report.databases[0]?.migrations?.map(({ name, state }) => `${name} ${state}`)).toEqual([
        '1_loads applied',
        '2_stops applied',
        '4_docks applied',
      ])
    },
  )

  everywhere(
    'names what has no way back before it changes anything, and with --reset makes all anew',
    async () => {
      bench = await open({
        ...MAIN,
        '4_gone.up.sql': '-- dbkit: irreversible the rows are gone\ndrop table stops;',
      })
      await run()
      sql('4_gone.up.sql', '3_fares.up.sql', '3_fares.down.sql')
      const refused = await run('--yes')
      expect(refused).toMatchObject({ exit: 2, steps: [] })
      const error = errorOf(refused.report)
      expect(error?.code).toBe('switch.no-way-back')
      expect(error?.message).toBe('4_gone cannot be rolled back: the rows are gone.')
      expect(error?.hint).toContain('--reset')
      const dry = await run('--reset', '--dry-run')
      expect(dry.report.databases[0]?.switch?.reset).toEqual([error?.message])
      const after = await bench.json('migrate', 'status')
      expect(after.report.databases[0]?.summary).toMatchObject({ applied: 2, missing: 2 })
      const reset = await run('--reset', '--yes')
      expect(reset).toMatchObject({ exit: 0, steps: ['applied 1_loads', 'applied 2_stops'] })
      expect(reset.report.databases[0]?.switch?.reset).toEqual([error?.message])
      // There is nothing that has no way back any more.
      expect((await run('--reset', '--yes')).steps).toEqual([])
    },
  )

  once('puts in between what belongs there, and leaves alone what was let in out of order', async () => {
    bench = await open({ ...table('1_loads', 'loads'), ...table('3_fares', 'fares') })
    await run()
    bench.folder.write(table('2_stops', 'stops'))
    const between = await run('--yes')
    expect(between.steps).toEqual(['rolled-back 3_fares (ledger)', 'applied 2_stops', 'applied 3_fares'])
    expect(between.report.databases[0]?.switch?.rolledBack).toEqual([
      { version: '3', name: '3_fares', why: 'later' },
    ])
    await bench.dbkit('migrate', 'down', '--to', '1')
    sql('2_stops.up.sql', '2_stops.down.sql')
    await bench.dbkit('migrate', 'up')
    bench.folder.write({ ...table('2_stops', 'stops'), ...table('4_docks', 'docks') })
    await bench.dbkit('migrate', 'up', '--allow-out-of-order')
    expect((await run()).steps).toEqual([])
    sql('4_docks.up.sql', '4_docks.down.sql')
    expect((await run('--yes')).steps).toEqual(['rolled-back 4_docks (ledger)'])
  })

  once('takes an edited way back, or another name, into the ledger without running anything', async () => {
    bench = await open(MAIN)
    await run()
    sql('2_stops.up.sql', '2_stops.down.sql')
    bench.folder.write({ ...table('2_places', 'stops'), '3_fares.down.sql': 'drop table if exists fares;\n' })
    const taken = await run()
    expect(taken).toMatchObject({ exit: 0, steps: [] })
    expect(taken.report.databases[0]?.notes).toHaveLength(2)
    const { report } = await bench.json('migrate', 'status')
    expect(report.databases[0]?.migrations?.map(({ name, state }) => `${name} ${state}`)).toEqual([
      '1_loads applied',
      '2_places applied',
      '3_fares applied',
    ])
    expect((await run()).report.databases[0]?.notes).toBeUndefined()
  })

  once(
    'goes on with what was interrupted, and does not guess the way back from the middle of it',
    async () => {
      const half =
        '-- dbkit: no-transaction\ncreate table half (id integer);\nselect 1 / (select count(*) from go)::integer;\n'
      bench = await open({
        ...table('1_loads', 'loads'),
        '2_half.up.sql': half,
        '2_half.down.sql': 'drop table half;',
      })
      expect((await run()).exit).toBe(3)
      bench.folder.write({ '2_half.up.sql': '-- dbkit: no-transaction\nselect 1;\n' })
      const refused = await run('--yes')
      expect(errorOf(refused.report)).toMatchObject({ code: 'switch.no-way-back' })
      expect(errorOf(refused.report)?.message).toContain('after 1 of its statements')
      bench.folder.write({ '2_half.up.sql': half })
      await bench.server?.query('create table go as select 1')
      if (bench.server !== undefined)
        expect(await run()).toMatchObject({ exit: 0, steps: ['applied 2_half'] })
    },
  )

  once(
    'rolls back what holds a password, and code, as long as their files are what was applied',
    async () => {
      const role = `switch_${String(process.pid)}`
      const code = (what: string): string =>
        `export async function up(db) { await ${what} }\nexport async function down(db) {}\n`
      bench = await open({
        ...table('1_loads', 'loads'),
        '2_role.up.sql': `-- dbkit: allow=password-literal a test\ncreate role ${role};`,
        '2_role.down.sql': `-- dbkit: allow=password-literal a test\nalter role ${role} password 'secret';drop role ${role};`,
        '3_code.mjs': code('0'),
      })
      mkdirSync(join(bench.folder.path, 'node_modules'))
      symlinkSync(
        new URL('../../node_modules/kysely', import.meta.url).pathname,
        join(bench.folder.path, 'node_modules', 'kysely'),
      )
      expect(errorOf((await run()).report)).toBeUndefined()
      bench.folder.write(table('1_loads', 'loads', 'id bigint'))
      expect((await run('--yes')).steps.slice(0, 3)).toEqual([
        'rolled-back 3_code',
        'rolled-back 2_role',
        'rolled-back 1_loads (ledger)',
      ])
      sql('2_role.down.sql')
      bench.folder.write({
        '2_role.up.sql': '-- dbkit: irreversible now\nselect 1;',
        '3_code.mjs': code('1'),
      })
      const { report } = await run('--yes')
      const error = errorOf(report)
      expect([error?.message, ...(error?.others ?? []).map(({ message }) => message)]).toEqual([
        '3_code cannot be rolled back: it is a migration as code, and its file is not here as it was applied.',
        '2_role cannot be rolled back: its down holds a password, which the ledger does not keep, and its file is not here as it was applied.',
      ])
      bench.folder.write({
        '2_role.up.sql': `-- dbkit: allow=password-literal a test\ncreate role ${role};`,
        '2_role.down.sql': `-- dbkit: allow=password-literal a test\nalter role ${role} password 'secret';drop role ${role};`,
        '3_code.mjs': code('0'),
      })
      expect((await bench.dbkit('migrate', 'down', '--all', '--yes')).exit).toBe(0)
    },
  )

  once('is refused for a folder without migrations', async () => {
    bench = await open(MAIN)
    await run()
    rmSync(join(bench.folder.path, 'sql'), { recursive: true })
    mkdirSync(join(bench.folder.path, 'sql'))
    expect(errorOf((await run('--yes')).report)).toMatchObject({ code: 'switch.no-files' })
  })

  once('knows a squash where the database has all of it, and else rolls back what it replaced', async () => {
    bench = await open(MAIN)
    await bench.dbkit('migrate', 'up', '--to', '2')
    const whole = (): void => {
      sql('1_loads.up.sql', '1_loads.down.sql', '2_stops.up.sql', '2_stops.down.sql')
      sql('3_fares.up.sql', '3_fares.down.sql')
      bench.folder.write({
        '3_all.up.sql':
          '-- dbkit: replaces 1-3\ncreate table loads (id integer); create table stops (id integer); create table fares (id integer);',
        '3_all.down.sql': 'drop table fares; drop table stops; drop table loads;',
      })
    }
    whole()
    expect((await run('--yes')).steps).toEqual([
      'rolled-back 2_stops (ledger)',
      'rolled-back 1_loads (ledger)',
      'applied 3_all',
    ])
    sql('3_all.up.sql', '3_all.down.sql')
    bench.folder.write(MAIN)
    expect((await run('--yes')).steps).toEqual([
      'rolled-back 3_all (ledger)',
      'applied 1_loads',
      'applied 2_stops',
      'applied 3_fares',
    ])
    whole()
    expect((await run()).steps).toEqual([])
  })

  once('reads the folders of other tools', async () => {
    const goose = (name: string): string =>
      `-- +goose Up\ncreate table ${name} (id integer);\n-- +goose Down\ndrop table ${name};\n`
    bench = await open({ '00001_loads.sql': goose('loads'), '00002_stops.sql': goose('stops') })
    expect((await run()).exit).toBe(0)
    sql('00002_stops.sql')
    bench.folder.write({ '00003_fares.sql': goose('fares') })
    expect((await run('--yes')).steps.map((step) => step.split(' ')[0])).toEqual(['rolled-back', 'applied'])
  })
})

describe('switch of a configuration', () => {
  let folder: Folder
  let server: ServerDatabase | undefined
  beforeEach(() => {
    folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { shop: {}, bank: {} } }),
      ...Object.fromEntries(
        Object.entries(MAIN).map(([name, text]) => [`sql/shop/migrations/${name}`, text]),
      ),
      'sql/bank/migrations/1_notes.up.sql': 'create table notes ();',
      'sql/bank/migrations/1_notes.down.sql': 'drop table notes;',
    })
  })
  afterEach(async () => {
    folder.remove()
    await server?.drop()
    server = undefined
  })
  const dbkit = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ exit: number | null; code: string | undefined; report: JsonReport }> => {
    const { exit, stdout } = await runCli(['switch', ...args, '--json'], { cwd: folder.path, env })
    const report = JSON.parse(stdout) as JsonReport
    return { exit, code: errorOf(report)?.code, report }
  }

  test('asks for -d or --yes with several databases, for --embedded in CI, and for --reset with --seed', async () => {
    expect(await dbkit([])).toMatchObject({ exit: 2, code: 'request.needs-confirmation' })
    expect(await dbkit(['-d', 'shop'], { CI: 'true' })).toMatchObject({
      exit: 2,
      code: 'request.embedded-in-ci',
    })
    expect(await dbkit(['-d', 'shop', '--seed'])).toMatchObject({
      exit: 2,
      code: 'request.conflicting-options',
    })
    if (serverUrl() !== undefined)
      expect(await dbkit(['-d', 'shop', '--reset', '--yes', '--url', serverUrl() ?? ''])).toMatchObject({
        exit: 2,
        code: 'request.maintenance-database',
      })
  })

  const onServers = serverUrl() === undefined ? test.skip : test
  onServers('runs hooks and what is repeatable, all of it after a rollback', async () => {
    server = await createServerDatabase('switch')
    const hooks = {
      beforeRun: { sql: "create table if not exists told (what text); insert into told values ('before')" },
      afterMigration: { sql: "insert into told values (current_setting('dbkit.name'))" },
    }
    folder.write({
      'dbkit.config.json': JSON.stringify({ databases: { shop: { hooks } } }),
      'sql/shop/repeatable/seen.sql': 'create or replace view seen as select id from loads;',
      'sql/shop/repeatable/other.sql': 'create or replace view other as select 1 as one;',
    })
    const config = (): ReturnType<typeof settleConfig> =>
      settleConfig({ url: server?.url ?? '', database: ['shop'] }, { cwd: folder.path, environment: {} })
    expect((await switchToFiles(await config())).ok).toBe(true)
    await server.query('delete from told')
    // Its way back takes the view along.
    folder.write({ 'sql/shop/migrations/3_fares.down.sql': 'drop table fares; drop view seen;' })
    expect((await switchToFiles(await config())).ok).toBe(true)
    folder.write({ 'sql/shop/migrations/3_fares.up.sql': 'create table fares (id bigint);' })
    const report = await switchToFiles(await config(), { yes: true })
    expect(report.databases[0]?.steps?.map(({ name, outcome }) => `${outcome} ${name}`)).toEqual([
      'rolled-back 3_fares',
      'applied 3_fares',
      'applied other',
      'applied seen',
    ])
    expect(await server.query('select what from told')).toEqual([
      { what: 'before' },
      { what: '3_fares' },
      { what: '3_fares' },
    ])
    rmSync(join(folder.path, 'sql/shop/repeatable/seen.sql'))
    const refused = await switchToFiles(await config(), { yes: true })
    expect(refused.databases[0]?.error).toMatchObject({ code: 'switch.no-way-back' })
    expect(refused.databases[0]?.error?.message).toContain('seen cannot be rolled back: it is repeatable')
  })
})
