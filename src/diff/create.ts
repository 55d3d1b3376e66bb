import type { Fact, FactOf } from '../catalog/catalog.js'
import { constraintClause, isInline } from '../catalog/ddl-constraints.js'
import { columnClause, columnStatements, sequencesMadeWith } from '../catalog/ddl-columns.js'
import { partitionedParent, type Table } from '../catalog/ddl-family.js'
import {
  commentStatements,
  literal,
  ownerStatements,
  tieStatements,
  tiedMark,
} from '../catalog/ddl-statement.js'
import { sequenceOptions } from '../catalog/ddl-sequences.js'
import { statementsOf } from '../catalog/ddl.js'
import { tableStatements } from '../catalog/ddl-tables.js'
import { quoteIfNeeded } from '../database/quote.js'
import { alter, made, type Step } from './step.js'
import { allPartsOf, isMade, isTable, parentColumns, tableOf, wholesOf, type World } from './world.js'

/** What makes a fact of the new catalog; nothing where something else makes it. */
export function createSteps(fact: Fact, world: World): readonly Step[] {
  const { after } = world
  switch (fact.kind) {
    case 'column':
      return [...addColumn(fact, world), ...commentStatements(fact, after).map(made)]
    case 'constraint':
      return [...addConstraint(fact, world), ...commentStatements(fact, after).map(made)]
    case 'sequence':
      return addSequence(fact, world)
    case 'table':
    case 'foreign table':
      return addTable(fact, world)
    default:
      return statementsOf(fact, after).map(made)
  }
}

function addTable(table: Table, world: World): readonly Step[] {
  const { after } = world
  const parent = partitionedParent(table, after)
  if (parent === undefined || isMade(world, parent.key)) return statementsOf(table, after).map(made)
  // Its indexes and keys first: then ATTACH takes them, instead of making others.
  const parts = allPartsOf(table.key, after).flatMap(({ key }) =>
    /^(?:constraint|index) /.test(key) ? [key] : [],
  )
  return [
    ...tableStatements(table, after, { attach: true }),
    ...ownerStatements(table, after),
    ...commentStatements(table, after),
    ...tieStatements(table, after),
  ].map((statement) =>
    statement.sql.includes(' attach partition ')
      ? { ...made(statement), needs: [...statement.needs, ...parts, parent.key] }
      : made(statement),
  )
}

/** Of a table that is there; that of a view is in its definition, and a child has it from its parent. */
function addColumn(column: FactOf<'column'>, world: World): readonly Step[] {
  const { after } = world
  const [whole] = wholesOf(column, after)
  if (whole === undefined || isMade(world, whole.key)) return []
  if (whole.kind === 'type') return [addAttribute(column, whole)]
  if (!isTable(whole)) return []
  if (parentColumns(column, after).some(({ key }) => isMade(world, key))) return []
  const sequences = sequencesMadeWith(column, after).flatMap(({ key }) => [key, tiedMark(key)])
  return [
    alter(whole, `alter ${whole.key} add column ${columnClause(column, whole, after)}`, {
      alters: [],
      releases: [],
      creates: [column.key, ...sequences, ...childColumns(column, whole, world)],
    }),
    ...columnStatements(column, whole, after).map((statement) => ({
      ...made(statement),
      needs: [...statement.needs, column.key],
    })),
  ]
}

/** The same column of children, which comes with it. */
function childColumns(column: FactOf<'column'>, whole: Table, world: World): readonly string[] {
  return [...world.after.facts.values()].flatMap((fact) =>
    fact.kind === 'column' &&
    fact.name === column.name &&
    fact.key !== column.key &&
    parentColumns(fact, world.after).some(({ parent }) => parent === whole.key)
      ? [fact.key, ...childColumns(fact, tableOf(fact, world.after) ?? whole, world)]
      : [],
  )
}

function addAttribute(column: FactOf<'column'>, type: Fact): Step {
  const { type: ofType, collation } = column.properties
  const collate = collation === undefined ? '' : ` collate ${collation}`
  return alter(
    type,
    `alter ${type.key} add attribute ${quoteIfNeeded(column.name)} ${ofType}${collate} cascade`,
    {
      alters: [],
      releases: [],
      creates: [column.key],
    },
  )
}

function addConstraint(constraint: FactOf<'constraint'>, world: World): readonly Step[] {
  const { after } = world
  const [whole] = wholesOf(constraint, after)
  const { index } = constraint.details
  const creates = [constraint.key, ...(index === undefined ? [] : [index])]
  const add = (head: string): readonly Step[] => [
    alter(constraint, `${head} add ${constraintClause(constraint, after)}`, {
      alters: [],
      releases: [],
      creates,
    }),
  ]
  if (whole?.kind === 'domain') {
    if (isMade(world, whole.key) && constraint.properties.validated) return []
    return add(`alter ${whole.key}`)
  }
  if (!isTable(whole)) return []
  if (isInline(constraint, whole, after)) return isMade(world, whole.key) ? [] : add(`alter ${whole.key}`)
  return statementsOf(constraint, after)
    .filter(({ creates: made }) => made.length > 0)
    .map(made)
}

/** The rows that are there have numbers already. */
function numbersGoOn(sequence: FactOf<'sequence'>, column: FactOf<'column'>, { after }: World): Step {
  const table = column.parent === undefined ? undefined : after.facts.get(column.parent)
  const name = quoteIfNeeded(column.name)
  const sql = `select pg_catalog.setval(${literal(sequence.identity)}, max(${name})) from ${table?.identity ?? ''} having max(${name}) > 0`
  return alter(sequence, sql, { alters: [], releases: [], needs: [sequence.key, column.key] })
}

/** Of a column that is there already, CREATE SEQUENCE is said though the column looks like a serial. */
function addSequence(sequence: FactOf<'sequence'>, world: World): readonly Step[] {
  const { after } = world
  const { ownedBy, persistence, type } = sequence.properties
  const column = ownedBy === undefined ? undefined : after.facts.get(`column ${ownedBy}`)
  const withColumn =
    column?.kind === 'column' &&
    (isMade(world, column.key) || isMade(world, column.parent ?? '')) &&
    sequencesMadeWith(column, after).some(({ key }) => key === sequence.key)
  if (withColumn || sequence.details.identity || column?.kind !== 'column')
    return statementsOf(sequence, after).map(made)
  const options = [...(type === 'bigint' ? [] : [`as ${type}`]), ...sequenceOptions(sequence)]
  const unlogged = persistence === 'unlogged' ? 'unlogged ' : ''
  const create = [`create ${unlogged}sequence ${sequence.identity}`, ...options].join(' ')
  return [
    alter(sequence, create, { alters: [], releases: [], creates: [sequence.key] }),
    alter(sequence, `alter sequence ${sequence.identity} owned by ${column.identity}`, {
      alters: [],
      releases: [],
      needs: [sequence.key, column.key],
    }),
    ...(isMade(world, column.key) || isMade(world, column.parent ?? '')
      ? []
      : [numbersGoOn(sequence, column, world)]),
    ...commentStatements(sequence, after).map(made),
  ]
}
