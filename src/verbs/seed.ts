import { cancellable, interruption } from '../apply/run-transaction.js'
import { sqlFailure } from '../apply/sql-failure.js'
import type { Config } from '../config/config.js'
import { readLedger } from '../database/ledger.js'
import type { Session } from '../database/database.js'
import { problem } from '../errors.js'
import { statusOf } from '../plan/plan.js'
import type { DatabaseReport, Report } from '../report.js'
import { loadSeeds, type SeedOutcome } from '../seed/load-seeds.js'
import { readSeeds, type SeedFile, type Seeds } from '../seed/read-seeds.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import {
  onEachDatabase,
  refuseUnaskedEmbedded,
  refuseUnchosen,
  type Opened,
  type RunOptions,
} from './with-database.js'

export interface SeedOptions extends RunOptions {
  /** Names of seed sets. Default: reference, then sample */
  readonly sets?: readonly string[]
  /** Does everything, counts it, and rolls it back. */
  readonly dryRun?: boolean
  /** Empties the tables of the sets first. */
  readonly reset?: boolean
  readonly yes?: boolean
  /** The day that relative dates count from, YYYY-MM-DD. Default: the server's, in UTC */
  readonly today?: string
}

/**
 * Loads the seed sets of each database, each database in one transaction. Rows are recognised by their keys: a second run changes nothing,
 * an edited file changes its rows.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await seed(config, { sets: ['reference'] })
 */
export async function seed(config: Config, options: SeedOptions = {}): Promise<Report> {
  const { dryRun = false, reset = false, yes = false } = options
  if (!dryRun) {
    if (reset) refuseUnchosen(config, 'seed --reset', yes)
    refuseUnaskedEmbedded(config)
  }
  // `--set "$SET"` with a variable that is not set: nothing loaded would look like success.
  if (options.sets?.length === 0)
    throw problem('request.bad-option', { option: '--set', value: '', expected: 'the name of a seed set' })
  const found = readSeeds(config.databases, options.sets, config.root)
  const seeds = new Map(config.databases.map(({ name }, index) => [name, found[index]]))
  const databases = await onEachDatabase(config, 'seed', options, (opened) =>
    load(opened, seeds.get(opened.config.name) ?? { sets: [], notes: [] }, options),
  )
  return { command: 'seed', ok: databases.every(({ ok }) => ok), databases }
}

async function load(opened: Opened, { sets, notes }: Seeds, options: SeedOptions): Promise<Outcome> {
  const { database, config, observer } = opened
  const dryRun = options.dryRun === true ? { dryRun: true } : {}
  if (sets.length === 0) return { ok: true, ...notesOf(notes), ...dryRun }
  // The lock of the migrations: seeds must not meet a schema that is being changed.
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
      const outcome = await cancellable(session, signal, () => run(opened, sets, session, signal, options))
      const { emptied, ...reports } = outcome
      const told = emptied.length === 0 ? notes : [`emptied first: ${emptied.join(', ')}`, ...notes]
      return { ok: true, ...reports, ...notesOf(told), ...dryRun }
    } catch (error) {
      throw signal.aborted ? interruption(signal) : error
    } finally {
      await session.close()
    }
  })
}

async function run(
  { database, workspace, config, observer }: Opened,
  sets: Seeds['sets'],
  session: Session,
  signal: AbortSignal,
  options: SeedOptions,
): Promise<Pick<DatabaseReport, 'seedSets' | 'seed' | 'seedScripts'> & Pick<SeedOutcome, 'emptied'>> {
  const { summary } = statusOf(workspace, await readLedger(session, config.ledger))
  const { label, kind } = database.engine
  const outcome = await loadSeeds(session, sets, {
    database: config.name,
    signal,
    settings: config,
    pending: summary.pending > 0,
    dryRun: options.dryRun === true,
    reset:
      options.reset === true
        ? {
            confirm() {
              if (kind === 'server' && options.dryRun !== true && options.yes !== true)
                throw problem('request.needs-yes', { what: 'seed --reset', target: label })
            },
          }
        : undefined,
    today: options.today,
    onProgress: countBytes((file, bytes) => {
      observer({
        kind: 'seed-progress',
        database: config.name,
        file: file.file,
        bytes,
        totalBytes: file.bytes,
      })
    }),
    explain: (error, script) =>
      sqlFailure(error, script, { start: 0, charactersBefore: 0, statementsBefore: 0 }),
  })
  return {
    seedSets: sets.map(({ name }) => name),
    seed: outcome.tables,
    ...(outcome.scripts.length === 0 ? {} : { seedScripts: outcome.scripts }),
    emptied: outcome.emptied,
  }
}

/** Adds up the bytes of each file, and tells at most ten times a second. */
function countBytes(tell: (file: SeedFile, bytes: number) => void): (file: SeedFile, bytes: number) => void {
  let current: SeedFile | undefined
  let total = 0
  let told = 0
  return (file, bytes) => {
    total = file === current ? total + bytes : bytes
    current = file
    const now = performance.now()
    if (now - told < 100) return
    told = now
    tell(file, total)
  }
}
