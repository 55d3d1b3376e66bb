import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { problem, type DbkitError } from '../errors.js'
import type { EngineReport } from '../report.js'
import type { Database, FillPage, LockOptions, Session, TextRow, TypedResult } from './database.js'
import { quoteLiteral } from './quote.js'
import { sendScript } from './script-message.js'
import { labelOf, type ServerAddress } from './server-target.js'
import { NOTHING_BEGUN, SqlError, toSqlError } from './sql-error.js'

export interface ServerOptions {
  /** Shown in pg_stat_activity, and to whoever waits for the lock. */
  readonly purpose: string
  /** How long to go on trying to reach a server that is not up yet; 0: one try. */
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  readonly onNotice?: ((message: string) => void) | undefined
  /** Told once when the server is not up yet and dbkit waits for it. */
  readonly onWait?: ((reason: string) => void) | undefined
  /** What has been closed is handed out again: for many short pieces of work in the same database. */
  readonly keepsConnections?: boolean | undefined
  readonly onConnect?: (() => void) | undefined
}

/** Connects to a server. Fails with `database.unreachable`, saying what to do about it. */
export async function openServer(address: ServerAddress, options: ServerOptions): Promise<Database> {
  const label = labelOf(address)
  const deadline = Date.now() + options.waitMs
  for (let tries = 0; ; tries++) {
    try {
      const first = await connect(address, options)
      return new ServerDatabase(address, options, label, first)
    } catch (thrown) {
      const error = toSqlError(thrown)
      if (!isStarting(thrown, error) || Date.now() >= deadline || options.signal?.aborted === true)
        throw unreachable(label, address, thrown, error)
      if (tries === 0) options.onWait?.(error.message)
      await sleep(Math.min(500, 100 * 2 ** Math.min(tries, 3)), undefined, { signal: options.signal }).catch(
        () => undefined,
      )
    }
  }
}

class ServerDatabase implements Database {
  readonly engine: EngineReport
  readonly major: number
  readonly supports = { manySessions: true, timeouts: true }
  private readonly address: ServerAddress
  private readonly options: ServerOptions
  /** The first connection waits here for the first session() or withLock() that wants one, and those that are kept for the next. */
  private readonly idle: ServerSession[]
  private isClosed = false

  constructor(address: ServerAddress, options: ServerOptions, label: string, first: ServerSession) {
    this.address = address
    this.options = options
    this.idle = [first]
    this.engine = { kind: 'server', label, version: first.serverVersion }
    this.major = Number.parseInt(first.serverVersion, 10)
  }

  async session(): Promise<Session> {
    const own = await this.connection()
    return this.options.keepsConnections === true ? this.lent(own) : own
  }

  /** A session whose end gives its connection back. */
  private lent(own: ServerSession): Session {
    let isClosed = false
    return {
      get lost() {
        return own.lost
      },
      query: (sql, parameters) => own.query(sql, parameters),
      execute: (sql, parameters) => own.execute(sql, parameters),
      script: (sql) => own.script(sql),
      alone: (before, sql, after) => own.alone(before, sql, after),
      copyIn: (sql, source) => own.copyIn(sql, source),
      copyMade: (sql, fill) => own.copyMade(sql, fill),
      cancel: () => own.cancel(),
      close: async () => {
        if (!isClosed) await this.giveBack(own)
        isClosed = true
      },
    }
  }

  private async giveBack(session: ServerSession): Promise<void> {
    if (this.options.keepsConnections === true && !session.lost && !this.isClosed) this.idle.push(session)
    else await session.close()
  }

  private async connection(): Promise<ServerSession> {
    for (let idle = this.idle.pop(); idle !== undefined; idle = this.idle.pop()) if (!idle.lost) return idle
    try {
      return await connect(this.address, this.options)
    } catch (thrown) {
      throw unreachable(this.engine.label, this.address, thrown, toSqlError(thrown))
    }
  }

