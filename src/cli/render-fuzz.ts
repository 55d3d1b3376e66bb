import type { ChalkInstance } from 'chalk'
import type { FuzzedMigration, FuzzFinding, FuzzReport } from '../index.js'

interface Tools {
  readonly paint: ChalkInstance
  readonly time: (milliseconds: number) => string
}

const LONGEST_LINE = 160

/** Each migration with what it does not take: what PostgreSQL said, the culprit, and the rows that show it. */
export function renderFuzz(report: FuzzReport, { paint, time }: Tools): readonly string[] {
  const { migrations, summary, durationMs, seed } = report
  if (migrations.length === 0) return [`  ${paint.dim('nothing to try: no migration is pending')}`]
  const width = Math.max(...migrations.map(({ name }) => name.length))
  const counts = [
    count(summary.migrations, 'migration'),
    count(summary.rows, 'row'),
    count(summary.tries, 'run'),
    summary.findings === 0 ? 'no findings' : count(summary.findings, 'finding'),
    ...(summary.allowed === 0 ? [] : [`${String(summary.allowed)} allowed`]),
  ]
  return [
    ...migrations.flatMap((migration) => renderMigration(migration, width, { paint, time })),
    `  ${paint.dim(`${counts.join(', ')} in ${time(durationMs)}, seed ${String(seed)}`)}`,
  ]
}

function renderMigration(
  migration: FuzzedMigration,
  width: number,
  { paint, time }: Tools,
): readonly string[] {
  const { name, findings, allowed, notes, rows, tables, replayed, durationMs } = migration
  const mark = findings.length === 0 ? paint.green('✓') : paint.red('✗')
  const about = [
    tables.length === 0 ? 'touches no table' : `${count(rows, 'row')} for ${count(tables.length, 'table')}`,
    ...(replayed === 0 ? [] : [`${count(replayed, 'case')} of its fixture`]),
  ]
  return [
    `  ${mark} ${name.padEnd(width)}  ${paint.dim(`${time(durationMs).padStart(7)}  ${about.join(', ')}`)}`,
    ...findings.flatMap((finding) => renderFinding(finding, paint)),
    ...allowed.map(
      ({ code, error, reason }) =>
        `      ${paint.yellow('allowed')} ${code}: ${error.message} ${paint.dim(`(${reason})`)}`,
    ),
    ...notes.map((note) => `      ${paint.yellow('note')} ${note}`),
  ]
}

function renderFinding(
  { direction, error, sql, fixture, source }: FuzzFinding,
  paint: ChalkInstance,
): readonly string[] {
  const place = [error.file, error.line, error.column].filter((part) => part !== undefined).join(':')
  const { culprit } = error
  return [
    `      ${paint.red(`the ${direction} fails`)}  ${paint.cyan(place)}`,
    `        ${error.message}`,
    ...(culprit === undefined
      ? []
      : [culprit.summary, ...culprit.examples.map((line) => `  ${line}`)].map((line) => `        ${line}`)),
    ...sql.split('\n').map((line) => `        ${paint.green(shorten(line))}`),
    ...(source === 'fixture' ? [`        ${paint.dim(`known from ${fixture}`)}`] : []),
  ]
}

function shorten(text: string): string {
  const characters = [...text]
  return characters.length <= LONGEST_LINE ? text : `${characters.slice(0, LONGEST_LINE - 1).join('')}…`
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`
}
