import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { migrateDown, migrateUp, settleConfig, verify, type Config } from 'dbkit'
import type { Catalog } from '../../src/catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../../src/catalog/compare.js'
import { declaredFiles, singleFile } from '../../src/catalog/declared-schema.js'
import { catalogHash } from '../../src/catalog/hash.js'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import { startLocalCluster } from '../../src/database/local-cluster.js'
import { openServer } from '../../src/database/server.js'
import { settleServerAddress } from '../../src/database/server-target.js'
import { carryOver } from '../../src/prove/carry-over.js'
import { readMigratedCatalog } from '../../src/prove/migrated-catalog.js'
import { readWorkspace } from '../../src/workspace/workspace.js'
import { makeRoles, type OpenDatabase } from '../support/databases.js'
import { MAJORS, openMajors, type Major } from '../support/majors.js'
import { proving } from '../support/prove.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MINUTES = 60_000
/** Those that need no extension of somebody else's run everywhere. */
const SYSTEMS = ['happyrobot', 'escalation', 'delauto', 'smartscheduler'] as const
const NEEDS_POSTGIS: readonly string[] = ['smartscheduler', 'delauto']
/** What came with a major stands in a file of its own. */
const ZOO = [14, 15, 16, 17, 18] as const
const ROLES = ['zoo_keeper', 'zoo_visitor']
const ledger = { schema: 'dbkit', table: 'migrations' }
const signal = new AbortController().signal

let majors: readonly Major[] = []
/** Rows of the table that is printed at the end, by what was looked at and the engine. */
const cells = new Map<string, Map<string, string>>()

function note(row: string, engine: string, cell: string): void {
  cells.set(row, (cells.get(row) ?? new Map<string, string>()).set(engine, cell))
}

beforeAll(async () => {
  majors = await openMajors()
}, MINUTES)

afterAll(() => {
  for (const { stop } of majors) stop()
  const names = majors.map(({ name }) => name)
  const lines = [...cells].map(([row, of]) =>
    [row.padEnd(34), ...names.map((name) => (of.get(name) ?? '-').padEnd(10))].join(' '),
  )
  process.stdout.write(
    `${[''.padEnd(34), ...names.map((name) => name.padEnd(10))].join(' ')}\n${lines.join('\n')}\n`,
  )
})

test('every major from 14 to 18 is there, and PGlite', () => {
  expect(majors.map(({ name }) => name)).toEqual([...MAJORS.map(String), 'PGlite'])
})

test.each([14, 16, 17, 18])('a server of its own can be the %i that npm brought', async (major) => {
  const folder = process.env['DBKIT_SERVERS'] ?? ''
  const cluster = await startLocalCluster({ environment: {}, folder, major })
  try {
    const address = settleServerAddress(cluster?.url, {}, '--url', 'postgres')
    const opened = await openServer(address, { purpose: 'test', waitMs: MINUTES })
    expect(opened.major).toBe(major)
    await opened.close()
  } finally {
    await cluster?.stop()
  }
})

test('a server that has only just been started is stopped', async () => {
  const cluster = await startLocalCluster({ environment: {}, folder: process.env['DBKIT_SERVERS'] ?? '' })
  await cluster?.stop()
})

test('there is no server of a major that nobody brought', async () => {
  expect(await startLocalCluster({ environment: {}, folder: root, major: 99 })).toBeUndefined()
})

async function configOf(system: string, flags: { readonly url?: string } = {}): Promise<Config> {
  return settleConfig(
    { database: [system], ...flags },
    { cwd: root, environment: { HOME: process.env['HOME'] } },
  )
}

/** What the migrations make: on a server with the commands, up, down to nothing, and up again. */
async function migrated(system: string, major: Major): Promise<Catalog> {
  if (major.url === undefined) return migratedEmbedded(system)
  const database = await major.open()
  try {
    const config = await configOf(system, { url: database.url ?? '' })
    const read = (): Promise<Catalog> => readCatalog(database.session, { ledger })
    const nothing = await read()
    expect((await migrateUp(config)).databases[0]?.error).toBeUndefined()
    const first = await read()
    expect((await migrateDown(config, { goal: { kind: 'all' } })).databases[0]?.error).toBeUndefined()
    // Somebody else may use an extension.
    const left = differences(nothing, await read()).filter((line) => !line.startsWith('added extension'))
    expect([major.name, left]).toEqual([major.name, []])
    expect((await migrateUp(config)).databases[0]?.error).toBeUndefined()
    expect([major.name, differences(first, await read())]).toEqual([major.name, []])
    note(`${system} up/down/up`, major.name, 'ok')
    return first
  } finally {
    await database.remove()
  }
}

async function migratedEmbedded(system: string): Promise<Catalog> {
  const config = await configOf(system)
  const [database] = config.databases
  if (database === undefined) throw new Error(`there is no ${system}`)
  const options = { purpose: 'test', signal, observer: () => undefined }
  return (await readMigratedCatalog(config, database, readWorkspace(database, root), options)).catalog
}

async function carried(catalog: Catalog, to: Major): Promise<Catalog> {
  const database = await to.open()
  try {
    return await carryOver(catalog, database.session, { ledger, major: to.major, signal })
  } finally {
    await database.remove()
  }
}

function differences(wanted: Catalog, found: Catalog): readonly string[] {
  return compareCatalogs(wanted, found).differences.flatMap(describeDifference)
}

