import { needsOf, type Fact, type FactOf } from '../catalog/catalog.js'
import { nameInStatement } from '../catalog/ddl-statement.js'
import { quoteIfNeeded } from '../database/quote.js'
import { takenAway, takenAwayByDefault } from './rights.js'
import { chained, drop, type Step } from './step.js'
import { allPartsOf, isGone, isTable, tableOf, wholesOf, type World } from './world.js'

/** What takes a fact away; nothing where it goes with something else. */
export function dropSteps(fact: Fact, world: World): readonly Step[] {
  const sql = goesWith(fact, world) ? [] : dropSql(fact, world)
  const drops = [fact.key, ...withIt(fact, world)]
  const needs = ownedSequences(fact, world.before).map(letGoMark)
  return chained(
    sql.map((text, index) =>
      drop(fact, text, { drops, needs, loss: index === sql.length - 1 ? lossOf(fact, world) : undefined }),
    ),
  )
}

/** Parts, and what PostgreSQL drops together with it. */
function withIt(fact: Fact, world: World): readonly string[] {
  const { before } = world
  const parts = allPartsOf(fact.key, before).map(({ key }) => key)
  const indexes = [fact.key, ...parts].filter((key) => key.startsWith('index '))
  return [
    ...parts,
    ...ownedSequences(fact, before).filter((key) => isGone(world, key)),
    ...(fact.kind === 'type' ? functionsOfBaseType(fact, before) : []),
    ...(indexes.length === 0 ? [] : attachedIndexes(indexes, before)),
  ]
}

/** A mark: the sequence belongs to no column any more, and is not dropped with it. */
export function letGoMark(sequence: string): string {
  return `${sequence} let go`
}

/** A base type and the functions that read and write it need each other. */
function functionsOfBaseType(type: FactOf<'type'>, catalog: World['before']): readonly string[] {
  if (type.properties.form !== 'base') return []
  return needsOf(catalog, type.key).flatMap(({ to }) =>
    needsOf(catalog, to).some((edge) => edge.to === type.key) ? [to] : [],
  )
}

function ownedSequences(fact: Fact, catalog: World['before']): readonly string[] {
  if (fact.kind !== 'table' && fact.kind !== 'column') return []
  return [...catalog.facts.values()].flatMap((one) => {
    if (one.kind !== 'sequence' || one.details.identity || one.properties.ownedBy === undefined) return []
    const column = catalog.facts.get(`column ${one.properties.ownedBy}`)
    return column !== undefined && (column.key === fact.key || column.parent === fact.key) ? [one.key] : []
  })
}

/** Of partitions: an index that is attached is dropped with the one that it is attached to. */
function attachedIndexes(indexes: readonly string[], catalog: World['before']): readonly string[] {
  const attached = [...catalog.facts.values()].flatMap((one) =>
    one.kind === 'index' &&
    one.properties.partitionOf !== undefined &&
    indexes.includes(`index ${one.properties.partitionOf}`)
      ? [one.key, ...(one.parent?.startsWith('constraint ') === true ? [one.parent] : [])]
      : [],
  )
  return attached.length === 0 ? [] : [...attached, ...attachedIndexes(attached, catalog)]
}

