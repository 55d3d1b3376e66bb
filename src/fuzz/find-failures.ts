import type { Catalog } from '../catalog/catalog.js'
import { partsOfKind } from '../catalog/catalog.js'
import { withValue, type MadeRow } from './made-row.js'
import type { RowPool } from './make-rows.js'
import { simplify } from './simplify.js'
import type { Outcome, Refused, Try } from './try-rows.js'

/** A way in which the steps fail, with the fewest and plainest rows that show it. */
export interface Failure {
  readonly refused: Refused
  readonly rows: readonly MadeRow[]
}

export interface Found {
  readonly failures: readonly Failure[]
  /** What the files say themselves of rows that they do not want. */
  readonly guarded: string | undefined
  /** Not all could be looked at in so many tries. */
  readonly exhausted: boolean
  readonly tries: number
  /** The rows that pass, for what comes after. */
  readonly passing: RowPool
}

/** How many kinds of failure of one step are told: who mends those will ask again. */
const MOST_FAILURES = 5

/** Looks for every kind of failure among the rows of a pool, and makes each as small as it gets. */
export async function findFailures(
  pool: RowPool,
  catalog: Catalog,
  attempt: Try,
  most: number,
): Promise<Found> {
  const search = new Search(catalog, attempt, most)
  await search.run(pool)
  return search
}

class Search implements Found {
  readonly failures: Failure[] = []
  guarded: string | undefined
  exhausted = false
  tries = 0
  private readonly catalog: Catalog
  private readonly attempt: Try
  private readonly most: number
  private readonly known = new Set<string>()
  /** Rows that fail by themselves. */
  private readonly bad = new Set<MadeRow>()
  private base: readonly MadeRow[] = []
  private edges: readonly MadeRow[] = []

  constructor(catalog: Catalog, attempt: Try, most: number) {
    this.catalog = catalog
    this.attempt = attempt
    this.most = most
  }

  async run(pool: RowPool): Promise<void> {
    this.base = pool.base
    this.edges = pool.edges
    // Rows without anything odd: they are given what does not fail, and where there is no such thing the table is left out.
    for (
      let outcome = await this.try([]);
      outcome.kind === 'refused' && !this.isDone();
      outcome = await this.try([])
    ) {
      await this.tell(this.base, outcome)
      const culprit = this.failures.at(-1)?.rows.at(-1)
      if (culprit === undefined) return
      const mended = await this.mend(culprit, outcome)
      if (mended !== undefined) {
        this.base = this.base.map(mended)
        this.edges = this.edges.map(mended)
        continue
      }
      const gone = this.withReferring(culprit.table)
      this.base = this.base.filter((row) => !gone.has(row.table))
      this.edges = this.edges.filter((row) => !gone.has(row.table))
    }
    for (let round = 0; round < MOST_FAILURES && !this.isDone(); round++) {
      const rest = this.passing.edges
      const before = this.bad.size
      await this.split(rest)
      // What fails together, and not alone, may have stood in different halves.
      if (this.bad.size === before) return
    }
  }

  get passing(): RowPool {
    return { base: this.base, edges: this.edges.filter((row) => !this.bad.has(row)), empty: [] }
  }

  private isDone(): boolean {
    return this.exhausted || this.failures.length >= MOST_FAILURES
  }

  private async try(rows: readonly MadeRow[]): Promise<Outcome> {
    return this.tryAll([...this.base, ...rows])
  }

  private async tryAll(rows: readonly MadeRow[]): Promise<Outcome> {
    if (this.tries >= this.most) this.exhausted = true
    if (this.exhausted) return { kind: 'taken' }
    this.tries++
    const outcome = await this.attempt(rows)
    if (outcome.kind === 'guarded') this.guarded = outcome.message
    return outcome
  }

