import { cancellable, interruption, LEAVE_CLEAN, RESET_ROLE, settings } from '../apply/run-transaction.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session, TypedResult } from '../database/database.js'
import { BEGIN } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import type { ScriptText } from '../workspace/migration-file.js'
import { splitStatements, transactionality, type Statement } from '../workspace/statements.js'
import { documentedLocks } from './documented-locks.js'
import { isLockMode, type LockMode } from './lock-modes.js'
import { readSnapshot } from './read-snapshot.js'
import type { Snapshot } from './snapshot.js'

/** What a migration did to the shadow, statement by statement. */
export interface MigrationTrace {
  readonly script: ScriptText
  /** False: each statement ran in a transaction of its own. */
  readonly transaction: boolean
  readonly before: Snapshot
  readonly after: Snapshot
  readonly statements: readonly StatementTrace[]
  /** CONCURRENTLY and the like in a file that is run as one transaction. */
  readonly misplaced: readonly Statement[]
}

export interface StatementTrace {
  readonly statement: Statement
  readonly before: Snapshot
  readonly after: Snapshot
  /** Every lock on a relation that this statement was the first to take. */
  readonly locks: readonly HeldLock[]
  /** Those, and what the statements before it in the same transaction took: all of them are held while it runs. */
  readonly held: readonly HeldLock[]
  /** measured: read from pg_locks. documented: it cannot run in a transaction, so nobody could look before it let go. */
  readonly locksFrom: 'measured' | 'documented'
  /** By relation: how often it was read from end to end, and how many rows were changed. */
  readonly activity: ReadonlyMap<string, Activity>
  readonly notices: readonly string[]
  readonly durationMs: number
}

export interface HeldLock {
  readonly relation: string
  readonly mode: LockMode
}

export interface Activity {
  readonly scans: number
  /** Through an index. */
  readonly lookups: number
  readonly changed: number
}

export interface TraceOptions {
  readonly config: DatabaseConfig
  readonly signal: AbortSignal
  /** What the server has said since it was asked last. */
  readonly takeNotices: () => readonly string[]
  readonly onStatement: (index: number, total: number) => void
}

/** A statement that the shadow refused. */
export class RefusedStatement extends Error {
  readonly error: SqlError
  readonly index: number
  readonly statement: Statement

  constructor(error: SqlError, index: number, statement: Statement) {
    super(error.message, { cause: error })
    this.error = error
    this.index = index
    this.statement = statement
  }
}

/**
 * Runs a migration on the shadow and looks after each statement at what it has done. The statements of a transactional file share one
 * transaction, as they will for real; it is committed. Fails with RefusedStatement, and leaves nothing behind then where the file is
 * transactional.
 */
export async function traceMigration(
  session: Session,
  script: ScriptText,
  options: TraceOptions,
): Promise<MigrationTrace> {
  if (script.module !== undefined) return traceCode(session, script, options)
  const statements = splitStatements(script.text)
  const alone = (statement: Statement): boolean => transactionality(statement) === 'outside-only'
  const misplaced = script.directives.transaction ? statements.filter(alone) : []
  const transaction = script.directives.transaction && misplaced.length === 0
  const before = await readSnapshot(session, options.config.ledger, { inTransaction: false })
  const run = new Run(session, script, options, before)
  const traces = transaction ? await run.together(statements) : await run.oneByOne(statements)
  await session.script(CLEAN)
  return {
    script,
    transaction,
    before,
    after: traces.at(-1)?.after ?? before,
    statements: traces,
    misplaced,
  }
}

/** The statements that code sends, as it sends them. */
async function traceCode(
  session: Session,
  script: ScriptText,
  options: TraceOptions,
): Promise<MigrationTrace> {
  const before = await readSnapshot(session, options.config.ledger, { inTransaction: false })
  const statements = await new Run(session, script, options, before).code()
  await session.script(CLEAN)
  return {
    script,
    transaction: script.directives.transaction,
    before,
    after: statements.at(-1)?.after ?? before,
    statements,
    misplaced: [],
  }
}

/** Nobody else is on a shadow to be waited for, and who ends it drops the database as well. */
const LIMITS = { lockTimeoutMs: 0, serverSettings: [] }

const CLEAN = [...RESET_ROLE, ...LEAVE_CLEAN].join(';')

class Run {
  private readonly session: Session
  private readonly script: ScriptText
  private readonly options: TraceOptions
  private snapshot: Snapshot
  /** What a file outside a transaction has set until now: each statement gets a session as if all of them had one. */
  private sets: readonly Statement[] = []

