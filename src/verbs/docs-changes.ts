import { join, relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Diagram } from '../docs/diagram.js'
import { renderDot } from '../docs/dot.js'
import { renderMermaid } from '../docs/mermaid.js'
import { renderSvg } from '../docs/svg.js'
import { touchedDiagram } from '../docs/touched.js'
import { problem } from '../errors.js'
import { readMigratedCatalog } from '../prove/migrated-catalog.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { withWorkspaceAt } from '../workspace/git-workspace.js'
import { writeTextFile } from '../workspace/text-file.js'
import { readWorkspace } from '../workspace/workspace.js'
import { defaultSchemaOf } from './read-json-types.js'
import type { DocsBuildOptions, DocsFormat } from './docs-build.js'
import { asProblem } from './with-database.js'

/** Formats that are a diagram and nothing else. */
const DIAGRAMS: readonly DocsFormat[] = ['mermaid', 'dot', 'svg']

/** Draws the tables that the migrations here make otherwise than those of another commit, with what leads to them. */
export async function docsChanges(config: Config, base: string, options: DocsBuildOptions): Promise<Report> {
  const format = options.formats?.[0] ?? 'mermaid'
  if ((options.formats ?? []).length > 1 || !DIAGRAMS.includes(format))
    throw problem('request.bad-option', {
      option: '--format',
      value: (options.formats ?? []).join(','),
      expected: `one of ${DIAGRAMS.join(', ')}, with --base`,
    })
  const signal = options.signal ?? new AbortController().signal
  const databases: DatabaseReport[] = []
  for (const database of config.databases)
    try {
      databases.push({
        database: database.name,
        ...(await changesOf(config, database, base, format, options)),
      })
    } catch (error) {
      databases.push({ database: database.name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  return { command: 'docs build', ok: databases.every(({ ok }) => ok), databases }
}

async function changesOf(
  config: Config,
  database: DatabaseConfig,
  base: string,
  format: DocsFormat,
  options: DocsBuildOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const about = {
    shadowUrl: options.shadowUrl,
    purpose: 'docs build',
    signal: options.signal ?? new AbortController().signal,
    observer: options.observer ?? (() => undefined),
  }
  const here = readWorkspace(database, config.root)
  const before = await withWorkspaceAt({ ...database, layout: here.layout }, base, ({ workspace }) =>
    readMigratedCatalog(config, database, workspace, about),
  )
  const after = await readMigratedCatalog(config, database, here, about)
  const diagram = touchedDiagram(before.catalog, after.catalog, defaultSchemaOf(database.searchPath))
  if (diagram === undefined) return { ok: true, notes: [`no table is another than at ${base}`] }
  const text = await draw(diagram, format)
  if (options.out === undefined || options.out === 'print') return { ok: true, text }
  const file = join(options.out, `${database.name}-changes.${format === 'mermaid' ? 'mmd' : format}`)
  writeTextFile(file, text)
  return { ok: true, files: [relative(config.root, file)] }
}

async function draw(diagram: Diagram, format: DocsFormat): Promise<string> {
  if (format === 'mermaid') return renderMermaid(diagram)
  if (format === 'dot') return renderDot(diagram)
  const { layOut } = await import('../docs/layout.js')
  return `${renderSvg(await layOut(diagram, { frames: false }), { alone: true }).text}\n`
}
