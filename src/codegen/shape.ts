/**
 * What the generator needs of a database, as plain values: they can be kept as JSON, and the same migrations give the same on every
 * major and engine.
 */
export interface Shape {
  readonly types: readonly TypeShape[]
  readonly relations: readonly RelationShape[]
  readonly routines: readonly RoutineShape[]
}

/** A type that columns, parameters or other types name, by its oid in the database it was read from. */
export interface TypeShape {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly form: 'base' | 'enum' | 'domain' | 'composite' | 'range' | 'array' | 'pseudo'
  /** Of a domain its base type, of an array its element. */
  readonly of: string | undefined
  /** Of a domain its base type as PostgreSQL writes it, with its modifiers. */
  readonly baseText: string | undefined
  /** Of an enum, in their order. */
  readonly labels: readonly string[]
  readonly notNull: boolean
  readonly comment: string | undefined
  /** Of a domain: the expressions of its validated CHECKs. */
  readonly checks: readonly string[]
  /** Belongs to an extension. */
  readonly foreign: boolean
}

export interface RelationShape {
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'view' | 'materialized view' | 'foreign table'
  readonly comment: string | undefined
  readonly columns: readonly ColumnShape[]
}

export interface ColumnShape {
  readonly name: string
  readonly type: string
  /** As PostgreSQL writes it, with its modifiers: "numeric(12,2)". */
  readonly typeText: string
  /** Declared, which PostgreSQL does not enforce; 0 for what is no array. */
  readonly dimensions: number
  /** No row that can be read has NULL here. */
  readonly notNull: boolean
  /** NULL is refused on insert, which a domain does without promising what is read. */
  readonly refusesNull: boolean
  readonly default: string | undefined
  /** never: PostgreSQL computes it, or it belongs to a view. optional: it has a default. */
  readonly write: 'required' | 'optional' | 'never'
  readonly identity: 'always' | 'by default' | undefined
  readonly generated: string | undefined
  readonly comment: string | undefined
  readonly constraints: readonly ConstraintShape[]
  /** Of a view: the column of a table that it shows unchanged. */
  readonly origin: { readonly schema: string; readonly table: string; readonly column: string } | undefined
  /** Of a view: the only texts that its expression can give. */
  readonly texts: readonly string[] | undefined
}

export interface ConstraintShape {
  readonly type: 'primary key' | 'unique' | 'foreign key' | 'check'
  readonly name: string
  readonly definition: string
  /** Of a check that holds for every row: its expression. */
  readonly expression: string | undefined
  /** It is about this column and no other. */
  readonly single: boolean
}

export interface RoutineShape {
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'procedure'
  readonly comment: string | undefined
  readonly parameters: readonly ParameterShape[]
  readonly returns: string | undefined
  readonly returnsSet: boolean
  /** Columns of the row type that it returns, if that is a named one. */
  readonly fields: readonly { readonly name: string; readonly type: string }[] | undefined
}

export interface ParameterShape {
  readonly name: string | undefined
  readonly mode: 'in' | 'out' | 'inout' | 'variadic' | 'table'
  readonly type: string
  readonly typeText: string
  readonly hasDefault: boolean
}
