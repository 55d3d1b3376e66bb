import type { Config } from '../config/config.js'
import { planUp, type UpGoal } from '../plan/plan.js'
import type { Report } from '../report.js'
import { scriptReader } from '../workspace/workspace.js'
import { changeUnderLock } from './change-under-lock.js'
import { onEachDatabase, refuseUnaskedEmbedded, type RunOptions } from './with-database.js'

export interface MigrateUpOptions extends RunOptions {
  readonly goal?: UpGoal
  readonly dryRun?: boolean
  readonly allowOutOfOrder?: boolean
  readonly singleTransaction?: boolean
}

/**
 * Applies what is pending, each migration in a transaction with its ledger row.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await migrateUp(config)
 */
export async function migrateUp(config: Config, options: MigrateUpOptions = {}): Promise<Report> {
  const {
    dryRun = false,
    allowOutOfOrder = false,
    singleTransaction = false,
    goal = { kind: 'latest' },
  } = options
  if (!dryRun) refuseUnaskedEmbedded(config)
  const databases = await onEachDatabase(config, 'migrate up', options, (opened) => {
    const text = scriptReader()
    return changeUnderLock(
      opened,
      [(ledger) => planUp(opened.workspace, ledger, goal, { allowOutOfOrder, singleTransaction }, { text })],
      { dryRun, singleTransaction },
    )
  })
  return { command: 'migrate up', ok: databases.every(({ ok }) => ok), databases }
}
