import pg from 'pg'

/** A literal as the parser of pg-mem writes it. */
export type Literal =
  | { readonly type: 'string' | 'integer' | 'numeric' | 'boolean'; readonly value: string | number | boolean }
  | { readonly type: 'null' }

/** What one declared type takes and gives, so that both are those of PostgreSQL. */
export interface MemoryType {
  /** As pg-mem is told it. */
  readonly sql: string
  /** Columns of one family can be compared with each other. */
  readonly family: string
  /** The order of its values is the same everywhere; that of text depends on the collation. */
  readonly ordered: boolean
  readonly comparable: boolean
  /** Undefined: PostgreSQL would round, refuse or read the value in a way that pg-mem does not. */
  readonly write: (value: unknown) => Literal | undefined
  readonly read: (value: unknown) => unknown
}

export interface DeclaredType {
  readonly name: string
  readonly sizes: readonly number[]
  readonly array: boolean
}

/** A double tells numbers of this many digits apart. */
const EXACT_DIGITS = 15

const plain = { ordered: true, comparable: true, read: (value: unknown) => value }
const string = (value: string): Literal => ({ type: 'string', value })

/** Undefined for a type whose values pg-mem is not known to keep as PostgreSQL does. */
export function memoryType(
  { name, sizes, array }: DeclaredType,
  enums: ReadonlyMap<string, readonly string[]>,
): MemoryType | undefined {
  if (array) return name === 'text' ? listOfText : undefined
  const labels = enums.get(name)
  if (labels !== undefined) {
    const write = (value: unknown): Literal | undefined =>
      typeof value === 'string' && labels.includes(value) ? string(value) : undefined
    return { ...plain, sql: 'text', family: name, ordered: false, write }
  }
  switch (name) {
    case 'text':
      return { ...plain, sql: 'text', family: 'text', ordered: false, write: text(Infinity) }
    case 'varchar':
    case 'character varying':
      return { ...plain, sql: 'text', family: 'text', ordered: false, write: text(sizes[0] ?? Infinity) }
    case 'uuid':
      return { ...plain, sql: 'uuid', family: 'uuid', write: uuid }
    case 'smallint':
    case 'int2':
      return { ...plain, sql: 'integer', family: 'integer', write: integer(-(2 ** 15), 2 ** 15 - 1) }
    case 'integer':
    case 'int':
    case 'int4':
      return { ...plain, sql: 'integer', family: 'integer', write: integer(-(2 ** 31), 2 ** 31 - 1) }
    case 'serial':
      return { ...plain, sql: 'serial', family: 'integer', write: integer(-(2 ** 31), 2 ** 31 - 1) }
    case 'bigint':
    case 'int8':
      return {
        ...plain,
        sql: 'bigint',
        family: 'bigint',
        write: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
        read: String,
      }
    case 'numeric':
    case 'decimal':
      return numeric(sizes)
    case 'double precision':
    case 'float8':
      return { ...plain, sql: 'double precision', family: 'double precision', write: double }
    case 'boolean':
    case 'bool':
      return { ...plain, sql: 'boolean', family: 'boolean', write: boolean }
    case 'timestamptz':
    case 'timestamp with time zone':
      return sizes.length > 0
        ? undefined
        : { ...plain, sql: 'timestamptz', family: 'timestamptz', write: instant }
    case 'timestamp':
    case 'timestamp without time zone':
      return sizes.length > 0
        ? undefined
        : {
            ...plain,
            sql: 'text',
            family: 'timestamp',
            write: wallTime,
            read: (value) => parseTimestamp(String(value)),
          }
    case 'date':
      return { ...plain, sql: 'date', family: 'date', write: date, read: readDate }
    case 'jsonb':
      return {
        ...plain,
        sql: 'jsonb',
        family: 'jsonb',
        ordered: false,
        comparable: false,
        write: document,
        read: copied,
      }
    default:
      return undefined
  }
}

/** Without a scale PostgreSQL keeps the zeros that a value was written with: it is kept as text, and never compared. */
const asWritten: MemoryType = {
  ...plain,
  sql: 'text',
  family: 'numeric without a scale',
  ordered: false,
  comparable: false,
  write(value) {
    const isNumber = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    return isNumber && /^(?!-0*(?:\.0*)?$)-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(String(value))
      ? string(String(value))
      : undefined
  },
}

