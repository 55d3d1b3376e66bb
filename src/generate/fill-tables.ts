import type { Session } from '../database/database.js'
import { quoteName } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { problem } from '../errors.js'
import type { GeneratedTableReport } from '../report.js'
import type { BuiltTable } from './build-rows.js'
import { readValue, type Emit } from './copy-values.js'
import type { FillOrder, ForeignKey, TableFacts } from './plan-tables.js'
import { lineOf, RowPages } from './row-pages.js'
import { RecipeLoop } from './table-rows.js'

export interface FillRun {
  readonly order: FillOrder
  readonly tables: ReadonlyMap<string, BuiltTable>
  readonly counts: ReadonlyMap<string, number>
  /** The file of the recipe, for what is found wrong with it late. */
  readonly recipe: string
  readonly signal: AbortSignal
  readonly onRows: (table: string, rows: number, total: number) => void
}

/** The embedded engine is handed a batch as a whole. */
const BATCH_ROWS = 50_000
/** What the catalog did not say is found out with a few rows. */
const FIRST_BATCH_ROWS = 1_000
/** A table that was filled before may hold all of the first numbers. */
const PATIENCE_ROWS = 20_000
/** Rows that were there before, among which new ones choose what they refer to. */
const STORED_ROWS = 20_000

/** Fills the tables within the transaction that is open. */
export async function fillTables(session: Session, run: FillRun): Promise<readonly GeneratedTableReport[]> {
  for (const table of run.order.tables) await readWhatIsThere(session, table, run)
  await readStored(session, run)
  for (const table of run.order.tables) refuseWithoutParents(table, run)
  const reports: GeneratedTableReport[] = []
  for (const table of run.order.tables) reports.push(await new Filling(session, table, run).fill())
  for (const table of run.order.tables) await fillPostponed(session, table, run)
  for (const table of run.order.tables) await emptyDangling(session, table, run)
  await checkDeferred(session, run)
  return reports
}

function built(run: FillRun, identity: string): BuiltTable {
  const found = run.tables.get(identity)
  if (found === undefined) throw new Error(`no table ${identity}`)
  return found
}

/** How many rows there are, and up to where integers are given. */
async function readWhatIsThere(session: Session, { identity }: TableFacts, run: FillRun): Promise<void> {
  const { rows, counted } = built(run, identity)
  const names = [...counted.keys()]
  const greatest = names.map((name) => `coalesce(pg_catalog.max(${quoteName(name)}), 0)`)
  const [found = []] = await session.query(
    `select ${['pg_catalog.count(*)', ...greatest].join(', ')} from ${identity}`,
  )
  rows.first = Number(found[0])
  rows.count = run.counts.get(identity) ?? 0
  for (const [index, name] of names.entries()) {
    const place = counted.get(name)
    if (place !== undefined) place.greatest = Math.max(0, Number(found[index + 1]))
  }
  // Numbers that became no row the last time are not tried again.
  const [furthest = 0] = [...counted.values()].map(({ greatest }) => greatest)
  if (furthest < 2 ** 30) rows.first = Math.max(rows.first, furthest)
}

/** Reads of the tables that others refer to the columns that somebody asks for; of large ones some rows, always the same. */
async function readStored(session: Session, run: FillRun): Promise<void> {
  const needed = new Set(run.order.tables.flatMap(({ foreignKeys }) => foreignKeys.map(({ table }) => table)))
  const filled = run.order.tables.map(({ identity }) => built(run, identity))
  for (const { rows, columns } of filled) for (const { name } of columns) rows.prepare(name)
  // What a column needs is known once it has been compiled, and that may need something in turn.
  while (filled.filter(({ rows }) => rows.prepareAsked()).length > 0);
  for (const identity of needed) {
    const table = run.tables.get(identity)
    if (table !== undefined) await readRows(session, table, STORED_ROWS)
  }
}

