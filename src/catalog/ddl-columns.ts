import { quoteIfNeeded } from '../database/quote.js'
import { partsOfKind, type Catalog, type FactOf } from './catalog.js'
import { alterTable, childrenOf, functionsBack, isLike, partitionedParent, type Table } from './ddl-family.js'
import { SERIAL, sequenceOptions, serialSequence } from './ddl-sequences.js'
import { change, type Statement } from './ddl-statement.js'
import { foreignOptions, inParentheses, small, smallInBlock, storageOptions } from './ddl-text.js'

export type Column = FactOf<'column'>

/** name type, and all that may follow it. */
export function columnClause(column: Column, table: Table, catalog: Catalog): string {
  const serial = serialSequence(column, catalog)
  if (serial !== undefined) return `${quoteIfNeeded(column.name)} ${SERIAL[serial.properties.type] ?? ''}`
  const { type, collation, generated, expression, identity, foreignOptions: options } = column.properties
  return [
    `${quoteIfNeeded(column.name)} ${type}${foreignOptions(options)}`,
    collation === undefined ? '' : `collate ${collation}`,
    generated === undefined
      ? ''
      : `generated always as ${inParentheses(smallInBlock(expression ?? ''))} ${generated}`,
    identity === undefined
      ? ''
      : `generated ${identity} as identity${identityOptions(column, table, catalog)}`,
    ...defaultAndNotNull(column, table, catalog),
  ]
    .filter((clause) => clause !== '')
    .join(' ')
}

/** Of a typed table, a column only has what is more than its type. */
export function typedColumnClause(column: Column, table: Table, catalog: Catalog): readonly string[] {
  const clauses = defaultAndNotNull(column, table, catalog)
  return clauses.length === 0 ? [] : [`${quoteIfNeeded(column.name)} with options ${clauses.join(' ')}`]
}

/** Of a partition, what is more than its parent's. */
export function partitionColumnClause(
  column: Column,
  table: Table,
  parent: Table,
  catalog: Catalog,
): readonly string[] {
  const of = sameColumn(column, parent, catalog)
  const { default: value, notNull } = column.properties
  const clauses = [
    ...(value === undefined || value === of?.properties.default ? [] : [`default ${small(value)}`]),
    ...(notNull && of?.properties.notNull !== true ? [notNullClause(column)] : []),
  ]
  return clauses.length === 0 ? [] : [`${quoteIfNeeded(column.name)} ${clauses.join(' ')}`]
}

function defaultAndNotNull(column: Column, table: Table, catalog: Catalog): readonly string[] {
  const { default: value } = column.properties
  return [
    ...(value === undefined || hasLateDefault(column, table, catalog)
      ? []
      : [`default ${smallInBlock(value)}`]),
    ...(isNotNullInline(column) ? [notNullClause(column)] : []),
  ]
}

/** Its default calls a function that needs the table. */
export function hasLateDefault(column: Column, table: Table, catalog: Catalog): boolean {
  return column.properties.default !== undefined && functionsBack(column, table, catalog).length > 0
}

function notNullClause(column: Column): string {
  const { notNullName, notNullOptions } = column.properties
  const name = notNullName === undefined ? '' : `constraint ${quoteIfNeeded(notNullName)} `
  return `${name}not null${notNullOptions.map((option) => ` ${option}`).join('')}`
}

/** CREATE TABLE checks its rows, of which there are none; only ALTER TABLE can leave that open. */
function isNotNullInline({ properties: { notNull, notNullOptions } }: Column): boolean {
  return notNull && !notNullOptions.includes('not valid')
}

/** What CREATE TABLE makes with a column: the sequence of an identity, or of a serial. */
export function sequencesMadeWith(column: Column, catalog: Catalog): readonly FactOf<'sequence'>[] {
  const serial = serialSequence(column, catalog)
  return serial === undefined ? partsOfKind(catalog, column.key, 'sequence') : [serial]
}

export function identityOptions(column: Column, table: Table, catalog: Catalog): string {
  const [sequence] = partsOfKind(catalog, column.key, 'sequence')
  if (sequence === undefined) return ''
  const isUsual = sequence.name === `${table.name}_${column.name}_seq` && sequence.schema === table.schema
  const options = [...(isUsual ? [] : [`sequence name ${sequence.identity}`]), ...sequenceOptions(sequence)]
  return options.length === 0 ? '' : ` (${options.join(' ')})`
}

/** What has to be said of a column after its table is there. */
export function columnStatements(column: Column, table: Table, catalog: Catalog): readonly Statement[] {
  const { storage, statistics, compression, options, default: value } = column.properties
  const name = quoteIfNeeded(column.name)
  const alter = (what: string, needs: readonly string[] = []): Statement =>
    change(table, `${alterTable(table)} alter column ${name} ${what}`, { needs })
  // What is set before a partition or a child is made would be the child's as well.
  const alone = childrenOf(table, catalog)
  return [
    ...(hasLateDefault(column, table, catalog) && value !== undefined
      ? [alter(`set default ${small(value)}`, functionsBack(column, table, catalog))]
      : []),
    ...inheritedStatements(column, table, catalog, alter),
    ...(column.properties.notNull && !isNotNullInline(column)
      ? [
          change(
            table,
            `${alterTable(table)} add ${notNullClause(column).replace('not null', `not null ${name}`)}`,
          ),
        ]
      : []),
    ...(storage === undefined ? [] : [alter(`set storage ${storage}`, alone)]),
    ...(compression === undefined ? [] : [alter(`set compression ${compression}`, alone)]),
    ...(statistics === undefined ? [] : [alter(`set statistics ${String(statistics)}`, alone)]),
    ...(options.length === 0 ? [] : [alter(`set (${storageOptions(options).join(', ')})`, alone)]),
  ]
}

/** Where a column that comes from a parent is not as the parent's. */
function inheritedStatements(
  column: Column,
  table: Table,
  catalog: Catalog,
  alter: (what: string) => Statement,
): readonly Statement[] {
  const { inherited, local, notNull, default: value } = column.properties
  if (!inherited || local) return []
  const parent = partitionedParent(table, catalog)
  // Made as any table and attached: it has its columns from nobody.
  if (parent !== undefined && !isLike(table, parent, catalog)) return []
  const parents = parent === undefined ? table.properties.inherits : [parent.identity]
  const of = parents
    .map(
      (identity) => catalog.facts.get(`table ${identity}`) ?? catalog.facts.get(`foreign table ${identity}`),
    )
    .flatMap((fact) => (fact?.kind === 'table' || fact?.kind === 'foreign table' ? [fact] : []))
    .map((fact) => sameColumn(column, fact, catalog))
    .find((fact) => fact !== undefined)
  if (of === undefined) return []
  if (value === undefined) return of.properties.default === undefined ? [] : [alter('drop default')]
  // A partition says it in CREATE TABLE.
  if (parent !== undefined) return []
  return [
    ...(value === of.properties.default ? [] : [alter(`set default ${small(value)}`)]),
    ...(notNull && !of.properties.notNull ? [alter('set not null')] : []),
  ]
}

function sameColumn(column: Column, table: Table, catalog: Catalog): Column | undefined {
  const fact = catalog.facts.get(`column ${table.identity}.${quoteIfNeeded(column.name)}`)
  return fact?.kind === 'column' ? fact : undefined
}
