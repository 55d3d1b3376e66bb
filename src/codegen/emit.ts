import { allowedBy, allowedByAll, ANYTHING, type Allowed } from './check-values.js'
import { splitComment, typeOfSchema, type JsonSchema, type JsonShape } from './json-types.js'
import { camelCase, enumKey, keyText, Names, pascalCase, rowName, stringText } from './names.js'
import type { Origins } from './origins.js'
import type { ColumnShape, ParameterShape, RelationShape, RoutineShape, Shape, TypeShape } from './shape.js'
import { arrayElementType, DECLARATIONS, scalarType, type Mapped } from './type-map.js'

export interface EmitOptions {
  readonly database: string
  /** Relations of this schema go by their bare name. */
  readonly defaultSchema: string
  readonly camelCase: boolean
  /** "table" or "schema.table" to the name of one row. */
  readonly names: Readonly<Record<string, string>>
  /** "table.column" or "schema.table.column" to a TypeScript type. */
  readonly overrides: Readonly<Record<string, string>>
  readonly jsonTypes: Readonly<Record<string, JsonShape>>
  /** Names to modules that types of overrides and shapes come from. */
  readonly customImports: Readonly<Record<string, string>>
  /** "table" or "schema.table". */
  readonly exclude: readonly string[]
  /** A timestamp may be infinite, which is read as a number. */
  readonly infinity: boolean
  readonly singularize: boolean | Readonly<Record<string, string>>
  readonly runtimeEnums: 'pascal-case' | 'screaming-snake-case' | undefined
  readonly typeMapping: Readonly<Record<string, string>>
  readonly numericParser: 'string' | 'number' | 'number-or-string'
  readonly dateParser: 'timestamp' | 'string'
}

/** The whole file, from a shape alone: the same shape and options give the same bytes. */
export function emitTypes(shape: Shape, origins: Origins, options: EmitOptions): string {
  return new Emitter(shape, origins, options).file()
}

/** The same with what was found out on the way, for files that stand beside it. */
export function emitTypesAndMore(
  shape: Shape,
  origins: Origins,
  options: EmitOptions,
): { readonly text: string; readonly relations: () => readonly EmittedRelation[] } {
  const emitter = new Emitter(shape, origins, options)
  return { text: emitter.file(), relations: () => emitter.emitted() }
}

/** A relation with the names that its types have in the file. */
export interface EmittedRelation {
  readonly relation: RelationShape
  readonly row: string
  readonly columns: readonly {
    readonly column: ColumnShape
    readonly key: string
    /** The only values that it may have. */
    readonly list: { readonly values: readonly string[]; readonly numbers: boolean } | undefined
    /** Its documents have a declared shape. */
    readonly json: { readonly alias: string; readonly schema: JsonSchema | undefined } | undefined
    /** Its type is the application's, by an override or a mapping. */
    readonly custom: boolean
    /** NULL may be written. */
    readonly nullable: boolean
  }[]
}

/** What a column is, before defaults and NULL. */
interface ColumnType {
  readonly read: string
  readonly write: string
  /** An alias that stands for both. */
  readonly alias: string | undefined
}

const RESERVED = [
  ...Object.keys(DECLARATIONS),
  ...'Database DB ColumnType GeneratedAlways Insertable Selectable Updateable Routines routines Date Buffer Array Object String Number Boolean Symbol Function Promise Record Exclude Map Set Error'.split(
    ' ',
  ),
]

interface Result {
  readonly type: string
  /** The body of the type of a row, where it returns rows. */
  readonly row: string | undefined
  readonly returns: 'nothing' | 'value' | 'values' | 'row' | 'rows'
}

const WIDTH = 110

class Emitter {
  private readonly shape: Shape
  private readonly origins: Origins
  private readonly options: EmitOptions
  private readonly types: ReadonlyMap<string, TypeShape>
  private readonly names: Names
  private readonly used = new Set<string>()
  private readonly kysely = new Set<string>()
  private readonly enums = new Map<string, string>()
  /** "schema.table.column" to the alias of its values or of its documents. */
  private readonly unions = new Map<string, ColumnType>()
  /** By oid; a thousand tables have a few dozen types. */
  private readonly jsonTypes = new Map<string, boolean>()
  private readonly plainTypes = new Map<string, ColumnType>()
  private readonly jsonNames = new Map<string, string>()
  private readonly relations: readonly RelationShape[]
  private byName: ReadonlyMap<string, RelationShape> | undefined
  private readonly rowNames = new Map<RelationShape, string>()

