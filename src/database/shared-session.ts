import { quoteName } from './quote.js'
import { compose, Seat, type Request, type SeatConnection, type SeatStart } from './seat.js'
import {
  CLEARING,
  CUSTOM_SETTING,
  inventorySql,
  NAMES_STATEMENTS,
  RESET,
  restoreSql,
  SUPERUSER,
} from './session-state.js'
import {
  CANCELLED,
  CANCELLED_FATAL,
  CRASHED,
  otherEncoding,
  SHUTTING_DOWN,
  tooLong,
  waitingFor,
} from './sharing-complaints.js'
import { decodeReply, encodeQuery } from './simple-query.js'
import {
  complaint,
  encodeIntegers,
  encodeString,
  fieldOf,
  messagesIn,
  notification,
  readyForQuery,
  stringsIn,
  SYNC,
  type Complaint,
  type Message,
  type TransactionStatus,
} from './wire.js'

/**
 * One session of the embedded engine for many clients, which take turns. What a client has set is put aside when another one takes
 * over and brought back before its next turn; whoever has something that cannot be put aside (a transaction, temporary tables, ...)
 * keeps the session until it is done with it, and the others wait.
 */

/** What the session is to its clients: bytes in, bytes out, and a way to stop it, which ends it. */
export interface SharedEngine {
  protocol(message: Uint8Array, blob?: readonly Uint8Array[]): Promise<Uint8Array>
  terminate(): Promise<void>
  restart(): Promise<void>
}

export interface SharingOptions {
  /** Splits what a client sends into statements. */
  readonly split: (sql: string) => readonly { readonly text: string; readonly words: readonly string[] }[]
  /** How long a client waits behind one that keeps the session and does nothing. */
  readonly patienceMs: number
  /** How long it waits until it is told what for. */
  readonly noticeAfterMs: number
  /** How long a cancelled statement may go on before the engine is ended under it. */
  readonly cancelAfterMs: number
}

/** The request was not run, or nobody knows how far; FATAL ends the connection. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed'
  readonly complaint: Complaint

  constructor(about: Complaint) {
    super(about.message)
    this.complaint = about
  }
}

/** The engine gave no proper answer: it was ended, or broke down. */
export class EngineLost extends Error {
  override readonly name = 'EngineLost'
}

interface Waiting {
  readonly seat: Seat
  readonly request: Request
  readonly since: number
  readonly resolve: (answer: Buffer) => void
  readonly reject: (error: Error) => void
  told: boolean
}

/** Encodings in which the engine can answer; conversions to others are libraries that it lacks, and without them it breaks down. */
const ENCODINGS = new Set(['UTF8', 'SQL_ASCII'])

export class SharedSession {
  /** What the engine last reported of its settings, as in ParameterStatus. */
  readonly reported = new Map<string, string>()
  /** Resolves when the engine is lost for good, or when something else went wrong that nobody foresaw. */
  readonly lost: Promise<Error>
  private readonly engine: SharedEngine
  private readonly options: SharingOptions
  private readonly seats = new Set<Seat>()
  private readonly waiting: Waiting[] = []
  private holder: Seat | undefined
  /** Why the holder cannot be put aside, though it is in no transaction. */
  private pinned: string | undefined
  private running: Waiting | undefined
  private cancelled: Waiting | undefined
  private driving = false
  private turns: Promise<void> = Promise.resolve()
  private watching: NodeJS.Timeout | undefined
  private channelsChanged = false
  private closed = false
  private nextPid = 1_001
  private giveUp: (error: Error) => void = () => undefined

  private constructor(engine: SharedEngine, options: SharingOptions) {
    this.engine = engine
    this.options = options
    this.lost = new Promise((resolve) => {
      this.giveUp = resolve
    })
  }

  static async open(engine: SharedEngine, options: SharingOptions): Promise<SharedSession> {
    const session = new SharedSession(engine, options)
    await session.greet()
    return session
  }

