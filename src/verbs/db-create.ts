import type { Config, DatabaseConfig, Environment, ServerTarget } from '../config/config.js'
import type { ServerOptions } from '../database/server.js'
import { settleServerAddress, type ServerAddress } from '../database/server-target.js'
import type { DatabaseReport, Report } from '../report.js'
import { inTurn } from './in-turn.js'
import { refuseUnaskedEmbedded, type RunOptions } from './with-database.js'

/** Creates the databases, empty: on a server in UTF8 and with UTC as their time zone; embedded, their folders. */
export async function dbCreate(config: Config, options: RunOptions = {}): Promise<Report> {
  refuseUnaskedEmbedded(config)
  const databases = await inTurn(config, options, (database) =>
    createOne(config, database, 'db create', options),
  )
  return { command: 'db create', ok: databases.every(({ ok }) => ok), databases }
}

export async function createOne(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  options: RunOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { target } = database
  return target.kind === 'embedded'
    ? createEmbedded(config, database, target.folder, purpose, options)
    : createOnServer(addressOf(target, config.environment), database, purpose, options)
}

async function createOnServer(
  address: ServerAddress,
  database: DatabaseConfig,
  purpose: string,
  options: RunOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { createDatabase, encodingOf, withMaintenance } = await import('../database/maintenance.js')
  return withMaintenance(
    address,
    serverOptions(database, purpose, options),
    async ({ session, engine }): Promise<Omit<DatabaseReport, 'database'>> => {
      const created = await createDatabase(session, address.database, database.timeZone)
      if (created) return { ok: true, engine, existence: 'created' }
      const encoding = await encodingOf(session, address.database)
      const notes = [
        'it was there already, and is as it was',
        ...(encoding === undefined || encoding === 'UTF8' ? [] : [`its encoding is ${encoding}, not UTF8`]),
      ]
      return { ok: true, engine, existence: 'already-there', notes }
    },
  )
}

async function createEmbedded(
  config: Config,
  database: DatabaseConfig,
  folder: string,
  purpose: string,
  options: RunOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { embeddedExists } = await import('../database/embedded.js')
  const { openDatabase } = await import('../database/open-database.js')
  const existed = embeddedExists(folder)
  // No extensions: what the migrations need is added to the engine when they are run.
  const opened = await openDatabase(config, database, {
    ...openOptions(database, purpose, options),
    extensions: () => [],
  })
  await opened.close()
  const { engine } = opened
  return existed
    ? { ok: true, engine, existence: 'already-there', notes: ['it was there already, and is as it was'] }
    : { ok: true, engine, existence: 'created' }
}

export function addressOf(target: ServerTarget, environment: Environment): ServerAddress {
  const address = settleServerAddress(target.url, environment, target.source, target.fallbackDatabase)
  return target.database === undefined ? address : { ...address, database: target.database }
}

export function serverOptions(database: DatabaseConfig, purpose: string, options: RunOptions): ServerOptions {
  const waitMs = database.target.kind === 'server' ? database.target.waitMs : 0
  return { ...openOptions(database, purpose, options), waitMs }
}

function openOptions(
  { name }: DatabaseConfig,
  purpose: string,
  { signal, observer }: RunOptions,
): Omit<ServerOptions, 'waitMs'> {
  return {
    purpose,
    signal,
    onNotice(message) {
      observer?.({ kind: 'notice', database: name, message })
    },
    onWait(reason) {
      observer?.({ kind: 'engine-wait', database: name, reason })
    },
  }
}
