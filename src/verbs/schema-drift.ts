import { dirname, join, relative } from 'node:path'
import type { Observer } from '../apply/observer.js'
import { applyPlan } from '../apply/apply-plan.js'
import { runRepeatables, type RepeatableStep } from '../apply/run-repeatables.js'
import type { Catalog } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference, type Difference } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import { findForeignLedgers, type FoundLedger } from '../database/foreign-ledgers.js'
import { createLedger, readLedger, readUpSql, type Ledger, type LedgerPlace } from '../database/ledger.js'
import { readRepeatables } from '../database/repeatable-ledger.js'
import { problem } from '../errors.js'
import { planReplay, planUp, upsFromLedger, type Plan, type Step } from '../plan/plan.js'
import { recogniseSquashes } from '../plan/squash.js'
import { carryOver, createMissingRoles, rolesNamedBy } from '../prove/carry-over.js'
import { explainDrift } from '../prove/explain-drift.js'
import { writeChange, type WrittenChange } from '../prove/fix-drift.js'
import { withoutParts } from '../prove/judge.js'
import { withShadow, type Shadow } from '../prove/shadow.js'
import type { DriftDifference, DriftExplanation, DriftReport, Report } from '../report.js'
import { writeTextFile } from '../workspace/text-file.js'
import {
  extensionsIn,
  extensionsOf,
  ledgerScriptText,
  rolesOf,
  readWorkspace,
  scriptReader,
  type Migration,
  type Workspace,
} from '../workspace/workspace.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import { nextVersion, writeMigration } from './migrate-create.js'
import { onEachDatabase, type Opened, type RunOptions } from './with-database.js'

export interface SchemaDriftOptions extends RunOptions {
  /** A server on which the migrations are run again, in a database of their own. Default: the embedded engine */
  readonly shadowUrl?: string
  /**
   * migrations: writes a migration that makes what the database has, for all others. database: writes a script that makes of this one
   * database what the migrations make.
   */
  readonly fix?: 'migrations' | 'database'
  /** The fix may drop what holds rows or values. */
  readonly allowDataLoss?: boolean
  readonly now?: Date
}

/**
 * Compares each live database with what its migrations make, at the version that its ledger says: what is missing, extra or changed, and
 * which migration explains it. Reads the database and changes nothing in it. `ok: false` (exit 1) when something differs.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await schemaDrift(config)
 */
export async function schemaDrift(config: Config, options: SchemaDriftOptions = {}): Promise<Report> {
  const databases = await onEachDatabase(
    config,
    'schema drift',
    options,
    (opened) => driftOf(config, opened, options),
    { afterFailure: 'go-on' },
  )
  return { command: 'schema drift', ok: databases.every(({ ok }) => ok), databases }
}

/** What a live database is, and what it should be. */
interface Live {
  readonly config: DatabaseConfig
  readonly workspace: Workspace
  readonly catalog: Catalog
  readonly ledger: Ledger
  readonly replay: Plan
  /** What was run of what is repeatable, as the ledger has it. */
  readonly repeated: readonly RepeatableStep[]
  /** Ledgers of tools that migrated it before dbkit did. */
  readonly foreign: readonly FoundLedger[]
}

async function driftOf(config: Config, opened: Opened, options: SchemaDriftOptions): Promise<Outcome> {
  const live = await readLive(opened)
  const { signal, observer } = opened
  const about = {
    url: options.shadowUrl,
    observer,
    purpose: 'schema drift',
    signal,
    extensions: () => [
      ...extensionsOf(live.workspace),
      ...live.replay.steps.flatMap(({ script }) => extensionsIn(script.text)),
      ...[...live.catalog.facts.values()].flatMap(({ kind, name }) => (kind === 'extension' ? [name] : [])),
    ],
    roles: () => [...rolesOf(live.workspace), ...rolesNamedBy(live.catalog)],
  }
  return withShadow(config, opened.config, about, async (shadow) => {
    const { drift, notes, should, is } = await compare(live, shadow, signal, observer)
    const leftOut = live.foreign.map(
      ({ tool, place }) => `left out: ${place.schema}.${place.table}, the ledger of ${tool}`,
    )
    const all = [...live.replay.notes, ...leftOut, ...notes]
    if (options.fix === undefined || drift.differences.length === 0)
      return { ok: drift.differences.length === 0, drift, ...notesOf(all) }
    const files = await fix(config, live, { should, is }, shadow, signal, options)
    const written = readWorkspace(opened.config, config.root).migrations.filter(
      ({ version }) => !live.workspace.migrations.some((one) => one.version === version),
    )
    return { ok: true, drift, files, ...notesOf([...all, nextStep(files, written, options.fix)]) }
  })
}

