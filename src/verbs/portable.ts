import { relative } from 'node:path'
import { applyPlan } from '../apply/apply-plan.js'
import type { Observer } from '../apply/observer.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import { createLedger, readLedger } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, problem } from '../errors.js'
import { planDown, planUp } from '../plan/plan.js'
import { definedFunctions, findLacks, type PortableTarget } from '../portable/find-features.js'
import { loadDeclared } from '../prove/load-declared.js'
import { withShadow, type Shadow } from '../prove/shadow.js'
import {
  reportOf,
  type DatabaseReport,
  type EngineReport,
  type PortableFinding,
  type PortableReport,
  type Report,
} from '../report.js'
import { decodeScript, locationIn, type ScriptText } from '../workspace/migration-file.js'
import { readSqlFiles, schemaFolderOf } from '../workspace/schema-folder.js'
import { splitStatements } from '../workspace/statements.js'
import {
  extensionsIn,
  extensionsOf,
  readWorkspace,
  rolesOf,
  scriptReader,
  type Workspace,
} from '../workspace/workspace.js'
import { asProblem, type RunOptions } from './with-database.js'

export interface PortableOptions extends RunOptions {
  /** The major version that is to take the files: 14 to 18. */
  readonly target: number
  /** The extensions that can be had there. Default: any */
  readonly extensions?: readonly string[]
  /** What is looked at. Default: the migrations */
  readonly from?: 'migrations' | 'schema'
  /** A server of that major to run the files on. Default: one that this machine or npm has, or the embedded engine for its own major */
  readonly shadowUrl?: string
}

/** The majors that dbkit runs on. */
export const MAJORS = [14, 15, 16, 17, 18] as const

/**
 * Says what the files use that a version of PostgreSQL lacks, each with its place and with what to write instead; and runs them on a
 * server of that version where one is to be had. `ok: false` (exit 1) when something is lacking.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await portable(config, { target: 14, extensions: ['pgcrypto'] })
 */
export async function portable(config: Config, options: PortableOptions): Promise<Report> {
  if (!(MAJORS as readonly number[]).includes(options.target))
    throw problem('request.bad-option', {
      option: '--target',
      value: String(options.target),
      expected: `one of ${MAJORS.join(', ')}`,
    })
  const all = config.databases.map((database) => ({ database, files: readFiles(config, database, options) }))
  const databases: DatabaseReport[] = []
  for (const { database, files } of all) databases.push(await judge(config, database, files, options))
  return { command: 'portable', ok: databases.every(({ ok }) => ok), databases }
}

interface Files {
  readonly scripts: readonly ScriptText[]
  /** Of migrations. */
  readonly workspace: Workspace | undefined
}

function readFiles(config: Config, database: DatabaseConfig, { from }: PortableOptions): Files {
  if (from === 'schema') {
    const folder = schemaFolderOf(database)
    const shown = relative(config.root, folder) || '.'
    const files = [...readSqlFiles(folder)]
    if (files.length === 0) throw problem('diff.no-files', { folder: shown })
    return { scripts: files.map(([path, text]) => decoded(text, `${shown}/${path}`)), workspace: undefined }
  }
  const workspace = readWorkspace(database, config.root, { mayLackDowns: true })
  const reader = scriptReader()
  const scripts = workspace.migrations.flatMap(({ up, down }) => [
    reader(up),
    ...(down === undefined ? [] : [reader(down)]),
  ])
  return { scripts, workspace }
}

function decoded(text: string, file: string): ScriptText {
  const script = decodeScript(text, file)
  if (script instanceof DbkitError) throw script
  return script
}

async function judge(
  config: Config,
  database: DatabaseConfig,
  files: Files,
  options: PortableOptions,
): Promise<DatabaseReport> {
  const { name } = database
  const signal = options.signal ?? new AbortController().signal
  const { target, extensions, from = 'migrations' } = options
  const read = findIn(files.scripts, {
    major: target,
    extensions: extensions === undefined ? undefined : new Set(extensions),
  })
  try {
    const { refusals, ...proof } = await proofOf(config, database, files, options, signal)
    const findings = merged(read.findings, refusals, files.scripts)
    const report: PortableReport = {
      target,
      ...(extensions === undefined ? {} : { extensions }),
      from,
      files: files.scripts.length,
      statements: read.statements,
      findings,
      proof,
    }
    const { engine } = proof
    return {
      database: name,
      ok: findings.length === 0,
      ...(engine === undefined ? {} : { engine }),
      portable: report,
    }
  } catch (error) {
    const known = signal.aborted ? problem('run.interrupted', {}) : asProblem(error, signal)
    return { database: name, ok: false, error: reportOf(known) }
  }
}

// ---- what the text says

function findIn(
  scripts: readonly ScriptText[],
  target: PortableTarget,
): { readonly findings: readonly PortableFinding[]; readonly statements: number } {
  const split = scripts.map((script) => ({ script, statements: splitStatements(script.text) }))
  const defined = definedFunctions(split.flatMap(({ statements }) => statements))
  const findings = split.flatMap(({ script, statements }) =>
    statements.flatMap((statement) =>
      findLacks(statement, target, defined).map(({ index, ...lack }): PortableFinding => ({
        ...lack,
        ...locationIn(script, index),
      })),
    ),
  )
  return { findings, statements: split.reduce((sum, { statements }) => sum + statements.length, 0) }
}

// ---- what a server says

