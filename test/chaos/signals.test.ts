import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
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
import { findPooler, startPooler, type Pooler } from '../support/pooler.js'
import { proving } from '../support/prove.js'

/** How long the statements last that a signal is to end: nobody could take their own end for it. */
const LONG_S = 300
/** Long before that, also on a machine that does other things as well. */
const AT_ONCE_MS = 20_000

/** Sends a signal; tells how the run ended, and that it did not wait for its statement. */
async function interrupt(
  running: ReturnType<typeof startCli>,
  signal: NodeJS.Signals,
): Promise<Pick<Ended, 'exit' | 'stderr' | 'stdout'>> {
  const sent = performance.now()
  running.child.kill(signal)
  const { exit, stdout, stderr } = await running.ended
  expect(performance.now() - sent).toBeLessThan(AT_ONCE_MS)
  return { exit, stdout, stderr }
}

const SLOW = {
  '0001_t.up.sql': 'create table t (n int);\ninsert into t values (1);\n',
  '0001_t.down.sql': 'drop table t;\n',
  '0002_slow.up.sql': `update t set n = n + 1;\nselect pg_sleep(${String(LONG_S)});\n`,
  '0002_slow.down.sql': 'update t set n = n - 1;\n',
}
const QUICK = { ...SLOW, '0002_slow.up.sql': 'update t set n = n + 1;\n' }

const suite = hasServer ? describe : describe.skip

suite('Ctrl-C and SIGTERM on a server', () => {
  let arena: Arena
  let database: ArenaDatabase
  let folder: Folder
  let pooler: Pooler | undefined
  const clients: pg.Client[] = []

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
    for (const client of clients.splice(0)) await client.end()
    await pooler?.stop()
    pooler = undefined
    await database.drop()
    folder.remove()
  })

  const up = (url = database.url): readonly string[] => ['migrate', 'up', '--url', url, '-d', 'freight']
  const start = (url = database.url): ReturnType<typeof startCli> => startCli(up(url), { cwd: folder.path })
  /** Sessions of runners; the test's own have no name. */
  const others = async (condition = `application_name like 'dbkit %'`): Promise<number> =>
    (
      await database.query(
        `select 1 from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and ${condition}`,
      )
    ).length
  const works = (part: string): Promise<void> =>
    eventually(
      `the server works on ${part}`,
      async () => (await others(`state = 'active' and query like '%${part}%'`)) === 1,
    )
  /** A message is the server's current query from its first statement on; a signal that comes then ends less than it is meant to. */
  const sleeps = (): Promise<void> =>
    eventually('the server has come to pg_sleep', async () => (await others(`wait_event = 'PgSleep'`)) === 1)
  const nobodyLeft = (): Promise<void> =>
    eventually('the server has let go', async () => (await others()) === 0)
  /** Holds something until the end of the test. */
  async function hold(sql: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url })
    clients.push(client)
    await client.connect()
    await client.query(sql)
    return client
  }
  async function finishes(): Promise<void> {
    const { exit, stderr } = await runCli(up(), { cwd: folder.path })
    expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' })
  }
  const ledger = async (): Promise<readonly string[]> =>
    (
      await database.query('select version, state, statements_done from dbkit.migrations order by position')
    ).map((row) => Object.values(row).join(' '))

  test.each(['SIGINT', 'SIGTERM'] as const)('%s cancels the statement and rolls it back', async (signal) => {
    folder = makeWorkspace(SLOW)
    const running = start()
    await sleeps()
    const { exit, stdout, stderr } = await interrupt(running, signal)
    expect(exit).toBe(130)
    expect(stderr).toContain('Interrupted. What was running was cancelled and rolled back.')
    expect(stderr).toContain('0002_slow left nothing behind; 0001_t before it stands')
    expect(stdout).toContain('0001_t')
    await nobodyLeft()
    expect(await ledger()).toEqual(['1 applied 0'])
    expect(await database.query('select n from t')).toEqual([{ n: '1' }])
    folder.write({ 'sql/freight/migrations/0002_slow.up.sql': QUICK['0002_slow.up.sql'] })
    await finishes()
    expect(await database.query('select n from t')).toEqual([{ n: '2' }])
  })

  test('the JSON document says so too', async () => {
    folder = makeWorkspace(SLOW)
    const running = startCli([...up(), '--json'], { cwd: folder.path })
    await sleeps()
    const { exit, stdout, stderr } = await interrupt(running, 'SIGINT')
    const report = JSON.parse(stdout) as {
      databases: { error: { code: string }; steps: { outcome: string }[] }[]
    }
    expect({
      exit,
      stderr,
      code: report.databases[0]?.error.code,
      steps: report.databases[0]?.steps.map(({ outcome }) => outcome),
    }).toEqual({ exit: 130, stderr: '', code: 'run.interrupted', steps: ['applied', 'failed'] })
  })

  test('a second Ctrl-C ends a run whose statement does not want to end', async () => {
    folder = makeWorkspace({
      // The server may signal a backend twice for one request (itself and its process group), so it is deaf more than once.
      '0001_deaf.up.sql': `do $$ begin
  for turn in 1..9 loop
    begin perform pg_sleep(${String(LONG_S)}); exception when query_canceled then raise notice 'not now'; end;
  end loop;
end $$;\n`,
      '0001_deaf.down.sql': '',
    })
    const running = start()
    await sleeps()
    let said = ''
    running.child.stderr?.on('data', (chunk: string) => (said += chunk))
    running.child.kill('SIGINT')
    await eventually('the statement has refused to end', () => said.includes('not now'))
    // What comes within half a second counts as the same signal.
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(running.child.exitCode).toBeNull()
    expect((await interrupt(running, 'SIGINT')).exit).toBe(130)
    // The server notices that nobody waits for the answer any more.
    await eventually('the server has let go', async () => (await others()) === 0)
  })

  test('while it waits for the lock', async () => {
    folder = makeWorkspace(SLOW)
    const holder = start()
    await sleeps()
    const waiting = start()
    await eventually('the second run waits', async () => (await others()) >= 4)
    const { exit, stderr } = await interrupt(waiting, 'SIGINT')
    expect(exit).toBe(130)
    expect(stderr).toContain('Interrupted.')
    expect((await interrupt(holder, 'SIGINT')).exit).toBe(130)
  })

  test('while somebody else has the ledger locked', async () => {
    folder = makeWorkspace(QUICK)
    await finishes()
    await hold('begin; lock table dbkit.migrations in access exclusive mode')
    const waiting = start()
    await works('migrations')
    const { exit, stderr } = await interrupt(waiting, 'SIGINT')
    expect(exit).toBe(130)
    expect(stderr).toContain('Interrupted.')
    await nobodyLeft()
  })

  test('in a file outside a transaction: the next run goes on with the statement', async () => {
    folder = makeWorkspace({
      ...SLOW,
      '0002_slow.up.sql': `-- dbkit: no-transaction
update t set n = n + 1;
create index concurrently t_n on t (n);
update t set n = n + 100;
`,
    })
    expect((await runCli([...up(), '--to', '1'], { cwd: folder.path })).exit).toBe(0)
    // CREATE INDEX CONCURRENTLY waits for every older writer of the table.
    const writer = await hold('begin; insert into t values (0)')
    const first = start()
    await works('create index concurrently')
    const { exit, stderr } = await interrupt(first, 'SIGINT')
    expect({ exit, stderr }).toEqual({ exit: 130, stderr: expect.stringContaining('Interrupted.') })
    // What was done before it is not undone.
    expect(stderr).toContain('0002_slow stopped midway; nothing was done before it')
    await nobodyLeft()
    await writer.query('rollback')
    await finishes()
    expect(await database.query('select n from t')).toEqual([{ n: '102' }])
    expect(await database.query(`select indisvalid from pg_index where indrelid = 't'::regclass`)).toEqual([
      { indisvalid: 't' },
    ])
  })

  if (findPooler() === undefined) test.skip('through pgbouncer (pgbouncer is not installed)', () => undefined)
  else
    test('through pgbouncer', async () => {
      folder = makeWorkspace(SLOW)
      pooler = await startPooler(arena.cluster.port, 3)
      const running = start(pooler.url(database.name))
      await sleeps()
      const { exit, stderr } = await interrupt(running, 'SIGINT')
      expect(exit).toBe(130)
      expect(stderr).toContain('Interrupted.')
      expect(await ledger()).toEqual(['1 applied 0'])
    })
})

