import { arrayLiteral, COPY_NULL, copyValue } from '../database/copy-text.js'
import { nearestName } from '../errors.js'
import type { ImportFindingCode } from '../report.js'
import type { ReferenceField, ValueField } from './mapping.js'
import { plainJson, UNSTORABLE } from './plain-json.js'
import type { TargetColumn } from './read-target.js'
import { isStorable } from './storable.js'
import { mongoUuid } from './uuid5.js'
import {
  Decimal,
  describeType,
  instantFromText,
  Instant,
  isDocument,
  Malformed,
  Oid,
  openValue,
  shown,
  type MongoDocument,
  type Open,
  type Value,
} from './values.js'

/** The values of a row in COPY's notation, by column; undefined where the document says nothing. */
export type Cells = (string | undefined)[]

/** What readers tell about the document they look at. */
export interface Look {
  readonly open: Open
  /** What stands before the paths of the fields: "tracking_events.3." inside an array. */
  prefix: string
  /** The _id of the document, if it is one that tells when it was made. */
  oid: Oid | undefined
  fail(code: ImportFindingCode, path: string, message: string): void
  /** A key that is no ObjectId was taken as it is. */
  opaque(path: string): void
  /** An element of an array became a row. */
  row(list: number, position: number, cells: Cells): void
}

/** Puts a field's value, which is neither missing nor null, into its cells; what is wrong with it is told to the look. */
export type FieldReader = (value: Value, cells: Cells, look: Look) => void

/** Reads the fields of a document, the outermost or one within. */
export function readFields(
  readers: ReadonlyMap<string, FieldReader>,
  document: MongoDocument,
  cells: Cells,
  look: Look,
  path: string,
): void {
  for (const key of Object.keys(document)) {
    const reader = readers.get(key)
    if (reader === undefined) {
      // Mongoose's own: the version of a document, and the _id it gives to every document within another.
      if (key !== '_id' && key !== '__v') look.fail('unknown-field', path + key, unknownField(key, readers))
      continue
    }
    const value = openValue(document[key], look.open)
    if (value !== null && value !== undefined) reader(value, cells, look)
  }
}

function unknownField(key: string, readers: ReadonlyMap<string, FieldReader>): string {
  const nearest = nearestName(key, [...readers.keys()])
  return `the mapping has no such field${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`
}

/** The reader of a field that becomes one column. */
export function valueReader(
  field: ValueField,
  column: TargetColumn,
  index: number,
  path: string,
): FieldReader {
  const convert = converterOf(field, column)
  return (value, cells, look) => {
    // Whatever is wrong with it, it is not missing.
    cells[index] = COPY_NULL
    if (value instanceof Malformed) {
      look.fail(value.code, path, value.reason)
      return
    }
    const text = convert(value, look.open)
    if (typeof text === 'string') cells[index] = copyValue(text)
    else look.fail(text.code, path + (text.below ?? ''), text.message)
  }
}

/** Why a value does not become text. */
interface Refusal {
  readonly code: ImportFindingCode
  readonly message: string
  readonly below?: string
}

type Convert = (value: Value, open: Open) => string | Refusal

function converterOf(field: ValueField, column: TargetColumn): Convert {
  switch (field.type) {
    case 'string':
      return stringConverter(field, column)
    case 'number':
      return numberConverter(field, column)
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : wrongType(value, 'true or false'))
    case 'date':
      return convertDate
    case 'mixed':
      return convertMixed
    case 'string[]':
      return stringsConverter(field, column)
  }
}

function wrongType(value: Value, expected: string, code: ImportFindingCode = 'bad-type'): Refusal {
  return { code, message: `it is ${describeType(value)}, expected ${expected}` }
}

