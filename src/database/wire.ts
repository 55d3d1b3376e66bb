/**
 * Messages of the PostgreSQL protocol, version 3, as bytes: what `db serve` has to understand of them to stand between clients and
 * the embedded engine. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** One message behind the startup: its type, and all of its bytes. */
export interface Message {
  readonly type: string
  readonly bytes: Buffer
  /** Without type and length. */
  readonly body: Buffer
}

/** The fields of an ErrorResponse or NoticeResponse. */
export interface Complaint {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE' | 'WARNING'
  readonly sqlstate: string
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
}

/** Requests that come in the place of a startup message. */
export const SSL_REQUEST = 80_877_103
export const GSS_REQUEST = 80_877_104
export const CANCEL_REQUEST = 80_877_102

/** As PostgreSQL limits them: a startup is short, and any other message fits into 1 GB. */
const LONGEST_STARTUP = 10_000
const LONGEST_MESSAGE = 0x3fff_ffff

/** What a client sends that is no message of the protocol. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}

/** Cuts what a client sends into whole messages. */
export class MessageReader {
  private chunks: Buffer[] = []
  /** Bytes that were not read yet. */
  size = 0

  push(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.size += chunk.length
  }

  /** The body of a startup message or of a request in its place; undefined until it is whole. */
  startup(): Buffer | undefined {
    if (this.size < 4) return undefined
    const length = this.joined().readInt32BE(0)
    if (length < 8 || length > LONGEST_STARTUP)
      throw new ProtocolViolation('invalid length of startup packet')
    return this.size < length ? undefined : this.take(length).subarray(4)
  }

  /** The next message; undefined until it is whole. */
  message(): Message | undefined {
    if (this.size < 5) return undefined
    const head = this.head()
    const type = String.fromCharCode(head[0] ?? 0)
    const length = head.readInt32BE(1)
    if (!FRONTEND_TYPES.has(type))
      throw new ProtocolViolation(`invalid frontend message type ${String(head[0])}`)
    if (length < 4 || length > LONGEST_MESSAGE) throw new ProtocolViolation('invalid message length')
    if (this.size < length + 1) return undefined
    const bytes = this.take(length + 1)
    return { type, bytes, body: bytes.subarray(5) }
  }

  /** The first five bytes, without joining a long message again for each of its pieces. */
  private head(): Buffer {
    const [first] = this.chunks
    return first !== undefined && first.length >= 5 ? first : this.joined()
  }

  private take(length: number): Buffer {
    const all = this.joined()
    const rest = all.subarray(length)
    this.chunks = rest.length === 0 ? [] : [rest]
    this.size = rest.length
    return all.subarray(0, length)
  }

  private joined(): Buffer {
    const [first = Buffer.alloc(0)] = this.chunks
    if (this.chunks.length <= 1) return first
    const joined = Buffer.concat(this.chunks, this.size)
    this.chunks = [joined]
    return joined
  }
}

const FRONTEND_TYPES = new Set(['B', 'C', 'D', 'E', 'F', 'H', 'P', 'Q', 'S', 'X', 'c', 'd', 'f', 'p'])

/** The messages in an engine's answer, which is always whole. */
export function* messagesIn(answer: Uint8Array): Generator<Message> {
  const all = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)
  for (let at = 0; at + 5 <= all.length;) {
    const end = at + 1 + all.readInt32BE(at + 1)
    yield {
      type: String.fromCharCode(all[at] ?? 0),
      bytes: all.subarray(at, end),
      body: all.subarray(at + 5, end),
    }
    at = end
  }
}

/** The zero-terminated strings that a body consists of, from a place on. */
export function stringsIn(body: Buffer, from = 0, count = Infinity): string[] {
  const strings: string[] = []
  for (let at = from; at < body.length && strings.length < count;) {
    const end = body.indexOf(0, at)
    if (end < 0) break
    strings.push(body.toString('utf8', at, end))
    at = end + 1
  }
  return strings
}

/** One field of an ErrorResponse: `C` the SQLSTATE, `M` the message, `V` the severity. */
export function fieldOf(body: Buffer, code: string): string | undefined {
  return stringsIn(body)
    .find((field) => field.startsWith(code))
    ?.slice(1)
}

export function encodeMessage(type: string, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4)
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(length, 1)
  return Buffer.concat([head, ...parts], length + 1)
}

export function encodeString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8')
}

/** Big-endian integers of four bytes. */
export function encodeIntegers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value | 0, index * 4)
  return bytes
}

export const SYNC = encodeMessage('S')
export const AUTHENTICATION_OK = encodeMessage('R', encodeIntegers(0))

/** Whether a session is idle, in a transaction, or in one that failed. */
export type TransactionStatus = 'I' | 'T' | 'E'

export function readyForQuery(status: TransactionStatus): Buffer {
  return encodeMessage('Z', Buffer.from(status, 'latin1'))
}

export function parameterStatus(name: string, value: string): Buffer {
  return encodeMessage('S', encodeString(name), encodeString(value))
}

export function complaint({ severity, sqlstate, message, detail, hint }: Complaint): Buffer {
  const fields = { S: severity, V: severity, C: sqlstate, M: message, D: detail, H: hint }
  const parts = Object.entries(fields).flatMap(([code, text]) =>
    text === undefined ? [] : [encodeString(code + text)],
  )
  const type = severity === 'ERROR' || severity === 'FATAL' ? 'E' : 'N'
  return encodeMessage(type, ...parts, Buffer.alloc(1))
}

/** Tells a client to send its rows; `columns` in one format, text or binary. */
export function copyInResponse(columns: number, binary: boolean): Buffer {
  const body = Buffer.alloc(3 + columns * 2)
  body[0] = binary ? 1 : 0
  body.writeInt16BE(columns, 1)
  for (let column = 0; column < columns; column++) body.writeInt16BE(binary ? 1 : 0, 3 + column * 2)
  return encodeMessage('G', body)
}

export function notification(pid: number, channel: string, payload: string): Buffer {
  return encodeMessage('A', encodeIntegers(pid), encodeString(channel), encodeString(payload))
}
