import { factsOf, partsOfKind, type Catalog, type FactOf, type TypeRef } from '../catalog/catalog.js'
import { nearestName, problem } from '../errors.js'
import type { Recipe } from './recipe.js'

/** A table that rows can be made for, as the catalog has it. */
export interface TableFacts {
  /** Key of its fact. */
  readonly key: string
  /** Qualified, quoted where it must be. */
  readonly identity: string
  readonly schema: string
  readonly name: string
  /** What people and recipes call it. */
  readonly shown: string
  readonly columns: readonly FactOf<'column'>[]
  readonly foreignKeys: readonly ForeignKey[]
  /** Columns that no two rows may have the same values in; the primary key first. */
  readonly uniques: readonly (readonly string[])[]
  readonly primaryKey: readonly string[]
  /** The conditions of the CHECKs, as SQL. */
  readonly checks: readonly string[]
  /** Values that lie in a partition, by the column of the partition key. */
  readonly partitions: ReadonlyMap<string, readonly (readonly [string, string | undefined])[]>
}

export interface ForeignKey {
  readonly name: string
  readonly columns: readonly string[]
  /** Identity of the table. */
  readonly table: string
  readonly references: readonly string[]
  readonly deferrable: boolean
  /** Every column of it may be NULL. */
  readonly optional: boolean
}

/** All tables but partitions, which their parent fills, and those of extensions. */
export function readTableFacts(catalog: Catalog, defaultSchema: string): readonly TableFacts[] {
  const all = factsOf(catalog, 'table')
  return all
    .filter(({ properties }) => properties.partitionOf === undefined)
    .map((table) => tableFacts(catalog, table, all, defaultSchema))
}

function tableFacts(
  catalog: Catalog,
  table: FactOf<'table'>,
  all: readonly FactOf<'table'>[],
  defaultSchema: string,
): TableFacts {
  const { key, identity, name } = table
  const schema = table.schema ?? 'public'
  const columns = partsOfKind(catalog, key, 'column')
  const constraints = partsOfKind(catalog, key, 'constraint')
  const primary = constraints.find(({ properties: { type } }) => type === 'primary key')
  return {
    key,
    identity,
    schema,
    name,
    shown: schema === defaultSchema ? name : `${schema}.${name}`,
    columns,
    foreignKeys: constraints.flatMap((constraint) => foreignKeyOf(constraint, columns)),
    uniques: uniquesOf(catalog, key, columns, constraints),
    primaryKey: primary?.details.columns ?? [],
    checks: constraints.flatMap(({ properties: { type, definition } }) =>
      type === 'check' ? (/^CHECK (\(.*\))$/s.exec(definition)?.[1] ?? []) : [],
    ),
    partitions: partitionsOf(table, all),
  }
}

function foreignKeyOf(
  { name, details, properties }: FactOf<'constraint'>,
  columns: readonly FactOf<'column'>[],
): readonly ForeignKey[] {
  const { references } = details
  if (references === undefined || !properties.enforced) return []
  return [
    {
      name,
      columns: details.columns,
      table: references.table,
      references: references.columns,
      deferrable: properties.deferrable,
      optional: columns.every(
        (column) => !details.columns.includes(column.name) || !column.properties.notNull,
      ),
    },
  ]
}

function uniquesOf(
  catalog: Catalog,
  key: string,
  columns: readonly FactOf<'column'>[],
  constraints: readonly FactOf<'constraint'>[],
): readonly (readonly string[])[] {
  const keys = constraints.filter(({ properties: { type } }) => type === 'primary key' || type === 'unique')
  const indexes = partsOfKind(catalog, key, 'index').filter(({ details }) => details.unique)
  const ofIndexes = indexes.map(({ details, properties }) => {
    const named = details.columns.slice(0, details.keyColumns)
    return named.every((name) => name !== undefined)
      ? named
      : // Of an expression, the columns that it names.
        columns.flatMap(({ name }) => (new RegExp(`\\b${name}\\b`).test(properties.definition) ? [name] : []))
  })
  const sets = [
    ...[...keys]
      .sort(
        (a, b) => Number(b.properties.type === 'primary key') - Number(a.properties.type === 'primary key'),
      )
      .map(({ details }) => details.columns),
    ...ofIndexes,
  ]
  return [...new Map(sets.map((set) => [[...set].sort().join(), set])).values()]
}

