import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { DatabaseReport, Report } from 'dbkit'
import { runCli, type Folder } from '../support/cli.js'
import {
  createServerDatabase,
  noteEngine,
  onServer,
  serverUrl,
  type ServerDatabase,
} from '../support/server.js'
import { freight, proveIn } from '../verify/harness.js'

const MINUTES = 60_000

/** Rows that a trigger must not see twice, values of a clock, an identity that has moved on, a role, and a foreign key. */
const history = {
  '0001_kinds.up.sql': `do $$ begin
  if not exists (select from pg_roles where rolname = 'dbkit_squash_reader') then create role dbkit_squash_reader; end if;
end $$;
create table kinds (
  id integer generated always as identity primary key,
  code text not null unique,
  label text,
  created_at timestamptz not null default clock_timestamp()
);
create table kinds_log (code text, what text);
create function log_kind() returns trigger language plpgsql as $$ begin
  insert into kinds_log values (new.code, 'made');
  return new;
end $$;
create trigger kinds_log after insert on kinds for each row execute function log_kind();
insert into kinds (code, label) values ('a', 'It''s a \\ b'), ('b', null), ('c', 'gone');
delete from kinds where code = 'c';
grant select on kinds to dbkit_squash_reader;`,
  '0001_kinds.down.sql': 'drop table kinds_log, kinds; drop function log_kind();',
  '0002_loads.up.sql': `create table loads (
  id integer primary key,
  kind integer not null references kinds,
  tags text[] not null default '{}'
);
create index loads_kind on loads (kind);
insert into loads values (7, 1, '{x,"y z"}');
comment on table loads is 'Freight.';`,
  '0002_loads.down.sql': 'drop table loads;',
  '0003_report.up.sql': `-- dbkit: no-transaction
create index concurrently loads_tags on loads using gin (tags);
update kinds set label = 'Bulk' where code = 'b';
create view report as select k.code, count(*) from loads l join kinds k on k.id = l.kind group by k.id;`,
  '0003_report.down.sql': `-- dbkit: no-transaction
drop view report;
update kinds set label = null where code = 'b';
drop index concurrently loads_tags;`,
  '0004_weight.up.sql': 'alter table loads add weight integer not null default 1;',
  '0004_weight.down.sql': 'alter table loads drop weight;',
}

const url = serverUrl()
const onServers = url === undefined ? describe.skip : describe
const onShadow = ['--shadow-url', url ?? '']

async function run(
  folder: Folder,
  ...args: string[]
): Promise<{ exit: number | null; report: DatabaseReport }> {
  const { exit, stdout } = await runCli([...args, '--json'], { cwd: folder.path })
  const report = JSON.parse(stdout) as Report
  const [database] = report.databases
  if (database === undefined) throw new Error(stdout)
  return { exit, report: database }
}

async function withDatabases(
  count: number,
  body: (...databases: ServerDatabase[]) => Promise<void>,
): Promise<void> {
  const databases: ServerDatabase[] = []
  try {
    for (let i = 0; i < count; i++) databases.push(await createServerDatabase('squash'))
    await body(...databases)
  } finally {
    for (const database of databases) await database.drop()
    if (url !== undefined)
      await onServer(url, (client) => client.query('drop role if exists dbkit_squash_reader'))
  }
}

/** What the independent judge says: schema, and rows but for the clock's. */
function dump(database: ServerDatabase): string {
  const pgDump = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('pg_dump', [...args, database.url], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    return stdout
  }
  const rows = pgDump('--data-only', '--inserts', '--exclude-schema=dbkit')
  return (
    pgDump('--schema-only', '--exclude-schema=dbkit') +
    rows.replaceAll(/'\d{4}-\d\d-\d\d \d\d:[^']*'/g, 'CLOCK')
  ).replaceAll(/^\\(?:un)?restrict .*$/gm, '')
}

function ledgerOf(database: ServerDatabase): Promise<readonly Record<string, string | null>[]> {
  return database.query('select version, name, state from dbkit.migrations order by position')
}

