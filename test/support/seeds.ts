import { join } from 'node:path'
import { describe, test } from '@jest/globals'
import { PGlite } from '@electric-sql/pglite'
import { migrateUp, seed, settleConfig, type Config, type DatabaseReport, type SeedOptions } from 'dbkit'
import { makeFolder, type Folder } from './cli.js'
import type { Files } from './engines.js'
import { createServerDatabase, noteEngine, onServer, serverUrl } from './server.js'

/** A database called "freight" with a schema and seed files of a test's own. */
export interface SeedBench {
  readonly config: Config
  readonly folder: Folder
  /** What names the database on the command line, in that folder. */
  readonly target: readonly string[]
  /** Loads the seeds through the library. */
  seed(options?: SeedOptions): Promise<DatabaseReport>
  /** Writes seed files, by set and name: "sample/carriers.csv". */
  write(files: Files): void
  /** Rows as PostgreSQL's text, the columns joined by a bar, NULL as ∅. */
  rows(sql: string): Promise<readonly string[]>
  remove(): Promise<void>
}

export type OpenBench = (schema: string, files?: Files) => Promise<SeedBench>

/** Runs the tests on a server where there is one, and those `everywhere` on the embedded engine as well. */
export function describeSeeds(
  title: string,
  body: (open: OpenBench, tests: { readonly everywhere: Register; readonly once: Register }) => void,
): void {
  const run: Register = (name, action) => {
    test(name, action)
  }
  const pass: Register = () => undefined
  describe(`${title} on PGlite`, () => {
    body(openEmbedded, { everywhere: run, once: serverUrl() === undefined ? run : pass })
  })
  describe(`${title} on a server`, () => {
    if (serverUrl() === undefined)
      test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
    else body(openServer, { everywhere: run, once: run })
  })
}

type Register = (name: string, action: () => Promise<void>) => void

function makeWorkspace(schema: string, files: Files): Folder {
  return makeFolder({
    'dbkit.config.json': JSON.stringify({ databases: { freight: {} } }),
    'sql/freight/migrations/0001_schema.up.sql': schema,
    'sql/freight/migrations/0001_schema.down.sql': 'select 1;',
    ...prefixed(files),
  })
}

function prefixed(files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`seeds/freight/${name}`, text]))
}

async function openEmbedded(schema: string, files: Files = {}): Promise<SeedBench> {
  noteEngine('embedded PGlite 0.5.8')
  const folder = makeWorkspace(schema, files)
  const config = await settleConfig(
    { embedded: true },
    { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
  )
  return benchOf(folder, config, ['--embedded'], {
    async rows(sql) {
      const engine = await PGlite.create({ dataDir: join(folder.path, '.dbkit', 'freight', 'data') })
      try {
        const asIs = (value: string): string => value
        const parsers = Object.fromEntries(Object.keys(engine.parsers).map((oid) => [oid, asIs]))
        const results = await engine.exec(`set timezone to 'UTC';${sql}`, { rowMode: 'array', parsers })
        return (results.at(-1)?.rows ?? []) as unknown as (string | null)[][]
      } finally {
        await engine.close()
      }
    },
    remove() {
      folder.remove()
      return Promise.resolve()
    },
  })
}

async function openServer(schema: string, files: Files = {}): Promise<SeedBench> {
  const folder = makeWorkspace(schema, files)
  const server = await createServerDatabase('seed')
  const config = await settleConfig({ url: server.url }, { cwd: folder.path, environment: {} })
  return benchOf(folder, config, ['--url', server.url], {
    rows: (sql) =>
      onServer(server.url, async (client) => {
        const asText = { getTypeParser: () => (value: string) => value }
        await client.query(`set timezone to 'UTC'`)
        return (await client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: asText })).rows
      }),
    async remove() {
      folder.remove()
      await server.drop()
    },
  })
}

async function benchOf(
  folder: Folder,
  config: Config,
  target: readonly string[],
  engine: {
    rows(sql: string): Promise<readonly (readonly (string | null)[])[]>
    remove(): Promise<void>
  },
): Promise<SeedBench> {
  const migrated = await migrateUp(config)
  const failed = migrated.databases.find(({ error }) => error !== undefined)
  if (failed !== undefined) throw new Error(failed.error?.message)
  return {
    config,
    folder,
    target,
    async seed(options = {}) {
      const [database] = (await seed(config, options)).databases
      if (database === undefined) throw new Error('no database in the report')
      return database
    },
    write(files) {
      folder.write(prefixed(files))
    },
    async rows(sql) {
      const rows = await engine.rows(sql)
      return rows.map((row) => row.map((value) => value ?? '∅').join('|'))
    },
    remove: () => engine.remove(),
  }
}

/** "carriers 2 new, 1 changed, 3 same", for each table of a report. */
export function changes({ seed: tables = [], error }: DatabaseReport): readonly string[] {
  if (error !== undefined) return [`${error.code}: ${error.message}`]
  return tables.map(
    ({ table, inserted, updated, unchanged }) =>
      `${table} ${String(inserted)} new, ${String(updated)} changed, ${String(unchanged)} same`,
  )
}

/** Where and how a run failed, in one line: "seed.refused loads.csv:3:7 message". */
export function failure({ error }: DatabaseReport): string {
  if (error === undefined) return 'it did not fail'
  const file = error.file === undefined ? '' : ` ${error.file.replace(/^seeds\/freight\//, '')}`
  const place = error.line === undefined ? '' : `:${String(error.line)}:${String(error.column)}`
  return `${error.code}${file}${place} ${error.message}`
}
