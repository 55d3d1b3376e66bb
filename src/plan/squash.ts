import type { Ledger, LedgerEntry, NewEntry } from '../database/ledger.js'
import { problem } from '../errors.js'
import type { Migration, Workspace } from '../workspace/workspace.js'
import { entryOf, type Readers } from './plan.js'

/** Ledger rows of migrations that a squash took the place of, and the row that says the same. */
export interface Recognition {
  readonly migration: Migration
  /** Of the squash: it takes the place, and the moment, of the last one. */
  readonly entry: NewEntry
  /** The versions whose rows go. */
  readonly gone: readonly string[]
}

/**
 * What a ledger that was written before a squash says in the words of the files there are now. A database that has all that was squashed
 * has the squash; one that has none of it will get the squash; one in between has to be brought to the end of the old history with
 * the old files first: `plan.squashed`.
 */
export function recogniseSquashes(
  workspace: Workspace,
  ledger: Ledger,
  readers: Readers,
): { readonly ledger: Ledger; readonly recognised: readonly Recognition[] } {
  let known = ledger
  const recognised: Recognition[] = []
  for (const migration of workspace.migrations) {
    const recognition = recognise(migration, known, workspace, readers)
    if (recognition === undefined) continue
    recognised.push(recognition)
    known = { ...known, entries: known.entries.flatMap((entry) => rewritten(entry, recognition)) }
  }
  return { ledger: known, recognised }
}

function recognise(
  migration: Migration,
  ledger: Ledger,
  workspace: Workspace,
  readers: Readers,
): Recognition | undefined {
  const { replaces, version, name, up } = migration
  if (replaces === undefined) return undefined
  const entries = new Map(ledger.entries.map((entry) => [entry.version, entry]))
  if (entries.get(version)?.upChecksum === up.checksum) return undefined
  const all = [...replaces.optional, ...replaces.versions]
  const present = all.flatMap((one) => entries.get(one) ?? [])
  if (present.length === 0) return undefined
  const missing = replaces.versions.filter((one) => entries.get(one)?.state !== 'applied')
  const last = entries.get(version)
  if (missing.length > 0 || last === undefined)
    throw problem('plan.squashed', {
      database: workspace.database,
      squash: name,
      has: present.map((entry) => entry.name),
      missing,
    })
  return {
    migration,
    entry: entryOf(migration, last.outOfOrder, readers),
    gone: present.map((entry) => entry.version).filter((one) => one !== version),
  }
}

function rewritten(entry: LedgerEntry, { entry: squash, gone }: Recognition): readonly LedgerEntry[] {
  if (gone.includes(entry.version)) return []
  if (entry.version !== squash.version) return [entry]
  const { name, upChecksum, downChecksum, transactional, downSql } = squash
  return [{ ...entry, name, upChecksum, downChecksum, transactional, hasDownSql: downSql !== undefined }]
}
