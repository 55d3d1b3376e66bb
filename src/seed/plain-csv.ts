import { createReadStream } from 'node:fs'
import type { SeedFile } from './read-seeds.js'

const QUOTE = 0x22
const COMMA = 0x2c
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

const CHUNK = 1_024 * 1_024

/** Below this a file is parsed in less time than it takes to ask whether it has to be. */
const WORTH_IT = 1_024 * 1_024

/**
 * True when a large CSV file means to COPY what it means to CsvReader, so that its bytes can go to the server as they are: every quote
 * opens or closes a field, nothing reads like COPY's end mark, and (where the columns hold dates) nothing like a relative date.
 */
export async function isPlainCsv(file: SeedFile, { dates }: { readonly dates: boolean }): Promise<boolean> {
  if (file.bytes < WORTH_IT) return false
  let inQuotes = false
  /** A quote inside quotes was the last byte: the next one says whether it closed them. */
  let undecided = false
  let previous = COMMA
  let tail = ''
  for await (const piece of createReadStream(file.path, { highWaterMark: CHUNK })) {
    const bytes = piece as Buffer
    const seam = tail + bytes.toString('latin1', 0, 8)
    if (bytes.includes('\\.') || seam.includes('\\.')) return false
    if (dates && (bytes.includes('today') || seam.includes('today'))) return false
    tail = bytes.toString('latin1', Math.max(0, bytes.length - 8))
    let at = 0
    if (undecided) {
      undecided = false
      if (bytes[0] === QUOTE) at = 1
      else if (endsField(bytes[0])) inQuotes = false
      else return false
    }
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at)
      if (quote < 0) break
      if (!inQuotes) {
        if (!beginsField(quote === 0 ? previous : bytes[quote - 1])) return false
        inQuotes = true
        at = quote + 1
      } else if (quote + 1 === bytes.length) {
        undecided = true
        break
      } else if (bytes[quote + 1] === QUOTE) at = quote + 2
      else if (endsField(bytes[quote + 1])) {
        inQuotes = false
        at = quote + 1
      } else return false
    }
    previous = bytes[bytes.length - 1] ?? previous
  }
  return !inQuotes || undecided
}

function beginsField(before: number | undefined): boolean {
  return before === COMMA || before === LINE_FEED
}

function endsField(after: number | undefined): boolean {
  return after === COMMA || after === LINE_FEED || after === CARRIAGE_RETURN
}

/** The bytes of a file, in pieces large enough for COPY not to notice them. */
export async function* readBytes(file: SeedFile, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(file.path, { highWaterMark: CHUNK })) {
    yield piece as Buffer
    onBytes((piece as Buffer).length)
  }
}
