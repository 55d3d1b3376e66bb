/** What a CHECK says of one column: the only values it may have, and that it may not be NULL. */
export interface Allowed {
  /** Undefined: no list. */
  readonly values: readonly string[] | undefined
  /** They are numbers. */
  readonly numbers: boolean
  readonly notNull: boolean
}

/** No list, and NULL as well. */
export const ANYTHING: Allowed = { values: undefined, numbers: false, notNull: false }

/**
 * Reads the list of values from the expression that PostgreSQL stores of a CHECK, as it writes it out: = ANY (ARRAY[...]), a single
 * value, and these joined by OR and AND. What it does not recognise says nothing. `column` is undefined for the VALUE of a domain.
 */
export function allowedBy(expression: string, column: string | undefined): Allowed {
  const key = `${column ?? ''}\0${expression}`
  let allowed = known.get(key)
  if (allowed === undefined) known.set(key, (allowed = readAllowed(expression, column)))
  return allowed
}

/** Many tables have the same `status`, and one is asked about several times. */
const known = new Map<string, Allowed>()

function readAllowed(expression: string, column: string | undefined): Allowed {
  const tokens = tokenise(expression)
  if (tokens === undefined) return ANYTHING
  const parser = new Parser(tokens, column)
  const found = parser.expression()
  return found.kind === 'condition' && parser.atEnd() ? found.allowed : ANYTHING
}

/** What several CHECKs say together. */
export function allowedByAll(all: readonly Allowed[]): Allowed {
  return all.reduce((one, other) => both(one, other), ANYTHING)
}

function both(one: Allowed, other: Allowed): Allowed {
  const notNull = one.notNull || other.notNull
  if (one.values === undefined) return { ...other, notNull }
  if (other.values === undefined) return { ...one, notNull }
  if (one.numbers !== other.numbers) return { ...one, notNull }
  return { ...one, values: one.values.filter((value) => other.values?.includes(value)), notNull }
}

function either(one: Allowed, other: Allowed): Allowed {
  const notNull = one.notNull && other.notNull
  if (one.values === undefined || other.values === undefined || one.numbers !== other.numbers)
    return { ...ANYTHING, notNull }
  return { ...one, values: [...new Set([...one.values, ...other.values])], notNull }
}

type Found =
  | { readonly kind: 'condition'; readonly allowed: Allowed }
  | { readonly kind: 'column'; readonly casts: readonly string[] }
  | { readonly kind: 'value'; readonly text: string; readonly number: boolean }
  | { readonly kind: 'values'; readonly texts: readonly string[]; readonly numbers: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'unknown' }

export interface Token {
  readonly kind: 'string' | 'number' | 'name' | 'quoted' | 'symbol'
  readonly text: string
}

const UNKNOWN: Found = { kind: 'unknown' }

class Parser {
  private readonly tokens: readonly Token[]
  private readonly column: string | undefined
  private at = 0

  constructor(tokens: readonly Token[], column: string | undefined) {
    this.tokens = tokens
    this.column = column
  }

  atEnd(): boolean {
    return this.at === this.tokens.length
  }

  expression(): Found {
    let left = this.conjunction()
    while (this.takes('or')) {
      const right = this.conjunction()
      left =
        left.kind === 'condition' && right.kind === 'condition'
          ? { kind: 'condition', allowed: either(left.allowed, right.allowed) }
          : UNKNOWN
    }
    return left
  }

  private conjunction(): Found {
    let left = this.comparison()
    while (this.takes('and')) {
      const right = this.comparison()
      const [one, other] = [conditionOf(left), conditionOf(right)]
      left = { kind: 'condition', allowed: both(one, other) }
    }
    return left
  }

  private comparison(): Found {
    const left = this.operand()
    if (this.takes('is')) {
      const not = this.takes('not')
      if (!this.takes('null')) return this.skip()
      return left.kind === 'column' ? { kind: 'condition', allowed: nullTest(not) } : UNKNOWN
    }
    if (!this.takes('='))
      return this.peek() === undefined || STOPS.has(this.peek()?.text ?? '') ? left : this.skip()
    const any = this.takes('any')
    const right = this.operand()
    if (left.kind !== 'column') return UNKNOWN
    if (any && right.kind === 'values')
      return { kind: 'condition', allowed: { values: right.texts, numbers: right.numbers, notNull: false } }
    if (!any && right.kind === 'value')
      return { kind: 'condition', allowed: { values: [right.text], numbers: right.number, notNull: false } }
    return UNKNOWN
  }

  private operand(): Found {
    let found = this.primary()
    while (this.takes('::')) {
      const type = this.typeName()
      if (found.kind === 'column') found = { ...found, casts: [...found.casts, type] }
      if (found.kind === 'column' && !PLAIN_TEXT.has(type)) found = UNKNOWN
      else if (found.kind === 'value' && INTEGERS.has(type)) found = { ...found, number: true }
      else if (found.kind === 'value' && type.endsWith('[]')) found = arrayLiteral(found.text, type)
      else if (found.kind === 'value' && !PLAIN_TEXT.has(type)) found = UNKNOWN
      else if (
        found.kind === 'values' &&
        !PLAIN_TEXT.has(type.replace(/\[\]$/, '')) &&
        !INTEGERS.has(type.replace(/\[\]$/, ''))
      )
        found = UNKNOWN
    }
    return found
  }

