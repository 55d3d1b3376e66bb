import { cancellable, interruption, settings } from '../apply/run-transaction.js'
import { sqlFailure } from '../apply/sql-failure.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { BEGIN } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import type { DbkitError } from '../errors.js'
import { refuseObstacles, type ScriptText } from '../workspace/migration-file.js'

/** Runs the script that fails where a migration has not done what it should, and takes back whatever it does. Returns why it failed. */
export async function runCheck(
  script: ScriptText,
  session: Session,
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<DbkitError | undefined> {
  const [refused] = refuseObstacles(script)
  if (refused !== undefined) return refused
  const scope = { scope: 'transaction', lockTimeoutMs: 0, serverSettings: [] } as const
  const before = [BEGIN, ...settings({ script }, config, scope)]
  const prefix = `${before.join(';')};`
  try {
    await cancellable(session, signal, () => session.script(`${prefix}${script.text}\n;rollback`))
    return undefined
  } catch (error) {
    if (signal.aborted) throw interruption(signal)
    if (!(error instanceof SqlError) || error.connectionLost) throw error
    await session.script('rollback')
    const sent = { start: 0, charactersBefore: [...prefix].length, statementsBefore: before.length }
    return sqlFailure(error, script, sent)
  }
}
