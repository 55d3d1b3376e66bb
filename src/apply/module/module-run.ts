import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  QueryResult,
  TransactionSettings,
} from 'kysely'
import type { DatabaseConfig } from '../../config/config.js'
import type { Session, TypedResult } from '../../database/database.js'
import { BEGIN } from '../../database/ledger.js'
import { SqlError } from '../../database/sql-error.js'
import { problem } from '../../errors.js'
import type { ScriptText } from '../../workspace/migration-file.js'
import { splitStatements, transactionality } from '../../workspace/statements.js'
import { cancellable, LEAVE_CLEAN, RESET_ROLE } from '../run-transaction.js'
import { BACKFILL, type Backfill } from './backfill-call.js'
import type { KyselyParts, LoadedMigration } from './load-migration.js'
import { shortened } from './module-failure.js'

/** What a migration as code runs on. */
export interface ModuleGround {
  readonly session: Session
  readonly config: DatabaseConfig
  readonly signal: AbortSignal
  readonly script: ScriptText
  /** True: all of it is one transaction, which is open already. */
  readonly transaction: boolean
  /** What is set in each transaction that it begins, where it is not one. */
  readonly settings: readonly string[]
  /** Sends a statement, for whoever looks at what it does. */
  readonly send?: (sent: SentStatement, call: () => Promise<TypedResult>) => Promise<TypedResult>
  readonly backfill: (run: ModuleRun) => Backfill
}

export interface SentStatement {
  readonly sql: string
  /** Where it was asked for, in its stack. */
  readonly asked: Error
  /** In no transaction. */
  readonly alone: boolean
}

/** Statements that would end the transaction behind dbkit's back, or begin one that it does not know of. */
const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release'])

/**
 * One call of `up` or `down`: Kysely on the one connection of the run. A transaction of its own is a savepoint where the migration is one
 * transaction, and a real one where it is not; there, a statement outside of any gets one by itself.
 */
export class ModuleRun {
  readonly ground: ModuleGround
  /** The first refusal of the database, also where the code has caught it. */
  refused: SqlError | undefined
  /** Back-filled rows. */
  rows = 0
  private readonly running = new Set<string>()
  private readonly savepoints: string[] = []
  private open = false
  private ended = false
  private counter = 0
  private queue: Promise<unknown> = Promise.resolve()

  constructor(ground: ModuleGround) {
    this.ground = ground
  }

  /** Calls it, and sees to it that nothing of it goes on afterwards. */
  async call({ kysely, ...migration }: LoadedMigration, direction: 'up' | 'down'): Promise<void> {
    const body = migration[direction]
    if (body === undefined)
      throw problem('module.not-literal', { file: this.ground.script.file, what: direction })
    const db = new kysely.Kysely<unknown>({ dialect: dialectOf(kysely, this) })
    try {
      await body(db)
      // What was not awaited has been asked for, and may reach here only now.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      const [left] = this.running
      if (left !== undefined)
        throw problem('module.unawaited', { file: this.ground.script.file, sql: shortened(left) })
    } finally {
      this.ended = true
      await this.settle()
    }
  }

