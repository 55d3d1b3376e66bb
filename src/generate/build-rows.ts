import { findFact, type Catalog, type FactOf } from '../catalog/catalog.js'
import { splitComment, type JsonShape } from '../codegen/json-types.js'
import { problem } from '../errors.js'
import { hintsOf, type Hints } from '../prove/column-values.js'
import { chosen, choiceOf, constant, harmless, type Compiled, type Getter } from './compiled.js'
import type { ColumnType, Value } from './copy-values.js'
import { draw, saltOf } from './draw.js'
import { compile, ExpressionError, fieldsOf, listOf, recordOf, type Scope } from './expression.js'
import { makeValue } from './make-value.js'
import { typeOf, type ForeignKey, type TableFacts } from './plan-tables.js'
import type { Recipe, RecipeValue, TableRecipe } from './recipe.js'
import { sampleJson } from './sample-json.js'
import { settleUniques, type Uniques } from './settle-uniques.js'
import { TableRows } from './table-rows.js'

export interface BuildOptions {
  readonly catalog: Catalog
  readonly recipe: Recipe | undefined
  readonly jsonTypes: Readonly<Record<string, JsonShape>>
  readonly seed: number
  /** Milliseconds since 1970. */
  readonly today: number
}

/** A table, and how its rows are made. */
export interface BuiltTable {
  readonly facts: TableFacts
  readonly rows: TableRows
  /** What COPY is given; all else PostgreSQL makes. */
  readonly columns: readonly (ColumnType & { readonly name: string })[]
  /** Integers that are counted on from the greatest one there is. */
  readonly counted: ReadonlyMap<string, { greatest: number }>
  /** Foreign keys whose rows may turn out not to fit, e.g. two with a common column. */
  readonly doubtful: readonly ForeignKey[]
}

/** How the rows of each table are made: from the recipe, else from the catalog. */
export function buildTables(
  tables: readonly TableFacts[],
  filled: ReadonlySet<string>,
  options: BuildOptions,
): ReadonlyMap<string, BuiltTable> {
  const rows = new Map(tables.map(({ identity }) => [identity, new TableRows(identity)]))
  const referenced = new Set(
    tables.flatMap((table) =>
      filled.has(table.identity)
        ? table.foreignKeys.flatMap((key) => key.references.map((column) => `${key.table}.${column}`))
        : [],
    ),
  )
  return new Map(
    tables.map((table) => [
      table.identity,
      new Builder(table, { tables, rows, referenced, options, filled }).build(),
    ]),
  )
}

interface World {
  readonly tables: readonly TableFacts[]
  readonly rows: ReadonlyMap<string, TableRows>
  /** "public.loads.load_id": what foreign keys of tables that are filled lead to. */
  readonly referenced: ReadonlySet<string>
  readonly filled: ReadonlySet<string>
  readonly options: BuildOptions
}

class Builder {
  private readonly table: TableFacts
  private readonly world: World
  private readonly rows: TableRows
  private readonly recipe: TableRecipe
  private readonly salt: number
  private sites = 0

  constructor(table: TableFacts, world: World) {
    this.table = table
    this.world = world
    this.rows = world.rows.get(table.identity) ?? new TableRows(table.identity)
    const { recipe, seed } = world.options
    this.recipe = recipe?.tables[table.shown] ?? recipe?.tables[table.identity] ?? {}
    this.salt = saltOf(`${String(seed)} ${table.identity}`)
  }

