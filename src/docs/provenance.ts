import type { Place, TableEvent } from './docs.js'

/** Who made what, read off the text of the migrations: what a DO block or a function creates is not seen, and then nothing is said. */
export interface Provenance {
  /** By "schema.relation", "schema.relation.column" and, with its kind before it, "index schema.name", "type ...", "routine ...". */
  readonly made: ReadonlyMap<string, Place>
  /** What happened to a relation since it was created, oldest first. */
  readonly events: ReadonlyMap<string, readonly TableEvent[]>
  /** Everything that a migration does, by its name. */
  readonly byMigration: ReadonlyMap<string, readonly (TableEvent & { readonly on: string | undefined })[]>
}

export interface MigrationSource {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly statements: readonly { readonly text: string; readonly start: number; readonly end: number }[]
}

export function findProvenance(migrations: readonly MigrationSource[], defaultSchema: string): Provenance {
  const history = new History(defaultSchema)
  for (const migration of migrations) history.add(migration)
  return history
}

const NO_COLUMNS = new Set(['constraint', 'primary', 'unique', 'foreign', 'check', 'exclude', 'like', 'not'])

class History implements Provenance {
  readonly made = new Map<string, Place>()
  readonly events = new Map<string, TableEvent[]>()
  readonly byMigration = new Map<string, (TableEvent & { readonly on: string | undefined })[]>()
  private readonly schema: string

  constructor(schema: string) {
    this.schema = schema
  }

  add(migration: MigrationSource): void {
    const lines = lineStarts(migration.text)
    this.byMigration.set(migration.name, [])
    for (const { start, end } of migration.statements) {
      const tokens = tokensOf(migration.text, start, end)
      const place = (at: number): Place => ({
        migration: migration.name,
        file: migration.file,
        line: lineOf(lines, at),
      })
      this.note(new Reader(tokens, this.schema), place)
    }
  }

  private note(reader: Reader, place: (at: number) => Place): void {
    const at = reader.at()
    if (reader.takes('create')) this.create(reader, place, at)
    else if (reader.takes('alter')) this.alter(reader, place, at)
    else if (reader.takes('drop')) this.drop(reader, place, at)
  }

  private create(reader: Reader, place: (at: number) => Place, at: number): void {
    reader.takes('or', 'replace')
    const unique = reader.takes('unique')
    while (reader.takesOne(CREATE_MODIFIERS)) continue
    const kind = reader.word()
    if (kind === 'index') this.createIndex(reader, place(at), unique)
    else if (kind === 'trigger') this.createTrigger(reader, place(at))
    else if (kind === 'table') this.createTable(reader, place, at)
    else if (kind === 'view') {
      reader.takes('if', 'not', 'exists')
      this.relation(reader.qualified(), place(at), 'creates the view')
    } else if (kind === 'function' || kind === 'procedure' || kind === 'aggregate')
      this.thing('routine', reader.qualified(), place(at), `defines ${kind}`)
    else if (kind === 'type' || kind === 'domain')
      this.thing('type', reader.qualified(), place(at), `creates ${kind}`)
  }

  private createIndex(reader: Reader, place: Place, unique: boolean): void {
    reader.takes('concurrently')
    reader.takes('if', 'not', 'exists')
    const name = reader.peek() === 'on' ? undefined : reader.name()
    reader.takes('on')
    reader.takes('only')
    const relation = reader.qualified()
    if (name !== undefined) this.made.set(`index ${schemaOf(relation)}.${name}`, place)
    this.event(relation, place, `${unique ? 'adds unique index' : 'adds index'} ${name ?? ''}`.trim())
  }

  private createTrigger(reader: Reader, place: Place): void {
    const name = reader.name()
    reader.skipTo('on')
    const relation = reader.qualified()
    this.made.set(`trigger ${relation}.${name}`, place)
    this.event(relation, place, `adds trigger ${name}`)
  }

