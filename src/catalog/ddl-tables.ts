import { quoteIfNeeded } from '../database/quote.js'
import { partsOfKind, type Catalog, type FactOf } from './catalog.js'
import {
  columnClause,
  columnStatements,
  hasLateDefault,
  partitionColumnClause,
  sequencesMadeWith,
  typedColumnClause,
} from './ddl-columns.js'
import { constraintClause, inheritedChecks, inlineConstraints } from './ddl-constraints.js'
import { alterTable, functionsBack, isLike, partitionedParent, type Table } from './ddl-family.js'
import { attachedMark, change, create, tiedMark, type Statement } from './ddl-statement.js'
import { block, foreignOptions, small, storageOptions, withOptions } from './ddl-text.js'

export interface TableOptions {
  /** Makes a partition as any table, to be attached: its parent is there and would give it indexes of other names. */
  readonly attach?: boolean
}

/**
 * CREATE TABLE with its columns and those constraints that may stand in it, and what CREATE TABLE cannot say. Other constraints, and
 * the indexes, have statements of their own.
 */
export function tableStatements(
  table: Table,
  catalog: Catalog,
  { attach = false }: TableOptions = {},
): readonly Statement[] {
  const columns = partsOfKind(catalog, table.key, 'column')
  const inline = inlineConstraints(table, catalog)
  const late = columns.filter((column) => hasLateDefault(column, table, catalog))
  const parent = partitionedParent(table, catalog)
  const asPartition = !attach && parent !== undefined && isLike(table, parent, catalog)
  return [
    create(table, asPartition ? partitionSql(table, parent, catalog) : ordinarySql(table, parent, catalog), {
      creates: [
        table.key,
        ...columns.flatMap((column) => [
          column.key,
          ...sequencesMadeWith(column, catalog).flatMap(({ key }) => [key, tiedMark(key)]),
        ]),
        ...inline.flatMap(({ key, details: { index } }) => (index === undefined ? [key] : [key, index])),
        ...(asPartition ? [attachedMark(table.key)] : []),
      ],
      notYet: late.flatMap((column) => functionsBack(column, table, catalog)),
    }),
    ...(parent === undefined || asPartition ? [] : [attachStatement(table, parent)]),
    ...columns.flatMap((column) => columnStatements(column, table, catalog)),
    ...propertyStatements(table),
  ]
}

function ordinarySql(table: Table, parent: FactOf<'table'> | undefined, catalog: Catalog): string {
  const { inherits } = table.properties
  const columns = partsOfKind(catalog, table.key, 'column')
  const constraints = [...inlineClauses(table, catalog), ...inheritedChecks(parent, catalog)]
  const type = table.kind === 'table' ? table.properties.ofType : undefined
  if (type !== undefined) {
    const lines = [...columns.flatMap((column) => typedColumnClause(column, table, catalog)), ...constraints]
    return `${head(table)} of ${type}${lines.length === 0 ? '' : ` ${block(lines)}`}${tail(table)}`
  }
  const own = columns.filter(({ properties }) => properties.local || inherits.length === 0)
  const lines = [...own.map((column) => columnClause(column, table, catalog)), ...constraints]
  const from = inherits.length === 0 ? '' : `\ninherits (${inherits.join(', ')})`
  return `${head(table)} ${block(lines)}${from}${tail(table)}`
}

/** CREATE TABLE ... PARTITION OF: the columns are the parent's, save for what is said. */
function partitionSql(table: Table, parent: FactOf<'table'>, catalog: Catalog): string {
  const columns = partsOfKind(catalog, table.key, 'column')
  const lines = [
    ...columns.flatMap((column) => partitionColumnClause(column, table, parent, catalog)),
    ...inlineClauses(table, catalog),
  ]
  const body = lines.length === 0 ? '' : ` ${block(lines)}`
  return `${head(table)} partition of ${parent.identity}${body}\n${boundOf(table)}${tail(table)}`
}

function inlineClauses(table: Table, catalog: Catalog): readonly string[] {
  return inlineConstraints(table, catalog).map((constraint) => constraintClause(constraint, catalog))
}

function head(table: Table): string {
  if (table.kind === 'foreign table') return `create foreign table ${table.identity}`
  return `create ${table.properties.persistence === 'unlogged' ? 'unlogged ' : ''}table ${table.identity}`
}

/** What stands behind the columns. */
function tail(table: Table): string {
  if (table.kind === 'foreign table')
    return `\nserver ${quoteIfNeeded(table.properties.server)}${foreignOptions(table.properties.options)}`
  const { partitionBy, accessMethod, options, toastOptions, tablespace } = table.properties
  return [
    partitionBy === undefined ? '' : `\npartition by ${small(partitionBy)}`,
    accessMethod === undefined ? '' : `\nusing ${quoteIfNeeded(accessMethod)}`,
    withOptions([...storageOptions(options), ...storageOptions(toastOptions, 'toast.')]).replace(/^ /, '\n'),
    tablespace === undefined ? '' : `\ntablespace ${quoteIfNeeded(tablespace)}`,
  ].join('')
}

function boundOf(table: Table): string {
  return small(table.properties.partitionBound ?? '')
}

/** Of a partition whose columns are not in the parent's order. */
function attachStatement(table: Table, parent: FactOf<'table'>): Statement {
  const sql = `alter table only ${parent.identity} attach partition ${table.identity} ${boundOf(table)}`
  return change(table, sql, { creates: [attachedMark(table.key)] })
}

/** Row security and replica identity; an index that is the identity says so itself. */
function propertyStatements(table: Table): readonly Statement[] {
  if (table.kind === 'foreign table') return []
  const { rowSecurity, forceRowSecurity, replicaIdentity } = table.properties
  return [
    ...(rowSecurity ? [change(table, `alter table ${table.identity} enable row level security`)] : []),
    ...(forceRowSecurity ? [change(table, `alter table ${table.identity} force row level security`)] : []),
    ...(replicaIdentity === 'nothing' || replicaIdentity === 'full'
      ? [change(table, `${alterTable(table)} replica identity ${replicaIdentity}`)]
      : []),
  ]
}
