import type { ChangeReport, DatabaseReport, LintReport, Report } from '../../index.js'
import { redact } from '../redact.js'

/** More rows than this nobody reads in a pull request, and a summary has an end. */
const ROWS = 100

/** What a pull request does to the databases, as GitHub and GitLab show it. */
export function renderMarkdown(report: Report): string {
  return redact(report.databases.map(renderDatabase).join('\n'))
}

function renderDatabase({ database, change, lint, error }: DatabaseReport): string {
  const parts = [
    `## ${plain(database)}`,
    ...(error === undefined
      ? []
      : [
          `**${plain(error.message)}**${error.file === undefined ? '' : ` (${code(`${error.file}:${String(error.line ?? 1)}`)})`}`,
        ]),
    ...(change === undefined ? [] : renderChange(change, lint)),
    ...(lint === undefined ? [] : renderFindings(lint)),
    ...(lint === undefined ? [] : renderLocks(lint)),
    ...(change?.diagram === undefined
      ? []
      : ['### Tables', `\`\`\`mermaid\n${change.diagram.trimEnd()}\n\`\`\``]),
  ]
  return `${parts.join('\n\n')}\n`
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

function renderChange({ base, differences }: ChangeReport, lint: LintReport | undefined): readonly string[] {
  const names = lint?.migrations.map(({ name }) => code(name)) ?? []
  const new_ =
    names.length === 0
      ? `No migration is new against ${code(base)}.`
      : `New against ${code(base)}: ${names.join(', ')}.`
  if (differences.length === 0)
    return [new_, 'They make the same schema.'].slice(0, names.length === 0 ? 1 : 2)
  return [
    new_,
    '### Schema',
    table(
      ['', 'object', 'change'],
      differences.map(({ object, kind, changes }) => [
        SIGNS[kind],
        code(object),
        kind === 'changed' ? changes.map(plain).join('<br>') : kind,
      ]),
    ),
  ]
}

function renderFindings({ migrations }: LintReport): readonly string[] {
  const findings = migrations.flatMap(({ file, findings: found }) =>
    found.map(({ code: hazard, line, message, traffic, safeWay, size }) => [
      code(hazard),
      code(`${file}:${String(line)}`),
      [
        plain(message),
        plain(traffic),
        ...(size === undefined
          ? []
          : [plain(`${size.table} has ${size.bytes.toLocaleString('en-US')} bytes`)]),
        `Instead: ${plain(safeWay)}`,
      ].join('<br>'),
    ]),
  )
  return findings.length === 0 ? [] : ['### Hazards', table(['hazard', 'where', 'what'], findings)]
}

function renderLocks({ migrations }: LintReport): readonly string[] {
  const locks = migrations.flatMap(({ name, locks: held }) =>
    held.map(({ relation, mode, stops, line }) => [
      code(name),
      String(line),
      code(relation),
      mode,
      plain(stops),
    ]),
  )
  if (migrations.length === 0) return []
  return locks.length === 0
    ? ['### Locks', 'Nothing that was there before is locked.']
    : ['### Locks', table(['migration', 'line', 'relation', 'lock', 'stops'], locks)]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const left = rows.length - ROWS
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.slice(0, ROWS).map(line),
    ...(left > 0 ? ['', `${String(left)} more.`] : []),
  ].join('\n')
}

/** Text that stays text: neither markup nor the end of a cell. */
function plain(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|~#]/g, (sign) => `\\${sign}`)
    .replaceAll(/\r?\n/g, '<br>')
}

function code(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
  return flat.includes('`') ? `\`\` ${flat} \`\`` : `\`${flat}\``
}
