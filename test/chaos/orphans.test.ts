import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import {
  eventually,
  hasServer,
  makeWorkspace,
  openArena,
  stateOf,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { runCli, startCli, type Ended } from '../support/cli.js'
import { startProxy, type Proxy } from '../support/proxy.js'

/** A server goes on with what a client asked for until it notices that the client is gone, or has to tell it something. */
const suite = hasServer ? describe.each : describe.skip.each

suite([
  ['notices at once', false],
  ['does not notice', true],
])('a runner is killed, and the server %s', (_, unnoticed) => {
  let arena: Arena
  beforeAll(async () => {
    arena = await openArena(['deadlock_timeout=100ms'])
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })

  const up = (url: string): readonly string[] => ['migrate', 'up', '--url', url, '-d', 'freight']
  const succeeded = ({ exit, stderr }: Ended): void => {
    expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' })
  }
  const running = async (database: ArenaDatabase, part: string): Promise<boolean> =>
    (
      await database.query(
        `select 1 from pg_stat_activity where state = 'active' and position($1 in query) > 0 and pid <> pg_backend_pid()`,
        [part],
      )
    ).length > 0

  /** Starts a runner and kills it once the server works on the statement that has this part. */
  async function killWhile(
    database: ArenaDatabase,
    args: (url: string) => readonly string[],
    cwd: string,
    ready: () => Promise<boolean>,
  ): Promise<void> {
    const proxy = await startProxy(arena.cluster.port, {
      // The first connection does the work, the second one holds the lock.
      silent: (connection) => unnoticed && connection === 0,
    })
    proxies.push(proxy)
    const { child, ended } = startCli(args(proxy.url(database.name)), { cwd })
    await eventually('the server works on the statement', ready)
    child.kill('SIGKILL')
    await ended
  }
  const proxies: Proxy[] = []
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.close()
  })

  /** A session that holds something that the migration has to wait for. */
  async function holding(database: ArenaDatabase, sql: string): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query(sql)
    return () => client.end()
  }

  test('a transaction is waited for, and is not applied twice', async () => {
    const folder = makeWorkspace({
      '0001_slow.up.sql': 'create table t (n int);\ninsert into t values (1);\nselect pg_sleep(1.5);\n',
      '0001_slow.down.sql': 'drop table t;\n',
      '0002_next.up.sql': 'insert into t values (2);\n',
      '0002_next.down.sql': 'delete from t where n = 2;\n',
    })
    const database = await arena.database()
    await killWhile(database, up, folder.path, () => running(database, 'pg_sleep(1.5)'))
    succeeded(await runCli(up(database.url), { cwd: folder.path }))
    expect(await database.query('select n from t order by n')).toEqual([{ n: '1' }, { n: '2' }])
    await database.drop()
    folder.remove()
  })

  test('a rollback is waited for, and is not done twice', async () => {
    const folder = makeWorkspace({
      '0001_t.up.sql': 'create table t (n int);\ninsert into t values (10);\n',
      '0001_t.down.sql': 'drop table t;\n',
      '0002_more.up.sql': 'update t set n = n + 1;\n',
      '0002_more.down.sql': 'update t set n = n - 1;\nselect pg_sleep(1.5);\n',
    })
    const database = await arena.database()
    succeeded(await runCli(up(database.url), { cwd: folder.path }))
    const down = (url: string): readonly string[] => [
      ...['migrate', 'down', '--to', '1', '--url', url, '-d', 'freight'],
    ]
    await killWhile(database, down, folder.path, () => running(database, 'pg_sleep(1.5)'))
    succeeded(await runCli(down(database.url), { cwd: folder.path }))
    expect(await database.query('select n from t')).toEqual([{ n: '10' }])
    await database.drop()
    folder.remove()
  })

  const begun = async (database: ArenaDatabase): Promise<boolean> =>
    (await database.query(`select 1 from pg_class where relname = 't_n'`)).length > 0

  test('an index that is still being built is waited for, without a deadlock', async () => {
    const folder = makeWorkspace({
      '0001_t.up.sql': 'create table t (n int);\ninsert into t select generate_series(1, 1000);\n',
      '0001_t.down.sql': 'drop table t;\n',
      '0002_index.up.sql': '-- dbkit: no-transaction\ncreate index concurrently t_n on t (n);\n',
      '0002_index.down.sql': '-- dbkit: no-transaction\ndrop index concurrently t_n;\n',
    })
    const clean = await arena.database()
    succeeded(await runCli(up(clean.url), { cwd: folder.path }))
    const database = await arena.database()
    succeeded(await runCli([...up(database.url), '--to', '1'], { cwd: folder.path }))
    // CREATE INDEX CONCURRENTLY waits for every older writer of the table.
    const release = await holding(database, 'begin; insert into t values (0); savepoint s')
    const waits = (): Promise<boolean> => running(database, 'create index concurrently')
    await killWhile(database, up, folder.path, async () => (await waits()) && (await begun(database)))
    const again = runCli(up(database.url), { cwd: folder.path })
    if (unnoticed) {
      // As long as the old statement waits, so does the new run.
      await new Promise((resolve) => setTimeout(resolve, 1200))
      expect(await waits()).toBe(true)
    } else await eventually('the server has given up the index', async () => !(await waits()))
    await release()
    const { exit, stderr } = await again
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.any(String) })
    if (unnoticed) expect(stderr).toContain('which an interrupted run left on the server (process ')
    expect(arena.log()).not.toContain('deadlock detected')
    expect(await stateOf(database)).toBe(await stateOf(clean))
    folder.remove()
  })
})
