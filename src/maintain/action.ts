import { cancellable } from '../apply/run-transaction.js'
import type { Observer } from '../apply/observer.js'
import type { Database, Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import type { MaintainStep, MaintainTask } from './maintain-report.js'

/** One thing to be done to one object; it can be shown without being done. */
export interface Action {
  readonly task: MaintainTask
  readonly object: string
  /** What --dry-run prints. */
  readonly sql: readonly string[]
  readonly notes: readonly string[]
  run(context: Context): Promise<Done>
}

export type Done = Pick<MaintainStep, 'rows' | 'batches'> & {
  readonly outcome: 'done' | 'nothing-to-do'
  readonly notes?: readonly string[]
}

export interface Context {
  readonly database: Database
  readonly session: Session
  readonly signal: AbortSignal
  readonly observer: Observer
  readonly name: string
  readonly timeZone: string
  readonly lockTimeoutMs: number
  readonly lockRetries: number
}

/** Runs statements that refuse a transaction, each in a message of its own; settings last no longer than the statement. */
export async function runAlone(context: Context, statements: readonly string[]): Promise<void> {
  const { session, signal } = context
  for (const statement of statements)
    await patiently(context, () =>
      cancellable(session, signal, () =>
        session.alone(
          `set lock_timeout = ${String(context.lockTimeoutMs)};set statement_timeout = 0`,
          statement,
          'reset lock_timeout;reset statement_timeout',
        ),
      ),
    )
}

/** Tries again where a lock was not to be had in time: whoever uses the table has gone before. */
export async function patiently<T>({ signal, lockRetries }: Context, call: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries++)
    try {
      return await call()
    } catch (error) {
      if (
        !(error instanceof SqlError) ||
        error.sqlstate !== '55P03' ||
        retries >= lockRetries ||
        signal.aborted
      )
        throw error
      await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 100 * 2 ** retries)))
    }
}
