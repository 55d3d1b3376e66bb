import { parseDuration } from '../duration.js'
import { nearestName, problem, type DbkitError, type SourceLocation } from '../errors.js'
import { findObstacles, lineColumnAt, splitStatements, type Obstacle } from './statements.js'
import { canonicalVersion } from './version.js'

/** What the head of a migration file asks for: comment lines `-- dbkit: <directive>` before the first statement. */
export interface Directives {
  readonly transaction: boolean
  readonly irreversible: string | undefined
  readonly lockTimeoutMs: number | undefined
  readonly statementTimeoutMs: number | undefined
  /** Versions whose migrations this one took the place of (`migrate squash`); of the optional ones a database may lack some. */
  readonly replaces: Replaced | undefined
  /** Variables of the environment that the file may name, beside those of the configuration. */
  readonly substitute: readonly string[]
  /** Hazard or refusal codes that are accepted, each with the reason given. */
  readonly allow: ReadonlyMap<string, string>
}

export interface Replaced {
  /** Canonical. */
  readonly versions: readonly string[]
  readonly optional: readonly string[]
}

/** One file of a migration, decoded; `text` has no byte order mark, so positions count from what the server gets. */
export interface ScriptText {
  /** Path as shown to people. */
  readonly file: string
  readonly text: string
  readonly directives: Directives
  /** Absent: the text is the whole file, as it stands there. */
  readonly origin?: Origin | undefined
  /** Present: the text is that of a TypeScript or JavaScript module, and not SQL. */
  readonly module?: ModuleFile | undefined
}

/** What a text was made from, so that a problem in it is shown where its author finds it. */
export interface Origin {
  /** The whole file. */
  readonly text: string
  /** In the order of both: from index `at` of the script on, its text stands at `from` in the file; or was put in there, in one piece. */
  readonly pieces: readonly { readonly at: number; readonly from: number; readonly putIn: boolean }[]
}

/** A migration as code: one file for both directions, of which nothing is run before its turn has come. */
export interface ModuleFile {
  /** Absolute. */
  readonly path: string
  /** The folder from which the packages that it imports are looked for. */
  readonly packagesFrom: string
  /** The folder `.dbkit`, where what is made of it is kept. */
  readonly own: string
}

const LEDGER_MARK = '-- dbkit: module '

/** The source as the ledger keeps it: marked, so that nobody takes it for SQL. */
export function keptModule(name: string, text: string): string {
  return `${LEDGER_MARK}${name}\n${text}`
}

/** Whether what the ledger kept is the source of code. */
export function isKeptModule(text: string): boolean {
  return text.startsWith(LEDGER_MARK)
}

export interface MigrationFileName {
  readonly version: string
  /** The file name without .up.sql, as in "0001_create_carriers". */
  readonly name: string
  readonly direction: 'up' | 'down'
}

/** Reads a file name; a problem says what is wrong with it. */
export function parseFileName(fileName: string, shown: string): MigrationFileName | DbkitError {
  const bad = (why: string): DbkitError => problem('workspace.bad-name', { file: shown, why })
  const direction = /\.(up|down)\.sql$/.exec(fileName)?.[1]
  if (direction === undefined) return bad('it ends neither in .up.sql nor in .down.sql')
  const name = fileName.slice(0, -`.${direction}.sql`.length)
  const match = /^(\d+)(?:[_-](.*))?$/.exec(name)
  if (match === null) return bad('it does not start with a version number')
  const [, digits = '', title = ''] = match
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(title))
    return bad('its name must be letters, digits, - and _, after the version and a _')
  return { version: canonicalVersion(digits), name, direction: direction as 'up' | 'down' }
}

/** A migration as code: a version, a name, and an ending of TypeScript or JavaScript. */
const MODULE = /^(\d+(?:[_-].*)?)\.(?:ts|mts|js|mjs)$/

/** Whether a file is a migration as code; beside them may lie what they import. */
export function isModuleName(fileName: string): boolean {
  return MODULE.test(fileName) && !/\.d\.m?ts$/.test(fileName)
}

/** Reads the name of a migration as code; a problem says what is wrong with it. */
export function parseModuleName(
  fileName: string,
  shown: string,
): (Omit<MigrationFileName, 'direction'> & { readonly direction: 'both' }) | DbkitError {
  const name = MODULE.exec(fileName)?.[1] ?? ''
  const [, digits = '', title = ''] = /^(\d+)(?:[_-](.*))?$/.exec(name) ?? []
  if (/\.(?:up|down)$/.test(title))
    return problem('workspace.bad-name', {
      file: shown,
      why: 'as code, up and down stand in one file, as in 0007_backfill.ts',
    })
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(title))
    return problem('workspace.bad-name', {
      file: shown,
      why: 'its name must be letters, digits, - and _, after the version and a _',
    })
  return { version: canonicalVersion(digits), name, direction: 'both' }
}

