import { factsOf, partsOfKind, type Catalog, type FactOf } from '../catalog/catalog.js'
import type { Session, TextRow } from '../database/database.js'
import { quoteName, quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { hintsOf, valueOf, type Hints } from './column-values.js'
import { chanceOf, type Chance } from './sample-pattern.js'

export interface GenerateOptions {
  /** Identities of the tables to fill; those that others refer to come first, whatever the order here. */
  readonly tables: readonly string[]
  /** Rows of each table. Default: 3 */
  readonly rows?: number
  /** The number of the first row: what tells rows apart goes by it. Default: 1 */
  readonly first?: number
  /** Told each row that PostgreSQL took: what it was given, and what PostgreSQL gave to columns that count or are drawn. */
  readonly onRow?: (row: GeneratedRow) => void
  /** The same seed gives the same rows. Default: 1 */
  readonly seed?: number
  /** Leaves everything empty that may be: what a later constraint would mind is then mostly gone. */
  readonly sparse?: boolean
  /** As in SET search_path: triggers may rely on the one that the application has. */
  readonly searchPath: string
}

export interface GeneratedRow {
  readonly table: string
  /** Null is NULL; what is left out has its default. */
  readonly values: ReadonlyMap<string, string | null>
}

export interface Generated {
  readonly filled: readonly { readonly table: string; readonly rows: number }[]
  /** What stayed empty, and what PostgreSQL said to the last row that was tried. */
  readonly empty: readonly { readonly table: string; readonly why: string }[]
}

/** How often a row that is refused is tried otherwise. */
const TRIES = 24

/**
 * Fills tables with rows that satisfy their constraints. What the catalog says narrows the values down; whether a row is right is
 * PostgreSQL's to say, in a savepoint: one that it refuses is tried otherwise, starting with the columns of the constraint it broke.
 */
export async function generateRows(
  session: Session,
  catalog: Catalog,
  { tables, rows = 3, first = 1, seed = 1, sparse = false, searchPath, onRow }: GenerateOptions,
): Promise<Generated> {
  const filled: { table: string; rows: number }[] = []
  const empty: { table: string; why: string }[] = []
  const chance = chanceOf(seed)
  await session.script(`${BEGIN};set local search_path to ${searchPath}`)
  try {
    for (const table of inOrder(catalog, tables)) {
      const plan = planTable(catalog, table)
      let why = ''
      let made = 0
      for (let number = first; number < first + rows; number++) {
        const tried = await insertRow(session, catalog, plan, { number, sparse }, chance)
        if (typeof tried === 'string') {
          // What refused so many tries refuses the next row as well.
          why = tried
          break
        }
        made++
        onRow?.({ table: table.identity, values: tried })
      }
      if (made > 0) filled.push({ table: table.identity, rows: made })
      else empty.push({ table: table.identity, why })
    }
    await session.script('commit')
    return { filled, empty }
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

const BEGIN = [
  'begin isolation level read committed',
  'set local timezone to utc',
  'set local datestyle to iso',
].join(';')

/** Referenced tables first. In a ring, one whose reference may stay empty begins. */
function inOrder(catalog: Catalog, wanted: readonly string[]): readonly FactOf<'table'>[] {
  const names = new Set(wanted)
  const all = factsOf(catalog, 'table')
    .filter(({ identity }) => names.has(identity))
    .map((table, place) => ({ table, place, keys: foreignKeysOf(catalog, table.key) }))
  type Waiting = (typeof all)[number]
  const waiting = new Map(all.map((one) => [one.table.identity, one]))
  const referring = new Map<string, Waiting[]>()
  for (const one of all)
    for (const { table } of one.keys) {
      const others = referring.get(table)
      if (others === undefined) referring.set(table, [one])
      else others.push(one)
    }
  const isOpen = ({ table, keys }: Waiting, mayBeEmpty: boolean): boolean =>
    keys.every(
      (one) =>
        one.table === table.identity ||
        !waiting.has(one.table) ||
        (mayBeEmpty && one.columns.some((name) => isNullable(catalog, table.key, name))),
    )
  // In the order in which they were found, so that the same catalog gives the same rows.
  const open = all.filter((one) => isOpen(one, false))
  const sorted: FactOf<'table'>[] = []
  while (waiting.size > 0) {
    const next =
      open.shift() ?? [...waiting.values()].find((one) => isOpen(one, true)) ?? [...waiting.values()][0]
    if (next === undefined) break
    waiting.delete(next.table.identity)
    sorted.push(next.table)
    for (const one of new Set(referring.get(next.table.identity))) {
      if (!waiting.has(one.table.identity) || !isOpen(one, false)) continue
      const before = open.findIndex(({ place }) => place >= one.place)
      // A ring was opened before: it is ready already.
      if (open[before] !== one) open.splice(before < 0 ? open.length : before, 0, one)
    }
  }
  return sorted
}

function isNullable(catalog: Catalog, table: string, column: string): boolean {
  return partsOfKind(catalog, table, 'column').some(
    ({ name, properties: { notNull } }) => name === column && !notNull,
  )
}

interface ForeignKey {
  readonly columns: readonly string[]
  readonly table: string
  readonly references: readonly string[]
}

function foreignKeysOf(catalog: Catalog, table: string): readonly ForeignKey[] {
  return partsOfKind(catalog, table, 'constraint').flatMap(({ details }) =>
    details.references === undefined
      ? []
      : [
          {
            columns: details.columns,
            table: details.references.table,
            references: details.references.columns,
          },
        ],
  )
}

type Column = FactOf<'column'>

interface TablePlan {
  readonly identity: string
  readonly columns: readonly Column[]
  /** What PostgreSQL gives a value that is another one each time. */
  readonly drawn: readonly string[]
  readonly hints: ReadonlyMap<string, Hints>
  readonly foreignKeys: readonly ForeignKey[]
  /** Which columns a constraint or a unique index is about, by its name. */
  readonly involved: ReadonlyMap<string, readonly string[]>
  readonly bounds: readonly (readonly string[])[]
  readonly partitionKey: readonly string[]
  /** Rows of other tables that its own can refer to, by the query that found them: all of its rows ask the same. */
  readonly referred: Map<string, readonly TextRow[]>
}

function planTable(catalog: Catalog, { key, identity, properties }: FactOf<'table'>): TablePlan {
  // What PostgreSQL alone gives a value stays out.
  const all = partsOfKind(catalog, key, 'column').filter(
    ({ properties: { generated } }) => generated === undefined,
  )
  const columns = all.filter(({ properties: { identity: given } }) => given === undefined)
  const constraints = partsOfKind(catalog, key, 'constraint')
  const checks = constraints.filter(({ properties: { type } }) => type === 'check')
  const texts = checks.map(({ properties: { definition } }) => definition)
  const partitions = factsOf(catalog, 'table').filter((other) => other.properties.partitionOf === identity)
  return {
    identity,
    columns,
    drawn: all.filter(isDrawn).map(({ name }) => name),
    hints: new Map(columns.map(({ name }) => [name, hintsOf(name, texts)])),
    foreignKeys: foreignKeysOf(catalog, key),
    involved: new Map([
      ...constraints.map(({ name, details }) => [name, details.columns] as const),
      ...partsOfKind(catalog, key, 'index').map(
        ({ name, details }) => [name, details.columns.filter((column) => column !== undefined)] as const,
      ),
    ]),
    referred: new Map(),
    bounds: partitions.map((partition) => boundOf(partition.properties.partitionBound ?? '')),
    partitionKey:
      /\(([\w", ]+)\)/
        .exec(properties.partitionBy ?? '')?.[1]
        ?.split(', ')
        .map((name) => name.replaceAll('"', '')) ?? [],
  }
}

function isDrawn({ properties: { identity, default: given } }: Column): boolean {
  return identity !== undefined || (given !== undefined && /\bnextval\(|uuid|random/.test(given))
}

/** Values that lie in a partition: the lower bound of a range, the first of a list; none where any will do. */
function boundOf(bound: string): readonly string[] {
  const list = /^FOR VALUES (?:FROM|IN) \((.*?)\)(?: TO|$)/.exec(bound)?.[1]
  return (list ?? '')
    .split(', ')
    .flatMap((value) => (/^'(.*)'$/.exec(value)?.[1] ?? value).replaceAll("''", "'") || [])
}

/** What a column is given: a value, NULL, or what PostgreSQL gives by itself. */
type Mode = 'value' | 'null' | 'default'

/** Inserts one row and returns its values, or what PostgreSQL said when none of the tries was right. */
async function insertRow(
  session: Session,
  catalog: Catalog,
  plan: TablePlan,
  { number, sparse }: { readonly number: number; readonly sparse: boolean },
  chance: Chance,
): Promise<ReadonlyMap<string, string | null> | string> {
  const modes = new Map<string, Mode>(plan.columns.map((column) => [column.name, firstMode(column, sparse)]))
  const values = new Map<string, string | undefined>()
  const redraw = (names: readonly string[]): void => {
    for (const column of plan.columns)
      if (names.includes(column.name)) values.set(column.name, draw(catalog, plan, column, number, chance))
  }
  redraw(plan.columns.map(({ name }) => name))
  placeInPartition(plan, values, number)
  await refer(session, plan, values, modes, number, chance)
  let why = ''
  for (let tries = 0; tries < TRIES; tries++) {
    const refused = await tryInsert(session, plan, values, modes)
    if (!(refused instanceof SqlError)) return refused
    why = refused.message
    const { constraint, column } = refused.fields
    const known = constraint === undefined ? undefined : plan.involved.get(constraint)
    const names = known ?? (column === undefined ? plan.columns.map(({ name }) => name) : [column])
    change(plan, names, modes, tries, chance)
    redraw(names.filter((name) => modes.get(name) === 'value'))
    placeInPartition(plan, values, number)
    await refer(session, plan, values, modes, number + tries, chance)
  }
  return why
}

function firstMode({ properties: { default: given, notNull } }: Column, sparse: boolean): Mode {
  if (sparse && !notNull) return 'null'
  // A sequence is better asked than guessed.
  return given !== undefined && /\bnextval\(/.test(given) ? 'default' : 'value'
}

function draw(
  catalog: Catalog,
  plan: TablePlan,
  column: Column,
  number: number,
  chance: Chance,
): string | undefined {
  const { name, properties, details } = column
  const hints = plan.hints.get(name)
  if (hints === undefined) return undefined
  return valueOf(catalog, { text: properties.type, ref: details.typeRef }, hints, number, chance)
}

/** The row that a refused one becomes: other values first, then fewer of them. */
function change(
  plan: TablePlan,
  names: readonly string[],
  modes: Map<string, Mode>,
  tries: number,
  chance: Chance,
): void {
  if (tries % 4 < 2) return
  for (const { name, properties } of plan.columns) {
    if (!names.includes(name)) continue
    const open: Mode[] = ['value']
    if (!properties.notNull) open.push('null')
    if (properties.default !== undefined) open.push('default')
    // Now and then all that can be left out is: what a trigger or a constraint minds is then mostly gone.
    const least = open.at(-1)
    modes.set(name, tries % 4 === 3 && least !== undefined ? least : (chance.pick(open) ?? 'value'))
  }
}

function placeInPartition(plan: TablePlan, values: Map<string, string | undefined>, number: number): void {
  const bound = plan.bounds[(number - 1) % Math.max(1, plan.bounds.length)]
  if (bound === undefined) return
  for (const [index, name] of plan.partitionKey.entries()) {
    const value = bound[index]
    if (value !== undefined && !/^(?:MINVALUE|MAXVALUE|NULL)$/.test(value)) values.set(name, value)
  }
}

/** Takes the values of foreign keys from rows that are there; without one the reference is left open where it may be. */
async function refer(
  session: Session,
  plan: TablePlan,
  values: Map<string, string | undefined>,
  modes: Map<string, Mode>,
  number: number,
  chance: Chance,
): Promise<void> {
  const settled = new Map<string, string | undefined>()
  for (const { columns, table, references } of plan.foreignKeys) {
    if (columns.every((name) => modes.get(name) !== 'value')) continue
    // A column of two keys has one value.
    const fixed = columns.flatMap((name, index) => {
      const value = settled.get(name)
      return value === undefined
        ? []
        : [`${quoteName(references[index] ?? '')}::text = ${quoteLiteral(value)}`]
    })
    const where = fixed.length === 0 ? '' : ` where ${fixed.join(' and ')}`
    const list = references.map((name) => `${quoteName(name)}::text`).join(', ')
    const query = `select ${list} from ${table}${where} order by 1 limit 20`
    const rows = plan.referred.get(query) ?? (await session.query(query))
    // Of its own there are more after each row.
    if (table !== plan.identity && rows.length > 0) plan.referred.set(query, rows)
    const row = rows[(number - 1) % Math.max(1, rows.length)] ?? chance.pick(rows)
    for (const [index, name] of columns.entries()) {
      const value = row?.[index] ?? undefined
      if (value === undefined) {
        const column = plan.columns.find((one) => one.name === name)
        if (column?.properties.notNull === false) modes.set(name, 'null')
      } else {
        settled.set(name, value)
        values.set(name, value)
        modes.set(name, 'value')
      }
    }
  }
}

async function tryInsert(
  session: Session,
  plan: TablePlan,
  values: ReadonlyMap<string, string | undefined>,
  modes: ReadonlyMap<string, Mode>,
): Promise<ReadonlyMap<string, string | null> | SqlError> {
  const given = plan.columns.filter(({ name }) => modes.get(name) !== 'default')
  const list = given.map(({ name }) => quoteName(name)).join(', ')
  const literals = given.map(({ name }) => {
    const value = modes.get(name) === 'null' ? undefined : values.get(name)
    return value === undefined ? 'null' : quoteLiteral(value)
  })
  const row = given.length === 0 ? 'default values' : `(${list}) values (${literals.join(', ')})`
  const drawn = plan.drawn.filter((name) => !given.some((column) => column.name === name))
  const returning =
    drawn.length === 0 ? '' : ` returning ${drawn.map((name) => `${quoteName(name)}::text`).join(', ')}`
  try {
    const [returned] = await session.script(
      `savepoint dbkit_row;insert into ${plan.identity} ${row}${returning};set constraints all immediate;` +
        'set constraints all deferred;release savepoint dbkit_row',
    )
    return new Map([
      ...drawn.map((name, index) => [name, returned?.[index] ?? null] as const),
      ...given.map(
        ({ name }) => [name, modes.get(name) === 'null' ? null : (values.get(name) ?? null)] as const,
      ),
    ])
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || error.sqlstate === '57014') throw error
    await session.script('rollback to savepoint dbkit_row;release savepoint dbkit_row')
    return error
  }
}
