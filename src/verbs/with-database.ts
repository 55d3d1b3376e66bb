import { dirname } from 'node:path'
import type { Observer } from '../apply/observer.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Database } from '../database/database.js'
import { openDatabase } from '../database/open-database.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, environmentName, fileProblem, problem } from '../errors.js'
import { makeOwnFolder } from '../own-folder.js'
import { reportOf, type DatabaseReport } from '../report.js'
import { extensionsOf, readWorkspace, type Workspace } from '../workspace/workspace.js'

/** What every verb takes beside its own options. */
export interface RunOptions {
  readonly signal?: AbortSignal
  readonly observer?: Observer
}

/** Commands that read nothing but the ledger before they take the lock, if they take it at all. */
const LOOKS_ONLY_AT_THE_LEDGER = /^(?:migrate |switch)/

/** How a command goes over its databases. */
interface HowToRun {
  readonly afterFailure?: 'stop' | 'go-on'
  /** Keys of kept states that a new embedded database may start from. */
  readonly states?: (workspace: Workspace, config: DatabaseConfig) => readonly string[]
  /** The folder of migrations need not be there. */
  readonly mayBeMissing?: boolean
}

export interface Opened {
  readonly database: Database
  readonly workspace: Workspace
  readonly config: DatabaseConfig
  readonly signal: AbortSignal
  readonly observer: Observer
}

/**
 * Runs a verb on each selected database, one after the other; the first that fails ends the command, the others are reported as not
 * run (a look has nothing to stop for: `go-on`). Every workspace is read before the first database is opened: a bad file name stops the command before it changed anything.
 */
export async function onEachDatabase(
  config: Config,
  purpose: string,
  options: RunOptions,
  body: (opened: Opened) => Promise<Omit<DatabaseReport, 'database' | 'engine'>>,
  { afterFailure = 'stop', states, mayBeMissing = false }: HowToRun = {},
): Promise<readonly DatabaseReport[]> {
  const workspaces = config.databases.map((database) =>
    readWorkspace(database, config.root, { mayBeMissing }),
  )
  const reports: DatabaseReport[] = []
  for (const [index, database] of config.databases.entries()) {
    const workspace = workspaces[index]
    if (workspace === undefined) continue
    if (afterFailure === 'stop' && reports.some(({ ok }) => !ok)) {
      reports.push({
        database: database.name,
        ok: false,
        notes: ['not run, because of the failure before it'],
      })
      continue
    }
    reports.push(await onDatabase(config, database, workspace, purpose, options, body, states))
  }
  return reports
}

async function onDatabase(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  purpose: string,
  options: RunOptions,
  body: (opened: Opened) => Promise<Omit<DatabaseReport, 'database' | 'engine'>>,
  states: HowToRun['states'],
): Promise<DatabaseReport> {
  const signal = options.signal ?? new AbortController().signal
  const observer = options.observer ?? (() => undefined)
  const name = database.name
  let opened: Database | undefined
  try {
    observer({ kind: 'opening', database: name, engine: database.target.kind })
    if (database.target.kind === 'embedded') makeOwnFolder(dirname(database.target.folder))
    opened = await openDatabase(config, database, {
      purpose,
      signal,
      extensions: () => extensionsOf(workspace),
      extensionsOnLock: LOOKS_ONLY_AT_THE_LEDGER.test(purpose),
      ...(states === undefined ? {} : { states: () => states(workspace, database) }),
      onNotice(message) {
        observer({ kind: 'notice', database: name, message })
      },
      onWait(reason) {
        observer({ kind: 'engine-wait', database: name, reason })
      },
    })
    const report = await body({ database: opened, workspace, config: database, signal, observer })
    return { database: name, engine: opened.engine, ...withNotesOf(workspace, report) }
  } catch (error) {
    const known = asProblem(error, signal)
    return {
      database: name,
      ok: false,
      ...(opened === undefined ? {} : { engine: opened.engine }),
      error: reportOf(known),
    }
  } finally {
    await opened?.close()
  }
}

/** What the files' layout has to say comes before what was done with them. */
export function withNotesOf<T extends Pick<DatabaseReport, 'notes'>>({ notes }: Workspace, report: T): T {
  return notes.length === 0 ? report : { ...report, notes: [...notes, ...(report.notes ?? [])] }
}

/** What a user may meet, as a problem; a bug is thrown on with its stack. */
export function asProblem(error: unknown, signal: AbortSignal): DbkitError {
  if (error instanceof DbkitError) return error
  if (error instanceof SqlError)
    return signal.aborted
      ? problem('run.interrupted', {})
      : problem('database.refused', { message: error.message, hint: undefined }, { cause: error })
  const file = fileProblem(error)
  if (file !== undefined) return file
  throw error
}

/**
 * In CI a missing secret leaves a URL variable empty or unset, and a run on the embedded engine would be green for the wrong
 * reason. So commands that change a database ask for --embedded there.
 */
export function refuseUnaskedEmbedded(config: Config): void {
  for (const { name, target } of config.databases) {
    if (target.kind !== 'embedded' || target.asked) continue
    const ci = config.environment['CI']
    const inCi = ci !== undefined && ci !== '' && ci !== 'false' && ci !== '0'
    if (target.emptyVariable === undefined && !inCi) continue
    const why = target.emptyVariable === undefined ? 'this is CI' : `${target.emptyVariable} is set but empty`
    throw problem('request.embedded-in-ci', { why, database: name, variable: environmentName(name) })
  }
}

/** Going back on several databases at once is rarely meant: it needs -d or --yes. */
export function refuseUnchosen(config: Config, what: string, yes: boolean): void {
  if (yes || config.chosen || config.databases.length < 2) return
  throw problem('request.needs-confirmation', { what, databases: config.databases.map(({ name }) => name) })
}
