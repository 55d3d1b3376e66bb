import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Observer } from '../apply/observer.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Database, Session } from '../database/database.js'
import { keepSession, type SessionKeeper } from '../database/keep-session.js'
import { openDatabase } from '../database/open-database.js'
import { PGLITE_MAJOR } from '../database/pglite-version.js'
import { quoteLiteral, quoteName } from '../database/quote.js'
import { settleServerAddress } from '../database/server-target.js'
import { DbkitError, problem } from '../errors.js'
import type { EngineReport } from '../report.js'

/** A throw-away database, empty at first, in which anything may be tried. */
export interface Shadow {
  readonly engine: EngineReport
  readonly major: number
  /** One session for all that is tried, opened again when it was lost. */
  readonly sessions: SessionKeeper
  /** Throws everything away: an empty database again. */
  renew(): Promise<void>
}

export interface ShadowOptions {
  /** A server on which databases may be created; without it the embedded engine, in a folder of its own. */
  readonly url?: string | undefined
  /** Without a URL: a server of its own where PostgreSQL is installed and has the extensions; it is several times as fast. */
  readonly local?: boolean | undefined
  /** PostgreSQL of this major and no other. Default: what there is */
  readonly major?: number | undefined
  /** Told which engine is opened, as soon as that is known. */
  readonly observer: Observer
  /** The command, for pg_stat_activity. */
  readonly purpose: string
  readonly signal?: AbortSignal | undefined
  /** Extensions that will be created, which the embedded engine must carry. */
  readonly extensions: () => readonly string[]
  /** Roles that will be created: those are not a database's own, and would stay on a server. */
  readonly roles?: (() => readonly string[]) | undefined
  readonly onNotice?: ((message: string) => void) | undefined
}

/** Opens a shadow, hands it to `body`, and removes it, whatever became of it. */
export async function withShadow<T>(
  config: Config,
  database: DatabaseConfig,
  options: ShadowOptions,
  body: (shadow: Shadow) => Promise<T>,
): Promise<T> {
  const opening = (engine: 'server' | 'embedded'): void => {
    options.observer({ kind: 'opening', database: database.name, engine })
  }
  const ground = await groundFor(config, database, options, opening)
  let current = await ground.open()
  let sessions = keepSession(current)
  const close = async (): Promise<void> => {
    await sessions.close()
    await current.close()
    await ground.remove()
  }
  try {
    return await body({
      engine: { ...current.engine, label: ground.label },
      major: current.major,
      sessions: { current: () => sessions.current(), close: () => sessions.close() },
      async renew() {
        await close()
        current = await ground.open()
        sessions = keepSession(current)
      },
    })
  } finally {
    await close()
    await ground.leave()
  }
}

/** A server is told before it is reached, and one of its own where it is known that there is one. */
async function groundFor(
  config: Config,
  database: DatabaseConfig,
  options: ShadowOptions,
  opening: (engine: 'server' | 'embedded') => void,
): Promise<Ground> {
  const { url, local, major } = options
  if (url !== undefined) {
    opening('server')
    const ground = await serverGround(config, database, url, options, { label: undefined, waitMs: 0 })
    if (major === undefined || ground.major === major) return ground
    await ground.leave()
    throw problem('shadow.other-major', {
      wanted: major,
      found: ground.major,
      server: ground.label.replace(/,.*/, ''),
    })
  }
  const own = local === true ? await localGround(config, database, options) : undefined
  if (own === undefined && major !== undefined && major !== PGLITE_MAJOR)
    throw problem('shadow.no-such-major', { major })
  opening(own === undefined ? 'embedded' : 'server')
  return own ?? embeddedGround(config, database, options)
}

/** Where databases come from. */
interface Ground {
  readonly label: string
  open(): Promise<Database>
  /** Removes the database that was opened last; it is closed. */
  remove(): Promise<void>
  leave(): Promise<void>
}

function embeddedGround(config: Config, database: DatabaseConfig, options: ShadowOptions): Ground {
  let folder: string | undefined
  return {
    label: 'embedded PGlite in a folder of its own',
    open() {
      folder = mkdtempSync(join(tmpdir(), 'dbkit-shadow-'))
      const target = { kind: 'embedded', folder, asked: true, emptyVariable: undefined } as const
      return openDatabase(config, { ...database, target }, options)
    },
    remove() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    },
    leave: () => Promise.resolve(),
  }
}

/** How long a server of this machine may take to start: it does in a second, under load in some. */
const START_MS = 60_000

/** Undefined where PostgreSQL is not installed, does not start, or lacks an extension. */
async function localGround(
  config: Config,
  database: DatabaseConfig,
  options: ShadowOptions,
): Promise<Ground | undefined> {
  const { startLocalCluster } = await import('../database/local-cluster.js')
  const cluster = await startLocalCluster({
    environment: config.environment,
    folder: config.root,
    major: options.major,
  })
  if (cluster === undefined) return undefined
  try {
    const how = { label: 'a server of its own on this machine', waitMs: START_MS }
    const ground = await serverGround(config, database, cluster.url, options, how)
    if (await ground.carries(options.extensions()))
      return {
        ...ground,
        async leave() {
          await ground.leave()
          await cluster.stop()
        },
      }
    await ground.leave()
  } catch (error) {
    await cluster.stop()
    if (error instanceof DbkitError && error.code === 'database.unreachable') return undefined
    throw error
  }
  await cluster.stop()
  return undefined
}

async function serverGround(
  config: Config,
  database: DatabaseConfig,
  url: string,
  options: ShadowOptions,
  { label, waitMs }: { readonly label: string | undefined; readonly waitMs: number },
): Promise<Ground & { readonly major: number; carries(extensions: readonly string[]): Promise<boolean> }> {
  const { openServer } = await import('../database/server.js')
  const address = settleServerAddress(url, config.environment, '--shadow-url', 'postgres')
  const maintenance = await openServer(address, { ...options, onNotice: undefined, waitMs })
  const session = await maintenance.session()
  // PostgreSQL cuts a name at 63 bytes, and it has to stay unique.
  const name = `dbkit_shadow_${database.name.slice(0, 24).toLowerCase()}_${randomBytes(6).toString('hex')}`
  const before = new Set(await roleNames(session))
  const remove = async (): Promise<void> => {
    await session.script(`drop database if exists ${quoteName(name)} with (force)`)
    for (const role of await roleNames(session))
      if (!before.has(role) && options.roles?.().includes(role) === true)
        await session.script(`drop role if exists ${quoteName(role)}`)
  }
  return {
    major: maintenance.major,
    label: label ?? `${address.user}@${address.host}:${String(address.port)}, a database of its own`,
    async carries(extensions) {
      const rows = await session.query('select name from pg_catalog.pg_available_extensions')
      const known = new Set(rows.map(([name]) => name))
      return extensions.every((name) => known.has(name))
    },
    async open() {
      // template0: what an administrator added to template1 is no part of what the migrations make.
      await session.script(`create database ${quoteName(name)} template template0`)
      await session.script(
        `comment on database ${quoteName(name)} is ${quoteLiteral('Made by dbkit to try something; may be dropped.')}`,
      )
      return openServer({ ...address, database: name }, { ...options, waitMs: 0 })
    },
    remove,
    async leave() {
      await session.close()
      await maintenance.close()
    },
  }
}

async function roleNames(session: Session): Promise<readonly string[]> {
  return (await session.query('select rolname from pg_catalog.pg_roles')).map(([role]) => role ?? '')
}
