import { emitNull, emitOf, type ColumnType, type Emit } from './copy-values.js'
import type { TableRows } from './table-rows.js'

/** One line of COPY, of columns of which some may be left empty for now. */
export function lineOf(
  rows: TableRows,
  columns: readonly (ColumnType & { readonly name: string })[],
  empty: ReadonlySet<string> = new Set(),
): Emit {
  const emits = columns.map((column, index) => {
    const end = index === columns.length - 1 ? '\n' : '\t'
    return empty.has(column.name) ? emitNull(end) : emitOf(column, rows.written(column.name), end)
  })
  return (row) => {
    let line = ''
    for (const emit of emits) line += emit(row)
    return line
  }
}

const PAGE = 1 << 16

/**
 * Rows as bytes, a page full at a time. Each row is written as soon as it is made: rows that wait for others as text are what memory is
 * spent on, because they outlive the garbage around them.
 */
export function* pagesOf(
  line: Emit,
  from: number,
  until: number,
): Generator<{ bytes: Buffer; next: number }> {
  let page = Buffer.allocUnsafe(PAGE)
  let at = 0
  for (let row = from; row < until; row++) {
    const text = line(row)
    // A character takes up to three bytes.
    if (at + text.length * 3 > PAGE) {
      if (at > 0) yield { bytes: page.subarray(0, at), next: row }
      // Not the same page again: whoever took it may not have sent it yet.
      page = Buffer.allocUnsafe(PAGE)
      at = 0
      if (text.length * 3 > PAGE) {
        yield { bytes: Buffer.from(text), next: row + 1 }
        continue
      }
    }
    at += page.write(text, at)
  }
  if (at > 0) yield { bytes: page.subarray(0, at), next: until }
}
