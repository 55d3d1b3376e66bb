import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { problem } from '../errors.js'
import type { Slice } from './load-sql.js'

/**
 * Which row made a statement fail: halves the rows, keeps the half that goes well (a later row may collide with it) and looks into
 * the one that does not. Undefined when the statement fails differently in parts, so that no row can be blamed.
 */
export async function findCulprit(
  session: Session,
  rows: number,
  sql: (slice: Slice) => string | undefined,
  refusal: SqlError,
  signal: AbortSignal,
): Promise<number | undefined> {
  const interrupted = (): boolean => signal.aborted
  const attempt = async (slice: Slice): Promise<SqlError | undefined> => {
    if (interrupted()) throw problem('run.interrupted', {})
    try {
      await session.script(`savepoint dbkit_half;${sql(slice) ?? ''};release savepoint dbkit_half`)
      return undefined
    } catch (error) {
      if (!(error instanceof SqlError) || error.connectionLost || interrupted()) throw error
      await session.script('rollback to savepoint dbkit_half')
      return error
    }
  }
  let from = 1
  let to = rows
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if ((await attempt({ from, to: middle })) === undefined) from = middle + 1
    else to = middle
  }
  const alone = await attempt({ from, to })
  const same = alone?.sqlstate === refusal.sqlstate && alone.fields.constraint === refusal.fields.constraint
  return same ? from : undefined
}
