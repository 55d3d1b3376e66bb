import { COPY_NULL } from '../database/copy-text.js'
import { nearestName, problem, throwProblems, type DbkitError } from '../errors.js'
import type { CollectionMapping, Fields, ListField, Mapping, ValueField, ValueType } from './mapping.js'
import {
  locationReader,
  readFields,
  referenceReader,
  valueReader,
  type Cells,
  type FieldReader,
  type Look,
} from './read-fields.js'
import type { Target, TargetColumn, TargetTable } from './read-target.js'
import {
  describeType,
  isDocument,
  Malformed,
  Oid,
  openExtended,
  openValue,
  type Open,
  type Value,
} from './values.js'

/** A collection of the mapping, made fit for the tables that the database really has. */
export interface BoundCollection {
  readonly name: string
  readonly shape: Shape
  /** Rows of arrays, by the number that their reader gives. */
  readonly lists: readonly Shape[]
}

/** One table that is filled: how to read its fields, and what its rows consist of. */
export interface Shape {
  readonly table: TargetTable
  /** Of a collection: id and _id. Of an array: the row it belongs to and the place in the array. */
  readonly keys: readonly [string, string]
  readonly readers: ReadonlyMap<string, FieldReader>
  /** In the order of the cells. */
  readonly columns: readonly BoundColumn[]
  readonly references: readonly BoundReference[]
  /** Of an array: its path in the document. */
  readonly path: string
  /** Characters that the column of the _id holds. */
  readonly keyLength: number | undefined
}

export interface BoundColumn {
  /** A column of the table; undefined for the cell after a reference, which keeps the _id as it stands in the document. */
  readonly name: string | undefined
  readonly type: string
  /** The field, for messages. */
  readonly path: string
  /** Missing is an error; said once for fields that fill several columns. */
  readonly required: boolean
  /** COPY's notation of what a missing field becomes. */
  readonly fill: string
  /** A missing field takes the time of creation instead. */
  readonly created: boolean
  readonly secret: boolean
}

export interface BoundReference {
  /** Its cell; the next one has the _id. */
  readonly index: number
  readonly column: string
  readonly to: string
  readonly path: string
  readonly required: boolean
}

/**
 * Ties a mapping to the tables it fills. Fails with `import.mapping-mismatch` for everything about which the two disagree: it is better
 * said before the first document than by PostgreSQL at the end.
 */
export function bindMapping(mapping: Mapping, target: Target): ReadonlyMap<string, BoundCollection> {
  const problems: DbkitError[] = []
  const refuse = (table: string, what: string): void => {
    problems.push(problem('import.mapping-mismatch', { file: mapping.file, table, what }))
  }
  const bound = mapping.collections.map((collection) => bindCollection(collection, target, refuse))
  throwProblems(problems)
  return new Map(bound.map((collection) => [collection.name, collection]))
}

/** The tables of a mapping, arrays included. */
export function tablesOf({ collections }: Mapping): readonly string[] {
  const ofFields = (fields: Fields): readonly string[] =>
    [...fields.values()].flatMap((field) =>
      field.kind === 'list' ? [field.table] : field.kind === 'group' ? ofFields(field.fields) : [],
    )
  return collections.flatMap(({ table, fields }) => [table, ...ofFields(fields)])
}

type Refuse = (table: string, what: string) => void

function bindCollection(collection: CollectionMapping, target: Target, refuse: Refuse): BoundCollection {
  const lists: Shape[] = []
  const binder = new Binder(collection.table, target, refuse)
  binder.key(collection.id, ['uuid'])
  const mongoId = binder.key(collection.mongoId, TEXT)
  binder.fields(collection.fields, '', (field, path) => {
    const number = lists.length
    const inner = new Binder(field.table, target, refuse)
    inner.key(field.parent, ['uuid'])
    inner.key(field.position, ['int2', 'int4', 'int8'])
    inner.fields(field.fields, '', () => undefined)
    const shape = inner.shape([field.parent, field.position], path, undefined)
    lists.push(shape)
    return listReader(number, path, shape)
  })
  const shape = binder.shape([collection.id, collection.mongoId], '', mongoId?.length)
  return { name: collection.name, shape, lists }
}

const TEXT = ['text', 'varchar', 'bpchar', 'citext']

