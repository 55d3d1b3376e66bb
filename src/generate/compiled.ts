import type { Value } from './copy-values.js'

/** The value of an expression in the row of this number. */
export type Getter = (row: number) => Value

/** How a value is made, and what is known of it before the first one is: what is settled once is not asked in each row. */
export interface Compiled {
  readonly get: Getter
  /** There when no row changes it. */
  readonly constant?: Value
  /** The few values that it can have; what is written for each is worked out once. */
  readonly choice?: Choice
  /** An object or array of which each part is compiled by itself: its JSON is put together without making it first. */
  readonly document?: Document
  /** For a document that is optional: the rows in which it is NULL. */
  readonly absent?: (row: number) => boolean
  /** What its texts may hold. To be asked when everything is compiled; absent: anything. */
  readonly plain?: () => Plain
}

export interface Choice {
  readonly values: readonly Value[]
  /** The index of the value of a row. */
  readonly pick: (row: number) => number
}

export type Document = { readonly entries: Entries } | { readonly items: readonly Compiled[] }

export type Entries = readonly {
  readonly name: string
  readonly value: Compiled
  /** Left out: in every row. */
  readonly isThere?: (row: number) => boolean
}[]

/** From what may hold anything to what needs no care anywhere. Of several, the least counts. */
export type Plain = 0 | 1 | 2 | 3
export const PLAIN = {
  anything: 0,
  /** Nothing that a line of COPY has to escape. */
  line: 1,
  /** Nor, in any text within it, a quote or a control character, which JSON and arrays have to escape. */
  parts: 2,
  /** That, and neither an object nor an array. */
  text: 3,
} as const satisfies Record<string, Plain>

/** A number, a truth or NULL, or a text of letters and digits. */
export function harmless(get: Getter): Compiled {
  return { get, plain: () => PLAIN.text }
}

export function constant(value: Value): Compiled {
  return { get: () => value, constant: value, plain: () => plainOf(value) }
}

export function chosen(values: readonly Value[], pick: (row: number) => number): Compiled {
  return { get: (row) => values[pick(row)] ?? null, choice: { values, pick }, plain: () => leastOf(values) }
}

/** More values than these are not worth a table for each place that they are used in. */
const FEW = 2_000

/** What can be only one of a few values, constants among them. */
export function choiceOf({ constant: value, choice }: Compiled): Choice | undefined {
  if (value !== undefined) return { values: [value], pick: () => 0 }
  return choice === undefined || choice.values.length > FEW ? undefined : choice
}

/** Of one value a value: made once for each of a few. */
export function derived(from: Compiled, apply: (value: Value) => Value, plain?: () => Plain): Compiled {
  if (from.constant !== undefined) return constant(apply(from.constant))
  const choice = choiceOf(from)
  if (choice !== undefined) return chosen(choice.values.map(apply), choice.pick)
  const { get } = from
  return { get: (row) => apply(get(row)), ...(plain === undefined ? {} : { plain }) }
}

export function leastPlain(parts: readonly Compiled[]): Plain {
  return parts.reduce<Plain>((least, { plain }) => lesser(least, plain?.() ?? PLAIN.anything), PLAIN.text)
}

export function lesser(a: Plain, b: Plain): Plain {
  return a < b ? a : b
}

export function plainOf(value: Value): Plain {
  if (typeof value === 'string')
    // eslint-disable-next-line no-control-regex -- these are what JSON escapes.
    return /["\\\0-\x1f]/.test(value) ? (/[\\\n\r\t]/.test(value) ? PLAIN.anything : PLAIN.line) : PLAIN.text
  if (typeof value !== 'object' || value === null) return PLAIN.text
  const inside = Array.isArray(value) ? (value as readonly Value[]) : Object.values(value)
  // Keys are written too. A quote within an object is escaped with a backslash, which COPY would take for its own.
  const keys = Array.isArray(value) ? [] : Object.keys(value)
  return lesser(leastOf([...inside, ...keys]), PLAIN.parts) === PLAIN.parts ? PLAIN.parts : PLAIN.anything
}

export function leastOf(values: readonly Value[]): Plain {
  return values.reduce<Plain>((least, value) => lesser(least, plainOf(value)), PLAIN.text)
}