  constructor(shape: Shape, origins: Origins, options: EmitOptions) {
    this.shape = shape
    this.origins = origins
    this.options = options
    this.types = new Map(shape.types.map((type) => [type.oid, type]))
    this.names = new Names([...RESERVED, ...Object.keys(options.customImports)])
    this.relations = shape.relations.filter(
      ({ schema, name }) =>
        !options.exclude.includes(`${schema}.${name}`) &&
        !(schema === options.defaultSchema && options.exclude.includes(name)),
    )
    const isView = ({ kind }: RelationShape): boolean => kind === 'view' || kind === 'materialized view'
    // Tables choose their names before views do: a view that was added later must not rename a table.
    for (const relation of [
      ...this.relations.filter((one) => !isView(one)),
      ...this.relations.filter(isView),
    ]) {
      const prefix = relation.schema === options.defaultSchema ? '' : pascalCase(relation.schema)
      const wanted =
        this.lookUp(options.names, relation) ??
        prefix + rowName(relation.name, isView(relation), options.singularize)
      this.rowNames.set(
        relation,
        this.names.take(wanted, (name) =>
          isView(relation)
            ? [`${name}View`, `${name}Row`]
            : [`${name}Table`, `${name}Row`, `New${name}`, `${name}Update`],
        ),
      )
    }
  }

  file(): string {
    const body = [
      ...this.enumBlocks(),
      ...this.relations.flatMap((relation) => this.relationBlocks(relation)),
      this.databaseBlock(),
      ...this.routineBlocks(),
    ]
    const declarations = this.declarationBlocks()
    return [this.head(), ...declarations, ...body].join('\n\n') + '\n'
  }

  emitted(): readonly EmittedRelation[] {
    return this.relations.map((relation) => ({
      relation,
      row: this.rowNames.get(relation) ?? '',
      columns: relation.columns.map((column) => {
        const allowed = this.allowed(relation, column)
        const { values, numbers } = allowed
        const override = this.lookUp(this.options.overrides, relation, column.name)
        const alias = this.jsonNames.get(`${relation.schema}.${relation.name}.${column.name}`)
        const schema = this.lookUp(this.options.jsonTypes, relation, column.name)
        return {
          column,
          key: this.options.camelCase ? camelCase(column.name) : column.name,
          list:
            values !== undefined && this.isListed(column, values, numbers) ? { values, numbers } : undefined,
          json:
            alias === undefined
              ? undefined
              : { alias, schema: typeof schema === 'string' ? undefined : schema },
          custom: override !== undefined || this.mappedType(column.type) !== undefined,
          nullable: !(
            column.notNull ||
            allowed.notNull ||
            column.refusesNull ||
            this.domainRefusesNull(column.type)
          ),
        }
      }),
    }))
  }

  private domainRefusesNull(oid: string): boolean {
    const type = this.types.get(oid)
    return type !== undefined && this.refusesNull(type)
  }

  /** By the name of a domain, or of its base. */
  private mappedType(oid: string): string | undefined {
    if (isEmpty(this.options.typeMapping)) return undefined
    const type = this.types.get(oid)
    if (type === undefined) return undefined
    return (
      this.options.typeMapping[type.name] ??
      (type.form === 'domain' ? this.mappedType(type.of ?? '') : undefined)
    )
  }

  private head(): string {
    const imports = [...this.kysely].sort()
    const lines = [
      `// Generated by \`dbkit codegen\` from the schema of ${this.options.database}. Do not edit it: change the schema, and run that again.`,
    ]
    if (imports.length > 0) lines.push(`import type { ${imports.join(', ')} } from 'kysely'`)
    const modules = new Map<string, string[]>()
    for (const [name, module] of Object.entries(this.options.customImports)) {
      const names = modules.get(module) ?? []
      names.push(name)
      modules.set(module, names)
    }
    for (const [module, names] of [...modules].sort(([a], [b]) => (a < b ? -1 : 1)))
      lines.push(`import type { ${names.sort().join(', ')} } from ${stringText(module)}`)
    return lines.join('\n')
  }

  /** In the order of the table, which does not depend on who asked first. */
  private declarationBlocks(): readonly string[] {
    const wanted = new Set<string>()
    const want = (name: string): void => {
      if (wanted.has(name)) return
      wanted.add(name)
      const declaration = DECLARATIONS[name]
      if (declaration === undefined) this.kysely.add(name)
      else declaration.needs.forEach(want)
    }
    this.used.forEach(want)
    return Object.entries(DECLARATIONS).flatMap(([name, { text }]) => (wanted.has(name) ? [text] : []))
  }

  // ---- enums

