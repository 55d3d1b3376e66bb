import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Observer } from '../apply/observer.js'
import { sqlFailure } from '../apply/sql-failure.js'
import type { Catalog } from '../catalog/catalog.js'
import { declaredFiles } from '../catalog/declared-schema.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { DbkitError, nearestName, problem } from '../errors.js'
import { fixturePath } from '../fuzz/fixtures.js'
import { fuzzMigrations } from '../fuzz/fuzz-migrations.js'
import { judgeDeclared } from '../prove/judge.js'
import { loadDeclared } from '../prove/load-declared.js'
import { proveMerge } from '../prove/merge-orders.js'
import { isProved, proveMigrations, type SeedClaim } from '../prove/prove-migrations.js'
import { withShadow, type Shadow } from '../prove/shadow.js'
import { reportOf, type DatabaseReport, type ProofCheck, type Report } from '../report.js'
import { loadSeeds } from '../seed/load-seeds.js'
import { readSeeds, type SeedSet } from '../seed/read-seeds.js'
import { withWorkspaceAt, type BaseWorkspace } from '../workspace/git-workspace.js'
import { decodeScript } from '../workspace/migration-file.js'
import { readSqlFiles, schemaFolderOf } from '../workspace/schema-folder.js'
import { findVersion } from '../workspace/version.js'
import { extensionsIn, extensionsOf, readWorkspace, rolesOf, type Workspace } from '../workspace/workspace.js'
import { readTypesShape, typesCheck } from './codegen.js'
import { fixturesOf } from './fuzz.js'
import { asProblem, withNotesOf, type RunOptions } from './with-database.js'

export interface VerifyOptions extends RunOptions {
  /** Only what is newer is proved; older migrations are applied as they are. */
  readonly since?: string
  /** A git ref: what is new here is also applied after what is new there, and the other way round. */
  readonly base?: string
  /**
   * A server on which a database is created for it, and dropped at the end. Default: a server of its own where PostgreSQL is installed
   * and has the extensions, otherwise (and where the configuration says `embedded`) the embedded engine
   */
  readonly shadowUrl?: string
  /** The folder in which `dbkit fuzz` keeps rows that broke a migration, below it one a database. Default: fixtures/fuzz */
  readonly fixtures?: string
}

/**
 * Proves the rollback of every migration by running it on a throw-away database with rows in it: up, down, up; and that the declared
 * schema, the emitted types, the committed documentation and the seeds say the same as the migrations do. Your own databases are not touched.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await verify(config, { since: '7', base: 'origin/main' })
 */
export async function verify(config: Config, options: VerifyOptions = {}): Promise<Report> {
  const found = config.databases.map((database) => ({
    config,
    database,
    workspace: readWorkspace(database, config.root, { mayLackDowns: true }),
    sets: readSeeds([database], undefined, config.root)[0]?.sets ?? [],
  }))
  const databases: DatabaseReport[] = []
  for (const files of found) databases.push(await verifyOne(files, options))
  return { command: 'verify', ok: databases.every(({ ok }) => ok), databases }
}

/** What the files say of one database. */
interface Files {
  readonly config: Config
  readonly database: DatabaseConfig
  readonly workspace: Workspace
  readonly sets: readonly SeedSet[]
}

async function verifyOne(files: Files, options: VerifyOptions): Promise<DatabaseReport> {
  const { database } = files
  const { name } = database
  const signal = options.signal ?? new AbortController().signal
  const { base } = options
  try {
    const outcome =
      base === undefined
        ? await onShadow(files, undefined, options, signal)
        : await withWorkspaceAt({ ...database, layout: files.workspace.layout }, base, (there) =>
            onShadow(files, there, options, signal),
          )
    return { database: name, ...withNotesOf(files.workspace, outcome) }
  } catch (error) {
    if (signal.aborted) return { database: name, ok: false, error: reportOf(problem('run.interrupted', {})) }
    return { database: name, ok: false, error: reportOf(asProblem(error, signal)) }
  }
}

