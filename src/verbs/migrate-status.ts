import type { Config } from '../config/config.js'
import { readLedger } from '../database/ledger.js'
import { statusOf } from '../plan/plan.js'
import { recogniseSquashes } from '../plan/squash.js'
import type { Report, StatusSummary } from '../report.js'
import { scriptReader } from '../workspace/workspace.js'
import { describeRecognition, notesOf } from './change-under-lock.js'
import { onEachDatabase, type RunOptions } from './with-database.js'

export interface MigrateStatusOptions extends RunOptions {
  /** Report `ok: false` (exit 1) when anything is not as the files say. */
  readonly strict?: boolean
}

/** What is applied, pending, edited, missing, out of order or interrupted. */
export async function migrateStatus(config: Config, options: MigrateStatusOptions = {}): Promise<Report> {
  const databases = await onEachDatabase(
    config,
    'migrate status',
    options,
    async ({ database, workspace, config: settings }) => {
      const session = await database.session()
      try {
        const { ledger, recognised } = recogniseSquashes(
          workspace,
          await readLedger(session, settings.ledger),
          { text: scriptReader() },
        )
        const { migrations, summary } = statusOf(workspace, ledger)
        return {
          ok: options.strict !== true || isSettled(summary),
          migrations,
          summary,
          ...notesOf(recognised.map(describeRecognition)),
        }
      } finally {
        await session.close()
      }
    },
    { afterFailure: 'go-on' },
  )
  return { command: 'migrate status', ok: databases.every(({ ok }) => ok), databases }
}

/** Nothing to apply and nothing to explain; an edited down alone stops nothing. */
function isSettled(summary: StatusSummary): boolean {
  return (
    summary.pending + summary['out-of-order'] + summary.edited + summary.missing + summary.interrupted === 0
  )
}
