import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, test } from '@jest/globals'
import * as dbkit from 'dbkit'
import type { Database, Session, TextRow } from '../../src/database/database.js'
import { openDatabase } from '../../src/database/open-database.js'
import { findFiles } from '../../src/mongo/find-files.js'
import { importFiles, type ImportOutcome, type ImportProgress } from '../../src/mongo/import-files.js'
import type { Mapping } from '../../src/mongo/mapping.js'
import { readMapping } from '../../src/mongo/read-mapping.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export type Files = Readonly<Record<string, string | Buffer>>

export interface ImportOptions {
  readonly allowDangling?: boolean
  readonly skipBad?: boolean
  readonly dryRun?: boolean
  readonly collection?: string
  readonly mapping?: Mapping
  readonly onProgress?: (progress: ImportProgress) => void
}

/** A migrated database to import into; the tests of a file share one, and each finds its tables empty. */
export interface ImportBench {
  /** Imports these files, written to a folder of their own. */
  import(files: Files, options?: ImportOptions): Promise<ImportOutcome>
  /** Values as PostgreSQL's text. */
  rows(sql: string): Promise<readonly TextRow[]>
  script(sql: string): Promise<void>
  session(): Session
}

/** Runs the tests on the embedded engine and, where there is one, on a server. Both speak through the same port. */
export function describeImports(title: string, body: (bench: ImportBench) => void): void {
  runOn(`${title} on PGlite`, embedded, body)
  if (serverUrl() === undefined)
    describe(`${title} on a server`, () => {
      test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
    })
  else runOn(`${title} on a server`, onServer, body)
}

/** What has to be undone at the end, the last first; also when a beginning failed halfway. */
type Cleanups = (() => Promise<void> | void)[]

type OpenDatabase = (cleanups: Cleanups) => Promise<Database>

function runOn(title: string, open: OpenDatabase, body: (bench: ImportBench) => void): void {
  describe(title, () => {
    let session: Session
    const cleanups: Cleanups = []
    const folder = mkdtempSync(join(tmpdir(), 'dbkit-documents-'))
    cleanups.push(() => {
      rmSync(folder, { recursive: true, force: true })
    })
    const mapping = readMapping(join(root, 'sql/delauto/mongo.json'), root)
    let imports = 0
    beforeAll(async () => {
      const database = await open(cleanups)
      cleanups.push(() => database.close())
      session = await database.session()
      cleanups.push(() => session.close())
    }, 180_000)
    beforeEach(async () => {
      await session.script(
        'truncate agents, customers, deliveries, call_logs, recordings, api_keys, system_metrics cascade',
      )
    })
    afterAll(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup()
    })
    body({
      async import(files, options = {}) {
        const inner = join(folder, String(imports++))
        writeFiles(inner, files)
        const wanted = options.mapping ?? mapping
        return importFiles(session, {
          mapping: wanted,
          files: findFiles(Object.keys(files), {
            root: inner,
            known: wanted.collections.map(({ name }) => name),
            collection: options.collection,
          }).files,
          allowDangling: options.allowDangling === true,
          skipBad: options.skipBad === true,
          dryRun: options.dryRun === true,
          settings: { searchPath: 'public', lockTimeoutMs: 5_000, statementTimeoutMs: 0 },
          signal: new AbortController().signal,
          guard: (call) => call(),
          onProgress: options.onProgress ?? (() => undefined),
        })
      },
      session: () => session,
      rows: (sql) => session.query(sql),
      async script(sql) {
        await session.script(sql)
      },
    })
  })
}

export function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

async function embedded(cleanups: Cleanups): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'dbkit-import-'))
  cleanups.push(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  noteEngine('embedded PGlite 0.5.8')
  return migrated(
    await dbkit.settleConfig(
      { embedded: true, dir: join(root, 'sql/delauto/migrations'), database: ['delauto'] },
      { cwd: folder, environment: { HOME: process.env['HOME'] } },
    ),
  )
}

async function onServer(cleanups: Cleanups): Promise<Database> {
  const database = await createServerDatabase('import')
  cleanups.push(() => database.drop())
  return migrated(
    await dbkit.settleConfig(
      { url: database.url, config: join(root, 'dbkit.config.ts'), database: ['delauto'] },
      { cwd: root, environment: {} },
    ),
  )
}

async function migrated(config: dbkit.Config): Promise<Database> {
  const report = await dbkit.migrateUp(config)
  const [failure] = report.databases.flatMap(({ error }) => error ?? [])
  if (failure !== undefined) throw new Error(failure.message)
  const [settings] = config.databases
  if (settings === undefined) throw new Error('no database is selected')
  return openDatabase(config, settings, { purpose: 'import test', extensions: () => ['postgis'] })
}
