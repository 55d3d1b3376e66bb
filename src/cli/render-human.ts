import { Chalk, type ChalkInstance } from 'chalk'
import type {
  DatabaseReport,
  DocsReport,
  ErrorReport,
  MigrationStatus,
  RepeatableStatus,
  Report,
  StepReport,
} from '../index.js'
import { inert, redact } from './redact.js'

export interface RenderOptions {
  readonly color: boolean
  readonly errorColor: boolean
  readonly quiet: boolean
}

/** A report as text: what goes to stdout, and what to stderr. */
export async function renderHuman(
  report: Report,
  options: RenderOptions,
): Promise<{ readonly out: string; readonly error: string }> {
  const paint = new Chalk({ level: options.color ? 1 : 0 })
  const alarm = new Chalk({ level: options.errorColor ? 1 : 0 })
  const out: string[] = []
  for (const database of options.quiet ? [] : report.databases) {
    const told = await renderDatabase(database, paint)
    // SQL that is to be run stays as it is.
    out.push(...(isText(database) ? told : told.map(inert)))
  }
  const findings: string[] = []
  for (const database of report.databases)
    if (database.import !== undefined) {
      const { renderFindings } = await import('./render-import.js')
      findings.push(...renderFindings(database.import, { paint: alarm, quiet: options.quiet }))
    }
  const errors = [
    ...report.databases.flatMap((database) =>
      database.error === undefined ? [] : renderFailure(database.error, alarm, database),
    ),
    ...findings,
    ...(report.error === undefined ? [] : renderFailure(report.error, alarm)),
  ]
  const lines = (all: readonly string[]): string => (all.length === 0 ? '' : redact(all.join('\n')) + '\n')
  return { out: lines(out), error: lines(errors.map(inert)) }
}

/** SQL or pages, for another program to read. */
function isText({ sql, text, diff, maintain }: DatabaseReport): boolean {
  return sql !== undefined || text !== undefined || diff !== undefined || maintain !== undefined
}

async function renderDatabase(report: DatabaseReport, paint: ChalkInstance): Promise<readonly string[]> {
  if (report.sql !== undefined) return renderDryRun(report)
  if (report.text !== undefined) return [report.text.trimEnd()]
  if (report.diff !== undefined && (report.files === undefined || report.diff.up.length > 0))
    return (await import('./render-diff.js')).renderDiff(report, report.diff)
  if (report.maintain !== undefined && report.dryRun === true)
    return (await import('./render-maintain.js')).renderMaintainSql(report.database, report.maintain)
  const { engine } = report
  const version = engine?.version === undefined ? '' : `PostgreSQL ${engine.version}, `
  const heading =
    paint.bold(report.database) + (engine === undefined ? '' : paint.dim(`  ${version}${engine.label}`))
  return [
    heading,
    ...renderExistence(report, paint),
    ...renderSteps(report, paint),
    ...(report.migrations === undefined ? [] : renderStatus(report, paint)),
    ...(report.repeatable ?? []).map((one) => renderRepeatable(one, paint)),
    ...(report.seed === undefined ? [] : renderSeed(report, paint)),
    ...(await renderFound(report, paint)),
    ...(report.docs === undefined ? [] : [renderDocs(report.docs, paint)]),
    ...(report.files ?? []).map(
      (file) => `  ${report.dryRun === true ? paint.dim('would write') : paint.green('wrote')} ${file}`,
    ),
    ...(report.connection === undefined ? [] : [`  ${report.connection}`, `  psql ${report.connection}`]),
    ...(report.notes ?? []).map((note) => `  ${paint.yellow('note')} ${note}`),
  ]
}

