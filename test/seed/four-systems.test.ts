import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { migrateUp, seed, settleConfig, type Config, type DatabaseReport } from 'dbkit'
import { changes } from '../support/seeds.js'
import { makeFolder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const systems = ['happyrobot', 'escalation', 'smartscheduler', 'delauto']

async function load(config: Config, today: string): Promise<DatabaseReport> {
  const [database] = (await seed(config, { today })).databases
  if (database === undefined) throw new Error('no database in the report')
  expect(database.error).toBeUndefined()
  return database
}

/** What a run changed, by data file's table and by script; empty when it changed nothing. */
function changed({ seed: tables = [], seedScripts: scripts = [] }: DatabaseReport): readonly string[] {
  return [
    ...tables.filter(({ inserted, updated }) => inserted + updated > 0).map(({ table }) => table),
    ...scripts.filter((script) => script.tables.length > 0).map(({ file }) => file),
  ]
}

/** Loading again on another day is the same work on each engine, and slow on the embedded one: with a server, it is done there. */
async function check(config: Config, { nextDay = true } = {}): Promise<void> {
  const migrated = await migrateUp(config)
  expect(migrated.databases.map(({ error }) => error)).toEqual([undefined])
  const first = await load(config, '2026-05-01')
  expect(changes(first).length).toBeGreaterThan(0)
  for (const { table, rows, inserted } of first.seed ?? []) expect([table, inserted]).toEqual([table, rows])
  expect(changed(await load(config, '2026-05-01'))).toEqual([])
  if (!nextDay) return
  // A trigger that stamps each update must not keep the rows of the next day changing for ever.
  const second = await load(config, '2026-05-02')
  for (const { table, inserted } of second.seed ?? []) expect([table, inserted]).toEqual([table, 0])
  expect(changed(await load(config, '2026-05-02'))).toEqual([])
}

describe('the seeds of the four systems load, change nothing the second time, and move on with the day', () => {
  test.each(systems)(
    '%s on PGlite',
    async (name) => {
      noteEngine('embedded PGlite 0.5.8')
      const folder = makeFolder({
        'dbkit.config.json': JSON.stringify({
          databases: {
            [name]: { migrations: `${root}sql/${name}/migrations`, seeds: `${root}seeds/${name}` },
          },
        }),
      })
      try {
        await check(
          await settleConfig(
            { embedded: true },
            { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
          ),
          { nextDay: serverUrl() === undefined },
        )
      } finally {
        folder.remove()
      }
    },
    180_000,
  )

  if (serverUrl() === undefined)
    test.skip('on a server: needs PostgreSQL server binaries, which this machine lacks', () => undefined)
  else
    test.each(systems)('%s on a server', async (name) => {
      const database = await createServerDatabase(name)
      try {
        await check(
          await settleConfig(
            { url: database.url, config: `${root}dbkit.config.ts`, database: [name] },
            { cwd: root, environment: {} },
          ),
        )
      } finally {
        await database.drop()
      }
    })
})
