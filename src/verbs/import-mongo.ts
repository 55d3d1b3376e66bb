import { cancellable, interruption } from '../apply/run-transaction.js'
import type { Config } from '../config/config.js'
import { problem } from '../errors.js'
import { findFiles, type FoundFiles } from '../mongo/find-files.js'
import { importFiles, type ImportProgress } from '../mongo/import-files.js'
import type { Mapping } from '../mongo/mapping.js'
import { readMapping } from '../mongo/read-mapping.js'
import { reportOf, type Report } from '../report.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import { onEachDatabase, refuseUnaskedEmbedded, type Opened, type RunOptions } from './with-database.js'

export interface ImportMongoOptions extends RunOptions {
  /** Files and folders; relative ones count from the configuration file. */
  readonly paths: readonly string[]
  /** The collection of all files, whatever they are called. */
  readonly collection?: string
  /** Optional references that lead nowhere become NULL, and are reported. */
  readonly allowDangling?: boolean
  /** Imports what is good, and reports the rest; otherwise one bad document stops the import. */
  readonly skipBad?: boolean
  /** Does everything, counts it, and rolls it back. */
  readonly dryRun?: boolean
}

/**
 * Imports documents of a MongoDB export into the tables that the mapping of a database names. The same document is the same row each
 * time: an import can be repeated, and changes what has changed.
 *
 * @example
 * const config = await settleConfig({ database: ['delauto'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await importMongo(config, { paths: ['dump/delauto'] })
 */
export async function importMongo(config: Config, options: ImportMongoOptions): Promise<Report> {
  const [only, ...others] = config.databases
  if (only === undefined || others.length > 0)
    throw problem('request.choose-one', {
      what: 'import mongo',
      databases: config.databases.map(({ name }) => name),
    })
  if (options.dryRun !== true) refuseUnaskedEmbedded(config)
  if (only.mongo === undefined) throw problem('import.no-mapping', { database: only.name })
  const mapping = readMapping(only.mongo, config.root)
  const found = findFiles(options.paths, {
    root: config.root,
    known: mapping.collections.map(({ name }) => name),
    collection: options.collection,
  })
  const databases = await onEachDatabase(config, 'import mongo', options, (opened) =>
    load(opened, mapping, found, options),
  )
  return { command: 'import mongo', ok: databases.every(({ ok }) => ok), databases }
}

async function load(
  opened: Opened,
  mapping: Mapping,
  { files, leftOut }: FoundFiles,
  options: ImportMongoOptions,
): Promise<Outcome> {
  const { database, config, observer } = opened
  const { allowDangling = false, skipBad = false, dryRun = false } = options
  // The lock of the migrations: an import must not meet a schema that is being changed.
  const lock = {
    name: `${config.ledger.schema}.${config.ledger.table}`,
    waitMs: config.lockWaitMs,
    signal: opened.signal,
    onWait(holder: string) {
      observer({ kind: 'lock-wait', database: config.name, holder })
    },
  }
  return database.withLock(lock, async (lost) => {
    const session = await database.session()
    const signal = AbortSignal.any([opened.signal, lost])
    try {
      const { report, error } = await importFiles(session, {
        mapping,
        files,
        allowDangling,
        skipBad,
        dryRun,
        settings: config,
        signal,
        guard: (call) => cancellable(session, signal, call),
        onProgress: tellSometimes((progress) => {
          observer({ kind: 'import-progress', database: config.name, ...progress })
        }),
      })
      return {
        // Left out on request, but left out.
        ok: report.bad === 0,
        ...(dryRun ? { dryRun } : {}),
        import: report,
        ...notesOf(leftOut.map((file) => `${file} was left out: no collection of the mapping is called so`)),
        ...(error === undefined ? {} : { error: reportOf(error) }),
      }
    } catch (error) {
      throw signal.aborted ? interruption(signal) : error
    } finally {
      await session.close()
    }
  })
}

/** Tells of each new phase, and within one at most ten times a second. */
function tellSometimes(tell: (progress: ImportProgress) => void): (progress: ImportProgress) => void {
  let told = 0
  let phase: ImportProgress['phase'] | undefined
  return (progress) => {
    const now = performance.now()
    if (progress.phase === phase && now - told < 100) return
    told = now
    phase = progress.phase
    tell(progress)
  }
}