async function onShadow(
  files: Files,
  base: BaseWorkspace | undefined,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { config, database, workspace, sets } = files
  const observer: Observer = options.observer ?? (() => undefined)
  const startedAt = performance.now()
  const since = options.since === undefined ? undefined : knownVersion(options.since, workspace)
  const claims = claimsOf(files, signal)
  const declared = readSqlFiles(schemaFolderOf(database))
  const workspaces = base === undefined ? [workspace] : [workspace, base.workspace]
  const about = {
    url: options.shadowUrl,
    observer,
    // Asked for by name, the embedded engine is also what is proved on.
    local: database.target.kind !== 'embedded' || !database.target.asked,
    purpose: 'verify',
    signal,
    extensions: () => [...workspaces.flatMap(extensionsOf), ...[...declared.values()].flatMap(extensionsIn)],
    roles: () => workspaces.flatMap(rolesOf),
  }
  return withShadow(config, database, about, async (shadow) => {
    const proof = await proveMigrations({
      config: database,
      workspace,
      shadow,
      signal,
      observer,
      since,
      loadSeeds: sets.length === 0 ? undefined : (session) => loadAll(session, sets, database, signal),
      claims,
    })
    const { head, error } = proof
    // What follows is about the head, which an up that fails keeps out of reach.
    const types = head === undefined ? undefined : await checkTypes(files, shadow)
    const docs = head === undefined ? undefined : await checkDocs(files, head, shadow)
    const merge =
      head === undefined || base === undefined
        ? undefined
        : await proveMerge({ config: database, workspace, base, shadow, signal, observer })
    const schema = head === undefined ? undefined : await checkDeclared(files, head, declared, shadow, signal)
    const fuzz = head === undefined ? undefined : await replayRows(files, shadow, since, options, signal)
    const report = {
      ...proof.report,
      ...(schema === undefined ? {} : { schema }),
      ...(types === undefined ? {} : { types }),
      ...(docs === undefined ? {} : { docs }),
      ...(merge === undefined ? {} : { merge }),
      ...(fuzz === undefined ? {} : { fuzz }),
      durationMs: Math.round(performance.now() - startedAt),
    }
    return {
      ok: error === undefined && isProved(report),
      engine: shadow.engine,
      verify: report,
      ...(error === undefined ? {} : { error: reportOf(error) }),
    }
  })
}

// ---- seeds

function claimsOf({ config, database, workspace }: Files, signal: AbortSignal): readonly SeedClaim[] {
  const names = Object.keys(database.seedsFrom)
  if (names.length === 0) return []
  const [found] = readSeeds([database], names, config.root)
  return (found?.sets ?? []).map((set) => ({
    set: set.name,
    from: knownVersion(database.seedsFrom[set.name] ?? '', workspace),
    load: (session) => loadAll(session, [set], database, signal),
  }))
}

async function loadAll(
  session: Session,
  sets: readonly SeedSet[],
  settings: DatabaseConfig,
  signal: AbortSignal,
): Promise<void> {
  await loadSeeds(session, sets, {
    database: settings.name,
    signal,
    settings,
    pending: false,
    dryRun: false,
    reset: undefined,
    today: undefined,
    onProgress: () => undefined,
    explain: (error, script) =>
      sqlFailure(error, script, { start: 0, charactersBefore: 0, statementsBefore: 0 }),
  })
}

// ---- rows that broke a migration once

async function replayRows(
  { config, database, workspace }: Files,
  shadow: Shadow,
  since: string | undefined,
  { observer = () => undefined, fixtures: folder }: VerifyOptions,
  signal: AbortSignal,
): Promise<ProofCheck | undefined> {
  const fixtures = fixturesOf(config, database, folder)
  const wanted = workspace.migrations
    .filter(({ version }) => since === undefined || workspace.order(version, since) > 0)
    .filter(({ name }) => existsSync(fixturePath(fixtures, name)))
    .map(({ version }) => version)
  if (wanted.length === 0) return undefined
  await shadow.renew()
  const { migrations } = await fuzzMigrations({
    config: database,
    workspace,
    shadow,
    signal,
    observer,
    wanted: new Set(wanted),
    rows: 0,
    seed: 1,
    fixtures,
    show: (path) => relative(config.root, path),
  })
  const findings = migrations.flatMap(({ name, findings: found }) =>
    found.map(({ direction, error, fixture }) => ({
      severity: 'different' as const,
      object: `migration ${name}`,
      message: `the ${direction} of ${name} fails on the rows of ${fixture}: ${error.message}`,
    })),
  )
  const notes = migrations.flatMap((migration) => migration.notes)
  return {
    outcome: findings.length === 0 ? 'ok' : 'failed',
    findings,
    ...(notes.length === 0 ? {} : { notes }),
  }
}

