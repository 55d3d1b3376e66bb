import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as dbkit from 'dbkit'
import type { DatabaseReport, MaintainOptions, MaintainStep } from 'dbkit'
import pg from 'pg'
import {
  eventually,
  hasServer,
  makeWorkspace,
  openArena,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'
import { rounds } from '../support/prove.js'

const NOTHING = {
  '0001_nothing.up.sql': 'create table nothing (id integer primary key);',
  '0001_nothing.down.sql': 'drop table nothing;',
}
const ARCHIVE = { archive: { events: { into: 'events_archive', column: 'at', olderThan: '90 days' } } }

/** Rows of which every second one is old; `note` is what a row must not lose. */
const EVENTS = `
  create table events (id int primary key, at timestamptz not null, note text, twice int generated always as (id * 2) stored);
  create table events_archive (twice int, note text, id int primary key, at timestamptz, archived_at timestamptz default now());
  create index on events (at);`
const fill = (rows: number): string =>
  `insert into events select n, now() - case when n % 2 = 0 then interval '1 day' else interval '1 year' end, md5(n::text) from generate_series(1, ${String(rows)}) n`

let arena: Arena
const folders: Folder[] = []

function folderOf(maintenance: object): Folder {
  const folder = makeWorkspace(NOTHING, { maintenance })
  folders.push(folder)
  return folder
}

async function run(maintenance: object, url: string, options: MaintainOptions = {}): Promise<DatabaseReport> {
  const config = await dbkit.settleConfig(
    { url },
    { cwd: folderOf(maintenance).path, environment: { HOME: process.env['HOME'] } },
  )
  const [only] = (await dbkit.maintain(config, options)).databases
  if (only === undefined) throw new Error('no database in the report')
  return only
}

const steps = ({ maintain }: DatabaseReport): readonly MaintainStep[] => maintain?.steps ?? []
const told = (report: DatabaseReport): readonly string[] =>
  steps(report).map(({ task, object, outcome }) => `${task} ${object} ${outcome}`)

async function one(db: ArenaDatabase, sql: string): Promise<string | null> {
  const [row] = await db.query(sql)
  return Object.values(row ?? {})[0] ?? null
}

/** Each row once, in the one table or the other, with what it held. */
async function expectEveryRowOnce(db: ArenaDatabase, rows: number): Promise<void> {
  const all = `(select id, note, twice from events union all select id, note, twice from events_archive) as x`
  expect(
    (
      await db.query(
        `select count(*), count(distinct id) as ids, count(*) filter (where note = md5(id::text) and twice = id * 2) as whole from ${all}`,
      )
    )[0],
  ).toEqual({ count: String(rows), ids: String(rows), whole: String(rows) })
}

;(hasServer ? describe : describe.skip)('dbkit maintain on a server', () => {
  beforeAll(async () => {
    arena = await openArena()
  }, 120_000)
  afterAll(() => {
    arena.stop()
    for (const folder of folders) folder.remove()
  })

  test('archive: killed at any moment and run again, no row is lost and none is there twice', async () => {
    const rows = rounds(6_000, 40_000)
    const db = await arena.database()
    await db.query(EVENTS)
    await db.query(fill(rows))
    // On any machine it takes longer than a few kills.
    await db.query(
      `create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(0.01); return null; end $$;
       create trigger slowly after insert on events_archive for each statement execute function slowly()`,
    )
    const folder = folderOf({ archive: { events: { ...ARCHIVE.archive.events, batch: 20 } } })
    let kills = 0
    for (let round = 0; ; round++) {
      const { child, ended } = startCli(['maintain', 'archive', '--url', db.url], { cwd: folder.path })
      const before = Number(await one(db, 'select count(*) from events_archive'))
      // Past its start, in the middle of its batches.
      await eventually(
        'a batch, or the end',
        async () =>
          child.exitCode !== null || Number(await one(db, 'select count(*) from events_archive')) > before,
      )
      await new Promise((resolve) => setTimeout(resolve, round * 7))
      child.kill('SIGKILL')
      const { exit } = await ended
      await expectEveryRowOnce(db, rows)
      if (exit === 0) break
      kills++
    }
    expect(kills).toBeGreaterThanOrEqual(3)
    expect(await one(db, 'select count(*) from events_archive')).toBe(String(rows / 2))
    expect(await one(db, `select count(*) from events where at < now() - interval '90 days'`)).toBe('0')
  }, 120_000)

  test('archive: two at once move each row once', async () => {
    const db = await arena.database()
    await db.query(EVENTS)
    await db.query(fill(4_000))
    const policy = { archive: { events: { ...ARCHIVE.archive.events, batch: 100 } } }
    const reports = await Promise.all([1, 2].map(() => run(policy, db.url, { task: 'archive' })))
    expect(reports.map(({ ok }) => ok)).toEqual([true, true])
    await expectEveryRowOnce(db, 4_000)
    expect(await one(db, 'select count(*) from events_archive')).toBe('2000')
  })

  test('archive: rows that others refer to stay, unless their reference may become null', async () => {
    const db = await arena.database()
    await db.query(EVENTS)
    await db.query(
      `${fill(10)};
       create table strict (id int primary key, event_id int references events);
       create table weak (id int primary key, event_id int references events on delete set null);
       create table owned (id int primary key, event_id int references events on delete cascade);
       insert into strict values (1, 1); insert into weak values (1, 3); insert into owned values (1, 5)`,
    )
    const report = await run(ARCHIVE, db.url, { task: 'archive' })
    expect(steps(report)).toMatchObject([{ outcome: 'done', rows: 3, batches: 1 }])
    expect(steps(report)[0]?.notes).toEqual([
      'public.weak (event_id) is set to null where it refers to such a row',
      '2 old rows stayed: rows of public.owned refer to them, or rows of public.strict refer to them, or somebody else had locked them',
    ])
    await expectEveryRowOnce(db, 10)
    expect(await one(db, 'select array_agg(id order by id) from events_archive')).toBe('{3,7,9}')
    expect(await one(db, 'select event_id from weak')).toBeNull()
    expect(await one(db, 'select count(*) from owned')).toBe('1')
  })

  test('archive: a row that is in the archive already stops the batch and loses nothing', async () => {
    const db = await arena.database()
    await db.query(EVENTS)
    await db.query(`${fill(10)}; insert into events_archive (id) values (5)`)
    const report = await run(ARCHIVE, db.url, { task: 'archive' })
    expect(report).toMatchObject({
      ok: false,
      error: { code: 'database.refused', exit: 3, sql: { sqlstate: '23505' } },
    })
    expect(await one(db, 'select count(*) from events')).toBe('10')
  })

  test('archive: refuses a table that is missing, one that lacks columns, and an age that is none', async () => {
    const db = await arena.database()
    await db.query(
      'create table events (id int primary key, at timestamptz, note text); create table other (id bigint, at timestamptz)',
    )
    const refused = async (policy: object) =>
      (await run({ archive: { events: policy } }, db.url, { task: 'archive' })).error
    expect(await refused({ into: 'othr', column: 'at', olderThan: '1 day' })).toMatchObject({
      code: 'maintain.unknown-table',
      hint: 'Did you mean other?',
    })
    expect(await refused({ into: 'other', column: 'at', olderThan: '1 day' })).toMatchObject({
      code: 'maintain.archive-mismatch',
      message:
        'public.other cannot take the rows of public.events: id is bigint there, and integer here; note text is missing.',
    })
    await db.query('create table same (like events)')
    expect(await refused({ into: 'same', column: 'note', olderThan: '1 day' })).toMatchObject({
      code: 'maintain.bad-column',
      message: 'public.events.note is text: it does not say how old a row is.',
    })
  })

  test('retention: deletes in batches, also from partitions, by a date or a timestamp', async () => {
    const db = await arena.database()
    await db.query(
      `create table logs (id int, day date, primary key (id, day)) partition by range (day);
       create table logs_a partition of logs for values from (minvalue) to ('2020-01-01');
       create table logs_b partition of logs default;
       insert into logs select n, date '2019-12-01' + n from generate_series(1, 100) n;
       insert into logs values (1, current_date);
       create table plain (at timestamp);
       insert into plain select now() at time zone 'UTC' - n * interval '1 hour' from generate_series(1, 100) n`,
    )
    const policy = {
      retention: {
        logs: { column: 'day', olderThan: '1 year', batch: 30 },
        plain: { column: 'at', olderThan: '50 hours', batch: 7 },
      },
    }
    const dry = await run(policy, db.url, { task: 'retention', dryRun: true })
    expect(told(dry)).toEqual(['retention public.logs planned', 'retention public.plain planned'])
    expect(await one(db, 'select count(*) from logs')).toBe('101')
    expect(steps(await run(policy, db.url))).toMatchObject([
      { object: 'public.logs', rows: 100, batches: 4 },
      { object: 'public.plain', rows: 51, batches: 8 },
    ])
    expect(await one(db, 'select count(*) from logs')).toBe('1')
    expect(told(await run(policy, db.url))).toEqual([
      'retention public.logs nothing-to-do',
      'retention public.plain nothing-to-do',
    ])
  })

  test('reindex: takes away what a really interrupted one left, and rebuilds what is invalid', async () => {
    const db = await arena.database()
    await db.query(
      `create table t (id int primary key, a int); insert into t select n, n from generate_series(1, 100) n; create index t_a on t (a)`,
    )
    const reader = new pg.Client({ connectionString: db.url })
    await reader.connect()
    await reader.query('begin isolation level repeatable read; select count(*) from t')
    // Waits for the reader's snapshot, and gives up.
    await expect(db.query('set statement_timeout = 400; reindex index concurrently t_a')).rejects.toThrow()
    const client = new pg.Client({ connectionString: db.url })
    await client.connect()
    await client.query('set statement_timeout = 400')
    await expect(client.query('reindex index concurrently t_a')).rejects.toThrow('statement timeout')
    await client.end()
    await reader.query('commit')
    await reader.end()
    await expect(db.query('create unique index concurrently t_u on t ((1))')).rejects.toThrow('unique')
    await db.query('delete from t where id > 1')
    const invalid = `select array_agg(indexrelid::regclass::text order by 1) from pg_index where not indisvalid`
    expect(await one(db, invalid)).toBe('{t_a_ccnew,t_u}')
    const report = await run({}, db.url, { task: 'reindex', tables: ['t'] })
    expect(steps(report)).toMatchObject([
      {
        outcome: 'done',
        sql: [
          'drop index concurrently public.t_a_ccnew',
          'reindex table concurrently public.t',
          'reindex index concurrently public.t_u',
        ],
      },
    ])
    expect(await one(db, invalid)).toBeNull()
  })

  test('refresh: in the order of what reads what, concurrently where a unique index permits', async () => {
    const db = await arena.database()
    await db.query(
      `create table base (id int primary key);
       create materialized view a_last as select 0 as id;
       create materialized view z_first as select id from base; create unique index on z_first (id);
       create view between_them as select id from z_first;
       drop materialized view a_last;
       create materialized view a_last as select id from between_them;
       create materialized view empty as select id from base with no data; create unique index on empty (id);
       insert into base values (1)`,
    )
    const report = await run({}, db.url, { task: 'refresh' })
    expect(steps(report).flatMap(({ sql }) => sql)).toEqual([
      'refresh materialized view concurrently public.z_first',
      'refresh materialized view public.a_last',
      'refresh materialized view public.empty',
    ])
    expect(await one(db, 'select count(*) from a_last')).toBe('1')
    expect(await one(db, 'select count(*) from empty')).toBe('1')
  })

  test('partitions: makes those ahead, detaches those that are too old, ends what was interrupted', async () => {
    const db = await arena.database()
    await db.query(
      `create table calls (id int, at timestamptz, primary key (id, at)) partition by range (at);
       create table calls_2026_01 partition of calls for values from ('2026-01-01+00') to ('2026-02-01+00');
       create table calls_2020 partition of calls for values from ('2020-01-01+00') to ('2021-01-01+00');
       create table calls_2019 partition of calls for values from ('2019-01-01+00') to ('2020-01-01+00');
       insert into calls values (1, '2020-06-01'), (2, '2026-01-31 23:59+00')`,
    )
    const reader = new pg.Client({ connectionString: db.url })
    await reader.connect()
    await reader.query('begin; select count(*) from calls')
    const client = new pg.Client({ connectionString: db.url })
    await client.connect()
    await client.query('set statement_timeout = 400')
    await expect(client.query('alter table calls detach partition calls_2019 concurrently')).rejects.toThrow(
      'timeout',
    )
    await client.end()
    await reader.query('commit')
    await reader.end()
    const policy = { partitions: { calls: { every: 'month', ahead: 2, keep: '5 years' } } }
    const options = { now: new Date('2026-01-15T12:00:00Z') }
    const dry = await run(policy, db.url, { ...options, task: 'partitions', dryRun: true })
    const sql = steps(dry).flatMap((step) => step.sql)
    expect(sql).toEqual([
      `alter table public.calls detach partition public.calls_2019 finalize`,
      `create table if not exists public.calls_2026_02 partition of public.calls for values from ('2026-02-01 00:00:00+00') to ('2026-03-01 00:00:00+00')`,
      `create table if not exists public.calls_2026_03 partition of public.calls for values from ('2026-03-01 00:00:00+00') to ('2026-04-01 00:00:00+00')`,
      `alter table public.calls detach partition public.calls_2020 concurrently`,
    ])
    expect(await run(policy, db.url, options)).toMatchObject({ ok: true })
    expect(
      await one(db, `select array_agg(relid::text order by 1) from pg_partition_tree('calls') where isleaf`),
    ).toBe('{calls_2026_01,calls_2026_02,calls_2026_03}')
    expect(await one(db, 'select count(*) from calls_2020')).toBe('1')
    expect(steps(await run(policy, db.url, options))).toEqual([])
    const none = await run({ partitions: { nothing: { every: 'day' } } }, db.url, { task: 'partitions' })
    expect(none.error?.code).toBe('maintain.unknown-table')
    await db.query('create table nothing (id int primary key)')
    expect((await run({ partitions: { nothing: { every: 'day' } } }, db.url)).error?.code).toBe(
      'maintain.not-partitioned',
    )
  })

  test('without a task: does what is declared and due, and remembers it where no catalog sees it', async () => {
    const db = await arena.database()
    await db.query('create table a (id int primary key); create table b (id int primary key)')
    const policy = { vacuum: { every: '1 week', tables: ['a', 'b'] }, analyze: { tables: ['a'] } }
    expect(told(await run(policy, db.url))).toEqual(['vacuum public.a done', 'vacuum public.b done'])
    const again = await run(policy, db.url)
    expect(told(again)).toEqual(['vacuum public.a not-due', 'vacuum public.b not-due'])
    expect(Date.parse(steps(again)[0]?.dueAt ?? '') - Date.now()).toBeGreaterThan(6.9 * 86_400_000)
    const later = { now: new Date(Date.now() + 8 * 86_400_000) }
    expect(told(await run(policy, db.url, later))).toEqual(['vacuum public.a done', 'vacuum public.b done'])
    // Asked for by name it is done, due or not.
    expect(told(await run(policy, db.url, { task: 'analyze' }))).toEqual(['analyze public.a done'])
    expect(
      await one(
        db,
        `select last_vacuum is not null and last_analyze is not null from pg_stat_user_tables where relname = 'a'`,
      ),
    ).toBe('t')
    expect(await one(db, 'select count(*) from dbkit.migrations_maintenance')).toBe('2')
    const { path } = folderOf({})
    const { exit } = await runCli(['schema', 'dump', '--url', db.url, '--single-file', 'out.sql'], {
      cwd: path,
    })
    const dumped = readFileSync(join(path, 'out.sql'), 'utf8')
    expect([exit, /create table (public\.)?a\b/i.test(dumped), dumped.includes('maintenance')]).toEqual([
      0,
      true,
      false,
    ])
  })

  test('says so when only the owner may, and does the others', async () => {
    const db = await arena.database()
    await db.query(
      `create role gardener login; create table theirs (id int primary key); create table ours (id int primary key);
       alter table ours owner to gardener; grant create on database ${db.name} to gardener`,
    )
    const report = await run({}, db.url.replace('postgres@', 'gardener@'), { task: 'vacuum' })
    expect(told(report)).toEqual(['vacuum public.ours done', 'vacuum public.theirs failed'])
    expect(report).toMatchObject({ ok: false, error: { code: 'maintain.not-owner', exit: 3 } })
  })

  test('tells from a second connection how far a long statement is', async () => {
    const db = await arena.database()
    await db.query(
      `create function slow(x int) returns int immutable language plpgsql as 'begin perform pg_sleep(0.004); return x; end';
       create table s (id int primary key); insert into s select generate_series(1, 400); create index s_slow on s (slow(id))`,
    )
    const events: dbkit.RunEvent[] = []
    await run({}, db.url, { task: 'reindex', tables: ['s'], observer: (event) => events.push(event) })
    const phases = events.flatMap((event) => (event.kind === 'maintain-progress' ? [event.phase] : []))
    expect(phases.some((phase) => phase.startsWith('building index'))).toBe(true)
  })

  test('the command line: prints SQL, refuses what is not declared, prints one document with --json', async () => {
    const db = await arena.database()
    await db.query('create table t (id int primary key)')
    const { path } = folderOf({ vacuum: { tables: ['t'] } })
    const maintain = (...args: string[]) => runCli(['maintain', ...args, '--url', db.url], { cwd: path })
    expect(await maintain('vacuum', '--full', '--dry-run')).toMatchObject({
      exit: 0,
      stdout: '-- freight: vacuum public.t\nvacuum (full, analyze) public.t;\n\n',
    })
    expect((await maintain('vacuum', '--full')).exit).toBe(0)
    const undeclared = await maintain('archive', '--json')
    expect(undeclared.exit).toBe(2)
    expect(JSON.parse(undeclared.stdout)).toMatchObject({ ok: false, error: { code: 'maintain.no-policy' } })
    expect((await maintain('reindex', '--full')).stderr).toContain('has to be asked for')
    expect((await maintain('--table', 't')).exit).toBe(2)
    expect((await maintain('sweep')).exit).toBe(2)
    const wrong = await maintain('vacuum', '--table', 'tt', '--json')
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      databases: [{ error: { code: 'maintain.unknown-table' } }],
    })
  })

  test('a policy that is none is refused with the key', async () => {
    const { path } = folderOf({
      archive: { events: { into: 'x', olderThan: '3 moons', every: '1 day' } },
      partitions: { p: {} },
      vacuum: { every: 7 },
    })
    const { exit, stdout } = await runCli(['maintain', '--json', '--embedded'], { cwd: path })
    expect(exit).toBe(2)
    const { error } = JSON.parse(stdout) as { error: dbkit.ErrorReport }
    const messages = [error, ...(error.others ?? [])].map(({ message }) => message)
    for (const key of [
      'vacuum.every',
      'archive.events.column',
      'archive.events.olderThan',
      'archive.events.every',
      'partitions.p.every',
    ])
      expect(messages.join('\n')).toContain(`databases.freight.maintenance.${key} is `)
  })
})

