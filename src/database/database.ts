import type { Readable } from 'node:stream'
import type { EngineReport } from '../report.js'

/**
 * The port over the engines. A Database is one PostgreSQL database wherever it lives; a Session is one connection to it.
 * What an engine cannot do is said by `supports`, never guessed from its name.
 */
export interface Database {
  readonly engine: EngineReport
  /** server_version_num / 10000, e.g. 15. */
  readonly major: number
  readonly supports: {
    /** More than one session at a time; the embedded engine has a single one. */
    readonly manySessions: boolean
    /** lock_timeout and statement_timeout have an effect. */
    readonly timeouts: boolean
  }
  /** Present when this run made the database (embedded only): what it started from, and a way to keep what it has become. */
  readonly made?: { readonly restored: string | undefined; keepAs(key: string): void }
  /** All of the data as a compressed tar (embedded only, and only for the process that has it open). */
  dumpDataFolder?(): Promise<Uint8Array>
  /** Opens a session; on an engine with only one, the same one again. */
  session(): Promise<Session>
  /**
   * Runs `body` while this process alone may change the database (or rather its ledger). Others wait up to `waitMs` and are
   * told through `onWait` who holds the lock. `signal` is aborted when the lock is lost underway.
   */
  withLock<T>(options: LockOptions, body: (signal: AbortSignal) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface LockOptions {
  /** What is locked: two ledgers of one database do not wait for each other. */
  readonly name: string
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  readonly onWait?: (holder: string) => void
}

/** Writes the next bytes of a COPY to the front of the page, and returns how many; 0: there are no more. A row may go on in the next page. */
export type FillPage = (page: Buffer) => number

/** A row as an array of column values, in the order of the select list. */
export type Row = readonly unknown[]

export interface Session {
  /** One statement with parameters. Values come back as text or null: the same on every engine. */
  query(sql: string, parameters?: readonly (string | null)[]): Promise<readonly TextRow[]>
  /** One statement of an application: values come and go as through `pg`. */
  execute(sql: string, parameters: readonly unknown[]): Promise<TypedResult>
  /** One message of the simple protocol: any number of statements, which the server runs as sent. Returns the rows of the last one that has any. */
  script(sql: string): Promise<readonly TextRow[]>
  /**
   * One statement in a message of its own, for those that refuse to share one. `before` and `after` are messages around it on the
   * same connection, also where a transaction-pooling pgbouncer would give each message another one; `after` runs in any case.
   */
  alone(before: string, sql: string, after: string): Promise<void>
  /** Streams bytes into `COPY ... FROM STDIN`; returns the number of rows. */
  copyIn(copySql: string, source: Readable): Promise<number>
  /** The same of bytes that are made on the way. When `fill` throws, nothing of the COPY stays, and its error is thrown here. */
  copyMade(copySql: string, fill: FillPage): Promise<number>
  /** Asks the server to cancel what this session is running; the running call then fails with 57014. */
  cancel(): Promise<void>
  /** True once the connection is gone. */
  readonly lost: boolean
  close(): Promise<void>
}

export interface TypedResult {
  readonly command: string
  readonly rowCount: number
  readonly rows: Record<string, unknown>[]
}

export type TextRow = readonly (string | null)[]
