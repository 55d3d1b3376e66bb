import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { settleConfig, verify, type RollbackProof, type VerifyOptions } from 'dbkit'
import { runCli, startCli } from '../support/cli.js'
import { figure, proving, sampled } from '../support/prove.js'
import { noteEngine, onServer, serverUrl } from '../support/server.js'
import { cases, mutations } from './cases.js'
import { project, prove, proveIn, shadow } from './harness.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MINUTES = 60_000

/** Folders of servers that a process has started. */
function clustersOf({ pid }: { readonly pid?: number | undefined }): readonly string[] {
  return ['/dev/shm', tmpdir()]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => basename(path).startsWith(`dbkit-shadow-pg-${String(pid)}-`))
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + MINUTES
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not come to be')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Many migrations in one history, each on a schema of its own: a down is judged alone, so none is in another's way. */
function history(
  all: readonly { readonly base?: string; readonly up: string; readonly down: string }[],
): Record<string, string> {
  const number = (index: number): string => String(index + 2).padStart(4, '0')
  const own = (index: number, sql: string): string =>
    sql
      .replaceAll(/\bs\./g, `s${String(index)}.`)
      .replaceAll(/\bs_(?!\w)|(?<=_)s_(?!\w)/g, `s${String(index)}`)
  const base = all.map((one, index) => `create schema s${String(index)};\n${own(index, one.base ?? '')}`)
  return {
    '0001_base.up.sql': `-- dbkit: irreversible the others stand on it\n${base.join('\n')}`,
    ...Object.fromEntries(
      all.flatMap(({ up, down }, index) => [
        [`${number(index)}_case.up.sql`, own(index, up)],
        [`${number(index)}_case.down.sql`, own(index, down)],
      ]),
    ),
  }
}

/** Everything that is said of a migration, with `s.` for its schema. */
function saidOf(proof: RollbackProof | undefined, index: number): string {
  const said = [
    ...(proof?.findings ?? []).map(({ message }) => message),
    proof?.reason ?? '',
    proof?.error?.message ?? '',
  ]
  return said.join('\n').replaceAll(`s${String(index)}.`, 's.')
}

