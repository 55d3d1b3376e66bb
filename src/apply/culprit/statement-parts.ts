import { tokensOf, type SqlToken } from '../../workspace/statements.js'

// Parts of a statement that PostgreSQL refused, as they are written there. Nothing is parsed: what is not found is not explained.

/** Every name in the statement, qualified where it is: some of them are relations, and the server knows which. */
export function namesIn(sql: string): readonly string[] {
  const tokens = tokensOf(sql)
  const names: string[] = []
  for (let at = 0; at < tokens.length; at++) {
    const first = tokens[at]
    if (first?.kind !== 'name') continue
    const last = endOfName(tokens, at)
    names.push(sql.slice(first.start, tokens[last]?.end))
    at = last
  }
  return [...new Set(names)]
}

/** The conditions of CHECK (...). */
export function checksIn(sql: string): readonly string[] {
  const tokens = tokensOf(sql)
  return tokens.flatMap((token, at) => {
    if (token.text !== 'check' || tokens[at + 1]?.text !== '(') return []
    const close = closing(tokens, at + 1)
    return close === undefined ? [] : [between(sql, tokens[at + 1], tokens[close])]
  })
}

export interface Reference {
  readonly table: string
  /** Empty: the primary key. */
  readonly columns: readonly string[]
}

/** What stands behind REFERENCES. */
export function referencesIn(sql: string): readonly Reference[] {
  const tokens = tokensOf(sql)
  return tokens.flatMap((token, at) => {
    const first = tokens[at + 1]
    if (token.text !== 'references' || first?.kind !== 'name') return []
    const last = endOfName(tokens, at + 1)
    const close = tokens[last + 1]?.text === '(' ? closing(tokens, last + 1) : undefined
    const columns =
      close === undefined
        ? []
        : tokens
            .slice(last + 2, close)
            .filter(({ kind }) => kind === 'name')
            .map(({ start, end }) => sql.slice(start, end))
    return [{ table: sql.slice(first.start, tokens[last]?.end), columns }]
  })
}

export interface TypeChange {
  readonly table: string
  readonly column: string
  readonly type: string
  /** The new value, an expression over the table's columns. */
  readonly using: string
}

/** The ALTER COLUMN ... TYPE of an ALTER TABLE. */
export function typeChangesIn(sql: string): readonly TypeChange[] {
  const tokens = tokensOf(sql)
  if (tokens[0]?.text !== 'alter' || tokens[1]?.text !== 'table') return []
  let at = 2
  while (['if', 'exists', 'only'].includes(tokens[at]?.text ?? '')) at++
  const table = sql.slice(tokens[at]?.start, tokens[endOfName(tokens, at)]?.end)
  const changes: TypeChange[] = []
  for (; at < tokens.length; at++) {
    if (tokens[at]?.text !== 'alter') continue
    let next = at + 1
    if (tokens[next]?.text === 'column') next++
    const column = tokens[next++]
    if (tokens[next]?.text === 'set' && tokens[next + 1]?.text === 'data') next += 2
    if (column === undefined || tokens[next]?.text !== 'type') continue
    const end = endOfAction(tokens, next)
    const using = tokens.findIndex(({ text }, index) => index > next && index < end && text === 'using')
    const collate = tokens.findIndex(({ text }, index) => index > next && index < end && text === 'collate')
    const typeEnd = Math.min(...[using, collate].filter((index) => index > 0), end)
    const name = sql.slice(column.start, column.end)
    changes.push({
      table,
      column: name,
      type: sql.slice(tokens[next]?.end, tokens[typeEnd - 1]?.end).trim(),
      using: using < 0 ? name : sql.slice(tokens[using]?.end, tokens[end - 1]?.end).trim(),
    })
    at = end
  }
  return changes
}

/** The condition of a partial index. */
export function indexPredicate(sql: string): string | undefined {
  const tokens = tokensOf(sql)
  if (tokens[0]?.text !== 'create') return undefined
  let depth = 0
  for (const token of tokens) {
    depth += depthOf(token)
    if (depth === 0 && token.text === 'where') return sql.slice(token.end)
  }
  return undefined
}

function endOfName(tokens: readonly SqlToken[], at: number): number {
  let last = at
  while (tokens[last + 1]?.text === '.' && tokens[last + 2]?.kind === 'name') last += 2
  return last
}

/** The index of the token after an action of ALTER TABLE: the comma outside of all brackets, or the end. */
function endOfAction(tokens: readonly SqlToken[], from: number): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]
    if (token === undefined) break
    depth += depthOf(token)
    if (depth === 0 && (token.text === ',' || token.text === ';')) return at
  }
  return tokens.length
}

function closing(tokens: readonly SqlToken[], open: number): number | undefined {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at]
    if (token !== undefined) depth += depthOf(token)
    if (depth === 0) return at
  }
  return undefined
}

function depthOf({ kind, text }: SqlToken): number {
  if (kind !== 'symbol') return 0
  return text === '(' || text === '[' ? 1 : text === ')' || text === ']' ? -1 : 0
}

function between(sql: string, open: SqlToken | undefined, close: SqlToken | undefined): string {
  return sql.slice(open?.end, close?.start).trim()
}
