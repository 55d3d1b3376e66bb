import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'
import type { DatabaseReport, Report } from 'dbkit'

const MIGRATION = `
create type public.state as enum ('new', 'paid');
create table public.orders (id integer primary key, weight numeric(8, 2), state public.state not null default 'new');
create function public.total(n integer) returns integer language plpgsql as $$
begin
  return n + 1;
end
$$;
comment on function public.total(integer) is 'One more.';
create view public.totals as select id, public.total(id) as total from public.orders;
grant select on public.totals to public;
`
const DOWN =
  'drop view public.totals; drop function public.total(integer); drop table public.orders; drop type public.state;'

let folder: Folder | undefined
afterEach(() => {
  folder?.remove()
  folder = undefined
})

/** The plan is tried on the server where there is one, because that is faster. */
function shadow(): readonly string[] {
  const url = serverUrl()
  noteEngine(url === undefined ? 'embedded PGlite 0.5.8' : 'server PostgreSQL')
  return url === undefined ? [] : ['--shadow-url', url]
}

function open(): Folder {
  folder = makeFolder({
    'dbkit.config.json': JSON.stringify({ databases: { shop: {} } }),
    'sql/shop/migrations/0001_start.up.sql': MIGRATION,
    'sql/shop/migrations/0001_start.down.sql': DOWN,
  })
  return folder
}

function read(path: string): string {
  return readFileSync(join(folder?.path ?? '', path), 'utf8')
}

function run(...args: readonly string[]) {
  return runCli([...args, ...shadow()], { cwd: folder?.path ?? '' })
}

async function json(
  ...args: readonly string[]
): Promise<{ readonly exit: number | null; readonly report: DatabaseReport }> {
  const { exit, stdout } = await run(...args, '--json')
  const [report] = (JSON.parse(stdout) as Report).databases
  if (report === undefined) throw new Error(stdout)
  return { exit, report }
}

function change(file: string, from: string | RegExp, to: string): void {
  const path = `sql/shop/schema/${file}`
  const text = read(path)
  if (text.replace(from, to) === text) throw new Error(`${file} does not hold ${String(from)}`)
  folder?.write({ [path]: text.replace(from, to) })
}

