import { applyPlan } from '../apply/apply-plan.js'
import type { Observer } from '../apply/observer.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
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
  { shadowUrl, purpose, signal, observer }: MigratedOptions,
): Promise<{ readonly catalog: Catalog; readonly engine: EngineReport }> {
  observer({
    kind: 'opening',
    database: database.name,
    engine: shadowUrl === undefined ? 'embedded' : 'server',
  })
  const options = {
    url: shadowUrl,
    purpose,
    signal,
    extensions: () => extensionsOf(workspace),
    roles: () => rolesOf(workspace),
  }
  return withShadow(config, database, options, async ({ sessions, engine }) => {
    const { ledger } = database
    await createLedger(await sessions.current(), ledger)
    const plan = planUp(
      workspace,
      { exists: true, entries: [] },
      { kind: 'latest' },
      { allowOutOfOrder: false, singleTransaction: false },
      { text: scriptReader() },
    )
    const applied = await applyPlan(plan, sessions, database, { signal, observer, singleTransaction: false })
    if (applied.error !== undefined) throw applied.error
    return { catalog: await readCatalog(await sessions.current(), { ledger }), engine }
  })
}
