import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Ended, type Folder } from '../support/cli.js'
import { figure, rounds } from '../support/prove.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'

const MIGRATIONS = {
  'sql/shop/migrations/0001_people.up.sql': 'create table people (id int primary key, name text);',
  'sql/shop/migrations/0001_people.down.sql': 'drop table people;',
  'sql/shop/migrations/0002_name.up.sql': 'create unique index on people (name);',
  'sql/shop/migrations/0002_name.down.sql': 'drop index people_name_idx;',
}

interface Told {
  readonly ok: boolean
  readonly error?: { readonly code: string; readonly exit: number }
  readonly databases: readonly {
    readonly error?: { readonly code: string; readonly exit: number; readonly message: string }
    readonly fleet: {
      readonly targets: readonly {
        name: string
        outcome: string
        version?: string
        applied?: number
        error?: { message: string }
      }[]
      readonly summary: Readonly<Record<string, number>>
      readonly versions: readonly { version: string; count: number }[]
      readonly connections: number
      readonly durationMs: number
    }
  }[]
}

function project(fleet: object): Folder {
  return makeFolder({
    ...MIGRATIONS,
    'dbkit.config.json': JSON.stringify({ databases: { shop: { fleet } } }),
  })
}

async function fleet(
  folder: Folder,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ ended: Ended; told: Told }> {
  const ended = await runCli([...args, '--fleet', '--json'], { cwd: folder.path, env })
  return { ended, told: JSON.parse(ended.stdout) as Told }
}

const suite = serverUrl() === undefined ? describe.skip : describe

suite('a fleet of schemas on a server', () => {
  let server: ServerDatabase
  let folder: Folder
  const env = (): Record<string, string> => ({ SHOP_DATABASE_URL: server.url })

  beforeAll(async () => {
    server = await createServerDatabase('fleet')
    await server.query(
      "create table tenants as select 't' || to_char(i, 'FM000') as name from generate_series(1, 30) i",
    )
    folder = project({
      schemaQuery: 'select name from tenants order by 1',
      canaries: ['t007'],
      concurrency: 4,
    })
  })
  afterAll(async () => {
    folder.remove()
    await server.drop()
  })

  test('is told by version, and migrated with connections that are used again', async () => {
    const before = await fleet(folder, ['migrate', 'status', '--exit-code'], env())
    expect([before.ended.exit, before.told.databases[0]?.fleet.summary['behind']]).toEqual([1, 30])
    const up = await fleet(folder, ['migrate', 'up', '--to', '1'], env())
    expect([up.ended.exit, up.told.databases[0]?.fleet.summary['migrated']]).toEqual([0, 30])
    // Two for each of the four, and one that asked who is in it.
    expect(up.told.databases[0]?.fleet.connections).toBeLessThanOrEqual(10)
    expect(await server.query("select count(*) from pg_tables where tablename = 'people'")).toEqual([
      { count: '30' },
    ])
  })

  test('stops when a canary fails, before any other is touched', async () => {
    await server.query("insert into t007.people values (1, 'a'), (2, 'a')")
    const { ended, told } = await fleet(folder, ['migrate', 'up'], env())
    const [shop] = told.databases
    expect([
      ended.exit,
      shop?.error?.code,
      shop?.fleet.summary['failed'],
      shop?.fleet.summary['not-run'],
    ]).toEqual([3, 'fleet.stopped', 1, 29])
    await server.query('delete from t007.people')
  })

  test('stops at the first failure, and goes on where it was', async () => {
    await server.query("insert into t020.people values (1, 'a'), (2, 'a')")
    const first = await fleet(folder, ['migrate', 'up', '--concurrency', '2'], env())
    const stopped = first.told.databases[0]?.fleet
    expect(first.ended.exit).toBe(3)
    expect(stopped?.targets.find(({ name }) => name === 't020')?.error?.message).toContain('unique index')
    expect(stopped?.targets.find(({ name }) => name === 't007')?.outcome).toBe('migrated')
    expect(stopped?.summary['not-run']).toBeGreaterThan(5)
    const human = await runCli(['migrate', 'status', '--fleet'], { cwd: folder.path, env: env() })
    expect(human.stdout).toMatch(/0002_name +\d+\n +0001_people +\d+/)
    expect(human.stdout.split('\n').length).toBeLessThan(8)
    await server.query('delete from t020.people')
    const again = await fleet(folder, ['migrate', 'up'], env())
    const { summary = {}, versions = [] }: Partial<Told['databases'][number]['fleet']> =
      again.told.databases[0]?.fleet ?? {}
    expect([again.ended.exit, (summary['migrated'] ?? 0) + (summary['current'] ?? 0)]).toEqual([0, 30])
    expect(summary['current']).toBeGreaterThan(0)
    expect(versions.map(({ version, count }) => [version, count])).toEqual([['0002_name', 30]])
    expect((await fleet(folder, ['migrate', 'status', '--exit-code'], env())).ended.exit).toBe(0)
  })

  test('costs as much for each of many as for each of few', async () => {
    const many = rounds(40, 1_000)
    const times: number[] = []
    for (const count of [many / 4, many]) {
      const database = await createServerDatabase('tenants')
      await database.query(
        `create table tenants as select 't' || i as name from generate_series(1, ${String(count)}) i`,
      )
      const { told, ended } = await fleet(folder, ['migrate', 'up'], {
        SHOP_DATABASE_URL: database.url,
      }).then(async (failed) => {
        // The canary is not among them: a configuration without one.
        expect(failed.told.databases[0]?.error?.code).toBe('fleet.unknown-canary')
        const plain = project({ schemaQuery: 'select name from tenants', concurrency: 4 })
        try {
          return await fleet(plain, ['migrate', 'up'], { SHOP_DATABASE_URL: database.url })
        } finally {
          plain.remove()
        }
      })
      expect([ended.exit, told.databases[0]?.fleet.summary['migrated']]).toEqual([0, count])
      expect(told.databases[0]?.fleet.connections).toBeLessThanOrEqual(10)
      const took = told.databases[0]?.fleet.durationMs ?? 0
      figure(`fleet of ${String(count)} schemas`, `${String(took)} ms`)
      times.push(took / count)
      await database.drop()
    }
    expect((times[1] ?? 0) / (times[0] ?? 1)).toBeLessThan(2.5)
  }, 600_000)

  test('may be databases of their own, named in the environment', async () => {
    const [one, two] = [await createServerDatabase('a'), await createServerDatabase('b')]
    const of = project({ env: 'TENANTS' })
    try {
      const { ended, told } = await fleet(of, ['migrate', 'up'], { TENANTS: `acme=${one.url},${two.url}` })
      expect([
        ended.exit,
        told.databases[0]?.fleet.targets.map(({ name, applied }) => [name, applied]),
      ]).toEqual([
        0,
        [
          ['acme', 2],
          [`${two.name}@${new URL(two.url).host}`, 2],
        ],
      ])
      const wrong = await fleet(of, ['migrate', 'status'], {
        TENANTS: `acme=${one.url},gone=${one.url}_not_there`,
      })
      expect(wrong.told.databases[0]?.fleet.targets.map(({ outcome }) => outcome)).toEqual([
        'current',
        'failed',
      ])
      expect(wrong.ended.exit).toBe(3)
      const secret = await fleet(of, ['migrate', 'status'], { TENANTS: 'acme=not a url with secret' })
      expect([secret.told.databases[0]?.error?.code, secret.ended.stdout.includes('secret')]).toEqual([
        'fleet.bad-line',
        false,
      ])
    } finally {
      of.remove()
      await one.drop()
      await two.drop()
    }
  })
})

