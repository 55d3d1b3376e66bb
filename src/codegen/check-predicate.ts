import { tokenise, type Token } from './check-values.js'
import { stringText } from './names.js'

/**
 * A CHECK of one column as a condition in JavaScript on `value`, which is not null there. Undefined where the CHECK says more than is
 * understood: that is left to the database.
 */
export function predicateOf(expression: string, column: string | undefined): string | undefined {
  const tokens = tokenise(expression)
  if (tokens === undefined) return undefined
  const reader = new Reader(tokens, column)
  try {
    const found = reader.expression()
    return found.kind === 'boolean' && reader.atEnd() && reader.sawColumn ? found.text : undefined
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined
    throw error
  }
}

class NotUnderstood extends Error {}

interface Found {
  readonly kind: 'boolean' | 'number' | 'text' | 'column' | 'numbers' | 'texts'
  readonly text: string
  /** Of a literal. */
  readonly literal?: string
}

const ALWAYS: Found = { kind: 'boolean', text: 'true' }
const NEVER: Found = { kind: 'boolean', text: 'false' }

class Reader {
  sawColumn = false
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
    return this.joined('or', '||', () => this.joined('and', '&&', () => this.negation()))
  }

  private joined(word: string, operator: string, next: () => Found): Found {
    let left = next()
    while (this.takes(word)) {
      const right = next()
      if (left.kind !== 'boolean' || right.kind !== 'boolean') throw new NotUnderstood()
      left = { kind: 'boolean', text: `(${left.text} ${operator} ${right.text})` }
    }
    return left
  }

  private negation(): Found {
    if (!this.takes('not')) return this.comparison()
    const found = this.negation()
    if (found.kind !== 'boolean') throw new NotUnderstood()
    return { kind: 'boolean', text: `!(${found.text})` }
  }

  private comparison(): Found {
    const left = this.operand()
    if (this.takes('is')) {
      const not = this.takes('not')
      if (!this.takes('null') || left.kind !== 'column') throw new NotUnderstood()
      return not ? ALWAYS : NEVER
    }
    const operator = this.tokens[this.at]
    if (operator?.kind !== 'symbol' || !OPERATORS.has(operator.text)) return left
    this.at++
    const quantified = this.takes('any') ? 'some' : this.takes('all') ? 'every' : undefined
    const right = this.operand()
    if (quantified !== undefined) return this.listed(left, operator.text, quantified, right)
    if (operator.text.includes('~')) return this.match(left, operator.text, right)
    const [one, other] = [this.asIn(left, right), this.asIn(right, left)]
    // Texts are in an order of their own in each collation.
    if (one.kind !== other.kind || (one.kind !== 'number' && !EQUALITY.has(operator.text)))
      throw new NotUnderstood()
    return { kind: 'boolean', text: `${one.text} ${COMPARISONS[operator.text] ?? ''} ${other.text}` }
  }

  private listed(left: Found, operator: string, quantified: string, list: Found): Found {
    if (list.kind !== 'numbers' && list.kind !== 'texts') throw new NotUnderstood()
    if (!(operator === '=' && quantified === 'some') && !(operator === '<>' && quantified === 'every'))
      throw new NotUnderstood()
    const value = this.asIn(left, { kind: list.kind === 'numbers' ? 'number' : 'text', text: '' })
    return { kind: 'boolean', text: `${operator === '=' ? '' : '!'}${list.text}.includes(${value.text})` }
  }

  /** The column is a number beside numbers, and a text beside texts. */
  private asIn(found: Found, beside: Found): Found {
    if (found.kind !== 'column') return found
    if (beside.kind === 'number') return { kind: 'number', text: 'Number(value)' }
    if (beside.kind === 'text') return { kind: 'text', text: 'value' }
    throw new NotUnderstood()
  }

  private match(left: Found, operator: string, right: Found): Found {
    const not = operator.startsWith('!')
    const like = operator.includes('~~')
    const flags = operator.endsWith('*') ? 'is' : 's'
    const subject = this.asIn(left, { kind: 'text', text: '' })
    if (right.literal === undefined || right.kind !== 'text' || subject.kind !== 'text')
      throw new NotUnderstood()
    const source = like ? sourceOfLike(right.literal) : sourceOfRegex(right.literal)
    const pattern = new RegExp(source, flags)
    return { kind: 'boolean', text: `${not ? '!' : ''}${String(pattern)}.test(${subject.text})` }
  }

  private operand(): Found {
    let found = this.primary()
    while (this.takes('::')) {
      const type = this.typeName()
      if (found.kind === 'text' && found.literal !== undefined && NUMBERS.has(type))
        found = number(found.literal)
      else if (found.kind === 'text' || found.kind === 'texts') {
        if (!TEXTS.has(type.replace('[]', ''))) throw new NotUnderstood()
      } else if (!NUMBERS.has(type) && !(found.kind === 'column' && TEXTS.has(type)))
        throw new NotUnderstood()
    }
    return found
  }

  private primary(): Found {
    const token = this.tokens[this.at++]
    if (token === undefined) throw new NotUnderstood()
    if (token.kind === 'number') return number(token.text)
    if (token.kind === 'string') return { kind: 'text', text: stringText(token.text), literal: token.text }
    if (token.text === '(' && token.kind === 'symbol') {
      const found = this.expression()
      if (!this.takes(')')) throw new NotUnderstood()
      return found
    }
    if (token.text === '-' && token.kind === 'symbol') {
      const found = this.operand()
      if (found.kind !== 'number' || found.literal === undefined) throw new NotUnderstood()
      return number(`-${found.literal}`)
    }
    if (token.kind === 'name' && token.text === 'array' && this.takes('[')) return this.list()
    if (token.kind === 'name' && this.tokens[this.at]?.text === '(') return this.call(token.text)
    const isColumn =
      this.column === undefined
        ? token.kind === 'name' && token.text === 'value'
        : (token.kind === 'name' || token.kind === 'quoted') && token.text === this.column
    if (!isColumn) throw new NotUnderstood()
    this.sawColumn = true
    return { kind: 'column', text: 'value' }
  }

  private call(name: string): Found {
    this.at++
    const argument = this.operand()
    if (!this.takes(')')) throw new NotUnderstood()
    const value = this.asIn(argument, { kind: 'text', text: '' })
    const called = FUNCTIONS[name]
    if (called === undefined || value.kind !== 'text') throw new NotUnderstood()
    return called(value.text)
  }

  private list(): Found {
    const items: Found[] = []
    do items.push(this.operand())
    while (this.takes(','))
    if (!this.takes(']')) throw new NotUnderstood()
    const [first] = items
    const isNumber = first?.kind === 'number'
    if (items.some(({ kind, literal }) => literal === undefined || kind !== (isNumber ? 'number' : 'text')))
      throw new NotUnderstood()
    return { kind: isNumber ? 'numbers' : 'texts', text: `[${items.map(({ text }) => text).join(', ')}]` }
  }

  private typeName(): string {
    const words: string[] = []
    while (
      this.tokens[this.at]?.kind === 'name' &&
      !['and', 'or', 'is', 'not'].includes(this.tokens[this.at]?.text ?? '')
    )
      words.push(this.tokens[this.at++]?.text ?? '')
    if (this.tokens[this.at]?.text === '(') throw new NotUnderstood()
    if (this.takes('[')) {
      if (!this.takes(']')) throw new NotUnderstood()
      return `${words.join(' ')}[]`
    }
    return words.join(' ')
  }

  private takes(text: string): boolean {
    const token = this.tokens[this.at]
    if (token?.text !== text || (token.kind !== 'name' && token.kind !== 'symbol')) return false
    this.at++
    return true
  }
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '=': '===',
  '<>': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}
