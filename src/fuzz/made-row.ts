import { quoteIfNeeded, quoteLiteral } from '../database/quote.js'

/** A row as it was, or would be, inserted. What is not named is left to PostgreSQL. */
export interface MadeRow {
  readonly table: string
  /** Null is NULL. */
  readonly values: ReadonlyMap<string, string | null>
  /** Columns that are GENERATED ALWAYS AS IDENTITY: a value for one of them has to be insisted on. */
  readonly always: readonly string[]
}

export function insertOf({ table, values, always }: MadeRow): string {
  if (values.size === 0) return `insert into ${table} default values`
  const names = [...values.keys()].map(quoteIfNeeded).join(', ')
  const literals = [...values.values()].map((value) => (value === null ? 'null' : quoteLiteral(value).trim()))
  return `insert into ${table} (${names})${always.some((name) => values.has(name)) ? ' overriding system value' : ''} values (${literals.join(', ')})`
}

export function textOf(rows: readonly MadeRow[]): string {
  return rows.map((row) => `${insertOf(row)};`).join('\n')
}

export function withValue(row: MadeRow, column: string, value: string | null): MadeRow {
  return { ...row, values: new Map(row.values).set(column, value) }
}

export function without(row: MadeRow, column: string): MadeRow {
  const values = new Map(row.values)
  values.delete(column)
  return { ...row, values }
}
