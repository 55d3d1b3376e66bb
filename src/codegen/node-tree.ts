/** A node of PostgreSQL's stored trees (pg_node_tree): {VAR :varno 1 :varattno 2 ...}. */
export interface Node {
  readonly tag: string
  readonly fields: Readonly<Record<string, Value>>
}

/** Null is `<>`; a list may be one of nodes, numbers or names. `[ 1 0 ]` are the bytes of a constant. */
export type Value = Node | string | null | readonly Value[] | { readonly bytes: readonly number[] }

/** Reads a stored tree, of any major: what a version adds is only one more field. */
export function parseNodeTree(text: string): Value {
  const tokens = new Tokens(text)
  return readValue(tokens, tokens.next())
}

export function isNode(value: Value | undefined): value is Node {
  return typeof value === 'object' && value !== null && 'tag' in value
}

/** A field as a node; undefined when it is empty. */
export function nodeAt(node: Node, field: string): Node | undefined {
  const value = node.fields[field]
  return isNode(value) ? value : undefined
}

/** The nodes of a list field; empty when there is none. */
export function nodesAt(node: Node, field: string): readonly Node[] {
  return listAt(node, field).filter(isNode)
}

export function listAt(node: Node, field: string): readonly Value[] {
  const value = node.fields[field]
  return Array.isArray(value) ? (value as readonly Value[]) : []
}

export function textAt(node: Node, field: string): string {
  const value = node.fields[field]
  return typeof value === 'string' ? value : ''
}

export function numberAt(node: Node, field: string): number {
  return Number(textAt(node, field))
}

export function isTrue(node: Node, field: string): boolean {
  return textAt(node, field) === 'true'
}

/** Every node of a tree, itself first. */
export function* everyNode(value: Value | undefined): Generator<Node> {
  if (value === undefined || value === null || typeof value === 'string') return
  if (isNode(value)) {
    yield value
    for (const inner of Object.values(value.fields)) yield* everyNode(inner)
  } else if (Array.isArray(value)) for (const inner of value as readonly Value[]) yield* everyNode(inner)
}

/** From PostgreSQL 16 on every node is written as what it is called inside. */
const NAMES_UNTIL_15: Readonly<Record<string, string>> = {
  CASE: 'CASEEXPR',
  WHEN: 'CASEWHEN',
  COALESCE: 'COALESCEEXPR',
  MINMAX: 'MINMAXEXPR',
  ROW: 'ROWEXPR',
  ARRAY: 'ARRAYEXPR',
}

class Tokens {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Undefined at the end. Brackets of nodes and lists stand alone; a backslash takes the character after it as it is. */
  next(): string | undefined {
    const { text } = this
    while (text[this.at] === ' ' || text[this.at] === '\n' || text[this.at] === '\t') this.at++
    const start = this.at
    const first = text[start]
    if (first === undefined) return undefined
    if ('(){}'.includes(first)) {
      this.at++
      return first
    }
    while (this.at < text.length && !' \n\t(){}'.includes(text[this.at] ?? ' '))
      this.at += text[this.at] === '\\' ? 2 : 1
    return text.slice(start, this.at)
  }

  peek(): string | undefined {
    const { at } = this
    const token = this.next()
    this.at = at
    return token
  }
}

function readValue(tokens: Tokens, token: string | undefined): Value {
  switch (token) {
    case '{':
      return readNode(tokens)
    case '(': {
      const list: Value[] = []
      for (let next = tokens.next(); next !== ')' && next !== undefined; next = tokens.next())
        list.push(readValue(tokens, next))
      return list
    }
    case '[': {
      const bytes: number[] = []
      for (let next = tokens.next(); next !== ']' && next !== undefined; next = tokens.next())
        bytes.push(Number(next) & 255)
      return { bytes }
    }
    case '<>':
    case undefined:
      return null
    default:
      return token.replaceAll(/\\(.)/gs, '$1')
  }
}

function readNode(tokens: Tokens): Node {
  const written = tokens.next() ?? ''
  const tag = NAMES_UNTIL_15[written] ?? written
  const fields: Record<string, Value> = {}
  for (let token = tokens.next(); token !== '}' && token !== undefined; token = tokens.next()) {
    const name = token.slice(1)
    // The first is read whatever it looks like: a column may be called ":x".
    fields[name] = readValue(tokens, tokens.next())
    // A constant is written as its length and then its bytes: the last word is the value.
    for (let next = tokens.peek(); next !== '}' && next?.startsWith(':') === false; next = tokens.peek())
      fields[name] = readValue(tokens, tokens.next())
  }
  return { tag, fields }
}
