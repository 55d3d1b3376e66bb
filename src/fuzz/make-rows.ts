import { factsOf, findFact, partsOfKind, type Catalog, type FactOf } from '../catalog/catalog.js'
import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { hintsOf } from '../prove/column-values.js'
import { generateRows, type GeneratedRow } from '../prove/generate-rows.js'
import { trialSession } from '../prove/nested-session.js'
import { chanceOf, type Chance } from '../prove/sample-pattern.js'
import { edgesOf, type Dictionary } from './edge-values.js'
import { insertOf, withValue, type MadeRow } from './made-row.js'
import { SETTINGS } from './try-rows.js'

/** Rows that PostgreSQL takes all at once, inserted in this order: first the plain ones, then those at the edges. */
export interface RowPool {
  readonly base: readonly MadeRow[]
  readonly edges: readonly MadeRow[]
  /** What stayed empty, and what PostgreSQL said. */
  readonly empty: readonly { readonly table: string; readonly why: string }[]
}

export interface MakeOptions {
  /** Identities of tables that were touched. */
  readonly touched: readonly string[]
  readonly dictionary: Dictionary
  /** Rows at the edges, a table. */
  readonly rows: number
  readonly seed: number
  readonly searchPath: string
}

/** Plain rows of a table: enough for one to be told from the others, and for two to be alike. */
const PLAIN = 3

/** How many rows are tried for one that is taken. */
const ATTEMPTS = 4

/** Makes the rows in a transaction that is rolled back: what is kept are their values. */
export async function makeRows(session: Session, catalog: Catalog, options: MakeOptions): Promise<RowPool> {
  const roots = distinct(options.touched.map((table) => rootOf(catalog, table)))
  const related = withRelations(catalog, roots)
  await session.script(
    [
      'begin isolation level read committed',
      ...SETTINGS,
      `set local search_path to ${options.searchPath}`,
    ].join(';'),
  )
  try {
    const base: MadeRow[] = []
    const { empty } = await generateRows(trialSession(session), catalog, {
      tables: related,
      rows: PLAIN,
      seed: options.seed,
      searchPath: options.searchPath,
      onRow: (row) => base.push(madeRow(catalog, row)),
    })
    const edges: MadeRow[] = []
    for (const table of roots) {
      const fact = findFact(catalog, 'table', table)
      if (fact !== undefined) edges.push(...(await edgesOfTable(session, catalog, fact, base, options)))
    }
    return { base, edges, empty }
  } finally {
    if (!session.lost) await session.script('rollback')
  }
}

function madeRow(catalog: Catalog, { table, values }: GeneratedRow): MadeRow {
  const always = partsOfKind(catalog, `table ${table}`, 'column')
    .filter(({ properties }) => properties.identity === 'always')
    .map(({ name }) => name)
  return { table, values, always }
}

/** The edges of one table: on top of plain rows that are made for it, so that what has to be unique is. */
async function edgesOfTable(
  session: Session,
  catalog: Catalog,
  table: FactOf<'table'>,
  base: readonly MadeRow[],
  options: MakeOptions,
): Promise<readonly MadeRow[]> {
  const templates: MadeRow[] = []
  await session.script('savepoint dbkit_templates')
  await generateRows(trialSession(session), catalog, {
    tables: [table.identity],
    rows: options.rows,
    first: PLAIN + 1,
    seed: options.seed + 1,
    searchPath: options.searchPath,
    onRow: (row) => templates.push(madeRow(catalog, row)),
  })
  // The savepoint of the generator is gone with it, and so are its rows.
  await session.script('rollback to savepoint dbkit_templates')
  const chance = chanceOf(options.seed + 2)
  const plain = base.filter((row) => row.table === table.identity)
  const changes = changesOf(catalog, table, plain, options.dictionary)
  const taken: MadeRow[] = []
  const accepted: Change[] = []
  let attempts = 0
  const offer = async (change: Change): Promise<boolean> => {
    const template = templates[taken.length]
    if (template === undefined || attempts >= options.rows * ATTEMPTS) return false
    attempts++
    const row = change(template)
    if (await isTaken(session, row)) {
      taken.push(row)
      accepted.push(change)
    }
    return true
  }
  for (const change of changes) if (!(await offer(change))) break
  // What two columns say together is met only where both are at an edge.
  const single = [...accepted]
  for (let mixed = 0; mixed < single.length / 2; mixed++) if (!(await offer(mixOf(single, chance)))) break
  return taken
}

type Change = (row: MadeRow) => MadeRow

