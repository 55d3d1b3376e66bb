import { cancellable } from '../apply/run-transaction.js'
import { sqlFailure } from '../apply/sql-failure.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { BEGIN } from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { throwProblems, type DbkitError } from '../errors.js'
import { refuseObstacles, type ScriptText } from '../workspace/migration-file.js'
import { splitStatements, type Statement } from '../workspace/statements.js'

interface Waiting {
  readonly script: ScriptText
  readonly statement: Statement
}

/** pg_dump puts its output between two lines for psql, and so does whatever keeps it as a file, as Rails keeps structure.sql. */
function withoutDumpGuard(script: ScriptText): ScriptText {
  const blank = (line: string): string => ' '.repeat(line.length)
  return { ...script, text: script.text.replaceAll(/^\\(?:un)?restrict\b.*$/gm, blank) }
}

/**
 * Runs the files of a declared schema in an empty database, whatever their order: a statement that needs what another file makes is
 * tried again after it. Fails with the statements that nothing helps.
 */
export async function loadDeclared(
  session: Session,
  files: readonly ScriptText[],
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<void> {
  const scripts = files.map(withoutDumpGuard)
  throwProblems(scripts.flatMap((script) => refuseObstacles(script)))
  let waiting: readonly Waiting[] = scripts.flatMap((script) =>
    splitStatements(script.text).map((statement) => ({ script, statement })),
  )
  // Bodies may name what no edge leads to, and what comes later.
  const begin = [
    BEGIN,
    'set local check_function_bodies to off',
    `set local search_path to ${config.searchPath}`,
    `set local timezone to ${quoteLiteral(config.timeZone)}`,
  ]
  await session.script(begin.join(';'))
  try {
    while (waiting.length > 0) {
      const refused = await cancellable(session, signal, () => runAll(session, waiting))
      if (refused.length === waiting.length) throwProblems(refused.map(({ why }) => why))
      waiting = refused
    }
    await session.script('set constraints all immediate;commit')
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

/** One round over what is left; returns what was refused, and why. */
async function runAll(
  session: Session,
  waiting: readonly Waiting[],
): Promise<readonly (Waiting & { readonly why: DbkitError })[]> {
  const refused: (Waiting & { why: DbkitError })[] = []
  for (const one of waiting) {
    const { script, statement } = one
    const before = 'savepoint dbkit_declared;'
    try {
      await session.script(`${before}${statement.text}\n;release savepoint dbkit_declared`)
    } catch (error) {
      if (!(error instanceof SqlError) || error.connectionLost || error.sqlstate === '57014') throw error
      await session.script('rollback to savepoint dbkit_declared;release savepoint dbkit_declared')
      const sent = { start: statement.start, charactersBefore: before.length, statementsBefore: 1 }
      refused.push({ ...one, why: sqlFailure(error, script, sent) })
    }
  }
  return refused
}
