import type { ForeignEntry, ForeignLedger } from '../database/foreign-ledgers.js'
import { problem, type DbkitError } from '../errors.js'
import { canonicalVersion } from '../workspace/version.js'
import type { Migration, Workspace } from '../workspace/workspace.js'

/** What the ledger of another tool says, in the words of the files. */
export interface TakeOver {
  /** In the order of the files. */
  readonly applied: readonly { readonly migration: Migration; readonly at: string | undefined }[]
  /** Applied migrations whose file had another text then. */
  readonly edited: readonly Migration[]
  readonly problems: readonly DbkitError[]
  readonly notes: readonly string[]
}

/** Tells which migrations a database has, by the ledger of another tool; `checksumOf` makes of a file what that tool keeps of it. */
export function planTakeOver(
  workspace: Workspace,
  ledger: ForeignLedger,
  checksumOf: (migration: Migration) => string | undefined,
): TakeOver {
  const problems: DbkitError[] = []
  const notes: string[] = []
  const found = new Map<Migration, ForeignEntry>()
  const unknown: string[] = []
  for (const entry of ledger.entries) {
    if (entry.state === 'failed')
      problems.push(problem('import.failed-there', { tool: ledger.tool, migration: entry.key }))
    const migrations = matching(workspace, ledger, entry, found)
    if (typeof migrations === 'string') notes.push(migrations)
    else if (migrations.length === 0) unknown.push(entry.key)
    else
      for (const migration of migrations)
        if (entry.state === 'undone') found.delete(migration)
        else found.set(migration, entry)
  }
  if (unknown.length > 0)
    problems.push(problem('import.unknown-there', { tool: ledger.tool, migrations: unknown }))
  const applied = workspace.migrations.flatMap((migration) => {
    const entry = found.get(migration)
    return entry === undefined ? [] : [{ migration, at: entry.at }]
  })
  const edited = applied.flatMap(({ migration }) => {
    const kept = found.get(migration)?.checksum
    const now = checksumOf(migration)
    return kept === undefined || now === undefined || kept === now ? [] : [migration]
  })
  const last = applied.at(-1)?.migration
  const late = workspace.migrations.filter(
    (migration) =>
      !found.has(migration) && last !== undefined && workspace.order(migration.version, last.version) < 0,
  )
  if (late.length > 0)
    notes.push(`pending before what is applied: ${late.map(({ name }) => name).join(', ')}`)
  return { applied, edited, problems, notes }
}

/** The migrations that a row speaks of; a text: why it speaks of none. */
function matching(
  { migrations, order }: Workspace,
  { tool }: ForeignLedger,
  entry: ForeignEntry,
  found: ReadonlyMap<Migration, ForeignEntry>,
): readonly Migration[] | string {
  const { key } = entry
  const named = (name: string): readonly Migration[] => migrations.filter(({ version }) => version === name)
  switch (tool) {
    case 'golang-migrate': {
      // One row says how far it came.
      const last = canonicalVersion(key)
      return named(last).length === 0 ? [] : migrations.filter(({ version }) => order(version, last) <= 0)
    }
    case 'sqlx':
    case 'goose':
      return named(canonicalVersion(key))
    case 'flyway': {
      if (key.startsWith('R__')) return `${key} is repeatable: it has no version to be recorded`
      if (entry.kind === 'SCHEMA' || entry.kind === 'DELETE') return `Flyway recorded ${entry.kind} ${key}`
      const version = key
        .split('.')
        .map(canonicalVersion)
        .join('.')
        .replace(/(?:\.0)+$/, '')
      if (entry.kind === 'BASELINE') {
        const below = migrations.filter((one) => order(one.version, version) <= 0)
        return below.length === 0 ? `Flyway recorded a baseline at ${key}, of which no file is here` : below
      }
      return named(version)
    }
    case 'sqitch': {
      const instances = migrations.filter(({ version }) => version.replace(/#\d+$/, '') === key)
      const next = instances.find((migration) => !found.has(migration))
      return next === undefined ? [] : [next]
    }
    case 'drizzle':
      return migrations.filter((migration) => migration.key === key || migration.key === entry.checksum)
    case 'graphile-migrate':
      return named(canonicalVersion(/^\d+/.exec(key)?.[0] ?? ''))
    default:
      return named(key)
  }
}
