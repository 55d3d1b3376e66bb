import { problem, type DbkitError } from '../errors.js'
import type { ColumnMap } from './map-columns.js'
import { columnOf, type SeedForeignKey, type SeedKey, type SeedTable } from './seed-tables.js'

/** A table of a seed set, with the column maps of its files. */
export interface TableFiles {
  readonly table: SeedTable
  readonly maps: readonly ColumnMap[]
}

export interface LoadOrder {
  readonly tables: readonly SeedTable[]
  /** By oid of the table: the columns that are loaded as NULL first and filled in when all tables are loaded. */
  readonly postponed: ReadonlyMap<string, ReadonlySet<string>>
  /** True: some references point forwards, and their constraints are checked at the end. */
  readonly deferred: boolean
}

/** A reference from one table of the set to another (or to itself) that its files fill in. */
interface Reference {
  readonly from: SeedTable
  readonly to: SeedTable
  readonly foreignKey: SeedForeignKey
  /** Found by a natural key: the row has to be there before, whatever is deferred. */
  readonly byLookup: boolean
  /** The columns that can be NULL first; empty when that cannot be. */
  readonly postponable: readonly string[]
}

/**
 * The order in which the tables of a set can be loaded: what is referred to comes first. In a cycle one reference has to give way: a
 * deferrable constraint is checked later, a nullable column is filled in later. A cycle without either is a problem that names it.
 */
export function orderTables(set: readonly TableFiles[]): LoadOrder | DbkitError {
  const references = set.flatMap((one) => referencesOf(one, set))
  const postponed = new Map<string, Set<string>>()
  let deferred = false
  const standing = new Set(references)
  for (;;) {
    const cycle = findCycle(
      set.map(({ table }) => table),
      standing,
    )
    if (cycle === undefined) break
    const weak =
      cycle.find(({ foreignKey, byLookup }) => foreignKey.deferrable && !byLookup) ??
      cycle.find(({ postponable }) => postponable.length > 0)
    if (weak === undefined) return problem('seed.cycle', { path: describeCycle(cycle) })
    standing.delete(weak)
    if (weak.foreignKey.deferrable && !weak.byLookup) deferred = true
    else {
      const columns = postponed.get(weak.from.oid) ?? new Set()
      postponed.set(weak.from.oid, columns)
      for (const column of weak.postponable) columns.add(column)
    }
  }
  return { tables: sortTables(set, standing), postponed, deferred }
}

function referencesOf({ table, maps }: TableFiles, set: readonly TableFiles[]): readonly Reference[] {
  return table.foreignKeys.flatMap((foreignKey) => {
    const to = set.find((other) => other.table.oid === foreignKey.references)?.table
    const targets = maps
      .flatMap((map) => map.targets)
      .filter(({ column }) => foreignKey.columns.includes(column.name))
    if (to === undefined || targets.length === 0) return []
    const byLookup = targets.some(({ lookup }) => lookup?.foreignKey === foreignKey)
    // Within one statement a table may refer to its own new rows; from one file to a later one it may not.
    if (to.oid === table.oid && !byLookup && maps.length === 1) return []
    return [
      { from: table, to, foreignKey, byLookup, postponable: postponableColumns(foreignKey, table, maps) },
    ]
  })
}

/** Which columns of a foreign key can be NULL for a while; none when a row could not be stored or found again without them. */
function postponableColumns(
  foreignKey: SeedForeignKey,
  table: SeedTable,
  maps: readonly ColumnMap[],
): readonly string[] {
  const nullable = foreignKey.columns.filter((name) => columnOf(table, name)?.notNull === false)
  if (foreignKey.matchFull && nullable.length < foreignKey.columns.length) return []
  const looked = maps.flatMap(({ targets }) =>
    targets.filter(({ lookup }) => lookup?.foreignKey === foreignKey).map(({ column }) => column.name),
  )
  if (looked.some((name) => !nullable.includes(name))) return []
  const stillFound = maps.every(
    (map) => !givesColumns(map, foreignKey.columns) || usableKeys(map, new Set(nullable)).length > 0,
  )
  return stillFound ? nullable : []
}

function givesColumns({ targets }: ColumnMap, names: readonly string[]): boolean {
  return targets.some(({ column }) => names.includes(column.name))
}

/**
 * The keys that can tell the rows of a file apart, the best first: a natural key before the primary key, one that is never null before
 * one that may be, one that ON CONFLICT can use before one that is checked later.
 */
export function usableKeys(
  { table, targets }: ColumnMap,
  postponed: ReadonlySet<string> = new Set(),
): readonly SeedKey[] {
  const given = new Set(targets.map(({ column }) => column.name).filter((name) => !postponed.has(name)))
  const mayBeNull = ({ columns }: SeedKey): boolean =>
    columns.some((name) => {
      const target = targets.find(({ column }) => column.name === name)
      return target === undefined || target.sometimesMissing || !target.column.notNull
    })
  const rank = (key: SeedKey): readonly number[] => [
    Number(mayBeNull(key) && !key.nullsEqual),
    Number(key.primary),
    Number(key.deferrable),
    key.columns.length,
  ]
  return table.keys
    .filter(({ columns }) => columns.every((name) => given.has(name)))
    .sort((a, b) => {
      const [left, right] = [rank(a), rank(b)]
      const differing = left.findIndex((value, index) => value !== right[index])
      return differing < 0 ? compareNames(a.name, b.name) : (left[differing] ?? 0) - (right[differing] ?? 0)
    })
}

/** The references of a cycle, in the order in which they lead round; undefined when there is none. */
function findCycle(
  tables: readonly SeedTable[],
  references: ReadonlySet<Reference>,
): readonly Reference[] | undefined {
  const finished = new Set<string>()
  const path: Reference[] = []
  const visit = (table: SeedTable): readonly Reference[] | undefined => {
    const start = path.findIndex(({ from }) => from.oid === table.oid)
    if (start >= 0) return path.slice(start)
    if (finished.has(table.oid)) return undefined
    for (const reference of references) {
      if (reference.from.oid !== table.oid) continue
      path.push(reference)
      const cycle = visit(reference.to)
      if (cycle !== undefined) return cycle
      path.pop()
    }
    finished.add(table.oid)
    return undefined
  }
  for (const table of tables) {
    const cycle = visit(table)
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/** Referenced tables first; among those that may come next, the first by name, so that every run has the same order. */
function sortTables(set: readonly TableFiles[], references: ReadonlySet<Reference>): readonly SeedTable[] {
  const waiting = set.map(({ table }) => table).sort((a, b) => compareNames(a.shown, b.shown))
  const sorted: SeedTable[] = []
  while (waiting.length > 0) {
    const index = waiting.findIndex((table) =>
      [...references].every(
        ({ from, to }) => from.oid !== table.oid || !waiting.some(({ oid }) => oid === to.oid),
      ),
    )
    sorted.push(...waiting.splice(index, 1))
  }
  return sorted
}

function describeCycle(cycle: readonly Reference[]): string {
  const first = cycle[0]?.from.shown ?? ''
  return [
    ...cycle.map(({ from, foreignKey }) => `${from.shown}.${foreignKey.columns.join('+')}`),
    first,
  ].join(' -> ')
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
