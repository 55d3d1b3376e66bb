import type { Config, DatabaseConfig } from '../config/config.js'
import { reportOf, type DatabaseReport } from '../report.js'
import { asProblem, type RunOptions } from './with-database.js'

/**
 * Runs `body` for each selected database, one after the other, without opening it; the first that fails ends the command, the
 * others are reported as not run.
 */
export async function inTurn(
  config: Config,
  options: RunOptions,
  body: (database: DatabaseConfig) => Promise<Omit<DatabaseReport, 'database'>>,
): Promise<readonly DatabaseReport[]> {
  const signal = options.signal ?? new AbortController().signal
  const reports: DatabaseReport[] = []
  for (const database of config.databases) {
    const { name } = database
    if (reports.some(({ ok }) => !ok)) {
      reports.push({ database: name, ok: false, notes: ['not run, because of the failure before it'] })
      continue
    }
    try {
      reports.push({ database: name, ...(await body(database)) })
    } catch (error) {
      reports.push({ database: name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  }
  return reports
}
