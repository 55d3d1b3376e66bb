import { applyPlan } from '../apply/apply-plan.js'
import { runAllRepeatables } from '../apply/run-repeatables.js'
import type { Observer } from '../apply/observer.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { createLedger } from '../database/ledger.js'
import { planUp } from '../plan/plan.js'
import type { EngineReport } from '../report.js'
import { extensionsOf, rolesOf, scriptReader, type Workspace } from '../workspace/workspace.js'
import { withShadow } from './shadow.js'

export interface MigratedOptions {
  /** A server on which a database is created for it. Default: the embedded engine */
  readonly shadowUrl?: string | undefined
  readonly purpose: string
  readonly signal: AbortSignal
  readonly observer: Observer
}

/** What the migrations make of an empty database: all of them applied on a shadow, which is thrown away. */
export async function readMigratedCatalog(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  options: MigratedOptions,
): Promise<{ readonly catalog: Catalog; readonly engine: EngineReport }> {
  const { ledger } = database
  const { result, engine } = await withMigrated(config, database, workspace, options, (session) =>
    readCatalog(session, { ledger }),
  )
  return { catalog: result, engine }
}

/** Hands a session on such a shadow to `body`, for whoever reads more than the catalog. */
export async function withMigrated<T>(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  { shadowUrl, purpose, signal, observer }: MigratedOptions,
  body: (session: Session) => Promise<T>,
): Promise<{ readonly result: T; readonly engine: EngineReport }> {
  const options = {
    url: shadowUrl,
    observer,
    purpose,
    signal,
    extensions: () => extensionsOf(workspace),
    roles: () => rolesOf(workspace),
  }
  return withShadow(config, database, options, async ({ sessions, engine }) => {
    await createLedger(await sessions.current(), database.ledger)
    const plan = planUp(
      workspace,
      { exists: true, entries: [] },
      { kind: 'latest' },
      { allowOutOfOrder: false, singleTransaction: false },
      { text: scriptReader() },
    )
    const applied = await applyPlan(plan, sessions, database, { signal, observer, singleTransaction: false })
    if (applied.error !== undefined) throw applied.error
    await runAllRepeatables(workspace.repeatable, sessions, scriptReader(), { config: database, signal })
    return { result: await body(await sessions.current()), engine }
  })
}
