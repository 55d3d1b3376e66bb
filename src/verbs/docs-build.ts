import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { lineDiff } from '../codegen/line-diff.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { CommittedFormat } from '../config/define-config.js'
import { commentCoverage } from '../docs/coverage.js'
import { diagramOf } from '../docs/diagram.js'
import type { Docs } from '../docs/docs.js'
import { renderDbml } from '../docs/dbml.js'
import { renderDot } from '../docs/dot.js'
import { renderMarkdown } from '../docs/markdown.js'
import { renderMermaid } from '../docs/mermaid.js'
import { problem } from '../errors.js'
import { reportOf, type DatabaseReport, type DocsReport, type ProofCheck, type Report } from '../report.js'
import { pagesIn, readPage, removePage, writePage } from '../workspace/page-folder.js'
import { readWorkspace, type Workspace } from '../workspace/workspace.js'
import { docsFrom, readForDocs, readMigrated, type Read } from './docs-source.js'
import { asProblem, onEachDatabase, type RunOptions } from './with-database.js'

export type DocsFormat = CommittedFormat

export interface DocsBuildOptions extends RunOptions {
  /** Default: what the configuration commits */
  readonly formats?: readonly DocsFormat[]
  /** The folder, by its absolute name; "print": into the report. Default: what the configuration says */
  readonly out?: string
  /** Writes nothing; `ok: false` (exit 1) when the committed files are not what would be written. */
  readonly check?: boolean
  /** Percent of what can have a comment that must have one. Default: what the configuration says */
  readonly requireComments?: number
  /** What is documented: what the migrations make of an empty database (the default), or the database as it is. */
  readonly from?: 'migrations' | 'database'
  /** A git ref: only a diagram of the tables that are another there. */
  readonly base?: string
  /** A server on which the migrations are run. Default: the embedded engine */
  readonly shadowUrl?: string
}

/**
 * Writes the documentation of each database, or says what of it is out of date.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await docsBuild(config, { formats: ['mermaid'], out: 'print' })
 */
export async function docsBuild(config: Config, options: DocsBuildOptions = {}): Promise<Report> {
  if (options.base !== undefined)
    return (await import('./docs-changes.js')).docsChanges(config, options.base, options)
  refuse(config, options)
  const databases =
    options.from === 'database' ? await fromDatabases(config, options) : await fromMigrations(config, options)
  return { command: 'docs build', ok: databases.every(({ ok }) => ok), databases }
}

function refuse(config: Config, options: DocsBuildOptions): void {
  for (const { name, docs } of config.databases)
    if (formatsOf(options, docs.formats).length === 0)
      throw problem(options.check === true ? 'docs.nothing-committed' : 'docs.no-format', { database: name })
}

function formatsOf(options: DocsBuildOptions, configured: readonly DocsFormat[]): readonly DocsFormat[] {
  return options.formats ?? configured
}