type Proof = PortableReport['proof'] & { readonly refusals: readonly DbkitError[] }

async function proofOf(
  config: Config,
  database: DatabaseConfig,
  { scripts, workspace }: Files,
  { target, shadowUrl, observer = () => undefined }: PortableOptions,
  signal: AbortSignal,
): Promise<Proof> {
  const about = {
    url: shadowUrl,
    local: true,
    major: target,
    observer,
    purpose: 'portable',
    signal,
    extensions: () =>
      workspace === undefined ? scripts.flatMap(({ text }) => extensionsIn(text)) : extensionsOf(workspace),
    roles: () => (workspace === undefined ? [] : rolesOf(workspace)),
  }
  try {
    return await withShadow(config, database, about, async (shadow) => {
      const refusals =
        workspace === undefined
          ? await refusedFiles(shadow, scripts, database, signal)
          : await refusedSteps(shadow, workspace, database, { signal, observer })
      const engine: EngineReport = shadow.engine
      const unavailable = refusals.find(lacksExtension)
      // Of this machine, and not of the target; of a server that was named it says what was asked.
      if (shadowUrl === undefined && unavailable !== undefined)
        return { outcome: 'not-run', why: unavailable.message, refusals: [] }
      return { outcome: refusals.length === 0 ? 'taken' : 'refused', engine, refusals }
    })
  } catch (error) {
    if (!(error instanceof DbkitError) || error.code !== 'shadow.no-such-major') throw error
    return { outcome: 'not-run', why: `${error.message} ${error.hint ?? ''}`.trim(), refusals: [] }
  }
}

/** All of them, whatever their order: each that cannot be run is told. */
async function refusedFiles(
  shadow: Shadow,
  scripts: readonly ScriptText[],
  database: DatabaseConfig,
  signal: AbortSignal,
): Promise<readonly DbkitError[]> {
  try {
    await loadDeclared(await shadow.sessions.current(), scripts, database, signal)
    return []
  } catch (error) {
    if (error instanceof DbkitError && isRefusal(error)) return [error, ...error.others]
    throw error
  }
}

/** Up to the last, and back down: the first that is refused, for what comes after it may need it. */
async function refusedSteps(
  { sessions }: Shadow,
  workspace: Workspace,
  database: DatabaseConfig,
  { signal, observer }: { readonly signal: AbortSignal; readonly observer: Observer },
): Promise<readonly DbkitError[]> {
  const { ledger } = database
  await createLedger(await sessions.current(), ledger)
  const text = scriptReader()
  const options = { allowOutOfOrder: false, singleTransaction: false }
  const up = planUp(workspace, { exists: true, entries: [] }, { kind: 'latest' }, options, { text })
  const run = { signal, observer, singleTransaction: false }
  const { error } = await applyPlan(up, sessions, database, run)
  if (error !== undefined) return refusalsOf(error)
  // What has no way back is where the way down ends.
  const last = workspace.migrations.findLastIndex(({ down }) => down === undefined)
  const count = workspace.migrations.length - 1 - last
  if (count === 0) return []
  const known = await readLedger(await sessions.current(), ledger)
  const down = planDown(workspace, known, { kind: 'steps', count }, { text, ledgerText: () => undefined })
  const { error: wayBack } = await applyPlan(down, sessions, database, run)
  return wayBack === undefined ? [] : refusalsOf(wayBack)
}

function refusalsOf(error: DbkitError): readonly DbkitError[] {
  if (!isRefusal(error)) throw error
  return [error]
}

function lacksExtension({ cause }: DbkitError): boolean {
  return cause instanceof SqlError && cause.sqlstate === '0A000' && /\bextension\b/.test(cause.message)
}

/** The server does not take a statement; that it cannot be reached, say, is another thing. */
function isRefusal({ location, exit }: DbkitError): boolean {
  return location !== undefined && exit === 3
}

/** What the server refused stands with what was read of the same statement, or by itself. */
function merged(
  findings: readonly PortableFinding[],
  refusals: readonly DbkitError[],
  scripts: readonly ScriptText[],
): readonly PortableFinding[] {
  const all = [...findings]
  for (const refusal of refusals) {
    const { location, message } = refusal
    if (location === undefined) continue
    const lines = statementLines(scripts, location)
    const within = (first: number, last: number): readonly number[] =>
      all.flatMap(({ file, line }, at) =>
        file === location.file && line >= first && line <= last ? [at] : [],
      )
    // The server stops at the first thing of a statement that it does not know.
    const there = within(location.line, location.line)
    const told = there.length > 0 ? there : within(lines.first, lines.last)
    for (const at of told) all[at] = { ...(all[at] as PortableFinding), refused: message }
    if (told.length === 0)
      all.push({
        code: 'refused',
        what: 'a statement',
        needs: 'another server',
        refused: message,
        ...location,
      })
  }
  const order = new Map(scripts.map(({ file }, index) => [file, index]))
  return all.sort(
    (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  )
}

function statementLines(
  scripts: readonly ScriptText[],
  { file, line }: { readonly file: string; readonly line: number },
): { readonly first: number; readonly last: number } {
  const script = scripts.find((one) => one.file === file)
  const ranges = splitStatements(script?.text ?? '').map(({ start, end }) => ({
    first: script === undefined ? line : locationIn(script, start).line,
    last: script === undefined ? line : locationIn(script, end).line,
  }))
  return ranges.find(({ first, last }) => first <= line && line <= last) ?? { first: line, last: line }
}
