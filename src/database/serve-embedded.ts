import { createServer, type Server, type Socket } from 'node:net'
import { problem } from '../errors.js'
import { readCopy, type CopyIn } from './copy-from-client.js'
import type { EmbeddedDatabase } from './embedded.js'
import type { Request, Seat } from './seat.js'
import { RequestFailed, SharedSession, type SharingOptions } from './shared-session.js'
import { SHUTTING_DOWN } from './sharing-complaints.js'
import { decodeReply } from './simple-query.js'
import {
  AUTHENTICATION_OK,
  CANCEL_REQUEST,
  complaint,
  copyInResponse,
  encodeIntegers,
  encodeMessage,
  encodeString,
  GSS_REQUEST,
  MessageReader,
  parameterStatus,
  ProtocolViolation,
  readyForQuery,
  SSL_REQUEST,
  stringsIn,
  type Complaint,
  type Message,
} from './wire.js'

export interface ServeOptions {
  readonly host: string
  /** The port to listen on; when it is taken, the next free one if `nextFree`. 0: any. */
  readonly port: number
  readonly nextFree: boolean
  readonly split: SharingOptions['split']
  /** Milliseconds, for tests; see SharingOptions. */
  readonly patienceMs?: number
  readonly noticeAfterMs?: number
  readonly cancelAfterMs?: number
}

export interface EmbeddedServer {
  readonly host: string
  readonly port: number
  /** Resolves when the engine broke down and could not be started again, or with a bug. */
  readonly lost: Promise<Error>
  /** Lets running statements end (for a moment), says goodbye to the clients, and closes the engine. */
  close(): Promise<void>
}

/** The embedded engine's only database, under the name it has inside; other names would lead nowhere. */
export const SERVED_DATABASE = 'postgres'

/** How many ports to try before something else must be wrong. */
const PORTS_TO_TRY = 100
const GRACE_MS = 3_000
const INTRODUCTION_MS = 60_000
/** Rows of a COPY are kept in memory until all are there. */
const LARGEST_COPY = 0x3fff_ffff
/** Enough to keep the engine busy; a client that sends faster waits. */
const READ_AHEAD = 1 << 20

/** Answers PostgreSQL's protocol for an embedded database, which it closes in the end, also when it cannot begin. */
export async function serveEmbedded(
  database: EmbeddedDatabase,
  options: ServeOptions,
): Promise<EmbeddedServer> {
  let giveUp: (error: Error) => void = () => undefined
  const bug = new Promise<Error>((resolve) => {
    giveUp = resolve
  })
  try {
    const session = await SharedSession.open(database, {
      split: options.split,
      patienceMs: options.patienceMs ?? 60_000,
      noticeAfterMs: options.noticeAfterMs ?? 1_000,
      cancelAfterMs: options.cancelAfterMs ?? 1_000,
    })
    const connections = new Set<Connection>()
    const { server, port } = await listen(options, (socket) => {
      const connection = new Connection(socket, session, options.split, giveUp)
      connections.add(connection)
      socket.on('close', () => connections.delete(connection))
    })
    database.announce({ host: reachable(options.host), port })
    return {
      host: options.host,
      port,
      lost: Promise.race([session.lost, bug]),
      async close() {
        // Who looks for the database from now on finds it busy, not a port where nobody answers.
        database.announce(undefined)
        const closed = new Promise((resolve) => server.close(resolve))
        await session.close(GRACE_MS)
        for (const connection of connections) connection.end(SHUTTING_DOWN)
        await closed
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Where processes of this machine reach it. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

async function listen(
  { host, port, nextFree }: ServeOptions,
  onConnection: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  for (let candidate = port; ; candidate++) {
    const server = createServer({ noDelay: true, keepAlive: true }, onConnection)
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve)
      server.listen(candidate, host, () => {
        resolve(undefined)
      })
    })
    if (failure === undefined) {
      const address = server.address()
      return { server, port: typeof address === 'object' && address !== null ? address.port : candidate }
    }
    const another =
      nextFree && failure.code === 'EADDRINUSE' && candidate < Math.min(65_535, port + PORTS_TO_TRY)
    if (!another)
      throw problem(
        'request.port-unavailable',
        { host, port: candidate, reason: PORT_REASONS[failure.code ?? ''] ?? failure.message },
        { cause: failure },
      )
  }
}

const PORT_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
  ENOTFOUND: 'the host name is unknown',
}

