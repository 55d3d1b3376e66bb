import type { ChalkInstance } from 'chalk'
import type { BenchReport } from '../index.js'

/** A query a line; below it, what it reads it by, and the whole plan where it was too slow. */
export function renderBench({ queries, storage }: BenchReport, paint: ChalkInstance): readonly string[] {
  const width = Math.max(0, ...queries.map(({ name }) => name.length))
  const time = (ms: number): string => `${ms < 100 ? ms.toFixed(1) : String(Math.round(ms))} ms`.padStart(9)
  const lines = queries.flatMap(({ name, within, met, p50, p95, p99, indexes, scans, plan }) => {
    const mark = met ? paint.green('✓') : paint.red('✗')
    const by = [
      indexes.length === 0 ? 'no index' : `by ${indexes.join(', ')}`,
      ...(scans.length === 0 ? [] : [`reads all of ${scans.join(', ')}`]),
    ]
    return [
      `  ${mark} ${name.padEnd(width)} ${time(p95)} ${paint.dim(`of ${time(within).trim().padStart(7)}  p50 ${time(p50).trim()}, p99 ${time(p99).trim()}`)}`,
      `    ${paint.dim(by.join('; '))}`,
      ...(met ? [] : plan.map((line) => `      ${paint.dim(line)}`)),
    ]
  })
  const missed = queries.filter(({ met }) => !met).length
  const sizes = storage === undefined ? [] : renderStorage(storage, paint)
  const end =
    missed === 0
      ? `${String(queries.length)} targets met (p95)`
      : `${String(missed)} of ${String(queries.length)} targets missed (p95)`
  return [...lines, ...sizes, `  ${paint.dim(end)}`]
}

function renderStorage(
  { tables, rows, unit, allowed, perUnit, ownPerUnit, met }: NonNullable<BenchReport['storage']>,
  paint: ChalkInstance,
): readonly string[] {
  const size = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`
  const of = `${unit.toLocaleString('en-US')} rows of ${tables.join(' and ')}`
  return [
    `  ${met ? paint.green('✓') : paint.red('✗')} ${of} take ${size(perUnit)} ${paint.dim(`of ${size(allowed)}, all other tables included; ${size(ownPerUnit)} by themselves (${rows.toLocaleString('en-US')} rows)`)}`,
  ]
}