  build(): BuiltTable {
    const { table, rows, recipe } = this
    this.refuseUnknown()
    for (const [name, value] of Object.entries(recipe.let ?? {}))
      rows.define(name, () => this.compileValue(value, `let.${name}`))
    const uniques = settleUniques(table, {
      rows: this.world.rows,
      salt: this.salt,
      isMade: (column) => this.isSaid(column) || !this.isWritten(this.column(column)),
      room: (column) => this.roomOf(column),
    })
    for (const key of table.foreignKeys)
      rows.define(`-> ${key.name}`, () => harmless(this.reference(key, uniques)))
    const written = table.columns.filter((column) => this.isWritten(column))
    for (const column of table.columns) rows.define(column.name, () => this.columnValue(column, uniques))
    const owners = new Map<string, ForeignKey>()
    const doubtful = table.foreignKeys.filter((key) => {
      const shared = key.columns.some((name) => owners.has(name) || this.isUncertain(key, name))
      for (const name of key.columns) if (!owners.has(name)) owners.set(name, key)
      return shared
    })
    return {
      facts: table,
      rows,
      columns: written.map((column) => ({
        name: column.name,
        ...writtenType(this.world.options.catalog, column),
      })),
      counted: uniques.counted,
      doubtful,
    }
  }

  private column(name: string): FactOf<'column'> | undefined {
    return this.table.columns.find((column) => column.name === name)
  }

  /** The recipe says what stands in the column. */
  private isSaid(name: string): boolean {
    return this.recipe.columns?.[name] !== undefined || this.recipe.references?.[name] !== undefined
  }

  /** PostgreSQL makes generated columns, numbers from sequences that nothing refers to, and what a plain default is good for. */
  private isWritten(column: FactOf<'column'> | undefined): boolean {
    if (column === undefined || column.properties.generated !== undefined) return false
    // COPY has to be given something.
    const { columns } = this.table
    return this.needsValue(column) || (!columns.some((one) => this.needsValue(one)) && column === columns[0])
  }

