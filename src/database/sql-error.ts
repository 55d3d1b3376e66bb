import type { SqlErrorReport } from '../report.js'

/** What an engine says when it refuses a statement, the same for `pg` and PGlite. */
export class SqlError extends Error {
  override readonly name = 'SqlError'
  readonly sqlstate: string
  readonly fields: SqlErrorReport
  /** Where in the text that was sent, in characters from 0; PostgreSQL counts code points from 1. */
  readonly position: number | undefined
  /** True when the connection is gone, so that nobody knows whether the statement (or its commit) took effect. */
  readonly connectionLost: boolean
  /** How many statements of the message ended well before the one that failed. */
  completed = 0
  /** The statement, where it stands in no file. */
  sql: string | undefined

  constructor(
    message: string,
    fields: SqlErrorReport,
    position: number | undefined,
    connectionLost: boolean,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.sqlstate = fields.sqlstate
    this.fields = fields
    this.position = position
    this.connectionLost = connectionLost
  }
}

/** The names under which `pg` and PGlite deliver a protocol error. */
interface ServerError {
  readonly message: string
  readonly code?: unknown
  readonly severity?: unknown
  readonly detail?: unknown
  readonly hint?: unknown
  readonly position?: unknown
  readonly where?: unknown
  readonly schema?: unknown
  readonly table?: unknown
  readonly column?: unknown
  readonly constraint?: unknown
  readonly dataType?: unknown
}

/**
 * SQLSTATE of "there is no transaction in progress": what the ROLLBACK says that follows a message with wrong syntax, of which the server
 * began nothing. It would stand above the error that matters; files hold no ROLLBACK of their own.
 */
export const NOTHING_BEGUN = '25P01'

/**
 * Turns whatever an engine threw into a SqlError. 57P01 to 57P05 are the server's goodbye (shutdown, crash of another
 * session, still starting, database dropped, idle for too long), 25P03 and 25P04 too (too long idle in a transaction, or in one at
 * all), class 08 is a broken connection. FATAL ends the session whatever it was, where the server says it in English. Anything
 * without a SQLSTATE came from the socket.
 */
export function toSqlError(thrown: unknown): SqlError {
  if (thrown instanceof SqlError) return thrown
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as ServerError & Error
  const sqlstate = typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
  const position = Number(error.position)
  const text = (name: string, value: unknown): object =>
    typeof value === 'string' && value !== '' ? { [name]: value } : {}
  const fields: SqlErrorReport = {
    sqlstate: sqlstate ?? '08006',
    ...text('severity', error.severity),
    ...text('detail', error.detail),
    ...text('hint', error.hint),
    ...text('where', error.where),
    ...text('schema', error.schema),
    ...text('table', error.table),
    ...text('column', error.column),
    ...text('constraint', error.constraint),
    ...text('dataType', error.dataType),
  }
  const lost =
    sqlstate === undefined ||
    /^(57P0[1-5]|25P0[34]|08...)$/.test(sqlstate) ||
    /^(?:FATAL|PANIC)$/.test(fields.severity ?? '')
  return new SqlError(error.message, fields, position > 0 ? position - 1 : undefined, lost, error)
}
