import { problem, type DbkitError, type SourceLocation } from '../errors.js'
import type { SqlError } from '../database/sql-error.js'
import { locationIn, type ScriptText } from '../workspace/migration-file.js'
import { indexOfCodePoint, splitStatements } from '../workspace/statements.js'

/** Where the script stands in the message that was sent. */
export interface Sent {
  /** Index in the script's text of the first character that was sent. */
  readonly start: number
  /** Characters (code points) of the message before it. */
  readonly charactersBefore: number
  /** Statements of the message before it. */
  readonly statementsBefore: number
}

/** A refused statement as a problem at its place in the file: the position PostgreSQL gives, or else the statement it stopped at. */
export function sqlFailure(error: SqlError, script: ScriptText, sent: Sent): DbkitError {
  return problem(
    'database.refused',
    { message: error.message, hint: adviceFor(error, script) },
    { location: locate(error, script, sent), cause: error },
  )
}

function locate(error: SqlError, script: ScriptText, sent: Sent): SourceLocation | undefined {
  const { text } = script
  if (error.position !== undefined) {
    const characters = error.position - sent.charactersBefore
    if (characters >= 0) {
      const index = sent.start + indexOfCodePoint(text.slice(sent.start), characters)
      if (index < text.length) return locationIn(script, index)
    }
  }
  const statements = splitStatements(text).filter(({ start }) => start >= sent.start)
  const failed = statements[error.completed - sent.statementsBefore]
  return failed === undefined ? undefined : locationIn(script, failed.start)
}

/** What to do next, where PostgreSQL's own words leave that open. */
function adviceFor(error: SqlError, script: ScriptText): string | undefined {
  switch (error.sqlstate) {
    case '25001':
      return script.directives.transaction
        ? 'This statement cannot share a transaction: move it to a migration of its own that starts with -- dbkit: no-transaction'
        : undefined
    case '55P03':
      return 'Others held the lock longer than lock_timeout allows, each time it was tried. Find them in pg_stat_activity, or raise --lock-timeout.'
    case '42501':
      return 'The role that migrates lacks a right; connect as the owner of the objects, or have it granted.'
    case '55P04':
      return 'A new enum value can be used only after the transaction that added it: split the migration in two.'
    default:
      return undefined
  }
}
