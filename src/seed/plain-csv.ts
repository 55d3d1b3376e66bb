import { createReadStream } from 'node:fs'
import type { SeedFile } from './read-seeds.js'

const QUOTE = 0x22
const COMMA = 0x2c
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const BACKSLASH = 0x5c
const FULL_STOP = 0x2e

const CHUNK = 1_024 * 1_024

/** Below this a file is parsed in less time than it takes to ask whether it has to be. */
const WORTH_IT = 1_024 * 1_024

/** A field that begins with so many blanks is read, whatever follows. */
const BLANKS = 64

const RELATIVE = /^\s*today|^\s{64}/
const PERHAPS_RELATIVE = /^\s*(?:t|to|tod|toda)?$/

/**
 * True when a large CSV file means to COPY what it means to CsvReader, so that its bytes can go to the server as they are: every quote
 * opens or closes a field, no line begins like COPY's end mark, and (where the columns hold dates) no field like a relative date.
 */
export async function isPlainCsv(
  file: SeedFile,
  { dates, chunk = CHUNK }: { readonly dates: boolean; readonly chunk?: number },
): Promise<boolean> {
  if (file.bytes < WORTH_IT) return false
  const look = new Look(dates)
  for await (const piece of createReadStream(file.path, { highWaterMark: chunk }))
    if (!look.goesOn(piece as Buffer)) return false
  return look.isOver()
}

/** Goes through a file piece by piece. Looks for quotes, and from one to the next for what else matters there. */
class Look {
  private readonly dates: boolean
  private inQuotes = false
  /** A quote inside quotes was the last byte: the next one says whether it closed them. */
  private undecided = false
  private previous = LINE_FEED
  /** What there is of a field that began in an earlier piece, as long as it could become a relative date. */
  private begun: string | undefined = ''

  constructor(dates: boolean) {
    this.dates = dates
  }

  /** False: the file has to be read. */
  goesOn(bytes: Buffer): boolean {
    if (holdsEndMark(bytes, this.previous)) return false
    if (this.dates && this.begun !== undefined && RELATIVE.test(this.begun + start(bytes, 0))) return false
    const today = this.dates ? new Finder(bytes, 'today') : undefined
    /** Where the text began that is looked at, and whether a field did there. */
    let from = 0
    let opened = false
    let at = 0
    if (this.undecided) {
      this.undecided = false
      if (bytes[0] === QUOTE) at = 1
      else if (endsField(bytes[0])) this.inQuotes = false
      else return false
    }
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at)
      if (quote < 0) break
      if (!this.inQuotes) {
        if (!beginsField(quote === 0 ? this.previous : bytes[quote - 1])) return false
        if (
          today !== undefined &&
          (beginsFieldWith(today, from, quote) || RELATIVE.test(start(bytes, quote + 1)))
        )
          return false
        this.inQuotes = true
        opened = true
        from = quote + 1
        at = from
      } else if (quote + 1 === bytes.length) {
        this.undecided = true
        opened = false
        break
      } else if (bytes[quote + 1] === QUOTE) {
        opened = false
        at = quote + 2
      } else if (endsField(bytes[quote + 1])) {
        this.inQuotes = false
        opened = false
        from = quote + 1
        at = from
      } else return false
    }
    if (today !== undefined && !this.inQuotes && beginsFieldWith(today, from, bytes.length)) return false
    this.begun = this.begunAtTheEnd(bytes, from, opened)
    this.previous = bytes[bytes.length - 1] ?? this.previous
    return true
  }

  private begunAtTheEnd(bytes: Buffer, from: number, opened: boolean): string | undefined {
    if (this.undecided) return undefined
    const begin = this.inQuotes
      ? opened
        ? from
        : -1
      : Math.max(bytes.lastIndexOf(COMMA), bytes.lastIndexOf(LINE_FEED)) + 1
    if (begin > 0 && begin >= from) return beginning(start(bytes, begin))
    // Nothing began here: what had begun before goes on.
    return from > 0 || this.begun === undefined ? undefined : beginning(this.begun + start(bytes, 0))
  }

  /** False: a quote was never closed. */
  isOver(): boolean {
    return !this.inQuotes || this.undecided
  }
}

/** Finds a word again and again, further and further on. */
class Finder {
  readonly bytes: Buffer
  private readonly word: string
  private found: number

  constructor(bytes: Buffer, word: string) {
    this.bytes = bytes
    this.word = word
    this.found = bytes.indexOf(word)
  }

  /** The first at or behind an index; -1: none. */
  from(index: number): number {
    if (this.found >= 0 && this.found < index) this.found = this.bytes.indexOf(this.word, index)
    return this.found
  }
}

/** Whether a field of an unquoted stretch begins with what is looked for; of one that began in an earlier piece `begun` knows. */
function beginsFieldWith(word: Finder, from: number, to: number): boolean {
  const { bytes } = word
  for (let hit = word.from(from); hit >= 0 && hit < to; hit = word.from(hit + 1)) {
    let before = hit - 1
    while (before >= from && isBlank(bytes[before])) before--
    if (before >= from && (beginsField(bytes[before]) || bytes[before] === CARRIAGE_RETURN)) return true
  }
  return false
}

/** COPY takes a line that begins so for the end of what is sent. */
function holdsEndMark(bytes: Buffer, previous: number): boolean {
  // Of one that is cut by the end of the piece the backslash is as good.
  if (bytes[0] === BACKSLASH && endsLine(previous)) return true
  for (const mark of ['\n\\', '\r\\'])
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1))
      if (bytes[at + 2] === undefined || bytes[at + 2] === FULL_STOP) return true
  return false
}

const start = (bytes: Buffer, at: number): string =>
  bytes.toString('latin1', at, at + BLANKS + 'today'.length)

/** The beginning of a field, if it can become a relative date. */
function beginning(text: string): string | undefined {
  return PERHAPS_RELATIVE.test(text) ? text : undefined
}

const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0b || byte === 0x0c

const endsLine = (byte: number): boolean => byte === LINE_FEED || byte === CARRIAGE_RETURN

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
