import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DbkitError, problem, throwProblems } from '../errors.js'
import { decodeScript, parseFileName, type ScriptText } from './migration-file.js'
import { compareVersions } from './version.js'

/** What the files of one database say, in version order. */
export interface Workspace {
  readonly database: string
  readonly migrations: readonly Migration[]
}

export interface Migration {
  readonly version: string
  /** The file name without .up.sql: "0001_create_carriers". */
  readonly name: string
  readonly up: Script
  /** Absent when the up says that it is irreversible. */
  readonly down: Script | undefined
}

/** A file that was read and hashed; it is decoded only when something of it is to be run, because most runs have nothing to run. */
export interface Script {
  readonly file: string
  /** SHA-256 of the text with line ends as \n and without a byte order mark: a checkout on Windows is no edit. */
  readonly checksum: string
  readonly bytes: Buffer
}

/**
 * Reads a folder of migrations. Fails with every problem of names and pairs at once; a folder that does not exist is
 * `workspace.missing-folder`, except where `mayBeMissing` (the first `migrate create`).
 */
export function readWorkspace(
  source: { readonly name: string; readonly migrations: string },
  root: string,
  { mayBeMissing = false } = {},
): Workspace {
  const show = (path: string): string => relative(root, path) || '.'
  if (!existsSync(source.migrations)) {
    if (mayBeMissing) return { database: source.name, migrations: [] }
    throw problem('workspace.missing-folder', { folder: show(source.migrations), database: source.name })
  }
  const problems: DbkitError[] = []
  const found = new Map<string, { version: string; name: string; up?: string; down?: string }[]>()
  // Sorted, so that the same folder gives the same messages on every file system.
  for (const fileName of readdirSync(source.migrations).sort()) {
    if (!fileName.endsWith('.sql') || fileName.startsWith('.')) continue
    const file = join(source.migrations, fileName)
    const parsed = parseFileName(fileName, show(file))
    if (parsed instanceof DbkitError) {
      problems.push(parsed)
      continue
    }
    const sameVersion = found.get(parsed.version) ?? []
    if (sameVersion.length === 0) found.set(parsed.version, sameVersion)
    let entry = sameVersion.find(({ name }) => name === parsed.name)
    if (entry === undefined) sameVersion.push((entry = { version: parsed.version, name: parsed.name }))
    entry[parsed.direction] = file
  }
  const migrations: Migration[] = []
  for (const [version, entries] of found) {
    const [entry] = entries
    if (entry === undefined) continue
    if (entries.length > 1) {
      const files = entries.map(({ up, down }) => show(up ?? down ?? ''))
      problems.push(problem('workspace.duplicate-version', { version, files }))
      continue
    }
    const pair = pairUp(entry, show)
    if (pair instanceof DbkitError) problems.push(pair)
    else migrations.push(pair)
  }
  throwProblems(problems)
  return {
    database: source.name,
    migrations: migrations.sort((a, b) => compareVersions(a.version, b.version)),
  }
}

function pairUp(
  { version, name, up, down }: { version: string; name: string; up?: string; down?: string },
  show: (path: string) => string,
): Migration | DbkitError {
  if (up === undefined)
    return problem('workspace.unpaired', { file: show(down ?? ''), missing: `${name}.up.sql` })
  const upScript = readScript(up, show(up))
  if (down !== undefined) return { version, name, up: upScript, down: readScript(down, show(down)) }
  const text = decodeScript(upScript.bytes, upScript.file)
  if (text instanceof DbkitError) return text
  return text.directives.irreversible === undefined
    ? problem('workspace.unpaired', { file: show(up), missing: `${name}.down.sql` })
    : { version, name, up: upScript, down: undefined }
}

/** Reading is synchronous on purpose: for thousands of small files it costs a third of the CPU of promises. */
function readScript(path: string, shown: string): Script {
  const bytes = readFileSync(path)
  return { file: shown, checksum: checksumOf(bytes), bytes }
}

export function checksumOf(bytes: Buffer): string {
  const unmarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
  const lines = unmarked.includes(0x0d)
    ? Buffer.from(unmarked.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    : unmarked
  return createHash('sha256').update(lines).digest('hex')
}

/** The text of a script. Fails with `workspace.undecodable` or `workspace.bad-directive`. */
export function readScriptText(script: Script): ScriptText {
  const text = decodeScript(script.bytes, script.file)
  if (text instanceof DbkitError) throw text
  return text
}

/**
 * The names of the extensions that the migrations create, so that the embedded engine can be started with their files. A name
 * that only looks like one costs a little time at the start, a missing one would fail the migration: so text, not grammar.
 */
export function extensionsOf(workspace: Workspace): readonly string[] {
  const names = new Set<string>()
  for (const { up } of workspace.migrations)
    for (const match of up.bytes
      .toString('latin1')
      .matchAll(/create\s+extension\s+(?:if\s+not\s+exists\s+)?("[^"]+"|[\w-]+)/gi))
      names.add((match[1] ?? '').replaceAll('"', '').toLowerCase())
  return [...names].sort()
}