  constructor(session: Session, script: ScriptText, options: TraceOptions, snapshot: Snapshot) {
    this.session = session
    this.script = script
    this.options = options
    this.snapshot = snapshot
  }

  async together(statements: readonly Statement[]): Promise<readonly StatementTrace[]> {
    const traces: StatementTrace[] = []
    await this.begin()
    try {
      let held: readonly HeldLock[] = []
      // What earlier transactions did may not have been handed over to the statistics yet, and is counted here.
      let activity = await this.readActivity()
      for (const [index, statement] of statements.entries()) {
        this.options.onStatement(index, statements.length)
        const trace = await this.inTransaction(statement, index, held, activity)
        held = trace.held
        activity = trace.total
        traces.push(trace)
      }
      await this.session.script('commit')
      return traces
    } catch (error) {
      if (!this.session.lost) await this.session.script('rollback')
      throw error
    }
  }

  async oneByOne(statements: readonly Statement[]): Promise<readonly StatementTrace[]> {
    const traces: StatementTrace[] = []
    for (const [index, statement] of statements.entries()) {
      this.options.onStatement(index, statements.length)
      this.sets = statements.slice(0, index).filter(isSessionSetting)
      const kind = transactionality(statement)
      if (kind === 'outside-only') {
        traces.push(await this.byItself(statement, index))
        continue
      }
      await this.begin()
      try {
        traces.push(await this.inTransaction(statement, index, [], await this.readActivity()))
        await this.session.script('commit')
      } catch (error) {
        if (!this.session.lost) await this.session.script('rollback')
        // A procedure or a DO block that commits by itself.
        const wantsToBeAlone =
          error instanceof RefusedStatement && ['25001', '2D000'].includes(error.error.sqlstate)
        if (!wantsToBeAlone || kind !== 'unknown') throw error
        traces.push(await this.byItself(statement, index))
      }
    }
    return traces
  }

  async code(): Promise<readonly StatementTrace[]> {
    const { config, signal, onStatement } = this.options
    const { session, script } = this
    const { transaction } = script.directives
    const traces: StatementTrace[] = []
    const { loadMigration, ModuleRun, backfillOf, forgetfulJournal, noBackfill, stackPlace } =
      await import('../apply/module/index.js')
    const ignore = (): void => undefined
    const run = new ModuleRun({
      session,
      config,
      signal,
      script,
      transaction,
      settings: this.pinned(),
      backfill: (own) =>
        transaction
          ? noBackfill()
          : backfillOf(own, forgetfulJournal(), { config, signal, onRetry: ignore, onBackfill: ignore }),
      send: async ({ sql, asked, alone }, call) => {
        const index = traces.length
        onStatement(index, index + 1)
        const [first] = splitStatements(sql)
        const { line = 1, column = 1 } = stackPlace(asked, script) ?? {}
        const start =
          script.text
            .split('\n')
            .slice(0, line - 1)
            .join('\n').length +
          Math.min(line - 1, 1) +
          column -
          1
        const statement = { text: sql, words: [], ...first, start, end: start, line, column }
        let result: TypedResult = { command: '', rowCount: 0, rows: [] }
        const keep = async (): Promise<void> => {
          result = await call()
        }
        traces.push(
          alone
            ? await this.byItself(statement, index, keep)
            : await this.inTransaction(
                statement,
                index,
                await this.readLocks(),
                await this.readActivity(),
                keep,
              ),
        )
        return result
      },
    })
    if (transaction) await this.begin()
    try {
      await run.call(await loadMigration(script), 'up')
      if (transaction) await session.script('commit')
      return traces
    } catch (error) {
      if (!session.lost) await session.script('rollback')
      throw error
    }
  }

  private async begin(): Promise<void> {
    await this.session.script([BEGIN, ...this.pinned(), ...this.sets.map(({ text }) => text)].join(';'))
  }

  private pinned(): readonly string[] {
    const { config } = this.options
    // The tables of a shadow hold a few rows: there a planner reads all of them where a real one would use an index. What it then
    // thinks of the cost must not lead to compiling.
    return [
      ...settings({ script: this.script }, config, { scope: 'transaction', ...LIMITS }),
      'set local enable_seqscan to off',
      'set local jit to off',
    ]
  }

