import { quoteIfNeeded } from '../database/quote.js'

/**
 * What a statement can change, by PostgreSQL's own numbers: they stay when a name changes, and the file of a table or index changes
 * when it is written anew. A catalog (src/catalog) knows names only, because it compares databases; this compares moments of one.
 */
export interface Snapshot {
  readonly relations: ReadonlyMap<string, Relation>
  /** By "relation.number". */
  readonly columns: ReadonlyMap<string, Column>
  readonly constraints: ReadonlyMap<string, Constraint>
  readonly indexes: ReadonlyMap<string, Index>
  readonly routines: ReadonlyMap<string, Routine>
  readonly labels: ReadonlyMap<string, Label>
  readonly triggers: ReadonlyMap<string, Trigger>
}

export interface Relation {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** pg_class.relkind: r, p (partitioned), f, v, m, i, I, S. */
  readonly kind: string
  /** "0" where there is none: views, partitioned tables. */
  readonly file: string
  /** Whose partition it is. */
  readonly parent: string | null
  readonly rowSecurity: boolean
  readonly policies: number
}

export interface Column {
  readonly relation: string
  readonly number: string
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly default: string | null
  /** s: stored. */
  readonly generated: string
  readonly identity: string
}

export interface Constraint {
  readonly oid: string
  readonly relation: string
  readonly name: string
  /** pg_constraint.contype: c, f, p, u, x, n. */
  readonly type: string
  readonly validated: boolean
  readonly definition: string
  readonly references: string
  readonly index: string
  /** Of a partition: it follows from its parent's. */
  readonly inherited: boolean
  readonly columns: readonly string[]
}

export interface Index {
  readonly oid: string
  readonly relation: string
  readonly unique: boolean
  readonly valid: boolean
  readonly partial: boolean
  readonly definition: string
  /** Column numbers of its key; "0" is an expression. */
  readonly keys: readonly string[]
}

export interface Routine {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly arguments: string
  readonly body: string
}

export interface Label {
  readonly oid: string
  readonly type: string
  readonly label: string
}

export interface Trigger {
  readonly oid: string
  readonly relation: string
  readonly name: string
  readonly routine: string
}

/** schema.name as people write it. */
export function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${quoteIfNeeded(schema)}.${quoteIfNeeded(name)}`
}