const RECOGNISED = '0003_squashed stands for 3 migrations that this database has already'

onServers('migrate squash', () => {
  test('leaves one migration, which makes what all of them made', () =>
    withDatabases(2, async (old, fresh) => {
      const folder = freight(history)
      expect((await run(folder, 'migrate', 'up', '--url', old.url)).exit).toBe(0)
      const dry = await runCli(['migrate', 'squash', '--to', '3', '--dry-run', ...onShadow], {
        cwd: folder.path,
      })
      expect([dry.exit, dry.stderr]).toEqual([0, ''])
      expect(dry.stdout).toContain('-- dbkit: replaces 1-3\n')
      const migrations = join(folder.path, 'sql/freight/migrations')
      expect(readdirSync(migrations)).toHaveLength(8)

      const { exit, report } = await run(folder, 'migrate', 'squash', '--to', '0003', ...onShadow)
      expect([exit, report.error]).toEqual([0, undefined])
      expect(report.files).toEqual([
        'sql/freight/migrations/0003_squashed.up.sql',
        'sql/freight/migrations/0003_squashed.down.sql',
      ])
      expect(report.notes?.slice(0, 6)).toEqual([
        'carried over: 2 rows of public.kinds',
        'carried over: 3 rows of public.kinds_log',
        'carried over: 1 row of public.loads',
        'carried over: statement do $$ begin',
        'carried over: column public.kinds.created_at is left to its default',
        'moved 3 migrations to sql/freight/squashed/0003_squashed',
      ])
      expect(readdirSync(migrations)).toEqual([
        '0003_squashed.down.sql',
        '0003_squashed.up.sql',
        '0004_weight.down.sql',
        '0004_weight.up.sql',
      ])
      expect(readdirSync(join(folder.path, 'sql/freight/squashed/0003_squashed'))).toHaveLength(6)

      expect((await run(folder, 'migrate', 'up', '--url', fresh.url)).exit).toBe(0)
      expect(dump(fresh)).toBe(dump(old))
      // The next value of the identity goes on where it was.
      const [row] = await fresh.query("insert into kinds (code) values ('d') returning id")
      expect(row).toEqual({ id: '4' })
      await fresh.query("delete from kinds where code = 'd'")
      expect((await run(folder, 'migrate', 'down', '--all', '--yes', '--url', fresh.url)).exit).toBe(0)
      expect(
        await fresh.query("select relname from pg_class where relnamespace = 'public'::regnamespace"),
      ).toEqual([])
    }))

  test('is recognised by databases that have everything, and told to those that do not', () =>
    withDatabases(3, async (beyond, at, below) => {
      const folder = freight(history)
      for (const [database, to] of [
        [beyond, '4'],
        [at, '3'],
        [below, '2'],
      ] as const)
        expect((await run(folder, 'migrate', 'up', '--to', to, '--url', database.url)).exit).toBe(0)
      expect((await run(folder, 'migrate', 'squash', '--to', '3', ...onShadow)).exit).toBe(0)

      const status = await run(folder, 'migrate', 'status', '--exit-code', '--url', beyond.url)
      expect([status.exit, status.report.notes, status.report.summary?.applied]).toEqual([0, [RECOGNISED], 2])
      expect(await ledgerOf(beyond)).toHaveLength(4)
      const up = await run(folder, 'migrate', 'up', '--url', beyond.url)
      expect([up.exit, up.report.notes, up.report.steps]).toEqual([0, [RECOGNISED], []])
      expect(await ledgerOf(beyond)).toEqual([
        { version: '3', name: '0003_squashed', state: 'applied' },
        { version: '4', name: '0004_weight', state: 'applied' },
      ])
      const again = await run(folder, 'migrate', 'up', '--url', beyond.url)
      expect([again.exit, again.report.notes]).toEqual([0, undefined])
      const drift = await run(folder, 'schema', 'drift', '--url', beyond.url, ...onShadow)
      expect([drift.exit, drift.report.drift?.differences]).toEqual([0, []])
      expect((await run(folder, 'migrate', 'down', '--all', '--yes', '--url', beyond.url)).exit).toBe(0)

      const rest = await run(folder, 'migrate', 'up', '--url', at.url)
      expect([rest.exit, rest.report.notes, rest.report.steps?.map(({ name }) => name)]).toEqual([
        0,
        [RECOGNISED],
        ['0004_weight'],
      ])

      const refused = await run(folder, 'migrate', 'up', '--url', below.url)
      expect([refused.exit, refused.report.error?.code, refused.report.error?.message]).toEqual([
        2,
        'plan.squashed',
        'freight stands in the middle of what 0003_squashed replaced: it has 0001_kinds, 0002_loads, and lacks version 3.',
      ])
      expect(await ledgerOf(below)).toHaveLength(2)
      const first = await run(
        folder,
        'migrate',
        'up',
        '--dir',
        'sql/freight/squashed/0003_squashed',
        '--url',
        below.url,
      )
      expect([first.exit, first.report.steps?.map(({ name }) => name)]).toEqual([0, ['0003_report']])
      const then = await run(folder, 'migrate', 'up', '--url', below.url)
      expect([then.exit, then.report.notes]).toEqual([0, [RECOGNISED]])
      expect(dump(below)).toBe(dump(at))
    }))

  test('squashes what was squashed before', () =>
    withDatabases(2, async (never, once) => {
      const folder = freight(history)
      for (const database of [never, once])
        expect((await run(folder, 'migrate', 'up', '--url', database.url)).exit).toBe(0)
      expect((await run(folder, 'migrate', 'squash', '--to', '2', ...onShadow)).exit).toBe(0)
      expect((await run(folder, 'migrate', 'up', '--url', once.url)).exit).toBe(0)
      expect(
        (await run(folder, 'migrate', 'squash', '--to', '4', '--name', 'base', '--remove', ...onShadow)).exit,
      ).toBe(0)
      for (const database of [never, once]) {
        expect((await run(folder, 'migrate', 'up', '--url', database.url)).exit).toBe(0)
        expect(await ledgerOf(database)).toEqual([{ version: '4', name: '0004_base', state: 'applied' }])
      }
      expect(existsSync(join(folder.path, 'sql/freight/squashed/0004_base'))).toBe(false)
    }))

  test('refuses by name what it cannot carry over, and writes nothing', async () => {
    const folder = freight({
      '0001_a.up.sql': 'create table a (id integer primary key, token text not null);',
      '0001_a.down.sql': 'drop table a;',
      '0002_b.up.sql': 'insert into a values (1, gen_random_uuid()::text);',
      '0002_b.down.sql': 'delete from a;',
    })
    const { exit, report } = await run(folder, 'migrate', 'squash', '--to', '2', ...onShadow)
    expect([exit, report.error?.code]).toEqual([2, 'squash.not-equal'])
    expect(report.error?.message).toContain(
      'column public.a.token: each run gives it other values, and it has no default to do so',
    )
    expect(readdirSync(join(folder.path, 'sql/freight/migrations'))).toHaveLength(4)
  })

  test('has nothing to do for one migration', async () => {
    const folder = freight(history)
    const { exit, report } = await run(folder, 'migrate', 'squash', '--to', '1', ...onShadow)
    expect([exit, report.notes]).toEqual([0, ['there is nothing to squash: 0001_kinds stands alone']])
  })
})

test(
  'migrate squash on the embedded engine leaves a workspace that is proved',
  async () => {
    noteEngine('embedded PGlite 0.5.8')
    const folder = freight(history)
    const { exit, report } = await run(folder, 'migrate', 'squash', '--to', '3')
    expect([exit, report.error, report.engine?.kind]).toEqual([0, undefined, 'embedded'])
    const proof = await proveIn(folder, {})
    expect([proof.ok, proof.verify?.migrations.map(({ name, verdict }) => `${name} ${verdict}`)]).toEqual([
      true,
      ['0003_squashed exact', '0004_weight exact'],
    ])
  },
  3 * MINUTES,
)
