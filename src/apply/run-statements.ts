import type { Session } from '../database/database.js'
import {
  completeEntrySql,
  deleteEntrySql,
  insertEntrySql,
  journalSql,
  startRevertSql,
  type StatementAttempt,
} from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { DBKIT_VERSION } from '../package-version.js'
import type { Step } from '../plan/plan.js'
import {
  parseIndexStatement,
  splitStatements,
  transactionality,
  type Statement,
} from '../workspace/statements.js'
import {
  backOff,
  cancellable,
  interruption,
  settings,
  type StepContext,
  type StepResult,
} from './run-transaction.js'
import { sqlFailure } from './sql-failure.js'

/**
 * Runs a file outside a transaction, statement by statement. What can share a transaction with its journal entry does, so that
 * it is done exactly once. What cannot (CREATE INDEX CONCURRENTLY, VACUUM, ...) is announced in the journal first; after a crash the
 * database is asked how far it came.
 */
export async function runStatements(step: Step, context: StepContext): Promise<StepResult> {
  const { ledger } = context.config
  const statements = splitStatements(step.script.text)
  const session = await context.session()
  let retries = 0
  if (step.resume === undefined)
    await session.script(
      step.entry === undefined
        ? startRevertSql(ledger, step.version)
        : insertEntrySql(ledger, step.entry, 'applying', DBKIT_VERSION),
    )
  const first = step.resume?.done ?? 0
  for (const [index, statement] of statements.entries()) {
    if (index < first) continue
    if (context.signal.aborted) throw interruption(context.signal)
    context.onStatement(index, statements.length)
    const attempt = step.resume?.attempt?.statement === index ? step.resume.attempt : undefined
    const alone = attempt !== undefined || transactionality(statement) === 'outside-only'
    if (!alone) {
      const result = await runWithJournal(step, statement, index, context, session)
      retries += result.retries
      if (!result.refusedTransaction) continue
    }
    await runAlone(step, statement, index, context, session, attempt)
  }
  const done =
    step.direction === 'up' ? completeEntrySql(ledger, step.version) : deleteEntrySql(ledger, step.version)
  await session.script(done)
  return { retries, statements: statements.length - first }
}

/** active_sql_transaction and invalid_transaction_termination: the statement (or the procedure it calls) wants to be alone. */
const WANTS_TO_BE_ALONE = new Set(['25001', '2D000'])

async function runWithJournal(
  step: Step,
  statement: Statement,
  index: number,
  context: StepContext,
  session: Session,
): Promise<{ retries: number; refusedTransaction: boolean }> {
  const { config } = context
  const before = ['begin', ...settings(step, config)]
  const prefix = before.join(';') + ';'
  const suffix = `\n;reset role;reset session authorization;${journalSql(config.ledger, step.version, index + 1, undefined)};commit;reset all`
  for (let retries = 0; ; retries++) {
    try {
      await cancellable(session, context.signal, () => session.script(prefix + statement.text + suffix))
      return { retries, refusedTransaction: false }
    } catch (error) {
      if (!(error instanceof SqlError) || error.connectionLost)
        throw failure(error, step, statement, prefix, before.length)
      await session.script('rollback')
      if (context.signal.aborted) throw interruption(context.signal)
      if (WANTS_TO_BE_ALONE.has(error.sqlstate)) return { retries, refusedTransaction: true }
      if (error.sqlstate !== '55P03' || retries >= config.lockRetries)
        throw failure(error, step, statement, prefix, before.length)
      await backOff(retries, context)
    }
  }
}

/**
 * A statement by itself, in a message of its own (two in one message would be a transaction). Without lock_timeout unless the
 * file asks for one: CONCURRENTLY waits for old transactions by design, and a timeout there leaves an invalid index.
 */
async function runAlone(
  step: Step,
  statement: Statement,
  index: number,
  context: StepContext,
  session: Session,
  attempt: StatementAttempt | undefined,
): Promise<void> {
  const { config, signal } = context
  await applySessionSettings(step, context, session)
  if (attempt === undefined) {
    const announced: StatementAttempt = { statement: index, ...(await indexesBefore(statement, session)) }
    await session.script(journalSql(config.ledger, step.version, index, announced))
  }
  const finished = attempt === undefined ? false : await settleLeftover(statement, attempt, session)
  if (!finished) {
    try {
      await cancellable(session, signal, () => session.script(statement.text))
    } catch (error) {
      if (signal.aborted) throw interruption(signal)
      throw failure(error, step, statement, '', 0)
    }
  }
  await session.script(
    `reset role;reset session authorization;${journalSql(config.ledger, step.version, index + 1, undefined)}`,
  )
  await session.script('reset all')
}

