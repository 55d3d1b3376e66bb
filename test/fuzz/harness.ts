import { fuzz, settleConfig, type DatabaseReport, type FuzzedMigration, type FuzzOptions } from 'dbkit'
import type { Folder } from '../support/cli.js'
import { noteEngine, serverUrl } from '../support/server.js'

/** A shadow on the server where there is one; the embedded engine is as good, and slower. */
export function shadow(): Pick<FuzzOptions, 'shadowUrl'> {
  const url = serverUrl()
  noteEngine(url === undefined ? 'embedded PGlite 0.5.8' : 'server PostgreSQL')
  return url === undefined ? {} : { shadowUrl: url }
}

export async function fuzzIn({ path }: Folder, options: FuzzOptions = {}): Promise<DatabaseReport> {
  const config = await settleConfig({}, { cwd: path, environment: { HOME: process.env['HOME'] } })
  const [database] = (await fuzz(config, { ...shadow(), ...options })).databases
  if (database === undefined) throw new Error('no database in the report')
  return database
}

/** The migrations of a report; a run that stopped fails the test with its error. */
export function fuzzedOf({ error, fuzz: report }: DatabaseReport): readonly FuzzedMigration[] {
  if (error !== undefined) throw new Error(`${error.message} (${error.file ?? ''}:${String(error.line)})`)
  return report?.migrations ?? []
}
