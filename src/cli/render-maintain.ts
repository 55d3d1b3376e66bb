import type { ChalkInstance } from 'chalk'
import type { MaintainReport, MaintainStep } from '../index.js'

const MARKS = {
  done: ['✓', 'green'],
  planned: ['·', 'dim'],
  'nothing-to-do': ['·', 'dim'],
  'not-due': ['·', 'dim'],
  failed: ['✗', 'red'],
  'not-run': ['·', 'dim'],
} as const satisfies Record<MaintainStep['outcome'], readonly [string, 'green' | 'red' | 'dim']>

interface Options {
  readonly paint: ChalkInstance
  readonly time: (milliseconds: number) => string
}

/** A step a line, with its notes below it. */
export function renderMaintain({ steps }: MaintainReport, { paint, time }: Options): readonly string[] {
  if (steps.length === 0) return [`  ${paint.dim('nothing is declared, so nothing is due')}`]
  const width = Math.max(...steps.map(({ object }) => object.length))
  return steps.flatMap((step) => {
    const { task, object, outcome, rows, batches, durationMs, dueAt, notes = [] } = step
    const [mark, color] = MARKS[outcome]
    const about = [
      outcome === 'done' ? '' : outcome.replaceAll('-', ' '),
      dueAt === undefined ? '' : `until ${dueAt.slice(0, 16).replace('T', ' ')} UTC`,
      rows === undefined || outcome === 'nothing-to-do'
        ? ''
        : `${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'} in ${String(batches)} ${batches === 1 ? 'batch' : 'batches'}`,
      durationMs === undefined ? '' : time(durationMs),
    ].filter((part) => part !== '')
    return [
      `  ${paint[color](mark)} ${task.padEnd(10)} ${object.padEnd(width)}  ${paint.dim(about.join('  '))}`.trimEnd(),
      ...notes.map((note) => `      ${paint.dim(note)}`),
    ]
  })
}

/** The SQL alone, ready for psql. */
export function renderMaintainSql(database: string, { steps }: MaintainReport): readonly string[] {
  const planned = steps.filter(({ outcome }) => outcome === 'planned')
  if (planned.length === 0) return [`-- ${database}: nothing to do`]
  return planned.flatMap(({ task, object, sql, notes = [] }) => [
    `-- ${database}: ${task} ${object}${task === 'archive' || task === 'retention' ? ', as often as it finds rows' : ''}`,
    ...notes.map((note) => `-- ${note}`),
    ...sql.map((statement) => `${statement};`),
    '',
  ])
}