  private createTable(reader: Reader, place: (at: number) => Place, at: number): void {
    reader.takes('if', 'not', 'exists')
    const relation = reader.qualified()
    if (this.made.has(relation)) return
    this.relation(relation, place(at), 'creates the table')
    if (!reader.takes('(')) return
    do {
      const item = reader.at()
      if (reader.takes('constraint')) this.made.set(`constraint ${relation}.${reader.name()}`, place(item))
      else if (!NO_COLUMNS.has(reader.peek())) this.made.set(`${relation}.${reader.name()}`, place(item))
    } while (reader.nextItem())
  }

  private alter(reader: Reader, place: (at: number) => Place, at: number): void {
    reader.takes('materialized')
    reader.takes('foreign')
    const kind = reader.word()
    if (kind === 'type') {
      const name = reader.qualified()
      this.happened(place(at), `changes type ${this.show(name)}`, undefined)
      return
    }
    if (kind !== 'table' && kind !== 'view') return
    reader.takes('if', 'exists')
    reader.takes('only')
    const relation = reader.qualified()
    if (reader.takes('rename')) {
      this.rename(reader, relation, place(at))
      return
    }
    do this.action(reader, relation, place(reader.at()))
    while (reader.nextItem())
  }

  private rename(reader: Reader, relation: string, place: Place): void {
    if (reader.takes('to')) {
      const renamed = `${schemaOf(relation)}.${reader.name()}`
      this.move(relation, renamed)
      this.event(renamed, place, `was called ${this.show(relation)} before`)
      return
    }
    if (reader.takes('constraint')) return
    reader.takes('column')
    const before = reader.name()
    if (!reader.takes('to')) return
    const after = reader.name()
    this.move(`${relation}.${before}`, `${relation}.${after}`)
    this.event(relation, place, `renames ${before} to ${after}`)
  }

  private action(reader: Reader, relation: string, place: Place): void {
    const verb = reader.word()
    if (verb === 'add') {
      if (reader.takes('constraint')) {
        const name = reader.name()
        this.made.set(`constraint ${relation}.${name}`, place)
        this.event(relation, place, `adds constraint ${name}`)
      } else if (!NO_COLUMNS.has(reader.peek())) {
        reader.takes('column')
        reader.takes('if', 'not', 'exists')
        const column = reader.name()
        if (!this.made.has(`${relation}.${column}`)) this.made.set(`${relation}.${column}`, place)
        this.event(relation, place, `adds column ${column}`)
      } else this.event(relation, place, 'adds a constraint')
    } else if (verb === 'drop') {
      const what = reader.takes('constraint') ? 'constraint' : 'column'
      reader.takes('column')
      reader.takes('if', 'exists')
      const name = reader.name()
      this.made.delete(what === 'column' ? `${relation}.${name}` : `constraint ${relation}.${name}`)
      this.event(relation, place, `drops ${what} ${name}`)
    } else if (verb === 'alter') {
      reader.takes('column')
      this.event(relation, place, `changes column ${reader.name()}`)
    }
  }

  private drop(reader: Reader, place: (at: number) => Place, at: number): void {
    while (reader.takesOne(CREATE_MODIFIERS)) continue
    const kind = reader.word()
    if (kind === 'index') reader.takes('concurrently')
    reader.takes('if', 'exists')
    if (kind === 'trigger') {
      const name = reader.name()
      reader.takes('on')
      const relation = reader.qualified()
      this.made.delete(`trigger ${relation}.${name}`)
      this.event(relation, place(at), `drops trigger ${name}`)
      return
    }
    if (kind !== 'table' && kind !== 'view' && kind !== 'index') return
    do {
      const name = reader.qualified()
      if (kind !== 'index') this.forget(name)
      else this.made.delete(`index ${name}`)
      this.happened(place(at), `drops ${kind} ${this.show(name)}`, undefined)
    } while (reader.takes(','))
  }

  private relation(relation: string, place: Place, what: string): void {
    if (!this.made.has(relation)) this.made.set(relation, place)
    this.event(relation, place, what)
  }

  private thing(kind: string, name: string, place: Place, what: string): void {
    this.made.set(`${kind} ${name}`, place)
    this.happened(place, `${what} ${this.show(name)}`, undefined)
  }

