import type { Session, TextRow } from '../../database/database.js'

/** A query over the system catalogs whose select list has names, so that its rows are read by them. */
export interface Query<C extends string = string> {
  readonly select: Readonly<Record<C, string>>
  readonly from: string
}

/** A row by the names of its query; every value is PostgreSQL's text. */
export type Named<C extends string> = Readonly<Record<C, string | null>>

/** The rows of a query, or of a function that makes one. */
export type RowsOf<Q> =
  Q extends Query<infer C>
    ? readonly Named<C>[]
    : Q extends (...about: never[]) => Query<infer C>
      ? readonly Named<C>[]
      : never

export type RowOf<Q> = RowsOf<Q>[number]

/** `select` maps a name to the SQL expression behind it; `from` is the rest of the statement. */
export function query<C extends string>(select: Readonly<Record<C, string>>, from: string): Query<C> {
  return { select, from }
}

/** Runs one query. For kinds of which there are many: plain rows cost the server less than JSON. */
export async function read<C extends string>(
  session: Session,
  { select, from }: Query<C>,
): Promise<readonly Named<C>[]> {
  const names = Object.keys(select) as C[]
  const rows = await session.query(`select ${names.map((name) => select[name]).join(', ')} ${from}`)
  return rows.map((row) => named(names, row))
}

/** The same, with rows as they come: for the one query that has more of them than all others together. */
export async function readRows(session: Session, { select, from }: Query): Promise<readonly TextRow[]> {
  return session.query(`select ${Object.values(select).join(', ')} ${from}`)
}

/** Runs queries over kinds of which there are few as one statement: one round trip for all of them. */
export async function readTogether<Q extends Readonly<Record<string, Query>>>(
  session: Session,
  queries: Q,
): Promise<{ readonly [K in keyof Q]: RowsOf<Q[K]> }> {
  const parts = Object.entries(queries).map(([part, { select, from }]) => {
    const values = Object.values(select).map((expression) => `(${expression})::text`)
    return `(select '${part}', json_build_array(${values.join(', ')})::text ${from})`
  })
  const rows = await session.query(parts.join('\nunion all\n'))
  const found = new Map<string, Named<string>[]>(Object.keys(queries).map((part) => [part, []]))
  for (const [part, values] of rows) {
    const names = Object.keys(queries[part ?? '']?.select ?? {})
    found.get(part ?? '')?.push(named(names, JSON.parse(values ?? '[]') as TextRow))
  }
  return Object.fromEntries(found) as unknown as { readonly [K in keyof Q]: RowsOf<Q[K]> }
}

function named<C extends string>(names: readonly C[], values: TextRow): Named<C> {
  const row: Partial<Record<C, string | null>> = {}
  for (const [index, name] of names.entries()) row[name] = values[index] ?? null
  return row as Named<C>
}

/** A value that is never null. */
export function text(value: string | null): string {
  return value ?? ''
}

/** Null as undefined. */
export function optional(value: string | null): string | undefined {
  return value ?? undefined
}

export function flag(value: string | null): boolean {
  return value === 't' || value === 'true'
}

/** A JSON array of text, or none. */
export function list(value: string | null): readonly string[] {
  return value === null ? [] : (JSON.parse(value) as readonly string[])
}

/** A JSON array of text without its nulls: what json_build_array makes of things that may be missing. */
export function presentList(value: string | null): readonly string[] {
  return value === null ? [] : (JSON.parse(value) as readonly (string | null)[]).filter((one) => one !== null)
}

/** Options and the like, whose order means nothing. */
export function sortedList(value: string | null): readonly string[] {
  return [...list(value)].sort()
}

/** The word for a letter of the catalogs. Fails on a letter that no known PostgreSQL uses, rather than to guess. */
export function word<const W extends Readonly<Record<string, unknown>>>(
  words: W,
  letter: string | null,
): W[keyof W] {
  if (letter === null || !(letter in words))
    throw new Error(`the catalogs say "${String(letter)}", expected one of ${Object.keys(words).join(', ')}`)
  return words[letter] as W[keyof W]
}

/** Rows of schemas that are the user's: neither PostgreSQL's own nor temporary. `alias` is that of pg_namespace. */
export function inUserSchema(alias = 'n'): string {
  return `${alias}.nspname !~ '^pg_' and ${alias}.nspname <> 'information_schema'`
}

/** Rows that did not come with an extension. */
export function notOfExtension(catalog: string, oid: string): string {
  return (
    `not exists (select from pg_depend e where e.classid = '${catalog}'::regclass and e.objid = ${oid} ` +
    `and e.deptype = 'e')`
  )
}

/** Rows that are neither an extension's nor a part that PostgreSQL made for another object. */
export function standsAlone(catalog: string, oid: string): string {
  return (
    `not exists (select from pg_depend e where e.classid = '${catalog}'::regclass and e.objid = ${oid} ` +
    `and e.deptype in ('e', 'i'))`
  )
}

/** What initdb made has a lower oid. */
export const FIRST_USER_OID = '16384'