describe('Ctrl-C and SIGTERM on the embedded engine', () => {
  let folder: Folder
  const up = ['migrate', 'up', '--embedded', '-d', 'freight']
  afterEach(() => {
    folder.remove()
  })

  const signals = proving ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT'] as const)
  test.each(signals)('%s ends the statement, and the next run goes on', async (signal) => {
    folder = makeWorkspace({
      '0001_t.up.sql': `create table t (n int);\ndo $$ begin raise notice 'the table is there'; end $$;\n`,
      '0001_t.down.sql': 'drop table t;\n',
      '0002_slow.up.sql': 'insert into t values (2);\nselect pg_sleep(20);\n',
      '0002_slow.down.sql': 'delete from t where n = 2;\n',
    })
    const running = startCli(up, { cwd: folder.path })
    // The engine has no second session to ask how far the first one is.
    let said = ''
    running.child.stderr?.on('data', (chunk: string) => (said += chunk))
    await eventually('the first migration is done', () => said.includes('the table is there'), 60_000)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { exit, stderr } = await interrupt(running, signal)
    expect(exit).toBe(130)
    expect(stderr).toContain('Interrupted. What was running was cancelled and rolled back.')
    expect(stderr).toContain('0002_slow left nothing behind; 0001_t before it stands')
    folder.write({ 'sql/freight/migrations/0002_slow.up.sql': 'insert into t values (3);\n' })
    const again = await runCli([...up, '--json'], { cwd: folder.path })
    expect({ exit: again.exit, stdout: again.stdout }).toEqual({
      exit: 0,
      stdout: expect.stringMatching(/"0002_slow",\s+"direction": "up",\s+"outcome": "applied"/),
    })
  })

  test('while it starts for the first time: nothing is left, and the next run starts anew', async () => {
    folder = makeWorkspace({
      '0001_t.up.sql': 'create table t (n int);\n',
      '0001_t.down.sql': 'drop table t;\n',
    })
    // An empty cache: the engine makes its first data folder of all, which takes seconds.
    const env = { XDG_CACHE_HOME: join(folder.path, 'cache') }
    const locks = join(folder.path, '.dbkit/freight/locks')
    const running = startCli(up, { cwd: folder.path, env })
    await eventually('the folder is taken', () => existsSync(locks) && readdirSync(locks).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { exit, stderr } = await interrupt(running, 'SIGINT')
    expect({ exit, stderr }).toEqual({ exit: 130, stderr: expect.stringContaining('Interrupted.') })
    expect(readdirSync(locks)).toEqual([])
    expect(readdirSync(join(folder.path, 'cache/dbkit'))).toEqual([])
    const again = await runCli(up, { cwd: folder.path })
    expect({ exit: again.exit, stdout: again.stdout }).toEqual({
      exit: 0,
      stdout: expect.stringContaining('1 applied'),
    })
  })
})
