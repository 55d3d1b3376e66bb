import { quoteIfNeeded } from '../database/quote.js'
import { partsOfKind, type Catalog, type FactOf } from './catalog.js'
import { alterTable, functionsBack, partitionedParent, partitionMarks, type Table } from './ddl-family.js'
import { change, create, type Statement } from './ddl-statement.js'
import { small, smallInBlock, storageOptions, withOptions } from './ddl-text.js'

type Constraint = FactOf<'constraint'>
type Index = FactOf<'index'>

/**
 * Whether it stands in CREATE TABLE: checks and keys do, except those that are not checked yet, those that need the table to be
 * there, and the keys of partitioned tables, which are made one by one so that each partition's index keeps its name.
 */
export function isInline(constraint: Constraint, table: Table, catalog: Catalog): boolean {
  const { type, validated, enforced } = constraint.properties
  if (type === 'foreign key' || (!validated && enforced)) return false
  if (functionsBack(constraint, table, catalog).length > 0) return false
  if (type === 'check' || table.kind === 'foreign table') return true
  return table.properties.partitionBy === undefined && table.properties.partitionOf === undefined
}

/** Keys first, then checks. */
export function inlineConstraints(table: Table, catalog: Catalog): readonly Constraint[] {
  const types = ['primary key', 'unique', 'exclude', 'check']
  return partsOfKind(catalog, table.key, 'constraint')
    .filter((constraint) => isInline(constraint, table, catalog))
    .sort((a, b) => types.indexOf(a.properties.type) - types.indexOf(b.properties.type))
}

/** constraint name definition, with all that may follow it. */
export function constraintClause(constraint: Constraint, catalog: Catalog): string {
  const { properties } = constraint
  const index = indexBehind(constraint, catalog)
  const definition = [
    smallInBlock(properties.definition) + (properties.type === 'exclude' ? '' : storageClause(index)),
    properties.noInherit ? 'no inherit' : '',
    properties.deferrable ? 'deferrable' : '',
    properties.deferred ? 'initially deferred' : '',
    properties.enforced ? (properties.validated ? '' : 'not valid') : 'not enforced',
  ]
  return `constraint ${quoteIfNeeded(constraint.name)} ${definition.filter((clause) => clause !== '').join(' ')}`
}

/** What pg_get_constraintdef leaves out of a key. */
function storageClause(index: Index | undefined): string {
  if (index === undefined) return ''
  const { tablespace } = index.properties
  const using = tablespace === undefined ? '' : ` using index tablespace ${quoteIfNeeded(tablespace)}`
  return withOptions(storageOptions(index.details.options)) + using
}

/** Checks that a partition must have before it is attached. */
export function inheritedChecks(table: Table | undefined, catalog: Catalog): readonly string[] {
  if (table === undefined) return []
  const checks = partsOfKind(catalog, table.key, 'constraint').filter(
    ({ properties: { type, noInherit } }) => type === 'check' && !noInherit,
  )
  const own = checks.map((check) => constraintClause(check, catalog))
  return [...own, ...inheritedChecks(partitionedParent(table, catalog), catalog)]
}

/** ALTER TABLE ... ADD CONSTRAINT, for those that do not stand in CREATE TABLE. */
export function constraintStatements(constraint: Constraint, catalog: Catalog): readonly Statement[] {
  const whole = constraint.parent === undefined ? undefined : catalog.facts.get(constraint.parent)
  const clause = constraintClause(constraint, catalog)
  if (whole?.kind === 'domain') {
    return constraint.properties.validated
      ? []
      : [create(constraint, `alter domain ${whole.identity} add ${clause}`)]
  }
  if (whole?.kind !== 'table' && whole?.kind !== 'foreign table') return []
  if (isInline(constraint, whole, catalog)) return []
  const { type } = constraint.properties
  const { index } = constraint.details
  // A foreign key and a check of a partitioned table are also its partitions'; a key is not: each has its own.
  const alter = type === 'foreign key' || type === 'check' ? `alter ${whole.key}` : alterTable(whole)
  return [
    create(constraint, `${alter} add ${clause}`, {
      creates: [constraint.key, ...(index === undefined ? [] : [index])],
      needs: partitionMarks(whole, catalog),
    }),
  ]
}

function indexBehind(constraint: Constraint, catalog: Catalog): Index | undefined {
  const fact =
    constraint.details.index === undefined ? undefined : catalog.facts.get(constraint.details.index)
  return fact?.kind === 'index' ? fact : undefined
}

/** CREATE INDEX, save for an index that its constraint makes; and what that statement cannot say. */
export function indexStatements(index: Index, catalog: Catalog): readonly Statement[] {
  const table = tableOf(index, catalog)
  if (table === undefined) return []
  const { clustered, replicaIdentity, statistics, tablespace, partitionOf, definition } = index.properties
  const ofConstraint = index.parent?.startsWith('constraint ') === true
  const alterIndex = `alter index ${index.identity}`
  const alter = table.kind === 'table' ? `alter table only ${table.identity}` : `alter ${table.key}`
  return [
    ...(ofConstraint
      ? []
      : [
          create(index, withTablespace(small(definition), tablespace), {
            needs: table.kind === 'table' ? partitionMarks(table, catalog) : [],
          }),
        ]),
    ...(partitionOf === undefined
      ? []
      : [
          change(index, `alter index ${partitionOf} attach partition ${index.identity}`, {
            needs: [`index ${partitionOf}`],
          }),
        ]),
    ...(clustered ? [change(index, `${alter} cluster on ${quoteIfNeeded(index.name)}`)] : []),
    ...(replicaIdentity
      ? [change(index, `${alter} replica identity using index ${quoteIfNeeded(index.name)}`)]
      : []),
    ...statistics.map((target) => {
      const [column, value] = target.split('=')
      return change(index, `${alterIndex} alter column ${String(column)} set statistics ${String(value)}`)
    }),
  ]
}

function tableOf(index: Index, catalog: Catalog): FactOf<'table'> | FactOf<'materialized view'> | undefined {
  const parent = index.parent === undefined ? undefined : catalog.facts.get(index.parent)
  const table =
    parent?.kind === 'constraint' && parent.parent !== undefined ? catalog.facts.get(parent.parent) : parent
  return table?.kind === 'table' || table?.kind === 'materialized view' ? table : undefined
}

/** TABLESPACE stands before WHERE. */
function withTablespace(definition: string, tablespace: string | undefined): string {
  if (tablespace === undefined) return definition
  const where = definition.indexOf(' where ')
  const clause = ` tablespace ${quoteIfNeeded(tablespace)}`
  return where < 0 ? definition + clause : definition.slice(0, where) + clause + definition.slice(where)
}