  /** True: these rows do not pass. */
  private async split(rows: readonly MadeRow[]): Promise<boolean> {
    const [first] = rows
    if (first === undefined || this.isDone()) return false
    const outcome = await this.try(rows)
    if (outcome.kind === 'taken') return false
    if (rows.length === 1) {
      this.bad.add(first)
      if (outcome.kind === 'refused' && !this.known.has(outcome.signature))
        await this.tell([...this.base, first], outcome)
      return true
    }
    if (
      outcome.kind === 'refused' &&
      this.known.has(outcome.signature) &&
      (await this.isHopeless(rows, outcome))
    ) {
      for (const row of rows) this.bad.add(row)
      return true
    }
    const middle = Math.floor(rows.length / 2)
    const halves = [await this.split(rows.slice(0, middle)), await this.split(rows.slice(middle))]
    if (!halves.includes(true) && outcome.kind === 'refused' && !this.isDone()) {
      const culprits = this.known.has(outcome.signature)
        ? await this.reduce([...this.base, ...rows], outcome)
        : await this.tell([...this.base, ...rows], outcome)
      for (const row of culprits) if (rows.includes(row)) this.bad.add(row)
      // Nothing that can be left out: else the same rows would be split again and again.
      if (!culprits.some((row) => rows.includes(row))) for (const row of rows) this.bad.add(row)
    }
    return true
  }

  /** The first and the last fail in the same known way, so most of those between them will. */
  private async isHopeless(rows: readonly MadeRow[], { signature }: Refused): Promise<boolean> {
    for (const row of [rows[0], rows.at(-1)]) {
      const outcome = row === undefined ? undefined : await this.try([row])
      if (outcome?.kind !== 'refused' || outcome.signature !== signature) return false
    }
    return true
  }

  /** Keeps the failure; returns the rows, unchanged, that are left of those that show it. */
  private async tell(rows: readonly MadeRow[], refused: Refused): Promise<readonly MadeRow[]> {
    this.known.add(refused.signature)
    const few = await this.reduce(rows, refused)
    const isSame = (changed: readonly MadeRow[]): Promise<boolean> => this.isSame(changed, refused)
    // What a row referred to may have gone with one of its columns.
    const plain = await this.reduce(await simplify(few, this.catalog, isSame), refused)
    const last = await this.attempt(plain)
    this.failures.push({ refused: last.kind === 'refused' ? last : refused, rows: plain })
    return few
  }

  private async isSame(rows: readonly MadeRow[], { signature }: Refused): Promise<boolean> {
    const outcome = await this.tryAll(rows)
    return outcome.kind === 'refused' && outcome.signature === signature
  }

  /** Leaves out all that the failure does without: halves first, then single rows, the last inserted before what they refer to. */
  private async reduce(rows: readonly MadeRow[], refused: Refused): Promise<readonly MadeRow[]> {
    let kept = rows
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2))
      for (let end = kept.length; end > 0; end -= size) {
        const fewer = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)]
        if (await this.isSame(fewer, refused)) kept = fewer
      }
    return kept
  }

  /** What to do to every row of a table so that it no longer fails like this one; undefined where nothing helps. */
  private async mend(
    culprit: MadeRow,
    refused: Refused,
  ): Promise<((row: MadeRow, index: number) => MadeRow) | undefined> {
    const changes = [...culprit.values.keys()].flatMap((name) => [
      (row: MadeRow): MadeRow => withValue(row, name, null),
      (row: MadeRow, index: number): MadeRow => withValue(row, name, String(index + 1)),
    ])
    for (const change of changes) {
      const mended = (row: MadeRow, index: number): MadeRow =>
        row.table === culprit.table ? change(row, index) : row
      const outcome = await this.tryAll(this.base.map(mended))
      if (outcome.kind === 'taken') return mended
      if (outcome.kind === 'refused' && outcome.signature !== refused.signature) return mended
    }
    return undefined
  }

  private withReferring(table: string): ReadonlySet<string> {
    const gone = new Set([table])
    for (let before = 0; before !== gone.size;) {
      before = gone.size
      for (const { table: other } of this.base)
        for (const { details } of partsOfKind(this.catalog, `table ${other}`, 'constraint'))
          if (details.references !== undefined && gone.has(details.references.table)) gone.add(other)
    }
    return gone
  }
}
