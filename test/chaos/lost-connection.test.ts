import type { ChildProcess } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { toSqlError } from '../../src/database/sql-error.js'
import {
  eventually,
  hasServer,
  makeWorkspace,
  openArena,
  stateOf,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { runCli, startCli, type Ended, type Folder } from '../support/cli.js'
import { OUTSIDE, TRANSACTIONAL } from '../support/crash-workspaces.js'
import { figure, sampled } from '../support/prove.js'
import { startProxy, type Proxy } from '../support/proxy.js'

interface Told {
  readonly databases: readonly {
    readonly steps?: readonly { readonly name: string; readonly outcome: string }[]
    readonly error?: { readonly code: string; readonly message: string }
  }[]
}
const told = ({ stdout }: Ended): Told['databases'][number] => (JSON.parse(stdout) as Told).databases[0] ?? {}
const outcomes = (ended: Ended): readonly string[] =>
  (told(ended).steps ?? []).map(({ name, outcome }) => `${name} ${outcome}`)

const suite = hasServer ? describe : describe.skip

suite('a connection is lost', () => {
  let arena: Arena
  let database: ArenaDatabase
  let folder: Folder
  const proxies: Proxy[] = []
  const started: ChildProcess[] = []

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
    // A process that is paused does not end by itself.
    for (const child of started.splice(0)) child.kill('SIGKILL')
    for (const proxy of proxies.splice(0)) await proxy.close()
    await database.drop()
    folder.remove()
  })

  const args = (direction: 'up' | 'down', url: string, ...more: readonly string[]): readonly string[] => [
    ...['migrate', direction, '--url', url, '-d', 'freight', '--json', ...more],
  ]
  const run = (direction: 'up' | 'down', url = database.url, ...more: readonly string[]): Promise<Ended> =>
    runCli(args(direction, url, ...more), { cwd: folder.path })
  const finishes = async (direction: 'up' | 'down'): Promise<void> => {
    const ended = await run(direction)
    expect({ exit: ended.exit, error: told(ended).error }).toEqual({ exit: 0, error: undefined })
  }
  /** Sessions of the database whose last message has this in it. */
  const sessions = async (part: string, state: string): Promise<readonly (string | null | undefined)[]> =>
    (
      await database.query(
        `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
          and position($1 in query) > 0 and state = $2`,
        [part, state],
      )
    ).map(({ pid }) => pid)
  const terminate = async (part: string, state: string): Promise<void> => {
    await eventually(
      `a session that is ${state} in ${part}`,
      async () => (await sessions(part, state)).length === 1,
    )
    await database.query('select pg_terminate_backend($1)', [(await sessions(part, state))[0]])
  }

  /** As long as nobody is in a hurry. */
  const SLEEP = `select pg_sleep(3) where to_regclass('hurry') is null`
  const SLOW = {
    '0001_t.up.sql': 'create table t (n int);\ninsert into t values (1);\n',
    '0001_t.down.sql': 'drop table t;\n',
    '0002_slow.up.sql': `update t set n = n + 1;\n${SLEEP};\n`,
    '0002_slow.down.sql': 'update t set n = n - 1;\n',
    '0003_last.up.sql': 'update t set n = n + 10;\n',
    '0003_last.down.sql': 'update t set n = n - 10;\n',
  }
  const SLOW_OUTSIDE = {
    ...SLOW,
    '0002_slow.up.sql': `-- dbkit: no-transaction\nupdate t set n = n + 1;\n${SLEEP};\nvacuum t;\n`,
  }
  describe.each([
    ['a transaction', SLOW],
    ['a file outside a transaction', SLOW_OUTSIDE],
  ])('in the middle of %s', (_, files) => {
    test('the one that works: the run fails, and the next one finishes', async () => {
      folder = makeWorkspace(files)
      const running = startCli(args('up', database.url), { cwd: folder.path })
      await terminate('pg_sleep(3)', 'active')
      const ended = await running.ended
      expect({ exit: ended.exit, code: told(ended).error?.code, steps: outcomes(ended) }).toEqual({
        exit: 3,
        code: 'database.refused',
        steps: ['0001_t applied', '0002_slow failed', '0003_last not-run'],
      })
      await database.query('create table hurry ()')
      await finishes('up')
      expect(await database.query('select n from t')).toEqual([{ n: '12' }])
    })

    test('the one that holds the lock: the run stops, its statement too, and the next one finishes', async () => {
      folder = makeWorkspace(files)
      const running = startCli(args('up', database.url), { cwd: folder.path })
      await eventually(
        'the statement runs',
        async () => (await sessions('pg_sleep(3)', 'active')).length === 1,
      )
      await terminate('pg_try_advisory_xact_lock', 'idle in transaction')
      const ended = await running.ended
      expect({ exit: ended.exit, code: told(ended).error?.code, steps: outcomes(ended) }).toEqual({
        exit: 3,
        code: 'database.lock-lost',
        steps: ['0001_t applied', '0002_slow failed', '0003_last not-run'],
      })
      expect(await sessions('pg_sleep(3)', 'active')).toEqual([])
      await database.query('create table hurry ()')
      await finishes('up')
      expect(await database.query('select n from t')).toEqual([{ n: '12' }])
    })
  })

  test('in a single transaction: nothing of it is done, also not what comes after', async () => {
    folder = makeWorkspace(SLOW)
    const proxy = await startProxy(arena.cluster.port, {
      onClient({ text, cut }) {
        if (!text.includes('pg_sleep(3)')) return 'forward'
        cut()
        return 'swallow'
      },
    })
    proxies.push(proxy)
    const ended = await run('up', proxy.url(database.name), '--single-transaction')
    expect({ exit: ended.exit, code: told(ended).error?.code }).toEqual({ exit: 3, code: 'database.refused' })
    expect(await database.query(`select to_regclass('t') as t`)).toEqual([{ t: null }])
    await database.query('create table hurry ()')
    await finishes('up')
  })

  describe('after the commit, with its answer', () => {
    /** Cuts the connection that works when the server says COMMIT for the n-th time. */
    async function cutAtCommit(n: number): Promise<string> {
      let commits = 0
      const proxy = await startProxy(arena.cluster.port, {
        onServer({ type, text, connection, cut }) {
          if (connection === 1 || type !== 'C' || text !== 'COMMIT' || commits++ !== n) return 'forward'
          cut()
          return 'swallow'
        },
      })
      proxies.push(proxy)
      return proxy.url(database.name)
    }
    const counted = {
      '0001_t.up.sql': 'create table t (n int);\ninsert into t values (0);\n',
      '0001_t.down.sql': 'drop table t;\n',
      '0002_one.up.sql': 'update t set n = n + 1;\n',
      '0002_one.down.sql': 'update t set n = n - 1;\n',
      '0003_ten.up.sql': 'update t set n = n + 10;\n',
      '0003_ten.down.sql': 'update t set n = n - 10;\n',
    }

    test('the ledger settles a migration: it is reported as applied, and the run goes on', async () => {
      folder = makeWorkspace(counted)
      // The first commit is that of the ledger's own table.
      const ended = await run('up', await cutAtCommit(2))
      expect({ exit: ended.exit, steps: outcomes(ended) }).toEqual({
        exit: 0,
        steps: ['0001_t applied', '0002_one applied', '0003_ten applied'],
      })
      expect(await database.query('select n from t')).toEqual([{ n: '11' }])
    })

    test('the ledger settles a rollback', async () => {
      folder = makeWorkspace(counted)
      await finishes('up')
      const ended = await run('down', await cutAtCommit(0), '--to', '1')
      expect({ exit: ended.exit, steps: outcomes(ended) }).toEqual({
        exit: 0,
        steps: ['0003_ten rolled-back', '0002_one rolled-back'],
      })
      expect(await database.query('select n from t')).toEqual([{ n: '0' }])
    })

    test('the ledger settles a single transaction of them all', async () => {
      folder = makeWorkspace(counted)
      const ended = await run('up', await cutAtCommit(1), '--single-transaction')
      expect({ exit: ended.exit, steps: outcomes(ended) }).toEqual({
        exit: 0,
        steps: ['0001_t applied', '0002_one applied', '0003_ten applied'],
      })
      expect(await database.query('select n from t')).toEqual([{ n: '11' }])
    })

    test('the ledger settles a statement outside a transaction in the next run', async () => {
      folder = makeWorkspace({
        ...counted,
        '0002_one.up.sql': '-- dbkit: no-transaction\nupdate t set n = n + 1;\nupdate t set n = n + 100;\n',
      })
      const ended = await run('up', await cutAtCommit(2))
      expect(ended.exit).toBe(3)
      await finishes('up')
      expect(await database.query('select n from t')).toEqual([{ n: '111' }])
    })
  })

  test.each(['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25P04', '08006', undefined])(
    'with the last words %s',
    (code) => {
      folder = makeWorkspace({})
      expect(toSqlError(Object.assign(new Error('goodbye'), { code })).connectionLost).toBe(true)
      expect(toSqlError(Object.assign(new Error('still here'), { code: '57014' })).connectionLost).toBe(false)
    },
  )

  test('by a runner that is paused meanwhile: what it wakes up to do is done once', async () => {
    folder = makeWorkspace({
      '0001_t.up.sql': 'create table t (n int);\ninsert into t values (0);\n',
      '0001_t.down.sql': 'drop table t;\n',
      '0002_many.up.sql': `-- dbkit: no-transaction\n${'update t set n = n + 1;\nselect pg_sleep(0.05);\n'.repeat(20)}`,
      '0002_many.down.sql': 'update t set n = 0;\n',
      '0003_last.up.sql': 'update t set n = n + 100;\n',
      '0003_last.down.sql': 'update t set n = n - 100;\n',
    })
    const first = startCli(args('up', database.url), { cwd: folder.path })
    started.push(first.child)
    await eventually('the file is under way', async () => {
      const rows = await database
        .query(`select 1 from dbkit.migrations where version = '2' and statements_done >= 4`)
        .catch(() => [])
      return rows.length === 1
    })
    first.child.kill('SIGSTOP')
    await terminate('pg_try_advisory_xact_lock', 'idle in transaction')
    const second = startCli(args('up', database.url), { cwd: folder.path })
    await eventually('the second run goes on', async () => {
      const rows = await database.query(
        `select 1 from dbkit.migrations where version = '2' and statements_done >= 12`,
      )
      return rows.length === 1
    })
    first.child.kill('SIGCONT')
    const [paused, other] = [await first.ended, await second.ended]
    expect({ exit: paused.exit, code: told(paused).error?.code }).toEqual({
      exit: 3,
      code: 'database.lock-lost',
    })
    expect(other.exit).toBe(0)
    expect(await database.query('select n from t')).toEqual([{ n: '120' }])
  })

  test.each([
    ['transactional files', TRANSACTIONAL],
    ['files outside a transaction', OUTSIDE],
  ])(
    'by the server, at any message of %s',
    async (kind, files) => {
      folder = makeWorkspace(files)
      let seen = 0
      let at = Infinity
      const connectionUrl = arena.cluster.url('postgres')
      const proxy = await startProxy(arena.cluster.port, {
        onClient({ type }) {
          if ((type === 'Q' || type === 'P') && seen++ === at)
            setTimeout(() => void terminateAll(), Math.random() * 10)
          return 'forward'
        },
      })
      proxies.push(proxy)
      /** As an administrator does who wants the database for himself. */
      const terminateAll = async (): Promise<void> => {
        const client = new pg.Client({ connectionString: connectionUrl })
        await client.connect()
        await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
          database.name,
        ])
        await client.end()
      }
      expect((await run('up', proxy.url(database.name))).exit).toBe(0)
      const clean = await stateOf(database)
      const chosen = sampled(
        Array.from({ length: seen }, (_, index) => index),
        2,
      )
      for (at of chosen) {
        await database.drop()
        database = await arena.database()
        seen = 0
        const ended = await run('up', proxy.url(database.name))
        expect([0, 3]).toContain(ended.exit)
        at = Infinity
        await finishes('up')
        expect(await stateOf(database)).toBe(clean)
      }
      figure(
        `all connections terminated during each message, ${kind}`,
        `${String(chosen.length)} rounds, all converged`,
      )
    },
    900_000,
  )
})