  private event(relation: string, place: Place, what: string): void {
    const events = this.events.get(relation) ?? []
    this.events.set(relation, events)
    events.push({ ...place, what })
    this.happened(place, what, relation)
  }

  private happened(place: Place, what: string, on: string | undefined): void {
    this.byMigration.get(place.migration)?.push({ ...place, what, on })
  }

  private show(name: string): string {
    return name.startsWith(`${this.schema}.`) ? name.slice(this.schema.length + 1) : name
  }

  private forget(relation: string): void {
    this.events.delete(relation)
    for (const key of [...this.made.keys()])
      if (key === relation || key.startsWith(`${relation}.`) || key.includes(` ${relation}.`))
        this.made.delete(key)
  }

  private move(from: string, to: string): void {
    for (const [key, place] of [...this.made]) {
      const moved =
        key === from || key.startsWith(`${from}.`)
          ? to + key.slice(from.length)
          : key.replace(` ${from}.`, () => ` ${to}.`)
      if (moved === key) continue
      this.made.delete(key)
      this.made.set(moved, place)
    }
    const events = this.events.get(from)
    if (events === undefined) return
    this.events.delete(from)
    this.events.set(to, events)
  }
}

const CREATE_MODIFIERS = new Set([
  'global',
  'local',
  'temporary',
  'temp',
  'unlogged',
  'foreign',
  'materialized',
  'recursive',
  'constraint',
])

function schemaOf(qualified: string): string {
  return qualified.slice(0, qualified.indexOf('.'))
}

// ---- tokens

interface Token {
  readonly text: string
  readonly at: number
}

class Reader {
  private readonly tokens: readonly Token[]
  private readonly schema: string
  private index = 0

  constructor(tokens: readonly Token[], schema: string) {
    this.tokens = tokens
    this.schema = schema
  }

  /** Where the next token stands. */
  at(): number {
    return this.tokens[this.index]?.at ?? this.tokens.at(-1)?.at ?? 0
  }

  peek(): string {
    return this.tokens[this.index]?.text ?? ''
  }

  word(): string {
    return this.tokens[this.index++]?.text ?? ''
  }

  takes(...words: readonly string[]): boolean {
    if (!words.every((word, offset) => this.tokens[this.index + offset]?.text === word)) return false
    this.index += words.length
    return true
  }

  takesOne(words: ReadonlySet<string>): boolean {
    if (!words.has(this.peek())) return false
    this.index++
    return true
  }

  name(): string {
    return this.word().replace(/^"(.*)"$/s, (_, inner: string) => inner.replaceAll('""', '"'))
  }

  qualified(): string {
    const first = this.name()
    return this.takes('.') ? `${first}.${this.name()}` : `${this.schema}.${first}`
  }

  skipTo(word: string): void {
    while (this.index < this.tokens.length && this.word() !== word) continue
  }

  /** Behind the next comma outside further parentheses; false at their end. */
  nextItem(): boolean {
    let depth = 0
    for (; this.index < this.tokens.length; this.index++) {
      const text = this.peek()
      if (text === '(') depth++
      else if (text === ')') {
        if (depth === 0) return false
        depth--
      } else if (text === ',' && depth === 0) {
        this.index++
        return true
      }
    }
    return false
  }
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|[eE]?'(?:[^'\\]|''|\\.)*'|\$(\w*)\$[\s\S]*?\$\1\$|("(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|[.,()])/gu

/** Words in lower case, quoted names as they are; comments and literals are passed over. */
function tokensOf(text: string, start: number, end: number): readonly Token[] {
  const found: Token[] = []
  for (const match of text.slice(start, end).matchAll(TOKEN)) {
    const token = match[2]
    if (token !== undefined)
      found.push({ text: token.startsWith('"') ? token : token.toLowerCase(), at: start + match.index })
  }
  return found
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function lineOf(starts: readonly number[], at: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= at) low = middle
    else high = middle
  }
  return low + 1
}
