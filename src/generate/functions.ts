import type { Value } from './copy-values.js'
import { between, draw, hexOf, share, uuid } from './draw.js'
import type { Compiled, Getter } from './expression.js'

/** A function of recipes. */
export interface RecipeFunction {
  /** The least and the most arguments. */
  readonly takes: readonly [number, number]
  readonly usage: string
  readonly compile: (items: readonly Compiled[], salt: number) => Compiled
}

const number = (value: Value): number => (typeof value === 'number' ? value : Number(value ?? 0))
const word = (value: Value): string => (typeof value === 'string' ? value : JSON.stringify(value))
const MANY = 100

const drawn = (
  takes: readonly [number, number],
  usage: string,
  make: (items: readonly Getter[], salt: number) => Getter,
): RecipeFunction => ({
  takes,
  usage,
  compile: (items, salt) => ({
    get: make(
      items.map(({ get }) => get),
      salt,
    ),
  }),
})

/** A function of its arguments alone; NULL where the first one is. */
const reckoned = (
  takes: readonly [number, number],
  usage: string,
  apply: (...values: Value[]) => Value,
): RecipeFunction => ({
  takes,
  usage,
  compile(items) {
    const getters = items.map(({ get }) => get)
    const [first, second, ...others] = getters
    const get: Getter = (row) => {
      const value = first?.(row) ?? null
      return value === null ? null : apply(value, second?.(row) ?? null, ...others.map((other) => other(row)))
    }
    return items.every(({ constant }) => constant !== undefined) ? { get, constant: get(0) } : { get }
  },
})

const span = (milliseconds: number): RecipeFunction =>
  reckoned([1, 1], 'a number', (value) => number(value) * milliseconds)

const DAY = 86_400_000

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : []
}

