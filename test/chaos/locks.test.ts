import { readFileSync } from 'node:fs'
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

interface Told {
  readonly databases: readonly {
    readonly steps?: readonly { readonly name: string; readonly outcome: string; readonly retries?: number }[]
    readonly error?: {
      readonly code: string
      readonly message: string
      readonly hint?: string
      readonly sql?: { readonly sqlstate: string }
      readonly culprit?: {
        readonly kind: string
        readonly summary: string
        readonly examples: readonly string[]
      }
    }
  }[]
}
const told = ({ stdout }: Ended): Told['databases'][number] => (JSON.parse(stdout) as Told).databases[0] ?? {}

const suite = hasServer ? describe : describe.skip

suite('what somebody else holds', () => {
  let arena: Arena
  let database: ArenaDatabase
  let folder: Folder
  let holder: pg.Client

  beforeAll(async () => {
    arena = await openArena()
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })
  beforeEach(async () => {
    database = await arena.database()
    await database.query('create table loads (id int)')
    holder = new pg.Client({ connectionString: database.url })
    await holder.connect()
  })
  afterEach(async () => {
    await holder.end()
    await database.drop()
    folder.remove()
  })

  const up = (...more: readonly string[]): readonly string[] => [
    ...['migrate', 'up', '--url', database.url, '-d', 'freight', ...more],
  ]
  const works = (part: string): Promise<void> =>
    eventually(
      `the server works on ${part}`,
      async () =>
        (
          await database.query(
            `select 1 from pg_stat_activity where position($1 in query) > 0 and state = 'active' and pid <> pg_backend_pid()`,
            [part],
          )
        ).length === 1,
    )
  /** The server has ended one wait for the lock of a table by now. */
  const hasWaitedInVain = (): Promise<void> =>
    eventually('a wait for the lock has ended', () =>
      arena
        .log()
        .split('\n')
        .some((line) => line.includes(` ${database.name} `) && line.includes('due to lock timeout')),
    )
  const ALTER = {
    '0001_rate.up.sql': 'alter table loads add column rate int;\n',
    '0001_rate.down.sql': 'alter table loads drop column rate;\n',
  }

  /** A run whose migration lasts until the test lets it go on. */
  async function startHeld(): Promise<{ first: ReturnType<typeof startCli>; letGo: () => Promise<unknown> }> {
    folder = makeWorkspace({
      '0001_held.up.sql': 'select pg_advisory_xact_lock_shared(4711);\n',
      '0001_held.down.sql': '',
    })
    await holder.query('select pg_advisory_lock(4711)')
    const first = startCli(up('--lock-timeout', '1h'), { cwd: folder.path })
    await works('pg_advisory_xact_lock_shared(4711)')
    return { first, letGo: () => holder.query('select pg_advisory_unlock(4711)') }
  }

  test('the migration lock: the second runner says who has it, and gives up when told to', async () => {
    const { first, letGo } = await startHeld()
    const second = await runCli(up('--lock-wait', '1s'), { cwd: folder.path })
    const who = new RegExp(
      String.raw`dbkit migrate up on \S+ \(pid ${String(first.child.pid)}\) \(server process \d+, user postgres, from 127\.0\.0\.1\) since \d\d:\d\d:\d\d UTC`,
    )
    expect({ exit: second.exit, stderr: second.stderr }).toEqual({
      exit: 3,
      stderr: expect.stringMatching(
        new RegExp(`^waiting freight: the migration lock is held by ${who.source}\n`),
      ),
    })
    expect(second.stderr).toContain('Another run holds the migration lock')
    expect(second.stderr).toContain('raise --lock-wait')
    const third = await runCli(up('--lock-wait', '1ms', '--json'), { cwd: folder.path })
    expect({ exit: third.exit, code: told(third).error?.code, message: told(third).error?.message }).toEqual({
      exit: 3,
      code: 'database.lock-busy',
      message: expect.stringMatching(who),
    })
    await letGo()
    expect((await first.ended).exit).toBe(0)
  })

  /** Two runners who have both seen that there is no ledger yet, and wait for their turn to create it. */
  async function firstRuns(heldMs: number): Promise<readonly Ended[]> {
    const lock = `${String(0x64_62_6b_69)}, hashtext('dbkit.migrations')`
    await holder.query(`select pg_advisory_lock(${lock})`)
    const runs = [startCli(up(), { cwd: folder.path }), startCli(up(), { cwd: folder.path })]
    let said = ''
    for (const { child } of runs) child.stderr?.on('data', (chunk: string) => (said += chunk))
    await eventually('both wait', () => said.split('the migration lock is held by').length === 3)
    await new Promise((resolve) => setTimeout(resolve, heldMs))
    await holder.query(`select pg_advisory_unlock(${lock})`)
    return Promise.all(runs.map(({ ended }) => ended))
  }

  test('the migration lock of the very first run: the ledger is created once', async () => {
    folder = makeWorkspace(ALTER)
    for (const { exit, stderr } of await firstRuns(600))
      expect({ exit, stderr }).toEqual({
        exit: 0,
        stderr: expect.stringMatching(/^waiting freight: the migration lock is held by [^\n]+\n$/),
      })
  })

  test('the migration lock for longer than a session may be idle', async () => {
    await database.query(`alter role postgres set idle_session_timeout = '3s'`)
    await database.query(`alter role postgres set idle_in_transaction_session_timeout = '3s'`)
    try {
      folder = makeWorkspace({
        ...ALTER,
        '0002_slow.up.sql': 'select pg_sleep(3.5);\n',
        '0002_slow.down.sql': '',
      })
      for (const { exit, stderr } of await firstRuns(3_500))
        expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringMatching(/^waiting [^\n]+\n$/) })
    } finally {
      await database.query('alter role postgres reset all')
    }
  })

  // What stands between a runner and its server (a load balancer, an address translation) forgets connections that say nothing.
  const onLinux = process.platform === 'linux' ? test : test.skip
  onLinux(
    'the connection that holds the migration lock says every now and then that it is there',
    async () => {
      const { first, letGo } = await startHeld()
      const port = `:${arena.cluster.port.toString(16).toUpperCase().padStart(4, '0')}`
      const established = '01'
      const keepalive = '02'
      const timers = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , remote = '', state]) => remote.endsWith(port) && state === established)
        .map(([, , , , , timer = '']) => timer.split(':'))
        .filter(([kind]) => kind === keepalive)
        // In hundredths of a second.
        .map(([, when = '']) => Number.parseInt(when, 16) / 100)
      // The other one may be waiting for the answer to its statement.
      expect(timers.length).toBeGreaterThan(0)
      expect(Math.max(...timers)).toBeLessThanOrEqual(60)
      await letGo()
      expect((await first.ended).exit).toBe(0)
    },
  )

  test('a table for a while: the migration is tried again until it gets its turn', async () => {
    folder = makeWorkspace(ALTER)
    await holder.query('begin; lock table loads in access exclusive mode')
    const running = startCli(up('--lock-timeout', '200ms'), { cwd: folder.path })
    await hasWaitedInVain()
    await holder.query('rollback')
    const ended = await running.ended
    expect({ exit: ended.exit, stderr: ended.stderr }).toEqual({
      exit: 0,
      stderr: expect.stringMatching(
        /^retrying freight: 0001_rate did not get a lock in time, try 2 in \d+ ms\n/,
      ),
    })
    expect(ended.stdout).toMatch(/0001_rate .*\d+ (?:retry|retries) for a lock/)
  })

  test('a table in a file outside a transaction: the statement is tried again', async () => {
    folder = makeWorkspace({
      ...ALTER,
      '0001_rate.up.sql': `-- dbkit: no-transaction\n${ALTER['0001_rate.up.sql']}`,
    })
    await holder.query('begin; lock table loads in access exclusive mode')
    const running = startCli(up('--lock-timeout', '200ms', '--json'), { cwd: folder.path })
    await hasWaitedInVain()
    await holder.query('rollback')
    const ended = await running.ended
    expect(ended.exit).toBe(0)
    expect(told(ended).steps).toEqual([
      expect.objectContaining({ outcome: 'applied', retries: expect.any(Number) }),
    ])
  })

  test.each(['', '-- dbkit: no-transaction\n'])(
    'a table for ever: after its tries the migration fails and says what to do (%j)',
    async (head) => {
      folder = makeWorkspace(
        { ...ALTER, '0001_rate.up.sql': head + ALTER['0001_rate.up.sql'] },
        { lockRetries: 2 },
      )
      await holder.query(`set application_name = 'the night shift'`)
      await holder.query('begin')
      await holder.query('lock table loads in access exclusive mode')
      const ended = await runCli(up('--lock-timeout', '100ms', '--json'), { cwd: folder.path })
      const { steps, error } = told(ended)
      expect({
        exit: ended.exit,
        steps,
        code: error?.code,
        state: error?.sql?.sqlstate,
        hint: error?.hint,
      }).toEqual({
        exit: 3,
        steps: [expect.objectContaining({ outcome: 'failed', retries: 2 })],
        code: 'database.refused',
        state: '55P03',
        hint: expect.stringContaining('pg_stat_activity, or raise --lock-timeout'),
      })
      expect(error?.culprit).toEqual({
        kind: 'blockers',
        summary: 'the lock is held by',
        examples: [
          expect.stringMatching(
            /^the night shift \(process \d+, user postgres, from 127\.0\.0\.1[^)]*\) · idle in transaction since \d{4}-[-\d: ]+ UTC · ACCESS EXCLUSIVE on loads · lock table loads in access exclusive mode$/,
          ),
        ],
      })
      await holder.query('rollback')
      expect((await runCli(up(), { cwd: folder.path })).exit).toBe(0)
    },
  )
})
