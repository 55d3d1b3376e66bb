/** The text format of COPY and of array values. https://www.postgresql.org/docs/current/sql-copy.html */

export const COPY_NULL = '\\N'

/** So much that a program which makes rows and a server which takes them do not wake each other all the time. */
export const COPY_PAGE = 1 << 18

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A line of COPY's text format. */
export function copyLine(values: readonly (string | null)[]): string {
  return values.map((value) => (value === null ? COPY_NULL : copyValue(value))).join('\t') + '\n'
}

/** One value of a row. Most need no escaping, and asking costs less than replacing. */
export function copyValue(text: string): string {
  return /[\\\n\r\t]/.test(text)
    ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : text
}

export type ArrayElement = string | null | readonly ArrayElement[]

/** An array in PostgreSQL's notation; every element is quoted, so that none can be mistaken for NULL or a brace. */
export function arrayLiteral(elements: readonly ArrayElement[]): string {
  const written = elements.map((element) => {
    if (element === null) return 'NULL'
    if (typeof element !== 'string') return arrayLiteral(element)
    return `"${element.replace(/["\\]/g, String.raw`\$&`)}"`
  })
  return `{${written.join(',')}}`
}