describe('the declared schema leads', () => {
  test('a changed line of a function becomes CREATE OR REPLACE, and the former body its way back', async () => {
    open()
    expect((await run('schema', 'dump')).exit).toBe(0)
    expect((await json('schema', 'diff', '--exit-code')).exit).toBe(0)
    change('functions/total.sql', 'n + 1', 'n + 2')
    expect((await json('schema', 'diff', '--exit-code')).exit).toBe(1)
    const { exit, report } = await json('migrate', 'diff', 'two more')
    expect({ exit, files: report.files, error: report.error }).toEqual({
      exit: 0,
      files: ['sql/shop/migrations/0002_two_more.up.sql', 'sql/shop/migrations/0002_two_more.down.sql'],
      error: undefined,
    })
    const [up, down] = (report.files ?? []).map((file) => read(file))
    expect(up).toMatch(/^-- two more\n\ncreate or replace function public\.total[^]*n \+ 2/)
    expect(down).toMatch(/create or replace function public\.total[^]*n \+ 1/)
    expect((await json('schema', 'diff')).report.diff?.equal).toBe(true)
    expect((await run('verify')).exit).toBe(0)
  }, 180_000)

  test('a label that is added and used takes two migrations, each with its way back', async () => {
    open()
    await run('schema', 'dump')
    change('types/state.sql', "  'paid'", "  'paid',\n  'sent'")
    change('tables/orders.sql', "default 'new'", "default 'sent'")
    const { report } = await json('migrate', 'diff', 'sent')
    expect(report.error).toBeUndefined()
    expect(report.files).toEqual([
      'sql/shop/migrations/0002_sent_part_1.up.sql',
      'sql/shop/migrations/0002_sent_part_1.down.sql',
      'sql/shop/migrations/0003_sent.up.sql',
      'sql/shop/migrations/0003_sent.down.sql',
    ])
    expect((await run('verify')).exit).toBe(0)
  }, 180_000)

  test('a new name is a loss until somebody says that it is the same, by flag or in the file', async () => {
    open()
    await run('schema', 'dump')
    change('tables/orders.sql', 'weight', 'kilos')
    const refused = await json('migrate', 'diff', 'kilos')
    expect(refused.exit).toBe(1)
    expect(refused.report.error?.code).toBe('diff.data-loss')
    expect(refused.report.error?.hint).toContain("--rename 'column public.orders.weight = kilos'")
    expect(refused.report.files).toBeUndefined()
    expect(refused.report.diff?.up).toEqual([])
    const wrong = await json('schema', 'diff', '--rename', 'column public.orders.wait = kilos')
    expect([wrong.exit, wrong.report.error?.code]).toEqual([2, 'diff.no-such-name'])
    // Without a schema, that of the path.
    const flag = await json('schema', 'diff', '--rename', 'column orders.weight = kilos')
    expect(flag.report.diff?.up.map(({ sql }) => sql)).toEqual([
      'alter table public.orders rename column weight to kilos;\n',
    ])
    change('tables/orders.sql', /^/, '-- dbkit: rename column public.orders.weight = kilos\n')
    const directive = await json('migrate', 'diff', 'kilos')
    expect(directive.exit).toBe(0)
    expect(read('sql/shop/migrations/0002_kilos.down.sql')).toContain(
      'alter table public.orders rename column kilos to weight;',
    )
    // The directive stays in its file, and asks for nothing more.
    expect((await json('schema', 'diff')).report.diff?.equal).toBe(true)
    await run('schema', 'dump')
    expect(read('sql/shop/schema/tables/orders.sql')).toMatch(/^-- dbkit: rename .*\ncreate table/)
    expect((await run('schema', 'dump', '--check')).exit).toBe(0)
  }, 240_000)

  test('what would be lost is refused, and said above the statement when it is meant', async () => {
    open()
    await run('schema', 'dump')
    change('tables/orders.sql', /\n {2}weight [^\n]*/, '')
    const { exit, stdout, stderr } = await run('schema', 'diff')
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
    expect(stderr).toContain('This would lose the values of column public.orders.weight.')
    const meant = await run('schema', 'diff', '--allow-data-loss', '--down', 'back.sql')
    expect(meant.exit).toBe(0)
    expect(meant.stdout).toContain(
      '-- loses the values of column public.orders.weight\nalter table public.orders drop column weight;',
    )
    expect(read('back.sql')).toContain('alter table public.orders add column weight numeric(8,2);')
  }, 180_000)

  test('what is given up does not come back, and rows that would not fit are told of', async () => {
    open()
    await run('schema', 'dump')
    change('tables/orders.sql', /weight [^\n]*/, 'kilos integer not null,')
    const { report } = await json('migrate', 'diff', 'kilos', '--allow-data-loss')
    expect(report.error).toBeUndefined()
    expect(report.notes?.join()).toMatch(/^proved without rows, because .*kilos.* contains null values/)
    expect(read('sql/shop/migrations/0002_kilos.down.sql')).toMatch(
      /^-- Undoes 0002_kilos: what the up gave up does not come back: the values of column public\.orders\.weight\.\n/,
    )
  }, 120_000)

  test('a database that nobody has migrated removes no declared file', async () => {
    open()
    await run('schema', 'dump')
    const { exit, stderr } = await runCli(['schema', 'dump', '--embedded'], { cwd: folder?.path ?? '' })
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('would all be removed') })
    expect((await run('schema', 'dump', '--check')).exit).toBe(0)
  })

  test('the first migration can be written from the declared schema', async () => {
    folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { shop: {} } }),
      'sql/shop/schema/all.sql':
        'create index a_n on public.a (n); create table public.a (id integer primary key, n integer);',
    })
    const { report } = await json('migrate', 'diff', 'start')
    expect(report.error).toBeUndefined()
    expect(report.files).toEqual([
      'sql/shop/migrations/0001_start.up.sql',
      'sql/shop/migrations/0001_start.down.sql',
    ])
    expect(read('sql/shop/migrations/0001_start.down.sql')).toMatch(
      /\n-- loses the rows of table public\.a\ndrop table public\.a;\n$/,
    )
  }, 120_000)

  test('partitions are loaded in whichever order their files come, and keep the names of their keys', async () => {
    open()
    // By their names all of them come before the table that they are partitions of.
    folder?.write({
      'sql/shop/migrations/0002_measures.up.sql': `
        create table public."Z measures" (id bigint generated always as identity, at timestamptz not null,
          kind text not null, v real check (v > 0), primary key (id, at, kind)) partition by range (at);
        create index by_kind on public."Z measures" (kind, v);
        create table public.a_2025 partition of public."Z measures"
          for values from ('2025-01-01') to ('2026-01-01') partition by list (kind);
        create table public.a_2025_warm partition of public.a_2025 for values in ('warm');
        create table public.a_2026 (kind text not null, id bigint not null, at timestamptz not null,
          v real, constraint "Z measures_v_check" check (v > 0));
        alter table public."Z measures" attach partition public.a_2026 for values from ('2026-01-01') to ('2027-01-01');
        create unique index once on public.a_2026 (v);
        alter table public.a_2026 add constraint small check (v < 9);
        create view public.by_measure as select id, at, kind, v from public."Z measures" group by id, at, kind;`,
      'sql/shop/migrations/0002_measures.down.sql':
        'drop view public.by_measure; drop table public."Z measures";',
    })
    expect((await run('schema', 'dump')).exit).toBe(0)
    const { report } = await json('schema', 'diff', '--from', 'migrations', '--to', 'schema')
    expect({ equal: report.diff?.equal, error: report.error }).toEqual({ equal: true, error: undefined })
    change('tables/a_2025.sql', "from ('2025-01-01", "from ('2024-07-01")
    const moved = await json('schema', 'diff')
    expect(moved.report.diff?.up.map(({ sql }) => sql).join('')).toContain('attach partition public.a_2025')
  }, 120_000)

  test('what cannot be done is refused by name, and nothing is printed', async () => {
    open()
    await run('schema', 'dump')
    change('tables/orders.sql', /\n\);/, '\n)\npartition by range (id);')
    const { exit, report } = await json('schema', 'diff', '--allow-data-loss')
    expect([exit, report.error?.code]).toEqual([1, 'diff.not-proved'])
    expect(report.error?.message).toContain('table public.orders')
    expect(report.diff?.up).toEqual([])
  }, 120_000)
})

