import { relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { PGLITE_VERSION } from '../database/pglite-version.js'
import { labelOf } from '../database/server-target.js'
import { problem } from '../errors.js'
import type { DatabaseReport, EngineReport, Report } from '../report.js'
import { addressOf, serverOptions } from './db-create.js'
import { inTurn } from './in-turn.js'
import { refuseUnaskedEmbedded, refuseUnchosen, type RunOptions } from './with-database.js'

export interface DbDropOptions extends RunOptions {
  /** Always needed on a server. */
  readonly yes?: boolean
  /** On a server, end the sessions that others have in the database. */
  readonly force?: boolean
}

/** Drops the databases with all that is in them. */
export async function dbDrop(config: Config, options: DbDropOptions = {}): Promise<Report> {
  refuseDrop(config, 'db drop', options)
  const databases = await inTurn(config, options, (database) => dropOne(config, database, 'db drop', options))
  return { command: 'db drop', ok: databases.every(({ ok }) => ok), databases }
}

/** What must not be dropped, or not without being told so; asked for all databases before the first is touched. */
export function refuseDrop(config: Config, what: string, { yes = false }: DbDropOptions): void {
  refuseUnchosen(config, what, yes)
  refuseUnaskedEmbedded(config)
  for (const database of config.databases) {
    if (database.target.kind === 'embedded') continue
    const address = addressOf(database.target, config.environment)
    if (OF_THE_SERVER.has(address.database))
      throw problem('request.maintenance-database', { what, database: address.database })
    if (!yes) throw problem('request.needs-yes', { what, target: labelOf(address) })
  }
}

/** Every cluster has these from initdb on, and tools connect to them when they know no other. */
const OF_THE_SERVER = new Set(['postgres', 'template0', 'template1'])

export async function dropOne(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  options: DbDropOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { target } = database
  if (target.kind === 'embedded') {
    const { dropEmbedded } = await import('../database/embedded.js')
    const dropped = dropEmbedded(target.folder, config.root, purpose)
    const place = relative(config.root, target.folder) || target.folder
    return outcome(dropped, { kind: 'embedded', label: `embedded PGlite ${PGLITE_VERSION} in ${place}` })
  }
  const address = addressOf(target, config.environment)
  const { dropDatabase, withMaintenance } = await import('../database/maintenance.js')
  return withMaintenance(address, serverOptions(database, purpose, options), async ({ session, engine }) =>
    outcome(await dropDatabase(session, address.database, { force: options.force === true }), engine),
  )
}

function outcome(dropped: boolean, engine: EngineReport): Omit<DatabaseReport, 'database'> {
  return dropped
    ? { ok: true, engine, existence: 'dropped' }
    : { ok: true, engine, existence: 'already-gone', notes: ['there was none to drop'] }
}
