import { NOTHING_BEGUN } from './sql-error.js'

/**
 * The simple query sub-protocol, as bytes: what PGlite's own exec() hides (how many statements ended before the one that failed)
 * stands in its answer. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

export interface SimpleReply {
  /** Rows of the last statement that returned a row description, as text. */
  readonly rows: readonly (readonly (string | null)[])[]
  /** Statements that ended well. */
  readonly completed: number
  readonly notices: readonly string[]
  /** The fields of the first error, by the names that `pg` gives them. */
  readonly error: Readonly<Record<string, string>> | undefined
}

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  V: 'severity',
  C: 'code',
  M: 'message',
  D: 'detail',
  H: 'hint',
  P: 'position',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'dataType',
  n: 'constraint',
}

/** A Query message. */
export function encodeQuery(sql: string): Uint8Array {
  const text = Buffer.from(sql, 'utf8')
  const message = Buffer.alloc(text.length + 6)
  message.write('Q', 0, 'latin1')
  message.writeInt32BE(text.length + 5, 1)
  text.copy(message, 5)
  return message
}

/** The backend messages that answer a Query. */
export function decodeReply(bytes: Uint8Array): SimpleReply {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let rows: (string | null)[][] = []
  let completed = 0
  const notices: string[] = []
  let error: Record<string, string> | undefined
  for (let at = 0; at + 5 <= buffer.length;) {
    const type = String.fromCharCode(buffer[at] ?? 0)
    const end = at + 1 + buffer.readInt32BE(at + 1)
    const body = buffer.subarray(at + 5, end)
    if (type === 'T') rows = []
    else if (type === 'D') rows.push(decodeRow(body))
    else if (type === 'C') completed++
    else if (type === 'N') {
      const { code = '', message = '' } = decodeFields(body)
      if (code !== NOTHING_BEGUN) notices.push(message)
    } else if (type === 'E') error ??= decodeFields(body)
    at = end
  }
  return { rows, completed, notices, error }
}

function decodeRow(body: Buffer): (string | null)[] {
  const values: (string | null)[] = []
  let at = 2
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at)
    at += 4
    if (length < 0) values.push(null)
    else {
      values.push(body.toString('utf8', at, at + length))
      at += length
    }
  }
  return values
}

function decodeFields(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const end = body.indexOf(0, at + 1)
    const name = FIELD_NAMES[String.fromCharCode(body[at] ?? 0)]
    if (name !== undefined) fields[name] = body.toString('utf8', at + 1, end)
    at = end + 1
  }
  return fields
}
