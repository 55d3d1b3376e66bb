import { hash } from 'node:crypto'
import { relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { PGLITE_VERSION } from '../database/pglite-version.js'
import type { Ledger } from '../database/ledger.js'
import { DBKIT_VERSION } from '../package-version.js'
import { planUp, type Plan, type UpGoal } from '../plan/plan.js'
import type { Report } from '../report.js'
import { findVersion } from '../workspace/version.js'
import { scriptReader, type Workspace } from '../workspace/workspace.js'
import { changeUnderLock, type Outcome } from './change-under-lock.js'
import { onEachDatabase, refuseUnaskedEmbedded, type Opened, type RunOptions } from './with-database.js'

export interface MigrateUpOptions extends RunOptions {
  /** Errors show no values of rows. */
  readonly redact?: boolean
  /** False: what the role may not do is found out by doing it. */
  readonly preflight?: boolean
  readonly goal?: UpGoal
  readonly dryRun?: boolean
  readonly allowOutOfOrder?: boolean
  readonly singleTransaction?: boolean
  /** On each target of the configuration's fleet. */
  readonly fleet?: boolean
  /** How many targets of a fleet at a time. Default: as the configuration says, or 8 */
  readonly concurrency?: number
}

/**
 * Applies what is pending, each migration in a transaction with its ledger row.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await migrateUp(config)
 */
export async function migrateUp(config: Config, options: MigrateUpOptions = {}): Promise<Report> {
  const { dryRun = false, goal = { kind: 'latest' } } = options
  if (!dryRun) refuseUnaskedEmbedded(config)
  const databases = await onEachDatabase(
    config,
    'migrate up',
    options,
    async (opened) => {
      const outcome = await upOn(opened, options)
      if (opened.workspace.migrations.length > 0) return outcome
      // A folder named by mistake would else look like a database that is up to date.
      const folder = relative(config.root, opened.config.migrations) || '.'
      return { ...outcome, notes: [`there are no migrations in ${folder}`, ...(outcome.notes ?? [])] }
    },
    { states: (workspace, settings) => (dryRun ? [] : startingStates(workspace, settings, goal)) },
  )
  return { command: 'migrate up', ok: databases.every(({ ok }) => ok), databases }
}

/** Applies what is pending in one database. */
export function upOn(opened: Opened, options: MigrateUpOptions): Promise<Outcome> {
  const {
    dryRun = false,
    allowOutOfOrder = false,
    singleTransaction = false,
    goal = { kind: 'latest' },
  } = options
  const text = scriptReader()
  const decide = (ledger: Ledger): Plan =>
    planUp(opened.workspace, ledger, goal, { allowOutOfOrder, singleTransaction }, { text })
  return changeUnderLock(opened, [decide], {
    dryRun,
    singleTransaction,
    redact: options.redact,
    preflight: options.preflight,
    // Before the last migration they may name what is not there yet.
    repeatables: goal.kind === 'latest',
    // What code imports is in no checksum.
    stateKey: (ledger) =>
      opened.workspace.migrations.some(({ up }) => up.module !== undefined)
        ? undefined
        : stateKeys(ledger.entries, opened.config).at(-1),
  })
}

/** The states on the way to the goal, the furthest first. With --step the way is not known before the ledger is read. */
function startingStates(workspace: Workspace, settings: DatabaseConfig, goal: UpGoal): readonly string[] {
  if (goal.kind === 'steps') return []
  const wanted = goal.kind === 'latest' ? undefined : findVersion(goal.version, workspace.migrations)
  const end =
    goal.kind === 'latest'
      ? workspace.migrations.length
      : workspace.migrations.findIndex(({ version }) => version === wanted) + 1
  const firstModule = workspace.migrations.findIndex(({ up }) => up.module !== undefined)
  const parts = workspace.migrations
    .slice(0, firstModule < 0 ? end : Math.min(end, firstModule))
    .map(({ name, up, down }) => ({ name, upChecksum: up.checksum, downChecksum: down?.checksum }))
  return [...stateKeys(parts, settings)].reverse()
}

/**
 * A key for each state of a history: all that goes into a database that these migrations alone have made. The first is what a ledger of
 * one entry stands for, and so on.
 */
function stateKeys(
  history: readonly {
    readonly name: string
    readonly upChecksum: string
    readonly downChecksum: string | undefined
  }[],
  { ledger, searchPath, timeZone }: DatabaseConfig,
): readonly string[] {
  const keys: string[] = []
  let key = hash(
    'sha256',
    JSON.stringify([DBKIT_VERSION, PGLITE_VERSION, ledger, searchPath, timeZone]),
    'hex',
  )
  for (const { name, upChecksum, downChecksum } of history)
    keys.push((key = hash('sha256', JSON.stringify([key, name, upChecksum, downChecksum]), 'hex')))
  return keys
}
