import type { ShellTable } from '../../index.js'

/** Rows under their column names, numbers ending in line; a value of several lines takes several. */
export function renderTable({ columns, rows }: ShellTable): string {
  const cells = rows.map((row) => row.map((value) => (value ?? NULL).split(/\r?\n/)))
  const widths = columns.map(({ name }, index) =>
    Math.max(width(name), ...cells.flatMap((row) => (row[index] ?? []).map(width))),
  )
  const line = (parts: readonly string[]): string =>
    parts
      .map((text, index) => {
        const blanks = ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(text)))
        return columns[index]?.isNumber === true ? ` ${blanks}${text} ` : ` ${text}${blanks} `
      })
      .join('|')
      .trimEnd()
  const lines = [
    line(columns.map(({ name }) => name)),
    widths.map((columnWidth) => '-'.repeat(columnWidth + 2)).join('+'),
  ]
  for (const row of cells) {
    const height = Math.max(1, ...row.map((parts) => parts.length))
    for (let part = 0; part < height; part++) lines.push(line(row.map((parts) => parts[part] ?? '')))
  }
  return [...lines, `(${String(rows.length)} ${rows.length === 1 ? 'row' : 'rows'})`, ''].join('\n')
}

/** Unlike an empty text, and unlike any word. */
const NULL = '∅'

/** By code point; a wide character of East Asia counts as one. */
function width(text: string): number {
  return [...text].length
}
