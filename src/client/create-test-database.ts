import type { Kysely, KyselyPlugin, PostgresPool } from 'kysely'
import { createDatabase } from './create-database.js'
import type { Databases } from './databases.js'

export interface TestDatabaseOptions {
  /** Seed sets to load, in this order. Default: reference, then sample. An empty list: none. */
  readonly seed?: readonly string[]
  /** The configuration that has the database. Default: for dbkit's own four, dbkit's; for others the nearest dbkit.config.*
   * at or above the working folder. */
  readonly config?: string
  readonly plugins?: KyselyPlugin[]
  /** Default: PostgreSQL itself, embedded. `memory` is pg-mem: empty tables and plain queries; it refuses everything else by name. */
  readonly engine?: 'embedded' | 'memory'
}

export interface TestDatabase<DB> {
  readonly db: Kysely<DB>
  /** Gives the engine back; the next createTestDatabase of the same kind starts on it, as if nothing had happened. */
  readonly close: () => Promise<void>
  /** What `engine: 'memory'` does not have; empty for the embedded engine. */
  readonly leftOut: readonly { readonly kind: string; readonly name: string; readonly reason: string }[]
}

/**
 * A database of a test's own: migrated, seeded, and seen by nobody else. The first one of a process takes seconds, each one after a
 * close milliseconds. Values are those of `pg`.
 *
 * @example
 * const { db, close } = await createTestDatabase('happyrobot')
 * try { ... } finally { await close() }
 */
export async function createTestDatabase<Name extends keyof Databases>(
  name: Name,
  options: TestDatabaseOptions = {},
): Promise<TestDatabase<Databases[Name]>> {
  // A service imports the client for createDatabase: nothing of the embedded engine is loaded for that.
  const { borrowTestPool, makeMemoryPool } = await import('../verbs/test-database.js')
  if (options.engine === 'memory') {
    const memory = await makeMemoryPool(name, options)
    const db = createDatabase(name, {
      // What it lacks is refused by name.
      pool: memory as unknown as PostgresPool,
      ...(options.plugins === undefined ? {} : { plugins: options.plugins }),
    })
    return { db, leftOut: memory.leftOut, close: () => db.destroy() }
  }
  const borrowed = await borrowTestPool(name, options)
  // What it lacks is a cursor: rows cannot be streamed from the embedded engine.
  const pool = borrowed.pool as unknown as PostgresPool
  const { plugins } = options
  const db = createDatabase(name, { pool, ...(plugins === undefined ? {} : { plugins }) })
  let closed: Promise<void> | undefined
  return {
    db,
    leftOut: [],
    close() {
      closed ??= db.destroy().then(() => borrowed.giveBack())
      return closed
    },
  }
}