  /**
   * Polls pg_try_advisory_xact_lock, each try in a READ COMMITTED transaction of its own: whoever waits inside
   * pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY of the holder would wait for that snapshot: a deadlock.
   * The winner's transaction stays open and idle. It has no snapshot either, and because the lock belongs to the transaction,
   * a transaction-pooling pgbouncer keeps the server connection for as long as the lock is held.
   */
  async withLock<T>(options: LockOptions, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const session = await this.connection()
    const controller = new AbortController()
    try {
      await this.acquire(session, options)
      session.onLost = () => {
        controller.abort(problem('database.lock-lost', { label: this.engine.label }))
      }
      if (session.lost) session.onLost()
      return await body(controller.signal)
    } finally {
      session.onLost = undefined
      // The lock ends with its transaction.
      if (this.options.keepsConnections === true && !session.lost) await session.script('rollback')
      await this.giveBack(session)
    }
  }

  private async acquire(session: ServerSession, options: LockOptions): Promise<void> {
    const key = `${String(LOCK_CLASS)},pg_catalog.hashtext(${quoteLiteral(options.name)})`
    // Whoever set these for the role or the database did not mean the connection that only holds the lock.
    const patience =
      'set local idle_in_transaction_session_timeout=0;' +
      (this.major >= 17 ? 'set local transaction_timeout=0;' : '')
    const attempt = `begin isolation level read committed;${patience}select pg_catalog.pg_try_advisory_xact_lock(${key})`
    const started = Date.now()
    for (let told = false; ;) {
      if (options.signal?.aborted === true) throw problem('run.interrupted', {})
      const rows = await session.script(attempt)
      if (rows[0]?.[0] === 't') return
      await session.script('rollback')
      const waited = Date.now() - started
      if (!told || waited >= options.waitMs) {
        const holder = await this.describeHolder(session, options.name)
        // Gone between the try and the look: then the next try may win.
        if (holder !== undefined) {
          if (waited >= options.waitMs)
            throw problem('database.lock-busy', {
              label: this.engine.label,
              holder,
              seconds: Math.round(waited / 1_000),
            })
          if (!told) options.onWait?.(holder)
          told = true
        }
      }
      // Spread, so that many waiting runners do not knock in step.
      await sleep(100 + Math.random() * 150, undefined, { signal: options.signal }).catch(() => undefined)
    }
  }

  private async describeHolder(session: ServerSession, lockName: string): Promise<string | undefined> {
    // pg_locks shows the two signed halves of the key as unsigned oids.
    const unsigned = (key: string): string => `((${key})::bigint & 4294967295)::oid`
    const classAndObject = `${unsigned(String(LOCK_CLASS))}, ${unsigned(`pg_catalog.hashtext(${quoteLiteral(lockName)})`)}`
    const rows = await session.query(
      `select a.pid, a.application_name, a.usename, a.client_addr, pg_catalog.to_char(a.xact_start at time zone 'UTC', 'HH24:MI:SS "UTC"')
         from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and l.granted and l.objsubid = 2
          and (l.classid, l.objid) = (select ${classAndObject})
          and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())`,
    )
    const [row] = rows
    if (row === undefined) return undefined
    const [pid, application, user, client, since] = row
    return [
      application === null || application === '' ? 'another session' : application,
      `(server process ${String(pid)}${user === null ? '' : `, user ${String(user)}`}${client === null ? '' : `, from ${String(client)}`})`,
      since === null ? '' : `since ${String(since)}`,
    ]
      .join(' ')
      .trim()
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (const session of this.idle.splice(0)) await session.close()
  }
}

/** The first half of dbkit's advisory lock keys: "dbki" in ASCII, so that it meets nobody else's by accident. */
const LOCK_CLASS = 0x64_62_6b_69