/** Whether a module says that it exports a function of this name: read, and not run, so that a look at what is pending runs nothing. */
export function exportsName(text: string, name: 'up' | 'down'): boolean {
  return new RegExp(
    `^[ \\t]*export\\s+(?:(?:async\\s+)?function\\s*\\*?\\s*|(?:const|let|var)\\s+)${name}\\b|^[ \\t]*export\\s*\\{[^}]*\\b${name}\\s*[,}]`,
    'm',
  ).test(text)
}

/** `export const transaction = false`, written so that it can be read without being run. */
const OUTSIDE = /^[ \t]*export\s+const\s+transaction\s*(?::\s*boolean\s*)?=\s*false\b/m

/** What a decoder writes for bytes that are no character. */
export const REPLACEMENT = '\uFFFD'

/** A text without its byte order mark. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/**
 * A file as text with what its head asks for. Bytes are looked at one by one: a problem names the line of the first one that is not
 * UTF-8, or of a NUL, which PostgreSQL cannot store.
 */
export function decodeScript(
  content: string | Buffer,
  file: string,
  module?: ModuleFile,
): ScriptText | DbkitError {
  if (typeof content !== 'string' || content.includes('\0')) {
    const undecodable = refuseBytes(typeof content === 'string' ? Buffer.from(content) : content, file)
    if (undecodable !== undefined) return undecodable
  }
  const text = withoutMark(typeof content === 'string' ? content : content.toString('utf8'))
  const directives = directivesIn(text, file, module === undefined ? '--' : '//')
  if ('code' in directives) return directives
  if (module === undefined) return { file, text, directives }
  const transaction = directives.transaction && !OUTSIDE.test(text)
  return { file, text, module, directives: { ...directives, transaction } }
}

/** Why bytes are no text of an SQL file. */
export function refuseBytes(bytes: Buffer, file: string): DbkitError | undefined {
  const hasMark = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  if (
    bytes.length >= 2 &&
    ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
  )
    return problem(
      'workspace.undecodable',
      { file, what: 'it starts like UTF-16' },
      { location: { file, line: 1, column: 1 } },
    )
  const content = hasMark ? bytes.subarray(3) : bytes
  const bad = firstUndecodable(content)
  if (bad === undefined) return undefined
  const before = content.subarray(0, bad).toString('utf8')
  const line = before.split('\n').length
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1
  const what =
    content[bad] === 0
      ? 'it holds a NUL byte'
      : `byte 0x${(content[bad] ?? 0).toString(16)} begins no character`
  return problem('workspace.undecodable', { file, what }, { location: { file, line, column } })
}

function firstUndecodable(bytes: Buffer): number | undefined {
  const nul = bytes.indexOf(0)
  if (nul >= 0) return nul
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return undefined
  } catch {
    // The decoder does not say where. Decoding leniently writes U+FFFD for each bad byte: the first one that the bytes do not spell out.
    const lenient = bytes.toString('utf8')
    let at = 0
    for (const character of lenient) {
      const length = Buffer.byteLength(character)
      if (character === '\uFFFD' && !bytes.subarray(at, at + 3).equals(Buffer.from('\uFFFD'))) return at
      at += length
    }
    return bytes.length
  }
}

/** A history of more migrations than this is named by nobody in ranges. */
const LONGEST_RANGE = 100_000

/** "1-7? 8 9-12": numbers and ranges of them; a question mark for what a database may lack. */
export function parseReplaced(text: string): Replaced | undefined {
  const versions: string[] = []
  const optional: string[] = []
  for (const token of text.trim().split(/\s+/)) {
    const [, from = '', to, maybe] = /^(\d+)(?:-(\d+))?(\?)?$/.exec(token) ?? []
    if (from === '') return undefined
    const [first, last] = [BigInt(from), BigInt(to ?? from)]
    if (last < first || last - first > LONGEST_RANGE) return undefined
    for (let version = first; version <= last; version++)
      (maybe === undefined ? versions : optional).push(version.toString())
  }
  return { versions, optional }
}

/** The directives that say it, as lines of a file: neighbours as ranges, a handful a line. */
export function replacedLines({ versions, optional }: Replaced): readonly string[] {
  const tokens = [...rangesOf(optional).map((range) => `${range}?`), ...rangesOf(versions)]
  const lines: string[] = []
  for (let at = 0; at < tokens.length; at += 8)
    lines.push(`-- dbkit: replaces ${tokens.slice(at, at + 8).join(' ')}`)
  return lines
}

