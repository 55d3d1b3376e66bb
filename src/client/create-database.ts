import { Kysely, PostgresDialect, type KyselyPlugin, type LogConfig, type PostgresPool } from 'kysely'
import type { Databases } from './databases.js'

export interface CreateDatabaseOptions {
  /** A pool of `pg`, or a function that makes one when the first query needs it. */
  readonly pool: PostgresPool | (() => Promise<PostgresPool>)
  readonly plugins?: KyselyPlugin[]
  readonly log?: LogConfig
}

/**
 * A Kysely that knows the tables of a database.
 *
 * @example
 * const db = createDatabase('happyrobot', { pool: new Pool({ connectionString }) })
 * const carriers = await db.selectFrom('carriers').selectAll().where('is_eligible', '=', true).execute()
 */
export function createDatabase<Name extends keyof Databases>(
  _name: Name,
  { pool, plugins, log }: CreateDatabaseOptions,
): Kysely<Databases[Name]> {
  return new Kysely({
    dialect: new PostgresDialect({ pool }),
    ...(plugins === undefined ? {} : { plugins }),
    ...(log === undefined ? {} : { log }),
  })
}