describe('verify', () => {
  test(
    'gives each kind of rollback its verdict and names what it leaves or loses',
    async () => {
      const report = await prove(history(cases))
      expect(report.error).toBeUndefined()
      const proofs = report.verify?.migrations.slice(1) ?? []
      const seen = cases.map(({ name }, index) => `${name}: ${proofs[index]?.verdict ?? ''}`)
      expect(seen).toEqual(cases.map(({ name, expected: [verdict] }) => `${name}: ${verdict}`))
      for (const [index, { expected }] of cases.entries())
        for (const message of expected.slice(1)) expect(saidOf(proofs[index], index)).toContain(message)
      expect(report.ok).toBe(false)
      expect(report.verify?.wholeWay.outcome).toBe('not-run')
      const syntax = proofs[0]?.error
      expect([syntax?.file, syntax?.line, syntax?.column]).toEqual([
        'sql/freight/migrations/0002_case.down.sql',
        1,
        30,
      ])
    },
    5 * MINUTES,
  )

  test(
    'catches a down that lacks one clause, and none that lacks nothing',
    async () => {
      const tried = sampled(mutations, 12)
      const right = tried.map(({ down, ...rest }) => ({
        ...rest,
        down: down.replaceAll(/\[([^|\]]*)(?:\|[^\]]*)?\]/g, '$1'),
      }))
      const wrong = tried.map(({ down, ...rest }) => ({
        ...rest,
        down: down.replaceAll(/\[[^|\]]*(?:\|([^\]]*))?\]/g, '$1'),
      }))
      expect(mutations.length).toBeGreaterThanOrEqual(50)
      const report = await prove(history([...right, ...wrong]))
      expect(report.error).toBeUndefined()
      const verdicts = (report.verify?.migrations.slice(1) ?? []).map(({ verdict }) => verdict)
      const said = (index: number): string =>
        `${[...right, ...wrong][index]?.down ?? ''} => ${verdicts[index] ?? ''} ${saidOf(report.verify?.migrations[index + 1], index)}`
      const alarms = right.flatMap((_, index) =>
        ['exact', 'note'].includes(verdicts[index] ?? '') ? [] : [said(index)],
      )
      const missed = wrong.flatMap((_, index) => {
        const at = right.length + index
        return ['different', 'error', 'empty'].includes(verdicts[at] ?? '') ? [] : [said(at)]
      })
      figure('correct rollbacks, and alarms about them', `${String(right.length)}, ${String(alarms.length)}`)
      figure('broken rollbacks, and those not caught', `${String(wrong.length)}, ${String(missed.length)}`)
      expect(alarms).toEqual([])
      expect(missed).toEqual([])
    },
    5 * MINUTES,
  )

  test('goes the whole way down and up again, and loads the seeds twice', async () => {
    const report = await prove({
      '0001_a.up.sql': 'create table carriers (id integer primary key, name text not null);',
      '0001_a.down.sql': 'drop table carriers;',
      '0002_b.up.sql': 'create index carriers_name on carriers (name);',
      '0002_b.down.sql': 'drop index carriers_name;',
      'seeds/freight/sample/carriers.csv': 'id,name\n1,Acme\n2,Best\n',
    })
    expect(report.ok).toBe(true)
    expect(report.verify?.wholeWay).toEqual({ outcome: 'ok', findings: [] })
    expect(report.verify?.seeds).toEqual({ outcome: 'ok', findings: [] })
    // Nothing is there before the first one; then the rows of the seeds.
    expect(report.verify?.migrations.map(({ verdict, rows }) => [verdict, rows])).toEqual([
      ['exact', 0],
      ['exact', 2],
    ])
  })

  test('finds seeds that change at each load', async () => {
    const report = await prove({
      '0001_a.up.sql': 'create table hits (n integer);',
      '0001_a.down.sql': 'drop table hits;',
      'seeds/freight/sample/01_more.sql': 'insert into hits values (1);',
    })
    expect(report.ok).toBe(false)
    expect(report.verify?.seeds?.findings.map(({ message }) => message)).toEqual([
      'a second load of the seeds adds 1 row of table public.hits',
    ])
  })

  test('names a table that no row could be made for', async () => {
    const report = await prove({
      '0001_a.up.sql': 'create table never (n integer not null check (n > 1 and n < 0));',
      '0001_a.down.sql': 'drop table never;',
      '0002_b.up.sql': 'alter table never add m integer;',
      '0002_b.down.sql': 'alter table never drop m;',
    })
    expect(report.ok).toBe(true)
    expect(report.verify?.emptyTables.map(({ table }) => table)).toEqual(['public.never'])
    expect(report.verify?.emptyTables[0]?.why).toContain('violates check constraint')
  })

  test('stops at an up that fails, with its place', async () => {
    const report = await prove({
      '0001_a.up.sql': 'create table a (id integer);\nalter table b add c integer;',
      '0001_a.down.sql': 'drop table a;',
    })
    expect([report.ok, report.error?.code, report.error?.line]).toEqual([false, 'database.refused', 2])
  })

  test('proves only what is newer than --since', async () => {
    const files = {
      '0001_a.up.sql': 'create table a (id integer);',
      '0001_a.down.sql': 'select 1;',
      '0002_b.up.sql': 'create table b (id integer);',
      '0002_b.down.sql': 'drop table b;',
    }
    const report = await prove(files, { ...shadow(), since: '0001' })
    expect(report.verify?.migrations.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      '0002_b exact',
    ])
    expect([report.ok, report.verify?.wholeWay.outcome]).toEqual([true, 'ok'])
  })

  test('takes a down that is missing for what it is', async () => {
    const report = await prove({
      '0001_a.up.sql': 'create table a (id integer);',
      '0002_b.up.sql': '-- dbkit: irreversible the old values are gone\ncreate table b (id integer);',
    })
    expect(report.verify?.migrations.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['missing', 'there is no down'],
      ['missing', 'the old values are gone'],
    ])
  })

  test('leaves neither databases nor roles on the server', async () => {
    const url = serverUrl()
    if (url === undefined) return
    const left = (): Promise<unknown[]> =>
      onServer(url, async (client) => {
        const { rows } = await client.query<{ datname: string }>(
          `select datname from pg_database where datname like 'dbkit_shadow_leftovers%' union all select rolname from pg_roles where rolname = 'dbkit_verify_role'`,
        )
        return rows
      })
    const folder = project({
      'dbkit.config.json': JSON.stringify({ databases: { leftovers: {} } }),
      'sql/leftovers/migrations/0001_a.up.sql': 'create role dbkit_verify_role;',
      'sql/leftovers/migrations/0001_a.down.sql': 'select 1;',
    })
    const report = await proveIn(folder)
    expect(report.error).toBeUndefined()
    expect(await left()).toEqual([])
  })

  const starts = serverUrl() === undefined ? test.skip : test
  starts(
    'starts a server of its own where PostgreSQL is installed, which ends with it',
    async () => {
      const folder = project({ 'm/0001_a.up.sql': 'select 1;', 'm/0001_a.down.sql': 'select 1;' })
      const whole = startCli(['verify', '--dir', 'm'], { cwd: folder.path })
      const { exit, stdout } = await whole.ended
      expect([exit, stdout]).toEqual([0, expect.stringContaining('a server of its own on this machine')])
      expect(clustersOf(whole.child)).toEqual([])
      folder.write({ 'm/0001_a.up.sql': 'select pg_sleep(60);' })
      const { child, ended } = startCli(['verify', '--dir', 'm'], { cwd: folder.path })
      await until(() =>
        clustersOf(child).some((cluster) => existsSync(join(cluster, 'data', 'postmaster.pid'))),
      )
      child.kill('SIGKILL')
      await ended
      await until(() => clustersOf(child).length === 0)
    },
    2 * MINUTES,
  )

  test('prints the verdicts, and ends with 1', async () => {
    const folder = project({
      'm/0001_a.up.sql':
        'create table a (id integer);\ncreate function f() returns integer language sql as $$select 1$$;',
      'm/0001_a.down.sql': 'drop table a;',
    })
    const { shadowUrl } = shadow()
    const target = shadowUrl === undefined ? [] : ['--shadow-url', shadowUrl]
    const { exit, stdout } = await runCli(['verify', '--dir', 'm', ...target], { cwd: folder.path })
    expect(exit).toBe(1)
    expect(stdout).toMatch(/✗ 0001_a {2}different .*\n {6}leaves function public\.f\(\)/)
  })
})

describe.each(['happyrobot', 'escalation', 'smartscheduler', 'delauto'])('the rollbacks of %s', (name) => {
  const proved = async (options: VerifyOptions, embedded = false): Promise<void> => {
    const environment = { HOME: process.env['HOME'] }
    const config = await settleConfig({ database: [name], embedded }, { cwd: root, environment })
    const [report] = (await verify(config, options)).databases
    const broken = report?.verify?.migrations.filter(({ verdict }) => !['exact', 'note'].includes(verdict))
    expect([report?.error, broken, report?.verify?.wholeWay.outcome, report?.verify?.seeds?.outcome]).toEqual(
      [undefined, [], 'ok', 'ok'],
    )
    expect(report?.ok).toBe(true)
  }
  const url = serverUrl()
  // The embedded engine takes five times as long: one system is enough of a sample where a server proves all of them.
  if (proving || url === undefined || name === 'happyrobot')
    test(
      'are proved on PGlite',
      async () => {
        noteEngine('embedded PGlite 0.5.8')
        await proved({}, true)
      },
      5 * MINUTES,
    )
  if (url === undefined)
    test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
  else test('are proved on a server', () => proved({ shadowUrl: url }), 5 * MINUTES)
})
