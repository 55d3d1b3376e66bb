import { SqlError } from '../database/sql-error.js'
import { problem, type DbkitError, type SourceLocation } from '../errors.js'

/** A refusal of the database as a problem at its place in a seed file. */
export function seedFailure(error: SqlError, location: SourceLocation | undefined): DbkitError {
  return problem(
    'seed.refused',
    { message: error.message, hint: adviceFor(error) },
    { location, cause: withoutCopyLine(error) },
  )
}

/** "COPY dbkit_seed_1, line 3" counts the lines that dbkit sent, which are not those of the file. */
function withoutCopyLine(error: SqlError): SqlError {
  const { where, ...fields } = error.fields
  if (where?.startsWith('COPY ') !== true) return error
  return new SqlError(error.message, fields, undefined, error.connectionLost, error)
}

function adviceFor(error: SqlError): string | undefined {
  switch (error.sqlstate) {
    case '55P03':
      return 'Others held a lock on the table longer than lock_timeout allows. Nothing of the seeds was kept; run them again, or raise --lock-timeout.'
    case '42501':
      return 'The role that seeds lacks a right on the table. Nothing of the seeds was kept.'
    default:
      return undefined
  }
}
