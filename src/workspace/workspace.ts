import { hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { DbkitError, fileProblem, problem, throwProblems } from '../errors.js'
import { openFolder } from './folder.js'
import { composeScript } from './layouts/compose.js'
import type { Folder, Layout, Section } from './layouts/layout.js'
import type { LayoutName } from './layouts/names.js'
import { layoutOf, recogniseLayout } from './layouts/recognise.js'
import {
  decodeScript,
  exportsName,
  isKeptModule,
  isModuleName,
  parseFileName,
  parseModuleName,
  REPLACEMENT,
  replacedIn,
  withoutMark,
  type ModuleFile,
  type Replaced,
  type ScriptText,
} from './migration-file.js'
import { substitute, type Substitution } from './substitute.js'
import { compareVersions, type VersionOrder } from './version.js'

/** What the files of one database say, in version order. */
export interface Workspace {
  readonly database: string
  /** Whose rules the files go by. */
  readonly layout: LayoutName
  readonly migrations: readonly Migration[]
  /** What comes first: the order of `migrations`, also for versions of which there is no file. */
  readonly order: VersionOrder
  /** Run after the migrations, in this order, again whenever their text has changed. */
  readonly repeatable: readonly Repeatable[]
  /** What in the folder was passed over, or taken for something else than it seems. */
  readonly notes: readonly string[]
}

/** A file that says what an object is to be, not how it changes: a view, a function. */
export interface Repeatable {
  readonly name: string
  readonly up: Script
}

export interface Migration {
  readonly version: string
  /** The file name without .up.sql: "0001_create_carriers". */
  readonly name: string
  readonly up: Script
  /** Absent when the up says that it is irreversible. */
  readonly down: Script | undefined
  /** Of one that `migrate squash` wrote. */
  readonly replaces?: Replaced | undefined
  /** Fails when the migration has not done what it should; it changes nothing. */
  readonly check?: Script | undefined
  /** What the ledger of the folder's tool calls it, where that is not its version. */
  readonly key?: string
}

/** A file that was read and hashed. */
export interface Script {
  readonly path: string
  /** The path as shown to people. */
  readonly file: string
  /** SHA-256 of the text with line ends as \n and without a byte order mark: a checkout on Windows is no edit. */
  readonly checksum: string
  /** What was hashed, while there is room for it; a file without is read again when it is to be run, as few are. */
  readonly text: string | undefined
  /** The script where it is not simply the file's text: one of its sections, or with other text put in. Throws what is wrong with it. */
  readonly compose?: () => ScriptText
  /** What may stand for variables in it. */
  readonly substitution?: Substitution | undefined
  /** Of a migration as code; up and down are the same file then. */
  readonly module?: ModuleFile | undefined
}

/**
 * Characters of all files of a workspace together: a new database has its thousand small ones read once, and where there are more, most
 * runs have nothing to run and would only carry them about.
 */
const ROOM_FOR_TEXT = 1_000_000

/**
 * Reads a folder of migrations. Fails with every problem of names and pairs at once; a folder that does not exist is
 * `workspace.missing-folder`, except where `mayBeMissing` (the first `migrate create`). With `mayLackDowns` an up without a down is taken
 * as it is, for whoever reports it otherwise. `shownAs` stands for the folder in messages; `packagesFrom` is where migrations as code
 * find their packages, where the folder is a copy.
 */
export function readWorkspace(source: WorkspaceSource, root: string, options: ReadOptions = {}): Workspace {
  const { mayBeMissing = false, shownAs = relative(root, source.migrations) || '.' } = options
  const { layout = 'auto' } = source
  if (!existsSync(source.migrations)) {
    if (!mayBeMissing) throw problem('workspace.missing-folder', { folder: shownAs, database: source.name })
    return emptyWorkspace(source.name, layout === 'auto' ? 'dbkit' : layout)
  }
  const folder = openFolder(source.migrations, shownAs)
  const files = filesIn(source.migrations)
  const own = (): Workspace =>
    readOwn(source, files, {
      shownFolder: shownAs,
      mayLackDowns: options.mayLackDowns ?? false,
      packagesFrom: options.packagesFrom ?? source.migrations,
      own: join(root, '.dbkit'),
    })
  if (layout === 'auto') {
    const recognised = recogniseLayout(folder, files.filter(isSql))
    if (recognised === undefined) return own()
    const note = `read as a folder of ${recognised.layout.name}: ${recognised.why}`
    return readForeign(recognised.layout, folder, source, note)
  }
  const foreign = layoutOf(layout)
  return foreign === undefined ? own() : readForeign(foreign, folder, source)
}

/** Where a workspace's files are, and whose they are. */
export interface WorkspaceSource {
  readonly name: string
  readonly migrations: string
  /** Default: auto */
  readonly layout?: LayoutName | 'auto'
  readonly placeholders?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Variables of the environment that files may name. */
  readonly substitute?: readonly string[]
  /** The folder of what is repeatable. */
  readonly repeatable?: string
}

interface ReadOptions {
  readonly mayBeMissing?: boolean
  readonly mayLackDowns?: boolean
  readonly shownAs?: string
  readonly packagesFrom?: string
}

function emptyWorkspace(database: string, layout: LayoutName): Workspace {
  return { database, layout, migrations: [], order: compareVersions, repeatable: [], notes: [] }
}

/** SQL, and migrations as code. Sorted, so that the same folder gives the same messages on every file system. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => (isSql(name) || isModuleName(name)) && !name.startsWith('.'))
    .sort()
}

const isSql = (name: string): boolean => name.endsWith('.sql')

/** What another tool's folder says, as that tool understands it. */
function readForeign(layout: Layout, folder: Folder, source: WorkspaceSource, note?: string): Workspace {
  const { environment = {}, placeholders = {} } = source
  const reading = layout.read(folder, { environment, placeholders })
  throwProblems(reading.problems ?? [])
  const script = (section: Section, irreversible?: string): Script =>
    sectionScript(section, folder, join(source.migrations, section.file), irreversible)
  return {
    ...emptyWorkspace(source.name, layout.name),
    order: reading.order,
    migrations: reading.migrations
      .map(({ version, name, up, down, check, irreversible, key }) => ({
        version,
        name,
        up: script(up, down === undefined ? irreversible : undefined),
        down: down === undefined ? undefined : script(down),
        ...(check === undefined ? {} : { check: script(check) }),
        ...(key === undefined ? {} : { key }),
      }))
      .sort((a, b) => reading.order(a.version, b.version)),
    repeatable: (reading.repeatable ?? []).map(({ name, up }) => ({ name, up: script(up) })),
    notes: [...(note === undefined ? [] : [note]), ...(reading.notes ?? [])],
  }
}

function sectionScript(section: Section, folder: Folder, path: string, irreversible?: string): Script {
  const { file, from, to } = section
  const whole = folder.text(file)
  let composed: ScriptText | undefined
  return {
    path,
    file: folder.show(file),
    checksum: checksumOf(whole.slice(from, to)),
    text: undefined,
    compose: () => (composed ??= composeScript(section, whole, folder.show(file), irreversible)),
  }
}

function readOwn(source: WorkspaceSource, files: readonly string[], reading: OwnReading): Workspace {
  const { mayLackDowns, shownFolder } = reading
  const show = (path: string): string => shownFolder + path.slice(source.migrations.length)
  const problems: DbkitError[] = []
  const found = new Map<string, Found[]>()
  for (const fileName of files) {
    const isModule = isModuleName(fileName)
    const file = source.migrations + sep + fileName
    const parsed = isModule ? parseModuleName(fileName, show(file)) : parseFileName(fileName, show(file))
    if (parsed instanceof DbkitError) {
      problems.push(parsed)
      continue
    }
    const sameVersion = found.get(parsed.version) ?? []
    if (sameVersion.length === 0) found.set(parsed.version, sameVersion)
    const { version, name, direction } = parsed
    if (direction === 'both') {
      sameVersion.push({ version, name, code: file })
      continue
    }
    let entry = sameVersion.find((other) => other.name === name && other.code === undefined)
    if (entry === undefined) sameVersion.push((entry = { version, name }))
    entry[direction] = file
  }
  const migrations: Migration[] = []
  const room = {
    characters: ROOM_FOR_TEXT,
    substitution: { names: source.substitute ?? [], environment: source.environment ?? {} },
  }
  for (const [version, entries] of found) {
    const [entry] = entries
    if (entry === undefined) continue
    if (entries.length > 1) {
      const files = entries.map(({ up, down, code }) => show(up ?? down ?? code ?? ''))
      problems.push(problem('workspace.duplicate-version', { version, files }))
      continue
    }
    const pair =
      entry.code === undefined
        ? pairUp(entry, show, mayLackDowns, room)
        : readModule(entry, entry.code, show, { ...reading, room })
    if (pair instanceof DbkitError) problems.push(pair)
    else migrations.push(pair)
  }
  throwProblems(problems)
  return {
    ...emptyWorkspace(source.name, 'dbkit'),
    migrations: migrations.sort((a, b) => compareVersions(a.version, b.version)),
    repeatable: readRepeatable(source, show, room),
  }
}

/** Files that say what an object is to be, in the order of their names. */
function readRepeatable(
  { repeatable, migrations }: WorkspaceSource,
  show: (path: string) => string,
  room: Room,
): readonly Repeatable[] {
  if (repeatable === undefined || !existsSync(repeatable)) return []
  const beside = show(migrations).split('/').slice(0, -1)
  return filesIn(repeatable)
    .filter(isSql)
    .map((name) => ({
      name: name.slice(0, -'.sql'.length),
      up: scriptAt(join(repeatable, name), [...beside, basename(repeatable), name].join('/'), room),
    }))
}

type OwnReading = Pick<ModuleFile, 'packagesFrom' | 'own'> & {
  readonly mayLackDowns: boolean
  readonly shownFolder: string
}

interface Found {
  readonly version: string
  readonly name: string
  up?: string
  down?: string
  readonly code?: string
}

/** A migration as code; whether it has a way back is read in its text, because nothing of it is run before its turn. */
function readModule(
  { version, name }: Found,
  path: string,
  show: (path: string) => string,
  {
    mayLackDowns,
    room,
    packagesFrom,
    own,
  }: Pick<ModuleFile, 'packagesFrom' | 'own'> & {
    readonly mayLackDowns: boolean
    readonly room: Room
  },
): Migration | DbkitError {
  const up = {
    ...scriptAt(path, show(path), room),
    module: { path, packagesFrom, own },
    substitution: undefined,
  }
  const text = decodeScript(up.text ?? readText(path), up.file, up.module)
  if (text instanceof DbkitError) return text
  if (!exportsName(text.text, 'up')) return problem('workspace.no-up-exported', { file: up.file })
  if (exportsName(text.text, 'down')) return { version, name, up, down: up }
  return text.directives.irreversible === undefined && !mayLackDowns
    ? problem('workspace.no-down-exported', { file: up.file })
    : { version, name, up, down: undefined }
}

function pairUp(
  { version, name, up, down }: Found,
  show: (path: string) => string,
  mayLackDown: boolean,
  room: Room,
): Migration | DbkitError {
  if (up === undefined)
    return problem('workspace.unpaired', { file: show(down ?? ''), missing: `${name}.up.sql` })
  const upScript = scriptAt(up, show(up), room)
  const content = upScript.text ?? readText(up)
  const replaces = typeof content === 'string' ? replacedIn(content) : undefined
  const about = { version, name, up: upScript, ...(replaces === undefined ? {} : { replaces }) }
  if (down !== undefined) return { ...about, down: scriptAt(down, show(down), room) }
  if (mayLackDown) return { ...about, down: undefined }
  const text = decodeScript(content, upScript.file)
  if (text instanceof DbkitError) return text
  return text.directives.irreversible === undefined
    ? problem('workspace.unpaired', { file: show(up), missing: `${name}.down.sql` })
    : { ...about, down: undefined }
}

/** What the files of a workspace share while they are read. */
interface Room {
  /** For text, still. */
  characters: number
  readonly substitution: Substitution
}

function scriptAt(path: string, shown: string, room: Room): Script {
  const content = readText(path)
  const checksum = checksumOf(content)
  const { substitution } = room
  if (typeof content !== 'string' || content.length > room.characters)
    return { path, file: shown, checksum, text: undefined, substitution }
  room.characters -= content.length
  return { path, file: shown, checksum, text: content, substitution }
}

/**
 * Synchronous, because a run looks at every file to say that nothing is pending, and for thousands of small ones promises cost three
 * times the CPU. As text, because then Node opens, reads and closes a file in one call: 22 ms for 2,000 files instead of 33. Bytes
 * that are not UTF-8 come back as they are, for whoever has to name them.
 */
function readText(path: string): string | Buffer {
  try {
    const text = readFileSync(path, 'utf8')
    return text.includes(REPLACEMENT) ? readFileSync(path) : text
  } catch (error) {
    // A folder can be opened, and what refuses to be read then does not say which it was.
    throw fileProblem(Object.assign(error as Error, { path })) ?? error
  }
}

function checksumOf(content: string | Buffer): string {
  if (typeof content === 'string') return hash('sha256', withoutMark(content).replaceAll('\r\n', '\n'), 'hex')
  const text = content.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  return hash('sha256', Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1'), 'hex')
}

/** The text of a script. Fails with `workspace.undecodable`, `workspace.bad-directive`, or `workspace.changed` when it is not what was hashed. */
export function readScriptText(script: Script): ScriptText {
  if (script.compose !== undefined) return script.compose()
  if (script.text !== undefined) return decoded(script.text, script.file, script)
  const content = readText(script.path)
  if (checksumOf(content) !== script.checksum) throw problem('workspace.changed', { file: script.file })
  return decoded(content, script.file, script)
}

/** readScriptText that reads each file once, for a command that decides twice: before it takes the lock and under it. */
export function scriptReader(): (script: Script) => ScriptText {
  const texts = new Map<string, ScriptText>()
  return (script) => {
    if (script.compose !== undefined) return script.compose()
    let text = texts.get(script.path)
    if (text === undefined) texts.set(script.path, (text = readScriptText(script)))
    return text
  }
}

/** The text of a script that the ledger kept. */
export function ledgerScriptText(name: string, sql: string, direction: 'up' | 'down' = 'down'): ScriptText {
  if (isKeptModule(sql))
    return decoded(sql, `ledger:${name}`, { module: { path: '', packagesFrom: '', own: '' } })
  return decoded(sql, `ledger:${name}.${direction}.sql`)
}

function decoded(
  content: string | Buffer,
  file: string,
  { module, substitution }: Pick<Script, 'module' | 'substitution'> = {},
): ScriptText {
  const text = decodeScript(content, file, module)
  if (text instanceof DbkitError) throw text
  if (substitution === undefined) return text
  const substituted = substitute(text, substitution)
  if ('file' in substituted) return substituted
  throwProblems(substituted)
  return text
}

/** The names of the roles that the migrations create, found as the extensions are. */
export function rolesOf(workspace: Workspace): readonly string[] {
  const names = new Set<string>()
  for (const { up } of workspace.migrations)
    for (const [, quoted, plain = ''] of readFileSync(up.path, 'utf8').matchAll(
      /create\s+(?:role|user|group)\s+(?:"((?:[^"]|"")+)"|([\w$]+))/gi,
    ))
      names.add(quoted?.replaceAll('""', '"') ?? plain.toLowerCase())
  return [...names].sort()
}

/**
 * The names of the extensions that the migrations create, so that the embedded engine can be started with their files. A name
 * that only looks like one costs a little time at the start, a missing one would fail the migration: so text, not grammar.
 */
export function extensionsOf(workspace: Workspace): readonly string[] {
  const names = new Set<string>()
  for (const { up } of workspace.migrations)
    for (const name of extensionsIn(readFileSync(up.path, 'latin1'))) names.add(name)
  return [...names].sort()
}

/** The names of the extensions that a text creates, other than those that a comment speaks of. */
export function extensionsIn(text: string): readonly string[] {
  const found = text
    .replaceAll(/--[^\n]*/g, '')
    .matchAll(/create\s+extension\s+(?:if\s+not\s+exists\s+)?("[^"]+"|[\w-]+)/gi)
  return [...found].map(([, name = '']) => name.replaceAll('"', '').toLowerCase())
}
