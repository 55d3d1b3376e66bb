/** What the catalog says of the tables that seeds name, and of those that these refer to. */

export interface SeedTable {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** The name as people write it: without the schema where the search_path finds it. */
  readonly shown: string
  readonly columns: readonly SeedColumn[]
  readonly keys: readonly SeedKey[]
  readonly foreignKeys: readonly SeedForeignKey[]
  /** The columns of each constraint and unique index, by its name. */
  readonly constraints: ReadonlyMap<string, readonly string[]>
}

export interface SeedColumn {
  readonly name: string
  /** As format_type writes it, ready to be used in SQL. */
  readonly type: string
  /** The type under all domains: "jsonb", "timestamptz"; with its schema unless that is pg_catalog. */
  readonly base: string
  /** Of an array, the type of its elements, under all domains. */
  readonly element: string | undefined
  readonly notNull: boolean
  readonly generated: 'identity' | 'stored' | undefined
  /** The SQL of what a row gets that does not name the column. */
  readonly default: string | undefined
}

/** A unique constraint, unique index or primary key that can tell rows apart. */
export interface SeedKey {
  readonly name: string
  readonly columns: readonly string[]
  readonly primary: boolean
  /** Checked at the end of the transaction: no arbiter of ON CONFLICT. */
  readonly deferrable: boolean
  /** NULLS NOT DISTINCT. */
  readonly nullsEqual: boolean
}

export interface SeedForeignKey {
  readonly name: string
  readonly columns: readonly string[]
  /** oid of the table it refers to. */
  readonly references: string
  readonly referencedColumns: readonly string[]
  readonly deferrable: boolean
  /** MATCH FULL: null in one column only is an error. */
  readonly matchFull: boolean
}

export type TablesByOid = ReadonlyMap<string, SeedTable>

export function columnOf(table: SeedTable, name: string): SeedColumn | undefined {
  return table.columns.find((column) => column.name === name)
}

const JSON_TYPES = new Set(['json', 'jsonb'])

export function isJson(column: SeedColumn): boolean {
  return JSON_TYPES.has(column.base)
}

/** The foreign keys through which a value of this column names a row elsewhere; those of one column first. */
export function foreignKeysOf(table: SeedTable, column: string): readonly SeedForeignKey[] {
  return table.foreignKeys
    .filter(({ columns }) => columns.includes(column))
    .sort((a, b) => a.columns.length - b.columns.length)
}