async function readLive({ database, workspace, config }: Opened): Promise<Live> {
  const session = await database.session()
  try {
    const text = scriptReader()
    const read = await readLedger(session, config.ledger)
    const { ledger } = recogniseSquashes(workspace, read, { text })
    if (!ledger.exists)
      throw problem('drift.no-ledger', {
        database: config.name,
        ledger: `${config.ledger.schema}.${config.ledger.table}`,
      })
    const kept = await readUpSql(session, config.ledger, upsFromLedger(workspace, ledger))
    const replay = planReplay(workspace, ledger, {
      text,
      ledgerText({ version, name }) {
        const sql = kept.get(version)
        return sql === undefined ? undefined : ledgerScriptText(name, sql, 'up')
      },
    })
    const foreign = await findForeignLedgers(session)
    return {
      config,
      workspace,
      foreign,
      catalog: await readCatalog(session, { ledger: config.ledger, leaveOut: tablesIn(foreign) }),
      ledger,
      replay,
      repeated: (await readRepeatables(session, config.ledger)).map(({ name, checksum, sql }) => ({
        name,
        checksum,
        script: ledgerScriptText(name, sql, 'up'),
      })),
    }
  } finally {
    await session.close()
  }
}

/** Both as the shadow's engine words them. */
interface Both {
  readonly should: Catalog
  readonly is: Catalog
}

async function compare(
  live: Live,
  shadow: Shadow,
  signal: AbortSignal,
  observer: Observer,
): Promise<Both & { readonly drift: DriftReport; readonly notes: readonly string[] }> {
  const { config, replay } = live
  const { ledger } = config
  const foreign = live.catalog.major !== shadow.major
  const session = await shadow.sessions.current()
  const is = foreign
    ? await carryOver(live.catalog, session, { ledger, major: shadow.major, signal })
    : live.catalog
  if (foreign) await shadow.renew()
  const should = await replayed(live, shadow, signal, observer)
  const { differences, notes, unmodelled } = compareCatalogs(should, is)
  const told = withoutParts(differences)
  const explanations =
    told.length === 0
      ? new Map<string, DriftExplanation>()
      : await explainDrift(told, is, {
          config,
          shadow,
          signal,
          observer,
          applied: replay.steps,
          pending: pendingOf(live),
        })
  return {
    should,
    is,
    drift: {
      ...(replay.steps.length === 0 ? {} : { at: replay.steps.at(-1)?.name ?? '' }),
      comparedOn: shadow.engine,
      differences: told.map((difference) => describe(difference, explanations)),
    },
    notes: [
      // Another engine brings other versions of its extensions.
      ...notes.filter((note) => !foreign || !note.startsWith('extension ')),
      ...unmodelled.map((name) => `compared by its name alone: ${name}`),
    ],
  }
}

async function replayed(
  { config, replay: { steps }, repeated, foreign }: Live,
  shadow: Shadow,
  signal: AbortSignal,
  observer: Observer,
): Promise<Catalog> {
  await createLedger(await shadow.sessions.current(), config.ledger)
  const { error } = await applyPlan({ steps, notes: [] }, shadow.sessions, config, {
    signal,
    observer,
    singleTransaction: false,
  })
  if (error !== undefined) throw error
  const again = await runRepeatables(repeated, shadow.sessions, { config, signal, observer, record: false })
  if (again.error !== undefined) throw again.error
  return readCatalog(await shadow.sessions.current(), { ledger: config.ledger, leaveOut: tablesIn(foreign) })
}

function tablesIn(foreign: readonly FoundLedger[]): readonly LedgerPlace[] {
  return foreign.flatMap(({ tables }) => tables)
}

function pendingOf({ workspace, ledger }: Live): readonly Step[] {
  const known = new Set(ledger.entries.map(({ version }) => version))
  const migrations = workspace.migrations.filter(({ version }) => !known.has(version))
  const options = { allowOutOfOrder: true, singleTransaction: false }
  return planUp({ ...workspace, migrations }, { exists: true, entries: [] }, { kind: 'latest' }, options, {
    text: scriptReader(),
  }).steps
}

function describe(
  difference: Difference,
  explanations: ReadonlyMap<string, DriftExplanation>,
): DriftDifference {
  const { key, kind } = difference
  return {
    object: key,
    kind: kind === 'added' ? 'extra' : kind === 'removed' ? 'missing' : 'changed',
    changes:
      kind === 'changed' ? describeDifference(difference).map((line) => line.slice(key.length + 2)) : [],
    explanation: explanations.get(key) ?? { kind: 'unknown' },
  }
}

