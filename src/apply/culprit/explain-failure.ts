import type { DatabaseConfig } from '../../config/config.js'
import type { SessionKeeper } from '../../database/keep-session.js'
import { SqlError } from '../../database/sql-error.js'
import type { DbkitError, SourceLocation } from '../../errors.js'
import { locationIn, type ScriptText } from '../../workspace/migration-file.js'
import { splitStatements } from '../../workspace/statements.js'
import { hiddenValue, shownValue, withoutConstants, type Finder } from './culprit.js'
import { blockers } from './locks.js'
import { dependents, nearestNames } from './names.js'
import { missingRights } from './rights.js'
import { badValues, duplicateKeys, nullRows, orphans, stillReferenced, violatingRows } from './rows.js'

const FINDERS: readonly Finder[] = [
  duplicateKeys,
  nullRows,
  violatingRows,
  orphans,
  stillReferenced,
  dependents,
  blockers,
  nearestNames,
  badValues,
  missingRights,
]

/** A look at a large table must not keep the others waiting who want to migrate. */
const PATIENCE_MS = 5_000

function isBehind(one: SourceLocation, other: SourceLocation): boolean {
  return one.line > other.line || (one.line === other.line && one.column > other.column)
}

/**
 * A failure with its culprit: the rows, sessions or names that made PostgreSQL refuse the statement. Looks at the database as it is
 * once the failed migration is rolled back, in transactions that change nothing; where nothing can be found or the look takes
 * longer than five seconds, the failure is told as it is.
 */
export async function explainFailure(
  error: DbkitError,
  script: ScriptText,
  sessions: SessionKeeper,
  config: DatabaseConfig,
  { redact = false }: { readonly redact?: boolean | undefined },
): Promise<DbkitError> {
  const { cause, location } = error
  if (error.code !== 'database.refused' || !(cause instanceof SqlError) || cause.connectionLost) return error
  const refused = redact ? withoutValues(cause) : cause
  const told = redact ? error.with({ message: refused.message, cause: refused }) : error
  const statement =
    cause.sql === undefined
      ? splitStatements(script.text).findLast(
          (one) => location !== undefined && !isBehind(locationIn(script, one.start), location),
        )
      : { text: cause.sql }
  if (statement === undefined) return told
  try {
    const session = await sessions.current()
    const look = async (sql: string): ReturnType<typeof session.script> => {
      const settings = [
        `set local statement_timeout=${String(PATIENCE_MS)}`,
        'set local lock_timeout=1000',
        `set local search_path to ${config.searchPath}`,
      ]
      try {
        return await session.script(`begin;${settings.join(';')};${sql};rollback`)
      } catch (thrown) {
        if (!session.lost) await session.script('rollback')
        throw thrown
      }
    }
    for (const find of FINDERS) {
      const culprit = await find({
        error: cause,
        statement: statement.text,
        look,
        value: redact ? hiddenValue : shownValue,
        query: redact ? withoutConstants : (sql) => sql,
      })
      if (culprit !== undefined) return told.with({ culprit })
    }
  } catch (thrown) {
    // The explanation could not be had: a table of the same migration, a right that is missing, too much to count. The failure stands.
    if (!(thrown instanceof SqlError)) throw thrown
  }
  return told
}

/** PostgreSQL's own words quote values too: in DETAIL, and of some errors in the message. */
function withoutValues(error: SqlError): SqlError {
  const { detail, where: _where, ...fields } = error.fields
  const hidden = detail
    ?.replace(/^(Key \(.*?\))=\(.*\)/s, '$1=(‹…›)')
    .replace(/^Failing row contains .*$/s, 'Failing row contains (‹…›).')
  const message = /^(?:22|23)/.test(error.sqlstate)
    ? error.message.replace(/: "[^]*"$/, ': "‹…›"').replace(/^value "[^]*" (?=is|out)/, 'value "‹…›" ')
    : error.message
  return new SqlError(
    message,
    { ...fields, ...(hidden === undefined ? {} : { detail: hidden }) },
    error.position,
    error.connectionLost,
  )
}
