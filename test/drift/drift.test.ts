import { spawnSync } from 'node:child_process'
import { describe, expect, test } from '@jest/globals'
import { PGlite } from '@electric-sql/pglite'
import { join } from 'node:path'
import type { DriftDifference, Report } from 'dbkit'
import { runCli, type Ended, type Folder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'
import { freight, proveIn } from '../verify/harness.js'

const MINUTES = 60_000

const history = {
  '0001_loads.up.sql': `create table loads (
  id integer primary key,
  weight integer not null default 0,
  note text
);
create index loads_note on loads (note);
create function rate(x integer) returns integer language sql as 'select x';
comment on table loads is 'Freight.';`,
  '0001_loads.down.sql': 'drop function rate(integer); drop table loads;',
  '0002_rates.up.sql': `create or replace function rate(x integer) returns integer language sql as 'select x * 2';
alter table loads alter weight set default 5;
drop index loads_note;
create view heavy as select id, weight from loads where weight > 100;`,
  '0002_rates.down.sql': `drop view heavy;
create index loads_note on loads (note);
alter table loads alter weight set default 0;
create or replace function rate(x integer) returns integer language sql as 'select x';`,
}

const pending = {
  '0003_phone.up.sql': 'alter table loads\n  add phone text;',
  '0003_phone.down.sql': 'alter table loads drop phone;',
}

/** What somebody did to the database by hand. */
const BY_HAND = `
  create or replace function rate(x integer) returns integer language sql as 'select x';
  alter table loads alter weight set default 7;
  create index loads_note on loads (note);
  drop view heavy;
  alter table loads add phone text;
  comment on table loads is 'Cargo.';
  create table scratch (id integer, x text);`

function reportOf({ stdout }: Ended): Report {
  return JSON.parse(stdout) as Report
}

function differencesIn(report: Report): readonly DriftDifference[] {
  return report.databases[0]?.drift?.differences ?? []
}

/** "changed column ...: altered 0002_rates:2", sorted as they come. */
function told(report: Report): readonly string[] {
  return differencesIn(report).map(({ object, kind, changes, explanation }) => {
    const { migration, line } = explanation
    const place = migration === undefined ? '' : ` ${migration}:${String(line)}`
    return `${kind} ${object}${changes.length === 0 ? '' : ` (${changes.join('; ')})`}: ${explanation.kind}${place}`
  })
}

function schemaOf({ url: target }: ServerDatabase): string {
  const { status, stdout, stderr } = spawnSync(
    'pg_dump',
    ['--schema-only', '--exclude-schema=dbkit', target],
    {
      encoding: 'utf8',
    },
  )
  expect([status, stderr]).toEqual([0, ''])
  return stdout.replaceAll(/^\\(?:un)?restrict .*$/gm, '')
}

const EXPECTED = [
  'extra column public.loads.phone: pending 0003_phone:1',
  'changed column public.loads.weight (default 5 -> 7): altered 0002_rates:2',
  'changed function public.rate(integer) (body select x * 2 -> select x): undone 0002_rates:1',
  'extra index public.loads_note: kept 0002_rates:3',
  'changed table public.loads (comment "Freight." -> "Cargo."): altered 0001_loads:8',
  'extra table public.scratch: unknown',
  'missing view public.heavy: undone 0002_rates:4',
]

const url = serverUrl()
const onServers = url === undefined ? describe.skip : describe

onServers('schema drift of a server', () => {
  async function withDrift(
    body: (folder: Folder, database: ServerDatabase) => Promise<void>,
    change = BY_HAND,
  ): Promise<void> {
    const database = await createServerDatabase('drift')
    try {
      const folder = freight(history)
      const up = await runCli(['migrate', 'up', '--url', database.url], { cwd: folder.path })
      expect([up.exit, up.stderr]).toEqual([0, ''])
      if (change !== '') await database.query(change)
      await body(folder, database)
    } finally {
      await database.drop()
    }
  }

  test('says what differs, and which migration explains it', () =>
    withDrift(async (folder, database) => {
      folder.write(
        Object.fromEntries(
          Object.entries(pending).map(([name, text]) => [`sql/freight/migrations/${name}`, text]),
        ),
      )
      const args = ['schema', 'drift', '--url', database.url, '--shadow-url', url ?? '']
      const ended = await runCli([...args, '--json'], { cwd: folder.path })
      const report = reportOf(ended)
      expect([ended.exit, ended.stderr]).toEqual([1, ''])
      expect([report.command, report.ok, report.databases[0]?.drift?.at]).toEqual([
        'schema drift',
        false,
        '0002_rates',
      ])
      expect(told(report)).toEqual(EXPECTED)
      expect(differencesIn(report)[0]?.explanation.file).toBe('sql/freight/migrations/0003_phone.up.sql')
      const human = await runCli(args, { cwd: folder.path })
      expect(human.exit).toBe(1)
      expect(human.stdout).toMatch(
        /✗ missing {2}view public\.heavy\n +made by sql\/freight\/migrations\/0002_rates\.up\.sql:4\n {2}7 differences\n/,
      )
    }))

  test(
    'compares another major on one engine, with its roles',
    () =>
      withDrift(async (folder, database) => {
        noteEngine('embedded PGlite 0.5.8')
        const ended = await runCli(['schema', 'drift', '--url', database.url, '--json'], { cwd: folder.path })
        const report = reportOf(ended)
        expect(report.databases[0]?.drift?.comparedOn.kind).toBe('embedded')
        expect(told(report)).toEqual(['extra grant on table public.loads to pg_monitor: unknown'])
        expect(ended.exit).toBe(1)
      }, 'grant select on loads to pg_monitor'),
    2 * MINUTES,
  )

  test('finds nothing where nothing was changed, also under a renamed owner and after an edit', () =>
    withDrift(async (folder, database) => {
      const args = ['schema', 'drift', '--url', database.url, '--shadow-url', url ?? '']
      const ended = await runCli(args, { cwd: folder.path })
      expect([ended.exit, ended.stderr]).toEqual([0, ''])
      expect(ended.stdout).toContain('✓ the database is what its migrations make')
      // The text that was run counts, not what became of the file.
      folder.write({
        'sql/freight/migrations/0002_rates.up.sql': 'select 1;',
        'sql/freight/migrations/0002_rates.down.sql': 'select 1;',
      })
      const edited = await runCli(args, { cwd: folder.path })
      expect(edited.exit).toBe(0)
      expect(edited.stdout).toContain(
        '0002_rates: its file was edited since it was applied; taken as it was run',
      )
    }, ''))

  const clean = ['schema', 'drift', '--shadow-url', url ?? '', '--url']

  test('writes the migration that takes the changes over, for all other databases', () =>
    withDrift(async (folder, database) => {
      const fixed = await runCli([...clean, database.url, '--fix', 'migrations', '--json'], {
        cwd: folder.path,
      })
      const report = reportOf(fixed).databases[0]
      expect([fixed.exit, report?.error]).toEqual([0, undefined])
      expect(report?.files).toEqual([
        'sql/freight/migrations/0003_take_over_drift.up.sql',
        'sql/freight/migrations/0003_take_over_drift.down.sql',
      ])
      const record = await runCli(['migrate', 'repair', '--mark-applied', '0003', '--url', database.url], {
        cwd: folder.path,
      })
      expect([record.exit, record.stderr]).toEqual([0, ''])
      expect((await runCli([...clean, database.url], { cwd: folder.path })).exit).toBe(0)
      const other = await createServerDatabase('drift')
      try {
        const up = await runCli(['migrate', 'up', '--url', other.url], { cwd: folder.path })
        expect([up.exit, up.stderr]).toEqual([0, ''])
        expect(schemaOf(other)).toBe(schemaOf(database))
      } finally {
        await other.drop()
      }
      const proof = await proveIn(folder)
      expect([proof.ok, proof.verify?.migrations.at(-1)?.verdict]).toEqual([true, 'exact'])
    }))

  test('writes the script that takes the changes back, once what it loses is accepted', () =>
    withDrift(async (folder, database) => {
      const args = [...clean, database.url, '--fix', 'database', '--json']
      const refused = await runCli(args, { cwd: folder.path })
      const error = reportOf(refused).databases[0]?.error
      expect([refused.exit, error?.code]).toEqual([2, 'drift.data-loss'])
      expect(error?.message).toMatch(/scratch/)
      const fixed = await runCli([...args, '--allow-data-loss'], { cwd: folder.path })
      const [undo = '', redo = ''] = reportOf(fixed).databases[0]?.files ?? []
      expect([fixed.exit, undo]).toEqual([
        0,
        expect.stringMatching(/^sql\/freight\/repairs\/\d{14}_undo_drift\.sql$/),
      ])
      const psql = (file: string): void => {
        const { status, stderr } = spawnSync(
          'psql',
          ['-qX', '-v', 'ON_ERROR_STOP=1', '-f', join(folder.path, file), database.url],
          { encoding: 'utf8' },
        )
        expect([status, stderr]).toEqual([0, ''])
      }
      psql(undo)
      expect((await runCli([...clean, database.url], { cwd: folder.path })).exit).toBe(0)
      psql(redo)
      const again = await runCli([...clean, database.url, '--json'], { cwd: folder.path })
      expect(differencesIn(reportOf(again))).toHaveLength(EXPECTED.length)
    }))

  test('takes nothing over while something is pending', () =>
    withDrift(async (folder, database) => {
      folder.write({
        'sql/freight/migrations/0003_phone.up.sql': pending['0003_phone.up.sql'],
        'sql/freight/migrations/0003_phone.down.sql': pending['0003_phone.down.sql'],
      })
      const ended = await runCli([...clean, database.url, '--fix', 'migrations', '--json'], {
        cwd: folder.path,
      })
      expect([ended.exit, reportOf(ended).databases[0]?.error?.code]).toEqual([2, 'drift.pending'])
    }))

  test('refuses a database that has no ledger', async () => {
    const database = await createServerDatabase('drift')
    try {
      const folder = freight(history)
      const ended = await runCli(['schema', 'drift', '--url', database.url, '--json'], { cwd: folder.path })
      expect([ended.exit, reportOf(ended).databases[0]?.error?.code]).toEqual([2, 'drift.no-ledger'])
    } finally {
      await database.drop()
    }
  })

  test(
    'names what cannot be made again on another major',
    () =>
      withDrift(async (folder, database) => {
        const ended = await runCli(['schema', 'drift', '--url', database.url, '--json'], { cwd: folder.path })
        const error = reportOf(ended).databases[0]?.error
        expect([ended.exit, error?.code]).toEqual([3, 'drift.not-carried-over'])
        expect(error?.message).toMatch(
          /^extension dblink cannot be made again on PostgreSQL 18 to be compared there: /,
        )
      }, 'create extension dblink'),
    2 * MINUTES,
  )
})

test(
  'schema drift of an embedded database',
  async () => {
    noteEngine('embedded PGlite 0.5.8')
    const folder = freight({ ...history, ...pending })
    const up = await runCli(['migrate', 'up', '--to', '2'], { cwd: folder.path })
    expect([up.exit, up.stderr]).toEqual([0, ''])
    const engine = await PGlite.create({ dataDir: join(folder.path, '.dbkit/freight/data') })
    await engine.exec(BY_HAND)
    await engine.close()
    const ended = await runCli(['schema', 'drift', '--json'], { cwd: folder.path })
    expect(told(reportOf(ended))).toEqual(EXPECTED)
    expect(ended.exit).toBe(1)
  },
  3 * MINUTES,
)
