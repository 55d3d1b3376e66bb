import type { ColumnKey, Docs, ReferenceDoc, TableDoc } from './docs.js'

/** Boxes and the lines between them, whatever they are drawn with. */
export interface Diagram {
  readonly title: string
  readonly boxes: readonly Box[]
  readonly links: readonly Link[]
}

export interface Box {
  readonly key: string
  readonly label: string
  readonly slug: string
  readonly comment: string | undefined
  readonly rows: readonly Row[]
  /** Columns that are not shown. */
  readonly more: number
  readonly mark: Mark | undefined
}

export interface Row {
  readonly name: string
  readonly type: string
  readonly keys: readonly ColumnKey[]
  readonly notNull: boolean
  readonly mark: Mark | undefined
  readonly note: string | undefined
}

/** What became of it; neighbour: only there because something leads to it. */
export type Mark = 'added' | 'removed' | 'changed' | 'neighbour'

export interface Link {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly fromColumns: readonly string[]
  readonly toColumns: readonly string[]
  /** At most one row on the `from` side. */
  readonly unique: boolean
  readonly optional: boolean
  readonly mark: Mark | undefined
}

/** Of which tables, and with which of their columns. */
export interface DiagramChoice {
  readonly keys?: ReadonlySet<string>
  readonly columns: 'keys' | 'all' | 'none'
}

export function diagramOf(docs: Docs, { keys, columns }: DiagramChoice): Diagram {
  const tables = docs.tables.filter(({ key }) => keys === undefined || keys.has(key))
  const known = new Set(tables.map(({ key }) => key))
  return {
    title: docs.database,
    boxes: tables.map((table) => boxOf(table, columns)),
    links: docs.references.filter(({ from, to }) => known.has(from) && known.has(to)).map(linkOf),
  }
}

export function boxOf(table: TableDoc, columns: DiagramChoice['columns']): Box {
  const shown =
    columns === 'none' ? [] : table.columns.filter(({ keys }) => columns === 'all' || keys.length > 0)
  return {
    key: table.key,
    label: table.label,
    slug: table.slug,
    comment: table.comment,
    rows: shown.map(({ name, type, keys, notNull }) => ({
      name,
      type,
      keys,
      notNull,
      mark: undefined,
      note: undefined,
    })),
    more: table.columns.length - shown.length,
    mark: undefined,
  }
}

export function linkOf(reference: ReferenceDoc): Link {
  const { name, from, to, columns, toColumns, unique, optional } = reference
  return { name, from, to, fromColumns: columns, toColumns, unique, optional, mark: undefined }
}
