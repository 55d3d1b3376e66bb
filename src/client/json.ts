/** A value as JSON text, for a JSON column: its type still says what the document looks like. */
export type JsonText<T> = string & { readonly __json: T }

/**
 * Writes a value for a JSON column. Lists and strings need it, because the driver sends an array as an array of PostgreSQL and a string
 * as it is; objects may be given as they are.
 *
 * @example
 * await db.insertInto('contractors').values({ ...contractor, skills: json(['Hardwood', 'Laminate']) }).execute()
 */
export function json<const T>(value: T): JsonText<Writable<T>> {
  return JSON.stringify(value) as JsonText<Writable<T>>
}

/** A literal is inferred as readonly, which the type of a column is not. */
type Writable<T> = T extends readonly unknown[]
  ? { -readonly [K in keyof T]: Writable<T[K]> } extends infer List
    ? List extends readonly (infer Item)[]
      ? Item[]
      : never
    : never
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T