class ServerSession implements Session {
  readonly client: pg.Client
  readonly serverVersion: string
  lost = false
  onLost: (() => void) | undefined
  /** What the server last said; RESET ALL brings back what the role or the database has. */
  private readonly strings: { readonly conforming: boolean }
  private readonly signal: AbortSignal | undefined
  private closing = false
  private completed = 0
  private cancelling: Promise<void> | undefined

  constructor(
    client: pg.Client,
    serverVersion: string,
    strings: { readonly conforming: boolean },
    signal: AbortSignal | undefined,
  ) {
    this.client = client
    this.serverVersion = serverVersion
    this.strings = strings
    this.signal = signal
    const gone = (): void => {
      if (this.lost || this.closing) return
      this.lost = true
      this.onLost?.()
    }
    client.on('error', gone)
    client.on('end', gone)
    const { connection } = client as unknown as {
      connection: { on(event: 'commandComplete', listener: () => void): void }
    }
    connection.on('commandComplete', () => {
      this.completed++
    })
  }

  async query(sql: string, parameters: readonly (string | null)[] = []): Promise<readonly TextRow[]> {
    const config = { text: sql, rowMode: 'array' as const, types: AS_TEXT }
    const result = await this.running(() =>
      this.client.query<(string | null)[]>(
        parameters.length === 0 ? config : { ...config, values: [...parameters] },
      ),
    )
    return result.rows
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<TypedResult> {
    const { command, rowCount, rows } = await this.running(() =>
      this.client.query<Record<string, unknown>>(sql, [...parameters]),
    )
    return { command, rowCount: rowCount ?? 0, rows }
  }

  script(sql: string): Promise<readonly TextRow[]> {
    return this.running(() => sendScript(this.client, sql))
  }

  /**
   * Whatever is running when the run is interrupted is cancelled: a ledger that somebody has locked would otherwise be waited for.
   * Nothing else is sent before the request to cancel has arrived, so that it cannot hit what comes next.
   */
  private async running<T>(call: () => Promise<T>): Promise<T> {
    this.completed = 0
    const cancel = (): void => {
      void this.cancel()
    }
    this.signal?.addEventListener('abort', cancel, { once: true })
    try {
      await this.readStringsAsStandard()
      return await call()
    } catch (thrown) {
      throw this.failed(thrown)
    } finally {
      this.signal?.removeEventListener('abort', cancel)
      await this.cancelling
    }
  }

  /**
   * Files are read as standard SQL, in which a backslash is a character like others; where the server is told otherwise, '\\' would
   * end elsewhere for it than for dbkit. A message is taken apart before any of it runs, so this goes ahead in one of its own;
   * poolers know the setting as each client's.
   */
  private async readStringsAsStandard(): Promise<void> {
    if (!this.strings.conforming) await this.client.query('set standard_conforming_strings = on')
    this.completed = 0
  }

  async alone(before: string, sql: string, after: string): Promise<void> {
    const { client } = this
    const pipelining = client as unknown as { pipeline: boolean }
    try {
      await this.running(async () => {
        // All three arrive before the first is answered: a pooler keeps the connection for whoever still waits for an answer, and
        // gives the next message to another one otherwise. One write for a pooler that is quick or a dbkit that is held up
        // between two; the pause for a network that delivers it in pieces.
        const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
        pipelining.pipeline = true
        stream.cork()
        const sent = [`${before};${PAUSE}`, sql, after].map((text) => client.query(text))
        stream.uncork()
        const outcomes = await Promise.allSettled(sent)
        pipelining.pipeline = false
        const failed = outcomes.find((outcome) => outcome.status === 'rejected')
        if (failed !== undefined) throw failed.reason
      })
    } catch (thrown) {
      if (thrown instanceof SqlError) thrown.completed = 0
      throw thrown
    }
  }

  async copyIn(copySql: string, source: Readable): Promise<number> {
    const { from } = await import('pg-copy-streams')
    const target = this.client.query(from(copySql))
    try {
      await pipeline(source, target)
      return target.rowCount
    } catch (thrown) {
      throw this.failed(thrown)
    }
  }

  async copyMade(copySql: string, fill: FillPage): Promise<number> {
    const { sendCopy } = await import('./send-copy.js')
    return sendCopy(this.client, copySql, fill, (thrown) => this.failed(thrown))
  }

  cancel(): Promise<void> {
    this.cancelling ??= this.requestCancel().finally(() => {
      this.cancelling = undefined
    })
    return this.cancelling
  }

  private async requestCancel(): Promise<void> {
    const { host, port } = this.client
    const { processID, secretKey } = this.client as unknown as { processID: number; secretKey: number }
    const connection = new pg.Connection({ keepAlive: false }) as unknown as CancelConnection
    await new Promise<void>((resolve) => {
      connection.on('connect', () => {
        connection.cancel(processID, secretKey)
      })
      // The server closes the connection once it has taken the request; a request that cannot be made leaves the statement running, which its own timeouts end.
      connection.on('end', resolve)
      connection.on('error', () => {
        resolve()
      })
      // Nor is a server that does not answer waited for: the statement may have ended meanwhile.
      setTimeout(resolve, CANCEL_PATIENCE_MS).unref()
      if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${String(port)}`)
      else connection.connect(port, host)
    })
  }

  async close(): Promise<void> {
    if (this.closing) return
    this.closing = true
    // A connection that is broken already has nothing more to say.
    await this.client.end().catch(() => undefined)
  }

  private failed(thrown: unknown): SqlError {
    const error = toSqlError(thrown)
    error.completed = this.completed
    if (error.connectionLost && !this.lost) {
      this.lost = true
      this.onLost?.()
    }
    return error
  }
}

const CANCEL_PATIENCE_MS = 5_000

/** Longer than the pieces of one write are apart, shorter than anybody notices beside a CREATE INDEX CONCURRENTLY. */
const PAUSE = 'select pg_catalog.pg_sleep(0.02)'

interface CancelConnection {
  on(event: 'connect' | 'end' | 'error', listener: () => void): void
  connect(portOrPath: number | string, host?: string): void
  cancel(processId: number, secretKey: number): void
}

const AS_TEXT = { getTypeParser: () => (value: string) => value }

async function connect(address: ServerAddress, options: ServerOptions): Promise<ServerSession> {
  const ssl = tlsOptions(address)
  try {
    return await connectOnce(address, options, ssl)
  } catch (thrown) {
    const refusedTls = thrown instanceof Error && thrown.message.includes('does not support SSL')
    if (address.sslmode === 'prefer' && refusedTls) return connectOnce(address, options, false)
    if (address.sslmode === 'allow' && !refusedTls && toSqlError(thrown).sqlstate === '28000')
      return connectOnce(address, options, { rejectUnauthorized: false })
    throw thrown
  }
}

async function connectOnce(
  address: ServerAddress,
  options: ServerOptions,
  ssl: ConnectionOptions | false,
): Promise<ServerSession> {
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: address.user,
    database: address.database,
    // Empty keeps pg from looking for one itself: the password file has been asked.
    password: address.password ?? '',
    ssl,
    connectionTimeoutMillis: address.connectTimeoutMs,
    keepAlive: true,
    // The connection that holds the lock is silent for as long as a migration takes; what translates addresses forgets it after minutes.
    keepAliveInitialDelayMillis: 30_000,
    application_name: `dbkit ${options.purpose} on ${hostname()} (pid ${String(process.pid)})`.slice(0, 63),
  })
  let version = ''
  const strings = { conforming: true }
  const { connection } = client as unknown as {
    connection: {
      on(
        event: 'parameterStatus',
        listener: (m: { parameterName: string; parameterValue: string }) => void,
      ): void
    }
  }
  // The server says its version in the greeting: no query needed.
  connection.on('parameterStatus', (message) => {
    if (message.parameterName === 'server_version') version = message.parameterValue
    if (message.parameterName === 'standard_conforming_strings')
      strings.conforming = message.parameterValue !== 'off'
  })
  if (options.onNotice !== undefined)
    client.on('notice', ({ code, message = '' }) => {
      if (code !== NOTHING_BEGUN) options.onNotice?.(message)
    })
  try {
    await client.connect()
    options.onConnect?.()
  } catch (error) {
    // pg leaves the socket of a refused login open, and the process with it, until the server's patience ends.
    ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    throw error
  }
  return new ServerSession(client, version.split(' ')[0] ?? version, strings, options.signal)
}

/** What Node's TLS must check for each sslmode of libpq. */
function tlsOptions(address: ServerAddress): ConnectionOptions | false {
  if (address.sslmode === 'disable' || address.sslmode === 'allow') return false
  const pem = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : readFileSync(file, 'utf8')
  const [ca, cert, key] = [pem(address.sslrootcert), pem(address.sslcert), pem(address.sslkey)]
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
  switch (address.sslmode) {
    case 'verify-full':
      return { ...files, rejectUnauthorized: true }
    case 'verify-ca':
      return { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined }
    case 'require':
      // With a root certificate, libpq's require verifies the chain.
      return ca === undefined
        ? { ...files, rejectUnauthorized: false }
        : { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined }
    case 'prefer':
      return { ...files, rejectUnauthorized: false }
  }
}

/** Not up yet: nothing listens (or not any more), or the server answers "starting up", "shutting down", "in recovery". */
function isStarting(thrown: unknown, error: SqlError): boolean {
  const code = (thrown as { code?: unknown }).code
  return (
    error.sqlstate === '57P03' ||
    error.sqlstate === '57P01' ||
    ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'].includes(
      String(code),
    ) ||
    /terminated unexpectedly|timeout expired/.test(error.message)
  )
}

/** In pg's words, and in those of a server without SCRAM. */
const NO_PASSWORD = /no password supplied|client password must be a/

function unreachable(label: string, address: ServerAddress, thrown: unknown, error: SqlError): DbkitError {
  const { code = error.sqlstate } = thrown as { code?: string }
  const place = address.host.startsWith('/')
    ? `${address.host}/.s.PGSQL.${String(address.port)}`
    : `${address.host}:${String(address.port)}`
  const known: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
    ECONNREFUSED: [
      `nothing listens on ${place}.`,
      'Is the server running? --wait keeps trying while it starts.',
    ],
    ENOENT: [`there is no socket ${place}.`, 'Is the server running? --wait keeps trying while it starts.'],
    ENOTFOUND: [`the host name ${address.host} is unknown.`],
    EAI_AGAIN: [`the host name ${address.host} could not be resolved.`],
    '3D000': [`the server has no database "${address.database}".`, 'Create it with `dbkit db create`.'],
    '28P01': [
      `the password of ${address.user} was refused.`,
      'Set it in the URL, in PGPASSWORD or in the password file.',
    ],
    '57P03': [error.message + '.', '--wait keeps trying while it starts.'],
    '53300': [error.message + '.', 'Close other connections, or raise max_connections; dbkit needs two.'],
  }
  const [reason, hint] = known[code] ?? [
    NO_PASSWORD.test(error.message)
      ? `the server wants a password for ${address.user}, and there is none.`
      : `${error.message}.`.replace(/\.\.$/, '.'),
    /certificate|self-signed/.test(error.message)
      ? 'Name the authority with sslrootcert=FILE, or use sslmode=require to encrypt without checking who answers.'
      : NO_PASSWORD.test(error.message)
        ? 'Set it in the URL, in PGPASSWORD or in the password file.'
        : /no encryption/.test(error.message)
          ? 'The server wants TLS: add sslmode=require to the URL.'
          : undefined,
  ]
  return problem('database.unreachable', { label, reason, hint }, { cause: error })
}
