import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Session } from '../../database/database.js'
import {
  advanceSql,
  readJournal,
  type BackfillMark,
  type LedgerPlace,
  type StatementAttempt,
} from '../../database/ledger.js'
import { quoteLiteral, quoteName } from '../../database/quote.js'
import { SqlError } from '../../database/sql-error.js'
import { problem } from '../../errors.js'
import type { Step } from '../../plan/plan.js'
import { backOff, interruption, type StepContext } from '../run-transaction.js'
import type { Backfill, BackfillOptions, MigrationDb } from './backfill-call.js'
import type { ModuleRun } from './module-run.js'

/** Where back-fills note how far they came. Both are called in the transaction of a batch. */
export interface Journal {
  /** Locks it until the end of the transaction: whoever was killed may still be running a batch on the server. */
  read(name: string): Promise<BackfillMark>
  write(name: string, mark: BackfillMark): Promise<void>
}

export function ledgerJournal(step: Step, session: Session, place: LedgerPlace): Journal {
  const { version, direction } = step
  let known: { readonly done: number; readonly attempt: StatementAttempt | undefined } | undefined
  return {
    async read(name) {
      known = await readJournal(session, place, version)
      return known?.attempt?.backfills?.[name] ?? { rows: 0, done: false }
    },
    async write(name, mark) {
      const done = known?.done ?? 0
      const attempt = { statement: 0, backfills: { ...known?.attempt?.backfills, [name]: mark } }
      await session.script(advanceSql(place, { version, direction, from: done, to: done + 1, attempt }))
    },
  }
}

/** For a throw-away database, on which nobody goes on. */
export function forgetfulJournal(): Journal {
  const marks = new Map<string, BackfillMark>()
  return {
    read: (name) => Promise.resolve(marks.get(name) ?? { rows: 0, done: false }),
    write: (name, mark) => {
      marks.set(name, mark)
      return Promise.resolve()
    },
  }
}

/** Within one transaction there are no batches. */
export function noBackfill(): Backfill {
  return (_, { table }) => Promise.reject(problem('backfill.in-transaction', { table }))
}

type Context = Pick<StepContext, 'config' | 'signal' | 'onRetry' | 'onBackfill'>

/** Locks that were not to be had, deadlocks, and what a serialisable transaction of others upset: the batch is tried again. */
const PASSING = new Set(['55P03', '40P01', '40001'])