/** What the commands that look into something have found. Each has a module of its own, so that the others need not load it. */
async function renderFound(report: DatabaseReport, paint: ChalkInstance): Promise<readonly string[]> {
  const told = { paint, time: formatTime }
  const lines: string[] = []
  if (report.fleet !== undefined)
    lines.push(...(await import('./render-fleet.js')).renderFleet(report.fleet, paint, formatTime))
  if (report.import !== undefined) {
    const { renderImport } = await import('./render-import.js')
    lines.push(...renderImport(report.import, { ...told, dryRun: report.dryRun === true }))
  }
  if (report.generate !== undefined)
    lines.push(...(await import('./render-generate.js')).renderGenerate(report.generate, told))
  if (report.bench !== undefined)
    lines.push(...(await import('./render-bench.js')).renderBench(report.bench, paint))
  if (report.verify !== undefined)
    lines.push(...(await import('./render-verify.js')).renderVerify(report.verify, told))
  if (report.lint !== undefined)
    lines.push(...(await import('./render-lint.js')).renderLint(report.lint, told))
  if (report.backup !== undefined)
    lines.push(...(await import('./render-backup.js')).renderBackup(report.backup, told))
  if (report.restore !== undefined)
    lines.push(...(await import('./render-backup.js')).renderRestore(report.restore, told))
  if (report.maintain !== undefined)
    lines.push(...(await import('./render-maintain.js')).renderMaintain(report.maintain, told))
  if (report.portable !== undefined)
    lines.push(...(await import('./render-portable.js')).renderPortable(report.portable, paint))
  if (report.doctor !== undefined)
    lines.push(...(await import('./render-doctor.js')).renderDoctor(report.doctor, paint))
  if (report.fuzz !== undefined)
    lines.push(...(await import('./render-fuzz.js')).renderFuzz(report.fuzz, told))
  if (report.drift !== undefined)
    lines.push(...(await import('./render-drift.js')).renderDrift(report.drift, paint))
  return lines
}

function renderDocs({ tables, views, described, describable }: DocsReport, paint: ChalkInstance): string {
  const share = describable === 0 ? '' : `, ${String(described)} of ${String(describable)} have a comment`
  return `  ${paint.dim(`${String(tables)} tables, ${String(views)} views${share}`)}`
}

function renderExistence({ existence }: DatabaseReport, paint: ChalkInstance): readonly string[] {
  // What was there, or gone, already is told by a note.
  if (existence === undefined || existence.startsWith('already-')) return []
  return [`  ${paint.green('✓')} ${existence}`]
}

const STEP_MARKS = {
  applied: ['✓', 'green', ''],
  'rolled-back': ['↓', 'green', 'rolled back'],
  recorded: ['✓', 'green', 'recorded, not run'],
  failed: ['✗', 'red', 'failed'],
  'not-run': ['·', 'dim', 'not run'],
} as const satisfies Record<StepReport['outcome'], readonly [string, 'green' | 'red' | 'dim', string]>

function renderSteps(report: DatabaseReport, paint: ChalkInstance): readonly string[] {
  const { steps } = report
  if (steps === undefined) return []
  if (steps.length === 0) return report.ok ? [`  ${paint.dim('nothing to do')}`] : []
  const width = Math.max(...steps.map(({ name }) => name.length))
  const lines = steps.map((step) => {
    const [mark, color, word] = STEP_MARKS[step.outcome]
    const about = [
      word,
      step.repeatable === true ? 'repeatable' : '',
      step.source === 'ledger' ? 'from the ledger' : step.source === 'cache' ? 'from the cache' : '',
      step.outOfOrder === true ? 'out of order' : '',
      step.statements === undefined ? '' : count(step.statements, 'statement'),
      step.rows === undefined
        ? ''
        : `${step.rows.toLocaleString('en-US')} ${step.rows === 1 ? 'row' : 'rows'}`,
      step.retries === undefined ? '' : `${count(step.retries, 'retry', 'retries')} for a lock`,
    ].filter((part) => part !== '')
    const time = step.durationMs === undefined ? '' : formatTime(step.durationMs)
    return `  ${paint[color](mark)} ${step.name.padEnd(width)}  ${paint.dim([time.padStart(7), ...about].join('  ').trimEnd())}`.trimEnd()
  })
  return [...lines, `  ${summarise(steps, paint)}`]
}

function summarise(steps: readonly StepReport[], paint: ChalkInstance): string {
  const total = steps.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)
  const words: Readonly<Record<StepReport['outcome'], string>> = {
    applied: 'applied',
    'rolled-back': 'rolled back',
    recorded: 'recorded',
    failed: 'failed',
    'not-run': 'not run',
  }
  const parts = Object.entries(words).flatMap(([outcome, word]) => {
    const number = steps.filter((step) => step.outcome === outcome).length
    return number === 0 ? [] : [`${String(number)} ${word}`]
  })
  return paint.dim(`${parts.join(', ')}${total === 0 ? '' : ` in ${formatTime(total)}`}`)
}