function mixOf(changes: readonly Change[], chance: Chance): Change {
  const some = Array.from({ length: chance.between(2, 4) }, () => chance.pick(changes))
  return (row) => some.reduce<MadeRow>((changed, change) => change?.(changed) ?? changed, row)
}

async function isTaken(session: Session, row: MadeRow): Promise<boolean> {
  try {
    await session.script(
      `savepoint dbkit_row;${insertOf(row)};set constraints all immediate;` +
        'set constraints all deferred;release savepoint dbkit_row',
    )
    return true
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || error.sqlstate === '57014') throw error
    await session.script('rollback to savepoint dbkit_row;release savepoint dbkit_row')
    return false
  }
}

/** What is done to plain rows, a change a row: first what breaks most, then a value of each column in turn. */
function changesOf(
  catalog: Catalog,
  table: FactOf<'table'>,
  [first]: readonly MadeRow[],
  dictionary: Dictionary,
): readonly Change[] {
  const { key } = table
  const constraints = partsOfKind(catalog, key, 'constraint')
  const checks = constraints
    .filter(({ properties: { type } }) => type === 'check')
    .map(({ properties: { definition } }) => definition)
  const referring = new Set(
    constraints.flatMap(({ details }) => (details.references === undefined ? [] : details.columns)),
  )
  const unique = uniqueColumns(catalog, key)
  const columns = partsOfKind(catalog, key, 'column').filter(
    ({ properties: { generated, identity, default: given } }) =>
      generated === undefined && identity === undefined && !/\bnextval\(/.test(given ?? ''),
  )
  const byColumn = columns.map((column) => {
    const { name, properties, details } = column
    const own = first?.values.get(name) ?? undefined
    // The same as in another row: also where that is taken for one only, in other letters.
    const letters = /^(?:text|varchar|bpchar|citext)$/.test(details.typeRef.name)
    const alike =
      own === undefined || referring.has(name)
        ? []
        : [own, ...(letters ? [own.toUpperCase(), `${own} `] : [])]
    const edges = referring.has(name)
      ? []
      : edgesOf(
          catalog,
          { name, type: { text: properties.type, ref: details.typeRef }, hints: hintsOf(name, checks) },
          dictionary,
        )
    const values: (string | null)[] = [...(properties.notNull ? [] : [null]), ...alike, ...edges]
    return distinct(values).map(
      (value): Change =>
        (row) =>
          withValue(row, name, value),
    )
  })
  const nullable = columns.filter(({ properties: { notNull } }) => !notNull)
  const bare: Change = (row) => nullable.reduce((changed, { name }) => withValue(changed, name, null), row)
  const twin: Change = (row) =>
    first === undefined
      ? row
      : {
          ...row,
          values: new Map(
            [...row.values].map(([name, value]) => [
              name,
              unique.has(name) ? value : (first.values.get(name) ?? value),
            ]),
          ),
        }
  const longest = Math.max(0, ...byColumn.map((changes) => changes.length))
  return [
    twin,
    twin,
    bare,
    bare,
    ...Array.from({ length: longest }, (_, index) =>
      byColumn.flatMap((changes) => changes[index] ?? []),
    ).flat(),
  ]
}

function uniqueColumns(catalog: Catalog, key: string): ReadonlySet<string> {
  const keys = partsOfKind(catalog, key, 'constraint')
    .filter(({ properties: { type } }) => type === 'primary key' || type === 'unique' || type === 'exclude')
    .flatMap(({ details }) => details.columns)
  const indexes = partsOfKind(catalog, key, 'index')
    .filter(({ details }) => details.unique)
    .flatMap(({ details }) => details.columns.flatMap((column) => column ?? []))
  return new Set([...keys, ...indexes])
}

/** A partition is filled through the table that it is a part of. */
export function rootOf(catalog: Catalog, table: string): string {
  let at = table
  for (;;) {
    const parent = findFact(catalog, 'table', at)?.properties.partitionOf
    if (parent === undefined) return at
    at = parent
  }
}

/** The tables, those that refer to them, and all that any of these refers to. */
function withRelations(catalog: Catalog, roots: readonly string[]): readonly string[] {
  const references = factsOf(catalog, 'table').flatMap(({ key, identity }) =>
    partsOfKind(catalog, key, 'constraint').flatMap(({ details }) =>
      details.references === undefined ? [] : [{ from: identity, to: details.references.table }],
    ),
  )
  const wanted = new Set(roots)
  for (const { from, to } of references) if (roots.includes(to)) wanted.add(rootOf(catalog, from))
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size
    for (const { from, to } of references) if (wanted.has(from)) wanted.add(rootOf(catalog, to))
  }
  return [...wanted]
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}
