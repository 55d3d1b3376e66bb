import { findFact, partsOfKind, type Catalog, type FactOf, type TypeRef } from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import { samplePattern, type Chance } from './sample-pattern.js'

/** What the constraints of a column let through, as far as their text says so; PostgreSQL has the last word. */
export interface Hints {
  /** Values that a constraint names. */
  readonly literals: readonly string[]
  readonly least: number | undefined
  readonly most: number | undefined
  readonly shortest: number | undefined
  readonly longest: number | undefined
  readonly patterns: readonly string[]
  /** json_typeof */
  readonly json: string | undefined
}

/** Nothing is said of the column. */
export const NO_HINTS: Hints = {
  literals: [],
  least: undefined,
  most: undefined,
  shortest: undefined,
  longest: undefined,
  patterns: [],
  json: undefined,
}

/** Reads what CHECKs (of a table, or of a domain, where the column is called VALUE) say of one column. */
export function hintsOf(column: string, checks: readonly string[]): Hints {
  const name = escape(column === 'VALUE' ? column : quoteIfNeeded(column))
  const subject = `\\(*(?<![\\w".])${name}(?![\\w".(])\\)*(?:::[\\w ]+(?:\\(\\d+\\))?\\)*)?`
  return checks.reduce((hints, check) => mergeHints(hints, hintsIn(check, subject)), NO_HINTS)
}

function hintsIn(check: string, subject: string): Hints {
  const all = (pattern: string): readonly RegExpMatchArray[] => [...check.matchAll(new RegExp(pattern, 'g'))]
  const bounds = all(`${subject} (>=|>|<=|<) \\(*'?(-?\\d+(?:\\.\\d+)?)'?`).map(boundOf)
  const lengths = all(
    `(?:char_length|character_length|length|octet_length)\\((?:btrim\\(|trim\\()?${subject}\\)+ (>=|>|<=|<|=) (\\d+)`,
  ).map(boundOf)
  const lists = all(`${subject} = ANY \\(\\(?ARRAY\\[([^\\]]*)\\]`).flatMap(([, list = '']) =>
    literalsIn(list),
  )
  const equals = all(`${subject} = ('(?:[^']|'')*'|-?\\d+(?:\\.\\d+)?)`).flatMap(([, value = '']) =>
    literalsIn(value),
  )
  const dates = all(`${subject} >=? ('\\d{4}-[^']*')`).flatMap(([, value = '']) => literalsIn(value))
  const patterns = all(`${subject} ~\\*? '((?:[^']|'')*)'`).map(([, text = '']) => text.replaceAll("''", "'"))
  const [json] = all(`jsonb?_typeof\\(${subject}\\) = '(\\w+)'`).map(([, kind]) => kind)
  return {
    literals: [...lists, ...equals, ...dates],
    least: largest(bounds.map(({ least }) => least)),
    most: smallest(bounds.map(({ most }) => most)),
    shortest: largest(lengths.map(({ least }) => least)),
    longest: smallest(lengths.map(({ most }) => most)),
    patterns,
    json,
  }
}

function boundOf([, operator = '', number = '']: RegExpMatchArray): {
  readonly least?: number
  readonly most?: number
} {
  const value = Number(number)
  // Strictly more than a whole number: the next one; between 0 and 1 the fraction fits as well.
  const step = Number.isInteger(value) ? 1 : 0.01
  if (operator === '=') return { least: value, most: value }
  if (operator.startsWith('>')) return { least: operator === '>' ? value + step : value }
  return { most: operator === '<' ? value - step : value }
}

export function mergeHints(a: Hints, b: Hints): Hints {
  return {
    literals: [...a.literals, ...b.literals],
    least: largest([a.least, b.least]),
    most: smallest([a.most, b.most]),
    shortest: largest([a.shortest, b.shortest]),
    longest: smallest([a.longest, b.longest]),
    patterns: [...a.patterns, ...b.patterns],
    json: a.json ?? b.json,
  }
}

function literalsIn(list: string): readonly string[] {
  return [...list.matchAll(/'((?:[^']|'')*)'|(?<![\w'])(-?\d+(?:\.\d+)?)(?![\w'])/g)].map(
    ([, text, number]) => text?.replaceAll("''", "'") ?? number ?? '',
  )
}

function largest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

function smallest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** A type with its modifiers, as PostgreSQL writes it, and what it is made of. */
export interface ValueType {
  readonly text: string
  readonly ref: TypeRef
}

/**
 * A value for a column, as PostgreSQL reads it; undefined for a type nobody here knows. `number` tells the rows of a table apart,
 * so that what must be unique mostly is.
 */
