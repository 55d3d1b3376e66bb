import {
  choiceOf,
  constant,
  derived,
  harmless,
  leastPlain,
  lesser,
  PLAIN,
  type Compiled,
  type Entries,
  type Getter,
  type Plain,
} from './compiled.js'
import type { Value } from './copy-values.js'
import { FUNCTIONS } from './functions.js'

/** What the names of an expression mean. */
export interface Scope {
  /** "miles", or "load_id.miles" for a column of the row that load_id refers to; undefined: nothing is called so. */
  readonly name: (path: readonly string[]) => Compiled | undefined
  /** A salt that no other call of the recipe has. */
  readonly salt: () => number
}

/** Says what is wrong with an expression, and at which character. */
export class ExpressionError extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

type Token = {
  readonly kind: 'number' | 'text' | 'name' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

/** Compiles "round(miles * between(1.8, 3.2), 2)". Throws an ExpressionError. */
export function compile(text: string, scope: Scope): Compiled {
  const parser = new Parser(tokens(text), scope)
  return parser.whole()
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = []
  const pattern =
    /\s*(?:(?<number>\d+(?:\.\d+)?)|'(?<text>(?:[^']|'')*)'|(?<name>[A-Za-z_]\w*)|(?<sign><=|>=|!=|[-+*/%=<>?:.,()[\]]))/y
  let at = 0
  while (text.slice(at).trim() !== '') {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match?.groups === undefined)
      throw new ExpressionError(`what is "${text.slice(at).trim().slice(0, 12)}"`, at)
    const entry = Object.entries(match.groups).find(
      ([, group]) => (group as string | undefined) !== undefined,
    )
    const [kind, group] = entry ?? ['end', '']
    found.push({
      kind: kind as Token['kind'],
      text: kind === 'text' ? group.replaceAll("''", "'") : group,
      at: pattern.lastIndex - group.length,
    })
    at = pattern.lastIndex
  }
  return [...found, { kind: 'end', text: '', at: text.length }]
}

class Parser {
  private at = 0
  private readonly tokens: readonly Token[]
  private readonly scope: Scope

  constructor(list: readonly Token[], scope: Scope) {
    this.tokens = list
    this.scope = scope
  }

  whole(): Compiled {
    const value = this.choice()
    const { kind, text, at } = this.next
    if (kind !== 'end') throw new ExpressionError(`"${text}" does not belong there`, at)
    return value
  }

  private get next(): Token {
    return this.tokens[this.at] ?? { kind: 'end', text: '', at: 0 }
  }

  private take(...texts: readonly string[]): string | undefined {
    const { kind, text } = this.next
    if ((kind !== 'sign' && kind !== 'name') || !texts.includes(text)) return undefined
    this.at++
    return text
  }

  private expect(text: string): void {
    if (this.take(text) === undefined)
      throw new ExpressionError(
        `"${text}" is missing${this.next.kind === 'end' ? '' : ` before "${this.next.text}"`}`,
        this.next.at,
      )
  }

  private choice(): Compiled {
    const condition = this.either()
    if (this.take('?') === undefined) return condition
    const yes = this.choice()
    this.expect(':')
    return eitherOf(condition, yes, this.choice())
  }

  private either(): Compiled {
    let left = this.both()
    while (this.take('or') !== undefined) {
      const [a, b] = [left.get, this.both().get]
      left = harmless((row) => isTrue(a(row)) || isTrue(b(row)))
    }
    return left
  }

  private both(): Compiled {
    let left = this.negation()
    while (this.take('and') !== undefined) {
      const [a, b] = [left.get, this.negation().get]
      left = harmless((row) => isTrue(a(row)) && isTrue(b(row)))
    }
    return left
  }

  private negation(): Compiled {
    if (this.take('not') === undefined) return this.comparison()
    const { get } = this.negation()
    return harmless((row) => !isTrue(get(row)))
  }

  private comparison(): Compiled {
    const left = this.sum()
    const sign = this.take('=', '!=', '<', '<=', '>', '>=')
    const compare = sign === undefined ? undefined : COMPARISONS[sign]
    if (compare === undefined) return left
    const right = this.sum()
    if (right.constant !== undefined && left.constant === undefined)
      return comparedWith(left, compare, right.constant)
    const [a, b] = [left.get, right.get]
    return harmless((row) => compare(a(row), b(row)))
  }

  private sum(): Compiled {
    return this.chain(['+', '-'], () => this.product())
  }

  private product(): Compiled {
    return this.chain(['*', '/', '%'], () => this.signed())
  }

  private chain(signs: readonly string[], part: () => Compiled): Compiled {
    let left = part()
    for (let sign = this.take(...signs); sign !== undefined; sign = this.take(...signs)) {
      const reckon = ARITHMETIC[sign]
      const right = part()
      if (reckon === undefined) continue
      const get = reckon(left.get, right.get)
      const settled = left.constant !== undefined && right.constant !== undefined
      left = settled ? constant(get(0)) : harmless(get)
    }
    return left
  }

  private signed(): Compiled {
    if (this.take('-') === undefined) return this.primary()
    return derived(
      this.signed(),
      (value) => (value === null ? null : 0 - Number(value)),
      () => PLAIN.text,
    )
  }

  private primary(): Compiled {
    const { kind, text, at } = this.next
    this.at++
    if (kind === 'number') return constant(Number(text))
    if (kind === 'text') return constant(text)
    if (kind === 'name') return this.named(text, at)
    if (text === '(') {
      const inner = this.choice()
      this.expect(')')
      return this.fields(inner)
    }
    if (text === '[') return this.list()
    throw new ExpressionError(kind === 'end' ? 'it ends too early' : `"${text}" does not belong there`, at)
  }