// ---- what else says what there is

/** The declared schema is compared as text first; what is only written otherwise is run, and compared by what it makes. */
async function checkDeclared(
  { config, database }: Files,
  head: Catalog,
  declared: ReadonlyMap<string, string>,
  shadow: Shadow,
  signal: AbortSignal,
): Promise<ProofCheck> {
  const folder = relative(config.root, schemaFolderOf(database))
  if (declared.size === 0)
    return {
      outcome: 'not-run',
      findings: [],
      notes: [`there is none in ${folder}: dbkit schema dump writes it`],
    }
  const wanted = declaredFiles(head)
  // A folder that happens to be called schema beside one that was named on the command line.
  if (config.file === undefined && ![...wanted.keys()].some((path) => declared.has(path)))
    return {
      outcome: 'not-run',
      findings: [],
      notes: [`${folder} holds no file that dbkit schema dump writes`],
    }
  const other = [...new Set([...declared.keys(), ...wanted.keys()])].filter(
    (path) => declared.get(path) !== wanted.get(path),
  )
  if (other.length === 0) return { outcome: 'ok', findings: [] }
  try {
    const scripts = [...declared].map(([path, text]) => {
      const script = decodeScript(text, join(folder, path))
      if (script instanceof DbkitError) throw script
      return script
    })
    await shadow.renew()
    const session = await shadow.sessions.current()
    await loadDeclared(session, scripts, database, signal)
    const findings = judgeDeclared(head, await readCatalog(session, { ledger: database.ledger }))
    const failed = findings.some(({ severity }) => severity === 'different')
    const files = other.length === 1 ? `${other[0] ?? ''} is` : `${String(other.length)} files are`
    return {
      outcome: failed ? 'failed' : 'ok',
      findings,
      notes: failed
        ? [
            'migrations -> declared; make them one: dbkit schema dump follows the migrations, dbkit migrate diff the declared schema',
          ]
        : [`${files} written otherwise than by dbkit schema dump, and mean the same`],
    }
  } catch (error) {
    if (!(error instanceof DbkitError) || error.exit === 130) throw error
    return { outcome: 'failed', findings: [], error: reportOf(error) }
  }
}

async function checkTypes({ config, database, workspace }: Files, shadow: Shadow): Promise<ProofCheck> {
  const file = relative(config.root, database.codegen.out)
  if (!existsSync(database.codegen.out))
    return {
      outcome: 'not-run',
      findings: [],
      notes: [`there are none in ${file}: dbkit codegen emits them`],
    }
  const shape = await readTypesShape(await shadow.sessions.current(), database)
  const { ok, notes = [] } = await typesCheck(config, database, workspace, shape)
  return { outcome: ok ? 'ok' : 'failed', findings: [], ...(ok ? {} : { notes }) }
}

async function checkDocs(
  { config, database, workspace }: Files,
  catalog: Catalog,
  shadow: Shadow,
): Promise<ProofCheck | undefined> {
  if (database.docs.formats.length === 0) return undefined
  const { committedDocsCheck } = await import('./docs-build.js')
  const { readLineage } = await import('../docs/read-lineage.js')
  const lineage = await readLineage(await shadow.sessions.current())
  return committedDocsCheck(config, database, workspace, { catalog, lineage })
}

/** A version as the user wrote it: "7", "0007" or "0007_add_rating". 0 is before the first. */
export function knownVersion(written: string, { database, migrations }: Workspace): string {
  const known = migrations.map(({ name }) => name)
  const found = findVersion(written, migrations)
  if (found !== undefined) return found
  if (/^0+$/.test(written)) return '0'
  throw problem('request.unknown-version', {
    version: written,
    database,
    known,
    nearest: /^\d+$/.test(written) ? undefined : nearestName(written, known),
  })
}
