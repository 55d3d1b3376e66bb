// Splits SQL where psql and a server do, without parsing it: the tokens are those of PostgreSQL's lexer (with
// standard_conforming_strings on, as always since 9.1), and an error inside a statement is left for the server to find.

/** A statement of an SQL file, and where it stands. */
export interface Statement {
  /** Exactly as in the file: from the first token up to the semicolon, which is left out. */
  readonly text: string
  /** UTF-16 index of the first token. */
  readonly start: number
  /** UTF-16 index of the semicolon; where there is none, the end of the last token. */
  readonly end: number
  /** 1-based. */
  readonly line: number
  /** 1-based, in code points. */
  readonly column: number
  /** The first bare words, at most 8, in lower case: `['create', 'unique', 'index', 'concurrently']`. */
  readonly words: readonly string[]
  /** Of `COPY ... FROM STDIN` only: the lines below it, up to `\.` or the end of the file. */
  readonly copyData?: { readonly start: number; readonly end: number }
}

/** Something psql understands and a server does not, or that has no place in a migration. */
export interface Obstacle {
  readonly kind:
    | 'psql-meta-command'
    | 'psql-variable'
    | 'copy-from-stdin'
    | 'transaction-control'
    | 'unterminated'
    | 'password-literal'
  readonly start: number
  /** Of a password: the end of the literal it stands in, so that it can be blotted out. */
  readonly end: number
  /** 1-based. */
  readonly line: number
  /** 1-based, in code points. */
  readonly column: number
  /** For a message: `\copy`, `:'name'`, `START TRANSACTION`. Never the password itself. */
  readonly what: string
}

/** `unknown`: it runs code that may commit by itself, which fails inside a transaction block. */
export type Transactionality = 'any' | 'outside-only' | 'unknown'

/** What a `CREATE INDEX`, `DROP INDEX`, `REINDEX INDEX` or `REINDEX TABLE` that is CONCURRENTLY works on. */
export interface IndexStatement {
  readonly action: 'create' | 'drop' | 'reindex'
  /** As written, quotes and schema included. Missing where the server chooses it. */
  readonly index?: string
  readonly table?: string
  readonly ifNotExists: boolean
  readonly ifExists: boolean
}

/** Splits a file into its statements, in linear time. It never throws: what is not closed reaches to the end of the file. */
export function splitStatements(source: string): readonly Statement[] {
  const scanner = new Scanner(source)
  const place = new Place(source)
  const statements: Statement[] = []
  let draft: Draft | undefined
  for (const token of scanner) {
    const isSemicolon = token.text === ';' && (draft?.isWhole ?? true)
    if (!isSemicolon && token.kind !== 'psql') {
      draft ??= new Draft(token.start)
      draft.take(token)
    } else if (draft !== undefined && (isSemicolon || SENDS.test(source.slice(token.start, token.end)))) {
      const copyData = draft.readsStdin ? scanner.passOverData() : undefined
      statements.push(draft.finish(source, place, isSemicolon ? token.start : undefined, copyData))
      draft = undefined
    }
  }
  if (draft !== undefined) statements.push(draft.finish(source, place))
  return statements
}

/** The psql commands that end a statement as a semicolon does. */
const SENDS = /\\(?:;|(?:g|gx|gset|gexec|gdesc|crosstabview|watch|parse)\b)/

const ROUTINE = /^create (?:or replace )?(?:function|procedure)\b/

/** A statement while its tokens come in. */
class Draft {
  readsStdin = false
  readonly #start: number
  readonly #words: string[] = []
  #end: number
  #openParentheses = 0
  #inBody = false
  #previous = ''

  constructor(start: number) {
    this.#start = start
    this.#end = start
  }

  /** Whether a semicolon here would end it. */
  get isWhole(): boolean {
    return this.#openParentheses === 0 && !this.#inBody
  }