  private needsValue(column: FactOf<'column'>): boolean {
    if (column.properties.generated !== undefined) return false
    const { name, properties, details } = column
    if (this.isSaid(name) || this.world.referenced.has(`${this.table.identity}.${name}`)) return true
    if (this.table.foreignKeys.some(({ columns }) => columns.includes(name))) return true
    const { default: given, identity } = properties
    if (identity !== undefined || /\bnextval\(/.test(given ?? '')) return false
    if (given === undefined) return true
    if (this.table.uniques.some((set) => set.includes(name))) return true
    // Beside a recipe, or as a number, a default is the plainest value there is.
    if (Object.keys(this.recipe.columns ?? {}).length > 0) return false
    return !/^(?:int[248]|numeric|float[48]|jsonb?)$/.test(details.typeRef.name)
  }

  private columnValue(column: FactOf<'column'>, uniques: Uniques): Compiled {
    const { name } = column
    const said = this.recipe.columns?.[name]
    if (said !== undefined) return this.compileValue(said, `columns.${name}`)
    const key = this.table.foreignKeys.find(({ columns }) => columns.includes(name))
    if (key !== undefined) return this.through(key, key.references[key.columns.indexOf(name)] ?? '')
    return this.plainValue(column, uniques)
  }

  private plainValue(column: FactOf<'column'>, uniques: Uniques): Compiled {
    const { name, properties } = column
    const { catalog, today } = this.world.options
    const salt = saltOf(`${String(this.salt)} ${name}`)
    const serial = uniques.serials.get(name)
    const bounds = this.table.partitions.get(name)
    if (bounds !== undefined && serial === undefined) return { get: withinPartitions(bounds, salt) }
    const shape = this.shapeOf(column)
    const { type, ref } = typeOf(column)
    const made = makeValue(catalog, {
      name,
      type,
      ref,
      hints: this.hintsOf(name),
      salt,
      today,
      serial,
      json: shape === undefined ? undefined : sampleJson(shape, name, salt),
    })
    if (made === undefined) {
      if (!properties.notNull) return constant(null)
      throw problem('generate.unknown-type', { table: this.table.shown, column: name, type })
    }
    if (properties.notNull || serial !== undefined) return made
    // What ends, fails or is deleted is the exception; other optional columns are mostly filled.
    const empty = /delet|revok|cancel|error|reject|archiv/.test(name) ? 15 : 2
    return optional(made, (row) => draw(row, salt ^ 0x7f4a7c15) % 16 < empty)
  }

  private hintsOf(name: string): Hints {
    const checks = this.table.checks.map((check) => `CHECK ${check}`)
    return hintsOf(name, checks)
  }

  /** How many values a column can have, if they can be counted on the fingers. */
  private roomOf({ name, details: { typeRef } }: FactOf<'column'>): number | undefined {
    if (typeRef.name === 'bool') return 2
    const own = findFact(this.world.options.catalog, 'type', `${typeRef.schema}.${typeRef.name}`)
    if (own?.properties.form === 'enum') return own.properties.labels.length
    const { literals, least, most } = this.hintsOf(name)
    if (literals.length > 0) return literals.length
    return least === undefined || most === undefined ? undefined : Math.floor(most - least) + 1
  }

  private shapeOf({ name, comment, details }: FactOf<'column'>): JsonShape | undefined {
    if (!/^jsonb?$/.test(details.typeRef.name)) return undefined
    const { jsonTypes } = this.world.options
    return (
      jsonTypes[`${this.table.name}.${name}`] ??
      jsonTypes[`${this.table.schema}.${this.table.name}.${name}`] ??
      splitComment(comment).type
    )
  }

  // ---- references

  private target(key: ForeignKey): TableRows {
    return this.world.rows.get(key.table) ?? new TableRows(key.table)
  }

  /** A column of the row that a foreign key leads to. */
  private through(key: ForeignKey, column: string): Compiled {
    const number = this.rows.slot(`-> ${key.name}`)
    const target = this.target(key)
    const value = target.slot(column)
    return {
      get(row) {
        const there = number(row)
        return typeof there === 'number' ? value(there) : null
      },
      plain: () => target.plainOf(column),
    }
  }

  /** The number of the row that a foreign key leads to; null: to none. */
  private reference(key: ForeignKey, uniques: Uniques): Getter {
    const target = this.target(key)
    const [column = ''] = key.columns
    const asked = key.columns.length === 1 ? this.recipe.references?.[column] : undefined
    if (asked !== undefined) {
      const { get } = this.compileValue(asked, `references.${column}`)
      return (row) => {
        const index = get(row)
        if (index === null || target.choices === 0) return null
        return target.numberOf(Math.floor(Math.abs(Number(index))) % target.choices)
      }
    }
    const said = this.recipe.columns?.[column]
    if (typeof said === 'string' && key.columns.length === 1) return this.follow(said, key, column)
    const settled = uniques.references.get(key.name)
    if (settled !== undefined) return settled
    const salt = saltOf(`${String(this.salt)} -> ${key.name}`)
    if (key.table === this.table.identity) return this.earlier(key, salt)
    return (row) => {
      if (target.choices === 0 || (key.optional && draw(row, salt ^ 0x3c6ef372) % 10 === 0)) return null
      return target.numberOf(draw(row, salt) % target.choices)
    }
  }

  /** Rows of the same table refer to those before them; the first to none, or to itself. */
  private earlier(key: ForeignKey, salt: number): Getter {
    const { rows } = this
    return (row) => {
      const before = rows.storedCount + row - rows.first
      if (before === 0) return key.optional ? null : row
      if (key.optional && draw(row, salt ^ 0x3c6ef372) % 4 === 0) return null
      return rows.numberOf(draw(row, salt) % before)
    }
  }

  /** The row whose key is copied, where a recipe says "call_id.load_id": the one that the other row leads to; else the row that has that key. */
  private follow(said: string, key: ForeignKey, column: string): Getter {
    const way = this.wayOf(said, key)
    if (way === undefined) return this.byKey(key, this.rows.slot(column))
    const { first, beyond, second } = way
    const [one, two] = [this.rows.slot(`-> ${first.name}`), this.onward(beyond, second)]
    return (row) => {
      const there = one(row)
      return typeof there === 'number' ? two(there) : null
    }
  }

  private wayOf(
    said: string,
    key: ForeignKey,
  ): { readonly first: ForeignKey; readonly beyond: TableFacts; readonly second: ForeignKey } | undefined {
    const [, own, other] = /^\s*(\w+)\.(\w+)\s*$/.exec(said) ?? []
    const first = keyOn(this.table, own)
    const beyond = this.world.tables.find(({ identity }) => identity === first?.table)
    const second = beyond === undefined ? undefined : keyOn(beyond, other)
    if (first === undefined || beyond === undefined || second?.table !== key.table) return undefined
    return { first, beyond, second }
  }

  /** The recipe gives a value that need not be the key of a row. */
  private isUncertain(key: ForeignKey, column: string): boolean {
    const said = this.recipe.columns?.[column]
    return said !== undefined && (typeof said !== 'string' || this.wayOf(said, key) === undefined)
  }

  /** From a row of any table to the one that its foreign key leads to; of rows that were there before the key is looked up. */
  private onward(table: TableFacts, key: ForeignKey): Getter {
    const rows = this.world.rows.get(table.identity) ?? new TableRows(table.identity)
    const made = rows.slot(`-> ${key.name}`)
    const stored = this.byKey(key, rows.slot(key.columns[0] ?? ''))
    return (row) => (row < 0 ? stored(row) : made(row))
  }

  /** Among the rows that were there before. */
  private byKey(key: ForeignKey, keyed: Getter): Getter {
    const target = this.target(key)
    const [reference = ''] = key.references
    target.slot(reference)
    let known: Map<Value, number> | undefined
    return (row) => {
      known ??= new Map(target.stored(reference).map((value, index) => [value, -index - 1]))
      return known.get(keyed(row)) ?? null
    }
  }

  // ---- recipes

  private compileValue(value: RecipeValue, where: string): Compiled {
    if (typeof value === 'string') return this.expression(value, where)
    if (value === null || typeof value !== 'object') return constant(value)
    if (Array.isArray(value)) {
      return listOf((value as readonly RecipeValue[]).map((item) => this.compileValue(item, where)))
    }
    return recordOf(
      Object.entries(value as Readonly<Record<string, RecipeValue>>).map(([name, item]) => ({
        name,
        value: this.compileValue(item, where),
      })),
    )
  }

  private expression(text: string, where: string): Compiled {
    // By its place in the recipe, so that a new line elsewhere changes nothing here.
    let sites = 0
    const scope: Scope = {
      name: (path) => this.named(path),
      salt: () => saltOf(`${String(this.salt)} ${where} ${String((this.sites += 1) && sites++)}`),
    }
    try {
      return compile(text, scope)
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      throw problem('generate.bad-recipe', {
        file: this.world.options.recipe?.file ?? '',
        where: `tables.${this.table.shown}.${where}, character ${String(error.at + 1)}`,
        reason: error.message,
      })
    }
  }

  private named(path: readonly string[]): Compiled | undefined {
    const [name = '', ...rest] = path
    const { rows, world } = this
    if (name === 'row' && rest.length === 0) return harmless((row) => row)
    if (name === 'rows' && rest.length === 0) return harmless(() => rows.count)
    if (name === 'today' && rest.length === 0) return constant(world.options.today)
    if (rest.length > 0 && keyOn(this.table, name) !== undefined) return this.along(path)
    if (this.table.columns.some((one) => one.name === name) || this.recipe.let?.[name] !== undefined)
      return fieldsOf(rows.own(name), rest)
    const list = world.options.recipe?.lists[name]
    return list === undefined || rest.length > 0 ? undefined : constant(list)
  }

  /** "call_id.load_id.miles": from row to row, and a column of the last; what stands behind it are keys of an object. */
  private along(path: readonly string[]): Compiled | undefined {
    let table: TableFacts | undefined = this.table
    let number: Getter | undefined
    for (const [index, name] of path.entries()) {
      const key = keyOn(table, name)
      if (key === undefined || index === path.length - 1) {
        const rows = this.world.rows.get(table.identity)
        const isThere = table.columns.some((column) => column.name === name) || rows?.has(name) === true
        if (!isThere || rows === undefined || number === undefined) return undefined
        const [value, place] = [rows.slot(name), number]
        const get: Getter = (row) => {
          const there = place(row)
          return typeof there === 'number' ? value(there) : null
        }
        return fieldsOf({ get, plain: () => rows.plainOf(name) }, path.slice(index + 1))
      }
      const step = this.onward(table, key)
      const before: Getter | undefined = number
      number =
        before === undefined
          ? step
          : (row) => {
              const there = before(row)
              return typeof there === 'number' ? step(there) : null
            }
      table = this.world.tables.find(({ identity }) => identity === key.table)
      if (table === undefined) return undefined
    }
    return undefined
  }

  private refuseUnknown(): void {
    const { columns = {}, references = {}, let: variables = {} } = this.recipe
    const fail = (where: string, reason: string): never => {
      const file = this.world.options.recipe?.file ?? ''
      throw problem('generate.bad-recipe', { file, where: `tables.${this.table.shown}.${where}`, reason })
    }
    for (const name of Object.keys(columns)) {
      const column = this.column(name)
      if (column === undefined) fail(`columns.${name}`, 'the table has no such column')
      if (column?.properties.generated !== undefined)
        fail(`columns.${name}`, 'PostgreSQL makes this column by itself')
    }
    for (const name of Object.keys(references))
      if (
        !this.table.foreignKeys.some(
          ({ columns: [first, ...others] }) => first === name && others.length === 0,
        )
      )
        fail(`references.${name}`, 'no foreign key of the table is on this column alone')
    for (const name of Object.keys(variables))
      if (this.column(name) !== undefined) fail(`let.${name}`, 'a column is called so')
  }
}

function keyOn(table: TableFacts, column: string | undefined): ForeignKey | undefined {
  return table.foreignKeys.find(({ columns }) => columns.length === 1 && columns[0] === column)
}

/** A domain is written as what is below it. */
function writtenType(catalog: Catalog, column: FactOf<'column'>): ColumnType {
  const { type, ref } = typeOf(column)
  for (let name = `domain ${ref.schema}.${ref.name}`, depth = 0; depth < 8; depth++) {
    const domain = catalog.facts.get(name)
    if (domain?.kind !== 'domain' || ref.array) break
    const below = domain.details.typeRef
    name = `domain ${below.schema}.${below.name}`
    if (catalog.facts.get(name) === undefined) return { type: domain.properties.type, ref: below }
  }
  return { type, ref }
}

/** What is NULL in some rows. */
function optional(made: Compiled, isEmpty: (row: number) => boolean): Compiled {
  const { get, document, plain } = made
  const choice = choiceOf(made)
  if (choice !== undefined) {
    const { values, pick } = choice
    return chosen([...values, null], (row) => (isEmpty(row) ? values.length : pick(row)))
  }
  return {
    get: (row) => (isEmpty(row) ? null : get(row)),
    ...(plain === undefined ? {} : { plain }),
    ...(document === undefined ? {} : { document, absent: isEmpty }),
  }
}

/** A value that lies in one of the partitions: between its bounds where these are dates or numbers. */
function withinPartitions(bounds: readonly (readonly [string, string | undefined])[], salt: number): Getter {
  const day = (text: string): number => Date.parse(`${text.slice(0, 10)}T00:00:00Z`)
  return (row) => {
    const [from, to] = bounds[draw(row, salt) % bounds.length] ?? ['', undefined]
    if (to === undefined) return from
    const part = draw(row, salt ^ 0x1f83d9ab) / 4_294_967_296
    if (/^-?\d+$/.test(from) && /^-?\d+$/.test(to))
      return String(Math.floor(Number(from) + part * (Number(to) - Number(from))))
    const [first, last] = [day(from), day(to)]
    if (!/^\d{4}-\d\d-\d\d/.test(from) || Number.isNaN(first) || Number.isNaN(last)) return from
    return new Date(first + Math.floor(part * (last - first))).toISOString().replace(/T.*/, '')
  }
}
