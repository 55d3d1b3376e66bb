import { relative } from 'node:path'
import type { Config } from '../config/config.js'
import { PGLITE_VERSION } from '../database/pglite-version.js'
import type { Ledger } from '../database/ledger.js'
import { planUp, type Plan, type UpGoal } from '../plan/plan.js'
import type { Report } from '../report.js'
import { scriptReader } from '../workspace/workspace.js'
import { changeUnderLock, type Outcome } from './change-under-lock.js'
import { startingStates, stateOfLedger } from './kept-states.js'
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

/** For a caller who goes on where the migrations end: states that have more than they make. */
export interface FurtherStates {
  readonly states?: readonly string[]
  /** A new embedded database began as a copy of this state. */
  readonly onRestored?: (key: string) => void
}

/** Its version decides how a data folder looks. */
export const EMBEDDED_ENGINE = `pglite ${PGLITE_VERSION}`

/**
 * Applies what is pending, each migration in a transaction with its ledger row.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await migrateUp(config)
 */
export async function migrateUp(
  config: Config,
  options: MigrateUpOptions = {},
  further: FurtherStates = {},
): Promise<Report> {
  const { dryRun = false, goal = { kind: 'latest' } } = options
  if (!dryRun) refuseUnaskedEmbedded(config)
  const databases = await onEachDatabase(
    config,
    'migrate up',
    options,
    async (opened) => {
      const restored = opened.database.made?.restored
      if (restored !== undefined) further.onRestored?.(restored)
      const outcome = await upOn(opened, options)
      if (opened.workspace.migrations.length > 0) return outcome
      // A folder named by mistake would else look like a database that is up to date.
      const folder = relative(config.root, opened.config.migrations) || '.'
      return { ...outcome, notes: [`there are no migrations in ${folder}`, ...(outcome.notes ?? [])] }
    },
    {
      states: (workspace, settings) =>
        dryRun
          ? []
          : [
              ...(further.states ?? []),
              ...startingStates(workspace, settings, goal, { engine: EMBEDDED_ENGINE }),
            ],
    },
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
    stateKey: (ledger) =>
      stateOfLedger(ledger, opened.workspace, opened.config, {
        engine: EMBEDDED_ENGINE,
        repeatables: goal.kind === 'latest',
      }),
  })
}
