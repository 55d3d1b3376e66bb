import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import {
  eventually,
  hasServer,
  makeWorkspace,
  openArena,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { runCli, startCli, type Ended, type Folder } from '../support/cli.js'
import { findPooler, startPooler } from '../support/pooler.js'
import { startProxy, type Proxy } from '../support/proxy.js'

interface Told {
  readonly databases: readonly {
    readonly steps: readonly {
      readonly name: string
      readonly outcome: string
      readonly durationMs?: number
      readonly retries?: number
    }[]
    readonly error?: {
      readonly code: string
      readonly message: string
      readonly file?: string
      readonly line?: number
      readonly column?: number
    }
  }[]
}

/** So many that they share messages. Characters beyond ASCII, comments and bodies: each counts differently for the server. */
const MANY = 60
const plain = (number: number): string =>
  [
    `-- Größe und 💥 von Tabelle ${String(number)}`,
    `create table t_${String(number)} (id int primary key, note text not null default 'naïve; 🙂');`,
    `create function f_${String(number)}() returns int language plpgsql as $$ begin return 1; end $$;`,
    `comment on table t_${String(number)} is 'No. ${String(number)}; "ünïcode" 🚚'`,
  ].join('\n')

const nameOf = (number: number): string => `${String(number).padStart(4, '0')}_step`

function migrations(
  changed: Readonly<Record<number, string>> = {},
  many = MANY,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: many }, (_, index) => index + 1).flatMap((number) => [
      [`${nameOf(number)}.up.sql`, changed[number] ?? plain(number)],
      [`${nameOf(number)}.down.sql`, 'select 1;'],
    ]),
  )
}

const suite = hasServer ? describe : describe.skip