/** Kept as JSON, and never compared: the operators of arrays are not those of pg-mem. */
const listOfText: MemoryType = {
  ...plain,
  sql: 'text',
  family: 'text[]',
  ordered: false,
  comparable: false,
  write(value) {
    if (value === '{}') return string('[]')
    const isList =
      Array.isArray(value) && value.every((one) => one === null || text(Infinity)(one) !== undefined)
    return isList ? string(JSON.stringify(value)) : undefined
  },
  read: (value) => JSON.parse(String(value)) as unknown,
}

const copied = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function text(length: number) {
  return (value: unknown): Literal | undefined =>
    typeof value === 'string' && !value.includes('\0') && [...value].length <= length
      ? string(value)
      : undefined
}

function uuid(value: unknown): Literal | undefined {
  const form = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
  return typeof value === 'string' && form.test(value) ? string(value.toLowerCase()) : undefined
}

function integer(least: number, most: number) {
  return (value: unknown): Literal | undefined => {
    const isWhole = typeof value === 'bigint' || /^-?\d+$/.test(String(value))
    const number = Number(value)
    return isWhole && number >= least && number <= most ? { type: 'integer', value: number } : undefined
  }
}

function numeric([precision, scale = 0]: readonly number[]): MemoryType | undefined {
  if (precision === undefined) return asWritten
  if (precision > EXACT_DIGITS || scale < 0 || scale > precision) return undefined
  return {
    ...plain,
    sql: `numeric(${String(precision)},${String(scale)})`,
    family: 'numeric',
    write(value) {
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
        return undefined
      const [, whole, fraction = ''] = /^-?(\d+)(?:\.(\d+))?$/.exec(String(value)) ?? []
      if (whole === undefined || fraction.length > scale) return undefined
      const digits = whole.replace(/^0+/, '').length
      return digits <= precision - scale ? { type: 'numeric', value: Number(value) } : undefined
    },
    // Minus zero is a number of JavaScript only.
    read: (value) => (Number(value) === 0 ? 0 : Number(value)).toFixed(scale),
  }
}

function double(value: unknown): Literal | undefined {
  const isNumber = typeof value === 'number' || /^-?\d+(?:\.\d+)?$/.test(String(value))
  return isNumber && Number.isFinite(Number(value)) ? { type: 'numeric', value: Number(value) } : undefined
}

function boolean(value: unknown): Literal | undefined {
  if (typeof value === 'boolean') return { type: 'boolean', value }
  return value === 'true' || value === 'false' ? { type: 'boolean', value: value === 'true' } : undefined
}

/** With a zone, and no finer than a millisecond. */
function instant(value: unknown): Literal | undefined {
  const form = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/
  const time = value instanceof Date ? value : new Date(form.test(String(value)) ? String(value) : NaN)
  const year = time.getUTCFullYear()
  return year >= 1 && year <= 9999 ? string(time.toISOString()) : undefined
}

/** PostgreSQL reads past a zone, and `pg` writes a Date as the time on the wall where the process is. Kept as text, in a form that sorts. */
function wallTime(value: unknown): Literal | undefined {
  const local =
    value instanceof Date ? new Date(value.getTime() - value.getTimezoneOffset() * 60_000) : undefined
  const form = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?$/
  const [, day, time, fraction = ''] = form.exec(local === undefined ? String(value) : isoOf(local)) ?? []
  if (day === undefined || time === undefined) return undefined
  const written = `${day} ${time}.${fraction.padEnd(3, '0')}`
  return isoOf(new Date(`${written.replace(' ', 'T')}Z`)) === written.replace(' ', 'T')
    ? string(written)
    : undefined
}

const isoOf = (time: Date): string => (Number.isNaN(time.getTime()) ? '' : time.toISOString().slice(0, -1))

function date(value: unknown): Literal | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return undefined
  const day = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value) ? string(value) : undefined
}

const parserOf = pg.types.getTypeParser as unknown as (oid: number) => (text: string) => unknown
const parseDate = parserOf(pg.types.builtins.DATE)
const parseTimestamp = parserOf(pg.types.builtins.TIMESTAMP)

/** pg-mem keeps midnight in UTC; `pg` gives midnight where the process is. */
function readDate(value: unknown): unknown {
  const day = value instanceof Date ? value.toISOString().slice(0, 10) : String(value)
  return parseDate(day)
}

function document(value: unknown): Literal | undefined {
  // `pg` writes an array as an array of PostgreSQL, which is no document.
  if (Array.isArray(value) || (typeof value !== 'string' && typeof value !== 'object')) return undefined
  try {
    const written = typeof value === 'string' ? value : JSON.stringify(value)
    // A JSON null and a NULL are one and the same to pg-mem.
    return JSON.parse(written) === null ? undefined : string(written)
  } catch {
    return undefined
  }
}
