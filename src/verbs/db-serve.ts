import { relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { EmbeddedDatabase, ServedElsewhere } from '../database/embedded.js'
import { describeHolder } from '../database/folder-lock.js'
import type { EmbeddedServer } from '../database/serve-embedded.js'
import { EngineLost } from '../database/shared-session.js'
import { DbkitError, problem } from '../errors.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { splitStatements } from '../workspace/statements.js'
import { extensionsOf, readWorkspace } from '../workspace/workspace.js'
import type { RunOptions } from './with-database.js'

export interface DbServeOptions extends RunOptions {
  /** Ends the serving, in good order. */
  readonly signal: AbortSignal
  /** Default: 127.0.0.1, which nobody reaches from another machine. */
  readonly host?: string
  /** One for each database, or one for the first, from which the others count on. Default: the next free ones from 5433. */
  readonly ports?: readonly number[]
  /** Called once, when all of them answer. */
  readonly onReady?: (report: Report) => void
}

/** Beside PostgreSQL's own 5432, which a server on the same machine is likely to have. */
const FIRST_PORT = 5433

interface Serving {
  readonly server: EmbeddedServer
  readonly report: DatabaseReport
  readonly folder: string
}

/** Opens the embedded databases, each on a port for psql and any other client, until the signal is aborted. */
export async function dbServe(config: Config, options: DbServeOptions): Promise<Report> {
  const { signal } = options
  refuseServers(config)
  const ports = settlePorts(config, options.ports)
  const serving: Serving[] = []
  try {
    for (const [index, database] of config.databases.entries()) {
      const before = serving.at(-1)?.server.port
      const port = ports[index] ?? (before === undefined ? FIRST_PORT : before + 1)
      const nextFree = ports[index] === undefined
      serving.push(await serveOne(config, database, { port, nextFree }, options))
      if (signal.aborted) throw problem('run.interrupted', {})
    }
    options.onReady?.({ command: 'db serve', ok: true, databases: serving.map(({ report }) => report) })
    const lost = await Promise.race([
      stopped(signal),
      ...serving.map(({ server }, index) => server.lost.then((error) => ({ index, error }))),
    ])
    const databases = serving.map(({ report, folder }, index) =>
      lost?.index === index
        ? { ...report, ok: false, error: reportOf(asProblem(lost.error, folder)) }
        : report,
    )
    return { command: 'db serve', ok: databases.every(({ ok }) => ok), databases }
  } finally {
    for (const { server } of serving.reverse()) await server.close()
  }
}

async function serveOne(
  config: Config,
  database: DatabaseConfig,
  place: { readonly port: number; readonly nextFree: boolean },
  options: DbServeOptions,
): Promise<Serving> {
  const { reachable, serveEmbedded, SERVED_DATABASE } = await import('../database/serve-embedded.js')
  const { host = '127.0.0.1' } = options
  const opened = await openToServe(config, database, 'db serve', options)
  const folder = relative(config.root, database.target.kind === 'embedded' ? database.target.folder : '')
  if ('served' in opened)
    throw problem('database.already-served', {
      folder,
      holder: describeHolder(opened.holder),
      url: connectionUrl(opened.served.host, opened.served.port, SERVED_DATABASE),
    })
  const server = await serveEmbedded(opened, { host, ...place, split: splitStatements })
  const address = reachable(server.host)
  const taken = server.port === place.port || place.port === 0 ? '' : ` (${String(place.port)} is taken)`
  return {
    server,
    folder,
    report: {
      database: database.name,
      ok: true,
      engine: { ...opened.engine, label: `${opened.engine.label}, on port ${String(server.port)}${taken}` },
      connection: connectionUrl(address, server.port, SERVED_DATABASE),
      ...(isLoopback(server.host) ? {} : { notes: [EVERYBODY] }),
    },
  }
}

const EVERYBODY =
  'whoever reaches this machine over the network can read and change the database: it asks for no password'

/** Opens an embedded database to serve it; or says where another process does. */
export async function openToServe(
  config: Config,
  database: DatabaseConfig,
  purpose: string,
  { observer }: RunOptions,
): Promise<EmbeddedDatabase | ServedElsewhere> {
  const { openEmbedded } = await import('../database/embedded.js')
  const { target, name } = database
  if (target.kind === 'server') throw problem('request.embedded-only', { what: purpose, database: name })
  return openEmbedded({
    folder: target.folder,
    root: config.root,
    purpose,
    // A database that has no migrations yet can be served all the same.
    extensions: extensionsOf(readWorkspace(database, config.root, { mayBeMissing: true })),
    extensionsOnLock: false,
    states: [],
    environment: config.environment,
    onNotice(message) {
      observer?.({ kind: 'notice', database: name, message })
    },
  })
}

/** A bug is thrown on with its stack. */
function asProblem(error: Error, folder: string): DbkitError {
  if (error instanceof DbkitError) return error
  if (!(error instanceof EngineLost)) throw error
  return problem('database.embedded-failed', { folder, reason: error.message }, { cause: error })
}

function connectionUrl(host: string, port: number, database: string): string {
  return `postgresql://postgres@${host.includes(':') ? `[${host}]` : host}:${String(port)}/${database}`
}

function refuseServers(config: Config): void {
  for (const { name, target } of config.databases)
    if (target.kind === 'server') throw problem('request.embedded-only', { what: 'db serve', database: name })
}

function settlePorts(config: Config, ports: readonly number[] = []): readonly number[] {
  const count = config.databases.length
  if (ports.length > 1 && ports.length !== count)
    throw problem('request.bad-option', {
      option: '--port',
      value: ports.join(','),
      expected: `one port, or ${String(count)} of them, as many as there are databases`,
    })
  return ports
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function stopped(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve(undefined)
        },
        { once: true },
      )
  })
}