  /** A place for a new client. Its wishes for settings are heard at its first turn. */
  join(name: string, start: SeatStart, connection: SeatConnection): Seat {
    const seat = new Seat(this.nextPid++, name, start, connection)
    this.seats.add(seat)
    return seat
  }

  /** Runs a request when it is the client's turn; resolves to the answer. Rejects with RequestFailed. */
  request(seat: Seat, request: Request): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new RequestFailed(SHUTTING_DOWN))
        return
      }
      this.waiting.push({ seat, request, since: Date.now(), resolve, reject, told: false })
      this.drive()
      this.watch()
    })
  }

  /** The client is gone: what it had begun is rolled back, what it had set is forgotten. */
  leave(seat: Seat): void {
    seat.gone = true
    this.seats.delete(seat)
    this.withdraw((waiting) => waiting.seat === seat, SHUTTING_DOWN)
    this.drive()
  }

  /** Stops what a client is running or waiting for. The engine can only be stopped as a whole; a client that waits loses nothing. */
  cancel(pid: number, secret: number): void {
    const seat = [...this.seats].find((one) => one.pid === pid && one.secret === secret)
    if (seat === undefined) return
    const { running } = this
    if (running?.seat !== seat) {
      this.withdraw((waiting) => waiting.seat === seat, CANCELLED)
      return
    }
    setTimeout(() => {
      if (this.running !== running) return
      this.cancelled = running
      void this.engine.terminate()
    }, this.options.cancelAfterMs)
  }

  /** Lets nobody in any more, and waits for what is running; what does not end in time is ended. */
  async close(graceMs: number): Promise<void> {
    this.closed = true
    clearInterval(this.watching)
    this.withdraw((waiting) => waiting !== this.running, SHUTTING_DOWN)
    const timer = setTimeout(() => void this.engine.terminate(), graceMs)
    await this.turns
    clearTimeout(timer)
    if (this.holder === undefined) return
    this.holder.gone = true
    this.drive()
    await this.turns
  }

  private drive(): void {
    if (this.driving) return
    this.driving = true
    this.turns = this.takeTurns()
  }

  private async takeTurns(): Promise<void> {
    for (let turn = this.nextTurn(); turn !== undefined; turn = this.nextTurn()) {
      try {
        await turn()
      } catch (error) {
        if (!(error instanceof EngineLost)) this.fail(asError(error))
        else await this.recover()
      }
    }
    // Nothing may come between the last look for a turn and this: whoever asks afterwards has to start anew.
    this.driving = false
  }

  private nextTurn(): (() => Promise<void>) | undefined {
    const { holder } = this
    if (holder?.gone === true) return () => this.clear()
    if (this.closed) return undefined
    const next =
      holder !== undefined && this.whyKept(holder) !== undefined
        ? this.waiting.find(({ seat }) => seat === holder)
        : this.waiting[0]
    return next === undefined ? undefined : () => this.serve(next)
  }

  private async serve(next: Waiting): Promise<void> {
    try {
      if (next.seat !== this.holder && !(await this.handOver(next.seat))) return
      // Cancelled, or gone, while the session changed hands.
      if (!this.waiting.includes(next)) return
      this.running = next
      this.pinned = undefined
      const answer = await this.run(next.seat, next.request)
      this.withdrawOne(next)
      next.resolve(answer)
    } catch (error) {
      this.withdrawOne(next)
      next.reject(error instanceof EngineLost ? new RequestFailed(this.whyLost(next)) : asError(error))
      // It has been told.
      if (this.holder === next.seat) this.holder = undefined
      throw error
    } finally {
      this.running = undefined
      this.cancelled = undefined
      next.seat.idleSince = Date.now()
    }
  }

  private whyLost(waiting: Waiting): Complaint {
    if (waiting === this.cancelled) return CANCELLED_FATAL
    return this.closed ? SHUTTING_DOWN : CRASHED
  }

  /** Gives the session to another client. False: the present one has something that cannot be put aside. */
  private async handOver(seat: Seat): Promise<boolean> {
    if (this.holder !== undefined) {
      this.pinned = await this.putAside(this.holder)
      if (this.pinned !== undefined) return false
      this.holder = undefined
    }
    const statements = restoreSql(seat.state)
    const [reset, restored] = await this.script([RESET, ...(statements === '' ? [] : [statements])])
    const refused = reset ?? restored
    if (refused !== undefined) {
      await this.script([RESET])
      this.withdraw((waiting) => waiting.seat === seat, refused)
      return true
    }
    // One that fails now (its table is gone) is missing when it is executed, as on a server its plan would be refused there.
    await this.script(seat.state.prepared)
    this.holder = seat
    return true
  }

  /** Keeps what a client has set. Returns why it cannot be put aside, if so. */
  private async putAside(seat: Seat): Promise<string | undefined> {
    const answer = await this.exchange(encodeQuery(inventorySql(seat.customSettings)))
    const { rows, error } = decodeReply(Buffer.concat(answer.map(({ bytes }) => bytes)))
    if (error !== undefined) return `cannot be put aside (${error['message'] ?? ''})`
    const of = (kind: string): (readonly [string, string])[] =>
      rows.flatMap(([found, name, value]) => (found === kind ? [[name ?? '', value ?? ''] as const] : []))
    const [pin] = of('pin')
    if (pin !== undefined) return pin[0]
    const [[user, role] = [SUPERUSER, 'none']] = of('user')
    seat.state = { settings: of('setting'), user, role, prepared: of('prepared').map(([, text]) => text) }
    // Those it has dropped in SQL.
    const left = new Set(of('statement').map(([name]) => name))
    for (const name of seat.loaded) if (name !== '' && !left.has(name)) seat.statements.delete(name)
    seat.loaded.clear()
    return undefined
  }

  private async run(seat: Seat, request: Request): Promise<Buffer> {
    if (request.messages.length === 0) return Buffer.alloc(0)
    const texts = textsOf(request)
    await this.prepareFor(seat, texts)
    const { bytes, parses } = compose(seat, request)
    const answer = await this.exchange(bytes, request.blob)
    const kept: Buffer[] = []
    let status: TransactionStatus | undefined
    let { refusal } = request
    for (const message of answer) {
      switch (message.type) {
        case '1': {
          const parsed = parses.shift()
          if (parsed === undefined) break
          const [name = ''] = stringsIn(parsed.message.body, 0, 1)
          seat.loaded.add(name)
          if (parsed.again) continue
          seat.statements.set(name, parsed.message)
          break
        }
        case 'Z':
          // After an error before a Sync the engine sends one too many: the last one counts.
          status = statusIn(message)
          continue
        case 'E':
          if (/^(?:FATAL|PANIC)$/.test(fieldOf(message.body, 'V') ?? ''))
            throw new EngineLost('the engine gave no proper answer')
          if (refusal !== undefined) {
            kept.push(complaint(refusal))
            refusal = undefined
            continue
          }
          break
        case 'C':
          this.noteCommand(seat, stringsIn(message.body, 0, 1)[0] ?? '')
          break
      }
      kept.push(message.bytes)
    }
    if (request.ends === 'flush') {
      seat.midSequence = true
      return Buffer.concat(kept)
    }
    // Told nothing, ask: after some errors the engine forgets to say that it is ready.
    status ??= (await this.exchange(SYNC)).map(statusIn).find((found) => found !== undefined)
    if (status === undefined) throw new EngineLost('the engine gave no proper answer')
    seat.status = status
    seat.midSequence = false
    this.noteListening(seat, texts)
    if (this.channelsChanged && status === 'I') await this.listenForAll()
    const encoding = this.reported.get('client_encoding') ?? 'UTF8'
    if (!ENCODINGS.has(encoding)) {
      await this.script(["set client_encoding to 'UTF8'"])
      kept.splice(0, kept.length, complaint(otherEncoding(encoding)))
    }
    return Buffer.concat([...kept, readyForQuery(status)])
  }

  /** SQL that names prepared statements itself must find them all. */
  private async prepareFor(seat: Seat, texts: readonly string[]): Promise<void> {
    for (const text of texts)
      for (const match of text.matchAll(CUSTOM_SETTING)) seat.customSettings.add(match[1] ?? match[2] ?? '')
    if (seat.status !== 'I' || seat.midSequence || !texts.some((text) => NAMES_STATEMENTS.test(text))) return
    for (const [name, parse] of seat.statements) {
      if (name === '' || seat.loaded.has(name)) continue
      await this.exchange(Buffer.concat([parse.bytes, SYNC]))
      seat.loaded.add(name)
    }
  }

  private noteCommand(seat: Seat, tag: string): void {
    if (tag === 'DISCARD ALL') seat.channels.clear()
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') {
      seat.statements.clear()
      seat.loaded.clear()
    }
    if (tag === 'DISCARD ALL' || tag === 'UNLISTEN') this.channelsChanged = true
  }

  private noteListening(seat: Seat, texts: readonly string[]): void {
    for (const text of texts) {
      if (!/\b(?:un)?listen\b/i.test(text)) continue
      for (const statement of this.options.split(text)) {
        const match = /^(un)?listen\s+(?:"((?:[^"]|"")+)"|([^\s";]+))/i.exec(statement.text)
        if (match === null) continue
        const [, un, quoted, bare] = match
        const channel = quoted?.replaceAll('""', '"') ?? bare?.toLowerCase() ?? ''
        if (un === undefined) seat.channels.add(channel)
        else if (bare === '*') seat.channels.clear()
        else seat.channels.delete(channel)
      }
    }
  }

  /** The engine listens to what any client listens to; whom a notification is for is settled here. */
  private async listenForAll(): Promise<void> {
    this.channelsChanged = false
    const channels = new Set([...this.seats].flatMap((seat) => [...seat.channels]))
    await this.script([
      ['unlisten *', ...[...channels].map((channel) => `listen ${quoteName(channel)}`)].join(';'),
    ])
  }

  /** After a client that is gone. */
  private async clear(): Promise<void> {
    this.holder = undefined
    this.pinned = undefined
    const answer = await this.exchange(CLEARING)
    if (answer.map(statusIn).findLast((found) => found !== undefined) !== 'I')
      throw new EngineLost('the engine gave no proper answer')
    await this.listenForAll()
  }

  /** Ends the engine, whatever is left of it, and starts it anew; the session of its holder is lost, the others' were put aside. */
  private async recover(): Promise<void> {
    if (this.holder?.gone === false) this.holder.connection.evict(CRASHED)
    this.holder = undefined
    this.pinned = undefined
    if (this.closed) return
    try {
      await this.engine.restart()
      await this.greet()
      await this.listenForAll()
    } catch (error) {
      this.fail(asError(error))
    }
  }

  private fail(error: Error): void {
    this.closed = true
    this.holder = undefined
    this.withdraw(() => true, CRASHED)
    this.giveUp(error)
  }

  /** Makes the engine report its settings from now on, as it does for a client that has introduced itself. */
  private async greet(): Promise<void> {
    const introduction = Buffer.concat([
      encodeIntegers(196_608),
      ...['user', SUPERUSER, 'database', 'postgres', ''].map(encodeString),
    ])
    await this.exchange(Buffer.concat([encodeIntegers(introduction.length + 4), introduction]))
    await this.script([RESET])
  }

  /** Runs each text as a message of its own; returns the error of each that failed. */
  private async script(texts: readonly string[]): Promise<readonly (Complaint | undefined)[]> {
    if (texts.length === 0) return []
    const answer = await this.exchange(Buffer.concat(texts.map(encodeQuery)))
    const failures: (Complaint | undefined)[] = []
    let failure: Complaint | undefined
    for (const message of answer) {
      if (message.type === 'E') failure ??= fatal(message)
      if (message.type !== 'Z') continue
      failures.push(failure)
      failure = undefined
    }
    if (failures.length < texts.length) throw new EngineLost('the engine gave no proper answer')
    return failures
  }

  private async exchange(bytes: Uint8Array, blob?: readonly Buffer[]): Promise<readonly Message[]> {
    let answer: Uint8Array
    try {
      answer = await this.engine.protocol(bytes, blob)
    } catch (error) {
      throw new EngineLost('the engine ended', { cause: error })
    }
    const messages: Message[] = []
    for (const message of messagesIn(answer)) {
      if (message.type === 'A') this.deliver(message)
      else messages.push(message)
      if (message.type !== 'S') continue
      const [name = '', value = ''] = stringsIn(message.body)
      this.reported.set(name, value)
    }
    return messages
  }

  private deliver(message: Message): void {
    const [channel = '', payload = ''] = stringsIn(message.body, 4)
    const from = this.holder?.pid ?? message.body.readInt32BE(0)
    for (const seat of this.seats)
      if (seat.channels.has(channel)) seat.connection.push(notification(from, channel, payload))
  }

  private whyKept(holder: Seat): string | undefined {
    if (holder.status !== 'I') return 'is in a transaction'
    if (holder.midSequence) return 'has not sent the end of its messages'
    return this.pinned
  }

  /** While anybody waits, looks who has to be told what for, and who has waited long enough. */
  private watch(): void {
    this.watching ??= setInterval(() => {
      if (this.waiting.length > 0 && !this.closed) {
        this.look(Date.now())
        return
      }
      clearInterval(this.watching)
      this.watching = undefined
    }, 100)
  }

  private look(now: number): void {
    const { holder } = this
    const why = this.running === undefined ? holder && this.whyKept(holder) : 'is running a statement'
    if (holder === undefined || why === undefined) return
    const sentence = `${holder.label}, which ${why}`
    for (const waiting of [...this.waiting]) {
      if (waiting.seat === holder) continue
      if (!waiting.told && now - waiting.since >= this.options.noticeAfterMs) {
        waiting.told = true
        waiting.seat.connection.push(complaint(waitingFor(sentence)))
      }
      const idleSince = Math.max(holder.idleSince, waiting.since)
      if (this.running === undefined && now - idleSince >= this.options.patienceMs)
        this.withdraw((one) => one === waiting, tooLong(sentence, now - waiting.since))
    }
  }

  private withdraw(which: (waiting: Waiting) => boolean, reason: Complaint): void {
    for (const waiting of this.waiting.filter((one) => one !== this.running && which(one))) {
      this.withdrawOne(waiting)
      waiting.reject(new RequestFailed(reason))
    }
  }

  private withdrawOne(waiting: Waiting): void {
    const at = this.waiting.indexOf(waiting)
    if (at >= 0) this.waiting.splice(at, 1)
  }
}

function textsOf({ messages }: Request): readonly string[] {
  return messages.flatMap(({ type, body }) => {
    if (type === 'Q') return stringsIn(body, 0, 1)
    return type === 'P' ? stringsIn(body, 0, 2).slice(1) : []
  })
}

function statusIn(message: Message): TransactionStatus | undefined {
  return message.type === 'Z' ? (String.fromCharCode(message.body[0] ?? 0) as TransactionStatus) : undefined
}

/** What the engine refused of a client's session, which then cannot be. */
function fatal({ body }: Message): Complaint {
  return {
    severity: 'FATAL',
    sqlstate: fieldOf(body, 'C') ?? 'XX000',
    message: fieldOf(body, 'M') ?? '',
    detail: fieldOf(body, 'D'),
    hint: fieldOf(body, 'H'),
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
