import type { ChalkInstance } from 'chalk'
import type { DriftDifference, DriftExplanation, DriftReport } from '../index.js'

/** What differs, an object a paragraph, with the place that explains it. */
export function renderDrift(report: DriftReport, paint: ChalkInstance): readonly string[] {
  const { at, comparedOn, differences } = report
  const version = comparedOn.version === undefined ? '' : `PostgreSQL ${comparedOn.version}, `
  const count = differences.length
  return [
    `  ${paint.dim(`at ${at ?? 'no migration'}, compared on ${version}${comparedOn.label}`)}`,
    ...differences.flatMap((difference) => renderDifference(difference, paint)),
    count === 0
      ? `  ${paint.green('✓')} the database is what its migrations make`
      : `  ${paint.dim(count === 1 ? '1 difference' : `${String(count)} differences`)}`,
  ]
}

const WORDS = { missing: 'missing', extra: 'extra  ', changed: 'changed' } as const

function renderDifference(
  { object, kind, changes, explanation }: DriftDifference,
  paint: ChalkInstance,
): readonly string[] {
  return [
    `  ${paint.red('✗')} ${paint.red(WORDS[kind])}  ${object}`,
    ...changes.map((change) => `             ${change}`),
    `             ${renderExplanation(explanation, kind, paint)}`,
  ]
}

function renderExplanation(
  explanation: DriftExplanation,
  difference: DriftDifference['kind'],
  paint: ChalkInstance,
): string {
  const { kind, file, line } = explanation
  const place = paint.cyan(line === undefined ? (file ?? '') : `${file ?? ''}:${String(line)}`)
  switch (kind) {
    case 'undone':
      return difference === 'missing' ? `made by ${place}` : `as it was before ${place}`
    case 'altered':
      return `not as ${place} made it`
    case 'kept':
      return `taken away by ${place}`
    case 'pending':
      return `as ${place} would make it, which is not applied`
    case 'unknown':
      return paint.dim('no migration knows it')
  }
}
