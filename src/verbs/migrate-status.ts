import type { Config } from '../config/config.js'
import { readLedger } from '../database/ledger.js'
import { statusOf } from '../plan/plan.js'
import { recogniseSquashes } from '../plan/squash.js'
import { readRepeatables, type RepeatableEntry } from '../database/repeatable-ledger.js'
import type { RepeatableStatus, Report, StatusSummary } from '../report.js'
import { scriptReader, type Workspace } from '../workspace/workspace.js'
import { describeRecognition, notesOf } from './change-under-lock.js'
import { onEachDatabase, type RunOptions } from './with-database.js'

export interface MigrateStatusOptions extends RunOptions {
  /** Report `ok: false` (exit 1) when anything is not as the files say. */
  readonly strict?: boolean
  /** Of each target of the configuration's fleet. */
  readonly fleet?: boolean
  readonly concurrency?: number
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
        const repeatable = repeatableStatus(workspace, await readRepeatables(session, settings.ledger))
        return {
          ok:
            options.strict !== true ||
            (isSettled(summary) && repeatable.every(({ state }) => state === 'applied')),
          migrations,
          summary,
          ...(repeatable.length === 0 ? {} : { repeatable }),
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

function repeatableStatus(
  { repeatable }: Workspace,
  known: readonly RepeatableEntry[],
): readonly RepeatableStatus[] {
  const about = (entry: RepeatableEntry | undefined): object =>
    entry === undefined ? {} : { appliedAt: entry.appliedAt, appliedBy: entry.appliedBy }
  return [
    ...repeatable.map(({ name, up }): RepeatableStatus => {
      const entry = known.find((one) => one.name === name)
      const state = entry === undefined ? 'pending' : entry.checksum === up.checksum ? 'applied' : 'changed'
      return { name, state, ...about(entry) }
    }),
    ...known
      .filter(({ name }) => !repeatable.some((one) => one.name === name))
      .map((entry): RepeatableStatus => ({ name: entry.name, state: 'missing', ...about(entry) })),
  ]
}

/** Nothing to apply and nothing to explain; an edited down alone stops nothing. */
function isSettled(summary: StatusSummary): boolean {
  return (
    summary.pending + summary['out-of-order'] + summary.edited + summary.missing + summary.interrupted === 0
  )
}