describe('dbkit maintain on the embedded engine', () => {
  test('does every task there is', async () => {
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({
        databases: {
          shop: {
            migrations: 'm',
            maintenance: {
              ...ARCHIVE,
              retention: { nothing: { column: 'day', olderThan: '1 day' } },
              partitions: { parts: { every: 'year', ahead: 1, keep: '2 years' } },
              vacuum: { every: '1 day' },
              analyze: { every: '1 day' },
              reindex: { every: '1 day', tables: ['events'] },
              refresh: { every: '1 day' },
            },
          },
        },
      }),
      'm/0001_a.up.sql': `${EVENTS}${fill(100)};
        create table nothing (id int primary key, day date);
        create table parts (day date primary key) partition by range (day);
        create table parts_old partition of parts for values from ('2001-01-01') to ('2002-01-01');
        create materialized view m as select id from events; create unique index on m (id);`,
      'm/0001_a.down.sql':
        'drop materialized view m; drop table parts; drop table nothing; drop table events_archive; drop table events;',
    })
    try {
      const config = await dbkit.settleConfig(
        { embedded: true },
        { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
      )
      expect(await dbkit.migrateUp(config)).toMatchObject({ ok: true })
      const [report] = (await dbkit.maintain(config)).databases
      expect(report).toMatchObject({ ok: true })
      const outcomes = steps(report as DatabaseReport).map(({ task, outcome }) => `${task} ${outcome}`)
      expect([...new Set(outcomes)]).toEqual([
        'partitions done',
        'archive done',
        'retention nothing-to-do',
        'refresh done',
        'vacuum done',
        'analyze done',
        'reindex done',
      ])
      expect(steps(report as DatabaseReport).find(({ task }) => task === 'archive')).toMatchObject({
        rows: 50,
      })
    } finally {
      folder.remove()
    }
  })
})
