import type { Config } from '../config/config.js'
import { readDownSql } from '../database/ledger.js'
import { downsFromLedger, planDown, type DownGoal } from '../plan/plan.js'
import type { Report } from '../report.js'
import { ledgerScriptText, scriptReader } from '../workspace/workspace.js'
import { changeUnderLock, type Decide } from './change-under-lock.js'
import {
  onEachDatabase,
  refuseUnaskedEmbedded,
  refuseUnchosen,
  type Opened,
  type RunOptions,
} from './with-database.js'

export interface MigrateDownOptions extends RunOptions {
  /** Errors show no values of rows. */
  readonly redact?: boolean
  /** False: what the role may not do is found out by doing it. */
  readonly preflight?: boolean
  readonly goal?: DownGoal
  readonly dryRun?: boolean
  readonly singleTransaction?: boolean
  readonly yes?: boolean
}

/** Rolls back: the last applied migration, a number of them, all above a version, or all. */
export async function migrateDown(config: Config, options: MigrateDownOptions = {}): Promise<Report> {
  const { dryRun = false, singleTransaction = false, goal = { kind: 'steps', count: 1 } } = options
  if (!dryRun) {
    refuseUnchosen(config, 'migrate down', options.yes === true)
    refuseUnaskedEmbedded(config)
  }
  const databases = await onEachDatabase(config, 'migrate down', options, (opened) =>
    changeUnderLock(opened, [decideDown(opened, goal)], {
      dryRun,
      singleTransaction,
      redact: options.redact,
      preflight: options.preflight,
    }),
  )
  return { command: 'migrate down', ok: databases.every(({ ok }) => ok), databases }
}

/** Migrations whose file is gone (another branch) are rolled back with the SQL that the ledger kept. */
export function decideDown({ workspace, config }: Opened, goal: DownGoal): Decide {
  const text = scriptReader()
  return async (ledger, session) => {
    const kept = new Map<string, string>()
    for (const version of downsFromLedger(workspace, ledger, goal)) {
      const sql = await readDownSql(session, config.ledger, version)
      if (sql !== undefined) kept.set(version, sql)
    }
    return planDown(workspace, ledger, goal, {
      text,
      ledgerText({ version, name }) {
        const sql = kept.get(version)
        return sql === undefined ? undefined : ledgerScriptText(name, sql)
      },
    })
  }
}