async function readRows(session: Session, { rows, facts }: BuiltTable, most: number): Promise<void> {
  const columns = facts.columns.filter(({ name }) => rows.asked.has(name))
  const keys = facts.primaryKey.length > 0 ? facts.primaryKey : columns.map(({ name }) => name)
  if (columns.length === 0) return
  const list = columns.map(({ name }) => `${quoteName(name)}::text`).join(', ')
  const read = await session.query(
    `select ${list} from (select * from ${facts.identity} limit ${String(most)}) as stored order by ${keys.map((name) => `stored.${quoteName(name)}`).join(', ')}`,
  )
  rows.storedCount = read.length
  for (const [index, { name, details }] of columns.entries())
    rows.keep(
      name,
      read.map((row) => readValue(row[index] ?? null, details.typeRef)),
    )
}

function refuseWithoutParents({ identity, shown, foreignKeys }: TableFacts, run: FillRun): void {
  for (const key of foreignKeys) {
    const target = built(run, key.table)
    if (key.optional || key.table === identity || target.rows.choices > 0) continue
    throw problem('generate.no-parent', { table: shown, columns: key.columns, parent: target.facts.shown })
  }
}

/** One table that is being filled. */
class Filling {
  private readonly session: Session
  private readonly run: FillRun
  private readonly table: BuiltTable
  private readonly line: Emit
  private readonly wanted: number
  private stage: string | undefined
  private bytes = 0
  private next: number
  private made = 0

  constructor(session: Session, { identity, foreignKeys }: TableFacts, run: FillRun) {
    this.session = session
    this.run = run
    this.table = built(run, identity)
    this.wanted = run.counts.get(identity) ?? 0
    this.next = this.table.rows.first
    const postponed = foreignKeys.filter((key) => run.order.postponed.has(key))
    this.line = lineOf(
      this.table.rows,
      this.table.columns,
      new Set(postponed.flatMap(({ columns }) => columns)),
    )
  }

  async fill(): Promise<GeneratedTableReport> {
    const startedAt = performance.now()
    const { facts, rows } = this.table
    if (this.doubtful.length > 0) await this.useStage()
    while (this.made < this.wanted) {
      const attempts = this.next - rows.first
      // Where hardly a row in fifty is accepted, there is no room, or nobody here understands the constraints.
      if (attempts > PATIENCE_ROWS && this.made * 50 < attempts) throw this.noRoom()
      const size = Math.min(
        attempts === 0 ? FIRST_BATCH_ROWS : BATCH_ROWS,
        this.stage === undefined
          ? this.wanted - this.made
          : Math.max(64, Math.ceil((this.wanted - this.made) * 1.2)),
      )
      await this.batch(size)
      this.next += size
      this.run.onRows(facts.shown, this.made, this.wanted)
    }
    const refused = this.next - rows.first - this.made
    rows.until = this.next
    rows.count = this.next - rows.first
    rows.gaps = refused > 0
    rows.hadGaps = rows.gaps
    if (rows.gaps && rows.first + this.made <= STORED_ROWS) {
      // Others refer to those that are there, and need not guess.
      await readRows(this.session, this.table, STORED_ROWS)
      rows.count = 0
      rows.gaps = false
    }
    if (this.stage !== undefined) await this.session.script(`drop table ${this.stage}`)
    return {
      table: facts.shown,
      rows: this.made,
      bytes: this.bytes,
      durationMs: Math.round(performance.now() - startedAt),
      ...(refused > 0 ? { refused } : {}),
    }
  }

  /** Foreign keys whose row may not be there, or not fit. */
  private get doubtful(): readonly ForeignKey[] {
    const { facts, doubtful } = this.table
    return facts.foreignKeys.filter(
      (key) =>
        !this.run.order.postponed.has(key) &&
        key.table !== facts.identity &&
        (doubtful.includes(key) || built(this.run, key.table).rows.gaps),
    )
  }

