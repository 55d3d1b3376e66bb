/** The one place where names and values become SQL text. */

/** An identifier, always quoted: a name from a file or a config can never be anything but a name. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** schema.name, both quoted. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteName(schema)}.${quoteName(name)}`
}

/**
 * A string literal that means the same whatever standard_conforming_strings says: with a backslash inside it is written as E''.
 * The text must not hold NUL, which no PostgreSQL text can.
 */
export function quoteLiteral(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}

/** A string literal, or null. */
export function quoteNullable(text: string | undefined): string {
  return text === undefined ? 'null' : quoteLiteral(text)
}
