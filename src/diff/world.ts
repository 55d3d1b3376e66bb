import { dependentsOf, partsOf, type Catalog, type Fact, type FactOf } from '../catalog/catalog.js'
import type { Table } from '../catalog/ddl-family.js'
import { quoteIfNeeded } from '../database/quote.js'

/** What becomes of a fact. */
export type Fate =
  | 'added'
  | 'removed'
  | 'altered'
  /** Dropped and made again, because it cannot be changed, or because what it needs is. */
  | 'remade'
  /** A type that columns have: put aside, made anew, and dropped when every column has the new one. */
  | 'replaced'
  /** Left to the next round, when what it depends on is seen. */
  | 'deferred'

/** Both catalogs, and what has been decided so far. */
export interface World {
  readonly before: Catalog
  readonly after: Catalog
  readonly fates: ReadonlyMap<string, Fate>
  /** Columns whose values are written anew, because their type is another one. */
  readonly retyped: ReadonlySet<string>
  /** Columns (and domains) whose default is taken off and set again. */
  readonly redefaulted: ReadonlySet<string>
}

/** Whether a fact of the old catalog is dropped. */
export function isGone(world: World, key: string): boolean {
  const fate = world.fates.get(key)
  return fate === 'removed' || fate === 'remade' || fate === 'replaced'
}

/** Whether a fact of the new catalog has to be made. */
export function isMade(world: World, key: string): boolean {
  const fate = world.fates.get(key)
  return fate === 'added' || fate === 'remade' || fate === 'replaced'
}

/** What it is a part of, and what that is a part of, and so on. */
export function wholesOf(fact: Fact, catalog: Catalog): readonly Fact[] {
  const parent = fact.parent === undefined ? undefined : catalog.facts.get(fact.parent)
  return parent === undefined ? [] : [parent, ...wholesOf(parent, catalog)]
}

/** Its parts, their parts, and so on. */
export function allPartsOf(key: string, catalog: Catalog): readonly Fact[] {
  return partsOf(catalog, key).flatMap((part) => [part, ...allPartsOf(part.key, catalog)])
}

export function isTable(fact: Fact | undefined): fact is Table {
  return fact?.kind === 'table' || fact?.kind === 'foreign table'
}

/** The table of a column, constraint, index, trigger or the like. */
export function tableOf(fact: Fact, catalog: Catalog): Table | undefined {
  return wholesOf(fact, catalog).find(isTable)
}

/** Tables that have their columns from this one: partitions and children, theirs, too. */
export function descendantsOf(table: Table, catalog: Catalog): readonly Table[] {
  return dependentsOf(catalog, table.key).flatMap(({ from }) => {
    const fact = catalog.facts.get(from)
    if (!isTable(fact) || !parentsOf(fact).includes(table.identity)) return []
    return [fact, ...descendantsOf(fact, catalog)]
  })
}

/** Identities of the tables that a table has columns from. */
export function parentsOf({ properties }: Table): readonly string[] {
  return properties.partitionOf === undefined ? properties.inherits : [properties.partitionOf]
}

export function tableNamed(identity: string, catalog: Catalog): Table | undefined {
  const fact = catalog.facts.get(`table ${identity}`) ?? catalog.facts.get(`foreign table ${identity}`)
  return isTable(fact) ? fact : undefined
}

/** The same column of the tables that it comes from. */
export function parentColumns(column: FactOf<'column'>, catalog: Catalog): readonly FactOf<'column'>[] {
  const table = tableOf(column, catalog)
  if (table === undefined || !column.properties.inherited) return []
  return parentsOf(table).flatMap((parent) => {
    const fact = catalog.facts.get(`column ${parent}.${quoteIfNeeded(column.name)}`)
    return fact?.kind === 'column' ? [fact] : []
  })
}
