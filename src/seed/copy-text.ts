/** The text format of COPY, and of array values. https://www.postgresql.org/docs/current/sql-copy.html */

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A line of COPY's text format. */
export function copyLine(values: readonly (string | null)[]): string {
  return values.map(copyValue).join('\t') + '\n'
}

function copyValue(value: string | null): string {
  if (value === null) return '\\N'
  return /[\\\n\r\t]/.test(value)
    ? value.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : value
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
