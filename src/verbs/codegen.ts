import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { emitTypesAndMore } from '../codegen/emit.js'
import type { JsonShape } from '../codegen/json-types.js'
import { lineDiff } from '../codegen/line-diff.js'
import { findOrigins, type Origins } from '../codegen/origins.js'
import { readShape } from '../codegen/read-shape.js'
import type { Shape } from '../codegen/shape.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { DbkitError, problem } from '../errors.js'
import { DBKIT_VERSION } from '../package-version.js'
import { planUp } from '../plan/plan.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { splitStatements } from '../workspace/statements.js'
import { readScriptText, readWorkspace, scriptReader, type Workspace } from '../workspace/workspace.js'
import { changeUnderLock } from './change-under-lock.js'
import { defaultSchemaOf, readJsonTypes } from './read-json-types.js'
import { onEachDatabase, type Opened, type RunOptions } from './with-database.js'
import { makeFolder } from '../make-folder.js'

export interface CodegenVerbOptions extends RunOptions {
  /** Writes nothing; `ok: false` (exit 1) with the difference when a file is out of date. */
  readonly check?: boolean
  /** Instead of what the configuration names. */
  readonly emitter?: 'dbkit' | 'kysely-codegen'
  /** Emits Zod schemas beside the types. */
  readonly validators?: boolean
}

/**
 * Emits the TypeScript types of each database: from its migrations, run on a throw-away embedded engine, or with --url from a live one.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await codegen(config, { check: true })
 */
export async function codegen(config: Config, options: CodegenVerbOptions = {}): Promise<Report> {
  const databases: DatabaseReport[] = []
  // Two at a time: a shadow keeps a processor busy and takes a gigabyte.
  const waiting = [...config.databases.entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      databases[next[0]] = await onOne(config, next[1], options)
  }
  await Promise.all([work(), work()])
  return { command: 'codegen', ok: databases.every(({ ok }) => ok), databases }
}

async function onOne(
  config: Config,
  database: DatabaseConfig,
  options: CodegenVerbOptions,
): Promise<DatabaseReport> {
  const { target } = database
  const live = target.kind === 'server' && target.source === '--url'
  try {
    const workspace = readWorkspace(database, config.root)
    const jsonTypes = readJsonTypes(database, config.root)
    const kept = live ? undefined : snapshotFile(config, database, workspace)
    const known = kept === undefined ? undefined : readSnapshot(kept)
    if (known !== undefined) return await finish(config, database, workspace, known, jsonTypes, options)
    const read = live
      ? await readFrom(config, database, options, ({ database: opened, config: settings }) =>
          shapeOf(opened, settings),
        )
      : await readFromShadow(config, database, options)
    if (read.shape === undefined) return read.report
    if (kept !== undefined) writeWhole(kept, JSON.stringify(read.shape))
    const { engine } = read.report
    return {
      ...(await finish(config, database, workspace, read.shape, jsonTypes, options)),
      ...(engine === undefined || !live ? {} : { engine }),
    }
  } catch (error) {
    if (!(error instanceof DbkitError)) throw error
    return { database: database.name, ok: false, error: reportOf(error) }
  }
}

interface Read {
  readonly shape: Shape | undefined
  readonly report: DatabaseReport
}

async function readFrom(
  config: Config,
  database: DatabaseConfig,
  options: RunOptions,
  read: (opened: Opened) => Promise<Shape | Omit<DatabaseReport, 'database' | 'engine'>>,
): Promise<Read> {
  let shape: Shape | undefined
  const [report] = await onEachDatabase(
    { ...config, databases: [database] },
    'codegen',
    options,
    async (opened) => {
      const found = await read(opened)
      if ('ok' in found) return found
      shape = found
      return { ok: true }
    },
  )
  return { shape, report: report ?? { database: database.name, ok: false } }
}

async function shapeOf(database: Opened['database'], settings: DatabaseConfig): Promise<Shape> {
  const session = await database.session()
  try {
    return await readTypesShape(session, settings)
  } finally {
    await session.close()
  }
}

/** What types are emitted from. */
export function readTypesShape(session: Session, { searchPath, ledger }: DatabaseConfig): Promise<Shape> {
  return readShape(session, { searchPath, without: [ledger.schema] })
}

/** Whether the emitted types are those of a shape; with the difference where they are not. Writes nothing. */
export function typesCheck(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  shape: Shape,
): Promise<Pick<DatabaseReport, 'ok' | 'notes'>> {
  return finish(config, database, workspace, shape, readJsonTypes(database, config.root), { check: true })
}

