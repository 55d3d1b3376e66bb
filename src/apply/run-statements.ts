import type { Session, TextRow } from '../database/database.js'
import {
  advanceSql,
  BEGIN,
  completeEntrySql,
  deleteEntrySql,
  insertEntrySql,
  readProgress,
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
import { markFor, outwait } from './outwait.js'
import {
  backOff,
  cancellable,
  interruption,
  isRefusedByFence,
  LEAVE_CLEAN,
  overtaken,
  RESET_ROLE,
  settings,
  type StepContext,
  type StepResult,
} from './run-transaction.js'
import { sqlFailure, type Sent } from './sql-failure.js'

/** One statement of the file that is being run, and what was set before it. */
interface Place {
  readonly step: Step
  readonly statement: Statement
  readonly index: number
  /** The SET statements of the file up to here: each statement gets a session as if all of them had one. */
  readonly sets: readonly string[]
  readonly session: Session
  readonly context: StepContext
}

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
    const sets = statements
      .slice(0, index)
      .filter(isSessionSetting)
      .map(({ text }) => text)
    const place: Place = { step, statement, index, sets, session, context }
    const attempt = step.resume?.attempt?.statement === index ? step.resume.attempt : undefined
    const alone = attempt !== undefined || transactionality(statement) === 'outside-only'
    if (!alone) {
      const result = await runWithJournal(place)
      retries += result.retries
      if (!result.refusedTransaction) continue
    }
    await runAlone(place, attempt)
  }
  const done =
    step.direction === 'up' ? completeEntrySql(ledger, step.version) : deleteEntrySql(ledger, step.version)
  await session.script(done)
  return { retries, statements: statements.length - first }
}

/** SET and RESET of what lasts as long as the session; in psql it would hold for the statements after it. */
function isSessionSetting({ words: [verb, what] }: Statement): boolean {
  return (
    verb === 'reset' ||
    (verb === 'set' && what !== 'local' && what !== 'transaction' && what !== 'constraints')
  )
}

/** active_sql_transaction and invalid_transaction_termination: the statement (or the procedure it calls) wants to be alone. */
const WANTS_TO_BE_ALONE = new Set(['25001', '2D000'])

async function runWithJournal(place: Place): Promise<{ retries: number; refusedTransaction: boolean }> {
  const { step, statement, index, session, context } = place
  const { config } = context
  const { before, fence } = beginning(place, { to: index + 1 })
  const prefix = before.join(';') + ';'
  const sent: Sent = {
    start: statement.start,
    charactersBefore: [...prefix].length,
    statementsBefore: before.length,
  }
  const message = `${prefix}${statement.text}\n;${[...RESET_ROLE, 'commit', ...LEAVE_CLEAN].join(';')}`
  for (let retries = 0; ; retries++) {
    try {
      await cancellable(session, context.signal, () => session.script(message))
      return { retries, refusedTransaction: false }
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      if (error.connectionLost) throw sqlFailure(error, step.script, sent)
      await session.script('rollback')
      // The statement may have been committed: by this message before it was cut off, or by what a killed run left on the server.
      const progress = await readProgress(session, config.ledger, step.version)
      if (progress?.statementsDone === index + 1) return { retries, refusedTransaction: false }
      if (context.signal.aborted) throw interruption(context.signal)
      if (isRefusedByFence(error, fence)) throw overtaken(step, error)
      if (WANTS_TO_BE_ALONE.has(error.sqlstate)) return { retries, refusedTransaction: true }
      if (error.sqlstate !== '55P03' || retries >= config.lockRetries)
        throw sqlFailure(error, step.script, sent)
      await backOff(retries, context)
    }
  }
}

/**
 * Opens a transaction for a statement: the settings, the fence that takes the journal from the statement on, and what the file
 * has set until then.
 */
function beginning(
  { step, index, sets, context }: Place,
  goal: { readonly to: number; readonly attempt?: StatementAttempt },
): { readonly before: readonly string[]; readonly fence: number } {
  const { config } = context
  const { version, direction } = step
  const pinned = [BEGIN, ...pinnedIn(step, context)]
  const fence = advanceSql(config.ledger, { version, direction, from: index, ...goal })
  return { before: [...pinned, fence, ...sets], fence: pinned.length }
}

function pinnedIn(step: Step, { config, serverSettings }: StepContext): readonly string[] {
  const { lockTimeoutMs } = config
  return settings(step, config, { scope: 'transaction', lockTimeoutMs, serverSettings })
}

/**
 * A statement by itself, in a message of its own (two in one message would be a transaction). Without lock_timeout unless the
 * file asks for one: CONCURRENTLY waits for old transactions by design, and a timeout there leaves an invalid index.
 */