/** What each type of a mapping can be stored as. */
const STORED_AS: Readonly<Record<ValueType | 'reference' | 'location', readonly string[] | undefined>> = {
  // Undefined: see below, because an enum type may have any name.
  string: undefined,
  number: ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'],
  boolean: ['bool'],
  date: ['timestamptz', 'timestamp', 'date'],
  mixed: ['jsonb', 'json'],
  'string[]': ['_text', '_varchar'],
  reference: ['uuid'],
  location: ['float8', 'float4', 'numeric'],
}

class Binder {
  private readonly table: TargetTable | undefined
  private readonly name: string
  private readonly refuse: Refuse
  private readonly columns: BoundColumn[] = []
  private readonly references: BoundReference[] = []
  private readonly keys = new Set<string>()
  private readers: ReadonlyMap<string, FieldReader> = new Map()

  constructor(name: string, target: Target, refuse: Refuse) {
    this.name = name
    this.table = target.tables.get(name)
    this.refuse = (_, what) => {
      refuse(name, what)
    }
    if (this.table === undefined) refuse(name, 'there is no such table')
  }

  key(name: string, allowed: readonly string[]): TargetColumn | undefined {
    this.keys.add(name)
    const column = this.column(name)
    if (column !== undefined && !allowed.includes(column.base))
      this.refuse(this.name, `${name} is ${column.type}, where a key of an import has to be ${list(allowed)}`)
    return column
  }

  fields(
    fields: Fields,
    path: string,
    bindList: (field: ListField, path: string) => FieldReader | undefined,
  ): void {
    this.readers = this.readersOf(fields, path, bindList)
  }

  shape(keys: readonly [string, string], path: string, keyLength: number | undefined): Shape {
    this.checkNotNull()
    const { columns, references, readers } = this
    const table = this.table ?? NO_TABLE
    return { table, keys, readers, columns, references, path, keyLength }
  }

  private readersOf(
    fields: Fields,
    path: string,
    bindList: (field: ListField, path: string) => FieldReader | undefined,
  ): ReadonlyMap<string, FieldReader> {
    const readers = new Map<string, FieldReader>()
    for (const [name, field] of fields) {
      const at = path + name
      const index = this.columns.length
      switch (field.kind) {
        case 'value':
          readers.set(name, this.value(field, at))
          break
        case 'reference':
          this.use(field.column, 'reference', at, field.required)
          // Kept beside the id that is computed from it, because a message has to name it.
          this.columns.push({ ...KEPT_ID, path: at })
          this.references.push({
            index,
            column: field.column,
            to: field.to,
            path: at,
            required: field.required,
          })
          readers.set(name, referenceReader(field, index, at))
          break
        case 'location':
          this.use(field.longitude, 'location', at, field.required)
          this.use(field.latitude, 'location', at, false, field.required)
          readers.set(name, locationReader(index, at))
          break
        case 'group': {
          const inner = this.readersOf(field.fields, `${at}.`, bindList)
          readers.set(name, groupReader(inner, at, index, this.columns.length))
          break
        }
        case 'list': {
          const reader = bindList(field, at)
          if (reader !== undefined) readers.set(name, reader)
          break
        }
        case 'ignored':
          readers.set(name, () => undefined)
          break
      }
    }
    return readers
  }

  private value(field: ValueField, path: string): FieldReader {
    const index = this.columns.length
    const column = this.use(field.column, field.type, path, field.required, field.default !== undefined)
    if (column === undefined) return () => undefined
    const reader = valueReader(field, column, index, path)
    this.columns[index] = {
      name: field.column,
      type: column.type,
      path,
      required: field.required && field.default === undefined,
      fill: this.fillOf(field, reader, index),
      created: field.default?.kind === 'created',
      secret: field.secret,
    }
    return reader
  }

  /** The default goes the way of every other value, so it cannot be one that a document could not have. */
  private fillOf(field: ValueField, reader: FieldReader, index: number): string {
    if (field.default?.kind === 'constant') {
      const cells: Cells = []
      const look: Look = {
        open: openExtended,
        prefix: '',
        oid: undefined,
        fail: (_, at, message) => {
          this.refuse(this.name, `the default of ${at} cannot be used: ${message}`)
        },
        opaque: () => undefined,
        row: () => undefined,
      }
      reader(openValue(field.default.value, openExtended), cells, look)
      return cells[index] ?? COPY_NULL
    }
    // Mongoose makes an empty array of a list that is not there.
    return field.type === 'string[]' && !field.required ? '{}' : COPY_NULL
  }

