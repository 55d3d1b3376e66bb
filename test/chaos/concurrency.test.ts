import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  hasServer,
  makeWorkspace,
  openArena,
  stateOf,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { runCli, type Ended } from '../support/cli.js'
import { findPooler, startPooler, type Pooler } from '../support/pooler.js'
import { figure, rounds } from '../support/prove.js'

const RUNNERS = 8

/** Each migration counts how often it ran: what was applied twice shows in the rows, not only in the ledger. */
const counted = (n: number): string => `insert into ran values (${String(n)});\n`
const TRANSACTIONAL = {
  '0001_ran.up.sql': `create table ran (migration int not null);\n${counted(1)}`,
  '0001_ran.down.sql': 'drop table ran;\n',
  '0002_loads.up.sql': `create table loads (id int primary key, miles int);\n${counted(2)}`,
  '0002_loads.down.sql': 'drop table loads;\ndelete from ran where migration = 2;\n',
  '0003_rows.up.sql': `insert into loads select g, g % 7 from generate_series(1, 2000) g;\n${counted(3)}`,
  '0003_rows.down.sql': 'delete from loads;\ndelete from ran where migration = 3;\n',
  '0004_rate.up.sql': `alter table loads add column rate numeric not null default 0;\n${counted(4)}`,
  '0004_rate.down.sql': 'alter table loads drop column rate;\ndelete from ran where migration = 4;\n',
}
const CONCURRENTLY = {
  ...TRANSACTIONAL,
  '0005_index.up.sql': `-- dbkit: no-transaction\n${counted(51)}create index concurrently loads_miles on loads (miles);\n${counted(52)}`,
  '0005_index.down.sql':
    '-- dbkit: no-transaction\ndrop index concurrently loads_miles;\ndelete from ran where migration in (51, 52);\n',
  '0006_last.up.sql': counted(6),
  '0006_last.down.sql': 'delete from ran where migration = 6;\n',
}

interface Outcome {
  readonly databases: readonly {
    readonly steps?: readonly { readonly name: string; readonly outcome: string }[]
  }[]
}

const suite = hasServer ? describe : describe.skip

suite(`${String(RUNNERS)} runners of migrate up at once`, () => {
  let arena: Arena
  let clean: Readonly<Record<'transactional' | 'concurrently', string>>

  beforeAll(async () => {
    arena = await openArena(['deadlock_timeout=100ms'])
    const cleanRun = async (files: Readonly<Record<string, string>>): Promise<string> => {
      const database = await arena.database()
      const folder = makeWorkspace(files)
      expect((await up(folder.path, database.url)).exit).toBe(0)
      folder.remove()
      return stateOf(database)
    }
    clean = { transactional: await cleanRun(TRANSACTIONAL), concurrently: await cleanRun(CONCURRENTLY) }
  }, 120_000)
  afterAll(() => {
    arena.stop()
  })

  const up = (cwd: string, url: string): Promise<Ended> =>
    runCli(['migrate', 'up', '--url', url, '-d', 'freight', '--json'], { cwd })

  /** All start in the same instant; returns how many steps were applied by how many of them. */
  async function race(
    files: Readonly<Record<string, string>>,
    expected: string,
    urlOf: (database: ArenaDatabase) => string,
    runners = RUNNERS,
  ): Promise<void> {
    const folder = makeWorkspace(files)
    const database = await arena.database()
    try {
      const all = await Promise.all(Array.from({ length: runners }, () => up(folder.path, urlOf(database))))
      expect(all.map(({ exit, stdout }) => (exit === 0 ? 0 : stdout))).toEqual(all.map(() => 0))
      const applied = all
        .flatMap(({ stdout }) => (JSON.parse(stdout) as Outcome).databases)
        .flatMap(({ steps = [] }) => steps)
        .map(({ name, outcome }) => `${name} ${outcome}`)
        .sort()
      const names = Object.keys(files).flatMap((file) =>
        file.endsWith('.up.sql') ? [`${file.slice(0, -'.up.sql'.length)} applied`] : [],
      )
      expect(applied).toEqual(names)
      expect(await stateOf(database)).toBe(expected)
    } finally {
      await database.drop()
      folder.remove()
    }
  }

  const deadlocks = (): number => arena.log().split('deadlock detected').length - 1

  async function repeat(
    what: string,
    body: () => Promise<void>,
    {
      runners = RUNNERS,
      count = rounds(3, 100),
    }: { readonly runners?: number; readonly count?: number } = {},
  ): Promise<void> {
    const before = deadlocks()
    for (let round = 0; round < count; round++) await body()
    const met = deadlocks() - before
    figure(
      `${String(runners)} runners, ${what}`,
      `${String(count)} rounds, each migration applied once, ${String(met)} deadlocks`,
    )
    expect(met).toBe(0)
  }

  test('apply each migration once', async () => {
    await repeat('transactions', () => race(TRANSACTIONAL, clean.transactional, ({ url }) => url))
  }, 900_000)

  test('apply each statement of a file with CREATE INDEX CONCURRENTLY once', async () => {
    await repeat('CONCURRENTLY', () => race(CONCURRENTLY, clean.concurrently, ({ url }) => url))
  }, 900_000)

  test('two of them with CREATE INDEX CONCURRENTLY do not meet in a deadlock', async () => {
    await repeat('CONCURRENTLY', () => race(CONCURRENTLY, clean.concurrently, ({ url }) => url, 2), {
      runners: 2,
      count: rounds(2, 200),
    })
  }, 1_800_000)

  if (findPooler() === undefined)
    test.skip('apply each migration once through pgbouncer (pgbouncer is not installed)', () => undefined)
  else
    describe('through a transaction-pooling pgbouncer', () => {
      let pooler: Pooler
      beforeAll(async () => {
        // Fewer connections than runners: the one that has the lock pins one of them, all others share the rest.
        pooler = await startPooler(arena.cluster.port, 3)
      }, 60_000)
      afterAll(() => pooler.stop())

      test('apply each migration once', async () => {
        await repeat('pgbouncer', () =>
          race(CONCURRENTLY, clean.concurrently, ({ name }) => pooler.url(name)),
        )
      }, 900_000)
    })
})