const EQUALITY = new Set(['=', '<>'])
const OPERATORS = new Set([...Object.keys(COMPARISONS), '~', '~*', '!~', '!~*', '~~', '~~*', '!~~', '!~~*'])
const NUMBERS = new Set(['smallint', 'integer', 'bigint', 'numeric', 'double precision', 'real'])
const TEXTS = new Set(['text', 'character varying', 'bpchar'])

/** PostgreSQL counts characters, and trims blanks only. */
const FUNCTIONS: Readonly<Record<string, (value: string) => Found>> = {
  length: (value) => ({ kind: 'number', text: `[...${value}].length` }),
  char_length: (value) => ({ kind: 'number', text: `[...${value}].length` }),
  character_length: (value) => ({ kind: 'number', text: `[...${value}].length` }),
  btrim: (value) => ({ kind: 'text', text: `${value}.replace(/^ +| +$/g, '')` }),
  lower: (value) => ({ kind: 'text', text: `${value}.toLowerCase()` }),
  upper: (value) => ({ kind: 'text', text: `${value}.toUpperCase()` }),
}

function number(text: string): Found {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new NotUnderstood()
  return { kind: 'number', text: String(Number(text)), literal: text }
}

/** What both engines of expressions take for the same. */
function sourceOfRegex(pattern: string): string {
  const plain =
    /^(?:[^\\[\](){}*+?|.]|\\[.\-+*?()[\]{}|^$/\\dsw]|\[\^?(?:[^\\[\]]|\\[.\-\\dsw])+\]|[()*+?|.]|\{\d+(?:,\d*)?\})*$/su
  if (!plain.test(pattern) || /\(\?|[*+?}][*+?]|^\*\*\*/.test(pattern)) throw new NotUnderstood()
  try {
    return new RegExp(pattern, 's').source
  } catch {
    throw new NotUnderstood()
  }
}

function sourceOfLike(pattern: string): string {
  if (pattern.includes('\\')) throw new NotUnderstood()
  const escaped = pattern.replaceAll(/[.*+?^${}()|[\]]/g, '\\$&')
  return `^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}$`
}
