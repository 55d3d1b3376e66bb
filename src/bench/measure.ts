import type { Session, TextRow } from '../database/database.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { problem } from '../errors.js'
import type { BenchedQuery, BenchedStorage } from '../report.js'
import { describePlan, type PlanNode } from './describe-plan.js'
import type { Target, Targets } from './targets.js'

export interface MeasureOptions {
  /** Of each query, after three that do not count. */
  readonly runs: number
  readonly file: string
  readonly signal: AbortSignal
}

const WARM_UP = 3
/** What is far too slow need not be waited for a hundred times. */
const PATIENCE_MS = 15_000
const LEAST_RUNS = 5
const PARAMETER_ROWS = 200

/** Runs one query again and again, each time with the parameters of the next row, in a transaction that can only read. */
export async function measure(
  session: Session,
  target: Target,
  options: MeasureOptions,
): Promise<BenchedQuery> {
  const { name, within, sql } = target
  try {
    await session.script('begin read only')
    const rows = await parametersOf(session, target, options.file)
    const first = rows[0] ?? []
    const [explained] = await session.query(`explain (format json) ${sql}`, [...first])
    const [root] = JSON.parse(explained?.[0] ?? '[]') as readonly { readonly Plan?: PlanNode }[]
    const times: number[] = []
    let read = 0
    const startedAt = performance.now()
    for (let run = -WARM_UP; run < options.runs && !options.signal.aborted; run++) {
      const parameters = rows[(run + WARM_UP) % rows.length] ?? []
      const before = performance.now()
      const answer = await session.query(sql, [...parameters])
      if (run < 0) continue
      times.push(performance.now() - before)
      read += answer.length
      if (performance.now() - startedAt > PATIENCE_MS && times.length >= LEAST_RUNS) break
    }
    await session.script('rollback')
    times.sort((a, b) => a - b)
    const p95 = percentile(times, 0.95)
    return {
      name,
      within,
      met: p95 <= within,
      runs: times.length,
      rows: times.length === 0 ? 0 : Math.round(read / times.length),
      p50: percentile(times, 0.5),
      p95,
      p99: percentile(times, 0.99),
      ...(root?.Plan === undefined ? { plan: [], indexes: [], scans: [] } : describePlan(root.Plan)),
    }
  } catch (error) {
    if (!session.lost) await session.script('rollback').catch(() => undefined)
    if (!(error instanceof SqlError) || session.lost || options.signal.aborted) throw error
    throw problem('bench.refused', { file: options.file, name, message: error.message }, { cause: error })
  }
}

async function parametersOf(
  session: Session,
  { name, parameters }: Target,
  file: string,
): Promise<readonly TextRow[]> {
  if (parameters === undefined) return [[]]
  const rows = await session.query(
    `select * from (${parameters.replace(/;\s*$/, '')}) as parameters limit ${String(PARAMETER_ROWS)}`,
  )
  if (rows.length === 0) throw problem('bench.no-parameters', { file, name })
  return rows
}

/** The time that this share of the runs stays within. */
function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return Math.round(value * 100) / 100
}

/** What the database takes, shared out among the rows of some tables. */
export async function measureStorage(
  session: Session,
  { tables, rows: unit, bytes: allowed }: NonNullable<Targets['storage']>,
): Promise<BenchedStorage> {
  const counts = tables.map((table) => `(select pg_catalog.count(*) from ${table})`)
  const [found = []] = await session.query(
    `select ${counts.join(' + ')},
       (select coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0) from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'),
       ${tables.map((table) => `pg_catalog.pg_total_relation_size(${quoteLiteral(table)}::pg_catalog.regclass)`).join(' + ')}`,
  )
  const [rows, bytes, own] = found.map(Number)
  const per = (size: number | undefined): number => Math.round(((size ?? 0) / Math.max(1, rows ?? 0)) * unit)
  return {
    tables,
    rows: rows ?? 0,
    bytes: bytes ?? 0,
    unit,
    allowed,
    perUnit: per(bytes),
    ownPerUnit: per(own),
    met: per(bytes) <= allowed,
  }
}