export function valueOf(
  catalog: Catalog,
  type: ValueType,
  hints: Hints,
  number: number,
  chance: Chance,
): string | undefined {
  const { ref } = type
  if (ref.array) {
    const element = { text: type.text.replace(/(?:\[\])+$/, ''), ref: { ...ref, array: false } }
    const values = [1, 2].map((offset) => valueOf(catalog, element, NO_HINTS, number + offset, chance))
    if (values.includes(undefined)) return '{}'
    const allowed = hints.literals.length > 0 ? [chance.pick(hints.literals)] : values
    return `{${allowed.map((value) => quoteElement(value ?? '')).join(',')}}`
  }
  const identity = `${quoteIfNeeded(ref.schema)}.${quoteIfNeeded(ref.name)}`
  const domain = findFact(catalog, 'domain', identity)
  if (domain !== undefined) {
    const checks = partsOfKind(catalog, domain.key, 'constraint').map(
      ({ properties }) => properties.definition,
    )
    const base = { text: domain.properties.type, ref: domain.details.typeRef }
    return valueOf(catalog, base, mergeHints(hints, hintsOf('VALUE', checks)), number, chance)
  }
  const own = findFact(catalog, 'type', identity)
  if (own !== undefined) return ownTypeValue(catalog, own, number, chance)
  const [literal] = hints.literals.length === 0 ? [] : [chance.pick(hints.literals)]
  if (literal !== undefined) return literal
  return builtinValue(type, hints, number, chance)
}

function ownTypeValue(
  catalog: Catalog,
  { key, properties }: FactOf<'type'>,
  number: number,
  chance: Chance,
): string | undefined {
  if (properties.form === 'enum') return chance.pick(properties.labels)
  if (properties.form === 'range') return 'empty'
  if (properties.form !== 'composite') return undefined
  const values = partsOfKind(catalog, key, 'column').map((column) =>
    valueOf(catalog, { text: column.properties.type, ref: column.details.typeRef }, NO_HINTS, number, chance),
  )
  return `(${values.map((value) => (value === undefined ? '' : quoteElement(value))).join(',')})`
}

