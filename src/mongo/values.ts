import { EJSON } from 'bson'

/**
 * What stands in a document, whichever format it was read from: plain JavaScript where JavaScript has the type, and the classes below
 * where it has not. A document is not converted as a whole: bson's own EJSON.parse needs four to seven times as long as JSON.parse,
 * and does not say which field it could not read. Each field is opened when it is looked at, with `openExtended` or `openBson`.
 */
export type Value =
  | null
  | undefined
  | string
  | number
  | bigint
  | boolean
  | Oid
  | Instant
  | Decimal
  | Foreign
  | Malformed
  | readonly unknown[]
  | MongoDocument

export type MongoDocument = Readonly<Record<string, unknown>>

/** Turns an object as it was read into what it means. */
export type Open = (value: object) => Value

/** An ObjectId, as 24 lower-case hex digits. */
export class Oid {
  readonly hex: string

  constructor(hex: string) {
    this.hex = hex
  }

  /** When it was made, to the second: its first four bytes. */
  get created(): string {
    return new Date(Number.parseInt(this.hex.slice(0, 8), 16) * 1_000).toISOString()
  }
}

/** A moment, as PostgreSQL reads it. */
export class Instant {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A Decimal128, with all its digits. */
export class Decimal {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A type that neither JavaScript nor SQL has: binary data, regular expressions, code, MongoDB's own timestamps and the like. */
export class Foreign {
  readonly type: string
  /** The value in a notation for people. */
  readonly text: string

  constructor(type: string, text: string) {
    this.type = type
    this.text = text
  }
}

/** What was meant to be a value and is none. */
export class Malformed {
  readonly code: 'bad-oid' | 'bad-date' | 'bad-type' | 'bad-text'
  readonly reason: string

  constructor(code: Malformed['code'], reason: string) {
    this.code = code
    this.reason = reason
  }
}

/** A document, and not one of the classes above, an array or a scalar. */
export function isDocument(value: Value): value is MongoDocument {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(
      value instanceof Oid ||
      value instanceof Instant ||
      value instanceof Decimal ||
      value instanceof Foreign ||
      value instanceof Malformed
    )
  )
}

/** What a value is, in a sentence: "it is a number, expected a date". */
export function describeType(value: Value): string {
  if (value === null) return 'null'
  if (value instanceof Oid) return 'an ObjectId'
  if (value instanceof Instant) return 'a date'
  if (value instanceof Decimal || typeof value === 'bigint') return 'a number'
  if (value instanceof Foreign) return value.type
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'a document' : `a ${typeof value}`
}

/** A value as it was read, opened where it has to be. */
export function openValue(value: unknown, open: Open): Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? open(value) : (value as Value)
}

const LEAST_LONG = -(2n ** 63n)
const GREATEST_LONG = 2n ** 63n - 1n

/**
 * Extended JSON v2, canonical and relaxed, and what mongoexport wrote before it. A document whose first key starts with $ is a
 * wrapper. https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
 */
export const openExtended: Open = (value) => {
  const wrapper = value as Record<string, unknown>
  for (const key in wrapper) {
    if (!key.startsWith('$')) return wrapper
    const inner = wrapper[key]
    switch (key) {
      case '$oid':
        return openOid(inner)
      case '$date':
        return openDate(inner)
      case '$numberLong':
        return openLong(inner)
      case '$numberInt':
        return openInt(inner)
      case '$numberDouble':
        return openDouble(inner)
      case '$undefined':
        return undefined
      case '$numberDecimal':
      case '$binary':
      case '$uuid':
      case '$timestamp':
      case '$regularExpression':
      case '$regex':
      case '$code':
      case '$symbol':
      case '$minKey':
      case '$maxKey':
      case '$dbPointer':
        return openRare(key, wrapper)
      default:
        // A DBRef ($ref, $id) and whatever else somebody stored: a document like any other.
        return wrapper
    }
  }
  return wrapper
}

function openOid(inner: unknown): Oid | Malformed {
  return typeof inner === 'string' && /^[0-9a-f]{24}$/i.test(inner)
    ? new Oid(inner.toLowerCase())
    : new Malformed('bad-oid', `the $oid ${shown(inner)} is not 24 hex digits`)
}

function openDate(inner: unknown): Instant | Malformed {
  if (typeof inner === 'string') return instantFromText(inner)
  if (typeof inner === 'number') return instantFromMilliseconds(inner)
  const long = isWrapper(inner, '$numberLong') ? openLong(inner['$numberLong']) : undefined
  return typeof long === 'bigint'
    ? instantFromMilliseconds(Number(long))
    : new Malformed('bad-date', `the $date ${shown(inner)} is neither a date nor a number of milliseconds`)
}

function openLong(inner: unknown): bigint | Malformed {
  // mongoexport wrote longs as numbers once; the digits after the 15th are gone then, so only what is exact is taken.
  const text = Number.isSafeInteger(inner) ? String(inner) : inner
  if (typeof text === 'string' && /^-?\d{1,19}$/.test(text)) {
    const long = BigInt(text)
    if (long >= LEAST_LONG && long <= GREATEST_LONG) return long
  }
  return new Malformed('bad-type', `the $numberLong ${shown(inner)} is not a 64-bit integer`)
}

function openInt(inner: unknown): number | Malformed {
  const number = typeof inner === 'string' && /^-?\d{1,10}$/.test(inner) ? Number(inner) : inner
  return typeof number === 'number' && (number | 0) === number
    ? number
    : new Malformed('bad-type', `the $numberInt ${shown(inner)} is not a 32-bit integer`)
}

const DOUBLE = /^(?:-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|-?Infinity|NaN)$/

