import type { Value, Write } from './copy-values.js'
import type { Getter } from './expression.js'

/**
 * The rows of one table, by their numbers. From 0 on: rows that are made, or could be. Below: rows that were in the table before, -1 the
 * first of those that were read. What a row holds is worked out when somebody asks, and only the last row asked for is remembered.
 */
export class TableRows {
  readonly identity: string
  /** The number of the first row that is made here, and how many there are. */
  first = 0
  count = 0
  /** What was read of the rows that were there, by column. */
  readonly stored = new Map<string, readonly Value[]>()
  storedCount = 0
  /** The number after the last one that was tried. */
  until = 0
  /** Not every number has become a row, because the database refused some. */
  gaps = false
  /** Whether it ever was so: what refers to this table was made before. */
  hadGaps = false
  /** The columns of rows there already that somebody asks for. */
  readonly asked = new Set<string>()
  private readonly made = new Map<string, () => Getter>()
  private readonly compiled = new Map<string, Getter>()
  private readonly slots = new Map<string, Getter>()

  constructor(identity: string) {
    this.identity = identity
  }

  /** Says how a column, a variable or a reference is made; `compile` is called once, when it is needed. */
  define(name: string, compile: () => Getter): void {
    this.made.set(name, compile)
  }

  has(name: string): boolean {
    return this.made.has(name)
  }

  /** Compiles how a column is made, and with it all that it needs of other tables. */
  prepare(name: string): void {
    if (this.compiled.has(name)) return
    const compile = this.made.get(name)
    if (compile !== undefined) this.compiled.set(name, compile())
  }

  /** Compiles what is asked for and not compiled yet; false when there was nothing. */
  prepareAsked(): boolean {
    const open = [...this.asked].filter((name) => this.made.has(name) && !this.compiled.has(name))
    for (const name of open) this.prepare(name)
    return open.length > 0
  }

  /** The value of a column or variable, kept for the row that was asked for last. */
  slot(name: string): Getter {
    const known = this.slots.get(name)
    if (known !== undefined) return known
    this.asked.add(name)
    let compiled: Getter | undefined
    const compile = (): Getter => {
      this.prepare(name)
      return this.compiled.get(name) ?? (() => null)
    }
    let stamp = NaN
    let kept: Value = null
    let underway = NaN
    const slot: Getter = (row) => {
      if (row === stamp) return kept
      if (row < 0) return this.stored.get(name)?.[-row - 1] ?? null
      if (row === underway) throw new RecipeLoop(this.identity, name)
      underway = row
      compiled ??= compile()
      const value = compiled(row)
      underway = NaN
      stamp = row
      kept = value
      return value
    }
    this.slots.set(name, slot)
    return slot
  }

  /** How many rows another table may refer to. */
  get choices(): number {
    return this.storedCount + this.count
  }

  /** The number of the n-th row that may be referred to, those that were there first. */
  numberOf(index: number): number {
    return index < this.storedCount ? -index - 1 : this.first + index - this.storedCount
  }
}

/** A column of a recipe that needs itself. */
export class RecipeLoop extends Error {
  constructor(table: string, name: string) {
    super(`${table}: ${name} is worked out from itself`)
  }
}

/** One line of COPY. */
export function lineWriter(
  rows: TableRows,
  columns: readonly { readonly name: string; readonly write: Write }[],
): (row: number) => string {
  const parts = columns.map(({ name, write }) => ({ get: rows.slot(name), write }))
  const last = parts.length - 1
  return (row) => {
    let line = ''
    for (let index = 0; index <= last; index++) {
      const part = parts[index]
      if (part === undefined) continue
      line += part.write(part.get(row)) + (index === last ? '\n' : '\t')
    }
    return line
  }
}