async function fromMigrations(config: Config, options: DocsBuildOptions): Promise<readonly DatabaseReport[]> {
  const signal = options.signal ?? new AbortController().signal
  // All are read before the first is run: a bad name stops the command before anything is written.
  const found = config.databases.map((database) => ({
    database,
    workspace: readWorkspace(database, config.root),
  }))
  const reports: DatabaseReport[] = []
  for (const { database, workspace } of found)
    try {
      const { read, engine } = await readMigrated(config, database, workspace, options)
      reports.push({
        database: database.name,
        engine,
        ...buildOne(config, database, workspace, read, options),
      })
    } catch (error) {
      reports.push({ database: database.name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  return reports
}

function fromDatabases(config: Config, options: DocsBuildOptions): Promise<readonly DatabaseReport[]> {
  return onEachDatabase(config, 'docs build', options, async ({ database, workspace, config: settings }) => {
    const session = await database.session()
    try {
      return buildOne(config, settings, workspace, await readForDocs(session, settings, true), options)
    } finally {
      await session.close()
    }
  })
}

type Outcome = Omit<DatabaseReport, 'database' | 'engine'>

function buildOne(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  read: Read,
  options: DocsBuildOptions,
): Outcome {
  const docs = docsFrom(config, database, workspace, read)
  const formats = formatsOf(options, database.docs.formats)
  const { report, complaint } = coverageOf(
    docs,
    formats,
    options.requireComments ?? database.docs.requireComments,
  )
  if (options.out === 'print') {
    const text = formats.flatMap((format) => [...render(docs, format).values()]).join('\n')
    return { ok: complaint === undefined, docs: report, text, ...notes(complaint) }
  }
  const folder = options.out ?? database.docs.out
  const outcome =
    options.check === true ? check(config, folder, docs, formats) : write(config, folder, docs, formats)
  return {
    ...outcome,
    ok: outcome.ok && complaint === undefined,
    docs: report,
    ...notes(...(outcome.notes ?? []), complaint),
  }
}

function notes(...said: readonly (string | undefined)[]): Pick<DatabaseReport, 'notes'> {
  const found = said.filter((note) => note !== undefined)
  return found.length === 0 ? {} : { notes: found }
}

/** How many are named before it is only told how many there are: --json has all of them. */
const NAMED = 20

function coverageOf(
  docs: Docs,
  formats: readonly string[],
  required: number | undefined,
): { readonly report: DocsReport; readonly complaint: string | undefined } {
  const { described, all, missing } = commentCoverage(docs)
  const report = {
    formats,
    tables: docs.tables.length,
    views: docs.views.length,
    described,
    describable: all,
    undescribed: missing,
  }
  const share = all === 0 ? 100 : (described / all) * 100
  if (required === undefined || share >= required) return { report, complaint: undefined }
  const rest = missing.length > NAMED ? [`and ${String(missing.length - NAMED)} more`] : []
  const named = [...missing.slice(0, NAMED), ...rest].map((what) => `\n      ${what}`).join('')
  const complaint = `${String(described)} of ${String(all)} have a comment (${String(Math.floor(share * 10) / 10)} %), ${String(required)} % are asked for; without:${named}`
  return { report, complaint }
}

// ---- files

/** By their names in the folder of the documentation. */
function render(docs: Docs, format: DocsFormat): ReadonlyMap<string, string> {
  const { database } = docs
  switch (format) {
    case 'markdown':
      return new Map([...renderMarkdown(docs)].map(([page, text]) => [`${database}/${page}`, text]))
    case 'mermaid':
      return new Map([[`${database}.mmd`, renderMermaid(diagramOf(docs, { columns: 'keys' }))]])
    case 'dbml':
      return new Map([[`${database}.dbml`, renderDbml(docs)]])
    case 'dot':
      return new Map([[`${database}.dot`, renderDot(diagramOf(docs, { columns: 'keys' }))]])
  }
}

interface Files {
  readonly wanted: ReadonlyMap<string, string>
  /** Pages of tables and views that are no longer there. */
  readonly gone: readonly string[]
}

function filesOf(folder: string, docs: Docs, formats: readonly DocsFormat[]): Files {
  const wanted = new Map(formats.flatMap((format) => [...render(docs, format)]))
  const present = formats.includes('markdown')
    ? ['tables', 'views'].flatMap((kind) =>
        pagesIn(join(folder, docs.database, kind), ['.md']).map((page) => `${docs.database}/${kind}/${page}`),
      )
    : []
  return { wanted, gone: present.filter((page) => !wanted.has(page)) }
}

function write(config: Config, folder: string, docs: Docs, formats: readonly DocsFormat[]): Outcome {
  const { wanted, gone } = filesOf(folder, docs, formats)
  const show = (page: string): string => relative(config.root, join(folder, page))
  const written = [...wanted]
    .filter(([page, text]) => writePage(join(folder, page), text))
    .map(([page]) => page)
  for (const page of gone) removePage(folder, page)
  return {
    ok: true,
    ...(written.length === 0 ? {} : { files: written.map(show) }),
    ...notes(
      ...(written.length + gone.length === 0 ? [`${relative(config.root, folder)} is up to date`] : []),
      ...gone.map((page) => `removed ${show(page)}`),
    ),
  }
}

function check(config: Config, folder: string, docs: Docs, formats: readonly DocsFormat[]): Outcome {
  const { wanted, gone } = filesOf(folder, docs, formats)
  const stale = [
    ...[...wanted].flatMap(([page, text]) => {
      const file = join(folder, page)
      const shown = relative(config.root, file)
      const before = readPage(file)
      if (before === text) return []
      return [
        before === undefined
          ? `${shown} does not exist`
          : `${shown} is out of date\n${lineDiff(before, text, shown)}`,
      ]
    }),
    ...gone.map((page) => `${relative(config.root, join(folder, page))} is of nothing that is there`),
  ]
  return stale.length === 0
    ? { ok: true, notes: [`${relative(config.root, folder)} is up to date`] }
    : { ok: false, notes: [...stale, 'run dbkit docs build'] }
}

/** For `dbkit verify`: whether what is committed says what the migrations make; undefined where nothing is. */
export function committedDocsCheck(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  read: Read,
): ProofCheck | undefined {
  const { formats, out, requireComments } = database.docs
  if (formats.length === 0) return undefined
  if (!existsSync(out))
    return {
      outcome: 'not-run',
      findings: [],
      notes: [`there are none in ${relative(config.root, out)}: dbkit docs build writes them`],
    }
  const docs = docsFrom(config, database, workspace, read)
  const { ok, notes: said = [] } = check(config, out, docs, formats)
  const { complaint } = coverageOf(docs, formats, requireComments)
  if (ok && complaint === undefined) return { outcome: 'ok', findings: [] }
  return { outcome: 'failed', findings: [], ...notes(...(ok ? [] : said), complaint) }
}
