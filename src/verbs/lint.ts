import { isAbsolute, join } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { settleServerAddress } from '../database/server-target.js'
import { problem } from '../errors.js'
import { lintMigrations } from '../lint/lint-migrations.js'
import { readSizes, readSizesFile, type Sizes } from '../lint/sizes.js'
import { planUp } from '../plan/plan.js'
import { withShadow } from '../prove/shadow.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { extensionsOf, readWorkspace, rolesOf, scriptReader, type Workspace } from '../workspace/workspace.js'
import { refuseTogether, wantedOf, type WhichMigrations } from './which-migrations.js'
import { asProblem, withNotesOf, type RunOptions } from './with-database.js'

export interface LintOptions extends RunOptions, WhichMigrations {
  /** A server on which a database is created for it, and dropped at the end. Default: the embedded engine */
  readonly shadowUrl?: string
  /** Where the sizes of the tables come from: the URL of a server, which is only read, or a JSON file. */
  readonly stats?: string
}

/**
 * Runs each statement of the pending migrations on a throw-away database with rows in it, and reports the locks it took, what it wrote
 * anew and read from end to end, and what that does to running traffic. `ok: false` (exit 1) when there is a finding that is not allowed.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await lint(config, { base: 'origin/main' })
 */
export async function lint(config: Config, options: LintOptions = {}): Promise<Report> {
  refuseTogether(options)
  if (options.stats !== undefined && config.databases.length > 1)
    throw problem('request.choose-one', {
      what: '--stats',
      databases: config.databases.map(({ name }) => name),
    })
  const found = config.databases.map((database) => ({
    database,
    workspace: readWorkspace(database, config.root, { mayLackDowns: true }),
  }))
  const databases: DatabaseReport[] = []
  for (const { database, workspace } of found)
    databases.push(await lintOne(config, database, workspace, options))
  return { command: 'lint', ok: databases.every(({ ok }) => ok), databases }
}

async function lintOne(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  options: LintOptions,
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
  options: LintOptions,
  signal: AbortSignal,
): Promise<Omit<DatabaseReport, 'database'>> {
  const observer = options.observer ?? (() => undefined)
  const reader = scriptReader()
  const wanted = await wantedOf(config, database, workspace, { ...options, purpose: 'lint' }, signal)
  if (wanted.size === 0) {
    const summary = { migrations: 0, statements: 0, findings: 0, allowed: 0 }
    return { ok: true, lint: { migrations: [], summary, durationMs: 0 } }
  }
  const sizes = await sizesOf(config, options, signal)
  const { steps } = planUp(
    workspace,
    { exists: true, entries: [] },
    { kind: 'latest' },
    { allowOutOfOrder: false, singleTransaction: false },
    { text: reader },
  )
  const withoutDown = workspace.migrations
    .filter(({ up, down }) => down === undefined && reader(up).directives.irreversible === undefined)
    .map(({ version }) => version)
  const notices: string[] = []
  const about = {
    url: options.shadowUrl,
    observer,
    purpose: 'lint',
    signal,
    extensions: () => extensionsOf(workspace),
    roles: () => rolesOf(workspace),
    onNotice(message: string) {
      notices.push(message)
    },
  }
  return withShadow(config, database, about, async (shadow) => {
    const report = await lintMigrations({
      config: database,
      shadow,
      signal,
      observer,
      steps,
      wanted,
      withoutDown: new Set(withoutDown),
      takeNotices: () => notices.splice(0),
      sizes,
    })
    return { ok: report.summary.findings === 0, engine: shadow.engine, lint: report }
  })
}

// ---- how large the tables are

async function sizesOf(config: Config, { stats }: LintOptions, signal: AbortSignal): Promise<Sizes> {
  if (stats === undefined) return new Map()
  if (!/^postgres(?:ql)?:\/\//i.test(stats))
    return readSizesFile(isAbsolute(stats) ? stats : join(config.root, stats))
  const { openServer } = await import('../database/server.js')
  const address = settleServerAddress(stats, config.environment, '--stats', 'postgres')
  const opened = await openServer(address, { purpose: 'lint', signal, waitMs: 0 })
  try {
    const session = await opened.session()
    try {
      return await readSizes(session)
    } finally {
      await session.close()
    }
  } finally {
    await opened.close()
  }
}
