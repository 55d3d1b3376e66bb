import { problem } from '../../errors.js'

/** The db that a migration is given; Kysely's own type is not named, so that whoever has no Kysely can compile against dbkit. */
export interface MigrationDb {
  getExecutor(): {
    provideConnection<T>(consumer: (connection: never) => Promise<T>): Promise<T>
  }
}

/** A condition or a value of Kysely's `sql` template. */
export interface SqlExpression {
  toOperationNode(): unknown
}

export interface BackfillOptions<DB> {
  /** As Kysely names it: "people", or "archive.people". */
  readonly table: string
  /** The column, or columns, of a unique index over NOT NULL columns, in whose order the rows are gone through. */
  readonly key: string | readonly string[]
  /** Rows a transaction. Default: 1000 */
  readonly batch?: number
  /** Only rows for which this holds: sql<boolean>`email is null` */
  readonly where?: SqlExpression
  /** What each row becomes: { email: sql`lower(email)` } */
  readonly set?: Readonly<Record<string, unknown>>
  /** Instead of `set`: deals with the rows of a batch, in its transaction. */
  readonly run?: (trx: DB, batch: BackfillBatch) => Promise<unknown>
  /** Milliseconds between two batches, for a table that others work on. Default: 0 */
  readonly pauseMs?: number
  /** Tells apart two back-fills of one table in the same migration. Default: the table */
  readonly name?: string
}

export interface BackfillBatch {
  /** The keys of the rows, in order, as PostgreSQL writes them; of several columns, lists. */
  readonly keys: readonly (string | readonly string[])[]
  /** Rows before this batch. */
  readonly rowsBefore: number
}

export interface BackfillResult {
  /** Rows gone through, those of interrupted runs included. */
  readonly rows: number
}

export type Backfill = <DB extends MigrationDb>(
  db: DB,
  options: BackfillOptions<DB>,
) => Promise<BackfillResult>

/** Under which a connection of a migration offers its own. */
export const BACKFILL = Symbol.for('dbkit.backfill')

/**
 * Goes through the rows of a table batch by batch, each in a transaction together with the mark of how far it came: whatever is killed,
 * the same command goes on behind the last row that was dealt with. For a migration with `export const transaction = false`.
 *
 * @example
 * export const transaction = false
 * export const up = (db: Kysely<any>) =>
 *   backfill(db, { table: 'people', key: 'id', batch: 5_000, set: { email: sql`lower(email)` } })
 */
export async function backfill<DB extends MigrationDb>(
  db: DB,
  options: BackfillOptions<DB>,
): Promise<BackfillResult> {
  const own = await db
    .getExecutor()
    .provideConnection((connection) =>
      Promise.resolve((connection as Readonly<Record<symbol, Backfill | undefined>>)[BACKFILL]),
    )
  if (own === undefined) throw problem('backfill.outside', {})
  return own(db, options)
}
