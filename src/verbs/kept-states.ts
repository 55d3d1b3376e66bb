import { hash } from 'node:crypto'
import type { DatabaseConfig } from '../config/config.js'
import type { Ledger } from '../database/ledger.js'
import { PGLITE_VERSION } from '../database/pglite-version.js'
import { DBKIT_VERSION } from '../package-version.js'
import type { UpGoal } from '../plan/plan.js'
import { findVersion } from '../workspace/version.js'
import type { Workspace } from '../workspace/workspace.js'
import type { Opened } from './with-database.js'

/** What a database stands for that these migrations alone have made; undefined where something else had a hand in it. */
export function stateOfLedger(
  ledger: Ledger,
  { workspace, config }: Pick<Opened, 'workspace' | 'config'>,
): string | undefined {
  // What code imports is in no checksum.
  if (workspace.migrations.some(({ up }) => up.module !== undefined)) return undefined
  return stateKeys(ledger.entries, config).at(-1)
}

/** The states on the way to the goal, the furthest first. With --step the way is not known before the ledger is read. */
export function startingStates(
  workspace: Workspace,
  settings: DatabaseConfig,
  goal: UpGoal,
): readonly string[] {
  if (goal.kind === 'steps') return []
  const wanted = goal.kind === 'latest' ? undefined : findVersion(goal.version, workspace.migrations)
  const end =
    goal.kind === 'latest'
      ? workspace.migrations.length
      : workspace.migrations.findIndex(({ version }) => version === wanted) + 1
  const firstModule = workspace.migrations.findIndex(({ up }) => up.module !== undefined)
  const parts = workspace.migrations
    .slice(0, firstModule < 0 ? end : Math.min(end, firstModule))
    .map(({ name, up, down }) => ({ name, upChecksum: up.checksum, downChecksum: down?.checksum }))
  return [...stateKeys(parts, settings)].reverse()
}

/**
 * A key for each state of a history: all that goes into a database that these migrations alone have made. The first is what a ledger of
 * one entry stands for, and so on.
 */
function stateKeys(
  history: readonly {
    readonly name: string
    readonly upChecksum: string
    readonly downChecksum: string | undefined
  }[],
  { ledger, searchPath, timeZone }: DatabaseConfig,
): readonly string[] {
  const keys: string[] = []
  let key = hash(
    'sha256',
    JSON.stringify([DBKIT_VERSION, PGLITE_VERSION, ledger, searchPath, timeZone]),
    'hex',
  )
  for (const { name, upChecksum, downChecksum } of history)
    keys.push((key = hash('sha256', JSON.stringify([key, name, upChecksum, downChecksum]), 'hex')))
  return keys
}