/** One client: from its bytes to requests, and from answers to its bytes. */
class Connection {
  private readonly socket: Socket
  private readonly session: SharedSession
  private readonly split: SharingOptions['split']
  private readonly giveUp: (error: Error) => void
  private readonly reader = new MessageReader()
  private seat: Seat | undefined
  /** Messages of the extended protocol that wait for their Sync or Flush. */
  private pending: Message[] = []
  private refusal: Complaint | undefined
  /** After a failure in the extended protocol everything up to the Sync is passed over. */
  private skipping = false
  private copying: { readonly copyIn: CopyIn; readonly rows: Buffer[]; size: number } | undefined
  private working = false
  private ended = false

  constructor(
    socket: Socket,
    session: SharedSession,
    split: SharingOptions['split'],
    giveUp: (error: Error) => void,
  ) {
    this.giveUp = giveUp
    this.socket = socket
    this.session = session
    this.split = split
    socket.setTimeout(INTRODUCTION_MS, () => socket.destroy())
    socket.on('data', (chunk) => {
      this.reader.push(chunk)
      if (this.reader.size > READ_AHEAD) socket.pause()
      void this.work()
    })
    // What a broken connection means is told by 'close', which follows.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.ended = true
      if (this.seat !== undefined) this.session.leave(this.seat)
    })
  }

  /** Says why, and ends the connection. */
  end(why: Complaint | undefined): void {
    if (this.ended) return
    this.ended = true
    if (why !== undefined) this.socket.write(complaint({ ...why, severity: 'FATAL' }))
    this.socket.end()
    // A client that does not hang up by itself is not waited for.
    setTimeout(() => this.socket.destroy(), 500).unref()
  }

  /** Handles message after message; each waits until the one before it was answered. */
  private async work(): Promise<void> {
    if (this.working) return
    this.working = true
    try {
      while (!this.ended && (await this.step()));
    } catch (error) {
      if (error instanceof ProtocolViolation)
        this.end({ severity: 'FATAL', sqlstate: '08P01', message: error.message })
      else if (error instanceof RequestFailed) this.end(error.complaint)
      else this.giveUp(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.working = false
    }
  }

  /** False: more bytes are needed. */
  private async step(): Promise<boolean> {
    if (this.reader.size <= READ_AHEAD && this.socket.isPaused()) this.socket.resume()
    if (this.seat === undefined) {
      const startup = this.reader.startup()
      if (startup !== undefined) await this.introduce(startup)
      return startup !== undefined
    }
    const message = this.reader.message()
    if (message === undefined) {
      // A long message has to be read to its end.
      if (this.socket.isPaused()) this.socket.resume()
      return false
    }
    if (this.copying === undefined) await this.take(this.seat, message)
    else await this.takeRows(this.seat, message, this.copying)
    return true
  }

  private async introduce(startup: Buffer): Promise<void> {
    const code = startup.readInt32BE(0)
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      this.socket.write('N')
      return
    }
    if (code === CANCEL_REQUEST) {
      if (startup.length >= 12) this.session.cancel(startup.readInt32BE(4), startup.readInt32BE(8))
      this.end(undefined)
      return
    }
    if (code >> 16 !== 3) {
      this.end(unsupported(`protocol ${String(code >> 16)}.${String(code & 0xffff)}`))
      return
    }
    const parameters = parametersOf(startup.subarray(4))
    const refused = refuseParameters(parameters)
    if (refused !== undefined) {
      this.end(refused)
      return
    }
    const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'))
    if ((code & 0xffff) > 0 || unknown.length > 0)
      this.socket.write(
        encodeMessage('v', encodeIntegers(196_608, unknown.length), ...unknown.map(encodeString)),
      )
    const seat = this.session.join(
      parameters.get('application_name') ?? '',
      { user: parameters.get('user') ?? '', settings: settingsOf(parameters) },
      {
        push: (bytes) => {
          if (!this.ended) this.socket.write(bytes)
        },
        evict: (why) => {
          this.end(why)
        },
      },
    )
    this.seat = seat
    this.socket.setTimeout(0)
    // An empty request: the session takes on what the client asked for, or refuses it.
    await this.session.request(seat, { messages: [], ends: 'flush' })
    this.socket.write(
      Buffer.concat([
        AUTHENTICATION_OK,
        ...[...this.session.reported].map(([name, value]) => parameterStatus(name, value)),
        encodeMessage('K', encodeIntegers(seat.pid, seat.secret)),
        readyForQuery('I'),
      ]),
    )
  }

  private async take(seat: Seat, message: Message): Promise<void> {
    const { type } = message
    if (type === 'X') {
      this.end(undefined)
      return
    }
    if (this.skipping) {
      if (type !== 'S') return
      this.skipping = false
      this.socket.write(readyForQuery(seat.status))
      return
    }
    switch (type) {
      case 'Q': {
        await this.flush(seat)
        const copy = readCopy(stringsIn(message.body, 0, 1)[0] ?? '', this.split, 'simple')
        if (copy !== undefined && 'copyIn' in copy) await this.startCopy(seat, copy.copyIn)
        else await this.ask(seat, { messages: [message], ends: 'query', ...copy })
        break
      }
      case 'F':
        await this.flush(seat)
        await this.ask(seat, { messages: [message], ends: 'query' })
        break
      case 'P': {
        const copy = readCopy(stringsIn(message.body, 0, 2)[1] ?? '', this.split, 'extended')
        if (copy !== undefined && 'refusal' in copy) this.refusal ??= copy.refusal
        this.pending.push(message)
        break
      }
      case 'B':
      case 'C':
      case 'D':
      case 'E':
        this.pending.push(message)
        break
      case 'H':
      case 'S':
        this.pending.push(message)
        await this.askPending(seat, type === 'S' ? 'sync' : 'flush')
        break
      case 'c':
      case 'd':
      case 'f':
        // Of a COPY that failed already.
        break
      default:
        throw new ProtocolViolation(`unexpected message type ${type}`)
    }
  }

  /** A simple query may follow messages of the extended protocol without a Sync between them. */
  private async flush(seat: Seat): Promise<void> {
    if (this.pending.length > 0) await this.askPending(seat, 'flush')
  }

  private async askPending(seat: Seat, ends: 'sync' | 'flush'): Promise<void> {
    const { pending: messages, refusal } = this
    this.pending = []
    this.refusal = undefined
    await this.ask(seat, { messages, ends, ...(refusal === undefined ? {} : { refusal }) })
  }

  private async ask(seat: Seat, request: Request): Promise<void> {
    try {
      const answer = await this.session.request(seat, request)
      if (!this.ended) this.socket.write(answer)
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.complaint.severity === 'FATAL') throw error
      // It was not run, so the transaction is what it was.
      this.socket.write(complaint(error.complaint))
      if (request.ends === 'flush') this.skipping = true
      else this.socket.write(readyForQuery(seat.status))
    }
  }

  /** Asks for the rows, if the statement has a table to put them into; otherwise the engine says what is wrong with it. */
  private async startCopy(seat: Seat, copyIn: CopyIn): Promise<void> {
    const question: Request = { messages: [queryMessage(copyIn.columnsSql)], ends: 'query' }
    const { rows } = decodeReply(await this.session.request(seat, question))
    const columns = Number(rows[0]?.[0] ?? 0)
    if (columns === 0) {
      await this.ask(seat, { messages: [queryMessage(copyIn.sql)], ends: 'query' })
      return
    }
    this.copying = { copyIn, rows: [], size: 0 }
    this.socket.write(copyInResponse(columns, copyIn.binary))
  }

  private async takeRows(
    seat: Seat,
    message: Message,
    copying: { readonly copyIn: CopyIn; readonly rows: Buffer[]; size: number },
  ): Promise<void> {
    const fail = async (sqlstate: string, text: string): Promise<void> => {
      this.copying = undefined
      const refusal: Complaint = { severity: 'ERROR', sqlstate, message: text }
      await this.ask(seat, { messages: [queryMessage(copying.copyIn.sql)], ends: 'query', refusal })
    }
    switch (message.type) {
      case 'd':
        // Copied: what was read is a part of a larger chunk, which it would keep in memory.
        copying.rows.push(Buffer.from(message.body))
        copying.size += message.body.length
        if (copying.size > LARGEST_COPY)
          await fail('54000', 'the embedded engine takes at most 1 GB in one COPY')
        break
      case 'c':
        this.copying = undefined
        await this.ask(seat, {
          messages: [queryMessage(copying.copyIn.sql)],
          ends: 'query',
          blob: copying.copyIn.binary ? copying.rows : withoutEndMark(copying.rows),
        })
        break
      case 'f':
        await fail('57014', `COPY from stdin failed: ${stringsIn(message.body, 0, 1)[0] ?? ''}`)
        break
      case 'H':
      case 'S':
        break
      default:
        await fail('08P01', `unexpected message type ${message.type} during COPY from stdin`)
        await this.take(seat, message)
    }
  }
}

