import { composeMessage, interruption } from '../apply/run-transaction.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError } from '../errors.js'
import type { Step } from '../plan/plan.js'
import { isRefusal } from '../prove/candidates.js'
import { runWithin } from '../prove/run-steps.js'
import { splitStatements, transactionality } from '../workspace/statements.js'
import { textOf, type MadeRow } from './made-row.js'

/**
 * taken · refused (by PostgreSQL, in one of the steps) · guarded (the file itself raises an error, in a DO block, as one does who has
 * thought of such rows) · unfit (the rows cannot be inserted, so they are no question)
 */
export type Outcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'unfit'; readonly error: SqlError }
  | { readonly kind: 'guarded'; readonly message: string }
  | Refused

export interface Refused {
  readonly kind: 'refused'
  readonly error: SqlError
  readonly step: Step
  /** Tells one failure from another, whatever the values are. */
  readonly signature: string
}

/** Runs steps over rows, and leaves nothing behind. */
export type Try = (rows: readonly MadeRow[]) => Promise<Outcome>

/** The same over the rows that some SQL inserts. */
export type TrySql = (sql: string) => Promise<Outcome>

export function overRows(attempt: TrySql): Try {
  return (rows) => attempt(textOf(rows))
}

export interface TrialOptions {
  readonly session: () => Promise<Session>
  readonly config: DatabaseConfig
  readonly signal: AbortSignal
  /** Run after the rows were inserted. */
  readonly afterRows: readonly string[]
}

export const SETTINGS = [
  'set local timezone to utc',
  'set local datestyle to iso',
  'set local standard_conforming_strings to on',
]

/** In one transaction, which is rolled back. What cannot run in one is run without CONCURRENTLY, or left out where that is all it does. */
export function tryInTransaction(steps: readonly Step[], options: TrialOptions): TrySql {
  const together = steps.map(asTransaction)
  return async (sql) => {
    const { signal } = options
    if (signal.aborted) throw interruption(signal)
    const session = await options.session()
    try {
      const unfit = await insert(session, sql, options)
      if (unfit !== undefined) return { kind: 'unfit', error: unfit }
      for (const step of together) {
        const failed = await runStep(session, step, options)
        if (failed !== undefined) return failed
      }
      return { kind: 'taken' }
    } finally {
      if (!session.lost) await session.script('rollback')
    }
  }
}

async function insert(
  session: Session,
  sql: string,
  { config: { searchPath }, afterRows }: TrialOptions,
): Promise<SqlError | undefined> {
  const begin = [
    'begin isolation level read committed',
    ...SETTINGS,
    `set local search_path to ${searchPath}`,
  ]
  await session.script(begin.join(';'))
  if (sql === '') return undefined
  try {
    // What is deferred would still be pending when a table is altered.
    await session.script([sql, ...afterRows, 'set constraints all immediate'].join('\n;'))
    return undefined
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || error.sqlstate === '57014') throw error
    return error
  }
}

async function runStep(
  session: Session,
  step: Step,
  { config, signal }: TrialOptions,
): Promise<Outcome | undefined> {
  try {
    await runWithin(session, step, config, signal)
    await session.script('set constraints all immediate')
    return undefined
  } catch (error) {
    if (signal.aborted) throw interruption(signal)
    if (session.lost) throw error
    return judgeError(error, step, config)
  }
}

/** What an error of a step says; an error that is none of the step's doing is thrown on. */
export function judgeError(thrown: unknown, step: Step, config: DatabaseConfig): Outcome {
  const error = thrown instanceof DbkitError ? thrown.cause : thrown
  if (isRefusal(error)) return { kind: 'guarded', message: (error as Error).message }
  if (!(error instanceof SqlError)) throw thrown
  // A label that an earlier step of the same transaction has added: for real it is committed by then.
  if (error.sqlstate === '55P04') return { kind: 'taken' }
  const { sent } = composeMessage(step, config, { begin: false })
  const { table, column, constraint } = error.fields
  const statement = Math.max(0, error.completed - sent.statementsBefore)
  const signature = [step.direction, statement, error.sqlstate, table, column, constraint].join(' ')
  return { kind: 'refused', error, step, signature }
}

/** The same step with nothing in it that PostgreSQL refuses in a transaction. Every place in the text stays where it is. */
export function asTransaction(step: Step): Step {
  const { script } = step
  if (script.module !== undefined) return step
  let text = script.text
  for (const statement of splitStatements(text)) {
    if (transactionality(statement) !== 'outside-only') continue
    const [, what = ''] = statement.words
    const keeps = /^(?:create|drop)$/.test(statement.words[0] ?? '') && /^(?:index|unique)$/.test(what)
    const shown = keeps ? statement.text.replace(/\bconcurrently\b/i, blank) : blank(statement.text)
    text = text.slice(0, statement.start) + shown + text.slice(statement.end)
  }
  return {
    ...step,
    transaction: true,
    script: { ...script, text, directives: { ...script.directives, transaction: true } },
  }
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ')
}
