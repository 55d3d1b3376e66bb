import type { ChalkInstance } from 'chalk'
import type { DoctorFinding, DoctorReport } from '../index.js'

const MARKS = { error: ['✗', 'red'], warning: ['!', 'yellow'], info: ['·', 'dim'] } as const

/** A finding a paragraph, with the statement that mends it to be copied; then what was not looked at. */
export function renderDoctor(report: DoctorReport, paint: ChalkInstance): readonly string[] {
  const { checks, findings, summary, engines = [] } = report
  const accepted = findings.filter((one) => one.accepted !== undefined)
  const skipped = checks.filter(({ outcome }) => outcome === 'not-looked-at')
  return [
    ...findings.filter((one) => one.accepted === undefined).flatMap((one) => renderFinding(one, paint)),
    ...accepted.map(
      (one) => `  ${paint.dim(`accepted  ${one.check}  ${one.object}: ${one.accepted ?? ''}`)}`,
    ),
    ...engines.map(
      ({ engine, chosen, reason }) =>
        `  ${chosen ? paint.green('engine') : paint.dim('not')}  ${engine}: ${paint.dim(reason)}`,
    ),
    ...skipped.map(({ check, reason }) => `  ${paint.dim(`not looked at  ${check}: ${reason ?? ''}`)}`),
    summary.error + summary.warning + summary.info === 0
      ? `  ${paint.green('✓')} ${String(checks.length - skipped.length)} checks, nothing found`
      : `  ${paint.dim(
          `${String(checks.length - skipped.length)} checks: ${(['error', 'warning', 'info'] as const)
            .filter((level) => summary[level] > 0)
            .map(
              (level) =>
                `${String(summary[level])} ${level === 'info' || summary[level] === 1 ? level : `${level}s`}`,
            )
            .join(', ')}`,
        )}`,
  ]
}

function renderFinding(
  { check, level, object, message, why, mend }: DoctorFinding,
  paint: ChalkInstance,
): readonly string[] {
  const [mark, color] = MARKS[level]
  return [
    `  ${paint[color](mark)} ${paint[color](check)}  ${paint.bold(object)}: ${message}`,
    `      ${paint.dim(why)}`,
    ...mend.text.split('\n').map((line) => `      ${mend.kind === 'advice' ? line : paint.cyan(line)}`),
  ]
}
