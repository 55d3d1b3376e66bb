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
import { renderSvg } from '../docs/svg.js'
import { problem } from '../errors.js'
import { makeOwnFolder } from '../own-folder.js'
import { reportOf, type DatabaseReport, type DocsReport, type ProofCheck, type Report } from '../report.js'
import { textFilesIn, readTextFile, removeTextFile, writeTextFile } from '../workspace/text-file.js'
import { readWorkspace, type Workspace } from '../workspace/workspace.js'
import { docsFrom, readForDocs, readMigrated, type Read } from './docs-source.js'
import { asProblem, onEachDatabase, type RunOptions } from './with-database.js'

/** site: for a browser; it names commits and authors, so it is built and not committed. */
export type DocsFormat = CommittedFormat | 'site'

export interface DocsBuildOptions extends RunOptions {
  /** Default: what the configuration commits, and the site */
  readonly formats?: readonly DocsFormat[]
  /** The folder, by its absolute name; "print": into the report. Default: what the configuration says, and .dbkit/docs for the site */
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
  const made: Docs[] = []
  const databases =
    options.from === 'database'
      ? await fromDatabases(config, options, made)
      : await fromMigrations(config, options, made)
  const site =
    options.formats === undefined
      ? options.check !== true && options.out !== 'print'
      : options.formats.includes('site')
  // Half a site would take the pages of the others away.
  const isWhole = made.length === config.databases.length
  const written = site && isWhole ? await writeSite(config, made, options) : undefined
  return {
    command: 'docs build',
    ok: databases.every(({ ok }) => ok),
    databases:
      written === undefined
        ? databases
        : databases.map((report) => ({ ...report, ...withNote(report, written) })),
  }
}

function withNote({ notes: before = [] }: DatabaseReport, note: string): Pick<DatabaseReport, 'notes'> {
  return { notes: [...before, note] }
}

function refuse(config: Config, options: DocsBuildOptions): void {
  const { formats, check, out } = options
  if (formats?.includes('site') === true && check === true)
    throw problem('request.conflicting-options', {
      options: ['--check', '--format site'],
      why: 'the site names commits, so it is not committed',
    })
  if (formats?.includes('site') === true && out === 'print')
    throw problem('request.conflicting-options', {
      options: ['--out -', '--format site'],
      why: 'the site is many files',
    })
  for (const { name, docs } of config.databases)
    if ((check === true || out === 'print') && committedOf(options, docs.formats).length === 0)
      throw problem('docs.nothing-committed', { database: name })
}

function committedOf(
  { formats }: DocsBuildOptions,
  configured: readonly CommittedFormat[],
): readonly CommittedFormat[] {
  return formats?.filter((format) => format !== 'site') ?? configured
}

