import type { FactOf } from '../catalog/catalog.js'
import { draw, saltOf } from './draw.js'
import type { Getter } from './compiled.js'
import type { ForeignKey, TableFacts } from './plan-tables.js'
import { TableRows } from './table-rows.js'

/** How rows of a table are told apart. */
export interface Uniques {
  /** A number of its own for each row, or each row of the same parent. */
  readonly serials: ReadonlyMap<string, (row: number) => number>
  readonly references: ReadonlyMap<string, Getter>
  readonly counted: ReadonlyMap<string, { greatest: number }>
}

interface Options {
  readonly rows: ReadonlyMap<string, TableRows>
  readonly salt: number
  /** Nothing has to be done for this column: a recipe, a sequence or PostgreSQL makes it. */
  readonly isMade: (column: string) => boolean
  /** How many values a column can have; undefined: enough to count on. */
  readonly room: (column: FactOf<'column'>) => number | undefined
}

/**
 * Gives each row values of its own where a key asks for them: counted where the type has room; over the rows of a foreign key where it is
 * one; as digits of the row's number where there are only a few values.
 */
export function settleUniques(table: TableFacts, options: Options): Uniques {
  const settled = new Settled(table, options)
  for (const set of table.uniques) settled.settle(set)
  return settled
}

class Settled implements Uniques {
  readonly serials = new Map<string, (row: number) => number>()
  readonly references = new Map<string, Getter>()
  readonly counted = new Map<string, { greatest: number }>()
  private readonly table: TableFacts
  private readonly options: Options
  private readonly own: TableRows

  constructor(table: TableFacts, options: Options) {
    this.table = table
    this.options = options
    this.own = options.rows.get(table.identity) ?? new TableRows(table.identity)
  }

  settle(set: readonly string[]): void {
    const { foreignKeys, columns } = this.table
    if (set.some((name) => this.options.isMade(name) || this.serials.has(name))) return
    const keys = foreignKeys.filter((key) => key.columns.some((name) => set.includes(name)))
    if (keys.some(({ name }) => this.references.has(name)) && keys.length === 1) return
    const others = columns.filter(
      ({ name }) => set.includes(name) && !keys.some((key) => key.columns.includes(name)),
    )
    if (others.some((column) => column.details.typeRef.name === 'uuid')) return
    const roomy = others.find((column) => this.options.room(column) === undefined)
    const [first, second] = keys
    if (first === undefined) {
      if (roomy !== undefined) this.count(roomy, (row) => row - this.own.first, true)
      else this.digits(others, (row) => row)
      return
    }
    const target = this.target(first)
    if (others.length === 0 && second === undefined) {
      // One to one. By the number of the row itself: those that were there have taken the first ones.
      this.references.set(first.name, (row) =>
        target.choices === 0 ? null : target.numberOf(row % target.choices),
      )
      return
    }
    // A few rows for each row of the first table, one after the other; then, if some were refused, a few more for each.
    const per = (): number => Math.max(1, Math.ceil(this.own.count / Math.max(1, target.choices)))
    const outer = (row: number): number =>
      Math.floor((row - this.own.first) / per()) % Math.max(1, target.choices)
    const inner = (row: number): number => {
      const [number, each] = [row - this.own.first, per()]
      return (number % each) + Math.floor(number / (each * Math.max(1, target.choices))) * each
    }
    this.references.set(first.name, (row) => (target.choices === 0 ? null : target.numberOf(outer(row))))
    if (roomy !== undefined) this.count(roomy, inner, false)
    else if (second !== undefined) this.beside(second, (row) => [outer(row), inner(row)])
    else this.digits(others, (row) => inner(row) + (draw(outer(row), this.options.salt) % 64))
  }

  private target(key: ForeignKey): TableRows {
    return this.options.rows.get(key.table) ?? new TableRows(key.table)
  }

  /** Integers go on from the greatest one; other types have the number of the row in them, which is never given twice. */
  private count(column: FactOf<'column'>, number: (row: number) => number, alone: boolean): void {
    const { name } = column
    if (/^int[248]$/.test(column.details.typeRef.name)) {
      const counted = { greatest: 0 }
      this.counted.set(name, counted)
      this.serials.set(name, (row) => counted.greatest + number(row))
    } else this.serials.set(name, alone ? (row) => row : number)
  }

  private digits(columns: readonly FactOf<'column'>[], number: (row: number) => number): void {
    let below = 1
    for (const column of columns) {
      const divisor = below
      this.serials.set(column.name, (row) => Math.floor(number(row) / divisor))
      below *= this.options.room(column) ?? 1
    }
  }

  /** Pairs: each row of the first table with a run of rows of the second, which begins somewhere else for each. */
  private beside(key: ForeignKey, place: (row: number) => readonly [number, number]): void {
    const target = this.target(key)
    const salt = saltOf(key.name)
    this.references.set(key.name, (row) => {
      const [outer, inner] = place(row)
      return target.choices === 0 ? null : target.numberOf((draw(outer, salt) + inner) % target.choices)
    })
  }
}
