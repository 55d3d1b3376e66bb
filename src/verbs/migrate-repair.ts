import type { Config } from '../config/config.js'
import type { Session } from '../database/database.js'
import {
  acceptFilesSql,
  completeEntrySql,
  insertEntrySql,
  deleteEntrySql,
  readLedger,
  squashEntriesSql,
  type Ledger,
  type LedgerEntry,
} from '../database/ledger.js'
import { DbkitError, problem } from '../errors.js'
import { DBKIT_VERSION } from '../package-version.js'
import { entryOf, planRepair } from '../plan/plan.js'
import { recogniseSquashes } from '../plan/squash.js'
import type { DatabaseReport, Report } from '../report.js'
import { findVersion } from '../workspace/version.js'
import { readScriptText, type Workspace } from '../workspace/workspace.js'
import { describeRecognition } from './change-under-lock.js'
import {
  onEachDatabase,
  refuseUnaskedEmbedded,
  refuseUnchosen,
  type Opened,
  type RunOptions,
} from './with-database.js'

export interface MigrateRepairOptions extends RunOptions {
  /** Settle this version as applied in full: an interrupted file was finished by hand, or a pending one was run by hand. */
  readonly markApplied?: string
  /** Strike this version from the ledger: it was undone by hand, or its file is gone for good. */
  readonly forget?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/**
 * Brings the ledger in line with what a person knows: accepts the present text of edited files, or settles one version. It never runs
 * a migration's SQL.
 */
export async function migrateRepair(config: Config, options: MigrateRepairOptions = {}): Promise<Report> {
  if (options.dryRun !== true) {
    refuseUnchosen(config, 'migrate repair', options.yes === true)
    refuseUnaskedEmbedded(config)
  }
  const databases = await onEachDatabase(config, 'migrate repair', options, async (opened) => {
    const { database, config: settings, signal } = opened
    const session = await database.session()
    try {
      const lock = {
        name: `${settings.ledger.schema}.${settings.ledger.table}`,
        waitMs: settings.lockWaitMs,
        signal,
      }
      const work = (): Promise<Omit<DatabaseReport, 'database' | 'engine'>> =>
        repair(opened, session, options)
      return options.dryRun === true ? await work() : await database.withLock(lock, work)
    } finally {
      await session.close()
    }
  })
  return { command: 'migrate repair', ok: databases.every(({ ok }) => ok), databases }
}

async function repair(
  { workspace, config }: Opened,
  session: Session,
  options: MigrateRepairOptions,
): Promise<Omit<DatabaseReport, 'database' | 'engine'>> {
  const place = config.ledger
  const { ledger, recognised } = recognise(workspace, await readLedger(session, place), options)
  const changes = recognised.map((one) => ({
    sql: squashEntriesSql(place, one.entry, one.gone),
    note: describeRecognition(one),
  }))
  if (options.markApplied !== undefined) {
    const { markApplied } = options
    const wanted = findVersion(markApplied, workspace.migrations)
    const pending = workspace.migrations.find(
      ({ version }) => version === wanted && !ledger.entries.some((entry) => entry.version === version),
    )
    if (pending !== undefined && ledger.exists) {
      const isLate = ledger.entries.some(({ version }) => workspace.order(version, pending.version) > 0)
      const entry = entryOf(pending, isLate, { text: readScriptText })
      changes.push({
        sql: insertEntrySql(place, entry, 'applied', DBKIT_VERSION),
        note: `${pending.name} is recorded as applied, and was not run`,
      })
    } else {
      const entry = entryNamed(ledger, markApplied, config.name)
      changes.push({
        sql: completeEntrySql(place, entry.version),
        note: `${entry.name} is marked as applied in full`,
      })
    }
  }
  if (options.forget !== undefined) {
    const entry = entryNamed(ledger, options.forget, config.name)
    changes.push({
      sql: deleteEntrySql(place, entry.version),
      note: `${entry.name} is struck from the ledger`,
    })
  }
  if (options.markApplied === undefined && options.forget === undefined)
    for (const entry of planRepair(workspace, ledger, { text: readScriptText }))
      changes.push({
        sql: acceptFilesSql(place, entry),
        note: `${entry.name}: the file's present text is accepted`,
      })
  if (options.dryRun !== true && changes.length > 0)
    await session.script(['begin', ...changes.map(({ sql }) => sql), 'commit'].join(';'))
  return { ok: true, notes: changes.length === 0 ? ['nothing to repair'] : changes.map(({ note }) => note) }
}

/**
 * What a squash took the place of is no edit of the last one. Where a database has only a part of it, the rows are settled as they are:
 * that is what `--mark-applied` and `--forget` are for.
 */
function recognise(
  workspace: Workspace,
  ledger: Ledger,
  { markApplied, forget }: MigrateRepairOptions,
): ReturnType<typeof recogniseSquashes> {
  try {
    return recogniseSquashes(workspace, ledger, { text: readScriptText })
  } catch (error) {
    const settles = markApplied !== undefined || forget !== undefined
    if (!settles || !(error instanceof DbkitError) || error.code !== 'plan.squashed') throw error
    return { ledger, recognised: [] }
  }
}

function entryNamed(ledger: Ledger, written: string, database: string): LedgerEntry {
  const version = findVersion(written, ledger.entries)
  const entry = ledger.entries.find((candidate) => candidate.version === version)
  if (entry === undefined)
    throw problem('request.unknown-version', {
      version: written,
      database,
      known: ledger.entries.map(({ name }) => name),
      nearest: undefined,
    })
  return entry
}