  private enumBlocks(): readonly string[] {
    const blocks: string[] = []
    for (const type of this.shape.types) {
      if (type.form !== 'enum' || type.foreign) continue
      const prefix = type.schema === this.options.defaultSchema ? '' : pascalCase(type.schema)
      const name = this.names.take(prefix + pascalCase(type.name))
      this.enums.set(type.oid, name)
      blocks.push(comment(lines(type.comment), '') + this.textsBlock(name, type.labels, type.labels))
    }
    return blocks
  }

  /** The union of some texts; with a constant object of them, where that is wanted. */
  private textsBlock(name: string, labels: readonly string[], values: readonly string[]): string {
    const style = this.options.runtimeEnums
    if (style === undefined || labels.length === 0)
      return unionText(`export type ${name} =`, values.map(stringText))
    const keys = new Names([])
    const entries = labels.map(
      (label, index) =>
        `  ${keyText(keys.take(enumKey(label, style)))}: ${stringText(values[index] ?? label)},`,
    )
    return (
      `export const ${name} = {\n${entries.join('\n')}\n} as const\n` +
      unionText(`export type ${name} =`, [`(typeof ${name})[keyof typeof ${name}]`], false)
    )
  }

  // ---- relations

  private relationBlocks(relation: RelationShape): readonly string[] {
    const { schema, name, columns } = relation
    const row = this.rowNames.get(relation) ?? ''
    const isView = relation.kind === 'view' || relation.kind === 'materialized view'
    // A view further up may have named some values of this relation already.
    const before = this.late(relation)
    const members = columns.map((column) => {
      const type = this.columnText(relation, column, row, before)
      const key = keyText(this.options.camelCase ? camelCase(column.name) : column.name)
      return `${this.columnComment(relation, column)}  ${key}: ${type}`
    })
    const about = lines(relation.comment)
    const since = this.origins.ofRelation.get(`${schema}.${name}`)
    const kind =
      relation.kind === 'table' ? 'Table' : relation.kind === 'view' ? 'View' : sentence(relation.kind)
    const facts = `${kind} \`${this.tableKey(relation)}\`${since === undefined ? '' : `, since migration \`${since}\``}.`
    const table = isView ? `${row}View` : `${row}Table`
    this.kysely.add('Selectable')
    const body = members.length === 0 ? '{}' : `{\n${members.join('\n')}\n}`
    const block = `${comment([...about, ...(about.length > 0 ? [''] : []), facts], '')}export interface ${table} ${body}`
    const rows = [`export type ${row}Row = Selectable<${table}>`]
    if (!isView) {
      this.kysely.add('Insertable').add('Updateable')
      rows.push(
        `export type New${row} = Insertable<${table}>`,
        `export type ${row}Update = Updateable<${table}>`,
      )
    }
    return [...before, block, rows.join('\n')]
  }

  private columnText(relation: RelationShape, column: ColumnShape, row: string, before: string[]): string {
    const allowed = this.allowed(relation, column)
    const override = this.lookUp(this.options.overrides, relation, column.name)
    if (override !== undefined) return override
    const type = this.columnType(relation, column, row, before, allowed)
    const notNull = column.notNull || allowed.notNull
    const orNull = notNull ? '' : ' | null'
    if (column.write === 'never') {
      this.kysely.add('GeneratedAlways')
      return `GeneratedAlways<${type.read}${orNull}>`
    }
    if (!notNull && (column.refusesNull || this.domainRefusesNull(column.type))) {
      // A domain's NOT NULL is checked on the way in, and does not hold for what is read.
      this.kysely.add('ColumnType')
      const optional = column.write === 'optional' ? ' | undefined' : ''
      return `ColumnType<${type.read} | null, ${type.write}${optional}, ${type.write}>`
    }
    const text = `${this.named(type)}${orNull}`
    if (column.write === 'required') return text
    this.used.add('Generated')
    return `Generated<${text}>`
  }

  private named(type: ColumnType): string {
    if (type.alias !== undefined) return type.alias
    if (type.read === type.write) return type.read
    this.kysely.add('ColumnType')
    return `ColumnType<${type.read}, ${type.write}, ${type.write}>`
  }

  private allowed(relation: RelationShape, column: ColumnShape): Allowed {
    if (column.constraints.length === 0 && this.types.get(column.type)?.form !== 'domain') return ANYTHING
    const own = column.constraints.flatMap(({ expression }) =>
      expression === undefined ? [] : [allowedBy(expression, column.name)],
    )
    const ofDomain = this.domainChecks(column.type).map((check) => ({
      ...allowedBy(check, undefined),
      // A domain does not promise what is read.
      notNull: false,
    }))
    return relation.kind === 'foreign table' ? allowedByAll([]) : allowedByAll([...own, ...ofDomain])
  }

  private domainChecks(oid: string): readonly string[] {
    const type = this.types.get(oid)
    if (type?.form !== 'domain') return []
    return [...type.checks, ...this.domainChecks(type.of ?? '')]
  }

  private columnType(
    relation: RelationShape,
    column: ColumnShape,
    row: string,
    before: string[],
    allowed: Allowed,
  ): ColumnType {
    const source = column.origin
    const isPlain = source === undefined && allowed.values === undefined && column.texts === undefined
    if (isPlain && !this.isJson(column.type)) return this.typeOf(column.type, column.dimensions)
    const own = `${relation.schema}.${relation.name}.${column.name}`
    const origin = source === undefined ? own : `${source.schema}.${source.table}.${source.column}`
    if (this.isJson(column.type) && !(source !== undefined && this.isOverridden(source)))
      return this.jsonType(
        relation,
        column,
        row,
        source ?? { schema: relation.schema, table: relation.name, column: column.name },
        before,
      )
    // The application's own type may be one of what is written as well: a view says what the column would be without it.
    const isOverridden = source !== undefined && this.isOverridden(source)
    if (isOverridden) return this.typeOf(column.type, column.dimensions)
    if (origin !== own) {
      this.settle(source)
      const known = this.unions.get(origin)
      if (known !== undefined) return known
    }
    const values =
      allowed.values ?? (source === undefined && column.texts !== undefined ? column.texts : undefined)
    const numbers = allowed.values === undefined ? false : allowed.numbers
    const known = this.unions.get(own)
    if (known !== undefined) return known
    const union =
      values === undefined || values.length === 0
        ? undefined
        : this.union(column, row, values, numbers, before)
    if (union !== undefined) {
      this.unions.set(own, union)
      return union
    }
    return this.typeOf(column.type, column.dimensions)
  }

  private isOverridden({ schema, table, column }: NonNullable<ColumnShape['origin']>): boolean {
    const relation = this.relationCalled(schema, table)
    return relation !== undefined && this.lookUp(this.options.overrides, relation, column) !== undefined
  }

  private relationCalled(schema: string, name: string): RelationShape | undefined {
    this.byName ??= new Map(
      this.relations.map((relation) => [`${relation.schema}.${relation.name}`, relation]),
    )
    return this.byName.get(`${schema}.${name}`)
  }

  /** A view may come before the table whose column it shows: then that column's values are named now. */
  private settle(source: ColumnShape['origin']): void {
    if (source === undefined) return
    const relation = this.relationCalled(source.schema, source.table)
    const column = relation?.columns.find(({ name }) => name === source.column)
    if (relation === undefined || column === undefined) return
    const row = this.rowNames.get(relation) ?? ''
    this.columnType(relation, column, row, this.late(relation), this.allowed(relation, column))
  }

  private readonly lateBlocks = new Map<RelationShape, string[]>()

  private late(relation: RelationShape): string[] {
    const blocks = this.lateBlocks.get(relation) ?? []
    this.lateBlocks.set(relation, blocks)
    return blocks
  }

  /** Undefined where the values cannot be told by their text, as 1 and 1.0 of a numeric column. */
  private union(
    column: ColumnShape,
    row: string,
    values: readonly string[],
    numbers: boolean,
    before: string[],
  ): ColumnType | undefined {
    if (!this.isListed(column, values, numbers)) return undefined
    const alias = this.names.take(row + pascalCase(column.name))
    const about = `Values of \`${column.name}\`.`
    const codes = numbers ? codeNames(splitComment(column.comment).text, values) : undefined
    if (codes !== undefined) {
      const entries = values.map((value, index) => `  ${codes[index] ?? ''}: ${value},`)
      before.push(
        `${comment([about], '')}export const ${alias} = {\n${entries.join('\n')}\n} as const\n` +
          unionText(`export type ${alias} =`, [`(typeof ${alias})[keyof typeof ${alias}]`], false),
      )
      return { read: alias, write: alias, alias: undefined }
    }
    const isPadded = this.baseOf(column.type)?.name === 'bpchar'
    const length = isPadded ? Number(/\((\d+)\)/.exec(column.typeText)?.[1] ?? 1) : 0
    const members = values.map((value) => (numbers ? value : stringText(value.padEnd(length))))
    before.push(
      comment([about], '') +
        (numbers
          ? unionText(`export type ${alias} =`, members)
          : this.textsBlock(
              alias,
              values,
              values.map((value) => value.padEnd(length)),
            )),
    )
    const short = values.filter((value) => value.padEnd(length) !== value).map((value) => stringText(value))
    // char(n) is read with blanks up to its length, and may be written without.
    return { read: alias, write: [alias, ...(numbers ? [] : short)].join(' | '), alias: undefined }
  }

  private isListed(column: ColumnShape, values: readonly string[], numbers: boolean): boolean {
    const base = this.baseOf(column.type)
    if (base?.schema !== 'pg_catalog' || this.mappedType(column.type) !== undefined) return false
    if (!numbers) return ['text', 'varchar', 'bpchar'].includes(base.name)
    return ['int2', 'int4'].includes(base.name) && values.every((value) => /^-?\d+$/.test(value))
  }

  private isJson(oid: string): boolean {
    const known = this.jsonTypes.get(oid)
    if (known !== undefined) return known
    const found = this.findJson(oid)
    this.jsonTypes.set(oid, found)
    return found
  }

  private findJson(oid: string): boolean {
    const base = this.baseOf(oid)
    if (this.mappedType(oid) !== undefined) return false
    return base?.schema === 'pg_catalog' && (base.name === 'json' || base.name === 'jsonb')
  }

  private jsonType(
    relation: RelationShape,
    column: ColumnShape,
    row: string,
    { schema, table, column: name }: NonNullable<ColumnShape['origin']>,
    before: string[],
  ): ColumnType {
    this.used.add('Json')
    const declared =
      this.lookUp(this.options.jsonTypes, relation, column.name) ?? splitComment(column.comment).type
    const origin = `${schema}.${table}.${name}`
    const source = this.relationCalled(schema, table)
    const sourceColumn = source?.columns.find((one) => one.name === name)
    const inherited =
      this.options.jsonTypes[`${table}.${name}`] ??
      this.options.jsonTypes[`${schema}.${table}.${name}`] ??
      splitComment(sourceColumn?.comment).type
    const shape = declared ?? (column.origin === undefined ? undefined : inherited)
    if (shape === undefined) {
      this.used.add('JsonValue')
      return { read: 'JsonValue', write: 'JsonInputOf<JsonValue>', alias: 'Json' }
    }
    const owner = declared === undefined ? origin : `${relation.schema}.${relation.name}.${column.name}`
    if (declared === undefined && source !== undefined && sourceColumn !== undefined) {
      if (!this.jsonNames.has(owner))
        return this.jsonType(
          source,
          sourceColumn,
          this.rowNames.get(source) ?? '',
          { schema, table, column: name },
          this.late(source),
        )
    }
    let alias = this.jsonNames.get(owner)
    if (alias === undefined) {
      alias = this.names.take(row + pascalCase(column.name))
      this.jsonNames.set(owner, alias)
      before.push(this.jsonBlock(alias, column, shape))
    }
    return { read: alias, write: `JsonInputOf<${alias}>`, alias: `Json<${alias}>` }
  }

  private jsonBlock(alias: string, column: ColumnShape, shape: JsonShape): string {
    const type = typeof shape === 'string' ? shape : typeOfSchema(shape, '')
    for (const name of ['JsonValue', 'JsonObject'])
      if (new RegExp(`\\b${name}\\b`).test(type)) this.used.add(name)
    const about =
      typeof shape === 'string' || shape.description === undefined
        ? [`Documents in \`${column.name}\`.`]
        : lines(shape.description)
    const isInterface = type.startsWith('{\n') && type.endsWith('}') && typeof shape !== 'string'
    return (
      comment(about, '') +
      (isInterface ? `export interface ${alias} ${type}` : `export type ${alias} = ${type}`)
    )
  }

  // ---- types

  /** A domain is its base to the client. */
  private baseOf(oid: string): TypeShape | undefined {
    const type = this.types.get(oid)
    return type?.form === 'domain' ? this.baseOf(type.of ?? '') : type
  }

  private refusesNull({ form, notNull, of }: TypeShape): boolean {
    const base = form === 'domain' ? this.types.get(of ?? '') : undefined
    return notNull || (base !== undefined && this.refusesNull(base))
  }

  private typeOf(oid: string, dimensions: number): ColumnType {
    const key = dimensions < 2 ? oid : `${oid} ${String(dimensions)}`
    const known = this.plainTypes.get(key)
    if (known !== undefined) return known
    const found = this.findType(oid, dimensions)
    this.plainTypes.set(key, found)
    return found
  }

  private findType(oid: string, dimensions: number): ColumnType {
    const type = this.baseOf(oid)
    if (type === undefined) return { read: 'string', write: 'string', alias: undefined }
    if (type.form === 'array') return this.arrayType(type, dimensions)
    const mappedTo = this.mappedType(oid)
    if (mappedTo !== undefined) return { read: mappedTo, write: mappedTo, alias: undefined }
    const enumName = this.enums.get(type.oid)
    if (enumName !== undefined) return { read: enumName, write: enumName, alias: undefined }
    if (type.form === 'pseudo') return { read: 'unknown', write: 'unknown', alias: undefined }
    const mapped = this.scalar(type)
    const alias = ALIASES[type.name]
    if (
      alias !== undefined &&
      type.schema === 'pg_catalog' &&
      !this.widened(type) &&
      this.parsedOtherwise(type) === undefined
    ) {
      this.used.add(alias)
      return { ...mapped, alias }
    }
    return { ...mapped, alias: undefined }
  }

  private widened(type: TypeShape): boolean {
    return (
      this.options.infinity && ALIASES[type.name] === 'Timestamp' && this.parsedOtherwise(type) === undefined
    )
  }

  /** By a parser that the application gives the driver. */
  private parsedOtherwise({ schema, name }: TypeShape): Mapped | undefined {
    const { numericParser, dateParser } = this.options
    if (schema !== 'pg_catalog') return undefined
    if (name === 'date' && dateParser === 'string') return { read: 'string', write: 'Date | string' }
    if (name !== 'numeric' || numericParser === 'string') return undefined
    return { read: numericParser === 'number' ? 'number' : 'number | string', write: 'number | string' }
  }

  private scalar(type: TypeShape): Mapped {
    const mapped = this.parsedOtherwise(type) ?? scalarType(type.schema, type.name)
    for (const name of `${mapped.read} ${mapped.write}`.match(/\b\w+\b/g) ?? [])
      if (name in DECLARATIONS) this.used.add(name)
    return this.widened(type) && type.schema === 'pg_catalog'
      ? { read: 'Date | number', write: 'Date | string' }
      : mapped
  }

  private arrayType(type: TypeShape, dimensions: number): ColumnType {
    const element = this.types.get(type.of ?? '')
    const mapped = element === undefined ? undefined : arrayElementType(element.schema, element.name)
    if (element === undefined || mapped === undefined) {
      // The driver does not know the type: it gives the text, and writes a list all the same, with commas.
      this.used.add('TextColumn')
      const name = element === undefined ? 'string' : (this.enums.get(element.oid) ?? 'string')
      const hasCommas = element?.schema !== 'pg_catalog' || element.name !== 'box'
      const item = element !== undefined && this.refusesNull(element) ? name : `(${name} | null)`
      const write = hasCommas ? `string | readonly ${item}[]` : 'string'
      return { read: 'string', write, alias: hasCommas ? `TextColumn<${write}>` : undefined }
    }
    for (const name of `${mapped.read} ${mapped.write}`.match(/\b\w+\b/g) ?? [])
      if (name in DECLARATIONS) this.used.add(name)
    const depth = '[]'.repeat(Math.max(0, dimensions - 1))
    const of = (side: string): string => (depth === '' ? `${side} | null` : `(${side} | null)${depth}`)
    if (mapped.read === mapped.write) {
      const read = `(${mapped.read} | null)[]${depth}`
      return { read, write: read, alias: undefined }
    }
    this.used.add('ArrayColumn')
    const [read, write] = [of(mapped.read), of(mapped.write)]
    return { read: `(${read})[]`, write: `readonly (${write})[]`, alias: `ArrayColumn<${read}, ${write}>` }
  }

  // ---- comments

  private columnComment(relation: RelationShape, column: ColumnShape): string {
    const about = column.comment === undefined ? [] : lines(splitComment(column.comment).text)
    const facts = [`\`${column.typeText}\``]
    if (column.generated !== undefined) facts.push(`computed as ${code(column.generated)}`)
    if (column.identity !== undefined) facts.push(`identity, ${column.identity}`)
    for (const constraint of column.constraints) {
      if (constraint.type === 'primary key' || (constraint.type === 'unique' && constraint.single))
        facts.push(constraint.type)
      else if (constraint.type === 'foreign key')
        facts.push(code(constraint.definition.slice(constraint.definition.indexOf('REFERENCES '))))
      // One over many columns would be repeated at each of them.
      else if (!constraint.single && constraint.definition.length > 100) continue
      else if (
        constraint.expression === undefined ||
        allowedBy(constraint.expression, column.name).values === undefined
      )
        facts.push(code(constraint.definition))
    }
    if (column.default !== undefined) facts.push(`default ${code(column.default)}`)
    const since =
      this.origins.ofRelation.size === 0
        ? undefined
        : this.origins.ofRelation.get(`${relation.schema}.${relation.name}.${column.name}`)
    if (since !== undefined && since !== this.origins.ofRelation.get(`${relation.schema}.${relation.name}`))
      facts.push(`since migration \`${since}\``)
    const text = facts.join(' · ')
    return comment([...about, ...(about.length > 0 ? [''] : []), text], '  ')
  }

  // ---- the database

  private tableKey({ schema, name }: RelationShape): string {
    return schema === this.options.defaultSchema ? name : `${schema}.${name}`
  }

  private databaseBlock(): string {
    const members = this.relations.map((relation) => {
      const row = this.rowNames.get(relation) ?? ''
      const suffix = relation.kind === 'view' || relation.kind === 'materialized view' ? 'View' : 'Table'
      const key = this.tableKey(relation)
      const named = this.options.camelCase ? key.split('.').map(camelCase).join('.') : key
      return `  ${keyText(named)}: ${row}${suffix}`
    })
    const body = members.length === 0 ? '{}' : `{\n${members.join('\n')}\n}`
    return `/** Tables and views by their names, for Kysely: \`new Kysely<Database>(...)\`. */\nexport interface Database ${body}\n\nexport type DB = Database`
  }

  // ---- routines

  private routineBlocks(): readonly string[] {
    const entries = this.shape.routines.flatMap((routine) => {
      const result = this.resultOf(routine)
      return result === undefined ? [] : [{ routine, result }]
    })
    if (entries.length === 0) return []
    this.used.add('Routine')
    const keys = new Names([])
    const blocks: string[] = []
    const keyed = entries.map(({ routine, result }) => {
      const bare =
        routine.schema === this.options.defaultSchema ? routine.name : `${routine.schema}.${routine.name}`
      const overloaded = entries.filter(
        ({ routine: other }) => other.schema === routine.schema && other.name === routine.name,
      ).length
      const inputs = routine.parameters.filter(({ mode }) => mode !== 'out' && mode !== 'table')
      const key = overloaded === 1 ? bare : `${bare}(${inputs.map(({ typeText }) => typeText).join(', ')})`
      return { key: keys.take(key), routine, result, inputs }
    })
    const members = keyed.map(({ key, routine, result, inputs }) => {
      const since = this.origins.ofRoutine.get(`${routine.schema}.${routine.name}`)
      const about = [
        ...lines(routine.comment),
        ...(since === undefined ? [] : ['', `Since migration \`${since}\`.`]),
      ]
      const named = (suffix: string, body: string): string => {
        const name = this.names.take(pascalCase(key) + suffix)
        blocks.push(`export interface ${name} ${body}`)
        return name
      }
      const args = inputs.length === 0 ? 'Record<string, never>' : named('Args', this.argumentsOf(inputs))
      const type = result.row === undefined ? result.type : named('Result', result.row)
      const whole = result.row !== undefined && result.returns === 'rows' ? `${type}[]` : type
      const line = `  readonly ${keyText(key)}: Routine<${args}, ${whole}>`
      const fitting =
        line.length <= WIDTH ? line : `  readonly ${keyText(key)}: Routine<\n    ${args},\n    ${whole}\n  >`
      return comment(about, '  ') + fitting
    })
    const values = keyed.map(({ key, routine, result }) => {
      const parameters = routine.parameters.filter(
        ({ mode }) => mode !== 'table' && (mode !== 'out' || routine.kind === 'procedure'),
      )
      const listed = parameters.map(
        ({ name, typeText, mode }) =>
          `{ name: ${name === undefined ? 'undefined' : stringText(name)}, type: ${stringText(typeText)}, mode: ${stringText(mode)} }`,
      )
      return [
        `  ${keyText(key)}: {`,
        `    schema: ${stringText(routine.schema)},`,
        `    name: ${stringText(routine.name)},`,
        `    kind: ${stringText(routine.kind)},`,
        `    parameters: ${parameterList(listed)},`,
        `    returns: ${stringText(result.returns)},`,
        '  },',
      ].join('\n')
    })
    return [
      ...blocks,
      `/** Functions and procedures by their names. */\nexport interface Routines {\n${members.join('\n')}\n}`,
      `export const routines: Routines = {\n${values.join('\n')}\n}`,
    ]
  }

  private argumentsOf(inputs: readonly ParameterShape[]): string {
    const members = inputs.map(({ name, type, hasDefault }, index) => {
      const { write } = this.typeOf(type, 1)
      const text = write === 'unknown' ? write : `${write} | null`
      return `  ${keyText(name ?? String(index + 1))}${hasDefault ? '?' : ''}: ${text}`
    })
    return `{\n${members.join('\n')}\n}`
  }

  /** Undefined for a bare record: its columns are named by whoever calls it. */
  private resultOf(routine: RoutineShape): Result | undefined {
    const outputs = routine.parameters.filter(
      ({ mode }) => mode === 'out' || mode === 'inout' || mode === 'table',
    )
    const isTable = outputs.some(({ mode }) => mode === 'table')
    const isRow = outputs.length > 1 || isTable || routine.kind === 'procedure'
    const fields =
      outputs.length > 0 && isRow
        ? outputs.map(({ name, type }, index) => ({ name: name ?? `column${String(index + 1)}`, type }))
        : routine.fields
    const returned = this.types.get(routine.returns ?? '')
    if (fields !== undefined) {
      const members = fields.map(
        ({ name, type }) => `  ${keyText(name)}: ${orNull(this.typeOf(type, 1).read)}`,
      )
      const returns = routine.returnsSet ? 'rows' : 'row'
      return { type: '', row: `{\n${members.join('\n')}\n}`, returns }
    }
    if (routine.kind === 'procedure' || returned?.name === 'void')
      return { type: 'void', row: undefined, returns: 'nothing' }
    if (returned?.name === 'record') return undefined
    const { read } = this.typeOf(routine.returns ?? '', 1)
    const one = orNull(read)
    if (!routine.returnsSet) return { type: one, row: undefined, returns: 'value' }
    return { type: one === read ? `${read}[]` : `(${one})[]`, row: undefined, returns: 'values' }
  }

  private lookUp<T>(
    table: Readonly<Record<string, T>>,
    { schema, name }: RelationShape,
    column?: string,
  ): T | undefined {
    // Asked for each column, and mostly of a table that has nothing.
    if (isEmpty(table)) return undefined
    const tail = column === undefined ? '' : `.${column}`
    const bare = schema === this.options.defaultSchema ? table[`${name}${tail}`] : undefined
    return bare ?? table[`${schema}.${name}${tail}`]
  }
}