const STATE_COLORS = {
  applied: 'green',
  pending: 'yellow',
  'out-of-order': 'yellow',
  edited: 'red',
  'edited-down': 'yellow',
  missing: 'red',
  interrupted: 'red',
} as const satisfies Record<MigrationStatus['state'], 'green' | 'yellow' | 'red'>

function renderStatus({ migrations = [], summary }: DatabaseReport, paint: ChalkInstance): readonly string[] {
  if (migrations.length === 0) return [`  ${paint.dim('no migrations')}`]
  const width = Math.max(...migrations.map(({ name }) => name.length))
  const stateWidth = Math.max(...migrations.map(({ state }) => state.length))
  const lines = migrations.map((migration) => {
    const { name, state, appliedAt, durationMs, appliedBy } = migration
    const when = appliedAt === undefined ? '' : `${appliedAt.slice(0, 19).replace('T', ' ')} UTC`
    const time = durationMs === undefined ? '' : formatTime(durationMs)
    const about = [
      when.padEnd(23),
      time.padStart(7),
      appliedBy ?? '',
      migration.outOfOrder === true ? 'out of order' : '',
      migration.statementsDone === undefined ? '' : `${count(migration.statementsDone, 'statement')} done`,
      migration.reversible ? '' : 'irreversible',
    ]
    const color = STATE_COLORS[state]
    return `  ${paint[color](state.padEnd(stateWidth))}  ${name.padEnd(width)}  ${paint.dim(about.filter((part) => part !== '').join('  '))}`.trimEnd()
  })
  const counts = Object.entries(summary ?? {})
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${String(number)} ${state}`)
  return [...lines, `  ${paint.dim(counts.join(', '))}`]
}

function renderRepeatable({ name, state, appliedAt }: RepeatableStatus, paint: ChalkInstance): string {
  const color = state === 'applied' ? 'green' : state === 'missing' ? 'red' : 'yellow'
  const when = appliedAt === undefined ? '' : `  ${appliedAt.slice(0, 19).replace('T', ' ')} UTC`
  return `  ${paint[color](state)}  ${name}  ${paint.dim(`repeatable${when}`)}`
}

function renderSeed(report: DatabaseReport, paint: ChalkInstance): readonly string[] {
  const { seedSets = [], seed = [], seedScripts = [], dryRun = false } = report
  const lines: string[] = []
  const width = Math.max(0, ...seed.map(({ table }) => table.length))
  const number = (n: number): string => n.toLocaleString('en-US').padStart(7)
  const time = (ms: number | undefined): string => (ms === undefined ? '' : formatTime(ms).padStart(7))
  for (const set of seedSets) {
    lines.push(`  ${set}`)
    for (const { table, inserted, updated, unchanged, durationMs } of seed.filter((one) => one.set === set)) {
      const mark = inserted + updated > 0 ? paint.green('✓') : paint.dim('·')
      const counts = `${number(inserted)} new ${number(updated)} changed ${number(unchanged)} as they were`
      lines.push(`    ${mark} ${table.padEnd(width)} ${paint.dim(`${counts} ${time(durationMs)}`.trimEnd())}`)
    }
    for (const { file, tables, durationMs } of seedScripts.filter((one) => one.set === set)) {
      const mark = tables.length > 0 ? paint.green('✓') : paint.dim('·')
      const changes = tables.map(({ table, inserted, updated, deleted }) => {
        const parts = [`${String(inserted)} new`, `${String(updated)} changed`, `${String(deleted)} deleted`]
        return `${table} ${parts.filter((part) => !part.startsWith('0 ')).join(', ')}`
      })
      const about = changes.length === 0 ? 'changed nothing' : changes.join('; ')
      lines.push(`    ${mark} ${file}  ${paint.dim(`${about}  ${time(durationMs).trim()}`)}`)
    }
  }
  const changed = seed.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)
  const total = [...seed, ...seedScripts].reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)
  const rows = `${changed.toLocaleString('en-US')} ${changed === 1 ? 'row' : 'rows'}`
  const end = dryRun
    ? `${rows} would change; nothing was written`
    : `${rows} new or changed in ${formatTime(total)}`
  return [...lines, `  ${paint.dim(end)}`]
}

function renderDryRun({ database, sql = [], notes = [] }: DatabaseReport): readonly string[] {
  if (sql.length === 0) return [`-- ${database}: nothing to do`]
  return [
    ...sql.flatMap(({ name, direction, transaction, sql: text }) => [
      `-- ${database}: ${name} (${direction}${transaction ? '' : ', outside a transaction'})`,
      text.trimEnd(),
      '',
    ]),
    ...notes.map((note) => `-- ${database}: ${note}`),
  ]
}

/** What happened, where, why, and what to do next. */
export function renderFailure(
  error: ErrorReport,
  paint: ChalkInstance,
  database?: DatabaseReport,
): readonly string[] {
  const sql = error.sql
  const code = sql === undefined || sql.sqlstate === '' ? '' : paint.dim(` (SQLSTATE ${sql.sqlstate})`)
  const labelled = (label: string, text: string | undefined): readonly string[] =>
    text === undefined
      ? []
      : text.split('\n').map((line, index) => `  ${paint.dim((index === 0 ? label : '').padEnd(7))} ${line}`)
  return [
    `${paint.red.bold('error')} ${database === undefined ? '' : `${database.database}: `}${error.message}${code}`,
    ...renderPlace(error, paint),
    // A tree says the same in fewer lines.
    ...labelled('detail', error.culprit?.kind === 'dependents' ? undefined : sql?.detail),
    ...labelled(
      'culprit',
      error.culprit === undefined
        ? undefined
        : [error.culprit.summary, ...error.culprit.examples.map((line) => `  ${line}`)].join('\n'),
    ),
    ...labelled('hint', sql?.hint),
    ...labelled('where', sql?.where),
    ...labelled(
      'table',
      sql?.table === undefined ? undefined : [sql.schema, sql.table].filter(Boolean).join('.'),
    ),
    ...labelled('done', database === undefined ? undefined : whatStands(database)),
    ...labelled('next', error.hint),
    ...(error.others ?? []).flatMap((other) => ['', ...renderFailure(other, paint)]),
  ]
}

function renderPlace(error: ErrorReport, paint: ChalkInstance): readonly string[] {
  const { file, line, column, excerpt } = error
  if (file === undefined || line === undefined || column === undefined) return []
  const place = `  ${paint.cyan(`${file}:${String(line)}:${String(column)}`)}`
  if (excerpt === undefined) return [place]
  const gutter = String(line)
  const shown = aroundColumn([...excerpt], column)
  // Tabs stay tabs in the caret's line, so that it stands under its column however wide they are shown.
  const before = shown.before.map((character) => (character === '\t' ? '\t' : ' ')).join('')
  const bar = paint.dim('|')
  return [
    place,
    `  ${paint.dim(gutter)} ${bar} ${[...shown.before, ...shown.from].join('')}`,
    `  ${' '.repeat(gutter.length)} ${bar} ${before}${paint.red('^')}`,
  ]
}

/** A line of data may be thousands of characters long: what stands around the column is enough. */
const LONGEST_EXCERPT = 160

function aroundColumn(
  characters: readonly string[],
  column: number,
): { readonly before: readonly string[]; readonly from: readonly string[] } {
  const before = characters.slice(0, column - 1)
  const from = characters.slice(column - 1)
  if (characters.length <= LONGEST_EXCERPT) return { before, from }
  const half = LONGEST_EXCERPT / 2
  return {
    before: before.length <= half ? before : ['…', ...before.slice(-half)],
    from: from.length <= half ? from : [...from.slice(0, half), '…'],
  }
}

/** After a failure: what was rolled back, and what was applied before it. */
function whatStands({ steps = [] }: DatabaseReport): string | undefined {
  const failed = steps.find(({ outcome }) => outcome === 'failed')
  if (failed === undefined) return undefined
  const before = steps.filter(({ outcome }) => outcome === 'applied' || outcome === 'rolled-back')
  const left = steps.filter(({ outcome }) => outcome === 'not-run')
  return [
    failed.statements === undefined ? `${failed.name} left nothing behind` : `${failed.name} stopped midway`,
    before.length === 0
      ? 'nothing was done before it'
      : `${before.map(({ name }) => name).join(', ')} before it ${before.length === 1 ? 'stands' : 'stand'}`,
    left.length === 0 ? '' : `${String(left.length)} after it not run`,
  ]
    .filter((part) => part !== '')
    .join('; ')
}

export function formatTime(milliseconds: number): string {
  if (milliseconds < 1_000) return `${String(milliseconds)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`
  return `${String(Math.floor(milliseconds / 60_000))} min ${String(Math.round((milliseconds % 60_000) / 1_000))} s`
}

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${String(number)} ${number === 1 ? noun : plural}`
}