export function backfillOf(run: ModuleRun, journal: Journal, context: Context): Backfill {
  const names = new Set<string>()
  return async (db, options) => {
    const plan = planOf(options)
    if (names.has(plan.name))
      throw problem('backfill.bad-options', {
        table: options.table,
        why: `there is another one called ${plan.name} in this migration; give each a name`,
      })
    names.add(plan.name)
    const estimate = await checkKey(run.ground.session, plan)
    for (let retries = 0; ;) {
      const { signal } = context
      if (signal.aborted) throw interruption(signal)
      let mark: BackfillMark
      try {
        mark = await oneBatch(db as unknown as Kysely<Rows>, plan, options, journal)
        retries = 0
      } catch (error) {
        if (!(error instanceof SqlError) || !PASSING.has(error.sqlstate)) throw error
        if (retries >= context.config.lockRetries) throw error
        await backOff(retries++, context)
        continue
      }
      context.onBackfill(plan.table, mark.rows, estimate)
      if (mark.done) {
        run.rows += mark.rows
        return { rows: mark.rows }
      }
      if (plan.pauseMs > 0) await sleep(plan.pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

type Rows = Record<string, Record<string, unknown>>

interface BackfillPlan {
  readonly name: string
  readonly table: string
  readonly key: readonly string[]
  readonly batch: number
  readonly pauseMs: number
}

function planOf<DB>({
  table,
  key,
  batch = 1_000,
  pauseMs = 0,
  name = table,
  set,
  run,
}: BackfillOptions<DB>): BackfillPlan {
  const columns = typeof key === 'string' ? [key] : key
  const wrong = (why: string): Error => problem('backfill.bad-options', { table, why })
  if (columns.length === 0) throw wrong('key names no column')
  if (!Number.isInteger(batch) || batch < 1)
    throw wrong(`batch is ${String(batch)}, expected a whole number from 1`)
  if ((set === undefined) === (run === undefined)) throw wrong('it takes either set or run')
  return { name, table, key: columns, batch, pauseMs }
}

/** One transaction: the rows behind the mark, what becomes of them, and the mark behind them. */
function oneBatch<DB extends MigrationDb>(
  db: Kysely<Rows>,
  plan: BackfillPlan,
  { where, set, run }: BackfillOptions<DB>,
  journal: Journal,
): Promise<BackfillMark> {
  const { table, key, batch, name } = plan
  return db.transaction().execute(async (trx) => {
    const mark = await journal.read(name)
    if (mark.done) return mark
    let chosen = trx.selectFrom(table)
    if (mark.cursor !== undefined) chosen = chosen.where(compared(key, '>', mark.cursor))
    if (where !== undefined) chosen = chosen.where(where as never)
    const found = await key
      .reduce((query, column) => query.orderBy(column), chosen)
      .select((eb) => key.map((column, index) => eb.cast(eb.ref(column), 'text').as(`k${String(index)}`)))
      .limit(batch)
      .execute()
    const keys = found.map((row) =>
      key.map((_, index) => (row as Record<string, string>)[`k${String(index)}`] ?? ''),
    )
    const last = keys.at(-1)
    const next: BackfillMark = {
      ...((last ?? mark.cursor) === undefined ? {} : { cursor: last ?? mark.cursor ?? [] }),
      rows: mark.rows + keys.length,
      done: keys.length < batch,
    }
    if (last !== undefined) {
      if (set !== undefined) {
        let update = trx
          .updateTable(table)
          .set(set)
          .where(compared(key, '<=', last))
        if (mark.cursor !== undefined) update = update.where(compared(key, '>', mark.cursor))
        if (where !== undefined) update = update.where(where as never)
        await update.execute()
      }
      const shown = keys.map((one) => (key.length === 1 ? (one[0] ?? '') : one))
      await run?.(trx as unknown as DB, { keys: shown, rowsBefore: mark.rows })
    }
    await journal.write(name, next)
    return next
  })
}

/** (a, b) > ('1', '2'): as text, which PostgreSQL reads as the columns' types. */
function compared(columns: readonly string[], operator: '>' | '<=', values: readonly string[]): never {
  const build = (eb: {
    (left: unknown, operator: string, right: unknown): unknown
    refTuple(...columns: string[]): unknown
    tuple(...values: string[]): unknown
  }): unknown =>
    columns.length === 1
      ? eb(columns[0], operator, values[0])
      : eb(eb.refTuple(...columns), operator, eb.tuple(...values))
  return build as never
}

/** Fails where the key could stand for several rows, or for none; returns about how many rows there are. */
async function checkKey(session: Session, { table, key }: BackfillPlan): Promise<number | undefined> {
  const relation = `pg_catalog.to_regclass(${quoteLiteral(table.split('.').map(quoteName).join('.'))})`
  const columns = `array[${[...key].map(quoteLiteral).join(',')}]`
  const [row] = await session.script(
    `select c.reltuples::pg_catalog.int8, exists (
       select from pg_catalog.pg_index i
        where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
          and i.indnkeyatts = pg_catalog.cardinality(${columns})
          and (select pg_catalog.bool_and(a.attnotnull and a.attname::text = any(${columns}))
                 from pg_catalog.generate_series(0, i.indnkeyatts - 1) as position
                 join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[position]))
       from pg_catalog.pg_class c where c.oid = ${relation}`,
  )
  // A table that is not there is for the database to refuse.
  if (row === undefined) return undefined
  const [estimate, isKey] = row
  if (isKey !== 't') throw problem('backfill.no-key', { table, columns: key })
  return Number(estimate) < 0 ? undefined : Number(estimate)
}
