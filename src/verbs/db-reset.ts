import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { DatabaseReport, Report } from '../report.js'
import { readWorkspace } from '../workspace/workspace.js'
import { addressOf, createOne, serverOptions } from './db-create.js'
import { dropOne, refuseDrop, type DbDropOptions } from './db-drop.js'
import { inTurn } from './in-turn.js'
import { migrateUp } from './migrate-up.js'

export interface DbResetOptions extends DbDropOptions {
  /** Load the seeds as well. */
  readonly seed?: boolean
}

/**
 * Drops the databases, creates them again, applies all migrations and, if asked to, loads the seeds. The migrations' files are
 * read, and the right to create is asked for, before anything is dropped.
 */
export async function dbReset(config: Config, options: DbResetOptions = {}): Promise<Report> {
  refuseDrop(config, 'db reset', options)
  for (const database of config.databases) readWorkspace(database, config.root)
  const databases = await inTurn(config, options, (database) =>
    resetOne(config, database, 'db reset', options),
  )
  return { command: 'db reset', ok: databases.every(({ ok }) => ok), databases }
}

/** Drops a database and makes it anew. */
export async function resetOne(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  options: DbResetOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  await refuseWithoutWayBack(config, database, purpose, options)
  await dropOne(config, database, purpose, options)
  // An embedded one is made by whoever opens it, and from a kept state only when it is to be migrated at once.
  if (database.target.kind === 'server') await createOne(config, database, purpose, options)
  const alone = { ...config, databases: [database] }
  const [migrated] = (await migrateUp(alone, options)).databases
  if (options.seed !== true || migrated?.ok !== true)
    return { existence: 're-created', ...migrated, ok: migrated?.ok === true }
  const { seed } = await import('./seed.js')
  const [seeded] = (await seed(alone, options)).databases
  const notes = [...(migrated.notes ?? []), ...(seeded?.notes ?? [])]
  return {
    existence: 're-created',
    ...migrated,
    ...seeded,
    ok: seeded?.ok === true,
    ...(notes.length === 0 ? {} : { notes }),
  }
}

/** An owner may drop a database without being allowed to create one. */
async function refuseWithoutWayBack(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  options: DbResetOptions,
): Promise<void> {
  if (database.target.kind === 'embedded') return
  const { mayCreateDatabases, withMaintenance } = await import('../database/maintenance.js')
  const address = addressOf(database.target, config.environment)
  await withMaintenance(address, serverOptions(database, purpose, options), async ({ session }) => {
    if (await mayCreateDatabases(session)) return
    throw problem('database.refused', {
      message: `${address.user} may not create databases, so "${address.database}" was not dropped.`,
      hint: 'Let its owner have CREATEDB, or roll back with `dbkit migrate down --all` instead.',
    })
  })
}
