import { nearestName, problem, throwProblems, type DbkitError } from '../errors.js'
import {
  VALUE_TYPES,
  type CollectionMapping,
  type DefaultValue,
  type Field,
  type Fields,
  type Mapping,
  type ValueType,
} from './mapping.js'

type Json = Readonly<Record<string, unknown>>

/** Keys of a field, by what it is; `comment` is for people. */
const KEYS = {
  value: ['type', 'column', 'required', 'default', 'enum', 'min', 'max', 'secret', 'comment'],
  reference: ['type', 'to', 'column', 'required', 'comment'],
  location: ['type', 'longitude', 'latitude', 'required', 'comment'],
  ignored: ['type', 'comment'],
  group: ['fields', 'comment'],
  list: ['table', 'parent', 'position', 'fields', 'comment'],
} as const

const TYPES: readonly string[] = [...VALUE_TYPES, 'reference', 'location', 'ignored']

/** A mapping as its file gives it, checked key by key. Fails with `import.bad-mapping` for each key that is wrong. */
export function checkMapping(value: unknown, file: string): Mapping {
  const checker = new Checker(file)
  const collections = checker.mapping(value)
  throwProblems(checker.problems)
  return { file, collections }
}

class Checker {
  readonly problems: DbkitError[] = []
  private readonly file: string
  private known: readonly string[] = []
  /** Columns already taken, by table. */
  private readonly taken = new Map<string, Map<string, string>>()

  constructor(file: string) {
    this.file = file
  }

  mapping(value: unknown): readonly CollectionMapping[] {
    if (!isObject(value)) {
      this.refuse('the file', value, 'an object with the key "collections"')
      return []
    }
    this.keys('', value, ['collections', 'comment'])
    const collections = value['collections']
    if (!isObject(collections) || Object.keys(collections).length === 0) {
      this.refuse('collections', collections, 'an object with a key for each collection')
      return []
    }
    this.known = Object.keys(collections)
    return Object.entries(collections).flatMap(([name, one]) => this.collection(name, one))
  }

  private collection(name: string, value: unknown): readonly CollectionMapping[] {
    const at = `collections.${name}`
    if (!isObject(value)) {
      this.refuse(at, value, 'an object with table and fields')
      return []
    }
    this.keys(at, value, ['table', 'id', 'mongoId', 'fields', 'comment'])
    const table = this.name(`${at}.table`, value['table'])
    const id = this.name(`${at}.id`, value['id'] ?? 'id')
    const mongoId = this.name(`${at}.mongoId`, value['mongoId'] ?? 'mongo_id')
    this.table(`${at}.table`, table, [
      [id, `${at}.id`],
      [mongoId, `${at}.mongoId`],
    ])
    return [
      {
        name,
        table,
        id,
        mongoId,
        fields: this.fields(`${at}.fields`, value['fields'], { table, column: [] }),
      },
    ]
  }

  private fields(at: string, value: unknown, place: Place): Fields {
    const fields = new Map<string, Field>()
    if (!isObject(value)) {
      this.refuse(at, value, 'an object with a key for each field')
      return fields
    }
    for (const [name, written] of Object.entries(value)) {
      const field = this.field(`${at}.${name}`, written, { ...place, column: [...place.column, name] })
      if (field !== undefined) fields.set(name, field)
    }
    return fields
  }

  private field(at: string, written: unknown, place: Place): Field | undefined {
    // A type alone stands for a field that is nothing but that.
    const value = typeof written === 'string' ? { type: written } : written
    if (!isObject(value)) {
      this.refuse(at, value, 'a type, or an object with type, fields, or table and fields')
      return undefined
    }
    if ('table' in value) return this.list(at, value, place)
    if ('fields' in value) {
      this.keys(at, value, KEYS.group)
      return { kind: 'group', fields: this.fields(`${at}.fields`, value['fields'], place) }
    }
    const type = value['type']
    if (typeof type !== 'string' || !TYPES.includes(type)) {
      const nearest = typeof type === 'string' ? nearestName(type, TYPES) : undefined
      this.refuse(`${at}.type`, type, `one of ${TYPES.join(', ')}`, nearest)
      return undefined
    }
    switch (type) {
      case 'reference':
        return this.reference(at, value, place)
      case 'location':
        return this.location(at, value, place)
      case 'ignored':
        this.keys(at, value, KEYS.ignored)
        return { kind: 'ignored' }
      default:
        return this.value(at, value, type as ValueType, place)
    }
  }

  private value(at: string, value: Json, type: ValueType, place: Place): Field {
    this.keys(at, value, KEYS.value)
    const only = (key: string, allowed: readonly ValueType[]): void => {
      if (value[key] !== undefined && !allowed.includes(type))
        this.refuse(`${at}.${key}`, value[key], `nothing: ${key} is for ${allowed.join(' and ')}`)
    }
    only('enum', ['string', 'string[]'])
    only('min', ['number'])
    only('max', ['number'])
    return {
      kind: 'value',
      type,
      column: this.column(at, value['column'], place),
      required: this.flag(`${at}.required`, value['required']),
      default: this.defaultOf(`${at}.default`, value['default'], type),
      enum: this.enumOf(`${at}.enum`, value['enum']),
      min: this.number(`${at}.min`, value['min']),
      max: this.number(`${at}.max`, value['max']),
      secret: this.flag(`${at}.secret`, value['secret']),
    }
  }