  /** Claims a column; undefined when the table has none that would do. */
  private use(
    name: string,
    type: keyof typeof STORED_AS,
    path: string,
    required: boolean,
    filled = false,
  ): TargetColumn | undefined {
    const column = this.column(name)
    this.columns.push({
      name,
      type: column?.type ?? 'text',
      path,
      required,
      fill: COPY_NULL,
      created: false,
      secret: false,
    })
    if (column === undefined) return undefined
    const allowed = STORED_AS[type]
    const stores =
      allowed?.includes(column.base) ?? (TEXT.includes(column.base) || column.labels !== undefined)
    if (!stores)
      this.refuse(
        this.name,
        `${path} is a ${type} in the mapping, and the column ${name} is ${column.type} (expected ${list(allowed ?? [...TEXT, 'an enum'])})`,
      )
    if (column.generated)
      this.refuse(this.name, `PostgreSQL computes the column ${name}, so ${path} cannot fill it`)
    const always = required || filled || type === 'string[]'
    if (column.notNull && !always)
      this.refuse(
        this.name,
        `the column ${name} is NOT NULL, and ${path} is neither required nor has a default`,
      )
    return column
  }

  private column(name: string): TargetColumn | undefined {
    if (this.table === undefined) return undefined
    const column = this.table.columns.get(name)
    if (column === undefined) {
      const nearest = nearestName(name, [...this.table.columns.keys()])
      this.refuse(
        this.name,
        `it has no column ${name}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`,
      )
    }
    return column
  }

  private checkNotNull(): void {
    const filled = new Set(this.columns.map(({ name }) => name))
    for (const { name, notNull, hasDefault, generated } of this.table?.columns.values() ?? [])
      if (notNull && !hasDefault && !generated && !filled.has(name) && !this.keys.has(name))
        this.refuse(this.name, `the column ${name} is NOT NULL without a default, and no field fills it`)
  }
}

const KEPT_ID = {
  name: undefined,
  type: 'text',
  required: false,
  fill: COPY_NULL,
  created: false,
  secret: false,
} as const

/** Stands in until the mismatch is reported. */
const NO_TABLE: TargetTable = {
  name: '',
  columns: new Map(),
  uniques: [],
  needs: [],
  updateTriggers: [],
  owned: true,
  empty: true,
}

function groupReader(
  readers: ReadonlyMap<string, FieldReader>,
  path: string,
  from: number,
  to: number,
): FieldReader {
  return (value, cells, look) => {
    if (isDocument(value)) {
      readFields(readers, value, cells, look, `${path}.`)
      return
    }
    // Its fields are not missing: the whole of it is wrong, and that is said once.
    cells.fill(COPY_NULL, from, to)
    look.fail(...typeFailure(value, path, 'a document'))
  }
}

function listReader(number: number, path: string, { readers, columns }: Shape): FieldReader {
  return (value, _cells, look) => {
    if (!Array.isArray(value)) {
      look.fail(...typeFailure(value, path, 'an array of documents'))
      return
    }
    for (const [position, item] of (value as readonly unknown[]).entries()) {
      const element = openValue(item, look.open)
      if (!isDocument(element)) {
        look.fail(...typeFailure(element, `${path}.${String(position)}`, 'a document'))
        continue
      }
      const cells: Cells = new Array<string | undefined>(columns.length).fill(undefined)
      look.prefix = `${path}.${String(position)}.`
      readFields(readers, element, cells, look, '')
      fillMissing(columns, cells, look, oidOf(element['_id'], look.open) ?? look.oid)
      look.prefix = ''
      look.row(number, position, cells)
    }
  }
}

function oidOf(id: unknown, open: Open): Oid | undefined {
  const key = openValue(id, open)
  return key instanceof Oid ? key : undefined
}

/** Defaults for what is missing or null, and a complaint for what has none and is required. */
export function fillMissing(
  columns: readonly BoundColumn[],
  cells: Cells,
  look: Look,
  oid: Oid | undefined,
): void {
  for (let index = 0; index < columns.length; index++) {
    if (cells[index] !== undefined) continue
    const column = columns[index]
    if (column === undefined) continue
    if (column.required) look.fail('missing', column.path, 'it is required, and missing or null')
    cells[index] = column.created && oid !== undefined ? oid.created : column.fill
  }
}

function typeFailure(
  value: Value,
  path: string,
  expected: string,
): [code: 'bad-type' | Malformed['code'], path: string, message: string] {
  return value instanceof Malformed
    ? [value.code, path, value.reason]
    : ['bad-type', path, `it is ${describeType(value)}, expected ${expected}`]
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`
}