/**
 * psql sends the line \. that ends inline data along with the data. From STDIN PostgreSQL takes it for the end; in CSV that is
 * read from a file it is a value.
 */
function withoutEndMark(rows: readonly Buffer[]): readonly Buffer[] {
  // It can be split over chunks, so the last few are looked at together.
  const tail = Buffer.concat(rows.slice(-6))
  const mark = /(?:^|\n)(\\\.\r?\n?)$/.exec(tail.toString('latin1'))?.[1]
  if (mark === undefined) return rows
  return [...rows.slice(0, -6), tail.subarray(0, tail.length - mark.length)]
}

function queryMessage(sql: string): Message {
  const bytes = encodeMessage('Q', encodeString(sql))
  return { type: 'Q', bytes, body: bytes.subarray(5) }
}

function parametersOf(body: Buffer): ReadonlyMap<string, string> {
  const strings = stringsIn(body)
  const parameters = new Map<string, string>()
  for (let at = 0; at + 1 < strings.length && strings[at] !== ''; at += 2)
    parameters.set(strings[at] ?? '', strings[at + 1] ?? '')
  return parameters
}

function refuseParameters(parameters: ReadonlyMap<string, string>): Complaint | undefined {
  const user = parameters.get('user') ?? ''
  if (user === '')
    return {
      severity: 'FATAL',
      sqlstate: '28000',
      message: 'no PostgreSQL user name specified in startup packet',
    }
  const replication = parameters.get('replication') ?? 'false'
  if (!/^(?:false|off|no|0)$/i.test(replication)) return unsupported('replication')
  const database = parameters.get('database') ?? user
  if (database === SERVED_DATABASE) return undefined
  return {
    severity: 'FATAL',
    sqlstate: '3D000',
    message: `database "${database}" does not exist`,
    hint: `An embedded engine serves one database, and inside it is called ${SERVED_DATABASE}.`,
  }
}

