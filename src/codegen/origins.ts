/** Which migration made a relation or routine, and a column that was added to one later. Names without a schema are of `public`. */
export interface Origins {
  /** "schema.table" or "schema.table.column". */
  readonly ofRelation: ReadonlyMap<string, string>
  /** "schema.function": the last migration that created or replaced it. */
  readonly ofRoutine: ReadonlyMap<string, string>
}

interface MigrationText {
  readonly name: string
  readonly statements: readonly string[]
}

/**
 * Read off the text of the migrations, so that a live database and a shadow are told the same. What a DO block or a function
 * creates is not seen, and then nothing is said.
 */
export function findOrigins(migrations: readonly MigrationText[], defaultSchema: string): Origins {
  const [ofRelation, ofRoutine] = [new Map<string, string>(), new Map<string, string>()]
  for (const { name, statements } of migrations)
    for (const statement of statements) note(words(statement), name, defaultSchema, ofRelation, ofRoutine)
  return { ofRelation, ofRoutine }
}

function note(
  tokens: readonly string[],
  migration: string,
  schema: string,
  relations: Map<string, string>,
  routines: Map<string, string>,
): void {
  const reader = new Reader(tokens, schema)
  if (reader.takes('create')) {
    reader.takes('or', 'replace')
    if (reader.takes('function') || reader.takes('procedure')) {
      routines.set(reader.qualified(), migration)
      return
    }
    for (const word of [
      'global',
      'local',
      'temporary',
      'temp',
      'unlogged',
      'foreign',
      'materialized',
      'recursive',
    ])
      reader.takes(word)
    if (!reader.takes('table') && !reader.takes('view')) return
    reader.takes('if', 'not', 'exists')
    const relation = reader.qualified()
    if (!relations.has(relation)) relations.set(relation, migration)
  } else if (reader.takes('drop')) {
    reader.takes('materialized')
    reader.takes('foreign')
    if (!reader.takes('table') && !reader.takes('view')) return
    reader.takes('if', 'exists')
    do forget(relations, reader.qualified())
    while (reader.takes(','))
  } else if (reader.takes('alter')) {
    reader.takes('materialized')
    reader.takes('foreign')
    if (!reader.takes('table') && !reader.takes('view')) return
    reader.takes('if', 'exists')
    reader.takes('only')
    alter(reader, migration, relations)
  }
}

function alter(reader: Reader, migration: string, relations: Map<string, string>): void {
  const relation = reader.qualified()
  if (reader.takes('rename')) {
    if (reader.takes('to')) {
      const renamed = `${relation.slice(0, relation.indexOf('.'))}.${reader.name()}`
      move(relations, relation, renamed)
      return
    }
    reader.takes('column')
    const before = reader.name()
    if (reader.takes('to')) move(relations, `${relation}.${before}`, `${relation}.${reader.name()}`)
    return
  }
  do {
    if (reader.takes('add')) {
      if (NO_COLUMNS.has(reader.peek())) continue
      reader.takes('column')
      reader.takes('if', 'not', 'exists')
      const column = `${relation}.${reader.name()}`
      if (!relations.has(column)) relations.set(column, migration)
    } else if (reader.takes('drop')) {
      if (NO_COLUMNS.has(reader.peek())) continue
      reader.takes('column')
      reader.takes('if', 'exists')
      relations.delete(`${relation}.${reader.name()}`)
    }
  } while (reader.nextAction())
}

const NO_COLUMNS = new Set(['constraint', 'primary', 'unique', 'foreign', 'check', 'exclude', 'not'])

function forget(relations: Map<string, string>, relation: string): void {
  for (const key of [...relations.keys()])
    if (key === relation || key.startsWith(`${relation}.`)) relations.delete(key)
}

function move(relations: Map<string, string>, from: string, to: string): void {
  for (const [key, migration] of [...relations])
    if (key === from || key.startsWith(`${from}.`)) {
      relations.delete(key)
      relations.set(to + key.slice(from.length), migration)
    }
}

class Reader {
  private readonly tokens: readonly string[]
  private readonly schema: string
  private at = 0

  constructor(tokens: readonly string[], schema: string) {
    this.tokens = tokens
    this.schema = schema
  }

  peek(): string {
    return this.tokens[this.at] ?? ''
  }

  takes(...words: readonly string[]): boolean {
    if (!words.every((word, index) => this.tokens[this.at + index] === word)) return false
    this.at += words.length
    return true
  }

  name(): string {
    return (this.tokens[this.at++] ?? '').replace(/^"(.*)"$/s, (_, inner: string) =>
      inner.replaceAll('""', '"'),
    )
  }

  qualified(): string {
    const first = this.name()
    return this.takes('.') ? `${first}.${this.name()}` : `${this.schema}.${first}`
  }

  /** To the next action of an ALTER, behind a comma outside parentheses. */
  nextAction(): boolean {
    let depth = 0
    for (; this.at < this.tokens.length; this.at++) {
      const token = this.tokens[this.at]
      if (token === '(') depth++
      else if (token === ')') depth--
      else if (token === ',' && depth === 0) {
        this.at++
        return true
      }
    }
    return false
  }
}

/** Words in lower case, quoted names as they are; comments and literals are passed over. */
function words(statement: string): readonly string[] {
  const pattern =
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$|("(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|[.,()])/gu
  const found: string[] = []
  for (const match of statement.matchAll(pattern)) {
    const token = match[2]
    if (token !== undefined) found.push(token.startsWith('"') ? token : token.toLowerCase())
  }
  return found
}