/** Everything the migrations make, made anew where nobody else sees it. */
async function readFromShadow(config: Config, database: DatabaseConfig, options: RunOptions): Promise<Read> {
  const folder = mkdtempSync(join(tmpdir(), `dbkit-codegen-${database.name}-`))
  const shadow: DatabaseConfig = {
    ...database,
    target: { kind: 'embedded', folder, asked: true, emptyVariable: undefined },
  }
  try {
    return await readFrom(config, shadow, { ...options, observer: () => undefined }, async (opened) => {
      const text = scriptReader()
      const migrated = await changeUnderLock(
        opened,
        [
          (ledger) =>
            planUp(
              opened.workspace,
              ledger,
              { kind: 'latest' },
              { allowOutOfOrder: false, singleTransaction: false },
              { text },
            ),
        ],
        { dryRun: false, singleTransaction: false },
      )
      return migrated.ok ? shapeOf(opened.database, opened.config) : migrated
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function finish(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  shape: Shape,
  jsonTypes: Readonly<Record<string, JsonShape>>,
  options: CodegenVerbOptions,
): Promise<DatabaseReport> {
  const { codegen: settings } = database
  const defaultSchema = defaultSchemaOf(database.searchPath)
  const files = await emit(database, workspace, shape, jsonTypes, options)
  const unknown = unknownColumns(shape, defaultSchema, { ...settings.overrides, ...jsonTypes })
  const notes = unknown.map((name) => `no column ${name}, which the configuration types`)
  const written: string[] = []
  for (const { path, text } of files) {
    const file = relative(config.root, path)
    const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
    // A checkout on Windows is no difference.
    if (before?.replaceAll('\r\n', '\n') === text) {
      notes.push(`${file} is up to date`)
      continue
    }
    written.push(file)
    if (options.check !== true) writeWhole(path, text)
    else {
      const difference = before === undefined ? `${file} does not exist` : lineDiff(before, text, file)
      notes.push(`${file} is out of date: run dbkit codegen\n${difference}`)
    }
  }
  const ok = options.check !== true || (written.length === 0 && unknown.length === 0)
  return {
    database: database.name,
    ok,
    ...(notes.length === 0 ? {} : { notes }),
    ...(written.length === 0 || options.check === true ? {} : { files: written }),
  }
}

interface EmittedFile {
  readonly path: string
  readonly text: string
}

async function emit(
  database: DatabaseConfig,
  workspace: Workspace,
  shape: Shape,
  jsonTypes: Readonly<Record<string, JsonShape>>,
  { emitter, validators }: CodegenVerbOptions,
): Promise<readonly EmittedFile[]> {
  const { out, ...settings } = database.codegen
  const defaultSchema = defaultSchemaOf(database.searchPath)
  const options = { ...settings, database: database.name, defaultSchema, jsonTypes }
  if ((emitter ?? settings.emitter) === 'kysely-codegen') {
    if (validators ?? settings.validators)
      throw problem('codegen.validators-of-another', { emitter: 'kysely-codegen' })
    const { emitKyselyCodegen } = await import('../codegen/emit-kysely-codegen.js')
    return [{ path: out, text: emitKyselyCodegen(shape, options) }]
  }
  const { text, relations } = emitTypesAndMore(shape, originsOf(workspace, defaultSchema), options)
  if (!(validators ?? settings.validators)) return [{ path: out, text }]
  const { emitValidators } = await import('../codegen/emit-validators.js')
  const [, stem = out, extension = ''] = /^(.*?)(\.[cm]?ts)?$/s.exec(out) ?? []
  const types = new Map(shape.types.map((type) => [type.oid, type]))
  const module = `./${basename(stem)}${extension.replace('t', 'j')}`
  return [
    { path: out, text },
    {
      path: `${stem}.validators${extension}`,
      text: emitValidators(relations(), types, { database: database.name, types: module }),
    },
  ]
}

/** A shape or override for what is not there is a slip of the pen, or left behind by a migration. */
function unknownColumns(
  shape: Shape,
  defaultSchema: string,
  typed: Readonly<Record<string, unknown>>,
): readonly string[] {
  const names = Object.keys(typed)
  if (names.length === 0) return []
  const known = new Set(
    shape.relations.flatMap(({ schema, name, columns }) =>
      columns.flatMap((column) => [
        `${schema}.${name}.${column.name}`,
        ...(schema === defaultSchema ? [`${name}.${column.name}`] : []),
      ]),
    ),
  )
  return names.filter((name) => !known.has(name))
}

function originsOf(workspace: Workspace, defaultSchema: string): Origins {
  return findOrigins(
    workspace.migrations.map(({ name, up }) => ({
      name,
      // Which statements code sends is known when it runs.
      statements:
        up.module === undefined ? splitStatements(readScriptText(up).text).map(({ text }) => text) : [],
    })),
    defaultSchema,
  )
}

// ---- snapshots

/** Raised when what is read of a database changes: a snapshot of an older kind is no longer found. */
const SNAPSHOT = 3

/** Named by everything that it depends on. */
function snapshotFile(config: Config, database: DatabaseConfig, workspace: Workspace): string {
  const made = JSON.stringify([
    SNAPSHOT,
    DBKIT_VERSION,
    database.searchPath,
    database.timeZone,
    database.ledger.schema,
    workspace.migrations.map(({ name, up }) => [name, up.checksum]),
  ])
  const name = `shape-${database.name}-${hash('sha256', made, 'hex').slice(0, 24)}.json`
  return join(config.root, '.dbkit', 'cache', name)
}

function readSnapshot(file: string): Shape | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Shape
  } catch {
    // Missing or half-written by a crash: made anew.
    return undefined
  }
}

export function writeWhole(file: string, text: string): void {
  makeFolder(dirname(file))
  const aside = `${file}.${String(process.pid)}.tmp`
  writeFileSync(aside, text)
  renameSync(aside, file)
}