  private primary(): Found {
    const token = this.tokens[this.at]
    if (token === undefined) return UNKNOWN
    if (token.text === '(' && token.kind === 'symbol') {
      this.at++
      const found = this.expression()
      if (this.takes(')')) return found
      return this.skipTo(')')
    }
    if (token.kind === 'name' && token.text === 'array' && this.tokens[this.at + 1]?.text === '[') {
      this.at += 2
      return this.list()
    }
    this.at++
    if (token.kind === 'string') return { kind: 'value', text: token.text, number: false }
    if (token.kind === 'number') return { kind: 'value', text: token.text, number: true }
    if (token.kind === 'name' && token.text === 'null') return { kind: 'null' }
    const named = token.kind === 'name' || token.kind === 'quoted'
    // A name with a parenthesis behind it is a function.
    if (!named || this.peek()?.text === '(' || this.peek()?.text === '.') return this.skip()
    const isColumn =
      this.column === undefined ? token.kind === 'name' && token.text === 'value' : token.text === this.column
    return isColumn ? { kind: 'column', casts: [] } : UNKNOWN
  }

  private list(): Found {
    const texts: string[] = []
    let numbers: boolean | undefined
    for (;;) {
      const item = this.operand()
      if (item.kind === 'value' && (numbers === undefined || numbers === item.number)) {
        texts.push(item.text)
        numbers = item.number
        // A NULL in the list lets nothing more through.
      } else if (item.kind !== 'null') return this.skipTo(']')
      if (this.takes(']')) return { kind: 'values', texts: [...new Set(texts)], numbers: numbers === true }
      if (!this.takes(',')) return this.skipTo(']')
    }
  }

  private typeName(): string {
    const words: string[] = []
    while (this.peek()?.kind === 'name' && !AFTER_A_TYPE.has(this.peek()?.text ?? ''))
      words.push(this.tokens[this.at++]?.text ?? '')
    let name = words.join(' ')
    if (this.peek()?.text === '(') this.skipParentheses()
    while (this.peek()?.text === '[' && this.tokens[this.at + 1]?.text === ']') {
      this.at += 2
      name += '[]'
    }
    return name
  }

  private peek(): Token | undefined {
    return this.tokens[this.at]
  }

  private takes(text: string): boolean {
    const token = this.tokens[this.at]
    if (token?.text !== text || (token.kind !== 'name' && token.kind !== 'symbol')) return false
    this.at++
    return true
  }

  private skipParentheses(): void {
    let depth = 0
    do {
      const token = this.tokens[this.at++]
      if (token?.kind !== 'symbol') continue
      if (token.text === '(' || token.text === '[') depth++
      else if (token.text === ')' || token.text === ']') depth--
    } while (depth > 0 && this.at < this.tokens.length)
  }

  /** Passes over what is not understood, up to where this condition ends. */
  private skip(): Found {
    while (this.at < this.tokens.length) {
      const token = this.tokens[this.at]
      if (token?.kind === 'symbol' && (token.text === '(' || token.text === '[')) {
        this.skipParentheses()
        continue
      }
      if (token !== undefined && token.kind !== 'string' && token.kind !== 'quoted' && STOPS.has(token.text))
        break
      this.at++
    }
    return UNKNOWN
  }

  private skipTo(closing: string): Found {
    for (;;) {
      this.skip()
      if (this.at >= this.tokens.length || this.takes(closing)) return UNKNOWN
      this.at++
    }
  }
}

const STOPS = new Set([')', ']', ',', 'and', 'or'])
const AFTER_A_TYPE = new Set(['and', 'or', 'is', 'any', 'collate'])
const PLAIN_TEXT = new Set(['text', 'character varying', 'bpchar', 'character'])
const INTEGERS = new Set(['smallint', 'integer', 'bigint'])

function conditionOf(found: Found): Allowed {
  return found.kind === 'condition' ? found.allowed : ANYTHING
}

function nullTest(not: boolean): Allowed {
  return not ? { ...ANYTHING, notNull: true } : { values: [], numbers: false, notNull: false }
}

function arrayLiteral(text: string, type: string): Found {
  const element = type.replace(/\[\]$/, '')
  const numbers = INTEGERS.has(element)
  // With quotes or backslashes inside it is read no further: PostgreSQL writes lists as ARRAY[...].
  if ((!numbers && !PLAIN_TEXT.has(element)) || !/^\{[^"\\{}]*\}$/.test(text)) return UNKNOWN
  const texts = text
    .slice(1, -1)
    .split(',')
    .filter((item) => item !== '' && item !== 'NULL')
  return { kind: 'values', texts, numbers }
}

/** Undefined where something stands that no expression of PostgreSQL has. */
export function tokenise(expression: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  const pattern =
    /\s+|(E)?'((?:[^'\\]|''|\\.)*)'|"((?:[^"]|"")*)"|(-?\d+(?:\.\d+)?)|([\p{L}_][\p{L}\p{N}_$]*)|(::|<=|>=|<>|[-+*/<>=~!@#%^&|`?]+|[()[\],.])/suy
  while (pattern.lastIndex < expression.length) {
    const match = pattern.exec(expression)
    if (match === null) return undefined
    const [, escaped, string, quoted, number, name, symbol] = match
    if (string !== undefined)
      tokens.push({
        kind: 'string',
        text:
          escaped === undefined
            ? string.replaceAll("''", "'")
            : string.replaceAll(/''|\\(.)/gs, (all, one: string | undefined) =>
                all === "''" ? "'" : (one ?? ''),
              ),
      })
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.replaceAll('""', '"') })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name.toLowerCase() })
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol })
  }
  return tokens
}
