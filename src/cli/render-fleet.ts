import type { ChalkInstance } from 'chalk'
import type { FleetReport } from '../index.js'

/** Names beside their version, as far as a line holds them. */
const NAMED = 6

/** A thousand targets on a few lines: who is at which version, and those that failed by name. */
export function renderFleet(
  { targets, summary, versions, connections, concurrency, durationMs }: FleetReport,
  paint: ChalkInstance,
  time: (milliseconds: number) => string,
): readonly string[] {
  const number = (n: number): string => n.toLocaleString('en-US')
  const width = Math.max(0, ...versions.map(({ version }) => (version === '' ? NOTHING : version).length))
  const most = Math.max(0, ...versions.map(({ count }) => count))
  const groups = versions.map(({ version, count, targets: names }) => {
    const shown = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ', …' : '')
    // Of those that are the most, the names say nothing.
    const about = count === most && count > NAMED ? '' : shown
    return `  ${(version === '' ? NOTHING : version).padEnd(width)}  ${number(count).padStart(6)}  ${paint.dim(about)}`.trimEnd()
  })
  const failed = targets.flatMap(({ name, error }) =>
    error === undefined
      ? []
      : [
          `  ${paint.red('✗')} ${name}  ${error.message}`,
          ...(error.file === undefined
            ? []
            : [`      ${paint.cyan(`${error.file}:${String(error.line ?? 1)}`)}`]),
        ],
  )
  const counts = Object.entries(summary)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${number(count)} ${outcome === 'not-run' ? 'not run' : outcome}`)
  const end = `${counts.join(', ')} in ${time(durationMs)}, ${number(concurrency)} at a time, ${number(connections)} connections`
  return [...groups, ...failed, `  ${paint.dim(end)}`]
}

const NOTHING = '(nothing applied)'