suite('many plain migrations share messages', () => {
  let arena: Arena
  let database: ArenaDatabase
  let folder: Folder
  const proxies: Proxy[] = []

  beforeAll(async () => {
    arena = await openArena()
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })
  beforeEach(async () => {
    database = await arena.database()
  })
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.close()
    await database.drop()
    folder.remove()
  })

  const args = (url = database.url): readonly string[] => [
    'migrate',
    'up',
    '--url',
    url,
    '-d',
    'freight',
    '--json',
  ]
  const up = (url?: string): Promise<Ended> => runCli(args(url), { cwd: folder.path })
  const told = ({ stdout }: Ended): Told['databases'][number] =>
    (JSON.parse(stdout) as Told).databases[0] ?? { steps: [] }
  const outcomes = (ended: Ended): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const { outcome } of told(ended).steps) counts[outcome] = (counts[outcome] ?? 0) + 1
    return counts
  }
  const ledger = (): Promise<readonly Record<string, string | null>[]> =>
    database.query(
      'select version, state, finished_at >= started_at as in_order from dbkit.migrations order by position',
    )
  const versions = (from: number, to: number): readonly string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
  const applied = async (): Promise<readonly (string | null | undefined)[]> =>
    (await ledger()).map(({ version }) => version)

  test('and are a transaction each all the same', async () => {
    folder = makeWorkspace(migrations())
    const proxy = await startProxy(arena.cluster.port)
    proxies.push(proxy)
    const ended = await up(proxy.url(database.name))
    expect({ exit: ended.exit, ...outcomes(ended) }).toEqual({ exit: 0, applied: MANY })
    expect(proxy.queries().length).toBeLessThan(MANY / 4)
    const rows = await ledger()
    expect(rows.map(({ version, state }) => `${String(version)} ${String(state)}`)).toEqual(
      versions(1, MANY).map((version) => `${version} applied`),
    )
    const made = `select count(distinct xmin::text) as transactions from pg_class where relname ~ '^t_[0-9]+$'`
    expect(await database.query(made)).toEqual([{ transactions: String(MANY) }])
    expect(rows.every(({ in_order: inOrder }) => inOrder === 't')).toBe(true)
    expect(told(ended).steps.every(({ durationMs }) => durationMs !== undefined && durationMs >= 0)).toBe(
      true,
    )
  })

  test('in the order of the files, also around those that do not share', async () => {
    const rows =
      'create table seen (n int);\ninsert into seen select count(*) from pg_class where relname ~ $$^t_[0-9]+$$ and relkind = $$r$$;\n'
    const alone = {
      7: rows,
      30: rows.replace('create table seen (n int);\n', ''),
      31: 'create temporary table gone (n int);\n',
    }
    folder = makeWorkspace(
      migrations({
        ...alone,
        45: '-- dbkit: no-transaction\ncreate index concurrently i_9 on t_9 (note);\n',
      }),
    )
    const ended = await up()
    expect({ exit: ended.exit, ...outcomes(ended) }).toEqual({ exit: 0, applied: MANY })
    expect(await applied()).toEqual(versions(1, MANY))
    expect(await database.query('select n::text from seen order by seen.n')).toEqual([
      { n: '6' },
      { n: '28' },
    ])
  })

  test.each([
    ['a syntax error', 'create table a (n int);\ncreate tabel b (n int);\n', 2, 8],
    ['an error without a position', `${plain(33)};\n\ndrop table nowhere;\n`, 6, 1],
    [
      'an error in a body',
      "create table c (n int);\ncreate function g() returns int language sql as 'selec 1';\n",
      2,
      50,
    ],
  ])('%s is shown at its place, and stops there', async (_what, sql, line, column) => {
    folder = makeWorkspace(migrations({ 33: sql }))
    const ended = await up()
    expect({ exit: ended.exit, ...outcomes(ended) }).toEqual({
      exit: 3,
      applied: 32,
      failed: 1,
      'not-run': MANY - 33,
    })
    expect(told(ended).error).toMatchObject({
      file: expect.stringContaining('0033_step.up.sql'),
      line,
      column,
    })
    expect(await applied()).toEqual(versions(1, 32))
    folder.write({ 'sql/freight/migrations/0033_step.up.sql': plain(33) })
    const again = await up()
    expect({ exit: again.exit, ...outcomes(again) }).toEqual({ exit: 0, applied: MANY - 32 })
    expect(await applied()).toEqual(versions(1, MANY))
  })

  test('a lock that is not to be had in time is tried for again', async () => {
    folder = makeWorkspace(migrations({ 25: 'alter table held add column n int;\n' }), {
      lockTimeout: '200ms',
    })
    await database.query('create table held ()')
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    await other.query('begin; lock table held')
    const running = startCli(args(), { cwd: folder.path })
    await eventually('two tries', async () => {
      const rows = await database.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%alter table held%'`,
      )
      return rows.length === 1 && (await applied()).length === 24
    })
    await new Promise((resolve) => setTimeout(resolve, 500))
    await other.end()
    const ended = await running.ended
    expect({ exit: ended.exit, ...outcomes(ended) }).toEqual({ exit: 0, applied: MANY })
    expect(told(ended).steps[24]?.retries).toBeGreaterThan(0)
  })

  /** Slow enough to be stopped in the middle of a message. */
  const slow = (): Readonly<Record<string, string>> =>
    migrations(
      Object.fromEntries(
        versions(1, MANY).map((version) => [
          version,
          `create table t_${version} as select ${version} as n from pg_sleep(0.03);\n`,
        ]),
      ),
    )

  test('Ctrl-C keeps what was done, and the next run does the rest', async () => {
    folder = makeWorkspace(slow())
    const running = startCli(args(), { cwd: folder.path })
    await eventually('some that are applied', async () => (await applied().catch(() => [])).length >= 25)
    running.child.kill('SIGINT')
    const ended = await running.ended
    const done = await applied()
    expect(ended.exit).toBe(130)
    expect(done).toEqual(versions(1, done.length))
    expect(done.length).toBeLessThan(MANY)
    expect(outcomes(ended)).toEqual({ applied: done.length, failed: 1, 'not-run': MANY - done.length - 1 })
    const again = await up()
    expect({ exit: again.exit, ...outcomes(again) }).toEqual({ exit: 0, applied: MANY - done.length })
    expect(await applied()).toEqual(versions(1, MANY))
  })

  test('a runner that is killed leaves whole migrations, and the next run goes on beside what the server still runs', async () => {
    folder = makeWorkspace(slow())
    const running = startCli(args(), { cwd: folder.path })
    await eventually('some that are applied', async () => (await applied().catch(() => [])).length >= 25)
    running.child.kill('SIGKILL')
    await running.ended
    // Not waited for: the server may well go on with the message that it has.
    const again = await up()
    expect({ exit: again.exit, error: told(again).error }).toEqual({ exit: 0, error: undefined })
    expect(await applied()).toEqual(versions(1, MANY))
    expect((await ledger()).every(({ state }) => state === 'applied')).toBe(true)
  })

  test.each([1, 2, 3])('a connection that breaks after answer %i tells what was done', async (answers) => {
    folder = makeWorkspace(migrations())
    let commits = 0
    const proxy = await startProxy(arena.cluster.port, {
      onServer({ type, text, cut }) {
        if (type === 'C' && text === 'COMMIT' && ++commits === answers * 17) cut()
        return 'forward'
      },
    })
    proxies.push(proxy)
    const ended = await up(proxy.url(database.name))
    const done = await applied()
    expect(done).toEqual(versions(1, done.length))
    expect(outcomes(ended)['applied'] ?? 0).toBeLessThanOrEqual(done.length)
    if (ended.exit !== 0) expect(told(ended).error?.message).toMatch(/connection was lost|lock/)
    const again = await up()
    expect(again.exit).toBe(0)
    expect(await applied()).toEqual(versions(1, MANY))
  })

  test('a connection that breaks is told of when the server has come to the end of the message', async () => {
    folder = makeWorkspace(slow())
    const proxy = await startProxy(arena.cluster.port, {
      onClient({ text, cut }) {
        if (text.includes('create table t_21 ')) setTimeout(cut, 150)
        return 'forward'
      },
    })
    proxies.push(proxy)
    const ended = await up(proxy.url(database.name))
    const done = await applied()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await applied()).toEqual(done)
    expect(done).toEqual(versions(1, done.length))
    expect(done.length).toBeGreaterThan(20)
    expect(outcomes(ended)['applied']).toBe(done.length)
  })

  test('what a function has left in the session is gone for the next one', async () => {
    const left = `create table leak_30 as select
      set_config('dbkit_test.left', 'yes', false) as a, set_config('search_path', 'nowhere', false) as b,
      pg_try_advisory_lock(42) as c;`
    const found = `create table found_31 as select
      coalesce(current_setting('dbkit_test.left', true), '') as setting, current_setting('search_path') as path,
      current_setting('transaction_isolation') as isolation;`
    // The session's own lock cannot stand in its way, so it is let go with the message.
    const locks = `create table found_41 as
      select count(*) from pg_locks where locktype = 'advisory' and objid = 42 and pid = pg_backend_pid();`
    folder = makeWorkspace(migrations({ 30: left, 31: found, 41: locks }))
    await database.query(
      `alter database "${database.name}" set default_transaction_isolation = 'serializable'`,
    )
    expect((await up()).exit).toBe(0)
    expect(await database.query('select * from found_31')).toEqual([
      { setting: '', path: '"$user", public', isolation: 'read committed' },
    ])
    expect(await database.query('select * from found_41')).toEqual([{ count: '0' }])
  })

  test('two runners share them out', async () => {
    folder = makeWorkspace(slow())
    const both = await Promise.all([up(), up()])
    expect(both.map(({ exit }) => exit)).toEqual([0, 0])
    expect(both.reduce((sum, ended) => sum + (outcomes(ended)['applied'] ?? 0), 0)).toBe(MANY)
  })

  const pooled = findPooler() === undefined ? test.skip : test
  pooled('through a transaction-pooling pgbouncer as well', async () => {
    folder = makeWorkspace(migrations({ 50: 'create table b (n int);\ncreate tabel c (n int);\n' }))
    const pooler = await startPooler(arena.cluster.port, 3)
    try {
      const ended = await up(pooler.url(database.name))
      expect({ exit: ended.exit, ...outcomes(ended) }).toEqual({
        exit: 3,
        applied: 49,
        failed: 1,
        'not-run': 10,
      })
    } finally {
      await pooler.stop()
    }
  })

  test('few do not: each has its own message', async () => {
    folder = makeWorkspace(migrations({}, 12))
    const proxy = await startProxy(arena.cluster.port)
    proxies.push(proxy)
    expect((await up(proxy.url(database.name))).exit).toBe(0)
    expect(proxy.queries().filter((query) => query.includes('create table t_'))).toHaveLength(12)
  })
})