  private async inTransaction(
    statement: Statement,
    index: number,
    heldBefore: readonly HeldLock[],
    earlier: ReadonlyMap<string, Activity>,
    call: () => Promise<unknown> = () => this.session.script(statement.text),
  ): Promise<StatementTrace & { readonly total: ReadonlyMap<string, Activity> }> {
    const { config } = this.options
    this.options.takeNotices()
    const startedAt = performance.now()
    await this.send(statement, index, call)
    const durationMs = Math.round(performance.now() - startedAt)
    const held = await this.readLocks()
    const total = await this.readActivity()
    const notices = this.options.takeNotices()
    const before = this.snapshot
    const after = await readSnapshot(this.session, config.ledger, { inTransaction: true })
    this.snapshot = after
    return {
      statement,
      before,
      after,
      locks: held.filter((lock) => !heldBefore.some((other) => isSameLock(lock, other))),
      held,
      locksFrom: 'measured',
      activity: difference(total, earlier),
      total,
      notices,
      durationMs,
    }
  }

  private async byItself(
    statement: Statement,
    index: number,
    call: () => Promise<unknown> = () => this.alone(statement),
  ): Promise<StatementTrace> {
    const { config } = this.options
    this.options.takeNotices()
    const startedAt = performance.now()
    await this.send(statement, index, call)
    const durationMs = Math.round(performance.now() - startedAt)
    const before = this.snapshot
    const after = await readSnapshot(this.session, config.ledger, { inTransaction: false })
    const locks = await documentedLocks(this.session, statement, before, this.searchPath())
    this.snapshot = after
    return {
      statement,
      before,
      after,
      locks,
      held: locks,
      locksFrom: 'documented',
      activity: new Map(),
      notices: this.options.takeNotices(),
      durationMs,
    }
  }

  private alone({ text }: Statement): Promise<void> {
    const pinned = settings({ script: this.script }, this.options.config, { scope: 'session', ...LIMITS })
    return this.session.alone([...pinned, ...this.sets.map((set) => set.text)].join(';'), text, CLEAN)
  }

  private searchPath(): string {
    const set = this.sets.findLast(({ words }) => words.includes('search_path'))
    const written = /search_path\s*(?:=|\bto\b)\s*(.+)$/is.exec(set?.text ?? '')?.[1]
    return written ?? this.options.config.searchPath
  }

  private async send(statement: Statement, index: number, call: () => Promise<unknown>): Promise<void> {
    const { signal } = this.options
    try {
      await cancellable(this.session, signal, call)
    } catch (error) {
      if (signal.aborted) throw interruption(signal)
      if (!(error instanceof SqlError) || error.connectionLost) throw error
      throw new RefusedStatement(error, index, statement)
    }
  }

  private async readLocks(): Promise<readonly HeldLock[]> {
    const rows = await this.session.query(
      `select distinct l.relation::pg_catalog.text, l.mode from pg_catalog.pg_locks l
        where l.locktype operator(pg_catalog.=) 'relation' and l.granted
          and l.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
          and l.database operator(pg_catalog.=)
              (select d.oid from pg_catalog.pg_database d where d.datname operator(pg_catalog.=) pg_catalog.current_database())`,
    )
    return rows.flatMap(([relation, mode]) =>
      typeof relation === 'string' && isLockMode(mode) ? [{ relation, mode }] : [],
    )
  }

  private async readActivity(): Promise<ReadonlyMap<string, Activity>> {
    const rows = await this.session.query(
      `select s.relid::pg_catalog.text, s.seq_scan::pg_catalog.text, coalesce(s.idx_scan, 0)::pg_catalog.text,
              (s.n_tup_upd operator(pg_catalog.+) s.n_tup_del)::pg_catalog.text
         from pg_catalog.pg_stat_xact_user_tables s`,
    )
    return new Map(
      rows.map(([relation, scans, lookups, changed]) => [
        relation ?? '',
        { scans: Number(scans), lookups: Number(lookups), changed: Number(changed) },
      ]),
    )
  }
}

/** SET and RESET of what lasts as long as the session. */
function isSessionSetting({ words: [verb, what] }: Statement): boolean {
  return (
    verb === 'reset' ||
    (verb === 'set' && what !== 'local' && what !== 'transaction' && what !== 'constraints')
  )
}

function isSameLock(a: HeldLock, b: HeldLock): boolean {
  return a.relation === b.relation && a.mode === b.mode
}

function difference(
  total: ReadonlyMap<string, Activity>,
  earlier: ReadonlyMap<string, Activity>,
): ReadonlyMap<string, Activity> {
  return new Map(
    [...total].flatMap(([relation, { scans, lookups, changed }]) => {
      const before = earlier.get(relation) ?? { scans: 0, lookups: 0, changed: 0 }
      const now = {
        scans: scans - before.scans,
        lookups: lookups - before.lookups,
        changed: changed - before.changed,
      }
      return now.scans + now.lookups + now.changed > 0 ? [[relation, now] as const] : []
    }),
  )
}