const onServer = serverUrl() === undefined ? describe.skip : describe
onServer('between any two', () => {
  test('a live database and a file', async () => {
    open()
    const live = await createServerDatabase('diff')
    try {
      await live.query(
        'create table public.kept (id integer primary key); insert into public.kept values (1)',
      )
      folder?.write({
        'wanted.sql': `
          create index kept_note on public.kept (note);
          create table public.kept (id integer primary key, note text);
          grant select on public.kept to some_reader;`,
      })
      const { exit, report } = await json('schema', 'diff', '--from', live.url, '--to', 'wanted.sql')
      expect({ exit, error: report.error }).toEqual({ exit: 0, error: undefined })
      const sql = report.diff?.up.map((part) => part.sql).join('') ?? ''
      expect(sql).toContain('alter table public.kept add column note text;')
      expect(sql).toContain('grant select on public.kept to some_reader;')
      // It was only read.
      expect(await live.query('select count(*) as n from public.kept')).toEqual([{ n: '1' }])
      expect(JSON.stringify(report)).not.toContain('password')
      expect(await live.query("select 1 from pg_roles where rolname = 'some_reader'")).toEqual([])
    } finally {
      await live.drop()
    }
  }, 120_000)

  test('what schema dump writes of one object of every kind is read back as the same', async () => {
    open()
    const zoo = readFileSync(new URL('../../fixtures/catalog/zoo.sql', import.meta.url), 'utf8')
    const live = await createServerDatabase('folder')
    try {
      for (const role of ['zoo_keeper', 'zoo_visitor'])
        await live.query(
          `do $$ begin create role ${role}; exception when duplicate_object or unique_violation then null; end $$`,
        )
      // A password is not written.
      await live.query(zoo.replace(", password 'hidden'", ''))
      const dumped = await runCli(['schema', 'dump', '--url', live.url], { cwd: folder?.path ?? '' })
      expect(dumped).toMatchObject({ exit: 0 })
      const { exit, report } = await json('schema', 'diff', '--from', live.url, '--to', 'schema')
      expect({ exit, up: report.diff?.up, error: report.error }).toEqual({ exit: 0, up: [] })
    } finally {
      await live.drop()
    }
  }, 120_000)

  test('two files need no configuration', async () => {
    folder = makeFolder({
      'a.sql': 'create table t (n int);\n',
      'b.sql': 'create table t (n int, m text);\n',
    })
    const { exit, report } = await json('schema', 'diff', '--from', 'a.sql', '--to', 'b.sql')
    expect({ exit, up: report.diff?.up.map(({ sql }) => sql.trim()) }).toEqual({
      exit: 0,
      up: ['alter table public.t add column m text;'],
    })
    expect((await run('schema', 'diff', '--from', 'a.sql')).stderr).toContain('no dbkit.config file')
  })

  test('a side that is not there is told with what there could be', async () => {
    open()
    const { exit, report } = await json('schema', 'diff', '--from', 'nowhere')
    expect([exit, report.error?.code]).toEqual([2, 'request.bad-option'])
  })
})