export const FUNCTIONS: Readonly<Record<string, RecipeFunction>> = {
  // ---- chance
  between: drawn([2, 2], 'the least and the most', ([least, most], salt) => (row) => {
    const low = number(least?.(row) ?? 0)
    return low + share(row, salt) * (number(most?.(row) ?? 0) - low)
  }),
  whole: drawn(
    [2, 2],
    'the least and the most',
    ([least, most], salt) =>
      (row) =>
        between(row, salt, number(least?.(row) ?? 0), number(most?.(row) ?? 0)),
  ),
  skewed: drawn(
    [3, 3],
    'the least, the most, and how much the least is preferred (1: not at all)',
    ([least, most, power], salt) =>
      (row) => {
        const low = number(least?.(row) ?? 0)
        return low + share(row, salt) ** number(power?.(row) ?? 1) * (number(most?.(row) ?? 0) - low)
      },
  ),
  chance: drawn(
    [1, 1],
    'a share from 0 to 1',
    ([part], salt) =>
      (row) =>
        share(row, salt) < number(part?.(row) ?? 0),
  ),
  pick: drawn([1, 1], 'a list', ([list], salt) => (row) => {
    const items = listOf(list?.(row) ?? null)
    return items[between(row, salt, 0, items.length - 1)] ?? null
  }),
  nth: drawn(
    [2, 2],
    'a list and a number, counted on from the beginning when it ends',
    ([list, index]) =>
      (row) => {
        const items = listOf(list?.(row) ?? null)
        return items[Math.floor(number(index?.(row) ?? 0)) % Math.max(1, items.length)] ?? null
      },
  ),
  some: drawn([3, 3], 'a list, the fewest and the most', ([list, least, most], salt) => (row) => {
    const items = listOf(list?.(row) ?? null)
    const wanted = between(row, salt, number(least?.(row) ?? 0), number(most?.(row) ?? 0))
    const start = draw(row, salt ^ 0x51ed270b) % Math.max(1, items.length)
    return Array.from(
      { length: Math.min(wanted, items.length) },
      (_, index) => items[(start + index) % items.length] ?? null,
    )
  }),
  weighted: { takes: [2, MANY], usage: 'values, each with its weight behind it', compile: weighted },
  digits: drawn([1, 1], 'how many', ([length], salt) => (row) => {
    const wanted = number(length?.(row) ?? 1)
    return String(draw(row, salt)).padStart(10, '7').slice(-Math.min(10, wanted)).padStart(wanted, '4')
  }),
  hex: drawn([1, 1], 'how many digits', ([length], salt) => (row) => {
    const wanted = number(length?.(row) ?? 8)
    let text = ''
    for (let part = 0; text.length < wanted; part++) text += hexOf(draw(row, salt + part * 0x9e3779b1))
    return text.length === wanted ? text : text.slice(0, wanted)
  }),
  uuid: drawn([0, 0], 'nothing', (_, salt) => (row) => uuid(row, salt)),

  // ---- numbers
  round: reckoned([1, 2], 'a number and how many places', (value, places) => {
    const power = 10 ** number(places)
    return Math.round(number(value) * power) / power
  }),
  floor: reckoned([1, 1], 'a number', (value) => Math.floor(number(value))),
  abs: reckoned([1, 1], 'a number', (value) => Math.abs(number(value))),
  min: reckoned([2, MANY], 'numbers', (...values) => Math.min(...values.map(number))),
  max: reckoned([2, MANY], 'numbers', (...values) => Math.max(...values.map(number))),
  distance: reckoned(
    [4, 4],
    'latitude and longitude of two places, for the miles between them',
    (...values) => {
      const [a = 0, b = 0, c = 0, d = 0] = values.map((value) => (number(value) * Math.PI) / 180)
      const half = Math.sin((c - a) / 2) ** 2 + Math.cos(a) * Math.cos(c) * Math.sin((d - b) / 2) ** 2
      return 2 * 3_959 * Math.asin(Math.min(1, Math.sqrt(half)))
    },
  ),

  // ---- time
  days: span(DAY),
  hours: span(3_600_000),
  minutes: span(60_000),
  seconds: span(1_000),
  day: reckoned(
    [1, 1],
    'a moment, for the midnight before it',
    (value) => Math.floor(number(value) / DAY) * DAY,
  ),
  weekday: reckoned(
    [1, 1],
    'a moment, for 0 (Sunday) to 6',
    (value) => (Math.floor(number(value) / DAY) + 4) % 7,
  ),
  workday: reckoned([1, 1], 'a moment, which is moved from a weekend to the Monday after it', (value) => {
    const weekday = (Math.floor(number(value) / DAY) + 4) % 7
    return number(value) + (weekday === 6 ? 2 : weekday === 0 ? 1 : 0) * DAY
  }),
  isodate: reckoned([1, 1], 'a moment', (value) => new Date(number(value)).toISOString().replace(/T.*/, '')),

  // ---- text
  text: {
    takes: [1, MANY],
    usage: 'what is written one behind the other',
    compile(items) {
      const getters = items.map(({ get }) => get)
      return {
        get(row) {
          let text = ''
          for (const get of getters) {
            const value = get(row)
            if (value !== null) text += typeof value === 'object' ? JSON.stringify(value) : String(value)
          }
          return text
        },
      }
    },
  },
  pad: reckoned([2, 2], 'a number and its digits', (value, length) =>
    String(Math.floor(number(value))).padStart(number(length), '0'),
  ),
  lower: reckoned([1, 1], 'a text', (value) => word(value).toLowerCase()),
  upper: reckoned([1, 1], 'a text', (value) => word(value).toUpperCase()),
  slug: reckoned([1, 1], 'a text, for a part of an address', (value) =>
    word(value)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
  ),
  coalesce: drawn([1, MANY], 'values, for the first that is not null', (getters) => (row) => {
    for (const get of getters) {
      const value = get(row)
      if (value !== null) return value
    }
    return null
  }),
}

/** The weights are added up once when they are the same in each row. */
function weighted(items: readonly Compiled[], salt: number): Compiled {
  const values = items.filter((_, index) => index % 2 === 0)
  const weights = items.filter((_, index) => index % 2 === 1)
  const sums = (row: number): readonly number[] => {
    let sum = 0
    return values.map((_, index) => (sum += number(weights[index]?.get(row) ?? 0)))
  }
  const known = weights.every(({ constant }) => constant !== undefined) ? sums(0) : undefined
  return {
    get(row) {
      const limits = known ?? sums(row)
      const drawnShare = share(row, salt) * (limits.at(-1) ?? 0)
      let index = 0
      while (index < limits.length - 1 && drawnShare >= (limits[index] ?? 0)) index++
      return values[index]?.get(row) ?? null
    },
  }
}
