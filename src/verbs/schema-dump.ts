import { dirname, join, relative } from 'node:path'
import type { Catalog } from '../catalog/catalog.js'
import { declaredFiles, notWritten, singleFile } from '../catalog/declared-schema.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import { readMigratedCatalog } from '../prove/migrated-catalog.js'
import { reportOf, type DatabaseReport, type EngineReport, type Report } from '../report.js'
import { readSqlFiles, schemaFolderOf } from '../workspace/schema-folder.js'
import { readTextFile, removeTextFile, writeTextFile } from '../workspace/text-file.js'
import { readWorkspace } from '../workspace/workspace.js'
import { asProblem, onEachDatabase, type RunOptions } from './with-database.js'

export interface SchemaDumpOptions extends RunOptions {
  /** What is written down: what the migrations make of an empty database (the default), or the database as it is. */
  readonly from?: 'migrations' | 'database'
  /** One file instead of a folder, by its absolute name; true: sql/<database>/schema.sql. */
  readonly singleFile?: string | true
  /** Writes nothing; `ok: false` (exit 1) when the files are not what would be written. */
  readonly check?: boolean
  /** A server on which the migrations are run. Default: the embedded engine */
  readonly shadowUrl?: string
}

/**
 * Writes the declared schema: what is in a database, an object a file.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await schemaDump(config, { check: true })
 */
export async function schemaDump(config: Config, options: SchemaDumpOptions = {}): Promise<Report> {
  if (typeof options.singleFile === 'string' && config.databases.length > 1)
    throw problem('request.choose-one', {
      what: 'schema dump to one file',
      databases: config.databases.map(({ name }) => name),
    })
  const databases =
    options.from === 'database' ? await dumpDatabases(config, options) : await dumpMigrations(config, options)
  return { command: 'schema dump', ok: databases.every(({ ok }) => ok), databases }
}

function dumpDatabases(config: Config, options: SchemaDumpOptions): Promise<readonly DatabaseReport[]> {
  return onEachDatabase(config, 'schema dump', options, async ({ database, config: settings }) => {
    const session = await database.session()
    try {
      return write(config, settings, await readCatalog(session, { ledger: settings.ledger }), options)
    } finally {
      await session.close()
    }
  })
}

async function dumpMigrations(
  config: Config,
  options: SchemaDumpOptions,
): Promise<readonly DatabaseReport[]> {
  const signal = options.signal ?? new AbortController().signal
  // All are read before the first is run: a bad name stops the command before anything is written.
  const found = config.databases.map((database) => ({
    database,
    workspace: readWorkspace(database, config.root),
  }))
  const reports: DatabaseReport[] = []
  for (const { database, workspace } of found) {
    let engine: EngineReport | undefined
    try {
      const migrated = await readMigratedCatalog(config, database, workspace, {
        shadowUrl: options.shadowUrl,
        purpose: 'schema dump',
        signal,
        observer: options.observer ?? (() => undefined),
      })
      engine = migrated.engine
      reports.push({ database: database.name, engine, ...write(config, database, migrated.catalog, options) })
    } catch (error) {
      reports.push({ database: database.name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  }
  return reports
}

type Outcome = Omit<DatabaseReport, 'database' | 'engine'>

function write(
  config: Config,
  database: DatabaseConfig,
  catalog: Catalog,
  options: SchemaDumpOptions,
): Outcome {
  const show = (file: string): string => relative(config.root, file)
  const { target, wanted, present } = filesOf(database, catalog, options)
  const changed = [...wanted].filter(([file, text]) => present.get(file) !== text).map(([file]) => file)
  const gone = [...present.keys()].filter((file) => !wanted.has(file))
  const notes = notWritten(catalog)
  if (options.check === true) {
    const differences = [
      ...changed.map((file) => `${show(file)} ${present.has(file) ? 'is out of date' : 'is missing'}`),
      ...gone.map((file) => `${show(file)} is of nothing that is there`),
    ]
    return differences.length === 0
      ? { ok: true, notes: [`${show(target)} is up to date`, ...notes] }
      : { ok: false, notes: [...differences, 'run dbkit schema dump', ...notes] }
  }
  // A database that nobody has migrated yet, like the embedded one of a fresh checkout, says nothing of what should be.
  if (options.from === 'database' && wanted.size === 0 && gone.length > 0)
    throw problem('dump.nothing-there', {
      database: database.name,
      files: gone.length,
      folder: show(target),
    })
  for (const file of changed) writeTextFile(file, wanted.get(file) ?? '')
  for (const file of gone) removeTextFile(file)
  return {
    ok: true,
    files: changed.map(show),
    notes: [
      ...(changed.length + gone.length === 0 ? [`${show(target)} is up to date`] : []),
      ...gone.map((file) => `removed ${show(file)}`),
      ...notes,
    ],
  }
}

/** The files that there should be and those that there are, by their absolute names. */
function filesOf(
  database: DatabaseConfig,
  catalog: Catalog,
  { singleFile: single }: SchemaDumpOptions,
): {
  readonly target: string
  readonly wanted: ReadonlyMap<string, string>
  readonly present: ReadonlyMap<string, string>
} {
  if (single !== undefined) {
    const target = single === true ? join(dirname(database.migrations), 'schema.sql') : single
    const text = readTextFile(target)
    return {
      target,
      wanted: new Map([[target, singleFile(catalog)]]),
      present: new Map(text === undefined ? [] : [[target, text]]),
    }
  }
  const target = schemaFolderOf(database)
  const absolute = (files: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
    new Map([...files].map(([path, text]) => [join(target, path), text]))
  const present = readSqlFiles(target)
  const wanted = [...declaredFiles(catalog)].map(
    ([path, text]) => [path, renamesIn(present.get(path)) + text] as const,
  )
  return { target, wanted: absolute(new Map(wanted)), present: absolute(present) }
}

/** What somebody said at the head of a file about names that have changed: nobody else knows it. */
function renamesIn(text = ''): string {
  return /^(?:--\s*dbkit:\s*rename\b[^\n]*\n)*/.exec(text)?.[0] ?? ''
}