/** Whether it is dropped with what it is a part of, or belongs to. */
function goesWith(fact: Fact, world: World): boolean {
  const { before } = world
  // A server is not dropped while somebody has a mapping for it.
  if (fact.kind === 'user mapping') return false
  if (wholesOf(fact, before).some(({ key }) => isGone(world, key))) return !isInRing(fact, world)
  switch (fact.kind) {
    case 'index':
      return (
        fact.properties.partitionOf !== undefined && isGone(world, `index ${fact.properties.partitionOf}`)
      )
    case 'constraint': {
      const { index } = fact.details
      const own = index === undefined ? undefined : before.facts.get(index)
      return (
        own?.kind === 'index' &&
        own.properties.partitionOf !== undefined &&
        isGone(world, `index ${own.properties.partitionOf}`)
      )
    }
    case 'sequence': {
      const { ownedBy } = fact.properties
      if (fact.details.identity) return true
      const column = ownedBy === undefined ? undefined : before.facts.get(`column ${ownedBy}`)
      return column !== undefined && (isGone(world, column.key) || isGone(world, column.parent ?? ''))
    }
    case 'column': {
      const whole = wholesOf(fact, before)[0]
      // Of a view its definition says it; of a child its parent does.
      if (whole?.kind === 'view' || whole?.kind === 'materialized view') return true
      return fact.properties.inherited && !fact.properties.local
    }
    case 'function':
      return needsOf(before, fact.key).some(({ to }) => {
        const type = before.facts.get(to)
        return (
          type?.kind === 'type' && isGone(world, to) && functionsOfBaseType(type, before).includes(fact.key)
        )
      })
    default:
      return false
  }
}

/** A foreign key of a table that is dropped, whose other table is dropped as well and refers back: one of the two has to let go first. */
function isInRing(fact: Fact, world: World): boolean {
  if (fact.kind !== 'constraint' || fact.properties.type !== 'foreign key') return false
  const from = tableOf(fact, world.before)
  const to = fact.details.references?.table
  if (from === undefined || to === undefined || from.identity === to) return false
  return (
    isGone(world, from.key) && isGone(world, `table ${to}`) && refersTo(to, from.identity, world, new Set())
  )
}

function refersTo(from: string, to: string, world: World, seen: Set<string>): boolean {
  if (seen.has(from)) return false
  seen.add(from)
  return [...world.before.facts.values()].some(
    (one) =>
      one.kind === 'constraint' &&
      one.parent === `table ${from}` &&
      one.details.references !== undefined &&
      one.details.references.table !== from &&
      (one.details.references.table === to || refersTo(one.details.references.table, to, world, seen)),
  )
}

function dropSql(fact: Fact, world: World): readonly string[] {
  const { before } = world
  switch (fact.kind) {
    case 'column':
      return dropColumn(fact, world)
    case 'constraint': {
      const [whole] = wholesOf(fact, before)
      return [`alter ${whole?.key ?? ''} drop constraint ${quoteIfNeeded(fact.name)}`]
    }
    case 'index':
      return fact.parent?.startsWith('constraint ') === true ? [] : [`drop ${fact.key}`]
    case 'trigger': {
      const table = wholesOf(fact, before)[0]?.identity ?? ''
      return fact.properties.inherited
        ? [`alter table ${table} enable trigger ${quoteIfNeeded(fact.name)}`]
        : [`drop ${nameInStatement(fact, before)}`]
    }
    case 'type':
      // Its functions need it, and it needs them.
      return [fact.properties.form === 'base' ? `drop ${fact.key} cascade` : `drop ${fact.key}`]
    case 'policy':
    case 'rule':
      return [`drop ${nameInStatement(fact, before)}`]
    case 'grant':
      return takenAway(fact, before)
    case 'default privileges':
      return takenAwayByDefault(fact)
    default:
      return [`drop ${fact.key}`]
  }
}

function dropColumn(column: FactOf<'column'>, world: World): readonly string[] {
  const [whole] = wholesOf(column, world.before)
  const name = quoteIfNeeded(column.name)
  if (whole?.kind === 'type') return [`alter ${whole.key} drop attribute ${name} cascade`]
  return isTable(whole) ? [`alter ${whole.key} drop column ${name}`] : []
}

function lossOf(fact: Fact, world: World): string | undefined {
  if (fact.kind === 'table')
    return fact.properties.partitionBy === undefined ? `the rows of table ${fact.identity}` : undefined
  if (fact.kind !== 'column' || fact.properties.generated !== undefined) return undefined
  const [whole] = wholesOf(fact, world.before)
  return whole?.kind === 'table' || whole?.kind === 'type'
    ? `the values of column ${fact.identity}`
    : undefined
}
