import type { Observer } from '../apply/observer.js'
import { applyPlan } from '../apply/apply-plan.js'
import type { Catalog } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference, type Difference } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import { createLedger, readLedger, readUpSql, type Ledger } from '../database/ledger.js'
import { problem } from '../errors.js'
import { planReplay, planUp, upsFromLedger, type Plan, type Step } from '../plan/plan.js'
import { recogniseSquashes } from '../plan/squash.js'
import { carryOver, rolesNamedBy } from '../prove/carry-over.js'
import { explainDrift } from '../prove/explain-drift.js'
import { withoutParts } from '../prove/judge.js'
import { withShadow, type Shadow } from '../prove/shadow.js'
import type { DriftDifference, DriftExplanation, DriftReport, Report } from '../report.js'
import {
  extensionsIn,
  extensionsOf,
  ledgerScriptText,
  rolesOf,
  scriptReader,
  type Workspace,
} from '../workspace/workspace.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import { onEachDatabase, type Opened, type RunOptions } from './with-database.js'

export interface SchemaDriftOptions extends RunOptions {
  /** A server on which the migrations are run again, in a database of their own. Default: the embedded engine */
  readonly shadowUrl?: string
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
}

async function driftOf(config: Config, opened: Opened, options: SchemaDriftOptions): Promise<Outcome> {
  const live = await readLive(opened)
  const { signal, observer } = opened
  const about = {
    url: options.shadowUrl,
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
    const { drift, notes } = await compare(live, shadow, signal, observer)
    const all = [...live.replay.notes, ...notes]
    return { ok: drift.differences.length === 0, drift, ...notesOf(all) }
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
    return {
      config,
      workspace,
      catalog: await readCatalog(session, { ledger: config.ledger }),
      ledger,
      replay,
    }
  } finally {
    await session.close()
  }
}

async function compare(
  live: Live,
  shadow: Shadow,
  signal: AbortSignal,
  observer: Observer,
): Promise<{ readonly drift: DriftReport; readonly notes: readonly string[] }> {
  const { config, replay } = live
  const { ledger } = config
  const foreign = live.catalog.major !== shadow.major
  const session = await shadow.sessions.current()
  const is = foreign
    ? await carryOver(live.catalog, session, { ledger, major: shadow.major, signal })
    : live.catalog
  if (foreign) await shadow.renew()
  const should = await replayed(replay.steps, shadow, config, signal, observer)
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
  steps: readonly Step[],
  shadow: Shadow,
  config: DatabaseConfig,
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
  return readCatalog(await shadow.sessions.current(), { ledger: config.ledger })
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
