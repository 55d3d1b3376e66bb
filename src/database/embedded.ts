import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import type { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { problem } from '../errors.js'
import type { EngineReport } from '../report.js'
import type { Database, FillPage, LockOptions, Session, TextRow, TypedResult } from './database.js'
import type { UntypedResult, WorkerReply, WorkerRequest, WorkerSettings } from './embedded-worker.js'
import { PGLITE_MAJOR, PGLITE_SERVER_VERSION, PGLITE_VERSION } from './pglite-version.js'
import { describeHolder, isElsewhere, tryLockFolder, type FolderLock, type Holder } from './folder-lock.js'
import { SqlError, toSqlError } from './sql-error.js'
import {
  cacheFolder,
  copyDataDir,
  isUnwritable,
  keepState,
  removeAbandoned,
  restoreState,
} from './state-cache.js'
import { spareOptimising } from './wasm-budget.js'

export interface EmbeddedOptions {
  /** `.dbkit/<database>`: holds data/, locks/ and engine.json. */
  readonly folder: string
  readonly root: string
  readonly purpose: string
  /** Extensions the migrations create; the engine starts with their files. */
  readonly extensions: readonly string[]
  /**
   * Starts without those files, and again with them only when the lock is taken, that is when something is to be run. A look into
   * the ledger needs none, and PostGIS costs 2 s at every start.
   */
  readonly extensionsOnLock: boolean
  /** Keys of kept states that a new database may start from, the furthest first. */
  readonly states: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A dump of a data folder that the new database starts from. */
  readonly load?: Uint8Array | undefined
  readonly onNotice?: ((message: string) => void) | undefined
  /** Ends a start that takes long; once started, what runs is cancelled by its session. */
  readonly signal?: AbortSignal | undefined
}

/** The folder is held by a `dbkit db serve`, which answers on this address instead. */
export interface ServedElsewhere {
  readonly served: NonNullable<Holder['serves']>
  readonly holder: Holder
}

/**
 * Opens the embedded database of a folder, creating it the first time, for this process alone. Fails with
 * `database.embedded-busy` when another process has it, unless that one serves it: then the address is returned.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase | ServedElsewhere> {
  const shown = relative(options.root, options.folder) || options.folder
  const attempt = lockPatiently(join(options.folder, 'locks'), options.purpose)
  if ('holder' in attempt) {
    if (attempt.holder.serves !== undefined) return { served: attempt.holder.serves, holder: attempt.holder }
    throw problem('database.embedded-busy', {
      folder: shown,
      holder: describeHolder(attempt.holder),
      remove: isElsewhere(attempt.holder) ? relative(options.root, attempt.file) : undefined,
    })
  }
  try {
    removeUnfinished(options.folder)
    const extensions = settleExtensions(options)
    const dataDir = join(options.folder, 'data')
    refuseOtherMajor(dataDir, shown)
    const isNew = !existsSync(join(dataDir, 'PG_VERSION'))
    if (isNew) rmSync(dataDir, { recursive: true, force: true })
    const { load } = options
    const restored =
      isNew && load === undefined ? restoreState(options.states, dataDir, options.environment) : undefined
    if (isNew && restored === undefined && load === undefined) await prepareDataDir(dataDir, options)
    const start = (carried: readonly string[]): Promise<EngineWorker> =>
      startWorker({ dataDir, extensions: carried }, shown, options)
    // pg_stat_statements is preloaded: without its files the engine does not start at all.
    const later =
      options.extensionsOnLock &&
      (!isNew || restored !== undefined) &&
      extensions.length > 0 &&
      !extensions.includes('pg_stat_statements')
    const engine = await (load === undefined
      ? start(later ? [] : extensions)
      : startWorker({ dataDir, extensions, load }, shown, options))
    const again = { start: () => start(extensions), later }
    const origin = isNew
      ? {
          restored,
          keep: (key: string) => {
            keepState(key, dataDir, options.environment)
          },
        }
      : undefined
    return new EmbeddedDatabase(engine, attempt.lock, shown, again, origin)
  } catch (error) {
    attempt.lock.release()
    throw error
  }
}

/** True when the folder holds an embedded database already. */
export function embeddedExists(folder: string): boolean {
  return existsSync(join(folder, 'data', 'PG_VERSION'))
}

/** Removes the embedded database of a folder. Fails with `database.embedded-busy` while somebody has it open. */
export function dropEmbedded(folder: string, root: string, purpose: string): boolean {
  const existed = existsSync(join(folder, 'data'))
  const attempt = tryLockFolder(join(folder, 'locks'), purpose)
  if ('holder' in attempt)
    throw problem('database.embedded-busy', {
      folder: relative(root, folder) || folder,
      holder: describeHolder(attempt.holder),
      remove: undefined,
    })
  // The lock goes last: nobody can start to fill the folder while it is being emptied.
  rmSync(join(folder, 'data'), { recursive: true, force: true })
  rmSync(join(folder, 'engine.json'), { force: true })
  attempt.lock.release()
  rmSync(folder, { recursive: true, force: true })
  return existed
}

/** Keeps the embedded database of a folder as a state, if nobody has it open. */
export function keepEmbedded(
  { folder, key, purpose }: { readonly folder: string; readonly key: string; readonly purpose: string },
  environment: EmbeddedOptions['environment'],
): void {
  const attempt = tryLockFolder(join(folder, 'locks'), purpose)
  // Whoever has opened it in the meantime may have put rows into it.
  if ('holder' in attempt) return
  try {
    keepState(key, join(folder, 'data'), environment)
  } finally {
    attempt.lock.release()
  }
}

export class EmbeddedDatabase implements Database {
  readonly engine: EngineReport
  readonly major = PGLITE_MAJOR
  readonly supports = { manySessions: false, timeouts: false }
  /** The running engine; sessions ask for it each time, because it may be started anew. */
  worker: EngineWorker
  private readonly lock: FolderLock
  private readonly start: () => Promise<EngineWorker>
  private lacksExtensions: boolean
  readonly made?: NonNullable<Database['made']>
  /** Run after the engine has closed its files. */
  private keep: (() => void) | undefined
  private locked: Promise<unknown> = Promise.resolve()

  constructor(
    worker: EngineWorker,
    lock: FolderLock,
    shown: string,
    again: { readonly start: () => Promise<EngineWorker>; readonly later: boolean },
    origin: { readonly restored: string | undefined; keep(key: string): void } | undefined,
  ) {
    this.worker = worker
    this.lock = lock
    this.start = again.start
    this.lacksExtensions = again.later
    if (origin !== undefined)
      this.made = {
        restored: origin.restored,
        keepAs: (key) => {
          this.keep = () => {
            origin.keep(key)
          }
        },
      }
    this.engine = {
      kind: 'embedded',
      label: `embedded PGlite ${PGLITE_VERSION} in ${shown}`,
      version: PGLITE_SERVER_VERSION,
    }
  }

  session(): Promise<Session> {
    return Promise.resolve(new EmbeddedSession(this))
  }

  /** The folder is this process's alone already; within the process, one after the other. */
  withLock<T>(_options: LockOptions, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const run = this.locked.then(async () => {
      await this.startWithExtensions()
      return body(new AbortController().signal)
    })
    this.locked = run.catch(() => undefined)
    return run
  }

  private async startWithExtensions(): Promise<void> {
    if (!this.lacksExtensions) return
    this.lacksExtensions = false
    await this.worker.close()
    this.worker = await this.start()
  }

  /** Sends bytes of the frontend protocol and returns the answer's; for `db serve`. A COPY reads `blob` as '/dev/blob'. */
  protocol(message: Uint8Array, blob: readonly Uint8Array[] = []): Promise<Uint8Array> {
    return this.worker.protocol(message, blob)
  }

  dumpDataFolder(): Promise<Uint8Array> {
    return this.worker.dump()
  }

  /** Ends the engine's thread, whatever it is running: what a crash is to a server. Then only restart() helps. */
  terminate(): Promise<void> {
    return this.worker.terminate()
  }

  /** Starts the engine anew on the same folder, after terminate() or after it broke down. */
  async restart(): Promise<void> {
    await this.worker.terminate()
    this.worker = await this.start()
  }

  /** Tells other processes where this one answers for the folder, or (undefined) that it no longer does. */
  announce(serves: Holder['serves']): void {
    this.lock.announce({ serves })
  }

  async close(): Promise<void> {
    await this.worker.close()
    this.keep?.()
    this.lock.release()
  }
}

class EmbeddedSession implements Session {
  private readonly database: EmbeddedDatabase

  constructor(database: EmbeddedDatabase) {
    this.database = database
  }

  private get worker(): EngineWorker {
    return this.database.worker
  }

  get lost(): boolean {
    return this.worker.lost
  }

  query(sql: string, parameters: readonly (string | null)[] = []): Promise<readonly TextRow[]> {
    return this.worker.rows({ do: 'query', sql, parameters })
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<TypedResult> {
    const { asText, typedResult } = await import('./typed-rows.js')
    return typedResult(sql, await this.worker.execute(sql, parameters.map(asText)))
  }

  script(sql: string): Promise<readonly TextRow[]> {
    return this.worker.rows({ do: 'script', sql })
  }

  async alone(before: string, sql: string, after: string): Promise<void> {
    await this.script(before)
    try {
      await this.script(sql)
    } finally {
      if (!this.lost) await this.script(after)
    }
  }

  async copyIn(copySql: string, source: Readable): Promise<number> {
    const chunks: Uint8Array[] = []
    for await (const chunk of source)
      chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array))
    return this.worker.copy(copySql, chunks)
  }

  async copyMade(copySql: string, fill: FillPage): Promise<number> {
    const { COPY_PAGE } = await import('./copy-text.js')
    const pages: Uint8Array[] = []
    for (;;) {
      const page = Buffer.allocUnsafeSlow(COPY_PAGE)
      const length = fill(page)
      if (length === 0) return this.worker.copy(copySql, pages)
      pages.push(page.subarray(0, length))
    }
  }

  /** A running statement in WASM hears nothing; ending its thread is what a crash is to a server: the transaction never was. */
  cancel(): Promise<void> {
    return this.worker.terminate()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

/** Pairs requests to the worker thread with their replies. */
class EngineWorker {
  lost = false
  private readonly thread: Worker
  private readonly waiting = new Map<
    number,
    { resolve: (reply: WorkerReply) => void; reject: (error: Error) => void }
  >()
  private next = 1
  cancelled = false

  constructor(thread: Worker, onNotice?: (message: string) => void) {
    this.thread = thread
    thread.on('message', (reply: WorkerReply) => {
      if ('notice' in reply) {
        onNotice?.(reply.notice)
        return
      }
      const waiter = this.waiting.get(reply.id)
      this.waiting.delete(reply.id)
      waiter?.resolve(reply)
    })
    thread.on('error', (error) => {
      this.fail(error)
    })
    thread.on('exit', () => {
      this.fail(new Error('the embedded engine ended'))
    })
  }

  started(): Promise<WorkerReply> {
    return new Promise((resolve, reject) => this.waiting.set(0, { resolve, reject }))
  }

  async rows(request: WithoutId<WorkerRequest>): Promise<readonly TextRow[]> {
    const reply = await this.send(request)
    return 'rows' in reply ? reply.rows : []
  }

  async execute(sql: string, parameters: readonly (string | null)[]): Promise<UntypedResult> {
    const reply = await this.send({ do: 'execute', sql, parameters })
    return 'fields' in reply ? reply : { rows: [], fields: [], affected: 0 }
  }

  async copy(sql: string, chunks: readonly Uint8Array[]): Promise<number> {
    const reply = await this.send({ do: 'copy', sql, chunks })
    return 'count' in reply ? reply.count : 0
  }

  async protocol(message: Uint8Array, blob: readonly Uint8Array[]): Promise<Uint8Array> {
    const reply = await this.send({ do: 'protocol', message, blob })
    return 'bytes' in reply ? reply.bytes : new Uint8Array()
  }

  async dump(): Promise<Uint8Array> {
    const reply = await this.send({ do: 'dump' })
    return 'bytes' in reply ? reply.bytes : new Uint8Array()
  }

  async terminate(): Promise<void> {
    this.cancelled = true
    await this.thread.terminate()
  }

  async close(): Promise<void> {
    if (!this.lost) await this.send({ do: 'close' })
    await this.thread.terminate()
  }

  private async send(request: WithoutId<WorkerRequest>): Promise<WorkerReply> {
    if (this.lost) throw this.goneError()
    const id = this.next++
    const reply = await new Promise<WorkerReply>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.thread.postMessage({ ...request, id })
    })
    if ('error' in reply) {
      const error = toSqlError(Object.assign(new Error(reply.error.message), reply.error.fields))
      error.completed = Number(reply.error.fields['completed'] ?? 0)
      throw error
    }
    return reply
  }

  private fail(error: Error): void {
    if (this.lost) return
    this.lost = true
    const reason = this.cancelled ? this.goneError() : toSqlError(error)
    for (const waiter of this.waiting.values()) waiter.reject(reason)
    this.waiting.clear()
  }

  private goneError(): SqlError {
    return this.cancelled
      ? new SqlError('canceling statement due to user request', { sqlstate: '57014' }, undefined, false)
      : new SqlError('the embedded engine ended', { sqlstate: '08006' }, undefined, true)
  }
}

