/**
 * CSV as RFC 4180 has it, read as COPY reads it: an empty field is NULL, a quoted empty field the empty string. Unlike COPY it refuses
 * a quote inside an unquoted field, where COPY would begin to quote and swallow what follows.
 */

export interface CsvRecord {
  /** 1-based line on which the record begins; one with line breaks in its fields goes on below. */
  readonly line: number
  /** The record as in the file, without its line end. */
  readonly source: string
  readonly fields: readonly (string | null)[]
}

/** Where the text is no CSV. */
export class CsvSyntaxError extends Error {
  override readonly name = 'CsvSyntaxError'
  readonly line: number
  /** 1-based, in code points. */
  readonly column: number
  readonly excerpt: string

  constructor(what: string, place: { line: number; column: number }, excerpt: string) {
    super(what)
    this.line = place.line
    this.column = place.column
    this.excerpt = excerpt
  }
}

const UNQUOTED = /[^,"\r\n]*/y

/** Takes text piece by piece and gives the records that are whole. Empty lines are no records. */
export class CsvReader {
  private rest = ''
  private line = 1

  push(text: string): CsvRecord[] {
    return this.read(this.rest + text, false)
  }

  /** The last record may lack its line end. */
  end(): CsvRecord[] {
    return this.read(this.rest, true)
  }

  private read(text: string, last: boolean): CsvRecord[] {
    const records: CsvRecord[] = []
    let at = 0
    while (at < text.length) {
      const fields: (string | null)[] = []
      const end = readRecord(text, at, last, fields, (what, index) => {
        throw this.error(what, text, at, index)
      })
      if (end === undefined) break
      const source = text.slice(at, end.text)
      if (source !== '') records.push({ line: this.line, source, fields })
      this.line += 1 + countLineEnds(source)
      at = end.next
    }
    this.rest = text.slice(at)
    return records
  }

  private error(what: string, text: string, start: number, index: number): CsvSyntaxError {
    const place = placeIn(text.slice(start, index), this.line)
    const lineStart = text.lastIndexOf('\n', index - 1) + 1
    const lineEnd = text.indexOf('\n', index)
    const excerpt = text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).replace(/\r$/, '')
    return new CsvSyntaxError(what, place, excerpt)
  }
}

/** Reads one record; undefined when its end is not in the text yet. */
function readRecord(
  text: string,
  start: number,
  last: boolean,
  fields: (string | null)[],
  refuse: (what: string, index: number) => never,
): { text: number; next: number } | undefined {
  let at = start
  for (;;) {
    if (text[at] === '"') {
      const field = readQuoted(text, at)
      if (field === undefined) return last ? refuse('the quote that opens here is not closed', at) : undefined
      fields.push(field.value)
      at = field.end
    } else {
      UNQUOTED.lastIndex = at
      UNQUOTED.exec(text)
      const end = UNQUOTED.lastIndex
      fields.push(end === at ? null : text.slice(at, end))
      at = end
    }
    const next = text[at]
    if (next === undefined) return last ? { text: at, next: at } : undefined
    if (next === ',') at++
    else if (next === '\n') return { text: at, next: at + 1 }
    else if (next === '\r') {
      if (text[at + 1] === '\n') return { text: at, next: at + 2 }
      if (at + 1 === text.length && !last) return undefined
      refuse('a carriage return without a line feed', at)
    } else
      refuse(
        next === '"'
          ? 'a quote inside an unquoted field (quote the field, and double the quote)'
          : 'text after the closing quote',
        at,
      )
  }
}

function readQuoted(text: string, open: number): { value: string; end: number } | undefined {
  for (let from = open + 1; ;) {
    const quote = text.indexOf('"', from)
    // At the end of the piece a quote may yet turn out to be the first of two.
    if (quote < 0) return undefined
    if (text[quote + 1] !== '"') {
      const raw = text.slice(open + 1, quote)
      return { value: raw.includes('"') ? raw.replaceAll('""', '"') : raw, end: quote + 1 }
    }
    from = quote + 2
  }
}

/** Where in the file each field of a record begins. */
export function fieldPlaces(record: CsvRecord): { line: number; column: number }[] {
  const places: { line: number; column: number }[] = []
  for (let at = 0; at <= record.source.length;) {
    places.push(placeIn(record.source.slice(0, at), record.line))
    const quoted = record.source[at] === '"' ? readQuoted(record.source, at) : undefined
    const comma = record.source.indexOf(',', quoted?.end ?? at)
    if (comma < 0) break
    at = comma + 1
  }
  return places
}

function placeIn(before: string, firstLine: number): { line: number; column: number } {
  const line = firstLine + countLineEnds(before)
  return { line, column: [...before.slice(before.lastIndexOf('\n') + 1)].length + 1 }
}

function countLineEnds(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
