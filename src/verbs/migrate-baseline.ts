import type { Config } from '../config/config.js'
import { completeEntrySql, createLedger, insertEntrySql, readLedger } from '../database/ledger.js'
import { DBKIT_VERSION } from '../package-version.js'
import { planBaseline } from '../plan/plan.js'
import type { Report } from '../report.js'
import { readScriptText } from '../workspace/workspace.js'
import { onEachDatabase, refuseUnaskedEmbedded, type RunOptions } from './with-database.js'

export interface MigrateBaselineOptions extends RunOptions {
  readonly version: string
  readonly dryRun?: boolean
}

/** Records everything up to a version as applied without running it: for a database that had its schema before dbkit came. */
export async function migrateBaseline(config: Config, options: MigrateBaselineOptions): Promise<Report> {
  if (options.dryRun !== true) refuseUnaskedEmbedded(config)
  const databases = await onEachDatabase(config, 'migrate baseline', options, async (opened) => {
    const { database, workspace, config: settings, signal } = opened
    const place = settings.ledger
    const session = await database.session()
    try {
      const lock = { name: `${place.schema}.${place.table}`, waitMs: settings.lockWaitMs, signal }
      const record = async (): Promise<readonly { version: string; name: string }[]> => {
        const ledger = await readLedger(session, place)
        const entries = planBaseline(workspace, ledger, options.version, { text: readScriptText })
        if (options.dryRun === true) return entries
        if (!ledger.exists) await createLedger(session, place)
        const rows = entries.map(
          (entry) =>
            `${insertEntrySql(place, entry, 'applied', DBKIT_VERSION)};${completeEntrySql(place, entry.version)}`,
        )
        await session.script(['begin', ...rows, 'commit'].join(';'))
        return entries
      }
      const entries = options.dryRun === true ? await record() : await database.withLock(lock, record)
      return {
        ok: true,
        steps: entries.map(({ version, name }) => ({
          version,
          name,
          direction: 'up' as const,
          outcome: options.dryRun === true ? ('not-run' as const) : ('recorded' as const),
        })),
      }
    } finally {
      await session.close()
    }
  })
  return { command: 'migrate baseline', ok: databases.every(({ ok }) => ok), databases }
}
