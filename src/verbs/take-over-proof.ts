import { applyPlan } from '../apply/apply-plan.js'
import { runAllRepeatables } from '../apply/run-repeatables.js'
import type { Catalog } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config } from '../config/config.js'
import type { Session } from '../database/database.js'
import { tablesOf, type ForeignLedger } from '../database/foreign-ledgers.js'
import { createLedger } from '../database/ledger.js'
import { planUp } from '../plan/plan.js'
import type { TakeOver } from '../plan/take-over.js'
import { carryOver, rolesNamedBy } from '../prove/carry-over.js'
import { withoutParts } from '../prove/judge.js'
import { withShadow, type Shadow } from '../prove/shadow.js'
import type { DriftReport } from '../report.js'
import { extensionsOf, readScriptText, rolesOf, type Workspace } from '../workspace/workspace.js'
import type { ImportMigrationsOptions } from './import-migrations.js'
import type { Opened } from './with-database.js'

export async function compareWithLive(
  config: Config,
  opened: Opened,
  session: Session,
  ledger: ForeignLedger,
  { applied }: TakeOver,
  options: ImportMigrationsOptions,
): Promise<DriftReport> {
  const { config: settings, workspace } = opened
  const leaveOut = tablesOf(ledger.tool, ledger.place)
  const live = await readCatalog(session, { ledger: settings.ledger, leaveOut })
  const migrations = applied.map(({ migration }) => migration)
  return onShadow(config, opened, live, options, async (shadow) => {
    const is = await asShadowSays(live, shadow, opened)
    const should = await migrated({ ...workspace, migrations }, shadow, opened)
    const last = migrations.at(-1)
    return differencesOf(should, is, shadow, last?.name)
  })
}

export function onShadow<T>(
  config: Config,
  { config: settings, workspace, signal, observer }: Opened,
  live: Catalog,
  { shadowUrl }: ImportMigrationsOptions,
  body: (shadow: Shadow) => Promise<T>,
): Promise<T> {
  const about = {
    url: shadowUrl,
    local: settings.target.kind !== 'embedded',
    purpose: 'import migrations',
    signal,
    observer,
    extensions: () => [
      ...extensionsOf(workspace),
      ...[...live.facts.values()].flatMap(({ kind, name }) => (kind === 'extension' ? [name] : [])),
    ],
    roles: () => [...rolesOf(workspace), ...rolesNamedBy(live)],
  }
  return withShadow(config, settings, about, body)
}

/** Majors word the same definition differently. */
export async function asShadowSays(
  live: Catalog,
  shadow: Shadow,
  { config, signal }: Opened,
): Promise<Catalog> {
  if (live.major === shadow.major) return live
  const session = await shadow.sessions.current()
  const is = await carryOver(live, session, { ledger: config.ledger, major: shadow.major, signal })
  await shadow.renew()
  return is
}

async function migrated(
  workspace: Workspace,
  shadow: Shadow,
  { config, signal, observer }: Opened,
): Promise<Catalog> {
  await createLedger(await shadow.sessions.current(), config.ledger)
  const plan = planUp(
    workspace,
    { exists: true, entries: [] },
    { kind: 'latest' },
    { allowOutOfOrder: true, singleTransaction: false },
    { text: readScriptText },
  )
  const { error } = await applyPlan(plan, shadow.sessions, config, {
    signal,
    observer: () => undefined,
    singleTransaction: false,
  })
  observer({
    kind: 'proof',
    database: config.name,
    what: 'the database against its migrations',
    index: 0,
    total: 1,
  })
  if (error !== undefined) throw error
  await runAllRepeatables(workspace.repeatable, shadow.sessions, readScriptText, { config, signal })
  return readCatalog(await shadow.sessions.current(), { ledger: config.ledger })
}

function differencesOf(should: Catalog, is: Catalog, shadow: Shadow, at: string | undefined): DriftReport {
  const { differences } = compareCatalogs(should, is)
  return {
    ...(at === undefined ? {} : { at }),
    comparedOn: shadow.engine,
    differences: withoutParts(differences).map((difference) => ({
      object: difference.key,
      kind: difference.kind === 'added' ? 'extra' : difference.kind === 'removed' ? 'missing' : 'changed',
      changes:
        difference.kind === 'changed'
          ? describeDifference(difference).map((line) => line.slice(difference.key.length + 2))
          : [],
      explanation: { kind: 'unknown' },
    })),
  }
}
