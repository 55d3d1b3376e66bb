/**
 * JSON with its places: what JSON.parse keeps for itself. Numbers stay as they are written, because a numeric column holds more digits
 * than a JavaScript number.
 */

export type JsonNode = JsonScalar | JsonArray | JsonObject

interface Span {
  /** UTF-16 indexes into the text. */
  readonly start: number
  readonly end: number
}

export interface JsonScalar extends Span {
  readonly kind: 'string' | 'number' | 'boolean' | 'null'
  /** Of a string, decoded; else as written. */
  readonly value: string
}

export interface JsonArray extends Span {
  readonly kind: 'array'
  readonly items: readonly JsonNode[]
}

export interface JsonObject extends Span {
  readonly kind: 'object'
  readonly entries: readonly JsonEntry[]
}

export interface JsonEntry {
  readonly key: string
  readonly keyStart: number
  readonly value: JsonNode
}

/** Where the text is no JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
  readonly index: number

  constructor(what: string, index: number) {
    super(what)
    this.index = index
  }
}

/** Parses one JSON value that takes up the whole text. Throws JsonSyntaxError. */
export function parseJson(text: string): JsonNode {
  const parser = new Parser(text)
  const value = parser.value()
  parser.expectEnd()
  return value
}

const BLANKS = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
// eslint-disable-next-line no-control-regex -- JSON wants control characters escaped; the pattern says so.
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y

class Parser {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  value(): JsonNode {
    this.skipBlanks()
    const start = this.at
    const first = this.text[start]
    if (first === '{') return this.object(start)
    if (first === '[') return this.array(start)
    if (first === '"') return { kind: 'string', start, value: this.string(), end: this.at }
    const word = this.match(WORD)
    if (word !== undefined)
      return { kind: word === 'null' ? 'null' : 'boolean', start, value: word, end: this.at }
    const number = this.match(NUMBER)
    if (number !== undefined) return { kind: 'number', start, value: number, end: this.at }
    throw this.unexpected('a value')
  }

  expectEnd(): void {
    this.skipBlanks()
    if (this.at < this.text.length) throw this.unexpected('the end')
  }

  private object(start: number): JsonObject {
    this.at++
    const entries: JsonEntry[] = []
    const seen = new Set<string>()
    while (this.next() !== '}') {
      if (entries.length > 0) this.expect(',')
      this.skipBlanks()
      const keyStart = this.at
      if (this.text[keyStart] !== '"') throw this.unexpected('a key in double quotes')
      const key = this.string()
      if (seen.has(key)) throw new JsonSyntaxError(`the key "${key}" is there twice`, keyStart)
      seen.add(key)
      this.skipBlanks()
      this.expect(':')
      entries.push({ key, keyStart, value: this.value() })
    }
    this.at++
    return { kind: 'object', start, entries, end: this.at }
  }

  private array(start: number): JsonArray {
    this.at++
    const items: JsonNode[] = []
    while (this.next() !== ']') {
      if (items.length > 0) this.expect(',')
      items.push(this.value())
    }
    this.at++
    return { kind: 'array', start, items, end: this.at }
  }

  private string(): string {
    const raw = this.match(STRING)
    if (raw === undefined)
      throw new JsonSyntaxError('a string that is not closed, or holds what must be escaped', this.at)
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
  }

  /** The next character that is not blank. */
  private next(): string | undefined {
    this.skipBlanks()
    return this.text[this.at]
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw this.unexpected(`"${character}"`)
    this.at++
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at = pattern.lastIndex
    return found
  }

  private skipBlanks(): void {
    BLANKS.lastIndex = this.at
    BLANKS.exec(this.text)
    this.at = BLANKS.lastIndex
  }

  private unexpected(expected: string): JsonSyntaxError {
    const seen = this.text[this.at]
    return new JsonSyntaxError(
      seen === undefined
        ? `it ends where ${expected} is expected`
        : `"${seen}" where ${expected} is expected`,
      this.at,
    )
  }
}