function isEmpty(table: object): boolean {
  for (const _ in table) return false
  return true
}

const ALIASES: Readonly<Record<string, string>> = {
  int8: 'Int8',
  numeric: 'Numeric',
  date: 'Timestamp',
  timestamp: 'Timestamp',
  timestamptz: 'Timestamp',
  interval: 'Interval',
  bytea: 'Bytea',
  point: 'Point',
  circle: 'Circle',
  json: 'Json',
  jsonb: 'Json',
}

function parameterList(listed: readonly string[]): string {
  const [only = ''] = listed
  if (listed.length < 2 && only.length + 20 <= WIDTH) return `[${only}]`
  return `[\n${listed.map((one) => `      ${one},\n`).join('')}    ]`
}

function orNull(type: string): string {
  return type === 'unknown' ? type : `${type} | null`
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

function lines(text: string | undefined): readonly string[] {
  return text === undefined || text.trim() === '' ? [] : text.trim().split(/\r?\n/)
}

function code(text: string): string {
  return `\`${text.replaceAll(/\s+/g, ' ').replaceAll('`', "'")}\``
}

/** A JSDoc comment with its line break; nothing for no lines. */
function comment(text: readonly string[], indent: string): string {
  const safe = text.map((line) => (line.includes('*/') ? line.replaceAll('*/', '*\\/') : line).trimEnd())
  while (safe[0] === '') safe.shift()
  if (safe.length === 0) return ''
  const [only] = safe
  if (safe.length === 1 && only !== undefined && indent.length + only.length + 7 <= WIDTH)
    return `${indent}/** ${only} */\n`
  return `${indent}/**\n${safe.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}\n`).join('')}${indent} */\n`
}

/** On one line, on the next, or a member a line: whatever fits first. */
function unionText(head: string, members: readonly string[], mayBreak = true): string {
  const joined = members.length === 0 ? 'never' : members.join(' | ')
  if (head.length + 1 + joined.length <= WIDTH) return `${head} ${joined}`
  if (!mayBreak || 2 + joined.length <= WIDTH) return `${head}\n  ${joined}`
  return `${head}${members.map((member) => `\n  | ${member}`).join('')}`
}

/** "1=Open, 2=Assigned" in a comment names every code, or it names none. */
function codeNames(text: string | undefined, values: readonly string[]): readonly string[] | undefined {
  if (text === undefined) return undefined
  const names = values.map(
    (value) => new RegExp(`(?<![\\w.-])${value}\\s*[=:]\\s*([\\p{L}_][\\p{L}\\p{N}_]*)`, 'u').exec(text)?.[1],
  )
  const found = names.filter((name) => name !== undefined)
  return found.length === values.length && new Set(found).size === found.length ? found : undefined
}
