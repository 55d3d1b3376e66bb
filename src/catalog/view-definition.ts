/**
 * The text of a view, the same on every server. Before 16, pg_get_viewdef writes the only table of a view's FROM before each of its
 * columns (`SELECT loads.id FROM loads`), since then it does not: here it never stands.
 */
export function canonicalView(definition: string, major: number): string {
  const text = definition.trim().replace(/;$/, '')
  return major < 16 ? withoutSoleTable(text) : text
}

interface Token {
  readonly text: string
  readonly kind: 'name' | 'space' | 'other'
  /** Parentheses around it. */
  readonly depth: number
  /** Inside a subquery: there both kinds of servers write the table. */
  readonly inner: boolean
}

const TOKEN =
  /\s+|[eE]?'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*|::|./gsu

function withoutSoleTable(text: string): string {
  const tokens = tokenize(text)
  // The branches of a set operation count as subqueries, in every version.
  if (tokens.some((token) => isOutermost(token) && SET_OPERATION.test(token.text))) return text
  const from = tokens.findIndex((token) => isWord(token, 'from') && isOutermost(token))
  if (from < 0) return text
  const end = tokens.findIndex(
    (token, index) => index > from && isOutermost(token) && ENDS_FROM.test(token.text),
  )
  const item = tokens.slice(from + 1, end < 0 ? undefined : end)
  const table = soleTable(item)
  if (table === undefined) return text
  const orderBy = tokens.findIndex((token) => isWord(token, 'order') && isOutermost(token))
  const outputs = outputNames(tokens.slice(0, from))
  const kept: string[] = []
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]
    if (token === undefined) continue
    const inFrom = index > from && index <= from + item.length
    const column = tokens[index + 2]
    const isReference =
      !inFrom &&
      !token.inner &&
      token.text === table &&
      tokens[index + 1]?.text === '.' &&
      column?.kind === 'name' &&
      tokens[index + 3]?.text !== '(' &&
      !/^(?:\.|::|collate)$/i.test(previous(tokens, index))
    // An unqualified name in ORDER BY is an output column first.
    const isAmbiguous = orderBy >= 0 && index > orderBy && column !== undefined && outputs.has(column.text)
    if (isReference && !isAmbiguous) index++
    else kept.push(token.text)
  }
  return kept.join('')
}

const SET_OPERATION = /^(?:union|intersect|except)$/i

const ENDS_FROM = /^(?:where|group|having|window|union|intersect|except|order|limit|offset|fetch|for)$/i

function tokenize(text: string): readonly Token[] {
  const found = text.match(TOKEN) ?? []
  const tokens: Token[] = []
  const subqueries: boolean[] = []
  for (const [index, piece] of found.entries()) {
    if (piece === ')') subqueries.pop()
    tokens.push({
      text: piece,
      kind: /^\s/.test(piece) ? 'space' : /^(?:"|[A-Za-z_\u0080-\uffff])/.test(piece) ? 'name' : 'other',
      depth: subqueries.length,
      inner: subqueries.includes(true),
    })
    if (piece === '(') {
      const next = found.slice(index + 1, index + 3).find((following) => !/^\s/.test(following)) ?? ''
      subqueries.push(/^(?:select|with|values)$/i.test(next))
    }
  }
  return tokens
}

/** How the columns of FROM's only item are qualified; undefined when there are several. */
function soleTable(item: readonly Token[]): string | undefined {
  const outer = item.filter((token) => token.depth === 0 && token.kind !== 'space')
  if (outer.some(({ text }) => text === ',' || /^join$/i.test(text))) return undefined
  const words = item.filter((token) => token.kind !== 'space')
  // ( SELECT ... ) alias is one item, (a JOIN b ON ...) is several.
  if (words[0]?.text === '(' && !/^(?:select|with|values)$/i.test(words[1]?.text ?? '')) return undefined
  const sampled = outer.findIndex(({ text }) => /^tablesample$/i.test(text))
  const names = (sampled < 0 ? outer : outer.slice(0, sampled)).filter(({ kind }) => kind === 'name')
  return names.at(-1)?.text
}

function outputNames(select: readonly Token[]): ReadonlySet<string> {
  const words = select.filter((token) => token.kind !== 'space' && isOutermost(token))
  return new Set(words.filter((_, index) => isWord(words[index - 1], 'as')).map(({ text }) => text))
}

function previous(tokens: readonly Token[], index: number): string {
  return tokens.slice(0, index).findLast(({ kind }) => kind !== 'space')?.text ?? ''
}

function isOutermost(token: Token): boolean {
  return token.depth === 0 && !token.inner
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'name' && token.text.toLowerCase() === word
}
