import { compareCatalogs, describeDifference } from '../catalog/compare.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import { renderMermaid } from '../docs/mermaid.js'
import { touchedDiagram } from '../docs/touched.js'
import { withoutParts } from '../prove/judge.js'
import { readMigratedCatalog } from '../prove/migrated-catalog.js'
import { reportOf, type ChangeReport, type DatabaseReport, type Report } from '../report.js'
import { withWorkspaceAt } from '../workspace/git-workspace.js'
import { readWorkspace } from '../workspace/workspace.js'
import { lint } from './lint.js'
import { defaultSchemaOf } from './read-json-types.js'
import { asProblem, type RunOptions } from './with-database.js'

export interface ReportOptions extends RunOptions {
  /** A git ref: what is new here is told. */
  readonly base: string
  /** A server on which databases are created for it, and dropped at the end. Default: the embedded engine */
  readonly shadowUrl?: string
  /** Where the sizes of the tables come from: the URL of a server, which is only read, or a JSON file. */
  readonly stats?: string
}

/**
 * What the migrations here make otherwise than those of another commit: the schema, the locks on the way, and a diagram of the tables
 * that are touched. It tells and does not judge: `lint` and `verify` do.
 *
 * @example
 * const config = await settleConfig({}, { cwd: process.cwd(), environment: process.env })
 * const { databases } = await report(config, { base: 'origin/main' })
 */
export async function report(config: Config, options: ReportOptions): Promise<Report> {
  const signal = options.signal ?? new AbortController().signal
  const databases: DatabaseReport[] = []
  for (const database of config.databases) {
    try {
      databases.push(await reportOne(config, database, options, signal))
    } catch (error) {
      databases.push({ database: database.name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  }
  return { command: 'report', ok: databases.every(({ ok }) => ok), databases }
}

async function reportOne(
  config: Config,
  database: DatabaseConfig,
  { base, stats, ...options }: ReportOptions,
  signal: AbortSignal,
): Promise<DatabaseReport> {
  const change = await changeOf(config, database, { base, ...options }, signal)
  const only = { ...config, databases: [database] }
  const [linted] = (await lint(only, { ...options, base, ...(stats === undefined ? {} : { stats }) }))
    .databases
  return {
    database: database.name,
    ok: linted?.error === undefined,
    ...(linted?.engine === undefined ? {} : { engine: linted.engine }),
    change,
    ...(linted?.lint === undefined ? {} : { lint: linted.lint }),
    ...(linted?.error === undefined ? {} : { error: linted.error }),
  }
}

async function changeOf(
  config: Config,
  database: DatabaseConfig,
  options: Omit<ReportOptions, 'stats'>,
  signal: AbortSignal,
): Promise<ChangeReport> {
  const { base } = options
  const about = {
    shadowUrl: options.shadowUrl,
    purpose: 'report',
    signal,
    observer: options.observer ?? (() => undefined),
  }
  const here = readWorkspace(database, config.root, { mayLackDowns: true })
  const before = await withWorkspaceAt({ ...database, layout: here.layout }, base, ({ workspace }) =>
    readMigratedCatalog(config, database, workspace, about),
  )
  const after = await readMigratedCatalog(config, database, here, about)
  const diagram = touchedDiagram(before.catalog, after.catalog, defaultSchemaOf(database.searchPath))
  return {
    base,
    differences: withoutParts(compareCatalogs(before.catalog, after.catalog).differences).map(
      (difference) => ({
        object: difference.key,
        kind: difference.kind,
        changes:
          difference.kind === 'changed'
            ? describeDifference(difference).map((line) => line.slice(difference.key.length + 2))
            : [],
      }),
    ),
    ...(diagram === undefined ? {} : { diagram: renderMermaid(diagram) }),
  }
}
