/**
 * What a documentation says of one database, as plain values: no word of it depends on when or where it is built, so that what is
 * committed can be compared. Who committed a line is added when pages are made of it.
 */
export interface Docs {
  readonly database: string
  /** Names in it are written without their schema. */
  readonly defaultSchema: string
  readonly tables: readonly TableDoc[]
  readonly views: readonly ViewDoc[]
  readonly routines: readonly RoutineDoc[]
  readonly types: readonly TypeDoc[]
  /** Lists of texts or numbers that CHECKs allow, each with the columns that it is of. */
  readonly codes: readonly CodeDoc[]
  /** Foreign keys between tables that have pages. */
  readonly references: readonly ReferenceDoc[]
  readonly extensions: readonly string[]
  readonly migrations: readonly MigrationDoc[]
}

/** Anything with a page or a place on one. */
export interface Named {
  /** The catalog's key, e.g. "table public.loads". */
  readonly key: string
  /** As people write it: "loads", "sales.orders", quoted where it must be. */
  readonly label: string
  /** The same, safe as the name of a file and in an address. */
  readonly slug: string
  readonly comment: string | undefined
}

export interface TableDoc extends Named {
  readonly kind: 'table' | 'foreign table'
  readonly columns: readonly ColumnDoc[]
  readonly constraints: readonly ConstraintDoc[]
  readonly indexes: readonly IndexDoc[]
  readonly triggers: readonly TriggerDoc[]
  readonly policies: readonly PolicyDoc[]
  /** Row security and the like, a sentence each. */
  readonly notes: readonly string[]
  readonly partitionBy: string | undefined
  readonly partitions: readonly { readonly label: string; readonly bound: string }[]
  /** Foreign keys of others that lead here. */
  readonly referencedBy: readonly ReferenceDoc[]
  readonly usedBy: readonly Use[]
  readonly events: readonly TableEvent[]
  readonly size: TableSize | undefined
}

export interface ColumnDoc {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly default: string | undefined
  readonly generated: string | undefined
  readonly identity: string | undefined
  readonly comment: string | undefined
  /** The only values that a CHECK, a domain or an enum allows. */
  readonly values: readonly string[] | undefined
  /** Of a JSON column, as a TypeScript type. */
  readonly shape: string | undefined
  readonly keys: readonly ColumnKey[]
  readonly references: readonly Target[]
  /** The type's own entry, when the database defines it. */
  readonly typeSlug: string | undefined
  readonly made: Place | undefined
  /** Views and their columns that show it. */
  readonly shownBy: readonly Target[]
}

export type ColumnKey = 'PK' | 'FK' | 'UK'

/** A column of a table or view, or the whole of it. */
export interface Target {
  readonly key: string
  readonly label: string
  readonly slug: string
  readonly kind: 'table' | 'view'
  readonly column: string | undefined
}

export interface ConstraintDoc {
  readonly name: string
  readonly type: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude'
  readonly definition: string
  readonly columns: readonly string[]
  readonly references: Target | undefined
  readonly comment: string | undefined
  /** "not validated", "deferrable": empty when it is as constraints are. */
  readonly remarks: readonly string[]
  readonly made: Place | undefined
}

export interface IndexDoc {
  readonly name: string
  readonly definition: string
  readonly unique: boolean
  readonly comment: string | undefined
  /** Of a key: the constraint that it is behind. */
  readonly constraint: string | undefined
  /** What it costs whoever writes, in words. */
  readonly cost: string
  /** Of a live database. */
  readonly bytes: number | undefined
  readonly scans: number | undefined
  readonly made: Place | undefined
}

export interface TriggerDoc {
  readonly name: string
  readonly definition: string
  readonly comment: string | undefined
  readonly enabled: boolean
  readonly function: Named & { readonly source: string }
  /** Of PostgreSQL or an extension: then there is no page. */
  readonly hasPage: boolean
  readonly made: Place | undefined
}

export interface PolicyDoc {
  readonly name: string
  readonly text: string
  readonly comment: string | undefined
}

/** Who needs a thing: with a page when it is a table, view or routine. */
export interface Use {
  readonly kind: 'table' | 'view' | 'function'
  readonly label: string
  readonly slug: string
  /** Its text names it; PostgreSQL does not know of it. */
  readonly inText: boolean
}

export interface TableSize {
  readonly bytes: number
  /** As the server estimates. */
  readonly rows: number | undefined
}

export interface ViewDoc extends Named {
  readonly kind: 'view' | 'materialized view'
  readonly definition: string
  readonly columns: readonly ViewColumnDoc[]
  readonly indexes: readonly IndexDoc[]
  /** Tables and views that it reads from by itself. */
  readonly reads: readonly Target[]
  /** Columns of tables that decide which rows there are, and are not shown. */
  readonly filters: readonly Target[]
  readonly usedBy: readonly Use[]
  readonly made: Place | undefined
  readonly events: readonly TableEvent[]
}

export interface ViewColumnDoc {
  readonly name: string
  readonly type: string
  readonly comment: string | undefined
  /** Columns of tables that its value comes from, through every view between. */
  readonly sources: readonly Target[]
  /** It shows its only source as it is. */
  readonly direct: boolean
}

export interface RoutineDoc extends Named {
  readonly kind: 'function' | 'procedure' | 'aggregate'
  readonly name: string
  readonly arguments: string
  readonly returns: string | undefined
  readonly language: string
  /** "immutable", "security definer" */
  readonly traits: readonly string[]
  readonly source: string
  /** Triggers, views, defaults and constraints that call it. */
  readonly usedBy: readonly { readonly what: string; readonly target: Target | undefined }[]
  readonly mentions: readonly Target[]
  readonly made: Place | undefined
}

export interface TypeDoc extends Named {
  readonly form: 'enum' | 'domain' | 'composite' | 'range' | 'base'
  /** Of an enum, or of a domain whose CHECK has a list. */
  readonly values: readonly string[]
  /** "text not null CHECK (...)", "subtype=numeric" */
  readonly definition: string
  readonly fields: readonly { readonly name: string; readonly type: string }[]
  readonly usedBy: readonly Target[]
  readonly made: Place | undefined
}

export interface CodeDoc {
  readonly slug: string
  readonly values: readonly string[]
  readonly columns: readonly Target[]
}

export interface ReferenceDoc {
  readonly name: string
  readonly from: string
  readonly fromLabel: string
  readonly fromSlug: string
  readonly to: string
  readonly toLabel: string
  readonly toSlug: string
  readonly columns: readonly string[]
  readonly toColumns: readonly string[]
  /** At most one row of `from` for a row of `to`. */
  readonly unique: boolean
  /** A row of `from` may lead nowhere. */
  readonly optional: boolean
  readonly onDelete: string | undefined
  readonly onUpdate: string | undefined
  readonly comment: string | undefined
}

/** A statement of a migration. */
export interface Place {
  readonly migration: string
  readonly file: string
  readonly line: number
}

export interface TableEvent extends Place {
  /** "adds column rating" */
  readonly what: string
}

export interface MigrationDoc {
  readonly version: string
  readonly name: string
  readonly slug: string
  readonly file: string
  /** The comment at its head, without directives. */
  readonly about: string | undefined
  readonly text: string
  readonly events: readonly (TableEvent & { readonly on: string | undefined })[]
}