function partitionsOf(
  { identity, properties }: FactOf<'table'>,
  all: readonly FactOf<'table'>[],
): TableFacts['partitions'] {
  const keys =
    /\(([\w", ]+)\)/
      .exec(properties.partitionBy ?? '')?.[1]
      ?.split(', ')
      .map((name) => name.replaceAll('"', '')) ?? []
  const found = new Map<string, [string, string | undefined][]>()
  for (const { properties: partition } of all) {
    if (partition.partitionOf !== identity) continue
    const [, list = '', to] =
      /^FOR VALUES (?:FROM|IN) \((.*?)\)(?: TO \((.*?)\))?$/.exec(partition.partitionBound ?? '') ?? []
    for (const [index, name] of keys.entries()) {
      const [from, until] = [valuesIn(list)[index], to === undefined ? undefined : valuesIn(to)[index]]
      if (from !== undefined) found.set(name, [...(found.get(name) ?? []), [from, until]])
    }
  }
  return found
}

function valuesIn(list: string): readonly string[] {
  return list
    .split(', ')
    .map((value) => (/^'(.*)'$/.exec(value)?.[1] ?? value).replaceAll("''", "'"))
    .filter((value) => !/^(?:MINVALUE|MAXVALUE|NULL|)$/.test(value))
}

export function typeOf({ properties, details }: FactOf<'column'>): {
  readonly type: string
  readonly ref: TypeRef
} {
  return { type: properties.type, ref: details.typeRef }
}

/** How many rows are asked for, by name or for all. */
export interface Wanted {
  readonly rows: number | undefined
  readonly tables: Readonly<Record<string, number>>
  readonly scale: number | undefined
}

/** How many rows each table is to get; tables that get none are left out. */
export function countRows(
  tables: readonly TableFacts[],
  { rows, tables: named, scale }: Wanted,
  recipe: Recipe | undefined,
): ReadonlyMap<string, number> {
  const find = (name: string, of: string): TableFacts => {
    const found = tables.find(({ shown, identity }) => shown === name || identity === name)
    if (found !== undefined) return found
    const known = tables.map(({ shown }) => shown)
    throw problem('generate.unknown-table', { table: name, of, nearest: nearestName(name, known) })
  }
  const recipes = Object.entries(recipe?.tables ?? {}).map(
    ([name, table]) => [find(name, recipe?.file ?? ''), table] as const,
  )
  const counts = new Map<string, number>()
  for (const { identity } of tables) {
    const usual = recipes.find(([table]) => table.identity === identity)?.[1].rows
    if (rows !== undefined && usual !== 0) counts.set(identity, rows)
    else if (scale !== undefined && usual !== undefined) counts.set(identity, Math.round(usual * scale))
  }
  for (const [name, count] of Object.entries(named)) counts.set(find(name, '--rows').identity, count)
  return new Map([...counts].filter(([, count]) => count > 0))
}

/** In which order tables are filled, and which foreign keys are filled in afterwards. */
export interface FillOrder {
  readonly tables: readonly TableFacts[]
  readonly postponed: ReadonlySet<ForeignKey>
}

/** Referenced tables first. In a ring a deferrable constraint gives way, or else columns that may be NULL at first. */
export function orderTables(tables: readonly TableFacts[]): FillOrder {
  const waiting = [...tables]
  const sorted: TableFacts[] = []
  const postponed = new Set<ForeignKey>()
  const open = (table: TableFacts): readonly ForeignKey[] =>
    table.foreignKeys.filter(
      (key) => key.table !== table.identity && waiting.some(({ identity }) => identity === key.table),
    )
  const leadsTo = (from: TableFacts, to: string, seen = new Set<string>()): boolean =>
    open(from).some(({ table }) => {
      if (table === to) return true
      const next = waiting.find(({ identity }) => identity === table)
      if (next === undefined || seen.has(table)) return false
      return leadsTo(next, to, seen.add(table))
    })
  while (waiting.length > 0) {
    // Only what is in the ring itself can open it; what merely refers to it waits.
    const ring = waiting.filter((table) => leadsTo(table, table.identity))
    const ready =
      waiting.find((table) => open(table).length === 0) ??
      ring.find((table) => open(table).every(({ deferrable }) => deferrable)) ??
      ring.find((table) => open(table).every(({ deferrable, optional }) => deferrable || optional))
    if (ready === undefined) throw problem('generate.cycle', { tables: ring.map(({ shown }) => shown) })
    for (const key of open(ready)) if (!key.deferrable) postponed.add(key)
    sorted.push(ready)
    waiting.splice(waiting.indexOf(ready), 1)
  }
  return { tables: sorted, postponed }
}