  private async batch(size: number): Promise<void> {
    if (this.table.columns.length === 0) {
      // A table without any columns has rows all the same.
      await this.session.script(
        `insert into ${this.table.facts.identity} select from pg_catalog.generate_series(1, ${String(size)})`,
      )
      this.made += size
      return
    }
    if (this.stage === undefined) {
      const refused = await this.copy(this.table.facts.identity, size)
      if (refused === undefined) {
        this.made += size
        return
      }
      // A constraint that the catalog does not explain: the rows that break it are left out, and others made.
      if (!refused.sqlstate.startsWith('23')) throw this.refusal(refused)
      await this.useStage()
    }
    const refused = await this.copy(this.stage ?? '', size)
    if (refused !== undefined) throw this.refusal(refused)
    await this.moveFromStage()
  }

  private async copy(into: string, size: number): Promise<SqlError | undefined> {
    const { session, run } = this
    const names = this.table.columns.map(({ name }) => quoteName(name)).join(', ')
    await session.script('savepoint dbkit_rows')
    const { next: from } = this
    const pages = new RowPages(this.line, from, from + size)
    try {
      await session.copyMade(`copy ${into} (${names}) from stdin`, (page) => {
        if (run.signal.aborted) return 0
        run.onRows(this.table.facts.shown, this.made + pages.next - from, this.wanted)
        return pages.fill(page)
      })
      this.bytes += pages.bytes
      await session.script('release savepoint dbkit_rows')
      return undefined
    } catch (error) {
      if (error instanceof RecipeLoop) throw this.asProblem(error)
      if (!(error instanceof SqlError) || session.lost || run.signal.aborted) throw error
      await session.script('rollback to savepoint dbkit_rows;release savepoint dbkit_rows')
      return error
    }
  }

  /** A copy of the table without its constraints, in which rows wait to be judged. */
  private async useStage(): Promise<void> {
    if (this.stage !== undefined) return
    const { facts } = this.table
    const stage = 'pg_temp.dbkit_generated'
    const open = facts.columns
      .filter(({ properties }) => properties.notNull)
      .map(({ name }) => `alter table ${stage} alter column ${quoteName(name)} drop not null`)
    await this.session.script(
      [
        `create temporary table dbkit_generated (like ${facts.identity} including defaults including generated)`,
        ...open,
      ].join(';'),
    )
    this.stage = stage
  }

  private async moveFromStage(): Promise<void> {
    const { session, table } = this
    const { facts } = table
    const names = table.columns.map(({ name }) => quoteName(name)).join(', ')
    // A row that this one refers to may be refused: it is known once all are in.
    const within = facts.foreignKeys.filter((key) => key.table === facts.identity && key.optional)
    const late = within.flatMap(({ columns }) => columns)
    const values = table.columns
      .map(({ name }) => (late.includes(name) ? 'null' : quoteName(name)))
      .join(', ')
    const conditions = [
      ...facts.columns
        .filter(
          (column) => column.properties.notNull && table.columns.some(({ name }) => name === column.name),
        )
        .map(({ name }) => `${quoteName(name)} is not null`),
      ...facts.checks.map((check) => `${check} is not false`),
      ...this.doubtful.map((key) => existsCondition(key)),
    ]
    const sql =
      `with added as (insert into ${facts.identity} (${names}) overriding system value ` +
      `select ${values} from ${this.stage ?? ''} as made ` +
      (conditions.length === 0 ? '' : `where ${conditions.join(' and ')} `) +
      `limit ${String(this.wanted - this.made)} on conflict do nothing returning 1) select pg_catalog.count(*) from added`
    try {
      await session.script('savepoint dbkit_rows')
      const [found] = await session.query(sql)
      for (const key of within) await session.script(linkSql(facts.identity, this.stage ?? '', key))
      await session.script(`release savepoint dbkit_rows;truncate ${this.stage ?? ''}`)
      this.made += Number(found?.[0])
    } catch (error) {
      if (!(error instanceof SqlError) || session.lost || this.run.signal.aborted) throw error
      throw this.refusal(error)
    }
  }

  private asProblem({ message }: RecipeLoop): Error {
    return problem('generate.bad-recipe', { file: this.run.recipe, where: undefined, reason: message })
  }

