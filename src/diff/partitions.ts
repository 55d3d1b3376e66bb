import type { Table } from '../catalog/ddl-family.js'
import { attachedMark } from '../catalog/ddl-statement.js'
import { small } from '../catalog/ddl-text.js'
import { quoteIfNeeded } from '../database/quote.js'
import { alter, chained, type Step } from './step.js'
import { allPartsOf, isGone, isMade, tableNamed, type World } from './world.js'

/** From one parent to another, or to other bounds, with the rows in place. */
export function partitionSteps(before: Table, after: Table, world: World): readonly Step[] {
  const [old, now] = [before.properties, after.properties]
  const moves = old.partitionOf !== now.partitionOf || old.partitionBound !== now.partitionBound
  const leaves =
    moves && old.partitionOf !== undefined && !isGone(world, tableKey(old.partitionOf, world.before))
  const joins = moves && now.partitionOf !== undefined
  const rest =
    leaves && joins && old.partitionOf === now.partitionOf
      ? strangers(before, after, now.partitionOf, world)
      : []
  return chained([
    ...(leaves
      ? [
          alter(before, `alter table ${old.partitionOf} detach partition ${before.identity}`, {
            alters: joins ? [] : [before.key],
            creates: [detachedMark(before.key)],
          }),
        ]
      : []),
    ...old.inherits
      .filter((parent) => !now.inherits.includes(parent) && !isGone(world, tableKey(parent, world.before)))
      .map((parent) => alter(before, `alter ${before.key} no inherit ${parent}`)),
    ...rest.slice(0, 2),
    ...(joins ? [attach(after, now.partitionOf, world)] : []),
    ...rest.slice(2),
    ...now.inherits
      .filter((parent) => !old.inherits.includes(parent))
      .map((parent) =>
        alter(after, `alter ${after.key} inherit ${parent}`, { needs: wholeOf(after, parent, world) }),
      ),
  ])
}

function attach(after: Table, parent: string, world: World): Step {
  // Whatever leaves first makes room for the new bounds.
  const leaving = [...world.before.facts.values()].flatMap((fact) =>
    (fact.kind === 'table' || fact.kind === 'foreign table') &&
    fact.key !== after.key &&
    fact.properties.partitionOf === parent
      ? [detachedMark(fact.key)]
      : [],
  )
  return alter(
    after,
    `alter table ${parent} attach partition ${after.identity} ${small(after.properties.partitionBound ?? '')}`,
    { needs: [...leaving, ...wholeOf(after, parent, world)], creates: [attachedMark(after.key)] },
  )
}

/** A mark: the table is nobody's partition. */
export function detachedMark(table: string): string {
  return `${table} detached`
}

/** All parts of a table and of the one that it joins: they have to match. */
export function wholeOf(table: Table, parent: string, world: World): readonly string[] {
  const parts = (key: string): readonly string[] => allPartsOf(key, world.after).map((part) => part.key)
  return [
    tableKey(parent, world.after),
    ...parts(table.key).filter((key) => /^(?:column|constraint|index) /.test(key)),
    ...parts(tableKey(parent, world.after)).filter((key) => key.startsWith('column ')),
  ].filter((key) => isMade(world, key) || world.fates.get(key) === 'altered')
}

export function tableKey(identity: string, catalog: World['after']): string {
  return tableNamed(identity, catalog)?.key ?? `table ${identity}`
}

/**
 * Rows outside of the new bounds are put aside before and given to the parent afterwards, which knows where they belong: only where the
 * bounds become narrower, and PostgreSQL can be told which rows those are.
 */
function strangers(before: Table, after: Table, parent: string, world: World): readonly Step[] {
  const fact = tableNamed(parent, world.after)
  const by = fact?.kind === 'table' ? fact.properties.partitionBy : undefined
  const within = by === undefined ? undefined : boundCondition(by, after.properties.partitionBound ?? '')
  if (within === undefined) return []
  const aside = quoteIfNeeded(`dbkit_moved_${before.name}`.slice(0, 60))
  const columns = allPartsOf(after.key, world.after)
    .flatMap((part) => (part.kind === 'column' && part.properties.generated === undefined ? [part] : []))
    .sort((a, b) => a.details.position - b.details.position)
    .map(({ name }) => quoteIfNeeded(name))
    .join(', ')
  const step = (sql: string, needs: readonly string[] = []): Step =>
    alter(after, sql, { alters: [], releases: [], needs })
  // Those that take the rows in have to be in place.
  const others = [...world.after.facts.values()].flatMap((one) =>
    (one.kind === 'table' || one.kind === 'foreign table') && one.properties.partitionOf === parent
      ? [attachedMark(one.key)]
      : [],
  )
  return [
    step(
      `create temporary table ${aside} as select ${columns} from ${after.identity} where (${within}) is not true`,
    ),
    step(`delete from ${after.identity} where (${within}) is not true`),
    step(
      `insert into ${parent} (${columns}) overriding system value select ${columns} from ${aside}`,
      others,
    ),
    step(`drop table ${aside}`),
  ]
}

/** The bounds as a condition; undefined for those of expressions, hashes and the rest. */
function boundCondition(partitionBy: string, bound: string): string | undefined {
  const key = /^(RANGE|LIST) \(([^(),]+)\)$/.exec(partitionBy)
  const column = key?.[2]?.replace(/ (?:COLLATE \S+|\S+_ops)$/, '')
  if (key === null || column === undefined) return undefined
  if (key[1] === 'LIST') {
    const values = /^FOR VALUES IN \((.*)\)$/.exec(bound)?.[1]
    if (values === undefined) return undefined
    const nulls = /(?:^|, )NULL(?:,|$)/.test(values)
    return nulls ? `${column} is null or ${column} in (${values})` : `${column} in (${values})`
  }
  const range = /^FOR VALUES FROM \((.*)\) TO \((.*)\)$/.exec(bound)
  if (range === null) return undefined
  const [from = '', to = ''] = range.slice(1)
  const parts = [
    ...(from === 'MINVALUE' ? [] : [`${column} >= ${from}`]),
    ...(to === 'MAXVALUE' ? [] : [`${column} < ${to}`]),
  ]
  return parts.length === 0 ? `${column} is not null` : parts.join(' and ')
}
