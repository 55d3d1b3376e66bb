import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { PGlite, type Extensions } from '@electric-sql/pglite'
import * as dbkit from 'dbkit'
import pg from 'pg'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from './server.js'

/** One of the four systems, migrated; every value is PostgreSQL's text, so that both engines say the same. */
export interface SystemDatabase {
  query(
    sql: string,
    parameters?: readonly (string | null)[],
  ): Promise<readonly Record<string, string | null>[]>
  /** Asserts that a statement fails with a SQLSTATE, naming a constraint or with words in its message; the test can go on. */
  refuses(sql: string, sqlstate: string, constraintOrMessage?: string): Promise<void>
}

interface Options {
  readonly seed?: readonly string[]
}

interface Connection {
  query(
    sql: string,
    parameters: readonly (string | null)[],
  ): Promise<readonly Record<string, string | null>[]>
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

type Body = (db: SystemDatabase) => void

/** Runs the tests on the embedded engine, and on a server when there is one that can host the system. Each test is rolled back. */
export function describeSystem(name: string, ...rest: [Body] | [Options, Body]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest
  runOn(`${name} on PGlite`, () => openEmbedded(name, options), body)
  if (serverUrl() === undefined) {
    describe(`${name} on a server`, () => {
      test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
    })
    return
  }
  runOn(`${name} on a server`, () => openServer(name, options), body)
}

function runOn(title: string, open: () => Promise<Connection>, body: Body): void {
  describe(title, () => {
    let connection: Connection
    beforeAll(async () => {
      connection = await open()
    }, 180_000)
    beforeEach(async () => {
      await connection.query('begin', [])
    })
    afterEach(async () => {
      await connection.query('rollback', [])
    })
    afterAll(async () => {
      await connection.close()
    })
    body({
      query: (sql, parameters = []) => connection.query(sql, parameters),
      async refuses(sql, sqlstate, constraintOrMessage) {
        await connection.query('savepoint refuses', [])
        const failed = await connection.query(sql, []).then(
          () => undefined,
          (error: unknown) => error as { code?: string; constraint?: string; message: string },
        )
        await connection.query('rollback to savepoint refuses', [])
        if (failed === undefined)
          throw new Error(`expected SQLSTATE ${sqlstate}, but it was accepted: ${sql}`)
        expect({ sql, sqlstate: failed.code, message: failed.message }).toEqual({
          sql,
          sqlstate,
          message: failed.message,
        })
        if (constraintOrMessage !== undefined && failed.constraint !== constraintOrMessage)
          expect(failed.message).toContain(constraintOrMessage)
      },
    })
  })
}

async function openEmbedded(name: string, options: Options): Promise<Connection> {
  const folder = mkdtempSync(join(tmpdir(), `dbkit-${name}-`))
  // A workspace of its own: the embedded data is kept beside the configuration.
  for (const part of ['sql', 'seeds'])
    cpSync(join(root, part, name), join(folder, part, name), { recursive: true })
  const config = await dbkit.settleConfig(
    { embedded: true, dir: join(folder, 'sql', name, 'migrations'), database: [name] },
    { cwd: folder, environment: { HOME: process.env['HOME'] } },
  )
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  await migrateAndSeed(config, options).catch((error: unknown) => {
    remove()
    throw error
  })
  const extensions = await loadExtensions(
    (
      JSON.parse(readFileSync(join(folder, '.dbkit', name, 'engine.json'), 'utf8')) as {
        extensions: string[]
      }
    ).extensions,
  )
  const engine = await PGlite.create({
    dataDir: join(folder, '.dbkit', name, 'data'),
    extensions,
  })
  noteEngine('embedded PGlite 0.5.8')
  const asIs = (value: unknown): string => value as string
  const text = (known: object): Record<string, typeof asIs> =>
    Object.fromEntries(Object.keys(known).map((oid) => [oid, asIs]))
  const [parsers, serializers] = [text(engine.parsers), text(engine.serializers)]
  return {
    async query(sql, parameters) {
      if (parameters.length > 0)
        return (
          await engine.query<Record<string, string | null>>(sql, [...parameters], { parsers, serializers })
        ).rows
      const results = await engine.exec(sql, { parsers })
      return results.at(-1)?.rows ?? []
    },
    async close() {
      await engine.close()
      remove()
    },
  }
}

async function openServer(name: string, options: Options): Promise<Connection> {
  const database: ServerDatabase = await createServerDatabase(name)
  const config = await dbkit.settleConfig(
    { url: database.url, config: join(root, 'dbkit.config.ts'), database: [name] },
    { cwd: root, environment: {} },
  )
  await migrateAndSeed(config, options).catch(async (error: unknown) => {
    await database.drop()
    throw error
  })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  return {
    async query(sql, parameters) {
      const result: unknown = await client.query({
        text: sql,
        ...(parameters.length === 0 ? {} : { values: [...parameters] }),
        types: { getTypeParser: () => (value: string) => value },
      } as pg.QueryConfig)
      const last = (Array.isArray(result) ? result.at(-1) : result) as pg.QueryResult<
        Record<string, string | null>
      >
      return last.rows
    },
    async close() {
      await client.end()
      await database.drop()
    },
  }
}

async function migrateAndSeed(config: dbkit.Config, { seed = [] }: Options): Promise<void> {
  const migrated = await dbkit.migrateUp(config)
  expect(migrated.databases.map(({ error }) => error)).toEqual([undefined])
  if (seed.length === 0) return
  const seeded = await dbkit.seed(config, { sets: seed })
  expect(seeded.databases.map(({ error }) => error)).toEqual([undefined])
}

async function loadExtensions(names: readonly string[]): Promise<Extensions> {
  const loaded: Extensions = {}
  for (const name of names) {
    const module = name.replaceAll('-', '_')
    loaded[module] =
      name === 'postgis'
        ? (await import('@electric-sql/pglite-postgis')).postgis
        : (((await import(`@electric-sql/pglite/contrib/${module}`)) as Extensions)[
            module
          ] as Extensions[string])
  }
  return loaded
}

/** What a view was before the migration whose rollback is this file: its query. */
export function earlierView(system: string, migration: string, view: string): string {
  const file = join(root, 'sql', system, 'migrations', `${migration}.down.sql`)
  const query = new RegExp(`create or replace view ${view} as\\n([^;]+);`).exec(
    readFileSync(file, 'utf8'),
  )?.[1]
  if (query === undefined) throw new Error(`${file} does not create ${view}`)
  return query
}