  private refusal(error: SqlError): Error {
    return problem(
      'generate.refused',
      {
        table: this.table.facts.shown,
        message: error.message,
        column: error.fields.column ?? /column (\w+)/.exec(error.fields.where ?? '')?.[1],
      },
      { cause: error },
    )
  }

  private noRoom(): Error {
    return problem('generate.no-room', {
      table: this.table.facts.shown,
      made: this.made,
      wanted: this.wanted,
      checks: this.table.facts.checks,
      uniques: this.table.facts.uniques,
    })
  }
}

/** References within the table, to rows that are in it by now. */
function linkSql(table: string, stage: string, key: ForeignKey): string {
  const set = key.columns.map((name) => `${quoteName(name)} = made.${quoteName(name)}`)
  const same = key.references.map((name) => `own.${quoteName(name)} = made.${quoteName(name)}`)
  const given = key.columns.map((name) => `made.${quoteName(name)} is not null`)
  return `update ${table} as own set ${set.join(', ')} from ${stage} as made where ${[...same, ...given, existsCondition(key)].join(' and ')}`
}

function existsCondition(key: ForeignKey): string {
  const pairs = key.columns.map(
    (name, index) => `there.${quoteName(key.references[index] ?? '')} = made.${quoteName(name)}`,
  )
  const empty = key.columns.map((name) => `made.${quoteName(name)} is null`).join(' or ')
  return `(${empty} or exists (select from ${key.table} as there where ${pairs.join(' and ')}))`
}

/** The references that had to wait for their tables, from a list of keys and what they refer to. */
async function fillPostponed(
  session: Session,
  { identity, shown, foreignKeys }: TableFacts,
  run: FillRun,
): Promise<void> {
  const keys = foreignKeys.filter((key) => run.order.postponed.has(key))
  if (keys.length === 0) return
  const { facts, rows, columns } = built(run, identity)
  const late = keys.flatMap((key) => key.columns)
  const primary = facts.primaryKey
  if (primary.length === 0 || primary.some((name) => !columns.some((column) => column.name === name)))
    throw problem('generate.cycle', {
      tables: [shown, ...keys.map(({ table }) => built(run, table).facts.shown)],
    })
  const listed = columns.filter(({ name }) => primary.includes(name) || late.includes(name))
  const line = lineOf(rows, listed)
  const names = listed.map(({ name }) => quoteName(name)).join(', ')
  await session.script(
    `create temporary table dbkit_late on commit drop as select ${names} from ${identity} with no data`,
  )
  for (let from = rows.first; from < rows.until; from += BATCH_ROWS) {
    const until = Math.min(from + BATCH_ROWS, rows.until)
    await session.copyMade(
      `copy pg_temp.dbkit_late (${names}) from stdin`,
      new RowPages(line, from, until).fill,
    )
    await session.script(
      `update ${identity} as own set ${late.map((name) => `${quoteName(name)} = late.${quoteName(name)}`).join(', ')} ` +
        `from pg_temp.dbkit_late as late where ${primary.map((name) => `own.${quoteName(name)} = late.${quoteName(name)}`).join(' and ')};` +
        'truncate pg_temp.dbkit_late',
    )
  }
  await session.script('drop table pg_temp.dbkit_late')
}

/** In a ring of deferrable keys rows refer to others that were made later, and perhaps refused. */
async function emptyDangling(
  session: Session,
  { identity, foreignKeys }: TableFacts,
  run: FillRun,
): Promise<void> {
  for (const key of foreignKeys) {
    if (!key.deferrable || !key.optional || !built(run, key.table).rows.hadGaps) continue
    const set = key.columns.map((name) => `${quoteName(name)} = null`)
    await session.script(`update ${identity} as made set ${set.join(', ')} where not ${existsCondition(key)}`)
  }
}

/** Here, where the table can still be named, and not at the commit. */
async function checkDeferred(session: Session, run: FillRun): Promise<void> {
  try {
    await session.script('set constraints all immediate')
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || run.signal.aborted) throw error
    throw problem(
      'generate.refused',
      { table: error.fields.table ?? 'a table', message: error.message, column: undefined },
      { cause: error },
    )
  }
}
