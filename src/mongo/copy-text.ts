/** The text format of COPY and of array values. https://www.postgresql.org/docs/current/sql-copy.html */

export const COPY_NULL = '\\N'

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One value of a row. Most need no escaping, and asking costs less than replacing. */
export function copyValue(text: string): string {
  return /[\\\n\r\t]/.test(text)
    ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : text
}

/** An array of texts in PostgreSQL's notation; every element is quoted, so that none can be mistaken for NULL or a brace. */
export function arrayText(elements: readonly (string | null)[]): string {
  const written = elements.map((element) =>
    element === null ? 'NULL' : `"${element.replace(/["\\]/g, String.raw`\$&`)}"`,
  )
  return `{${written.join(',')}}`
}

/** PostgreSQL stores every text but these: with a character NUL, or with half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && !(/[\ud800-\udfff]/.test(text) && /\p{Surrogate}/u.test(text))
}