  private reference(at: string, value: Json, place: Place): Field {
    this.keys(at, value, KEYS.reference)
    const to = value['to']
    if (typeof to !== 'string' || !this.known.includes(to))
      this.refuse(
        `${at}.to`,
        to,
        `one of the collections ${this.known.join(', ')}`,
        typeof to === 'string' ? nearestName(to, this.known) : undefined,
      )
    return {
      kind: 'reference',
      to: String(to),
      column: this.column(at, value['column'], place),
      required: this.flag(`${at}.required`, value['required']),
    }
  }

  private location(at: string, value: Json, place: Place): Field {
    this.keys(at, value, KEYS.location)
    const half = (key: 'longitude' | 'latitude'): string =>
      this.column(`${at}.${key}`, value[key] ?? [...place.column, key].join('_'), place)
    return {
      kind: 'location',
      longitude: half('longitude'),
      latitude: half('latitude'),
      required: this.flag(`${at}.required`, value['required']),
    }
  }

  private list(at: string, value: Json, place: Place): Field | undefined {
    this.keys(at, value, KEYS.list)
    if (place.inList === true) {
      this.refuse(
        at,
        value,
        'no array of documents within another one: its rows would have no key; "mixed" keeps it as JSON',
      )
      return undefined
    }
    const table = this.name(`${at}.table`, value['table'])
    const parent = this.name(`${at}.parent`, value['parent'])
    const position = this.name(`${at}.position`, value['position'] ?? 'position')
    this.table(`${at}.table`, table, [
      [parent, `${at}.parent`],
      [position, `${at}.position`],
    ])
    const fields = this.fields(`${at}.fields`, value['fields'], { table, column: [], inList: true })
    return { kind: 'list', table, parent, position, fields }
  }

  /** Two collections or arrays that share a table would undo each other's rows. */
  private table(
    at: string,
    table: string,
    columns: readonly (readonly [column: string, at: string])[],
  ): void {
    if (table === '') return
    if (this.taken.has(table)) this.refuse(at, table, 'a table that nothing else in the mapping fills')
    this.taken.set(table, new Map())
    for (const [column, place] of columns) this.take(place, table, column)
  }

  private column(at: string, written: unknown, { table, column }: Place): string {
    const name = written === undefined ? column.join('_') : this.name(`${at}.column`, written)
    this.take(at, table, name)
    return name
  }

  private take(at: string, table: string, column: string): void {
    const columns = this.taken.get(table)
    const other = columns?.get(column)
    if (other !== undefined) this.refuse(at, column, `a column of its own: ${other} has that one`)
    columns?.set(column, at)
  }

  private defaultOf(at: string, value: unknown, type: ValueType): DefaultValue | undefined {
    if (value === undefined) return undefined
    if (value === null) this.refuse(at, value, 'a value (without a default, a missing field is NULL)')
    return type === 'date' && value === 'created' ? { kind: 'created' } : { kind: 'constant', value }
  }

  private enumOf(at: string, value: unknown): readonly string[] | undefined {
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string'))
      return value
    this.refuse(at, value, 'a list of strings')
    return undefined
  }

  private number(at: string, value: unknown): number | undefined {
    if (value === undefined || typeof value === 'number') return value
    this.refuse(at, value, 'a number')
    return undefined
  }

  private flag(at: string, value: unknown): boolean {
    if (value !== undefined && typeof value !== 'boolean') this.refuse(at, value, 'true or false')
    return value === true
  }

  private name(at: string, value: unknown): string {
    if (typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= 63 && !value.includes('\0'))
      return value
    this.refuse(at, value, 'a name of at most 63 bytes')
    return ''
  }

  private keys(at: string, value: Json, known: readonly string[]): void {
    for (const key of Object.keys(value))
      if (!known.includes(key))
        this.problems.push(
          problem('import.bad-mapping', {
            file: this.file,
            key: at === '' ? key : `${at}.${key}`,
            seen: 'an unknown key',
            expected: `one of ${known.join(', ')}`,
            nearest: nearestName(key, known),
          }),
        )
  }

  private refuse(key: string, seen: unknown, expected: string, nearest?: string): void {
    this.problems.push(
      problem('import.bad-mapping', { file: this.file, key, seen: describe(seen), expected, nearest }),
    )
  }
}

/** Where a field is: its table, the path that names its column, and whether an array is around it. */
interface Place {
  readonly table: string
  readonly column: readonly string[]
  readonly inList?: boolean
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return `"${value}"`
  if (Array.isArray(value)) return 'an array'
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : JSON.stringify(value)
}
