import { randomInt } from 'node:crypto'
import {
  encodeMessage,
  encodeString,
  stringsIn,
  type Complaint,
  type Message,
  type TransactionStatus,
} from './wire.js'

/** What a client wants done at a time: all up to its Sync or its Flush, or a single Query or FunctionCall. */
export interface Request {
  readonly messages: readonly Message[]
  readonly ends: 'sync' | 'flush' | 'query'
  /** What `COPY ... FROM '/dev/blob'` reads. */
  readonly blob?: readonly Buffer[]
  /** Nothing of it is to run: the engine is made to fail, so that it is in the right state, and the client is told this instead. */
  readonly refusal?: Complaint
}

/** What a client has set, and what is brought back for its next turn. */
export interface SessionState {
  readonly settings: readonly (readonly [name: string, value: string])[]
  readonly user: string
  readonly role: string
  /** PREPARE statements, as they were sent. */
  readonly prepared: readonly string[]
}

/** The place of one client at the session. */
export class Seat {
  readonly pid: number
  readonly secret = randomInt(0x7fff_ffff)
  readonly label: string
  readonly connection: SeatConnection
  state: SessionState
  status: TransactionStatus = 'I'
  /** In the middle of the extended protocol's messages, before their Sync. */
  midSequence = false
  idleSince = Date.now()
  gone = false
  /** Parse messages of its prepared statements, the unnamed one too. */
  readonly statements = new Map<string, Message>()
  /** Those that the engine has at the moment. */
  readonly loaded = new Set<string>()
  readonly channels = new Set<string>()
  /** Names of settings like app.tenant, which PostgreSQL does not list. */
  readonly customSettings = new Set<string>()

  constructor(pid: number, name: string, start: SeatStart, connection: SeatConnection) {
    this.pid = pid
    this.label = `${name === '' ? 'a client' : name} (pid ${String(pid)})`
    this.state = { settings: start.settings, user: start.user, role: 'none', prepared: [] }
    this.connection = connection
  }
}

/** What a client asked for when it introduced itself. */
export type SeatStart = Pick<SessionState, 'user' | 'settings'>

export interface SeatConnection {
  /** Sends bytes that are no answer: notices and notifications. */
  push(bytes: Buffer): void
  /** Ends the connection: its session is lost. */
  evict(why: Complaint): void
}

/**
 * A request as the engine is to get it: statements that it has lost meanwhile are prepared again before they are bound. `parses`
 * are its Parse messages in order; the client must not see the answer to one that is sent again.
 */
export function compose(
  seat: Seat,
  { messages, refusal }: Request,
): { readonly bytes: Buffer; readonly parses: Parsing[] } {
  const sent: Buffer[] = []
  const parses: Parsing[] = []
  const known = new Set(seat.loaded)
  const load = (name: string): void => {
    const parse = seat.statements.get(name)
    if (parse === undefined || known.has(name)) return
    known.add(name)
    sent.push(parse.bytes)
    parses.push({ message: parse, again: true })
  }
  const forget = (name: string): void => {
    seat.statements.delete(name)
    seat.loaded.delete(name)
    known.delete(name)
  }
  for (const message of messages) {
    const { type, body } = message
    if (type === 'B') load(stringsIn(body, 0, 2)[1] ?? '')
    else if (type === 'D' && body[0] === STATEMENT) load(stringsIn(body, 1, 1)[0] ?? '')
    else if (type === 'C' && body[0] === STATEMENT) forget(stringsIn(body, 1, 1)[0] ?? '')
    else if (type === 'P') {
      const name = stringsIn(body, 0, 1)[0] ?? ''
      // A name that is taken is refused only by an engine that has the statement; the unnamed one is replaced.
      if (name === '') forget('')
      else load(name)
      known.add(name)
      parses.push({ message, again: false })
    } else if (type === 'Q') forget('')
    if (refusal !== undefined && (type === 'Q' || type === 'P')) sent.push(failing(type))
    else sent.push(message.bytes)
  }
  return { bytes: Buffer.concat(sent), parses }
}

interface Parsing {
  readonly message: Message
  readonly again: boolean
}

const STATEMENT = 'S'.charCodeAt(0)

export function failing(type: 'Q' | 'P'): Buffer {
  return type === 'Q'
    ? encodeMessage('Q', encodeString(FAILING))
    : encodeMessage('P', encodeString(''), encodeString(FAILING), Buffer.alloc(2))
}

/** A syntax error. */
const FAILING = 'dbkit_refuses_this'