  take({ kind, text, end }: Token): void {
    if (kind === 'word' && this.#words.length < 8) this.#words.push(text)
    if (text === '(') this.#openParentheses += 1
    else if (text === ')') this.#openParentheses = Math.max(0, this.#openParentheses - 1)
    else if (this.#openParentheses === 0) this.#follow(this.#previous, text)
    this.#previous = text
    this.#end = end
  }

  #follow(previous: string, text: string): void {
    if (previous === 'begin' && text === 'atomic') this.#inBody = ROUTINE.test(this.#words.join(' '))
    // Each statement of a body ends in a semicolon, so only the END of the body itself can come after one: not that of
    // a CASE, nor a column called "end". Counting CASE and END, as psql does, goes astray on the latter.
    else if (text === 'end' && (previous === ';' || previous === 'atomic')) this.#inBody = false
    // The grammar takes STDOUT here for the same.
    else if (previous === 'from' && (text === 'stdin' || text === 'stdout'))
      this.readsStdin = this.#words[0] === 'copy'
  }

  finish(source: string, place: Place, end = this.#end, copyData: Span = { start: end, end }): Statement {
    const text = source.slice(this.#start, end)
    const statement = { text, start: this.#start, end, ...place.at(this.#start), words: this.#words }
    return this.readsStdin ? { ...statement, copyData } : statement
  }
}

/** Finds, in the order of the file, what cannot be sent to a server as it stands, or should not be. */
export function findObstacles(source: string, split?: readonly Statement[]): readonly Obstacle[] {
  if (!MAY_HOLD_OBSTACLES.test(source)) return []
  const statements = split ?? splitStatements(source)
  const place = new Place(source)
  return [
    ...findStrayText(source, statements),
    ...statements.flatMap((statement) => [...findUnfit(statement)]),
  ]
    .sort((a, b) => a.start - b.start)
    .map((finding) => ({ ...finding, ...place.at(finding.start) }))
}

/**
 * What opens something that may not be closed, or belongs to psql, or hides a password; and the words that statements begin with which
 * a migration must not hold. Half of all files have none of it: to split them as well takes 30 microseconds each.
 */
const MAY_HOLD_OBSTACLES =
  /['"$\\]|\/\*|(?<!:):(?!:)|:::|\b(?:copy|begin|start|commit|end|rollback|abort|prepare)\b/i

type Finding = Omit<Obstacle, 'line' | 'column'>

/** What psql reads in its own way, and what is not closed. */
function* findStrayText(source: string, statements: readonly Statement[]): Generator<Finding> {
  const scanner = new Scanner(source)
  const surroundings = new Surroundings()
  const copies = statements.filter(({ copyData }) => copyData !== undefined).reverse()
  for (const token of scanner) {
    const { kind, start, end, text } = token
    const upTo = (until: number): string => source.slice(start, until)
    // The first token after a statement is what ended it.
    const copy = copies.at(-1)
    if (copy !== undefined && start >= copy.end) {
      copies.pop()
      scanner.passOverData()
    }
    if (!token.closed) {
      const tag = kind === 'dollar quote' ? ` ${upTo(endOf(DOLLAR_TAG, source, start))}` : ''
      yield { kind: 'unterminated', start, end, what: `unterminated ${kind}${tag}` }
    }
    if (kind === 'psql')
      yield { kind: 'psql-meta-command', start, end, what: upTo(endOf(PSQL_COMMAND, source, start)) }
    const variableEnd =
      text === ':' && !surroundings.letColonPart ? endOf(PSQL_VARIABLE, source, start) : start
    if (variableEnd > start) yield { kind: 'psql-variable', start, end: variableEnd, what: upTo(variableEnd) }
    surroundings.take(token)
  }
}

/** The brackets around a token and what precedes it: enough to tell a psql variable from a colon of SQL. */
class Surroundings {
  readonly #brackets: ('subscript' | 'json' | 'other')[] = []
  #previous = ''
  #afterOperand = false

  /** In `x[1:n]` and `json_object(key:value)` a colon parts two operands; psql only replaces `:n` if it is set. */
  get letColonPart(): boolean {
    const inner = this.#brackets.at(-1)
    if (inner === 'subscript') return this.#afterOperand || this.#previous === '['
    return inner === 'json' && this.#afterOperand
  }

  take({ kind, text }: Token): void {
    if (text === '[')
      this.#brackets.push(this.#afterOperand && this.#previous !== 'array' ? 'subscript' : 'other')
    else if (text === '(')
      this.#brackets.push(/^json_object(?:agg)?$/.test(this.#previous) ? 'json' : 'other')
    else if (text === ')' || text === ']') this.#brackets.pop()
    else if (text === ';') this.#brackets.length = 0
    this.#afterOperand = kind !== 'symbol' || text === ')' || text === ']'
    this.#previous = text
  }
}

const TRANSACTION_CONTROL =
  /^(?:begin|start transaction|(?:commit|rollback) prepared|commit|end|rollback(?! (?:(?:work|transaction) )?to\b)|abort|prepare transaction$)\b/

/** What a whole statement is, or what it holds, that a migration must not. */
function* findUnfit(statement: Statement): Generator<Finding> {
  const { start, end, copyData, words } = statement
  if (copyData !== undefined)
    yield { kind: 'copy-from-stdin', start, end: copyData.end, what: 'COPY ... FROM STDIN' }
  const control = TRANSACTION_CONTROL.exec(words.join(' '))
  if (control !== null) yield { kind: 'transaction-control', start, end, what: control[0].toUpperCase() }
  if (/passw|dblink|subscription|conninfo/i.test(statement.text)) yield* findPasswords(statement)
}

const RUNS_CODE = /^(?:do|create (?:or replace )?(?:function|procedure))\b/
const TAKES_PASSWORDS = /^(?:create|alter) (?:role|user|group|server|foreign)$/
const CONNECTS = /^(?:dblink\w*|subscription|primary_conninfo)$/
const PASSWORD_KEY = /^(?:ssl)?passw(?:or)?d$/
/** '' is no password, and the %L of a format() not yet. */
const PASSWORD = /^(?!%(?:\d+\$)?[IsL]?$)[^]/
const CONNECTION_WITH_PASSWORD = /password\s*=\s*[^\s%]|:\/\/[^/\s:@]*:(?!%)[^/\s@]+@/i

function* findPasswords({ text, start, words }: Statement): Generator<Finding> {
  let takesPasswords = false
  let connects = false
  let previous = ''
  for (const clue of openTokens(text, start, RUNS_CODE.test(words.join(' ')) ? 3 : 0)) {
    const found = { kind: 'password-literal', start: clue.start, end: clue.end } as const
    if (!clue.isLiteral) {
      takesPasswords =
        clue.text !== ';' && (takesPasswords || TAKES_PASSWORDS.test(`${previous} ${clue.text}`))
      connects = clue.text !== ';' && (connects || CONNECTS.test(clue.text))
    } else if (takesPasswords && PASSWORD_KEY.test(previous) && PASSWORD.test(clue.text)) {
      yield { ...found, what: previous.toUpperCase() }
    } else if (connects && CONNECTION_WITH_PASSWORD.test(clue.text)) {
      yield { ...found, what: 'password in a connection string' }
    }
    previous = clue.isLiteral ? '' : clue.text
  }
}

/** A token without its quotes. */
interface Clue extends Span {
  readonly isLiteral: boolean
  /** Of a literal, what it holds; of all else, lower case. */
  readonly text: string
}

/**
 * The tokens, and down to `depth` those inside of literals: roles are made in `do $$ ... execute '...' $$`. What is
 * inside of a quoted string has been unescaped, so that only `within`, the string itself, still has a place.
 */
function* openTokens(sql: string, offset: number, depth: number, within?: Span): Generator<Clue> {
  for (const token of new Scanner(sql)) {
    const { start, end } = within ?? { start: offset + token.start, end: offset + token.end }
    const raw = sql.slice(token.start, token.end)
    const isLiteral = token.kind === 'string' || token.kind === 'dollar quote'
    const text = isLiteral || token.kind === 'quoted identifier' ? contentOf(raw) : raw
    yield { isLiteral, text: isLiteral ? text : text.toLowerCase(), start, end }
    if (!isLiteral || depth === 0) continue
    if (token.kind === 'string') yield* openTokens(text, 0, depth - 1, { start, end })
    else yield* openTokens(text, start + raw.indexOf('$', 1) + 1, depth - 1, within)
  }
}

function contentOf(raw: string): string {
  if (raw.startsWith('$')) {
    const tag = raw.indexOf('$', 1) + 1
    return raw.slice(tag, -tag)
  }
  const quote = raw.at(-1) === '"' ? '"' : "'"
  const content = raw.slice(raw.indexOf(quote) + 1, -1).replaceAll(quote + quote, quote)
  return /^e/i.test(raw) ? content.replace(/\\(.)/gs, '$1') : content
}

/** A pattern for the beginning of an outline. */
function outlined(parts: TemplateStringsArray, ...inserted: readonly string[]): RegExp {
  return new RegExp(`^${String.raw(parts, ...inserted)}`, 'i')
}

const PART = String.raw`(?:(?:U&)?"(?:[^"]|"")*"|[^\s".(),;]+)`
const NAME = String.raw`${PART}(?:\.${PART})*`
const OPTIONS = String.raw`\( [^)]* \)`
const OFF = String.raw`(?:= )?(?:false|off|0)\b`

/** What PostgreSQL 14 to 18 refuse in a transaction block (PreventInTransactionBlock), as far as the text tells. */
const OUTSIDE_ONLY = [
  outlined`vacuum\b`,
  outlined`(?:create|drop) (?:database|tablespace)\b`,
  outlined`alter database ${NAME} set tablespace\b`,
  outlined`alter system\b`,
  outlined`discard all$`,
  outlined`(?:commit|rollback) prepared\b`,
  outlined`create (?:unique )?index concurrently\b`,
  outlined`drop index concurrently\b`,
  outlined`reindex (?:${OPTIONS} )?(?:schema|database|system)\b`,
  outlined`reindex (?:${OPTIONS} )?(?:index|table) concurrently\b`,
  outlined`reindex \( (?:[^)]* )?concurrently (?!${OFF})`,
  // Without a table it goes through all of them, in a transaction each.
  outlined`cluster(?: verbose| ${OPTIONS})?$`,
  outlined`alter table (?:if exists )?(?:only )?${NAME}(?: \*)? detach partition ${NAME} concurrently\b`,
  // No rollback reaches the replication slot on the other server. Only the catalog knows whether there is one to drop.
  outlined`create subscription (?!.* (?:connect|create_slot) ${OFF})`,
  outlined`drop subscription\b`,
  outlined`alter subscription ${NAME} (?:refresh|(?:set|add|drop) publication (?!.* refresh ${OFF}))`,
  outlined`alter subscription ${NAME} set \( (?:[^)]* )?(?:failover|two_phase ${OFF})`,
]

/** Spares the rest an outline. */
const MAY_BE_OUTSIDE_ONLY =
  /^(?:vacuum|discard|commit|rollback|reindex|cluster|(?:create|drop) (?:database|tablespace|unique|index|subscription)|alter (?:database|system|table|subscription))\b/

/**
 * Whether a statement can run inside a transaction block. REINDEX and CLUSTER of a table are `any`, though PostgreSQL
 * refuses them too when the table turns out to be partitioned.
 */
export function transactionality(statement: Statement): Transactionality {
  const { text, words } = statement
  if (words[0] === 'call' || words[0] === 'do') return 'unknown'
  if (!MAY_BE_OUTSIDE_ONLY.test(words.join(' '))) return 'any'
  const outline = outlineOf(text)
  return OUTSIDE_ONLY.some((pattern) => pattern.test(outline)) ? 'outside-only' : 'any'
}

const ON_INDEXES = [
  outlined`create (?:unique )?index concurrently (?<absent>if not exists )?(?:(?<index>${PART}) )?on (?:only )?(?<table>${NAME})`,
  outlined`drop index concurrently (?<present>if exists )?(?<index>${NAME})`,
  outlined`reindex (?:${OPTIONS} )?index (?:concurrently )?(?<index>${NAME})`,
  outlined`reindex (?:${OPTIONS} )?table (?:concurrently )?(?<table>${NAME})`,
]

/** Reads a statement that builds, drops or rebuilds an index CONCURRENTLY; undefined for all others. */
export function parseIndexStatement(statement: Statement): IndexStatement | undefined {
  // Of REINDEX INDEX and REINDEX TABLE, the concurrent ones are.
  if (transactionality(statement) !== 'outside-only') return undefined
  const outline = outlineOf(statement.text)
  const match = ON_INDEXES.map((pattern) => pattern.exec(outline)).find((found) => found !== null)
  if (match === undefined) return undefined
  const { index, table, absent, present } = match.groups ?? {}
  return {
    action: statement.words[0] as IndexStatement['action'],
    ...(index !== undefined && { index }),
    ...(table !== undefined && { table }),
    ifNotExists: absent !== undefined,
    ifExists: present !== undefined,
  }
}

/** A statement on one line: no comments, strings emptied, one blank between tokens and none around dots. */
function outlineOf(sql: string): string {
  let outline = ''
  for (const { kind, start, end } of new Scanner(sql)) {
    const text = kind === 'string' || kind === 'dollar quote' ? "''" : sql.slice(start, end)
    outline += outline === '' || outline.endsWith('.') || text === '.' ? text : ` ${text}`
  }
  return outline
}

/**
 * 1-based line and column (in code points) of a UTF-16 index. A line ends in `\n` or `\r\n`; a byte order mark takes
 * no column.
 */
export function lineColumnAt(source: string, index: number): { line: number; column: number } {
  return new Place(source).at(index)
}

/** A token of SQL as a reader of statements needs it; comments are left out. */
export interface SqlToken {
  readonly kind: 'name' | 'string' | 'number' | 'symbol'
  /** Of a bare word, lower case; of a quoted name, '' (it is no keyword); of all else, as written. */
  readonly text: string
  readonly start: number
  readonly end: number
}

/** The tokens of a statement, for whoever looks for a part of it. */
export function tokensOf(sql: string): readonly SqlToken[] {
  const tokens: SqlToken[] = []
  for (const { kind, text, start, end } of new Scanner(sql)) {
    const place = { start, end }
    if (kind === 'word') tokens.push({ kind: 'name', text, ...place })
    else if (kind === 'quoted identifier') tokens.push({ kind: 'name', text: '', ...place })
    else if (kind === 'string' || kind === 'dollar quote')
      tokens.push({ kind: 'string', text: sql.slice(start, end), ...place })
    else if (kind === 'number') tokens.push({ kind, text: sql.slice(start, end), ...place })
    else if (kind === 'symbol') tokens.push({ kind, text, ...place })
  }
  return tokens
}

/** The UTF-16 index of the n-th code point, from 0: PostgreSQL counts characters to the place of an error. */
export function indexOfCodePoint(source: string, n: number): number {
  let index = 0
  for (let seen = 0; seen < n && index < source.length; seen += 1)
    index += isSecondHalf(source, index + 1) ? 2 : 1
  return index
}

/** Counts lines and columns on its way forward, so that all places of a file cost one pass over it. */
class Place {
  readonly #source: string
  #index: number
  #line = 1
  #column = 1

  constructor(source: string) {
    this.#source = source
    this.#index = source.startsWith('\ufeff') ? 1 : 0
  }

  /** Not before the index asked for last. */
  at(index: number): { line: number; column: number } {
    const end = Math.min(index, this.#source.length)
    for (; this.#index < end; this.#index += 1) {
      if (this.#source[this.#index] === '\n') {
        this.#line += 1
        this.#column = 1
      } else if (!isSecondHalf(this.#source, this.#index)) {
        this.#column += 1
      }
    }
    return { line: this.#line, column: this.#column }
  }
}

/** Whether the unit at an index is the low half of a surrogate pair. */
function isSecondHalf(source: string, index: number): boolean {
  return (source.charCodeAt(index) & 0xfc00) === 0xdc00 && (source.charCodeAt(index - 1) & 0xfc00) === 0xd800
}

interface Span {
  readonly start: number
  readonly end: number
}

interface Token extends Span {
  /** A comment is a token only when it is not closed. */
  readonly kind:
    'word' | 'quoted identifier' | 'string' | 'dollar quote' | 'number' | 'symbol' | 'psql' | 'comment'
  /** Of a word, lower case; of a symbol, itself; '' of all else, so that nothing in quotes passes for a keyword. */
  readonly text: string
  readonly closed: boolean
}

// To PostgreSQL every character beyond ASCII is a letter, a no-break space too: \s and \p{L} would not do.
const BLANKS = /[ \t\n\r\f\v]+/y
const LINE_COMMENT = /--[^\r\n]*/y
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y
// What follows a number without a blank is junk that PostgreSQL reads like the rest of a name, dollars included.
const NUMBER = /\$?\d[\d.]*(?:[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)?/y
const QUOTE_PREFIX = /(?:[ebnx](?=')|u&(?=['"]))/iy
const CAST = /::/y
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const PSQL_LINE = /\\(?:[;:]|[^\r\n]*)/y
const PSQL_COMMAND = /\\(?:[\w+]+|[^\r\n]?)/y
const PSQL_COPY = /^\\copy\s.*\bfrom\s+stdin\b/i
const PSQL_VARIABLE = /:(?:[\w\u0080-\uffff]+|(['"])[\w\u0080-\uffff]+\1|\{\?[\w\u0080-\uffff]+\})/y
const END_OF_DATA = /\\\.\r?(?:\n|$)/y

/** Where a match of a sticky pattern at this place ends; without one, the place itself. */
function endOf(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(source) ? pattern.lastIndex : at
}

/** Reads the tokens of SQL in turn. A psql command is one token with the rest of its line. */
class Scanner {
  readonly #source: string
  #at: number
  /** Lines to pass over. */
  #data: Span | undefined

  constructor(source: string) {
    this.#source = source
    this.#at = source.startsWith('\ufeff') ? 1 : 0
  }

  *[Symbol.iterator](): Generator<Token> {
    for (;;) {
      this.#skipBlanks()
      if (this.#at >= this.#source.length) return
      const token = this.#read(this.#at)
      this.#at = token.end
      if (token.kind === 'psql' && PSQL_COPY.test(this.#source.slice(token.start, token.end)))
        this.passOverData()
      yield token
    }
  }

  /** The lines below are the data of a COPY: says where, and will go on after them. */
  passOverData(): Span {
    // The data of a second COPY on one line comes after that of the first.
    const start = this.#data?.end ?? endAfter('\n', this.#source, this.#at).end
    const mark = endMarkOfData(this.#source, start)
    this.#data = { start: this.#data?.start ?? start, end: mark.end }
    return { start, end: mark.start }
  }

  #skipBlanks(): void {
    for (let before = -1; before < this.#at;) {
      before = this.#at
      this.#at = endOf(BLANKS, this.#source, before)
      if (this.#data !== undefined && this.#at >= this.#data.start) {
        this.#at = Math.max(before, this.#data.end)
        this.#data = undefined
      } else if (this.#source.startsWith('/*', this.#at)) {
        const comment = endOfComment(this.#source, this.#at)
        if (!comment.closed) return
        this.#at = comment.end
      } else {
        this.#at = endOf(LINE_COMMENT, this.#source, this.#at)
      }
    }
  }

  #read(start: number): Token {
    const source = this.#source
    const token = (kind: Token['kind'], ending: Ending, text = ''): Token => ({
      kind,
      text,
      start,
      ...ending,
    })
    const upTo = (end: number): Ending => ({ end, closed: true })
    const quote = endOf(QUOTE_PREFIX, source, start)
    if (source[quote] === "'")
      return token('string', endOfString(source, quote, /e/i.test(source.slice(start, quote))))
    if (source[quote] === '"') return token('quoted identifier', endOfName(source, quote))
    const word = endOf(WORD, source, start)
    if (word > start) return token('word', upTo(word), source.slice(start, word).toLowerCase())
    const number = endOf(NUMBER, source, start)
    if (number > start) return token('number', upTo(number))
    const tag = endOf(DOLLAR_TAG, source, start)
    if (tag > start) return token('dollar quote', endAfter(source.slice(start, tag), source, tag))
    // Blanks have been passed over: a comment that is still here does not end.
    if (source.startsWith('/*', start)) return token('comment', { end: source.length, closed: false })
    const command = endOf(PSQL_LINE, source, start)
    if (command > start) return token('psql', upTo(command))
    const cast = endOf(CAST, source, start)
    const symbol = cast > start ? cast : start + 1
    return token('symbol', upTo(symbol), source.slice(start, symbol))
  }
}

interface Ending {
  readonly end: number
  readonly closed: boolean
}

function endAfter(mark: string, source: string, from: number): Ending {
  const at = source.indexOf(mark, from)
  return at === -1 ? { end: source.length, closed: false } : { end: at + mark.length, closed: true }
}

/** Of a string. It goes on in a further pair of quotes on a later line, and is read in the same way there. */
function endOfString(source: string, open: number, escapes: boolean): Ending {
  const special = escapes ? /\\[^]?|''|'/g : /''|'/g
  special.lastIndex = open + 1
  for (let found = special.exec(source); found !== null; found = special.exec(source)) {
    if (found[0] !== "'") continue
    const end = special.lastIndex
    let next = end
    for (let before = -1; before < next;) {
      before = next
      next = endOf(LINE_COMMENT, source, endOf(BLANKS, source, next))
    }
    if (source[next] !== "'" || !/[\r\n]/.test(source.slice(end, next))) return { end, closed: true }
    special.lastIndex = next + 1
  }
  return { end: source.length, closed: false }
}

/** Of a quoted identifier. */
function endOfName(source: string, open: number): Ending {
  let ending = endAfter('"', source, open + 1)
  while (ending.closed && source[ending.end] === '"') ending = endAfter('"', source, ending.end + 1)
  return ending
}

/** Of a comment in which further ones nest. */
function endOfComment(source: string, open: number): Ending {
  const mark = /\/\*|\*\//g
  mark.lastIndex = open
  let depth = 0
  for (let found = mark.exec(source); found !== null; found = mark.exec(source)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return { end: mark.lastIndex, closed: true }
  }
  return { end: source.length, closed: false }
}

/** The line `\.` after the data of a COPY. */
function endMarkOfData(source: string, from: number): Span {
  for (let start = source.indexOf('\\.', from); start !== -1; start = source.indexOf('\\.', start + 1)) {
    const end = source[start - 1] === '\n' ? endOf(END_OF_DATA, source, start) : start
    if (end > start) return { start, end }
  }
  return { start: source.length, end: source.length }
}