function unsupported(what: string): Complaint {
  return {
    severity: 'FATAL',
    sqlstate: '0A000',
    message: `${what} is not supported by the embedded engine`,
  }
}

/** What the client wants its session to be set to. The encoding stays: the engine has no conversions. */
function settingsOf(parameters: ReadonlyMap<string, string>): (readonly [string, string])[] {
  const settings: (readonly [string, string])[] = []
  for (const [name, value] of parameters) {
    if (name === 'options') settings.push(...optionsOf(value))
    else if (!/^(?:user|database|replication|client_encoding|_pq_\..*)$/.test(name))
      settings.push([name, value])
  }
  return settings
}

/** `-c name=value` and `--name=value`, with blanks and backslashes escaped by a backslash. */
function optionsOf(text: string): (readonly [string, string])[] {
  const words = [...text.matchAll(/(?:\\.|\S)+/gs)].map(([word]) => word.replaceAll(/\\(.)/gs, '$1'))
  const settings: (readonly [string, string])[] = []
  for (const [index, word] of words.entries()) {
    const assignment = word === '-c' ? words[index + 1] : /^(?:--|-c)(.+)$/s.exec(word)?.[1]
    const match = /^([^=]+)=(.*)$/s.exec(assignment ?? '')
    if (match !== null) settings.push([(match[1] ?? '').replaceAll('-', '_'), match[2] ?? ''])
  }
  return settings
}