/** SET for the session, where it differs from what the session has: outside a transaction there is no SET LOCAL. */
async function applySessionSettings(step: Step, { config }: StepContext, session: Session): Promise<void> {
  const { lockTimeoutMs, statementTimeoutMs } = step.script.directives
  const statements = [
    `set search_path to ${config.searchPath}`,
    `set timezone to ${quoteLiteral(config.timeZone)}`,
    `set lock_timeout=${String(lockTimeoutMs ?? 0)}`,
    `set statement_timeout=${String(statementTimeoutMs ?? config.statementTimeoutMs)}`,
  ]
  await session.script(statements.join(';'))
}

function failure(
  error: unknown,
  step: Step,
  statement: Statement,
  prefix: string,
  statementsBefore: number,
): unknown {
  if (!(error instanceof SqlError)) return error
  const sent = { start: statement.start, charactersBefore: [...prefix].length, statementsBefore }
  return sqlFailure(error, step.script, sent)
}

/** An index that PostgreSQL names itself is told from the ones before it by what was there. */
async function indexesBefore(
  statement: Statement,
  session: Session,
): Promise<Pick<StatementAttempt, 'indexes'>> {
  const parsed = parseIndexStatement(statement)
  if (parsed?.action !== 'create' || parsed.index !== undefined || parsed.table === undefined) return {}
  const rows = await session.query(
    'select indexrelid::text from pg_catalog.pg_index where indrelid = pg_catalog.to_regclass($1)',
    [parsed.table],
  )
  return { indexes: rows.map(([oid]) => oid ?? '') }
}

/**
 * After a crash in the middle of a statement that ran alone: clears what it left behind. True when it had come to its end, so that
 * it must not run again. What leaves no trace (VACUUM, a procedure that commits) runs again.
 */
async function settleLeftover(
  statement: Statement,
  attempt: StatementAttempt,
  session: Session,
): Promise<boolean> {
  const parsed = parseIndexStatement(statement)
  if (parsed === undefined) return settleDatabaseStatement(statement, session)
  if (parsed.action === 'drop') {
    if (parsed.index === undefined) return false
    const rows = await session.query('select pg_catalog.to_regclass($1) is null', [parsed.index])
    return rows[0]?.[0] === 't'
  }
  const leftovers = await findIndexes(parsed, attempt, session)
  for (const { name, valid } of leftovers) if (!valid) await session.script(`drop index concurrently ${name}`)
  // REINDEX replaces the index by a valid one of the same name: only its leftovers can be told.
  return parsed.action === 'create' && leftovers.some(({ valid }) => valid)
}

/** The indexes that an interrupted CREATE or REINDEX may have made, with their names ready to be used in SQL. */
async function findIndexes(
  parsed: NonNullable<ReturnType<typeof parseIndexStatement>>,
  attempt: StatementAttempt,
  session: Session,
): Promise<readonly { name: string; valid: boolean }[]> {
  const select = `select i.indexrelid::pg_catalog.regclass::text, i.indisvalid and i.indisready and i.indislive
                    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid where `
  const rows =
    parsed.action === 'reindex'
      ? await session.query(
          select +
            String.raw`not i.indisvalid and c.relname ~ '_cc(new|old)\d*$' and i.indrelid in (
              select pg_catalog.to_regclass($1) union all
              select x.indrelid from pg_catalog.pg_index x where x.indexrelid = pg_catalog.to_regclass($2))`,
          [parsed.table ?? null, parsed.index ?? null],
        )
      : parsed.index === undefined
        ? await session.query(
            select + 'i.indrelid = pg_catalog.to_regclass($1) and not i.indexrelid::text = any($2::text[])',
            [parsed.table ?? null, `{${(attempt.indexes ?? []).join(',')}}`],
          )
        : await session.query(
            select +
              `i.indrelid = pg_catalog.to_regclass($1) and c.relname = (pg_catalog.parse_ident($2))[1]`,
            [parsed.table ?? null, parsed.index],
          )
  return rows.map(([name, valid]) => ({ name: name ?? '', valid: valid === 't' }))
}

/** CREATE and DROP DATABASE: whether it is there says whether it was done. */
async function settleDatabaseStatement(statement: Statement, session: Session): Promise<boolean> {
  const match = /^(create|drop)\s+database\s+(?:if\s+exists\s+)?("(?:[^"]|"")+"|[^\s;]+)/i.exec(
    statement.text,
  )
  if (match === null) return false
  const [, verb = '', name = ''] = match
  const rows = await session.query(
    'select exists (select from pg_catalog.pg_database where datname = (pg_catalog.parse_ident($1))[1])',
    [name],
  )
  return (rows[0]?.[0] === 't') === (verb.toLowerCase() === 'create')
}
