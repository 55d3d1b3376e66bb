import { afterEach, describe, expect, test } from '@jest/globals'
import { describePlan } from '../../src/bench/describe-plan.js'
import { makeFolder, runCli, type Ended, type Folder } from '../support/cli.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'

test('a plan is told by its nodes, its indexes and what it reads as a whole', () => {
  const plan = describePlan({
    'Node Type': 'Limit',
    Plans: [
      { 'Node Type': 'Index Scan', 'Index Name': 'i', 'Relation Name': 'a' },
      { 'Node Type': 'Seq Scan', 'Relation Name': 'b' },
    ],
  })
  expect(plan).toEqual({
    plan: ['Limit', '  Index Scan using i on a', '  Seq Scan on b'],
    indexes: ['i'],
    scans: ['b'],
  })
})

const orders = `create table orders (id int primary key, customer int not null, note text not null);
create index orders_customer on orders (customer);`
const queries = [
  {
    name: 'by key',
    within: 5_000,
    sql: 'select * from orders where id = $1',
    parameters: 'select id from orders order by id',
  },
  { name: 'slow', within: 20, sql: 'select count(*) from orders, pg_sleep(0.04)' },
]

interface Benched {
  readonly databases: readonly {
    readonly error?: { readonly code: string; readonly message: string }
    readonly generate?: unknown
    readonly bench?: {
      readonly queries: readonly {
        readonly name: string
        readonly met: boolean
        readonly runs: number
        readonly rows: number
        readonly p50: number
        readonly indexes: readonly string[]
        readonly scans: readonly string[]
      }[]
      readonly storage?: { readonly rows: number; readonly met: boolean; readonly perUnit: number }
    }
  }[]
}

describe('dbkit bench', () => {
  const there = serverUrl() === undefined ? test.skip : test
  let server: ServerDatabase | undefined
  let folder: Folder | undefined
  afterEach(async () => {
    await server?.drop()
    folder?.remove()
  })
  const open = (targets: unknown): void => {
    folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { shop: { bench: 'targets.json' } } }),
      'sql/shop/migrations/0001_all.up.sql': orders,
      'sql/shop/migrations/0001_all.down.sql': 'drop table orders;',
      'targets.json': JSON.stringify(targets),
    })
  }
  const dbkit = (...args: readonly string[]): Promise<Ended> =>
    runCli([...args, ...(server === undefined ? ['--embedded'] : ['--url', server.url])], {
      cwd: folder?.path ?? '',
    })
  const benched = async (
    ...args: readonly string[]
  ): Promise<Benched['databases'][number] & { exit: number | null }> => {
    const { exit, stdout } = await dbkit('bench', '--json', ...args)
    return { exit, ...(JSON.parse(stdout) as Benched).databases[0] }
  }

  there('measures a database of its own, and leaves nothing of it behind', async () => {
    server = await createServerDatabase('bench')
    open({ queries, storage: { tables: ['orders'], rows: 10, bytes: 1 } })
    const { exit, bench, generate } = await benched('--rows', '3000', '--runs', '6')
    expect(exit).toBe(1)
    expect(generate).toMatchObject({ tables: [{ table: 'orders', rows: 3_000 }] })
    expect(bench?.queries).toMatchObject([
      { name: 'by key', met: true, runs: 6, rows: 1, indexes: ['orders_pkey'], scans: [] },
      { name: 'slow', met: false, runs: 6, rows: 1, scans: ['orders'] },
    ])
    expect(bench?.queries[1]?.p50).toBeGreaterThan(39)
    expect(bench?.storage).toMatchObject({ rows: 3_000, met: false })
    expect(
      await server.query(`select datname from pg_database where datname like 'dbkit_bench_shop_%'`),
    ).toEqual([])
    // The database that was named is as it was.
    expect(await server.query(`select to_regclass('orders') as there`)).toEqual([{ there: null }])
  })

  there('reads the database as it is, and refuses what it cannot measure', async () => {
    server = await createServerDatabase('bench')
    open({ queries: queries.slice(0, 1) })
    await dbkit('migrate', 'up', '--quiet')
    expect(await benched()).toMatchObject({ exit: 2, error: { code: 'bench.no-parameters' } })
    await server.query(`insert into orders values (1, 2, 'three')`)
    const good = await dbkit('bench', '--runs', '3')
    expect([good.exit, good.stderr]).toEqual([0, ''])
    expect(good.stdout).toMatch(/✓ by key +\d+\.\d ms of 5000 ms {2}p50 .*\n {4}.*\n {2}1 targets met/)
    folder?.write({
      'targets.json': JSON.stringify({ queries: [{ name: 'w', within: 1, sql: 'delete from orders' }] }),
    })
    expect(await benched()).toMatchObject({ exit: 3, error: { code: 'bench.refused' } })
    expect(await server.query('select count(*) as n from orders')).toEqual([{ n: '1' }])
    folder?.write({ 'targets.json': JSON.stringify({ queries: [{ name: 'w', sql: 'select 1' }] }) })
    const bad = await dbkit('bench')
    expect([bad.exit, bad.stderr]).toEqual([
      2,
      expect.stringContaining('queries[0].within must be a number of milliseconds'),
    ])
  })

  test('works on the embedded engine', async () => {
    server = undefined
    open({ queries: queries.slice(0, 1) })
    const { exit, bench } = await benched('--rows', '500', '--runs', '4')
    expect(exit).toBe(0)
    expect(bench?.queries).toMatchObject([{ met: true, runs: 4, indexes: ['orders_pkey'] }])
  })
})