const short = (hash: string): string => hash.slice(0, 8)

/** Where definitions are made again and read back: the newest server, and the oldest with PostGIS. */
function references(): readonly Major[] {
  return majors.filter(({ name }) => ['15', '18'].includes(name))
}

describe.each(SYSTEMS)('%s', (system) => {
  const hosts = (): readonly Major[] =>
    majors.filter(({ postgis }) => postgis || !NEEDS_POSTGIS.includes(system))

  test(
    'is the same catalog and the same files on each',
    async () => {
      const found: { readonly major: Major; readonly catalog: Catalog }[] = []
      for (const major of hosts()) found.push({ major, catalog: await migrated(system, major) })
      const [first] = found
      if (first === undefined) throw new Error('no engine')
      for (const { major, catalog } of found) {
        note(`${system} hash`, major.name, short(catalogHash(catalog)))
        expect([major.name, [...declaredFiles(catalog)]]).toEqual([
          major.name,
          [...declaredFiles(first.catalog)],
        ])
        expect([major.name, singleFile(catalog)]).toEqual([major.name, singleFile(first.catalog)])
      }
      for (const reference of references().filter((one) => hosts().includes(one))) {
        const wanted = found.find(({ major }) => major === reference)?.catalog ?? first.catalog
        for (const { major, catalog } of found) {
          const there = await carried(catalog, reference)
          note(`${system} hash on ${reference.name}`, major.name, short(catalogHash(there)))
          expect([major.name, differences(wanted, there)]).toEqual([major.name, []])
          expect([major.name, catalogHash(there)]).toEqual([major.name, catalogHash(wanted)])
        }
      }
    },
    2 * MINUTES,
  )
})

describe('dbkit verify', () => {
  const hosts = (system: string): readonly Major[] =>
    majors.filter(({ url, postgis }) => url !== undefined && (postgis || !NEEDS_POSTGIS.includes(system)))
  // The rest of them when proving: what the embedded engine and the installed one say is a test of every run.
  const systems = proving ? SYSTEMS : (['escalation'] as const)

  test.each(systems)(
    'says the same of %s on each',
    async (system) => {
      const config = await configOf(system)
      for (const { name, url } of hosts(system)) {
        const { databases } = await verify(config, { shadowUrl: url ?? '' })
        const proof = databases[0]?.verify
        const { exact = 0, note: notes = 0 } = proof?.summary ?? {}
        note(`${system} verify`, name, `${String(exact + notes)} proved`)
        expect([name, databases[0]?.error, exact + notes]).toEqual([
          name,
          undefined,
          proof?.migrations.length,
        ])
        expect([name, proof?.wholeWay.outcome, proof?.schema?.outcome, proof?.types?.outcome]).toEqual([
          name,
          'ok',
          'ok',
          'ok',
        ])
        expect([name, databases[0]?.ok]).toEqual([name, true])
      }
    },
    3 * MINUTES,
  )
})

describe('one object of every kind', () => {
  const text = (file: string): string =>
    readFileSync(new URL(`../../fixtures/catalog/${file}`, import.meta.url), 'utf8').replace(
      // A password is not brought over.
      ", password 'hidden'",
      '',
    )

  async function zooOn(major: Major, ...upTo: readonly number[]): Promise<Catalog> {
    const database = await major.open()
    try {
      await fill(database, ...upTo)
      return await readCatalog(database.session)
    } finally {
      await database.remove()
    }
  }

  async function fill({ session }: OpenDatabase, ...upTo: readonly number[]): Promise<void> {
    await makeRoles(session, ROLES)
    for (const major of upTo)
      await session.script(text(major === 14 ? 'zoo.sql' : `zoo.${String(major)}.sql`))
  }

  test.each(ZOO)(
    'that PostgreSQL %i knows is the same on it and all later ones',
    async (since) => {
      const known = ZOO.filter((major) => major <= since)
      // PGlite starts in seconds: it has the last one, which contains the others.
      const able = majors.filter(
        ({ major, url }) => major >= since && (url !== undefined || proving || since === 18),
      )
      const row = `zoo of ${String(since)}`
      const found: { readonly major: Major; readonly catalog: Catalog }[] = []
      for (const major of able) found.push({ major, catalog: await zooOn(major, ...known) })
      const [first] = found
      if (first === undefined) throw new Error('no engine')
      for (const { major, catalog } of found) {
        note(`${row} hash`, major.name, short(catalogHash(catalog)))
        expect([major.name, catalog.unmodelled]).toEqual([major.name, []])
        // PGlite loads its own in a test of every run.
        if (major.url !== undefined)
          expect([major.name, differences(catalog, await carried(catalog, major))]).toEqual([major.name, []])
        expect([major.name, [...declaredFiles(catalog)]]).toEqual([
          major.name,
          [...declaredFiles(first.catalog)],
        ])
      }
      for (const reference of references().filter((one) => able.includes(one))) {
        const wanted = found.find(({ major }) => major === reference)?.catalog ?? first.catalog
        for (const { major, catalog } of found) {
          const there = await carried(catalog, reference)
          note(`${row} hash on ${reference.name}`, major.name, short(catalogHash(there)))
          expect([major.name, differences(wanted, there)]).toEqual([major.name, []])
          expect([major.name, catalogHash(there)]).toEqual([major.name, catalogHash(wanted)])
        }
      }
    },
    3 * MINUTES,
  )
})