function stringConverter(field: ValueField, { length, labels }: TargetColumn): Convert {
  const allowed = allowedOf(field.enum, labels)
  const show = (text: string): string => (field.secret ? 'the value' : shown(text))
  return (value) => {
    if (typeof value !== 'string') return wrongType(value, 'a string')
    if (!isStorable(value)) return { code: UNSTORABLE.code, message: UNSTORABLE.reason }
    // As Mongoose has it: an empty string does not fulfil "required".
    if (value === '' && field.required) return { code: 'missing', message: 'it is required, and empty' }
    if (allowed !== undefined && !allowed.has(value))
      return { code: 'enum', message: `${show(value)} is none of ${[...allowed].join(', ')}` }
    if (length !== undefined && value.length > length && [...value].length > length)
      return { code: 'too-long', message: `${show(value)} is longer than ${String(length)} characters` }
    return value
  }
}

/** What both the mapping and an enum type of the database allow. */
function allowedOf(
  values: readonly string[] | undefined,
  labels: readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  if (values === undefined || labels === undefined) {
    const either = values ?? labels
    return either === undefined ? undefined : new Set(either)
  }
  return new Set(values.filter((value) => labels.includes(value)))
}

function stringsConverter(field: ValueField, column: TargetColumn): Convert {
  const each = stringConverter({ ...field, required: false }, column)
  return (value, open) => {
    if (!Array.isArray(value)) return wrongType(value, 'an array of strings')
    const texts: (string | null)[] = []
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      const seen = openValue(item, open)
      const text = seen === null || seen === undefined ? null : each(seen, open)
      if (text !== null && typeof text !== 'string') return { ...text, below: `.${String(index)}` }
      texts.push(text)
    }
    return arrayLiteral(texts)
  }
}

const convertDate: Convert = (value) => {
  if (value instanceof Instant) return value.text
  if (typeof value !== 'string') return wrongType(value, 'a date', 'bad-date')
  const instant = instantFromText(value)
  return instant instanceof Malformed ? { code: instant.code, message: instant.reason } : instant.text
}

const convertMixed: Convert = (value, open) => {
  const json = plainJson(value, open)
  return typeof json === 'string'
    ? json
    : { code: json.malformed.code, message: json.malformed.reason, below: json.path }
}

const INTEGERS: Readonly<Record<string, readonly [least: bigint, greatest: bigint]>> = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n],
  int4: [-(2n ** 31n), 2n ** 31n - 1n],
  int8: [-(2n ** 63n), 2n ** 63n - 1n],
}

function numberConverter({ min, max, secret }: ValueField, column: TargetColumn): Convert {
  const range = INTEGERS[column.base]
  return (value) => {
    const text = digitsOf(value)
    if (text === undefined) return wrongType(value, 'a number')
    const number = Number(text)
    if (Number.isNaN(number)) return { code: 'bad-type', message: 'it is not a number (NaN)' }
    const show = secret ? 'the value' : text
    const out = (message: string): Refusal => ({ code: 'bounds', message: `${show} ${message}` })
    if (min !== undefined && number < min) return out(`is below the minimum ${String(min)}`)
    if (max !== undefined && number > max) return out(`is above the maximum ${String(max)}`)
    if (range !== undefined) {
      const whole = wholeOf(text)
      if (whole === undefined) return { code: 'bad-type', message: `${show} is not a whole number` }
      return whole >= range[0] && whole <= range[1]
        ? String(whole)
        : out(`does not fit into the column's type ${column.type}`)
    }
    return fits(text, number, column) ? text : out(`does not fit into the column's type ${column.type}`)
  }
}

/** A number in the notation PostgreSQL reads. */
function digitsOf(value: Value): string | undefined {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'bigint') return String(value)
  return value instanceof Decimal ? value.text : undefined
}

function wholeOf(text: string): bigint | undefined {
  const plain = /^(-?\d+)(?:\.0*)?$/.exec(text)?.[1]
  if (plain !== undefined) return BigInt(plain)
  // 1e+21 and the like; whatever is larger than a column holds is no less so for being inexact.
  const number = Number(text)
  return Number.isInteger(number) ? BigInt(number) : undefined
}

