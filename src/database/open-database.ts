import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { Database, LockOptions } from './database.js'
import type { ServedElsewhere } from './embedded.js'
import { describeHolder, tryLockFolder } from './folder-lock.js'
import { settleServerAddress } from './server-target.js'

export interface OpenOptions {
  /** The command, for pg_stat_activity and for whoever waits for the lock. */
  readonly purpose: string
  readonly signal?: AbortSignal | undefined
  /** Extensions the migrations create, which the embedded engine must carry. */
  readonly extensions: () => readonly string[]
  /** See EmbeddedOptions. Only for commands that touch nothing but the ledger before they take the lock. */
  readonly extensionsOnLock?: boolean | undefined
  /** See EmbeddedOptions. */
  readonly states?: (() => readonly string[]) | undefined
  readonly onNotice?: ((message: string) => void) | undefined
  readonly onWait?: ((reason: string) => void) | undefined
  /** See ServerOptions. */
  readonly keepsConnections?: boolean | undefined
  readonly onConnect?: (() => void) | undefined
}

/** Opens the database that a configuration names, on whichever engine it lives. */
export async function openDatabase(
  config: Config,
  database: DatabaseConfig,
  options: OpenOptions,
): Promise<Database> {
  const { target } = database
  if (target.kind === 'server') {
    const address = settleServerAddress(
      target.url,
      config.environment,
      target.source,
      target.fallbackDatabase,
    )
    const { openServer } = await import('./server.js')
    const there = target.database === undefined ? address : { ...address, database: target.database }
    return openServer(there, { ...options, waitMs: target.waitMs })
  }
  const { embeddedExists, openEmbedded } = await import('./embedded.js')
  const opened = await openEmbedded({
    folder: target.folder,
    root: config.root,
    purpose: options.purpose,
    extensions: options.extensions(),
    extensionsOnLock: options.extensionsOnLock === true,
    // They cost a look at every file.
    states: embeddedExists(target.folder) ? [] : (options.states?.() ?? []),
    environment: config.environment,
    onNotice: options.onNotice,
    signal: options.signal,
  })
  return 'served' in opened ? openServed(target.folder, config.root, opened, options) : opened
}

/**
 * The embedded engine of another process, over the socket it serves. It has one session for all its clients, so advisory locks
 * exclude nobody there: who may change it is settled by a folder lock of its own.
 */
async function openServed(
  folder: string,
  root: string,
  { served, holder }: ServedElsewhere,
  options: OpenOptions,
): Promise<Database> {
  const { openServer } = await import('./server.js')
  const address = settleServerAddress(
    // Behind a client in a transaction a connection waits, and is told by the server itself when it has waited long enough.
    `postgresql://postgres@${served.host.includes(':') ? `[${served.host}]` : served.host}:${String(served.port)}/postgres?sslmode=disable&connect_timeout=90`,
    {},
    'dbkit db serve',
    'postgres',
  )
  const inner = await openServer(address, { ...options, waitMs: 0 })
  const shown = relative(root, folder) || folder
  return {
    engine: {
      kind: 'embedded',
      label: `embedded PGlite in ${shown}, served by process ${String(holder.pid)} on port ${String(served.port)}`,
      ...(inner.engine.version === undefined ? {} : { version: inner.engine.version }),
    },
    major: inner.major,
    supports: { manySessions: false, timeouts: false },
    session: () => inner.session(),
    async withLock<T>(lock: LockOptions, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
      const started = Date.now()
      for (let told = false; ; told = true) {
        const attempt = tryLockFolder(join(folder, 'run-locks'), options.purpose)
        if ('lock' in attempt) {
          try {
            return await body(new AbortController().signal)
          } finally {
            attempt.lock.release()
          }
        }
        if (Date.now() - started >= lock.waitMs)
          throw problem('database.lock-busy', {
            label: shown,
            holder: describeHolder(attempt.holder),
            seconds: Math.round((Date.now() - started) / 1_000),
          })
        if (lock.signal?.aborted === true) throw problem('run.interrupted', {})
        if (!told) lock.onWait?.(describeHolder(attempt.holder))
        await sleep(100 + Math.random() * 150)
      }
    },
    close: () => inner.close(),
  }
}