async function startWorker(
  settings: WorkerSettings,
  shown: string,
  { signal, onNotice }: Pick<EmbeddedOptions, 'signal' | 'onNotice'>,
): Promise<EngineWorker> {
  if (signal?.aborted === true) throw problem('run.interrupted', {})
  const missing = missingPackage(settings.extensions)
  if (missing !== undefined) throw problem('database.embedded-missing', { package: missing })
  spareOptimising()
  const thread = new Worker(new URL('./embedded-worker.js', import.meta.url), {
    workerData: settings,
    // PGlite prints its own lines on some failures; what matters comes back as a reply.
    stdout: true,
    stderr: true,
  })
  const engine = new EngineWorker(thread, onNotice)
  const stop = (): void => {
    void engine.terminate()
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const reply = await engine.started()
    if ('error' in reply) throw new Error(reply.error.message)
    return engine
  } catch (thrown) {
    await thread.terminate()
    if (engine.cancelled) throw problem('run.interrupted', {}, { cause: thrown })
    const reason = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown)
    throw problem('database.embedded-failed', { folder: shown, reason }, { cause: thrown })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function missingPackage(extensions: readonly string[]): string | undefined {
  const require = createRequire(import.meta.url)
  const wanted = [
    '@electric-sql/pglite',
    ...(extensions.includes('postgis') ? ['@electric-sql/pglite-postgis'] : []),
  ]
  return wanted.find((name) => {
    try {
      require.resolve(name)
      return false
    } catch {
      return true
    }
  })
}

/** Extensions PGlite carries itself; others than these and PostGIS it cannot create, and says so when asked to. */
const CONTRIB = new Set(
  (
    'amcheck bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch hstore intarray ' +
    'isn lo ltree pageinspect pg_buffercache pg_freespacemap pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect ' +
    'pgcrypto seg tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp'
  ).split(' '),
)

/**
 * The extensions to start with: those the migrations name, and those the folder has been opened with before (a database
 * whose extension files are missing cannot run their functions). Kept in engine.json.
 */
function settleExtensions(options: EmbeddedOptions): readonly string[] {
  const file = join(options.folder, 'engine.json')
  const before = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { extensions?: string[] }).extensions
    : undefined
  const wanted = [...new Set([...(before ?? []), ...options.extensions])]
    .filter((name) => name === 'postgis' || CONTRIB.has(name))
    .sort()
  if (before === undefined || wanted.length !== before.length) {
    // Aside and renamed: half of it, left by a crash, would keep everybody out.
    const aside = `${file}.${String(process.pid)}`
    writeFileSync(
      aside,
      JSON.stringify(
        { engine: 'pglite', version: PGLITE_VERSION, major: PGLITE_MAJOR, extensions: wanted },
        undefined,
        2,
      ) + '\n',
    )
    renameSync(aside, file)
  }
  return wanted
}

