import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { DatabaseReport, Report } from '../report.js'
import { readWorkspace } from '../workspace/workspace.js'
import { addressOf, createOne, serverOptions } from './db-create.js'
import { dropOne, refuseDrop, type DbDropOptions } from './db-drop.js'
import { WORTH_KEEPING_MS } from './change-under-lock.js'
import { inTurn } from './in-turn.js'
import { seededState } from './kept-states.js'
import { EMBEDDED_ENGINE, migrateUp } from './migrate-up.js'

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
  const { target, templates } = database
  if (target.kind === 'server' && templates > 0) {
    const { resetFromTemplate } = await import('./reset-from-template.js')
    const anew = await resetFromTemplate({
      config,
      database,
      target,
      purpose,
      options,
      fill: (building, { seed, today }) => fill(config, building, purpose, { ...options, seed, today }),
      seed: (made) => seedToo(config, database, made, options),
    })
    if (!('unfit' in anew)) return anew
    const { unfit } = anew
    const report = await resetPlainly(config, database, purpose, options)
    return unfit === undefined ? report : { ...report, notes: [...(report.notes ?? []), unfit] }
  }
  return resetPlainly(config, database, purpose, options)
}

async function resetPlainly(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  options: DbResetOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  await dropOne(config, database, purpose, options)
  // An embedded one is made by whoever opens it, and from a kept state only when it is to be migrated at once.
  if (database.target.kind === 'server') await createOne(config, database, purpose, options)
  return fill(config, database, purpose, options)
}

/** Migrates and seeds a database that was made just now; an embedded one from a kept state that has the seeds, if there is one. */
async function fill(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  options: DbResetOptions & { readonly today?: string },
): Promise<Omit<DatabaseReport, 'database'>> {
  const { target } = database
  const alone = { ...config, databases: [database] }
  const day = new Date().toISOString().slice(0, 10)
  const key =
    options.seed === true && target.kind === 'embedded'
      ? seededState(readWorkspace(database, config.root), database, {
          engine: EMBEDDED_ENGINE,
          day,
          root: config.root,
        })
      : undefined
  let restored: string | undefined
  const [migrated] = (
    await migrateUp(alone, options, {
      states: key === undefined ? [] : [key],
      onRestored(state) {
        restored = state
      },
    })
  ).databases
  const about = { existence: 're-created', ...migrated, ok: migrated?.ok === true } as const
  if (options.seed !== true || !about.ok) return about
  if (key !== undefined && restored === key)
    return { ...about, notes: [...(about.notes ?? []), `the seeds are those of a state that was kept today`] }
  // The day is in the key, so it has to be the one that the dates count from.
  const report = await seedToo(config, database, about, {
    ...options,
    ...(key === undefined ? {} : { today: day }),
  })
  if (key !== undefined && target.kind === 'embedded' && report.ok && timeOf(report) >= WORTH_KEEPING_MS) {
    const { keepEmbedded } = await import('../database/embedded.js')
    keepEmbedded({ folder: target.folder, key, purpose }, config.environment)
  }
  return report
}

/** Loads the seeds into a database that was made, and tells both. */
async function seedToo(
  config: Config,
  database: DatabaseConfig,
  made: Omit<DatabaseReport, 'database'>,
  options: DbResetOptions & { readonly today?: string },
): Promise<Omit<DatabaseReport, 'database'>> {
  const { seed } = await import('./seed.js')
  const [seeded] = (await seed({ ...config, databases: [database] }, options)).databases
  const notes = [...(made.notes ?? []), ...(seeded?.notes ?? [])]
  return { ...made, ...seeded, ok: seeded?.ok === true, ...(notes.length === 0 ? {} : { notes }) }
}

/** What making it has cost. */
function timeOf({ steps = [], seed = [], seedScripts = [] }: Omit<DatabaseReport, 'database'>): number {
  return [...steps, ...seed, ...seedScripts].reduce((sum, { durationMs = 0 }) => sum + durationMs, 0)
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
