import type { ChalkInstance } from 'chalk'
import type { LintedMigration, LintFinding, LintReport } from '../index.js'

interface Tools {
  readonly paint: ChalkInstance
  readonly time: (milliseconds: number) => string
}

/** Sentences are broken where a terminal of the usual width would break them in the middle of a word. */
const WIDTH = 100

/** Each migration with what is wrong with it, how the same is done safely, and the locks that it holds. */
export function renderLint(report: LintReport, { paint, time }: Tools): readonly string[] {
  const { migrations, summary, durationMs } = report
  if (migrations.length === 0) return [`  ${paint.dim('nothing to look at: no migration is pending')}`]
  const explained = new Set<string>()
  const counts = [
    count(summary.migrations, 'migration'),
    count(summary.statements, 'statement'),
    summary.findings === 0 ? 'no hazards' : count(summary.findings, 'hazard'),
    ...(summary.allowed === 0 ? [] : [`${String(summary.allowed)} allowed`]),
  ]
  return [
    ...migrations.flatMap((migration) => renderMigration(migration, explained, paint)),
    `  ${paint.dim(`${counts.join(', ')} in ${time(durationMs)}`)}`,
  ]
}

function renderMigration(
  migration: LintedMigration,
  explained: Set<string>,
  paint: ChalkInstance,
): readonly string[] {
  const { name, findings, allowed, notes, file, transaction } = migration
  const bad = findings.length > 0
  const heading = bad
    ? `  ${paint.red('✗')} ${paint.bold(name)}  ${paint.red(count(findings.length, 'hazard'))}`
    : `  ${paint.green('✓')} ${name}`
  const about = transaction ? '' : paint.dim('  outside a transaction')
  return [
    heading + about,
    ...findings.flatMap((finding) => renderFinding(finding, file, explained, paint)),
    ...(bad && allowed.length + notes.length > 0 ? [''] : []),
    ...allowed.map(
      ({ code, message, reason }) =>
        `    ${paint.yellow('allowed')} ${code}: ${message} ${paint.dim(`(${reason})`)}`,
    ),
    ...notes.map((note) => `    ${paint.yellow('note')} ${note}`),
    ...renderLocks(migration, paint),
    ...(bad ? [''] : []),
  ]
}

function renderFinding(
  finding: LintFinding,
  file: string,
  explained: Set<string>,
  paint: ChalkInstance,
): readonly string[] {
  const { code, line, column, sql, message, traffic, safeWay, rewrite, size } = finding
  const first = !explained.has(code)
  explained.add(code)
  const sized = size === undefined ? '' : ` ${paint.bold(describeSize(size))}`
  return [
    '',
    `    ${paint.cyan(`${file}:${String(line)}:${String(column)}`)}  ${paint.red(code)}`,
    ...(sql === '' ? [] : [`      ${paint.dim('|')} ${shorten(sql)}`]),
    ...wrap(message).map((text, index, all) => `      ${text}${index === all.length - 1 ? sized : ''}`),
    ...(first ? wrap(traffic).map((text) => `      ${paint.dim(text)}`) : []),
    ...(first ? labelled('instead', safeWay, paint) : []),
    ...(rewrite === undefined ? [] : rewrite.split('\n').map((text) => `        ${colored(text, paint)}`)),
  ]
}

function labelled(label: string, text: string, paint: ChalkInstance): readonly string[] {
  return wrap(text, WIDTH - label.length - 1).map(
    (part, index) => `      ${index === 0 ? paint.green(label) : ' '.repeat(label.length)} ${part}`,
  )
}

function colored(line: string, paint: ChalkInstance): string {
  return line.startsWith('--') ? paint.dim(line) : paint.green(line)
}

/** The locks that stop somebody: all the others are in the JSON document. */
function renderLocks(
  { locks, transaction, findings }: LintedMigration,
  paint: ChalkInstance,
): readonly string[] {
  const stopping = locks.filter(({ stops }) => stops !== 'neither reads nor writes')
  if (stopping.length === 0) return []
  const relations = Math.max(...stopping.map(({ relation }) => relation.length))
  const modes = Math.max(...stopping.map(({ mode }) => mode.length))
  return [
    ...(findings.length === 0 ? [] : ['']),
    `    ${paint.dim(transaction ? 'locks, all held until the commit' : 'locks, each held for its statement')}`,
    ...stopping.map(
      ({ relation, mode, stops, line }) =>
        `      ${relation.padEnd(relations)}  ${mode.padEnd(modes)}  ${paint.dim(`stops ${stops}, ${transaction ? 'from line' : 'line'} ${String(line)}${transaction ? ' on' : ''}`)}`,
    ),
  ]
}

export function describeSize({ table, bytes, rows }: NonNullable<LintFinding['size']>): string {
  const about = rows === undefined ? '' : `, about ${rows.toLocaleString('en-US')} rows`
  return `(${table}: ${describeBytes(bytes)}${about})`
}

function describeBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']
  let unit = 0
  let number = bytes
  while (number >= 1024 && unit < units.length - 1) {
    number /= 1024
    unit++
  }
  return `${number >= 10 || unit === 0 ? String(Math.round(number)) : number.toFixed(1)} ${units[unit] ?? ''}`
}

function shorten(text: string): string {
  const characters = [...text]
  return characters.length <= WIDTH ? text : `${characters.slice(0, WIDTH - 1).join('')}…`
}

function wrap(text: string, width = WIDTH): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`
}