async function runAlone(place: Place, attempt: StatementAttempt | undefined): Promise<void> {
  const { step, statement, index, sets, session, context } = place
  const { config, serverSettings, signal } = context
  const { version, direction } = step
  const mark = markOf(place)
  if (attempt === undefined) {
    const announced = { statement: index, ...(await indexesBefore(place)) }
    const { before } = beginning(place, { to: index, attempt: announced })
    await session.script([...before, ...RESET_ROLE, 'commit', ...LEAVE_CLEAN].join(';'))
  }
  // To clear away an index that is still being built would be to wait for its builder, while the builder waits for every snapshot older
  // than its own: a deadlock.
  if (attempt !== undefined) await outwait(mark, `statement ${String(index + 1)} of ${step.name}`, context)
  const finished = attempt === undefined ? false : await settleLeftover(place, attempt)
  if (!finished) {
    const before = [
      ...settings(step, config, { scope: 'session', lockTimeoutMs: 0, serverSettings }),
      ...sets,
    ].join(';')
    const after = [...RESET_ROLE, ...LEAVE_CLEAN].join(';')
    try {
      await cancellable(session, signal, () => session.alone(before, mark + statement.text, after))
    } catch (error) {
      if (signal.aborted) throw interruption(signal)
      if (!(error instanceof SqlError)) throw error
      throw sqlFailure(error, step.script, {
        start: statement.start,
        charactersBefore: mark.length,
        statementsBefore: 0,
      })
    }
  }
  await session.script(advanceSql(config.ledger, { version, direction, from: index, to: index + 1 }))
}

function markOf({ step, index, context: { config } }: Place): string {
  return markFor(config, `${step.version} ${step.direction} ${String(index + 1)}`)
}

/**
 * The indexes of the table before CREATE INDEX CONCURRENTLY, or what other REINDEX CONCURRENTLYs have left unfinished: neither is
 * the leftover of this statement.
 */
async function indexesBefore(place: Place): Promise<Pick<StatementAttempt, 'indexes'>> {
  const indexes = await findIndexes(place, [])
  return indexes === undefined ? {} : { indexes: indexes.map(({ oid }) => oid) }
}

/**
 * After a crash in the middle of a statement that ran alone: clears what it left behind. True when it had come to its end, so that
 * it must not run again. What leaves no trace (VACUUM, a procedure that commits) runs again.
 */
async function settleLeftover(place: Place, attempt: StatementAttempt): Promise<boolean> {
  const { statement, session } = place
  const parsed = parseIndexStatement(statement)
  if (parsed?.action === 'drop') {
    const rows = await look(
      place,
      `select pg_catalog.to_regclass(${quoteLiteral(parsed.index ?? '')}) is null`,
    )
    return rows[0]?.[0] === 't'
  }
  const leftovers = await findIndexes(place, attempt.indexes ?? [])
  if (leftovers === undefined) return settleDatabaseStatement(statement, session)
  for (const { name, valid } of leftovers)
    if (!valid) await session.script(`drop index concurrently if exists ${name}`)
  // REINDEX replaces the index by a valid one of the same name: only its leftovers can be told.
  return parsed?.action === 'create' && leftovers.some(({ valid }) => valid)
}

interface FoundIndex {
  readonly oid: string
  /** Ready to be used in SQL. */
  readonly name: string
  readonly valid: boolean
}

/** The indexes that an interrupted CREATE or REINDEX CONCURRENTLY may have made; undefined for all other statements. */
async function findIndexes(
  place: Place,
  others: readonly string[],
): Promise<readonly FoundIndex[] | undefined> {
  const where = whereMade(place.statement)
  if (where === undefined) return undefined
  const rows = await look(
    place,
    `select i.indexrelid::text, pg_catalog.format('%I.%I', n.nspname, c.relname),
            i.indisvalid and i.indisready and i.indislive
       from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where ${where} and not i.indexrelid::text = any('{${others.join(',')}}'::text[])`,
  )
  return rows.map(([oid, name, valid]) => ({ oid: oid ?? '', name: name ?? '', valid: valid === 't' }))
}

/** A condition on pg_index i and pg_class c. */
function whereMade(statement: Statement): string | undefined {
  const parsed = parseIndexStatement(statement)
  const oidOf = (name: string): string => `pg_catalog.to_regclass(${quoteLiteral(name)})`
  if (parsed?.action === 'create') {
    const table = `i.indrelid = ${oidOf(parsed.table ?? '')}`
    return parsed.index === undefined
      ? table
      : `${table} and c.relname = (pg_catalog.parse_ident(${quoteLiteral(parsed.index)}))[1]`
  }
  if (statement.words[0] !== 'reindex' || transactionality(statement) !== 'outside-only') return undefined
  const unfinished = String.raw`not i.indisvalid and c.relname ~ '_cc(new|old)\d*$'`
  if (parsed === undefined) return unfinished
  // A table's partitions are rebuilt with it, and so is the index of where its long values are kept.
  const named =
    parsed.table === undefined
      ? `(select x.indrelid from pg_catalog.pg_index x where x.indexrelid = ${oidOf(parsed.index ?? '')})`
      : oidOf(parsed.table)
  const tables = `select t.relid from pg_catalog.pg_partition_tree(pg_catalog.pg_partition_root(${named})) t union all select ${named}`
  return (
    `${unfinished} and (i.indrelid in (${tables}) or i.indrelid in ` +
    `(select r.reltoastrelid from pg_catalog.pg_class r where r.oid in (${tables})))`
  )
}

/** A query in the session that the statement gets, without leaving anything of it. */
async function look({ step, sets, session, context }: Place, query: string): Promise<readonly TextRow[]> {
  return session.script([BEGIN, ...pinnedIn(step, context), ...sets, query, 'rollback'].join(';'))
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