function quoteElement(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function builtinValue(type: ValueType, hints: Hints, number: number, chance: Chance): string | undefined {
  const { name } = type.ref
  const modifiers = /\(([\d,\s-]+)\)/.exec(type.text)?.[1]?.split(',').map(Number)
  switch (name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
      return String(numberWithin(hints, 1, 30_000, chance, 0))
    case 'numeric':
    case 'float4':
    case 'float8':
    case 'money': {
      const [precision = 8, scale = name === 'numeric' && modifiers !== undefined ? 0 : 2] = modifiers ?? []
      const most = 10 ** Math.max(0, Math.min(6, precision - scale)) - 1
      return numberWithin(hints, most < 1 ? 0 : 1, Math.max(most, 0.99), chance, Math.min(scale, 4)).toFixed(
        Math.max(0, Math.min(scale, 4)),
      )
    }
    case 'bool':
      return chance.pick(['true', 'false'])
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'citext':
    case 'name':
    case 'char':
      return textWithin(hints, name === 'char' ? 1 : modifiers?.[0], name === 'bpchar', number, chance)
    case 'uuid': {
      const hex = (length: number): string =>
        Array.from({ length }, () => chance.between(0, 15).toString(16)).join('')
      return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`
    }
    case 'date':
      return dateOf(number, chance)
    case 'timestamp':
      return `${dateOf(number, chance)} ${timeOf(chance)}`
    case 'timestamptz':
      return `${dateOf(number, chance)} ${timeOf(chance)}+00`
    case 'time':
      return timeOf(chance)
    case 'timetz':
      return `${timeOf(chance)}+00`
    case 'interval':
      return `${String(chance.between(1, 300))} minutes`
    case 'json':
    case 'jsonb':
      return jsonOf(hints.json ?? chance.pick(['object', 'object', 'array']) ?? '', number)
    case 'bytea':
      return `\\x${chance.between(256, 65_535).toString(16).padStart(4, '0')}`
    case 'inet':
    case 'cidr':
      return `10.${String(chance.between(0, 255))}.${String(chance.between(0, 255))}.${String((number % 254) + 1)}`
    case 'macaddr':
      return `08:00:2b:01:${chance.between(16, 255).toString(16)}:${((number % 200) + 16).toString(16)}`
    case 'macaddr8':
      return `08:00:2b:01:02:03:${chance.between(16, 255).toString(16)}:${((number % 200) + 16).toString(16)}`
    case 'bit':
    case 'varbit':
      return Array.from({ length: modifiers?.[0] ?? 1 }, () => String(chance.between(0, 1))).join('')
    case 'tsvector':
    case 'tsquery':
    case 'ltree':
      return `word${String(number)}`
    case 'hstore':
      return `k=>v${String(number)}`
    case 'xml':
      return `<n>${String(number)}</n>`
    case 'int4range':
    case 'int8range':
    case 'numrange':
      return `[${String(number * 10)},${String(number * 10 + 5)})`
    case 'daterange':
      return `[${isoDay(number * 10)},${isoDay(number * 10 + 5)})`
    case 'tsrange':
    case 'tstzrange':
      return `["${isoDay(number * 10)} 00:00","${isoDay(number * 10 + 5)} 00:00")`
    case 'int4multirange':
    case 'int8multirange':
    case 'nummultirange':
      return `{[${String(number * 10)},${String(number * 10 + 5)})}`
    case 'datemultirange':
      return `{[${isoDay(number * 10)},${isoDay(number * 10 + 5)})}`
    case 'tsmultirange':
    case 'tstzmultirange':
      return `{["${isoDay(number * 10)} 00:00","${isoDay(number * 10 + 5)} 00:00")}`
    case 'point':
      return `(${coordinates(chance)})`
    case 'lseg':
    case 'box':
    case 'path':
      return '((0,0),(1,1))'
    case 'polygon':
      return '((0,0),(1,0),(1,1))'
    case 'circle':
      return '<(0,0),2>'
    case 'line':
      return '{1,2,3}'
    case 'pg_lsn':
      return `0/${number.toString(16)}`
    case 'geometry':
    case 'geography':
      return geometryOf(type.text, chance)
    case 'vector':
      return `[${Array.from({ length: modifiers?.[0] ?? 3 }, () => chance.next().toFixed(3)).join(',')}]`
    default:
      return undefined
  }
}

function numberWithin(
  { least, most }: Hints,
  from: number,
  to: number,
  chance: Chance,
  scale: number,
): number {
  const low = least ?? (most === undefined ? from : Math.min(from, most))
  const high = most ?? Math.max(to, low)
  const unit = 10 ** scale
  return (
    chance.between(Math.ceil(low * unit), Math.max(Math.ceil(low * unit), Math.floor(high * unit))) / unit
  )
}

function textWithin(
  hints: Hints,
  limit: number | undefined,
  padded: boolean,
  number: number,
  chance: Chance,
): string {
  const pattern = chance.pick(hints.patterns)
  const sampled = pattern === undefined ? undefined : samplePattern(pattern, chance)
  if (sampled !== undefined && sampled.length <= (limit ?? Infinity)) return sampled
  const longest = Math.min(hints.longest ?? 40, limit ?? 40)
  const shortest = Math.max(hints.shortest ?? (padded ? (limit ?? 1) : 1), 1)
  const word = `${number.toString(36)}${Array.from({ length: 8 }, () => LETTERS[chance.between(0, 25)] ?? '').join('')}`
  return word.padEnd(shortest, 'x').slice(0, Math.max(longest, 1))
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** Some time in the years before and after now, whenever now is: far enough from both ends for bounds like "not in the future". */
function dateOf(number: number, chance: Chance): string {
  return isoDay(number + chance.between(0, 300))
}

function isoDay(days: number): string {
  return new Date(Date.UTC(2024, 0, 1) + days * 86_400_000).toISOString().slice(0, 10)
}

function timeOf(chance: Chance): string {
  const two = (most: number): string => String(chance.between(0, most)).padStart(2, '0')
  return `${two(23)}:${two(59)}:${two(59)}`
}

function jsonOf(kind: string, number: number): string {
  switch (kind) {
    case 'array':
      return `[${String(number)}]`
    case 'string':
      return `"n${String(number)}"`
    case 'number':
      return String(number)
    case 'boolean':
      return 'true'
    default:
      return `{"n": ${String(number)}}`
  }
}

function coordinates(chance: Chance, separator = ','): string {
  return `${(chance.next() * 90 - 100).toFixed(4)}${separator}${(chance.next() * 40 + 20).toFixed(4)}`
}

function geometryOf(type: string, chance: Chance): string {
  const [, kind = 'Point', srid = type.startsWith('geography') ? '4326' : '0'] =
    /\(\s*(\w+?)(?:,\s*(\d+))?\s*\)/.exec(type) ?? []
  const shape = kind.toLowerCase().replace(/(?:zm|z|m)$/, '')
  const ring = '((-90 30,-89 30,-89 31,-90 30))'
  const text: Readonly<Record<string, string>> = {
    point: `POINT(${coordinates(chance, ' ')})`,
    linestring: 'LINESTRING(-90 30,-89 31)',
    polygon: `POLYGON${ring}`,
    multipolygon: `MULTIPOLYGON(${ring})`,
    multipoint: 'MULTIPOINT((-90 30),(-89 31))',
    multilinestring: 'MULTILINESTRING((-90 30,-89 31))',
  }
  return `SRID=${srid};${text[shape] ?? text['point'] ?? ''}`
}