// ---- the fix

async function fix(
  config: Config,
  live: Live,
  { should, is }: Both,
  shadow: Shadow,
  signal: AbortSignal,
  options: SchemaDriftOptions,
): Promise<readonly string[]> {
  const { config: database, workspace } = live
  const pending = pendingOf(live).map(({ name }) => name)
  if (options.fix === 'migrations' && pending.length > 0)
    throw problem('drift.pending', { database: database.name, pending })
  await shadow.renew()
  const session = await shadow.sessions.current()
  await createMissingRoles(session, rolesNamedBy(is))
  const { ledger } = database
  let change: WrittenChange
  if (options.fix === 'migrations') {
    await replayed(live, shadow, signal, () => undefined)
    change = await writeChange(session, should, is, database)
  } else {
    const now = await carryOver(is, session, { ledger, major: shadow.major, signal })
    change = await writeChange(session, now, should, database)
  }
  if (change.losses.length > 0 && options.allowDataLoss !== true)
    throw problem('drift.data-loss', { losses: change.losses })
  const show = (file: string): string => relative(config.root, file)
  return options.fix === 'migrations'
    ? workspace.layout === 'dbkit'
      ? writeMigrations(database, workspace, change, options).map(show)
      : writeForeign(config, database, workspace, change, options)
    : writeScripts(database, change, options).map(show)
}

/** A part is a transaction of its own, and so a migration of its own. */
function writeMigrations(
  { migrations: folder }: DatabaseConfig,
  workspace: Workspace,
  { parts }: WrittenChange,
  { now }: SchemaDriftOptions,
): readonly string[] {
  return parts.flatMap(({ up, down, why }, index) => {
    const version = nextVersion(workspace, now === undefined ? {} : { now }, index)
    const name = `${version}_take_over_drift${index === 0 ? '' : `_${String(index + 1)}`}`
    const file = (direction: string): string => join(folder, `${name}.${direction}.sql`)
    const irreversible = down === undefined ? `-- dbkit: irreversible ${why.replaceAll(/\s+/g, ' ')}\n` : ''
    writeTextFile(
      file('up'),
      `${irreversible}-- What was changed by hand in one database, for all others.\n\n${up}`,
    )
    if (down === undefined) return [file('up')]
    writeTextFile(file('down'), `-- Undoes ${name}: leaves the database exactly as it was before.\n\n${down}`)
    return [file('up'), file('down')]
  })
}

/** The same in the layout of another tool. */
function writeForeign(
  { root }: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  { parts }: WrittenChange,
  options: SchemaDriftOptions,
): readonly string[] {
  return parts.flatMap(({ up, down }, index) => {
    const title = `take_over_drift${index === 0 ? '' : `_${String(index + 1)}`}`
    const texts = { up, down, transaction: { up: true, down: true } }
    return writeMigration(database, root, workspace, title, () => texts, options, index)
  })
}

/** Beside the migrations and not among them: in a database without the drift they would fail. */
function writeScripts(
  { migrations, name }: DatabaseConfig,
  { parts }: WrittenChange,
  { now = new Date() }: SchemaDriftOptions,
): readonly string[] {
  const stamp = now.toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const file = (what: string): string => join(dirname(migrations), 'repairs', `${stamp}_${what}.sql`)
  const transactions = (texts: readonly string[]): string =>
    texts.map((text) => `begin;\n\n${text}\ncommit;\n`).join('\n')
  writeTextFile(
    file('undo_drift'),
    `-- Makes of one database of ${name} what its migrations make. Run it once, and there only.\n\n${transactions(parts.map(({ up }) => up))}`,
  )
  const downs = [...parts].reverse().flatMap(({ down }) => down ?? [])
  if (downs.length < parts.length) return [file('undo_drift')]
  writeTextFile(file('redo_drift'), `-- Takes ${stamp}_undo_drift.sql back.\n\n${transactions(downs)}`)
  return [file('undo_drift'), file('redo_drift')]
}

function nextStep(
  files: readonly string[],
  written: readonly Migration[],
  side: 'migrations' | 'database',
): string {
  const [file = ''] = files
  if (side === 'database') return `run it on this database: psql -v ON_ERROR_STOP=1 -f ${file} <url>`
  const commands = written.map(({ name, version }) => {
    const shown = /^\d+/.exec(name)?.[0] ?? version
    return `dbkit migrate repair --mark-applied ${shown}`
  })
  return `this database has it already, so let it be recorded here: ${commands.join(' && ')}`
}