  private list(): Compiled {
    const items = this.items(']')
    if (items.every((item) => item.constant !== undefined)) return constant(items.map(({ get }) => get(0)))
    return listOf(items)
  }

  private items(end: string): readonly Compiled[] {
    const items: Compiled[] = []
    if (this.take(end) !== undefined) return items
    do items.push(this.choice())
    while (this.take(',') !== undefined)
    this.expect(end)
    return items
  }

  private named(name: string, at: number): Compiled {
    if (name in LITERALS) return constant(LITERALS[name] ?? null)
    if (this.take('(') !== undefined) {
      const make = FUNCTIONS[name]
      if (make === undefined)
        throw new ExpressionError(
          `there is no function ${name}; there are ${Object.keys(FUNCTIONS).sort().join(', ')}`,
          at,
        )
      const items = this.items(')')
      const [least, most] = make.takes
      if (items.length < least || items.length > most)
        throw new ExpressionError(`${name} takes ${make.usage}`, at)
      return this.fields(make.compile(items, this.scope.salt()))
    }
    const path = [name, ...this.dotted()]
    const found = this.scope.name(path)
    if (found === undefined) throw new ExpressionError(`nothing is called ${path.join('.')}`, at)
    return found
  }

  private dotted(): readonly string[] {
    const names: string[] = []
    while (this.take('.') !== undefined) {
      const { kind, text, at } = this.next
      if (kind !== 'name') throw new ExpressionError('a name is missing behind the point', at)
      this.at++
      names.push(text)
    }
    return names
  }

  private fields(inner: Compiled): Compiled {
    return fieldsOf(inner, this.dotted())
  }
}

function eitherOf(condition: Compiled, yes: Compiled, no: Compiled): Compiled {
  const [{ get: holds }, { get: a }, { get: b }] = [condition, yes, no]
  const get: Getter = (row) => (holds(row) === true ? a(row) : b(row))
  const plain = (): Plain => leastPlain([yes, no])
  const [one, other] = [choiceOf(yes), choiceOf(no)]
  if (one === undefined || other === undefined) return { get, plain }
  const [{ pick: first }, { pick: second }, { length }] = [one, other, one.values]
  const pick = (row: number): number => (holds(row) === true ? first(row) : length + second(row))
  return { get, plain, choice: { values: [...one.values, ...other.values], pick } }
}

function comparedWith(left: Compiled, compare: (a: Value, b: Value) => boolean, right: Value): Compiled {
  const choice = choiceOf(left)
  if (choice === undefined) return harmless((row) => compare(left.get(row), right))
  const answers = choice.values.map((value) => compare(value, right))
  const { pick } = choice
  return harmless((row) => answers[pick(row)] ?? null)
}

/** An array of what each item gives. */
export function listOf(items: readonly Compiled[]): Compiled {
  const getters = items.map(({ get }) => get)
  return { get: (row) => getters.map((get) => get(row)), document: { items }, plain: () => inside(items) }
}

/** An object of what stands behind each name. */
export function recordOf(entries: Entries): Compiled {
  const values = entries.map(({ value }) => value)
  const names = entries.map(({ name }) => constant(name))
  return {
    get(row) {
      const made: Record<string, Value> = {}
      for (const { name, value, isThere } of entries)
        if (isThere?.(row) !== false) made[name] = value.get(row)
      return made
    },
    document: { entries },
    plain: () => inside([...values, ...names]),
  }
}

/** What has to be escaped within a document has a backslash then, which a line of COPY escapes in turn. */
export function inside(parts: readonly Compiled[]): Plain {
  return leastPlain(parts) >= PLAIN.parts ? PLAIN.parts : PLAIN.anything
}

/** What stands in the keys of an object, one below the other. */
export function fieldsOf(inner: Compiled, path: readonly string[]): Compiled {
  if (path.length === 0) return inner
  const field = (value: Value): Value => path.reduce(fieldOf, value)
  // A field may be a text or hold others: of an object without quotes either has none.
  return derived(inner, field, () => lesser(inner.plain?.() ?? PLAIN.anything, PLAIN.parts))
}

function fieldOf(value: Value, name: string): Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? ((value as Readonly<Record<string, Value>>)[name] ?? null)
    : null
}

const LITERALS: Readonly<Record<string, Value>> = { true: true, false: false, null: null }

export function isTrue(value: Value): boolean {
  return value === true
}

const order =
  (holds: (a: number | string, b: number | string) => boolean) =>
  (a: Value, b: Value): boolean =>
    (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string')
      ? holds(a, b)
      : false

const COMPARISONS: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': order((a, b) => a < b),
  '<=': order((a, b) => a <= b),
  '>': order((a, b) => a > b),
  '>=': order((a, b) => a >= b),
}

type Reckon = (left: Getter, right: Getter) => Getter

/** Written out for each sign: the processor guesses better what comes next than in one function for all. */
const ARITHMETIC: Readonly<Record<string, Reckon>> = {
  '+': (left, right) => (row) => {
    const a = left(row)
    const b = right(row)
    return a === null || b === null ? null : Number(a) + Number(b)
  },
  '-': (left, right) => (row) => {
    const a = left(row)
    const b = right(row)
    return a === null || b === null ? null : Number(a) - Number(b)
  },
  '*': (left, right) => (row) => {
    const a = left(row)
    const b = right(row)
    return a === null || b === null ? null : Number(a) * Number(b)
  },
  '/': (left, right) => (row) => {
    const a = left(row)
    const b = right(row)
    return a === null || b === null || Number(b) === 0 ? null : Number(a) / Number(b)
  },
  '%': (left, right) => (row) => {
    const a = left(row)
    const b = right(row)
    return a === null || b === null || Number(b) === 0 ? null : Number(a) % Number(b)
  },
}