  /** What was left running is waited for, so that the rollback comes after it; then, outside a transaction, what was left open is ended. */
  private async settle(): Promise<void> {
    while (this.running.size > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    if (this.open && !this.ground.session.lost) await this.ground.session.script(END_BADLY)
    this.open = false
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<TypedResult> {
    const { session, signal, transaction, send } = this.ground
    const asked = deepError()
    if (this.ended)
      throw new Error(`The migration has ended, and this statement came after it: ${shortened(sql)}`)
    const statements = splitStatements(sql)
    const control = statements.find(({ words }) => CONTROL.has(words[0] ?? ''))
    if (control !== undefined)
      throw problem('module.transaction-control', { what: (control.words[0] ?? '').toUpperCase() })
    const call = (alone: boolean, work: () => Promise<TypedResult>): Promise<TypedResult> =>
      cancellable(session, signal, () => (send === undefined ? work() : send({ sql, asked, alone }, work)))
    const plainly = (): Promise<TypedResult> => call(false, () => session.execute(sql, parameters))
    return this.tracked(sql, asked, () => {
      if (transaction || this.open) return plainly()
      const alone = statements.some((statement) => transactionality(statement) === 'outside-only')
      return this.inTurn(() => (alone ? call(true, () => this.alone(sql)) : this.byItself(plainly)))
    })
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const { session, transaction, settings } = this.ground
    if (transaction || this.open) {
      const name = `dbkit_${String(++this.counter)}`
      await session.script(`savepoint ${name}`)
      this.savepoints.push(name)
      return
    }
    await this.inTurn(async () => {
      const begin = `begin isolation level ${isolationLevel ?? 'read committed'}${accessMode === undefined ? '' : ` ${accessMode}`}`
      await session.script([begin, ...settings].join(';'))
      this.open = true
    })
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    const { session } = this.ground
    const savepoint = this.savepoints.pop()
    if (savepoint !== undefined) {
      const back = how === 'rollback' ? `rollback to savepoint ${savepoint};` : ''
      await session.script(`${back}release savepoint ${savepoint}`)
      return
    }
    this.open = false
    if (session.lost) return
    await session.script(how === 'commit' ? END_WELL : END_BADLY)
  }

  /** Two that were not awaited one after the other must not share a transaction that only one of them began. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(work)
    this.queue = turn.catch(() => undefined)
    return turn
  }

  /** What refuses to share a transaction. */
  private async alone(sql: string): Promise<TypedResult> {
    const { session, settings } = this.ground
    const before = settings.map((setting) => setting.replace(/^set local/, 'set'))
    await session.alone(before.join(';'), sql, [...RESET_ROLE, ...LEAVE_CLEAN].join(';'))
    return { command: '', rowCount: 0, rows: [] }
  }

  private async byItself(call: () => Promise<TypedResult>): Promise<TypedResult> {
    const { session, settings } = this.ground
    await session.script([BEGIN, ...settings].join(';'))
    try {
      const result = await call()
      await session.script(END_WELL)
      return result
    } catch (error) {
      if (!session.lost) await session.script(END_BADLY)
      throw error
    }
  }

  private async tracked<T>(sql: string, asked: Error, work: () => Promise<T>): Promise<T> {
    const key = `${sql}${' '.repeat(this.running.size)}`
    this.running.add(key)
    try {
      return await work()
    } catch (error) {
      if (error instanceof SqlError) {
        error.sql ??= sql
        // What the driver throws has the stack of a socket: who asked is known here.
        error.stack = `${error.stack ?? ''}\n${(asked.stack ?? '').split('\n').slice(1).join('\n')}`
        this.refused ??= error
      }
      throw error
    } finally {
      this.running.delete(key)
    }
  }
}

const END_WELL = [...RESET_ROLE, 'commit', ...LEAVE_CLEAN].join(';')
const END_BADLY = ['rollback', ...LEAVE_CLEAN].join(';')

/** With more of its stack than is usual: between the code of a migration and here lies the query builder. */
function deepError(): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 50
  const error = new Error()
  Error.stackTraceLimit = stackTraceLimit
  return error
}

function dialectOf(kysely: KyselyParts, run: ModuleRun): Dialect {
  return {
    createAdapter: () => new kysely.PostgresAdapter(),
    createDriver: () => driverOf(run),
    createIntrospector: (db) => new kysely.PostgresIntrospector(db),
    createQueryCompiler: () => new kysely.PostgresQueryCompiler(),
  }
}

function driverOf(run: ModuleRun): Driver {
  const connection: DatabaseConnection = {
    executeQuery: (query) => executeQuery(run, query),
    async *streamQuery(query: CompiledQuery) {
      // Without a cursor: all rows come at once, and are handed on as one.
      yield await executeQuery(run, query)
    },
  }
  Object.assign(connection, { [BACKFILL]: run.ground.backfill(run) })
  const nothing = (): Promise<void> => Promise.resolve()
  return {
    init: nothing,
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: (_, settings) => run.begin(settings),
    commitTransaction: () => run.end('commit'),
    rollbackTransaction: () => run.end('rollback'),
    releaseConnection: nothing,
    destroy: nothing,
  }
}

async function executeQuery<R>(run: ModuleRun, { sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
  const { command, rowCount, rows } = await run.execute(sql, parameters)
  return {
    rows: rows as R[],
    ...(['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(command)
      ? { numAffectedRows: BigInt(rowCount) }
      : {}),
  }
}
