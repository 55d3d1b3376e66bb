import {
  chosen,
  leastOf,
  lesser,
  PLAIN,
  type Choice,
  type Compiled,
  type Getter,
  type Plain,
} from './compiled.js'
import type { Value } from './copy-values.js'

/**
 * The rows of one table, by their numbers. From 0 on: rows that are made, or could be. Below: rows that were in the table before, -1 the
 * first of those that were read. What a row holds is worked out when somebody asks, and only the last row asked for is remembered.
 */
export class TableRows {
  readonly identity: string
  /** The number of the first row that is made here, and how many there are. */
  first = 0
  count = 0
  storedCount = 0
  /** The number after the last one that was tried. */
  until = 0
  /** Not every number has become a row, because the database refused some. */
  gaps = false
  /** Whether it ever was so: what refers to this table was made before. */
  hadGaps = false
  /** The columns of rows there already that somebody asks for. */
  readonly asked = new Set<string>()
  private readonly made = new Map<string, () => Compiled>()
  private readonly compiled = new Map<string, Compiled>()
  private readonly underway = new Set<string>()
  private readonly slots = new Map<string, Getter>()
  private readonly picks = new Map<string, Choice>()
  /** What was read of the rows that were there, by column. */
  private readonly read = new Map<string, Stored>()
  private readonly weighing = new Set<string>()
  private readonly weighed = new Map<string, { readonly kept: number; readonly plain: Plain }>()

  constructor(identity: string) {
    this.identity = identity
  }

  /** Says how a column, a variable or a reference is made; `compile` is called once, when it is needed. */
  define(name: string, compile: () => Compiled): void {
    this.made.set(name, compile)
  }

  has(name: string): boolean {
    return this.made.has(name)
  }

  /** Compiles how a column is made, and with it all that it needs of other tables. Undefined while that is underway. */
  prepare(name: string): Compiled | undefined {
    const known = this.compiled.get(name)
    const compile = this.made.get(name)
    if (known !== undefined || compile === undefined || this.underway.has(name)) return known
    this.underway.add(name)
    const compiled = compile()
    this.underway.delete(name)
    this.compiled.set(name, compiled)
    return compiled
  }

  /** Compiles what is asked for and not compiled yet; false when there was nothing. */
  prepareAsked(): boolean {
    const open = [...this.asked].filter((name) => this.made.has(name) && !this.compiled.has(name))
    for (const name of open) this.prepare(name)
    return open.length > 0
  }

  /** Keeps what was read of a column of the rows that were there. */
  keep(name: string, values: readonly Value[]): void {
    Object.assign(this.storedOf(name), { values, plain: leastOf(values) })
    kept++
  }

  stored(name: string): readonly Value[] {
    return this.storedOf(name).values
  }

  private storedOf(name: string): Stored {
    const known = this.read.get(name)
    if (known !== undefined) return known
    const stored: Stored = { values: [], plain: PLAIN.text }
    this.read.set(name, stored)
    return stored
  }

  /** The value of a column or variable, kept for the row that was asked for last. */
  slot(name: string): Getter {
    const known = this.slots.get(name)
    if (known !== undefined) return known
    this.asked.add(name)
    const stored = this.storedOf(name)
    let get: Getter | undefined
    let stamp = -1
    let held: Value = null
    let underway = -1
    const slot: Getter = (row) => {
      if (row < 0) return stored.values[-row - 1] ?? null
      if (row === stamp) return held
      if (row === underway) throw new RecipeLoop(this.identity, name)
      underway = row
      get ??= this.getterOf(name)
      const value = get(row)
      underway = -1
      stamp = row
      held = value
      return value
    }
    this.slots.set(name, slot)
    return slot
  }

  private getterOf(name: string): Getter {
    const made = this.prepare(name)
    const choice = made === undefined ? undefined : this.choiceFor(name, made)
    return choice === undefined ? (made?.get ?? (() => null)) : chosen(choice.values, choice.pick).get
  }

  /** Which of its few values a column has, kept for the row that was asked for last. */
  private choiceFor(name: string, { choice }: Compiled): Choice | undefined {
    const known = this.picks.get(name)
    if (known !== undefined || choice === undefined) return known
    const { values, pick } = choice
    let stamp = -1
    let held = 0
    const remembered: Choice = {
      values,
      pick(row) {
        if (row === stamp) return held
        held = pick(row)
        stamp = row
        return held
      },
    }
    this.picks.set(name, remembered)
    return remembered
  }

  /** A column or variable of the row that asks, which is one that is made. */
  own(name: string): Compiled {
    const get = this.slot(name)
    const made = this.prepare(name)
    const plain = (): Plain => this.plainOf(name)
    if (made === undefined) return { get, plain }
    if (made.constant !== undefined) return made
    const choice = this.choiceFor(name, made)
    return choice === undefined ? { get, plain } : { get, plain, choice }
  }

  /** A column as it is written: what nobody else asks for need not be remembered. */
  written(name: string): Compiled {
    const made = this.prepare(name)
    return made === undefined || this.asked.has(name) ? this.own(name) : made
  }

  /** What the texts of a column may hold, those that were read included. */
  plainOf(name: string): Plain {
    const stored = this.storedOf(name).plain
    const made = this.compiled.get(name)
    // Not compiled: none is made.
    if (made === undefined) return stored
    const known = this.weighed.get(name)
    if (known?.kept === kept) return known.plain
    if (this.weighing.has(name)) return PLAIN.anything
    this.weighing.add(name)
    const plain = lesser(stored, made.plain?.() ?? PLAIN.anything)
    this.weighing.delete(name)
    this.weighed.set(name, { kept, plain })
    return plain
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

/** How often rows were read, of any table: what was found out about texts before counts no more. */
let kept = 0

interface Stored {
  values: readonly Value[]
  plain: Plain
}
