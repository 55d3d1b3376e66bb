import { factsOf, partsOfKind, type Catalog, type FactOf } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../catalog/compare.js'
import { literal } from '../catalog/ddl-statement.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Session } from '../database/database.js'
import { quoteIfNeeded } from '../database/quote.js'
import type { LedgerPlace } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import { isHiddenDifference, planRound, type Refusal } from '../diff/plan.js'
import { renameSteps, type Rename } from '../diff/renames.js'
import type { Step } from '../diff/step.js'
import { nestedSession } from './nested-session.js'
import type { RowState } from './row-state.js'

/** A change that was carried out on a shadow, part by part. */
export interface Change {
  /** Each is a transaction of its own: what one adds to an enum the next one can use. */
  readonly parts: readonly ChangePart[]
  /** What the database contains at the end. */
  readonly reached: Catalog
  /** Why it is not what was wanted; empty: it is. */
  readonly faults: readonly Fault[]
  /** Facts of the old catalog under their new names. */
  readonly renamed: ReadonlyMap<string, string>
  /** What PostgreSQL said to the statement that it refused. */
  readonly error: SqlError | undefined
}

export interface ChangePart {
  readonly steps: readonly Step[]
  /** What the database contained before it. */
  readonly from: Catalog
}

/** Something that is not as it should be, by the name of the object. */
export interface Fault {
  readonly object: string
  readonly why: string
}

export interface ChangeOptions {
  readonly ledger?: LedgerPlace | undefined
  readonly renames?: readonly Rename[]
  /** As in SET search_path. */
  readonly searchPath?: string
}

/** How often what is still different is planned again. What PostgreSQL brings along by itself is known after the first time. */
const ROUNDS = 5

/**
 * Brings the database of a session from one catalog to another, and tells how: every statement of the plan has been run, and what it
 * made has been read.
 */
export async function carryOut(
  session: Session,
  from: Catalog,
  to: Catalog,
  options: ChangeOptions = {},
): Promise<Change> {
  const state = new Carrying(session, from, to, options)
  return state.run()
}

class Carrying {
  private readonly session: Session
  private readonly to: Catalog
  private readonly options: ChangeOptions
  private readonly parts: { steps: Step[]; from: Catalog }[] = []
  private readonly renamed = new Map<string, string>()
  private now: Catalog
  private open = false

  constructor(session: Session, from: Catalog, to: Catalog, options: ChangeOptions) {
    this.session = session
    this.now = from
    this.to = to
    this.options = options
  }

  async run(): Promise<Change> {
    let refused: readonly Refusal[] = []
    try {
      await this.rename()
      for (let round = 0; round < ROUNDS; round++) {
        const plan = planRound(this.now, this.to)
        refused = plan.refused
        if (plan.steps.length === 0) break
        await this.carry(plan.steps)
      }
      await this.commit()
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      await this.rollback()
      return this.ended([...refused.map(faultOf), error.fault], error.cause)
    }
    return this.ended([...refused.map(faultOf), ...this.differences(refused)])
  }

  private ended(faults: readonly Fault[], error?: SqlError): Change {
    return { parts: this.parts, reached: this.now, faults, renamed: this.renamed, error }
  }

  private differences(refused: readonly Refusal[]): readonly Fault[] {
    const told = new Set(refused.map(({ object }) => object))
    return compareCatalogs(this.now, this.to)
      .differences.filter((one) => !isHiddenDifference(one) && !told.has(one.key))
      .flatMap((one) =>
        describeDifference(one).map((why) => ({ object: one.key, why: `stays different: ${why}` })),
      )
  }

  /** A table and its columns first, then what PostgreSQL does not rename with them. */
  private async rename(): Promise<void> {
    for (let wanted: readonly Rename[] = this.options.renames ?? []; ; wanted = []) {
      const { steps, renamed } = renameSteps(this.now, this.to, wanted)
      for (const [old, now] of renamed) this.renamed.set(old, now)
      if (steps.length === 0) return
      await this.carry(steps)
    }
  }

  private async carry(steps: readonly Step[]): Promise<void> {
    const labels = steps.filter((step) => step.labels.length > 0)
    const others = steps.filter((step) => step.labels.length === 0)
    const used = labels.some((step) =>
      step.labels.some((label) => others.some(({ sql }) => sql.includes(literal(label)))),
    )
    if (!used) return this.runAll(steps)
    await this.runAll(labels)
    await this.commit()
    await this.runAll(others)
  }

  private async runAll(steps: readonly Step[]): Promise<void> {
    if (!this.open) {
      const path = this.options.searchPath
      await this.session.script(`begin${path === undefined ? '' : `;set local search_path to ${path}`}`)
      this.open = true
      this.parts.push({ steps: [], from: this.now })
    }
    for (const step of steps) {
      try {
        await this.session.script(step.sql)
      } catch (error) {
        if (!(error instanceof SqlError)) throw error
        throw new Stopped({ object: step.of, why: `${error.message} (${firstLine(step.sql)})` }, error)
      }
      this.parts.at(-1)?.steps.push(step)
    }
    this.now = await readCatalog(nestedSession(this.session), { ledger: this.options.ledger })
  }