/** What was being written aside when a process was killed; nobody else writes here as long as the folder is locked. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder))
    if (/^(?:data|engine\.json)\.\d+$/.test(name))
      rmSync(join(folder, name), { recursive: true, force: true })
}

function refuseOtherMajor(dataDir: string, shown: string): void {
  const file = join(dataDir, 'PG_VERSION')
  if (!existsSync(file)) return
  const found = readFileSync(file, 'utf8').trim()
  if (found !== String(PGLITE_MAJOR))
    throw problem('database.embedded-version', { folder: shown, found, expected: String(PGLITE_MAJOR) })
}

/**
 * initdb in WASM takes seconds, copying its result a fraction of one. So the first data folder of a machine is made in the
 * user's cache and never opened again: every database starts as its copy. Where the cache cannot be written, the engine makes the
 * folder itself.
 */
async function prepareDataDir(dataDir: string, options: EmbeddedOptions): Promise<void> {
  const pristine = join(cacheFolder(options.environment), `pglite-${PGLITE_VERSION}`)
  if (!existsSync(join(pristine, 'PG_VERSION')) && !(await pristineOnce(pristine, options.signal))) return
  copyDataDir(pristine, dataDir)
}

const inTheMaking = new Map<string, Promise<boolean>>()

/** Several databases of one process may want it at the same time; they wait for one and the same. */
function pristineOnce(pristine: string, signal: AbortSignal | undefined): Promise<boolean> {
  const made =
    inTheMaking.get(pristine) ?? makePristine(pristine, signal).finally(() => inTheMaking.delete(pristine))
  inTheMaking.set(pristine, made)
  return made
}

/** Makes the cached folder aside and renames it into place: of two that make it at once, one is kept. False: the cache is not writable. */
async function makePristine(pristine: string, signal: AbortSignal | undefined): Promise<boolean> {
  const aside = `${pristine}.${String(process.pid)}.new`
  try {
    mkdirSync(aside, { recursive: true })
  } catch (error) {
    if (isUnwritable(error)) return false
    throw error
  }
  try {
    const engine = await startWorker({ dataDir: aside, extensions: [] }, aside, { signal })
    await engine.close()
    copyDataDir(aside, pristine)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  removeAbandoned(dirname(pristine))
  return true
}

/** Two dbkit commands may start in the same instant; both then step back, and the one that looks again first wins. */
function lockPatiently(folder: string, purpose: string): ReturnType<typeof tryLockFolder> {
  for (let tries = 0; ; tries++) {
    const attempt = tryLockFolder(folder, purpose)
    if ('lock' in attempt || tries === 3) return attempt
    const startedTogether = Date.now() - Date.parse(attempt.holder.since) < 1_000
    if (!startedTogether) return attempt
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 + Math.random() * 80)
  }
}
