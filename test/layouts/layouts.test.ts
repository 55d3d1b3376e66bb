import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  LAYOUTS,
  migrateDown,
  migrateStatus,
  migrateUp,
  settleConfig,
  verify,
  type Config,
  type Flags,
} from 'dbkit'
import { catalogHash } from '../../src/catalog/hash.js'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import { openOnServer, type OpenDatabase } from '../support/databases.js'
import { sampled } from '../support/prove.js'
import { serverUrl } from '../support/server.js'

const fixtures = fileURLToPath(new URL('../../fixtures/layouts/', import.meta.url))

interface Case {
  readonly folder: string
  /** Where the migrations are in it. */
  readonly dir: string
  readonly layout: string
  readonly versions: readonly string[]
  readonly reversible: boolean
}

const cases: readonly Case[] = [
  ['dbkit', 'migrations', 'dbkit', ['1', '2', '3', '4', '5'], true],
  ['golang-migrate', 'migrations', 'golang-migrate', ['1', '2', '3', '9', '10'], true],
  [
    'dbmate',
    'migrations',
    'dbmate',
    ['20260101000000', '202601010000010000', '20260101000002', '20260101000003', '20260101000004'],
    true,
  ],
  [
    'diesel',
    'migrations',
    'diesel',
    ['00000000000000', '20260101000001', '20260101000002', '202601010000030000', '202601010000040000'],
    true,
  ],
  ['sqlx', 'migrations', 'sqlx', timestamps(), true],
  ['sqlx-simple', 'migrations', 'sqlx', timestamps(), false],
  ['goose', 'migrations', 'goose', ['1', '2', '3', '9', '20260101000004'], true],
  [
    'sql-migrate',
    'migrations',
    'sql-migrate',
    ['1_types.sql', '2-orders.sql', '3_sum.sql', '4_index.sql', '10_view.sql'],
    true,
  ],
  ['flyway', 'sql', 'flyway', ['1', '1.2', '1.10', '2', '2.0.1'], true],
  ['sqitch', '.', 'sqitch', ['types', 'orders', 'sum', 'index', 'sum#2', 'views/unpaid'], true],
  [
    'prisma',
    'migrations',
    'prisma',
    ['0_init', '20260101000001_orders', '20260101000001_sum', '20260101000003_index', '20260101000004_view'],
    false,
  ],
  [
    'drizzle',
    'drizzle',
    'drizzle',
    ['0000_types', '0001_orders', '0002_sum', '0003_index', '0004_view'],
    false,
  ],
  [
    'drizzle-folders',
    'drizzle',
    'drizzle',
    ['types', 'orders', 'sum', 'index', 'view'].map((name, index) => `2026010100000${String(index)}_${name}`),
    false,
  ],
  ['graphile-migrate', 'migrations', 'graphile-migrate', ['1', '2', '3', '4', '5'], false],
  [
    'node-pg-migrate',
    'migrations',
    'node-pg-migrate',
    [
      '1767225600000_types',
      '20260101000001000_orders',
      '1767225602000_sum',
      '1767225603000_index',
      '20260101000004000_view',
    ],
    true,
  ],
].map(
  ([folder, dir, layout, versions, reversible]) => ({ folder, dir, layout, versions, reversible }) as Case,
)

function timestamps(): readonly string[] {
  return [0, 1, 2, 3, 4].map((second) => `2026010100000${String(second)}`)
}

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'dbkit-layouts-'))
  cpSync(fixtures, root, { recursive: true })
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

function settle({ folder, dir }: Case, flags: Flags): Promise<Config> {
  const cwd = join(root, folder)
  return settleConfig({ dir, database: ['shop'], ...flags }, { cwd, environment: {} })
}

test('there is a workspace for each layout', () => {
  expect(new Set(cases.map(({ layout }) => layout))).toEqual(new Set(LAYOUTS))
  expect(new Set(cases.map(({ folder }) => folder))).toEqual(new Set(readdirSync(fixtures)))
})

const onServer = serverUrl() === undefined ? describe.skip : describe

onServer('one schema, written for each tool, on a server', () => {
  let database: OpenDatabase
  let empty = ''
  let full = ''
  const hash = async (): Promise<string> =>
    catalogHash(await readCatalog(database.session, { ledger: { schema: 'dbkit', table: 'migrations' } }))
  beforeEach(async () => {
    database = await openOnServer('layouts')
    empty = await hash()
  })
  afterEach(async () => {
    await database.remove()
  })

  test.each(cases.map((one) => [one.folder, one] as const))('%s', async (_, one) => {
    const config = await settle(one, { url: database.url ?? '' })
    const up = await migrateUp(config)
    expect(up.databases[0]?.error).toBeUndefined()
    // The first case is dbkit's own, which the others have to equal.
    if (full === '') full = await hash()
    expect(await hash()).toBe(full)
    const status = await migrateStatus(config)
    expect(status.databases[0]?.migrations?.map(({ version }) => version)).toEqual(one.versions)
    const told = status.databases[0]?.notes?.[0]
    if (one.layout === 'dbkit') expect(told).toBeUndefined()
    else expect(told).toContain(`read as a folder of ${one.layout}: `)
    const down = await migrateDown(config, { goal: { kind: 'all' } })
    if (one.reversible) {
      expect(down.databases[0]?.error).toBeUndefined()
      expect(await hash()).toBe(empty)
    } else {
      expect(down.databases[0]?.error?.code).toBe('plan.irreversible')
      expect(await hash()).toBe(full)
    }
  })

  test.each(sampled(cases, 3).map((one) => [one.folder, one] as const))(
    'verify proves it: %s',
    async (_, one) => {
      const report = await verify(await settle(one, {}), { shadowUrl: serverUrl() ?? '' })
      const [proved] = report.databases
      expect(proved?.error).toBeUndefined()
      const verdicts = new Set(proved?.verify?.migrations.map(({ verdict }) => verdict))
      expect([...verdicts].filter((verdict) => verdict !== 'exact' && verdict !== 'note')).toEqual(
        one.reversible ? [] : ['missing'],
      )
      expect(report.ok).toBe(true)
    },
    120_000,
  )
})

describe('one schema, written for each tool, on PGlite', () => {
  test.each(sampled(cases, 1).map((one) => [one.folder, one] as const))('%s', async (_, one) => {
    const config = await settle(one, { embedded: true })
    const up = await migrateUp(config)
    expect(up.databases[0]?.error).toBeUndefined()
    // What is repeatable has no version.
    const steps = up.databases[0]?.steps?.filter(({ version }) => version !== '')
    expect(steps?.map(({ version }) => version)).toEqual(one.versions)
    const down = await migrateDown(config, { goal: { kind: 'all' } })
    expect(down.databases[0]?.error?.code).toBe(one.reversible ? undefined : 'plan.irreversible')
  })
})
