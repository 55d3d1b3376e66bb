import type { ChalkInstance } from 'chalk'
import type { GenerateReport } from '../index.js'

/** What was made, table by table, and how it can be made again. */
export function renderGenerate(
  { tables, seed, today, durationMs }: GenerateReport,
  { paint, time }: { readonly paint: ChalkInstance; readonly time: (milliseconds: number) => string },
): readonly string[] {
  const width = Math.max(0, ...tables.map(({ table }) => table.length))
  const number = (n: number): string => n.toLocaleString('en-US')
  const lines = tables.map(({ table, rows, bytes, durationMs: took, refused }) => {
    const size = `${(bytes / 1_000_000).toFixed(1)} MB`.padStart(10)
    const others = refused === undefined ? '' : `, ${number(refused)} more left out`
    return `  ${paint.green('✓')} ${table.padEnd(width)} ${paint.dim(`${number(rows).padStart(11)} rows ${size} ${time(took).padStart(8)}${others}`)}`
  })
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const end = `${number(rows)} rows in ${time(durationMs)}; again with --seed ${String(seed)} --today ${today} on the same rows`
  return [...lines, `  ${paint.dim(end)}`]
}