function rangesOf(versions: readonly string[]): readonly string[] {
  const ranges: { first: bigint; last: bigint }[] = []
  for (const version of versions.map(BigInt)) {
    const range = ranges.at(-1)
    if (range !== undefined && version === range.last + 1n) range.last = version
    else ranges.push({ first: version, last: version })
  }
  return ranges.map(({ first, last }) =>
    first === last ? String(first) : `${String(first)}-${String(last)}`,
  )
}

/** What the head of a file says it replaces, without looking at the rest. */
export function replacedIn(text: string): Replaced | undefined {
  if (!text.includes('dbkit: replaces')) return undefined
  const directives = directivesIn(withoutMark(text), '')
  return 'code' in directives ? undefined : directives.replaces
}

const DIRECTIVE = /^(?:--|\/\/)\s*dbkit:\s*(.*?)\s*$/
const NO_DIRECTIVES: Directives = {
  transaction: true,
  irreversible: undefined,
  lockTimeoutMs: undefined,
  statementTimeoutMs: undefined,
  replaces: undefined,
  substitute: [],
  allow: new Map(),
}

/** What the head of a text asks for. */
export function directivesIn(
  text: string,
  file: string,
  comment: '--' | '//' = '--',
): Directives | DbkitError {
  if (!text.includes('dbkit:')) return NO_DIRECTIVES
  let transaction = true
  let irreversible: string | undefined
  let lockTimeoutMs: number | undefined
  let statementTimeoutMs: number | undefined
  const allow = new Map<string, string>()
  let replaces: Replaced | undefined
  const substitute: string[] = []
  // Timestamps of a long history fill many lines.
  const lines = text.split(/\r?\n/, 2_000)
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '' && !line.startsWith(comment)) break
    const directive = DIRECTIVE.exec(line)?.[1]
    if (directive === undefined) continue
    const bad = (why: string): DbkitError =>
      problem(
        'workspace.bad-directive',
        { directive, why },
        { location: { file, line: index + 1, column: line.indexOf(directive) + 1, excerpt: line } },
      )
    const [, key = '', value = '', rest = ''] = /^([a-z-]+)(?:\s*=\s*(\S+))?\s*(.*)$/.exec(directive) ?? []
    switch (key) {
      case 'no-transaction':
        if (value !== '' || rest !== '') return bad('it takes no value')
        transaction = false
        break
      case 'irreversible':
        if (rest === '') return bad('the reason is missing')
        irreversible = rest
        break
      case 'lock-timeout':
      case 'statement-timeout': {
        const time = parseDuration(value)
        if (time === undefined || rest !== '') return bad('expected a time like 2s or 500ms')
        if (key === 'lock-timeout') lockTimeoutMs = time
        else statementTimeoutMs = time
        break
      }
      case 'replaces': {
        const more = value === '' ? parseReplaced(rest) : undefined
        if (more === undefined) return bad('expected versions like 1-8 or 20260101120000')
        replaces = {
          versions: [...(replaces?.versions ?? []), ...more.versions],
          optional: [...(replaces?.optional ?? []), ...more.optional],
        }
        break
      }
      case 'substitute':
        if (!/^[A-Za-z_]\w*(?:,[A-Za-z_]\w*)*$/.test(value) || rest !== '')
          return bad('expected substitute=NAME, or several with commas between them')
        substitute.push(...value.split(','))
        break
      case 'rename':
        // Read by `schema diff`; a migration says it with its own statement.
        if (!/^\S+ .+ = .+$/.test(rest)) return bad('expected rename <kind> <old name> = <new name>')
        break
      case 'allow':
        if (value === '' || rest === '') return bad('expected allow=<code> <reason>')
        allow.set(value, rest)
        break
      default: {
        const nearest = nearestName(key, [
          'no-transaction',
          'irreversible',
          'lock-timeout',
          'statement-timeout',
          'replaces',
          'rename',
          'substitute',
          'allow',
        ])
        return bad(nearest === undefined ? 'there is no such directive' : `did you mean ${nearest}?`)
      }
    }
  }
  return { transaction, irreversible, lockTimeoutMs, statementTimeoutMs, replaces, substitute, allow }
}

/** Everything in a script that dbkit cannot send to a server, each with its place. */
export function refuseObstacles(script: ScriptText): readonly DbkitError[] {
  const { directives } = script
  return obstaclesOf(script)
    .filter(({ kind }) => kind !== 'transaction-control' || directives.transaction)
    .filter(({ kind }) => kind !== 'password-literal' || !directives.allow.has('password-literal'))
    .map((obstacle) => obstacleProblem(script, obstacle))
}