  private async commit(): Promise<void> {
    if (!this.open) return
    try {
      await this.session.script('commit')
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      throw new Stopped({ object: 'transaction', why: error.message }, error)
    } finally {
      this.open = false
    }
  }

  private async rollback(): Promise<void> {
    if (!this.session.lost) await this.session.script('rollback')
    this.open = false
  }
}

/** A statement that PostgreSQL refused. */
class Stopped extends Error {
  readonly fault: Fault
  override readonly cause: SqlError

  constructor(fault: Fault, cause: SqlError) {
    super(fault.why)
    this.cause = cause
    this.fault = fault
  }
}

function faultOf({ object, why }: Refusal): Fault {
  return { object, why }
}

function firstLine(sql: string): string {
  const [line = ''] = sql.split('\n')
  return line.length > 160 ? `${line.slice(0, 160)}...` : line
}

// ---- the rows

/** What has happened to rows that should be as they were. Rows may move between the partitions of a table. */
export function judgeRows(
  before: { readonly catalog: Catalog; readonly rows: RowState },
  after: { readonly catalog: Catalog; readonly rows: RowState },
  renamed: ReadonlyMap<string, string> = new Map(),
): readonly Fault[] {
  const rootOf = roots(before.catalog, after.catalog)
  const [old, now] = [
    sums(before, rootOf, renamed, after.catalog),
    sums(after, rootOf, new Map(), after.catalog),
  ]
  return [...old].flatMap(([table, was]) => {
    const is = now.get(table)
    // A table that is dropped is told as a loss.
    if (is === undefined) return []
    const object = `table ${table}`
    if (is.rows !== was.rows)
      return [{ object, why: `has ${String(is.rows)} rows instead of ${String(was.rows)}` }]
    return [...was.columns].flatMap(([column, values]) => {
      const found = is.columns.get(column)
      if (found === undefined) return []
      const same = values.type === found.type ? values.hash === found.hash : values.count === found.count
      return same ? [] : [{ object: `column ${table}.${column}`, why: 'has other values than before' }]
    })
  })
}

interface Sum {
  rows: number
  readonly columns: Map<string, { count: number; hash: bigint; readonly type: string }>
}

function sums(
  { catalog, rows }: { readonly catalog: Catalog; readonly rows: RowState },
  rootOf: (table: string) => string,
  renamed: ReadonlyMap<string, string>,
  remaining: Catalog,
): ReadonlyMap<string, Sum> {
  const all = new Map<string, Sum>()
  for (const table of factsOf(catalog, 'table')) {
    const state = rows.get(table.identity)
    const key = renamed.get(table.key) ?? table.key
    // Its rows go with it, and that is told as a loss.
    if (state === undefined || !remaining.facts.has(key)) continue
    const name = rootOf(key.replace(/^table /, ''))
    const sum: Sum = all.get(name) ?? { rows: 0, columns: new Map() }
    all.set(name, sum)
    sum.rows += state.rows
    for (const column of partsOfKind(catalog, table.key, 'column')) {
      const values = state.columns.get(column.name)
      if (values === undefined) continue
      const now = renamed.get(column.key)
      const known = now === undefined ? column.name : lastName(now)
      const so = sum.columns.get(known) ?? { count: 0, hash: 0n, type: shapeOf(column, catalog) }
      sum.columns.set(known, so)
      so.count += values.values
      so.hash += BigInt(values.hash)
    }
  }
  return all
}

/** Values of another type, or that follow from another expression, are others. */
function shapeOf({ properties, details }: FactOf<'column'>, catalog: Catalog): string {
  const { schema, name } = details.typeRef
  const composite = `type ${quoteIfNeeded(schema)}.${quoteIfNeeded(name)}`
  const attributes = partsOfKind(catalog, composite, 'column').map(
    (one) => `${one.name} ${one.properties.type}`,
  )
  return [properties.type, properties.expression ?? '', ...attributes].join(' ')
}

function lastName(key: string): string {
  const name = /(?:"((?:[^"]|"")*)"|([^".]+))$/.exec(key)
  return name?.[1]?.replaceAll('""', '"') ?? name?.[2] ?? key
}

/** Tables that are partitions of one another in either catalog count together. */
function roots(...catalogs: readonly Catalog[]): (table: string) => string {
  const parents = new Map<string, string>()
  const find = (table: string): string => {
    const parent = parents.get(table)
    return parent === undefined ? table : find(parent)
  }
  for (const catalog of catalogs)
    for (const { identity, properties } of factsOf(catalog, 'table')) {
      if (properties.partitionOf === undefined) continue
      const [child, root] = [find(identity), find(properties.partitionOf)]
      if (child !== root) parents.set(child, root)
    }
  return find
}
