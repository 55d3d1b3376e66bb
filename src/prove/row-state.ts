import { factsOf, partsOfKind, type Catalog } from '../catalog/catalog.js'
import { BEGIN_READING } from '../catalog/read-catalog.js'
import type { Session } from '../database/database.js'
import { quoteName } from '../database/quote.js'

/** What the tables hold, by their identity: enough to tell whether a row or a value is another one, and none of the rows. */
export type RowState = ReadonlyMap<string, TableRows>

export interface TableRows {
  readonly rows: number
  /** Whatever the order of the rows and of the columns. */
  readonly hash: string
  readonly columns: ReadonlyMap<string, ColumnValues>
}

export interface ColumnValues {
  /** Other than NULL. */
  readonly values: number
  readonly hash: string
}

// Compiling the thousand sums of a statement takes longer than they do.
const BEGIN = [...BEGIN_READING, 'set local jit to off'].join(';')

/** Tables in one query: a thousand columns or so each, so that no statement grows without bound. */
const COLUMNS_AT_ONCE = 400
const TABLES_AT_ONCE = 200

/** Counts and hashes the rows of every table of a catalog that was read just now. */
export async function readRowState(session: Session, catalog: Catalog): Promise<RowState> {
  const tables = factsOf(catalog, 'table')
    .filter(({ properties }) => properties.partitionBy === undefined)
    .map((table) => ({
      identity: table.identity,
      columns: partsOfKind(catalog, table.key, 'column')
        .map(({ name }) => name)
        .sort(),
    }))
  if (tables.length === 0) return new Map()
  const state = new Map<string, TableRows>(tables.map(({ identity, columns }) => [identity, noRows(columns)]))
  await session.script(BEGIN)
  try {
    for (const batch of batches(await withRows(session, tables))) {
      const query = batch.map(({ identity, columns }, index) => selectOf(identity, columns, index))
      const rows = await session.query(query.join(' union all '))
      for (const [index, numbers] of rows) {
        const table = batch[Number(index)]
        if (table !== undefined) state.set(table.identity, tableRows(table.columns, numbers ?? '{}'))
      }
    }
    await session.script('commit')
    return state
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

/** Most tables of a shadow are empty, and summing up nothing costs as much as summing up three rows. */
async function withRows(session: Session, tables: readonly TableToRead[]): Promise<readonly TableToRead[]> {
  const filled: TableToRead[] = []
  for (let at = 0; at < tables.length; at += TABLES_AT_ONCE) {
    const some = tables.slice(at, at + TABLES_AT_ONCE)
    const query = some.map(
      ({ identity }, index) => `select ${String(index)} where exists (select from only ${identity})`,
    )
    const rows = await session.query(query.join(' union all '))
    filled.push(...rows.flatMap(([index]) => some[Number(index)] ?? []))
  }
  return filled
}

function noRows(columns: readonly string[]): TableRows {
  return { rows: 0, hash: '0', columns: new Map(columns.map((name) => [name, { values: 0, hash: '0' }])) }
}

interface TableToRead {
  readonly identity: string
  readonly columns: readonly string[]
}

function batches(tables: readonly TableToRead[]): readonly (readonly TableToRead[])[] {
  const all: TableToRead[][] = []
  let width = COLUMNS_AT_ONCE
  for (const table of tables) {
    if (width >= COLUMNS_AT_ONCE) {
      all.push([])
      width = 0
    }
    all.at(-1)?.push(table)
    width += table.columns.length + 1
  }
  return all
}

function selectOf(identity: string, columns: readonly string[], index: number): string {
  const hash = (text: string): string =>
    `coalesce(sum(hashtextextended((${text}) collate "C", 0)::numeric), 0)::text`
  const names = columns.map((name) => `r.${quoteName(name)}`)
  const numbers = [
    'count(*)::text',
    hash(names.length === 0 ? `''` : `row(${names.join(',')})::text`),
    ...names.flatMap((name) => [`count(${name}::text)::text`, hash(`${name}::text`)]),
  ]
  return `select ${String(index)}, array[${numbers.join(',')}] from only ${identity} as r`
}

function tableRows(columns: readonly string[], text: string): TableRows {
  const numbers = text.slice(1, -1).split(',')
  return {
    rows: Number(numbers[0]),
    hash: numbers[1] ?? '0',
    columns: new Map(
      columns.map((name, index) => [
        name,
        { values: Number(numbers[2 + index * 2]), hash: numbers[3 + index * 2] ?? '0' },
      ]),
    ),
  }
}
