import { dependentsOf, needsOf, partsOfKind, type Catalog, type Fact, type FactOf } from './catalog.js'
import { attachedMark } from './ddl-statement.js'

export type Table = FactOf<'table'> | FactOf<'foreign table'>

/** The partitioned table that this one is a partition of. */
export function partitionedParent(table: Table, catalog: Catalog): FactOf<'table'> | undefined {
  const { partitionOf } = table.properties
  const parent = partitionOf === undefined ? undefined : catalog.facts.get(`table ${partitionOf}`)
  return parent?.kind === 'table' ? parent : undefined
}

/** Keys of its partitions, and of the tables that inherit from it. */
export function childrenOf(table: Table, catalog: Catalog): readonly string[] {
  return dependentsOf(catalog, table.key).flatMap(({ from }) => {
    const fact = catalog.facts.get(from)
    if (fact?.kind !== 'table' && fact?.kind !== 'foreign table') return []
    const { partitionOf, inherits } = fact.properties
    return partitionOf === table.identity || inherits.includes(table.identity) ? [from] : []
  })
}

/** That all its partitions are there and attached; nothing for a table that is not partitioned. */
export function partitionMarks(table: Table, catalog: Catalog): readonly string[] {
  const partitioned = table.kind === 'table' && table.properties.partitionBy !== undefined
  return partitioned ? childrenOf(table, catalog).map(attachedMark) : []
}

/** Whether PARTITION OF gives a table the columns it has, in their order. */
export function isLike(table: Table, parent: Table, catalog: Catalog): boolean {
  const shape = (key: string): string =>
    partsOfKind(catalog, key, 'column')
      .map(({ name, properties: { type, collation, generated, expression } }) =>
        JSON.stringify([name, type, collation, generated, expression]),
      )
      .join()
  return shape(table.key) === shape(parent.key)
}

/**
 * The functions that a part of a table needs and that need the table themselves (its row is an argument, say): the part can only
 * be added once both are there.
 */
export function functionsBack(part: Fact, table: Table, catalog: Catalog): readonly string[] {
  return needsOf(catalog, part.key).flatMap(({ to }) =>
    catalog.facts.get(to)?.kind === 'function' && reaches(to, table.key, catalog) ? [to] : [],
  )
}

function reaches(from: string, to: string, catalog: Catalog): boolean {
  const seen = new Set<string>()
  const look = (key: string): boolean => {
    if (key === to) return true
    if (seen.has(key)) return false
    seen.add(key)
    return needsOf(catalog, key).some((edge) => look(edge.to))
  }
  return look(from)
}

/** Only itself: what holds for its partitions and children is said of them. */
export function alterTable(table: Table): string {
  return table.kind === 'table'
    ? `alter table only ${table.identity}`
    : `alter foreign table ${table.identity}`
}
