import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { catalogHash } from '../../src/catalog/hash.js'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import { settleConfig, switchToFiles, migrateUp, type Config, type Report } from '../../src/index.js'
import { openDatabase } from '../../src/database/open-database.js'
import { makeFolder, type Folder } from '../support/cli.js'
import { figure, rounds } from '../support/prove.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'
import { filesOf, makeBranches, randomFrom, type Branch } from './histories.js'

/**
 * People go from branch to branch. After each step the database has to be what a new one is after `migrate up` of the same files: by the
 * hash of its catalog, and by every row of both ledgers.
 */
let folder: Folder
const made: ServerDatabase[] = []

beforeAll(() => {
  folder = makeFolder({ 'dbkit.config.json': JSON.stringify({ databases: { shop: {} } }) })
})
afterAll(async () => {
  folder.remove()
  for (const database of made) await database.drop()
})

function checkout(branch: Branch): void {
  rmSync(join(folder.path, 'sql'), { recursive: true, force: true })
  folder.write(filesOf(branch))
}

/** The embedded database of another folder than the walk's, for one that is new. */
async function configFor(url: string | undefined): Promise<Config> {
  const flags = url === undefined ? { embedded: true } : { url, database: ['shop'] }
  return settleConfig(flags, { cwd: folder.path, environment: {} })
}

const LEDGER = `select coalesce(json_agg(json_build_array(version, name, state, up_checksum, down_checksum, up_sql, down_sql,
  transactional, statements_done, attempt, out_of_order) order by position), '[]') from dbkit.migrations`
const REPEATABLE = `select coalesce(json_agg(json_build_array(name, checksum, sql) order by name), '[]')
  from dbkit.migrations_repeatable`

async function stateOf(config: Config): Promise<string> {
  const [settings] = config.databases
  if (settings === undefined) throw new Error('the configuration has no database')
  const database = await openDatabase(config, settings, { purpose: 'test', extensions: () => [] })
  try {
    const session = await database.session()
    const rows = []
    for (const query of [LEDGER, REPEATABLE]) rows.push((await session.query(query))[0]?.[0])
    const catalog = catalogHash(await readCatalog(session, { ledger: settings.ledger }))
    await session.close()
    return JSON.stringify([catalog, ...rows])
  } finally {
    await database.close()
  }
}

const failureOf = ({ databases }: Report): string | undefined => databases[0]?.error?.message

/** Branches of which each state is made anew once, and walks over them. */
async function walk(
  seed: number,
  { steps, branches, length }: { readonly steps: number; readonly branches: number; readonly length: number },
  engine: {
    /** The database that is walked about with. */
    readonly walked: Config
    fresh(): Promise<Config>
  },
): Promise<number> {
  const random = randomFrom(seed)
  const all = makeBranches(random, branches, length)
  const fresh = new Map<Branch, string>()
  let wrong = 0
  for (let step = 0; step < steps; step++) {
    const branch = all[Math.floor(random() * all.length)] as Branch
    checkout(branch)
    const report = await switchToFiles(engine.walked, { yes: true })
    expect({ seed, step, failure: failureOf(report) }).toEqual({ seed, step, failure: undefined })
    let expected = fresh.get(branch)
    if (expected === undefined) {
      const config = await engine.fresh()
      expect(failureOf(await migrateUp(config))).toBeUndefined()
      fresh.set(branch, (expected = await stateOf(config)))
    }
    const state = await stateOf(engine.walked)
    if (state !== expected) wrong++
    expect({ seed, step, state }).toEqual({ seed, step, state: expected })
  }
  return wrong
}

const onServers = serverUrl() === undefined ? test.skip : test

describe('random walks over branches', () => {
  onServers(
    'on a server end where a new database begins',
    async () => {
      const walks = rounds(3, 500)
      let wrong = 0
      const started = performance.now()
      for (let seed = 1; seed <= walks; seed++) {
        const own: ServerDatabase[] = []
        const open = async (): Promise<Config> => {
          const database = await createServerDatabase('switch')
          own.push(database)
          made.push(database)
          return configFor(database.url)
        }
        wrong += await walk(
          seed,
          { steps: 4, branches: 4, length: 12 },
          { walked: await open(), fresh: open },
        )
        for (const database of own.splice(0)) {
          await database.drop()
          made.splice(made.indexOf(database), 1)
        }
      }
      figure(
        'random branch walks of 4 switches on a server',
        `${String(walks)}, ${String(wrong)} wrong states, ${String(Math.round((performance.now() - started) / 1_000))} s`,
      )
      expect(wrong).toBe(0)
    },
    rounds(60_000, 3_600_000),
  )

  // Four starts of the engine a step: where there is a server, most of it is shown there.
  const steps = rounds(serverUrl() === undefined ? 4 : 2, 30)
  test(
    'on PGlite end where a new database begins',
    async () => {
      noteEngine('embedded PGlite 0.5.8')
      const walked = await configFor(undefined)
      // What a new database is, is a question of the files alone: one that is emptied between two answers as well as a new one.
      const elsewhere = makeFolder()
      const fresh = async (): Promise<Config> => {
        rmSync(join(elsewhere.path, 'data'), { recursive: true, force: true })
        const [database] = walked.databases
        if (database === undefined) throw new Error('the configuration has no database')
        const target = {
          kind: 'embedded',
          folder: join(elsewhere.path, 'data'),
          asked: true,
          emptyVariable: undefined,
        } as const
        return Promise.resolve({ ...walked, databases: [{ ...database, target }] })
      }
      try {
        const wrong = await walk(77, { steps, branches: rounds(3, 12), length: 8 }, { walked, fresh })
        expect(wrong).toBe(0)
      } finally {
        elsewhere.remove()
      }
    },
    rounds(120_000, 1_200_000),
  )
})
