import { factsOf, partsOfKind, type Catalog, type FactOf } from '../catalog/catalog.js'
import { BEGIN } from '../database/ledger.js'
import type { Session } from '../database/database.js'
import { quoteLiteral, quoteName } from '../database/quote.js'
import type { RowState } from './row-state.js'

/** The rows that migrations left behind, as statements. */
export interface CopiedRows {
  readonly statements: readonly string[]
  /** In lines for people: "3 rows of public.kinds". */
  readonly tables: readonly string[]
  /** Columns that each run fills anew, and that have a default to do so: they are left to it. */
  readonly leftOut: ReadonlySet<string>
  /** Why a row cannot be written down, by the name of what holds it. */
  readonly refused: readonly string[]
}

/** More rows than this are no reference rows, and would make a migration that nobody reads. */
const MOST_ROWS = 10_000

/** Rows in one INSERT. */
const AT_ONCE = 200

/** Two runs of the same migrations, to tell values that they wrote from values that a clock or a die wrote. */
export interface Runs {
  readonly first: RowState
  readonly second: RowState
}

/** Reads the rows of a database in which the second run was. */
export async function copyRows(
  session: Session,
  catalog: Catalog,
  { first, second }: Runs,
): Promise<CopiedRows> {
  const statements: string[] = []
  const tables: string[] = []
  const leftOut = new Set<string>()
  const refused: string[] = []
  for (const table of factsOf(catalog, 'table')) {
    const { identity } = table
    const rows = second.get(identity)
    if (rows === undefined || rows.rows === 0) continue
    if (rows.rows !== first.get(identity)?.rows)
      refused.push(`table ${identity}: each run leaves another number of rows`)
    else if (rows.rows > MOST_ROWS)
      refused.push(
        `table ${identity}: ${rows.rows.toLocaleString('en-US')} rows are more than a migration should hold; load them as a seed`,
      )
    else {
      const columns = partsOfKind(catalog, table.key, 'column').filter(
        ({ properties }) => properties.generated === undefined,
      )
      const fixed: FactOf<'column'>[] = []
      for (const column of columns) {
        const [one, other] = [first, second].map((run) => run.get(identity)?.columns.get(column.name)?.hash)
        if (one === other) fixed.push(column)
        else if (column.properties.default !== undefined) leftOut.add(column.key)
        else refused.push(`${column.key}: each run gives it other values, and it has no default to do so`)
      }
      statements.push(...(await insertsOf(session, identity, fixed)))
      tables.push(`${rows.rows.toLocaleString('en-US')} ${rows.rows === 1 ? 'row' : 'rows'} of ${identity}`)
    }
  }
  return { statements, tables, leftOut, refused }
}

async function insertsOf(
  session: Session,
  identity: string,
  columns: readonly FactOf<'column'>[],
): Promise<readonly string[]> {
  const names = columns.map(({ name }) => quoteName(name))
  const always = columns.some(({ properties }) => properties.identity === 'always')
  const rows = await session.query(
    `select ${names.length === 0 ? 'null' : names.map((name) => `${name}::text`).join(', ')} from only ${identity} order by ctid`,
  )
  const head =
    `insert into ${identity} (${columns.map(({ identity: of }) => of.slice(identity.length + 1)).join(', ')})` +
    (always ? ' overriding system value' : '')
  const statements: string[] = []
  if (names.length === 0) return rows.map(() => `insert into ${identity} default values`)
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const values = rows
      .slice(at, at + AT_ONCE)
      .map(
        (row) =>
          `  (${row.map((value) => (value === null ? 'null' : quoteLiteral(value).trim())).join(', ')})`,
      )
    statements.push(`${head} values\n${values.join(',\n')}`)
  }
  return statements
}

/** Where each sequence stands: its last value, and whether that was given out. */
export type SequenceState = ReadonlyMap<string, { readonly last: string; readonly called: boolean }>

export async function readSequences(session: Session, catalog: Catalog): Promise<SequenceState> {
  const sequences = factsOf(catalog, 'sequence')
  if (sequences.length === 0) return new Map()
  const queries = sequences.map(
    ({ identity }) => `select ${quoteLiteral(identity)}, last_value::text, is_called::text from ${identity}`,
  )
  const rows = await session.query(queries.join(' union all '))
  return new Map(
    rows.map(([name, last, called]) => [name ?? '', { last: last ?? '', called: called === 'true' }]),
  )
}

/** For sequences that have given out a value. */
export function sequenceStatements(catalog: Catalog, state: SequenceState): readonly string[] {
  return factsOf(catalog, 'sequence').flatMap(({ identity, properties }) => {
    const { last = properties.start, called = false } = state.get(identity) ?? {}
    if (!called && last === properties.start) return []
    return [`select pg_catalog.setval(${quoteLiteral(identity)}, ${last}, ${String(called)})`]
  })
}

/** Settings under which a value is written and read alike. */
export const PLAIN_VALUES = [
  BEGIN,
  'set local datestyle to iso',
  'set local intervalstyle to postgres',
  'set local extra_float_digits to 3',
  'set local bytea_output to hex',
].join(';')