function fits(text: string, number: number, { base, digits }: TargetColumn): boolean {
  if (base === 'numeric')
    // What rounding to the column's digits makes of it has to fit as well: 9.99 is 10.0 in numeric(2,1).
    return digits === undefined || Math.abs(number) < 10 ** digits.before - 0.5 * 10 ** -digits.after
  const stored = base === 'float4' ? Math.fround(number) : number
  const isZero = !/[1-9]/.test(text.replace(/e.*$/i, ''))
  return /Infinity/.test(text) || (Number.isFinite(stored) && (stored !== 0 || isZero))
}

/** The key of a document: an ObjectId's digits, or whatever else it is made of as text; undefined when it cannot be one. */
export function keyText(value: Value): string | Malformed | undefined {
  if (value instanceof Oid) return value.hex
  if (value instanceof Malformed) return value
  if (typeof value === 'string') return value
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  return whole ? String(value) : undefined
}

/** The reader of a reference: the id of the row it leads to, and in the cell after it the _id as it stands in the document. */
export function referenceReader(field: ReferenceField, index: number, path: string): FieldReader {
  return (value, cells, look) => {
    cells[index] = COPY_NULL
    const key = keyText(value)
    if (key === undefined) look.fail('bad-type', path, `it is ${describeType(value)}, expected an ObjectId`)
    else if (key instanceof Malformed) look.fail(key.code, path, key.reason)
    else if (!isStorable(key)) look.fail(UNSTORABLE.code, path, UNSTORABLE.reason)
    else if (key === '') look.fail('bad-oid', path, 'it is empty, expected an ObjectId')
    else {
      if (!(value instanceof Oid)) look.opaque(path)
      cells[index] = mongoUuid(field.to, key)
      cells[index + 1] = copyValue(key)
    }
  }
}

/** The reader of a place: GeoJSON, a pair, or an object with the two by name. */
export function locationReader(index: number, path: string): FieldReader {
  return (value, cells, look) => {
    cells[index] = COPY_NULL
    cells[index + 1] = COPY_NULL
    const pair = pairOf(value, look.open)
    if (pair === undefined) {
      look.fail(
        'bad-location',
        path,
        `${describePlace(value)} is neither a GeoJSON Point, nor [longitude, latitude], nor an object with longitude (lng, lon) and latitude (lat)`,
      )
      return
    }
    const [longitude, latitude] = pair
    if (!(Math.abs(longitude) <= 180))
      look.fail('bounds', path, `the longitude ${String(longitude)} is not between -180 and 180`)
    else if (!(Math.abs(latitude) <= 90))
      look.fail('bounds', path, `the latitude ${String(latitude)} is not between -90 and 90`)
    else {
      cells[index] = String(longitude)
      cells[index + 1] = String(latitude)
    }
  }
}

function describePlace(value: Value): string {
  return isDocument(value) || Array.isArray(value) ? shown(value) : describeType(value)
}

const LONGITUDE = new Set(['lng', 'lon', 'longitude'])
const LATITUDE = new Set(['lat', 'latitude'])

function pairOf(value: Value, open: Open): readonly [longitude: number, latitude: number] | undefined {
  if (Array.isArray(value)) {
    const [longitude, latitude, ...more] = (value as readonly unknown[]).map((item) => numberOf(item, open))
    return longitude === undefined || latitude === undefined || more.length > 0
      ? undefined
      : [longitude, latitude]
  }
  if (!isDocument(value)) return undefined
  const keys = Object.keys(value).filter((key) => key !== '_id')
  if (keys.length !== 2) return undefined
  if (value['type'] === 'Point' && Array.isArray(value['coordinates']))
    return pairOf(value['coordinates'], open)
  const [longitude, latitude] = [LONGITUDE, LATITUDE].map((names) => {
    const key = keys.find((name) => names.has(name))
    return key === undefined ? undefined : numberOf(value[key], open)
  })
  return longitude === undefined || latitude === undefined ? undefined : [longitude, latitude]
}

function numberOf(item: unknown, open: Open): number | undefined {
  const value = openValue(item, open)
  const text = digitsOf(value)
  return text === undefined ? undefined : Number(text)
}
