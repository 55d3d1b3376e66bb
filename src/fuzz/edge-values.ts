import { findFact, partsOfKind, type Catalog } from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import { hintsOf, type Hints, type ValueType } from '../prove/column-values.js'

/** What a migration itself speaks of: the values on which it decides. */
export interface Dictionary {
  readonly texts: readonly string[]
  readonly numbers: readonly string[]
  /** Keys of JSON. */
  readonly keys: readonly string[]
}

const LONGEST_WORD = 60
const MOST_WORDS = 12

/** Literals and keys of a script, also in the bodies of its functions. */
export function dictionaryOf(sql: string): Dictionary {
  const text = sql.replaceAll(/--[^\n]*/g, '')
  const literals = [...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, word = '']) => word.replaceAll("''", "'"))
  const keys = [...text.matchAll(/(?:->>?|#>>?|\?)\s*'([^']*)'/g)].flatMap(([, key = '']) =>
    key.replace(/^\{(.*)\}$/, '$1').split(','),
  )
  const numbers = [...text.matchAll(/(?<![\w'".$])\d{1,18}(?:\.\d+)?(?![\w'".])/g)].map(([number]) => number)
  return {
    texts: distinct(literals.filter((word) => word !== '' && word.length <= LONGEST_WORD)).slice(
      0,
      MOST_WORDS,
    ),
    numbers: distinct(numbers).slice(0, MOST_WORDS),
    keys: distinct(keys.map((key) => key.trim()).filter((key) => key !== '')).slice(0, MOST_WORDS),
  }
}

/** A column as far as its edges depend on it. */
export interface EdgeColumn {
  readonly name: string
  readonly type: ValueType
  readonly hints: Hints
}

/**
 * Values at the edges of what a column takes, those that break most first: PostgreSQL refuses what the constraints do not let through.
 * Without NULL, which is the same for all.
 */
export function edgesOf(catalog: Catalog, column: EdgeColumn, dictionary: Dictionary): readonly string[] {
  const { hints, name } = column
  const bounds = [hints.least, hints.most].flatMap((bound) => (bound === undefined ? [] : [String(bound)]))
  return distinct([...valuesOf(catalog, column.type, name, dictionary, hints), ...hints.literals, ...bounds])
}

function valuesOf(
  catalog: Catalog,
  type: ValueType,
  name: string,
  dictionary: Dictionary,
  hints: Hints,
): readonly string[] {
  const { ref } = type
  if (ref.array) {
    const element = { text: type.text.replace(/(?:\[\])+$/, ''), ref: { ...ref, array: false } }
    const inner = valuesOf(catalog, element, name, dictionary, hints).slice(0, 6)
    return ['{}', '{NULL}', ...inner.map((value) => `{${quoted(value)},${quoted(value)}}`)]
  }
  const identity = `${quoteIfNeeded(ref.schema)}.${quoteIfNeeded(ref.name)}`
  const domain = findFact(catalog, 'domain', identity)
  if (domain !== undefined) {
    const checks = partsOfKind(catalog, domain.key, 'constraint').map(
      ({ properties }) => properties.definition,
    )
    const own = hintsOf('VALUE', checks)
    const base = { text: domain.properties.type, ref: domain.details.typeRef }
    return [...valuesOf(catalog, base, name, dictionary, own), ...own.literals]
  }
  const own = findFact(catalog, 'type', identity)
  if (own !== undefined) {
    if (own.properties.form === 'enum') return own.properties.labels
    if (own.properties.form === 'range') return ['empty', '(,)']
    return own.properties.form === 'composite'
      ? [`(${','.repeat(Math.max(0, partsOfKind(catalog, own.key, 'column').length - 1))})`]
      : []
  }
  return builtinEdges(type, name, dictionary, hints)
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

const WHOLE: Readonly<Record<string, readonly string[]>> = {
  int2: ['32767', '-32768'],
  int4: ['2147483647', '32768', '-2147483648'],
  int8: ['9223372036854775807', '2147483648', '-9223372036854775808'],
  oid: ['4294967295'],
}

const DAYS = ['infinity', '-infinity', '1970-01-01', '0044-03-15 BC', '9999-12-31', '2024-02-29']

const NUMBERED = /^(?:int[248]|oid|numeric|float[48]|money)$/

function builtinEdges(
  type: ValueType,
  name: string,
  dictionary: Dictionary,
  hints: Hints,
): readonly string[] {
  const kind = type.ref.name
  const modifiers = /\(([\d,\s-]+)\)/.exec(type.text)?.[1]?.split(',').map(Number)
  const near = NUMBERED.test(kind) ? nearNumbers(dictionary, WHOLE[kind] === undefined) : []
  switch (kind) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
      return ['0', '-1', ...(WHOLE[kind] ?? []), ...near, '1']
    case 'numeric':
      return ['0', ...numericEdges(modifiers), ...near]
    case 'float4':
    case 'float8':
      return ['0', 'NaN', 'Infinity', '-0.5', '1e30', '-Infinity', '1e-30', ...near]
    case 'money':
      return ['0', '-0.01', '92233720368547758.07', ...near]
    case 'bool':
      return ['true', 'false']
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'citext':
    case 'name':
    case 'char':
      return textEdges(kind, name, modifiers?.[0], dictionary, hints)
    case 'uuid':
      return ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
    case 'date':
      return [...DAYS, ...datesIn(dictionary)]
    case 'timestamp':
      return [...DAYS, '2024-03-31 02:30:00', '2024-12-31 23:59:59.999999', ...datesIn(dictionary)]
    case 'timestamptz':
      return [...DAYS, '2024-12-31 23:59:59.999999-12', '2024-01-01 00:00:00+14', ...datesIn(dictionary)]
    case 'time':
    case 'timetz':
      return ['24:00:00', '00:00:00', '23:59:59.999999']
    case 'interval':
      return ['0', '-1 year', '1 mon -1 day', '100000 years', '0.000001 seconds']
    case 'json':
      return [...jsonEdges(dictionary), '{"a": 1, "a": 2}', '"\\u0000"']
    case 'jsonb':
      return jsonEdges(dictionary)
    case 'bytea':
      return ['\\x', '\\x00', '\\xff']
    case 'inet':
      return ['::1', '0.0.0.0', '10.0.0.1/8']
    case 'cidr':
      return ['::/0', '0.0.0.0/0']
    case 'bit':
    case 'varbit':
      return ['0'.repeat(modifiers?.[0] ?? 1), '1'.repeat(modifiers?.[0] ?? 1), '']
    case 'tsvector':
    case 'tsquery':
    case 'hstore':
    case 'ltree':
    case 'xml':
      return ['']
    case 'point':
      return ['(NaN,NaN)', '(Infinity,0)', '(0,0)']
    case 'geometry':
    case 'geography':
      return [`SRID=${/,\s*(\d+)/.exec(type.text)?.[1] ?? (kind === 'geography' ? '4326' : '0')};POINT EMPTY`]
    case 'vector':
      return [`[${Array.from({ length: modifiers?.[0] ?? 3 }, () => '0').join(',')}]`]
    default:
      if (kind.endsWith('multirange')) return ['{}', '{(,)}']
      return kind.endsWith('range') ? ['empty', '(,)'] : []
  }
}

/** The numbers of the migration, and those beside them: that is where a comparison goes wrong by one. */
function nearNumbers({ numbers }: Dictionary, fractions: boolean): readonly string[] {
  return numbers.flatMap((number) => {
    if (number.includes('.')) return fractions ? [number] : []
    const value = BigInt(number)
    return [number, String(value + 1n), String(value - 1n), `-${number}`]
  })
}

function numericEdges(modifiers: readonly number[] | undefined): readonly string[] {
  if (modifiers === undefined) return ['NaN', '-1', '0.005', '1e30', 'Infinity', '-0.000000001']
  const [precision = 8, scale = 0] = modifiers
  const whole = '9'.repeat(Math.max(0, precision - scale)) || '0'
  const most = scale > 0 ? `${whole}.${'9'.repeat(scale)}` : whole
  const least = scale > 0 ? `0.${'0'.repeat(scale - 1)}1` : '1'
  return [most, 'NaN', `-${most}`, least]
}

/** Columns that hold whatever somebody has pasted into them: more than an index takes. Others rarely see such a text. */
const PROSE = /body|content|text|descr|note|comment|html|markdown|message|payload|raw|url|log|address/i
/** Below what a row of a B-tree takes, in columns that are no prose. */
const LONG = 2_000
const LONGER = 9_000

function textEdges(
  kind: string,
  name: string,
  limit: number | undefined,
  { texts, numbers }: Dictionary,
  hints: Hints,
): readonly string[] {
  const longest = Math.min(limit ?? LONG, hints.longest ?? LONG, kind === 'name' ? 63 : LONG)
  const words = [
    '',
    ' ',
    'null',
    'n/a',
    '0',
    '-1',
    ...texts.flatMap((word) => [word, word.toUpperCase(), `${word} `, word.slice(0, -1)]),
    ...numbers,
    scrambled(longest),
    'ß'.repeat(Math.min(longest, 40)),
    '1,5',
    '1e400',
    '2024-02-30',
    'o\'clock \\ "x"',
    'line\nline\t',
    '\u0130i\u0307',
    'e\u0301\u200b',
    '\u{1F69A}\u202e',
    ...(limit === undefined && hints.longest === undefined && PROSE.test(name) ? [scrambled(LONGER)] : []),
  ]
  return words.map((word) => (limit === undefined ? word : [...word].slice(0, limit).join('')))
}

/** So many letters that cannot be compressed: what is stored is what is counted. */
function scrambled(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return LETTERS[state >>> 26] ?? 'x'
  }).join('')
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'

function datesIn({ texts }: Dictionary): readonly string[] {
  return texts.filter((text) => /^\d{4}-\d{2}-\d{2}/.test(text))
}

function jsonEdges({ keys, texts }: Dictionary): readonly string[] {
  const odd = [
    'null',
    '""',
    '"12a"',
    '{}',
    '[]',
    '-1',
    '1.5',
    '1e30',
    'true',
    ...texts.map((text) => JSON.stringify(text)),
  ]
  return [
    '{}',
    'null',
    '[]',
    ...odd.flatMap((value) => keys.map((key) => `{${JSON.stringify(key)}: ${value}}`)),
    '""',
    '0',
    '[null]',
    '[{}]',
    '{"": null}',
  ]
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}