function openDouble(inner: unknown): number | Malformed {
  if (typeof inner === 'number') return inner
  return typeof inner === 'string' && DOUBLE.test(inner)
    ? Number(inner)
    : new Malformed('bad-type', `the $numberDouble ${shown(inner)} is not a number`)
}

/** Wrappers that hardly occur are bson's to understand. */
function openRare(key: string, wrapper: object): Value {
  try {
    const { value } = EJSON.deserialize({ value: legacyBinary(wrapper) }, { relaxed: false }) as {
      value: unknown
    }
    return openValue(value, openBson)
  } catch {
    return new Malformed('bad-type', `the ${key} is not what Extended JSON means by it`)
  }
}

/** { $binary: "...", $type: "04" } is how mongoexport wrote binary data before version 2 of the format. */
function legacyBinary(wrapper: object): object {
  const { $binary, $type } = wrapper as { $binary?: unknown; $type?: unknown }
  return typeof $binary === 'string' && typeof $type === 'string'
    ? { $binary: { base64: $binary, subType: $type } }
    : wrapper
}

/** What BSON.deserialize gives: dates of JavaScript, bigint for longs, and objects that say in _bsontype what they are. */
export const openBson: Open = (value) => {
  if (value instanceof Date)
    return Number.isNaN(value.getTime())
      ? new Malformed('bad-date', 'the date lies beyond what JavaScript can express')
      : instantFromMilliseconds(value.getTime())
  const { _bsontype: type } = value as { readonly _bsontype?: unknown }
  if (typeof type !== 'string') return value as MongoDocument
  const it = value as unknown as BsonObject
  switch (type) {
    case 'ObjectId':
      return new Oid(it.toHexString())
    case 'Decimal128':
      return new Decimal(it.toString())
    case 'Long':
      return BigInt(it.toString())
    case 'Int32':
    case 'Double':
    case 'BSONSymbol':
      return it.valueOf() as number | string
    case 'Binary':
      return it.sub_type === UUID_SUBTYPE
        ? new Foreign('a UUID', it.toUUID().toHexString())
        : new Foreign('binary data', it.toString('base64'))
    case 'Timestamp':
      return new Foreign('a MongoDB timestamp', `${String(it.t)}:${String(it.i)}`)
    case 'BSONRegExp':
      return new Foreign('a regular expression', `/${it.pattern}/${it.options}`)
    case 'Code':
      return new Foreign('code', it.code)
    case 'DBRef':
      return it.toJSON()
    default:
      return new Foreign(type, type)
  }
}

const UUID_SUBTYPE = 4

/** The members of bson's classes that are asked for above, each by the classes that have it. */
interface BsonObject {
  readonly sub_type: number
  readonly t: number
  readonly i: number
  readonly pattern: string
  readonly options: string
  readonly code: string
  toHexString(): string
  toString(encoding?: string): string
  valueOf(): unknown
  toUUID(): { toHexString(): string }
  toJSON(): MongoDocument
}

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-5]):?[0-5]\d))?$/

/**
 * An ISO 8601 date as Extended JSON and JSON.stringify write it; a day alone is its midnight in UTC, as in JavaScript. The text goes
 * on to PostgreSQL as it is where it can, so nothing may pass here that PostgreSQL refuses.
 */
export function instantFromText(text: string): Instant | Malformed {
  if (!ISO.test(text))
    return new Malformed('bad-date', `${shown(text)} is not an ISO 8601 date with a time zone`)
  const part = (start: number, length: number): number => Number(text.slice(start, start + length))
  const [year, month, day] = [part(0, 4), part(5, 2), part(8, 2)]
  const timed = text.length > DAY_LENGTH
  const exists =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysOf(year, month) &&
    (!timed || (part(11, 2) < 24 && part(14, 2) < 60 && (text[16] !== ':' || part(17, 2) < 60)))
  if (!exists) return new Malformed('bad-date', `${shown(text)} is no day or time that exists`)
  if (!timed && year > 0) return new Instant(`${text}T00:00:00Z`)
  // A column without a time zone would take the hour as it stands; and PostgreSQL has no year 0, which JavaScript has.
  const asItIs = text.endsWith('Z') && year > 0
  return asItIs
    ? new Instant(text)
    : instantFromMilliseconds(Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')))
}

const DAY_LENGTH = 'YYYY-MM-DD'.length

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** The first moment that a timestamp of PostgreSQL can hold, 4713 BC. */
const FIRST_MOMENT = Date.UTC(-4712, 0, 1)

/** Milliseconds since 1970, as Mongo keeps its dates. */
export function instantFromMilliseconds(milliseconds: number): Instant | Malformed {
  const date = new Date(milliseconds)
  if (Number.isNaN(date.getTime()) || milliseconds < FIRST_MOMENT)
    return new Malformed(
      'bad-date',
      `${String(milliseconds)} ms from 1970 is further than PostgreSQL's dates reach`,
    )
  const iso = date.toISOString()
  const year = date.getUTCFullYear()
  if (year >= 1 && year <= 9999) return new Instant(iso)
  const rest = iso.slice(iso.indexOf('-', 1))
  return new Instant(
    year > 9999 ? `${String(year)}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`,
  )
}

function isWrapper<K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  return typeof value === 'object' && value !== null && key in value
}

/** A value in a message: as JSON, short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  ) as string | undefined
  const characters = [...(text ?? 'nothing')]
  return characters.length <= LONGEST_SHOWN
    ? characters.join('')
    : `${characters.slice(0, LONGEST_SHOWN - 3).join('')}...`
}

const LONGEST_SHOWN = 60
