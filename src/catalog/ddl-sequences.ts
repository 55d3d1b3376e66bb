import { quoteIfNeeded } from '../database/quote.js'
import { findFact, type Catalog, type FactOf } from './catalog.js'
import { create, change, literal, tiedMark, type Statement } from './ddl-statement.js'

type Sequence = FactOf<'sequence'>

/** Those of an identity or a serial are made with their column. */
export function sequenceStatements(sequence: Sequence, catalog: Catalog): readonly Statement[] {
  const { ownedBy, persistence, type } = sequence.properties
  const column = ownedBy === undefined ? undefined : catalog.facts.get(`column ${ownedBy}`)
  if (sequence.details.identity) return []
  if (column?.kind === 'column' && serialSequence(column, catalog) !== undefined) return []
  const unlogged = persistence === 'unlogged' ? 'unlogged ' : ''
  const options = [...(type === 'bigint' ? [] : [`as ${type}`]), ...sequenceOptions(sequence)]
  return [
    create(sequence, [`create ${unlogged}sequence ${sequence.identity}`, ...options].join(' ')),
    ...(ownedBy === undefined
      ? []
      : [
          change(sequence, `alter sequence ${sequence.identity} owned by ${ownedBy}`, {
            creates: [tiedMark(sequence.key)],
            needs: [`column ${ownedBy}`],
          }),
        ]),
  ]
}

export const SERIAL: Readonly<Record<string, string>> = {
  smallint: 'smallserial',
  integer: 'serial',
  bigint: 'bigserial',
}

/** The sequence of a column that is as `serial` makes it: then that word says it all. */
export function serialSequence(column: FactOf<'column'>, catalog: Catalog): Sequence | undefined {
  const { default: value, type, notNull, notNullName, inherited } = column.properties
  const table = column.parent === undefined ? undefined : catalog.facts.get(column.parent)
  if (value?.startsWith('nextval(') !== true || !notNull || notNullName !== undefined || inherited)
    return undefined
  if (table?.kind !== 'table' || table.properties.ofType !== undefined || SERIAL[type] === undefined)
    return undefined
  const identity = `${quoteIfNeeded(table.schema ?? '')}.${quoteIfNeeded(`${table.name}_${column.name}_seq`)}`
  const sequence = findFact(catalog, 'sequence', identity)
  if (sequence === undefined) return undefined
  const { ownedBy, persistence, type: sequenceType } = sequence.properties
  const isUsual =
    value === `nextval(${literal(identity)}::regclass)` &&
    ownedBy === column.identity &&
    sequenceType === type &&
    persistence === table.properties.persistence &&
    sequenceOptions(sequence).length === 0
  return isUsual ? sequence : undefined
}

const LARGEST: Readonly<Record<string, bigint>> = {
  smallint: 32_767n,
  integer: 2_147_483_647n,
  bigint: 9_223_372_036_854_775_807n,
}

/** What differs from what a sequence of that type and direction has by itself. */
export function sequenceOptions({ properties }: Sequence): readonly string[] {
  const { start, increment, min, max, cache, cycle, type } = properties
  const largest = LARGEST[type] ?? 0n
  const up = !increment.startsWith('-')
  const usualMin = up ? 1n : -largest - 1n
  const usualMax = up ? largest : -1n
  return [
    ...(start === (up ? min : max) ? [] : [`start with ${start}`]),
    ...(increment === '1' ? [] : [`increment by ${increment}`]),
    ...(min === String(usualMin) ? [] : [`minvalue ${min}`]),
    ...(max === String(usualMax) ? [] : [`maxvalue ${max}`]),
    ...(cache === '1' ? [] : [`cache ${cache}`]),
    ...(cycle ? ['cycle'] : []),
  ]
}
