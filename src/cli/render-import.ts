import type { ChalkInstance } from 'chalk'
import type { ImportFinding, ImportReport } from '../index.js'

/** Findings shown of each severity; a file that is wrong throughout would fill the screen with one and the same. */
const SHOWN = 20

/** What an import changed, table by table. */
export function renderImport(
  { tables, documents, bad, durationMs }: ImportReport,
  { dryRun, paint, time }: { dryRun: boolean; paint: ChalkInstance; time: (milliseconds: number) => string },
): readonly string[] {
  const width = Math.max(0, ...tables.map(({ table }) => table.length))
  const number = (n: number): string => n.toLocaleString('en-US').padStart(9)
  const lines = tables.map(({ table, inserted, updated, unchanged, removed }) => {
    const mark = inserted + updated + removed > 0 ? paint.green('✓') : paint.dim('·')
    const counts = `${number(inserted)} new ${number(updated)} changed ${number(unchanged)} as they were`
    const gone = removed === 0 ? '' : ` ${number(removed)} removed`
    return `  ${mark} ${table.padEnd(width)} ${paint.dim(counts + gone)}`
  })
  const all = `${documents.toLocaleString('en-US')} ${documents === 1 ? 'document' : 'documents'}`
  const rate =
    durationMs === 0
      ? ''
      : `, ${Math.round((documents * 1_000) / durationMs).toLocaleString('en-US')} a second`
  const end = [
    `${all} in ${time(durationMs)}${rate}`,
    ...(bad === 0 ? [] : [`${bad.toLocaleString('en-US')} bad`]),
    ...(tables.length === 0 || dryRun ? ['nothing was written'] : []),
  ]
  return [...lines, `  ${paint.dim(end.join('; '))}`]
}

/** What is wrong with the documents, or was taken with a warning: the first ones, and how many more there are of what kind. */
export function renderFindings(
  report: ImportReport | undefined,
  { paint, quiet }: { paint: ChalkInstance; quiet: boolean },
): readonly string[] {
  if (report === undefined) return []
  const severities = quiet ? (['error'] as const) : (['error', 'warning'] as const)
  return severities.flatMap((severity) => {
    const all = report.findings.filter((finding) => finding.severity === severity)
    const lines = all.slice(0, SHOWN).map((finding) => renderFinding(finding, paint))
    const more = all.length - lines.length + (severity === 'error' ? (report.findingsLeftOut ?? 0) : 0)
    if (more === 0) return lines
    const rest = new Map<string, number>()
    for (const { code } of all.slice(SHOWN)) rest.set(code, (rest.get(code) ?? 0) + 1)
    const kinds = [...rest].map(([code, count]) => `${count.toLocaleString('en-US')} ${code}`)
    return [
      ...lines,
      `  ${paint.dim(`... and ${more.toLocaleString('en-US')} more${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}; --json lists them`)}`,
    ]
  })
}

function renderFinding(finding: ImportFinding, paint: ChalkInstance): string {
  const { severity, code, file, line, document, id, path, message, count = 1 } = finding
  const place = line === undefined ? `${file}, document ${String(document)}` : `${file}:${String(line)}`
  const parts = [
    severity === 'error' ? paint.red(code) : paint.yellow(`warning ${code}`),
    paint.cyan(place),
    ...(id === undefined ? [] : [id]),
    ...(path === undefined ? [] : [paint.bold(path)]),
  ]
  const others = count === 1 ? '' : ` (and ${(count - 1).toLocaleString('en-US')} more like it)`
  return `  ${parts.join('  ')}  ${message}${others}`
}
