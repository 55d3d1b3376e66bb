import type { Config } from '../config/config.js'
import { problem } from '../errors.js'
import { planUp, type DownGoal } from '../plan/plan.js'
import type { Report } from '../report.js'
import { scriptReader } from '../workspace/workspace.js'
import { changeUnderLock, type Decide } from './change-under-lock.js'
import { decideDown } from './migrate-down.js'
import {
  onEachDatabase,
  refuseUnaskedEmbedded,
  refuseUnchosen,
  type Opened,
  type RunOptions,
} from './with-database.js'

export interface MigrateRedoOptions extends RunOptions {
  /** Errors show no values of rows. */
  readonly redact?: boolean
  /** False: what the role may not do is found out by doing it. */
  readonly preflight?: boolean
  /** How many to roll back and apply again. Default: 1 */
  readonly count?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Rolls back the last applied migration (or several) and applies what was rolled back again, under one lock. */
export async function migrateRedo(config: Config, options: MigrateRedoOptions = {}): Promise<Report> {
  const { dryRun = false, count = 1 } = options
  if (!dryRun) {
    refuseUnchosen(config, 'migrate redo', options.yes === true)
    refuseUnaskedEmbedded(config)
  }
  const databases = await onEachDatabase(config, 'migrate redo', options, (opened) =>
    changeUnderLock(opened, redo(opened, { kind: 'steps', count }), {
      dryRun,
      singleTransaction: false,
      redact: options.redact,
      preflight: options.preflight,
    }),
  )
  return { command: 'migrate redo', ok: databases.every(({ ok }) => ok), databases }
}

function redo(opened: Opened, goal: DownGoal): readonly Decide[] {
  const { workspace } = opened
  const down = decideDown(opened, goal)
  const text = scriptReader()
  const rolledBack = new Set<string>()
  return [
    async (ledger, session) => {
      if (ledger.entries.length === 0) throw problem('plan.nothing-applied', { database: workspace.database })
      const plan = await down(ledger, session)
      // A migration without a file could not be applied again.
      for (const { version, name, source } of plan.steps)
        if (source === 'ledger') throw problem('plan.file-gone', { file: name })
        else rolledBack.add(version)
      return plan
    },
    (ledger) => {
      const only = {
        ...workspace,
        migrations: workspace.migrations.filter(({ version }) => rolledBack.has(version)),
      }
      return {
        ...planUp(
          only,
          ledger,
          { kind: 'latest' },
          { allowOutOfOrder: true, singleTransaction: false },
          { text },
        ),
        notes: [],
      }
    },
  ]
}