describe('a fleet', () => {
  test('of schemas works on the embedded engine, one after the other', async () => {
    noteEngine('embedded PGlite 0.5.8')
    const folder = project({ schemas: ['acme', 'Globex "1"'] })
    try {
      const { ended, told } = await fleet(folder, ['migrate', 'up', '--embedded'])
      expect([ended.exit, told.databases[0]?.fleet.summary['migrated']]).toEqual([0, 2])
      const again = await fleet(folder, ['migrate', 'status', '--exit-code', '--embedded'])
      expect([again.ended.exit, again.told.databases[0]?.fleet.versions]).toEqual([
        0,
        [{ version: '0002_name', count: 2, targets: ['acme', 'Globex "1"'] }],
      ])
    } finally {
      folder.remove()
    }
  })

  test.each([
    [{ schemas: [] }, 'fleet.empty'],
    [{ schemas: ['a', 'a'] }, 'fleet.twice'],
    [{ file: 'tenants.txt' }, 'fleet.no-file'],
    [{ schemas: ['a'], env: 'B' }, 'config.invalid'],
    [undefined, 'fleet.not-one'],
  ])('%j is refused', async (wrong, code) => {
    const folder =
      wrong === undefined
        ? makeFolder({ ...MIGRATIONS, 'dbkit.config.json': '{ "databases": { "shop": {} } }' })
        : project(wrong)
    try {
      const { ended, told } = await fleet(folder, ['migrate', 'up', '--embedded'])
      expect([ended.exit, told.error?.code ?? told.databases[0]?.error?.code]).toEqual([2, code])
    } finally {
      folder.remove()
    }
  })
})
