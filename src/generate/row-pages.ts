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

/** Characters that are worth turning into bytes at once. */
const ENOUGH = 1 << 12

/**
 * Writes rows into pages. A few rows at a time become bytes as soon as they are made: more of them, as text, would outlive the garbage
 * around them, and be what the memory is spent on.
 */
export class RowPages {
  /** How many bytes have been written, and the number of the row that comes next. */
  bytes = 0
  next: number
  private readonly line: Emit
  private readonly until: number
  /** What did not fit into the last page. */
  private rest: Buffer | undefined

  constructor(line: Emit, from: number, until: number) {
    this.line = line
    this.next = from
    this.until = until
  }

  readonly fill = (page: Buffer): number => {
    let at = this.writeRest(page, 0)
    while (this.rest === undefined && this.next < this.until) {
      const text = this.fewRows()
      // A character takes up to three bytes.
      if (at + text.length * 3 <= page.length) at += page.write(text, at)
      else {
        this.rest = Buffer.from(text)
        at = this.writeRest(page, at)
      }
    }
    this.bytes += at
    return at
  }

  private fewRows(): string {
    let text = ''
    while (text.length < ENOUGH && this.next < this.until) {
      text += this.line(this.next)
      this.next++
    }
    return text
  }

  private writeRest(page: Buffer, at: number): number {
    if (this.rest === undefined) return at
    const written = this.rest.copy(page, at)
    this.rest = written < this.rest.length ? this.rest.subarray(written) : undefined
    return at + written
  }
}
