import type { Observer } from '../apply/observer.js'
import { sqlFailure } from '../apply/sql-failure.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, nearestName, problem } from '../errors.js'
import { isProved, proveMigrations } from '../prove/prove-migrations.js'
import { withShadow } from '../prove/shadow.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { loadSeeds } from '../seed/load-seeds.js'
import { readSeeds, type SeedSet } from '../seed/read-seeds.js'
import { canonicalVersion } from '../workspace/version.js'
import { extensionsOf, readWorkspace, rolesOf, type Workspace } from '../workspace/workspace.js'
import type { RunOptions } from './with-database.js'

export interface VerifyOptions extends RunOptions {
  /** Only what is newer is proved; older migrations are applied as they are. */
  readonly since?: string
  /** A server on which a database is created for it, and dropped at the end. Default: the embedded engine */
  readonly shadowUrl?: string
}

/**
 * Proves the rollback of every migration by running it on a throw-away database with rows in it: up, down, up. Your own databases are
 * not touched.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await verify(config, { since: '7' })
 */
export async function verify(config: Config, options: VerifyOptions = {}): Promise<Report> {
  const found = config.databases.map((database) => ({
    database,
    workspace: readWorkspace(database, config.root, { mayLackDowns: true }),
    sets: readSeeds([database], undefined, config.root)[0]?.sets ?? [],
  }))
  const databases: DatabaseReport[] = []
  for (const { database, workspace, sets } of found)
    databases.push(await verifyOne(config, database, workspace, sets, options))
  return { command: 'verify', ok: databases.every(({ ok }) => ok), databases }
}

async function verifyOne(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  sets: readonly SeedSet[],
  options: VerifyOptions,
): Promise<DatabaseReport> {
  const { name } = database
  const signal = options.signal ?? new AbortController().signal
  const observer: Observer = options.observer ?? (() => undefined)
  try {
    const since = options.since === undefined ? undefined : knownVersion(options.since, workspace)
    observer({
      kind: 'opening',
      database: name,
      engine: options.shadowUrl === undefined ? 'embedded' : 'server',
    })
    const shadow = {
      url: options.shadowUrl,
      purpose: 'verify',
      signal,
      extensions: () => extensionsOf(workspace),
      roles: () => rolesOf(workspace),
    }
    return await withShadow(config, database, shadow, async (opened) => {
      const { report, error } = await proveMigrations({
        config: database,
        workspace,
        shadow: opened,
        signal,
        observer,
        since,
        loadSeeds: sets.length === 0 ? undefined : (session) => loadAll(session, sets, database, signal),
      })
      return {
        database: name,
        ok: error === undefined && isProved(report),
        engine: opened.engine,
        verify: report,
        ...(error === undefined ? {} : { error: reportOf(error) }),
      }
    })
  } catch (error) {
    if (signal.aborted) return { database: name, ok: false, error: reportOf(problem('run.interrupted', {})) }
    if (error instanceof DbkitError) return { database: name, ok: false, error: reportOf(error) }
    if (!(error instanceof SqlError)) throw error
    const refused = problem('database.refused', { message: error.message, hint: undefined }, { cause: error })
    return { database: name, ok: false, error: reportOf(refused) }
  }
}

async function loadAll(
  session: Session,
  sets: readonly SeedSet[],
  settings: DatabaseConfig,
  signal: AbortSignal,
): Promise<void> {
  await loadSeeds(session, sets, {
    database: settings.name,
    signal,
    settings,
    pending: false,
    dryRun: false,
    reset: undefined,
    today: undefined,
    onProgress: () => undefined,
    explain: (error, script) =>
      sqlFailure(error, script, { start: 0, charactersBefore: 0, statementsBefore: 0 }),
  })
}

/** A version as the user wrote it: "7", "0007" or "0007_add_rating". 0 is before the first. */
function knownVersion(written: string, { database, migrations }: Workspace): string {
  const known = migrations.map(({ name }) => name)
  const wanted = /^\d+$/.test(written) ? canonicalVersion(written) : undefined
  const found = migrations.find(({ name, version }) => name === written || version === wanted)
  if (found !== undefined) return found.version
  if (wanted !== undefined && /^0*$/.test(wanted)) return '0'
  throw problem('request.unknown-version', {
    version: written,
    database,
    known,
    nearest: wanted === undefined ? nearestName(written, known) : undefined,
  })
}
