import { isUtf8 } from 'node:buffer'

/** The text of one document, or why there is none, at the line where it starts. */
export interface JsonPiece {
  readonly line: number
  readonly text?: string
  readonly broken?: string
}

/** MongoDB's documents end at 16 MB, their Extended JSON at a few times that. Whatever goes on longer is no document. */
const LONGEST = 128 * 1024 * 1024

const [TAB, NEWLINE, RETURN, SPACE, QUOTE, COMMA] = [0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c]
const [OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d]

/**
 * Cuts a file into its documents as its bytes come in: one a line, as mongoexport writes them, or anything else that consists of
 * documents (--jsonArray, --pretty). Lines are the usual case and found by native code; the rest is walked byte by byte.
 */
export class JsonSplitter {
  private splitter: Splitter | undefined
  private head: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): readonly JsonPiece[] {
    if (this.splitter !== undefined) return this.splitter.push(chunk)
    this.head = Buffer.concat([this.head, chunk])
    // The first line that is not empty tells which it is.
    const first = firstCharacter(this.head)
    if (!this.head.includes(NEWLINE, first) && this.head.length < 65_536) return []
    return this.start()
  }

  end(): readonly JsonPiece[] {
    const pieces = this.splitter === undefined ? this.start() : []
    return [...pieces, ...(this.splitter?.end() ?? [])]
  }

  private start(): readonly JsonPiece[] {
    const bytes = withoutMark(this.head)
    const wide = this.head[0] === 0xff && this.head[1] === 0xfe
    if (wide || (this.head[0] === 0xfe && this.head[1] === 0xff)) {
      this.splitter = new Deaf()
      return [{ line: 1, broken: 'the file is UTF-16; export it again, or convert it to UTF-8' }]
    }
    this.splitter = isOneALine(bytes) ? new LineSplitter() : new Walker()
    return this.splitter.push(bytes)
  }
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** Not an array, and no document that opens its brace and goes on in the next line. */
function isOneALine(bytes: Buffer): boolean {
  const start = firstCharacter(bytes)
  if (bytes[start] === OPEN_BRACKET) return false
  const end = bytes.indexOf(NEWLINE, start)
  return bytes.toString('latin1', start, end < 0 ? bytes.length : end).trim() !== '{'
}

function firstCharacter(bytes: Buffer): number {
  let at = 0
  while (isSpace(bytes[at])) at++
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === NEWLINE || byte === RETURN
}

interface Splitter {
  push(chunk: Buffer): readonly JsonPiece[]
  end(): readonly JsonPiece[]
}

class LineSplitter implements Splitter {
  private line = 1
  private parts: Buffer[] = []
  private length = 0

  push(chunk: Buffer): readonly JsonPiece[] {
    const last = chunk.lastIndexOf(NEWLINE)
    if (last < 0) {
      this.keep(chunk)
      return this.length > LONGEST ? [this.tooLong()] : []
    }
    const pieces: JsonPiece[] = []
    const whole = isUtf8(chunk.subarray(0, last))
    let start = 0
    if (this.length > 0) {
      const first = chunk.indexOf(NEWLINE)
      this.keep(chunk.subarray(0, first))
      this.take(Buffer.concat(this.parts), false, pieces)
      this.parts = []
      this.length = 0
      start = first + 1
    }
    while (start <= last) {
      const end = chunk.indexOf(NEWLINE, start)
      this.take(chunk.subarray(start, end), whole, pieces)
      start = end + 1
    }
    this.keep(chunk.subarray(start))
    return pieces
  }

  end(): readonly JsonPiece[] {
    const pieces: JsonPiece[] = []
    this.take(Buffer.concat(this.parts), false, pieces)
    return pieces
  }

  private keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.parts.push(bytes)
    this.length += bytes.length
  }

  private take(bytes: Buffer, knownUtf8: boolean, pieces: JsonPiece[]): void {
    const line = this.line++
    if (!knownUtf8 && !isUtf8(bytes)) pieces.push({ line, broken: NOT_UTF8 })
    else {
      const text = bytes.toString('utf8')
      if (text.trim() !== '') pieces.push({ line, text })
    }
  }

  private tooLong(): JsonPiece {
    this.parts = []
    this.length = 0
    return { line: this.line, broken: TOO_LONG }
  }
}

const NOT_UTF8 = 'it is not UTF-8 text'
const TOO_LONG = `it goes on for more than ${String(LONGEST / 1024 / 1024)} MB without an end`

/** Follows braces and strings. What stands between the documents may only be commas and the brackets of the array. */
class Walker implements Splitter {
  private line = 1
  private startLine = 1
  private depth = 0
  private inString = false
  private escaped = false
  private astray = false
  private parts: Buffer[] = []
  private length = 0

  push(chunk: Buffer): readonly JsonPiece[] {
    const pieces: JsonPiece[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === NEWLINE) this.line++
      if (this.depth === 0) {
        if (byte === OPEN_BRACE) {
          this.depth = 1
          this.astray = false
          this.startLine = this.line
          start = at
        } else if (!isBetween(byte) && !this.astray) {
          // Said once, until the next document begins.
          this.astray = true
          pieces.push({ line: this.line, broken: 'a document is expected here, and none begins' })
        }
      } else if (this.inString) {
        if (this.escaped) this.escaped = false
        else if (byte === BACKSLASH) this.escaped = true
        else if (byte === QUOTE) this.inString = false
      } else if (byte === QUOTE) this.inString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.depth--
        if (this.depth === 0) pieces.push(this.take(chunk.subarray(start, at + 1)))
      }
    }
    if (this.depth > 0) {
      this.parts.push(chunk.subarray(start))
      this.length += chunk.length - start
      if (this.length > LONGEST) {
        this.depth = 0
        this.inString = false
        this.astray = true
        this.parts = []
        this.length = 0
        pieces.push({ line: this.startLine, broken: TOO_LONG })
      }
    }
    return pieces
  }

  end(): readonly JsonPiece[] {
    return this.depth === 0 ? [] : [{ line: this.startLine, broken: 'the file ends within this document' }]
  }

  private take(last: Buffer): JsonPiece {
    const bytes = this.parts.length === 0 ? last : Buffer.concat([...this.parts, last])
    this.parts = []
    this.length = 0
    return isUtf8(bytes)
      ? { line: this.startLine, text: bytes.toString('utf8') }
      : { line: this.startLine, broken: NOT_UTF8 }
  }
}

function isBetween(byte: number | undefined): boolean {
  return isSpace(byte) || byte === COMMA || byte === OPEN_BRACKET || byte === CLOSE_BRACKET
}

/** Hears nothing more of a file that cannot be read. */
class Deaf implements Splitter {
  push(): readonly JsonPiece[] {
    return []
  }

  end(): readonly JsonPiece[] {
    return []
  }
}