async function fromMigrations(
  config: Config,
  options: DocsBuildOptions,
  made: Docs[],
): Promise<readonly DatabaseReport[]> {
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
      const built = await buildOne(
        config,
        database,
        docsFrom(config, database, workspace, read),
        options,
        made,
      )
      reports.push({ database: database.name, engine, ...built })
    } catch (error) {
      reports.push({ database: database.name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  return reports
}

function fromDatabases(
  config: Config,
  options: DocsBuildOptions,
  made: Docs[],
): Promise<readonly DatabaseReport[]> {
  return onEachDatabase(config, 'docs build', options, async ({ database, workspace, config: settings }) => {
    const session = await database.session()
    try {
      const read = await readForDocs(session, settings, true)
      return await buildOne(config, settings, docsFrom(config, settings, workspace, read), options, made)
    } finally {
      await session.close()
    }
  })
}

type Outcome = Omit<DatabaseReport, 'database' | 'engine'>

async function buildOne(
  config: Config,
  database: DatabaseConfig,
  docs: Docs,
  options: DocsBuildOptions,
  made: Docs[],
): Promise<Outcome> {
  made.push(docs)
  const formats = committedOf(options, database.docs.formats)
  const { report, complaint } = coverageOf(
    docs,
    options.formats ?? [...formats, ...(options.check === true || options.out === 'print' ? [] : ['site'])],
    options.requireComments ?? database.docs.requireComments,
  )
  if (options.out === 'print') {
    const files = await renderAll(docs, formats)
    return {
      ok: complaint === undefined,
      docs: report,
      text: [...files.values()].join('\n'),
      ...notes(complaint),
    }
  }
  const folder = options.out ?? database.docs.out
  const outcome: Outcome =
    options.check === true
      ? await check(config, folder, docs, formats)
      : formats.length > 0
        ? await write(config, folder, docs, formats)
        : { ok: true }
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
async function renderAll(
  docs: Docs,
  formats: readonly CommittedFormat[],
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const format of formats) for (const [page, text] of await render(docs, format)) files.set(page, text)
  return files
}

async function render(docs: Docs, format: CommittedFormat): Promise<ReadonlyMap<string, string>> {
  const { database } = docs
  const diagram = diagramOf(docs, { columns: 'keys' })
  switch (format) {
    case 'markdown':
      return new Map([...renderMarkdown(docs)].map(([page, text]) => [`${database}/${page}`, text]))
    case 'mermaid':
      return new Map([[`${database}.mmd`, renderMermaid(diagram)]])
    case 'dbml':
      return new Map([[`${database}.dbml`, renderDbml(docs)]])
    case 'dot':
      return new Map([[`${database}.dot`, renderDot(diagram)]])
    case 'svg': {
      const { layOut } = await import('../docs/layout.js')
      return new Map([[`${database}.svg`, `${renderSvg(await layOut(diagram), { alone: true }).text}\n`]])
    }
  }
}

interface Files {
  readonly wanted: ReadonlyMap<string, string>
  /** Pages of tables and views that are no longer there. */
  readonly gone: readonly string[]
}

async function filesOf(folder: string, docs: Docs, formats: readonly CommittedFormat[]): Promise<Files> {
  const wanted = await renderAll(docs, formats)
  const present = formats.includes('markdown')
    ? ['tables', 'views'].flatMap((kind) =>
        textFilesIn(join(folder, docs.database, kind), ['.md']).map(
          (page) => `${docs.database}/${kind}/${page}`,
        ),
      )
    : []
  return { wanted, gone: present.filter((page) => !wanted.has(page)) }
}

async function write(
  config: Config,
  folder: string,
  docs: Docs,
  formats: readonly CommittedFormat[],
): Promise<Outcome> {
  const { wanted, gone } = await filesOf(folder, docs, formats)
  const show = (page: string): string => relative(config.root, join(folder, page))
  const written = [...wanted]
    .filter(([page, text]) => writeTextFile(join(folder, page), text))
    .map(([page]) => page)
  for (const page of gone) removeTextFile(join(folder, page))
  return {
    ok: true,
    ...(written.length === 0 ? {} : { files: written.map(show) }),
    ...notes(
      ...(written.length + gone.length === 0 ? [`${relative(config.root, folder)} is up to date`] : []),
      ...gone.map((page) => `removed ${show(page)}`),
    ),
  }
}

async function check(
  config: Config,
  folder: string,
  docs: Docs,
  formats: readonly CommittedFormat[],
): Promise<Outcome> {
  const { wanted, gone } = await filesOf(folder, docs, formats)
  const stale = [
    ...[...wanted].flatMap(([page, text]) => {
      const file = join(folder, page)
      const shown = relative(config.root, file)
      const before = readTextFile(file)
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

/** Where the site is written when nothing else is said: it is of this checkout only. */
export function siteFolder(config: Config): string {
  return join(config.root, '.dbkit', 'docs')
}

/** Returns where it is. */
async function writeSite(config: Config, made: readonly Docs[], options: DocsBuildOptions): Promise<string> {
  const folder = options.out ?? siteFolder(config)
  if (options.out === undefined) makeOwnFolder(join(config.root, '.dbkit'))
  const files = await makeSite(config, made)
  let written = 0
  for (const [path, text] of files) if (writeTextFile(join(folder, path), text)) written++
  // Pages of what is no longer there; whatever else lies in the folder is somebody else's.
  for (const { name } of config.databases)
    for (const kind of ['tables', 'views', 'functions', 'groups', 'migrations'])
      for (const page of textFilesIn(join(folder, name, kind), ['.html'])) {
        const path = `${name}/${kind}/${page}`
        if (!files.has(path)) removeTextFile(join(folder, path))
      }
  return `the site is ${relative(config.root, join(folder, 'index.html'))} (${String(written)} of ${String(files.size)} files written)`
}

/** What a site is made of, without writing anything. */
export async function readSite(
  config: Config,
  options: DocsBuildOptions,
): Promise<{ readonly databases: readonly DatabaseReport[]; readonly made: readonly Docs[] }> {
  const made: Docs[] = []
  const only = { ...options, formats: ['site'] } as const
  return { databases: await fromMigrations(config, only, made), made }
}

/** The files of the site, by their paths. */
export async function makeSite(config: Config, made: readonly Docs[]): Promise<ReadonlyMap<string, string>> {
  const { renderSite } = await import('../docs/site/site.js')
  const { readAssets } = await import('./docs-assets.js')
  const { readBlame } = await import('../workspace/git-blame.js')
  const scripts = config.databases.flatMap((database) =>
    readWorkspace(database, config.root).migrations.map(({ up: { path, file } }) => ({ path, file })),
  )
  return renderSite(made, { blame: await readBlame(scripts), assets: readAssets() })
}

/** For `dbkit verify`: whether what is committed says what the migrations make; undefined where nothing is. */
export async function committedDocsCheck(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  read: Read,
): Promise<ProofCheck | undefined> {
  const { formats, out, requireComments } = database.docs
  if (formats.length === 0) return undefined
  if (!existsSync(out))
    return {
      outcome: 'not-run',
      findings: [],
      notes: [`there are none in ${relative(config.root, out)}: dbkit docs build writes them`],
    }
  const docs = docsFrom(config, database, workspace, read)
  const { ok, notes: said = [] } = await check(config, out, docs, formats)
  const { complaint } = coverageOf(docs, formats, requireComments)
  if (ok && complaint === undefined) return { outcome: 'ok', findings: [] }
  return { outcome: 'failed', findings: [], ...notes(...(ok ? [] : said), complaint) }
}