function obstacleProblem(script: ScriptText, { kind, start, what }: Obstacle): DbkitError {
  const location = locationIn(script, start)
  switch (kind) {
    case 'psql-meta-command':
    case 'psql-variable':
      return problem('workspace.psql-meta-command', { what }, { location })
    case 'copy-from-stdin':
      return problem('workspace.copy-from-stdin', {}, { location })
    case 'transaction-control':
      return problem('workspace.transaction-control', { what }, { location })
    case 'unterminated':
      return problem('workspace.unterminated', { what: what.replace(/^unterminated /, '') }, { location })
    case 'password-literal':
      return problem('workspace.password-literal', {}, { location })
  }
}

/** Where an index of a script is in its file. */
export function locationIn(script: ScriptText, index: number): SourceLocation {
  const { file, directives, origin } = script
  const whole = origin === undefined ? script : { file, text: origin.text, directives }
  const place = originOf(script, index)
  return { file, ...lineColumnAt(whole.text, place), excerpt: excerptAt(whole, place) }
}

/** The index in the file of an index in a script that was made from it. */
export function originOf({ origin }: ScriptText, index: number): number {
  if (origin === undefined) return index
  const piece = origin.pieces.findLast(({ at }) => at <= index)
  if (piece === undefined) return 0
  return Math.min(piece.putIn ? piece.from : piece.from + index - piece.at, origin.text.length)
}

/** The line of a script that holds an index, fit to be shown: passwords are blotted out at their full length, so that columns stay. */
export function excerptAt(script: ScriptText, index: number): string {
  let { text } = script
  for (const { kind, start, end } of obstaclesOf(script))
    if (kind === 'password-literal') text = text.slice(0, start) + '*'.repeat(end - start) + text.slice(end)
  return lineAround(text, index)
}

/** The whole line that holds an index. */
export function lineAround(text: string, index: number): string {
  const start = text.lastIndexOf('\n', index - 1) + 1
  const end = text.indexOf('\n', index)
  return text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '')
}

/** Found once a script: a plan asks several times, before the lock and under it. */
function obstaclesOf(script: ScriptText): readonly Obstacle[] {
  let found = known.get(script)
  if (found === undefined)
    known.set(
      script,
      (found = script.module === undefined ? findObstacles(script.text) : passwordsIn(script)),
    )
  return found
}

/** In code only what must not reach git and the ledger is looked for: what it sends is known when it runs. */
function passwordsIn({ text }: ScriptText): readonly Obstacle[] {
  return [...text.matchAll(/(?<=\bpassword\s+)'(?:[^'\n]|'')+'/gi)].map(({ index, 0: literal }) => {
    const before = text.slice(0, index)
    return {
      kind: 'password-literal',
      start: index,
      end: index + literal.length,
      line: before.split('\n').length,
      column: [...before.slice(before.lastIndexOf('\n') + 1)].length + 1,
      what: 'PASSWORD',
    }
  })
}

const known = new WeakMap<ScriptText, readonly Obstacle[]>()

/** True when a script only defines objects, and changes no rows. */
export function isPlain({ text, module }: ScriptText): boolean {
  if (module !== undefined) return false
  let at = 0
  do {
    FIRST_WORD.lastIndex = at
    if (!FIRST_WORD.test(text)) return splitStatements(text).every(({ words }) => PLAIN.has(words[0] ?? ''))
    at = text.indexOf(';', at) + 1
  } while (at > 0)
  return true
}

const PLAIN = new Set(['create', 'alter', 'drop', 'comment', 'grant', 'revoke'])

/**
 * Looked for after each semicolon, wherever it stands: wherever a statement begins, and more. A semicolon in a string or a body only
 * means that the statements have to be told apart, which takes twenty times as long.
 */
const FIRST_WORD = new RegExp(
  `(?:[ \\t\\r\\n\\f\\v]|--[^\\r\\n]*[\\r\\n])*(?:(?:${[...PLAIN].join('|')})(?![a-z0-9_$\\u0080-\\uffff])|$)`,
  'iy',
)

/** True when a literal password stands in the script: such text goes into no ledger. */
export function holdsPassword(script: ScriptText): boolean {
  return obstaclesOf(script).some(({ kind }) => kind === 'password-literal')
}

/** The text with each literal password blotted out: what the ledger may keep of it. */
export function withoutPasswords(script: ScriptText): string {
  let text = ''
  let at = 0
  for (const { kind, start, end } of obstaclesOf(script)) {
    if (kind !== 'password-literal' || start < at) continue
    text += `${script.text.slice(at, start)}'***'`
    at = end
  }
  return text + script.text.slice(at)
}
