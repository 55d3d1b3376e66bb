import { isAbsolute, join, relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import { refuseUnwritable } from '../fuzz/fixtures.js'
import { fuzzMigrations } from '../fuzz/fuzz-migrations.js'
import { withShadow } from '../prove/shadow.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { extensionsOf, readWorkspace, rolesOf, type Workspace } from '../workspace/workspace.js'
import { refuseTogether, wantedOf, type WhichMigrations } from './which-migrations.js'
import { asProblem, withNotesOf, type RunOptions } from './with-database.js'

export interface FuzzOptions extends RunOptions, WhichMigrations {
  /** Rows at the edges, a table that a migration touches. Default: 100 */
  readonly rows?: number
  /** The same seed gives the same rows. Default: 1 */
  readonly seed?: number
  /** The folder in which rows that break a migration are kept, below it one a database. Default: fixtures/fuzz */
  readonly fixtures?: string
  /**
   * A server on which a database is created for it, and dropped at the end. Default: a server of its own where PostgreSQL is installed
   * and has the extensions, otherwise (and where the configuration says `embedded`) the embedded engine
   */
  readonly shadowUrl?: string
}

export const FUZZ_ROWS = 100

/**
 * Makes rows that the tables take today and that sit at the edges, runs each pending migration over them on a throw-away database, and
 * keeps the fewest and plainest on which one fails, as a fixture that is tried first from then on. `ok: false` (exit 1) when there is one.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await fuzz(config, { since: '7' })
 */
export async function fuzz(config: Config, options: FuzzOptions = {}): Promise<Report> {
  refuseTogether(options)
  const found = config.databases.map((database) => ({
    database,
    workspace: readWorkspace(database, config.root, { mayLackDowns: true }),
  }))
  for (const { database } of found) refuseUnwritable(fixturesOf(config, database, options.fixtures))
  const databases: DatabaseReport[] = []
  for (const { database, workspace } of found)
    databases.push(await fuzzOne(config, database, workspace, options))
  return { command: 'fuzz', ok: databases.every(({ ok }) => ok), databases }
}

async function fuzzOne(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  options: FuzzOptions,
): Promise<DatabaseReport> {
  const { name } = database
  const signal = options.signal ?? new AbortController().signal
  try {
    const outcome = await onShadow(config, database, workspace, options, signal)
    return { database: name, ...withNotesOf(workspace, outcome) }
  } catch (error) {
    const known = signal.aborted ? problem('run.interrupted', {}) : asProblem(error, signal)
    return { database: name, ok: false, error: reportOf(known) }
  }
}

async function onShadow(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  options: FuzzOptions,
  signal: AbortSignal,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { rows = FUZZ_ROWS, seed = 1, observer = () => undefined } = options
  const wanted = await wantedOf(config, database, workspace, { ...options, purpose: 'fuzz' }, signal)
  if (wanted.size === 0) {
    const summary = { migrations: 0, rows: 0, tries: 0, findings: 0, allowed: 0 }
    return { ok: true, fuzz: { seed, migrations: [], summary, durationMs: 0 } }
  }
  const about = {
    url: options.shadowUrl,
    observer,
    local: database.target.kind !== 'embedded' || !database.target.asked,
    purpose: 'fuzz',
    signal,
    extensions: () => extensionsOf(workspace),
    roles: () => rolesOf(workspace),
  }
  return withShadow(config, database, about, async (shadow) => {
    const report = await fuzzMigrations({
      config: database,
      workspace,
      shadow,
      signal,
      observer,
      wanted,
      rows,
      seed,
      fixtures: fixturesOf(config, database, options.fixtures),
      show: (path) => relative(config.root, path),
    })
    const written = report.migrations
      .flatMap(({ findings, allowed }) => [...findings, ...allowed])
      .filter(({ source }) => source === 'found')
      .map(({ fixture }) => fixture)
    return {
      ok: report.summary.findings === 0,
      engine: shadow.engine,
      fuzz: report,
      ...(written.length === 0 ? {} : { files: [...new Set(written)] }),
    }
  })
}

/** Where the rows that break migrations of a database are kept. */
export function fixturesOf(config: Config, { name }: DatabaseConfig, folder = 'fixtures/fuzz'): string {
  return join(isAbsolute(folder) ? folder : join(config.root, folder), name)
}
