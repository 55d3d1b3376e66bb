import {
  chosen,
  choiceOf,
  constant,
  derived,
  harmless,
  leastPlain,
  PLAIN,
  type Compiled,
  type Getter,
  type Plain,
} from './compiled.js'
import type { Value } from './copy-values.js'
import { between, draw, hexOf, share, uuid } from './draw.js'
import { integerText, paddedText } from './value-texts.js'

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

type Takes = readonly [number, number]

/** A function that draws: numbers, truths or texts of digits. */
const drawn = (
  takes: Takes,
  usage: string,
  make: (items: readonly Getter[], salt: number, constants: readonly (Value | undefined)[]) => Getter,
): RecipeFunction => ({
  takes,
  usage,
  compile: (items, salt) =>
    harmless(
      make(
        items.map(({ get }) => get),
        salt,
        items.map((item) => item.constant),
      ),
    ),
})

/** Numbers between two that are mostly the same in each row. */
const ranged = (
  takes: Takes,
  usage: string,
  reckon: (row: number, salt: number, low: number, high: number, power: number) => number,
): RecipeFunction =>
  drawn(takes, usage, ([least = none, most = none, power = none], salt, constants) => {
    const given = (row: number): [number, number, number] => [
      number(least(row)),
      number(most(row)),
      number(power(row) ?? 1),
    ]
    if (constants.includes(undefined))
      return (row) => reckon(row, salt, number(least(row)), number(most(row)), number(power(row) ?? 1))
    const [low, high, bend] = given(0)
    return (row) => reckon(row, salt, low, high, bend)
  })

const none: Getter = () => null

/** A function of its arguments alone; NULL where the first one is. */
const reckoned = (
  takes: Takes,
  usage: string,
  apply: (...values: Value[]) => Value,
  plain?: Plain,
): RecipeFunction => ({
  takes,
  usage,
  compile(items) {
    const [first, second, ...others] = items
    if (first === undefined) return constant(null)
    const of = plain === undefined ? {} : { plain: () => plain }
    if (items.every((item) => item.constant !== undefined))
      return constant(nullOr(apply)(...items.map(({ constant: value = null }) => value)))
    if (second === undefined) return derived(first, nullOr(apply), of.plain)
    const [a, b] = [first.get, second.get]
    if (others.length === 0)
      return {
        get(row) {
          const value = a(row)
          return value === null ? null : apply(value, b(row))
        },
        ...of,
      }
    const getters = items.map(({ get }) => get)
    return { get: (row) => nullOr(apply)(...getters.map((get) => get(row))), ...of }
  },
})

const nullOr =
  (apply: (...values: Value[]) => Value) =>
  (...values: Value[]): Value =>
    values[0] === null ? null : apply(...values)

/** A number of numbers. */
const reckonedNumber = (takes: Takes, usage: string, apply: (...values: Value[]) => Value): RecipeFunction =>
  reckoned(takes, usage, apply, PLAIN.text)

const span = (milliseconds: number): RecipeFunction =>
  reckonedNumber([1, 1], 'a number', (value) => number(value) * milliseconds)

const DAY = 86_400_000

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : []
}

/** An element of a list, which is mostly one of the recipe's. */
function elementOf(list: Compiled | undefined, indexOf: (length: number, row: number) => number): Compiled {
  if (list?.constant !== undefined) {
    const items = listOf(list.constant)
    return items.length === 0 ? constant(null) : chosen(items, (row) => indexOf(items.length, row))
  }
  return {
    get(row) {
      const items = listOf(list?.get(row) ?? null)
      return items[indexOf(items.length, row)] ?? null
    },
    plain: () => (list === undefined ? PLAIN.text : leastPlain([list])),
  }
}

export const FUNCTIONS: Readonly<Record<string, RecipeFunction>> = {
  // ---- chance
  between: ranged(
    [2, 2],
    'the least and the most',
    (row, salt, low, high) => low + share(row, salt) * (high - low),
  ),
  whole: ranged([2, 2], 'the least and the most', between),
  skewed: ranged(
    [3, 3],
    'the least, the most, and how much the least is preferred (1: not at all)',
    (row, salt, low, high, power) => low + share(row, salt) ** power * (high - low),
  ),
  chance: drawn(
    [1, 1],
    'a share from 0 to 1',
    ([part = none], salt) =>
      (row) =>
        share(row, salt) < number(part(row)),
  ),
  pick: {
    takes: [1, 1],
    usage: 'a list',
    compile: ([list], salt) => elementOf(list, (length, row) => between(row, salt, 0, length - 1)),
  },
  nth: {
    takes: [2, 2],
    usage: 'a list and a number, counted on from the beginning when it ends',
    compile: ([list, index]) =>
      elementOf(list, (length, row) => Math.floor(number(index?.get(row) ?? 0)) % Math.max(1, length)),
  },
  some: { takes: [3, 3], usage: 'a list, the fewest and the most', compile: some },
  weighted: { takes: [2, MANY], usage: 'values, each with its weight behind it', compile: weighted },
  digits: drawn([1, 1], 'how many', ([length = none], salt) => (row) => {
    const wanted = number(length(row) ?? 1)
    const bits = draw(row, salt)
    const unit = POWERS[wanted]
    // The last digits of a number that has so many.
    if (unit !== undefined && bits >= unit) return paddedText(bits % unit, wanted)
    return String(bits).padStart(10, '7').slice(-Math.min(10, wanted)).padStart(wanted, '4')
  }),
  hex: drawn([1, 1], 'how many digits', ([length = none], salt) => (row) => {
    const wanted = number(length(row) ?? 8)
    let text = ''
    for (let part = 0; text.length < wanted; part++) text += hexOf(draw(row, salt + part * 0x9e3779b1))
    return text.length === wanted ? text : text.slice(0, wanted)
  }),
  uuid: drawn([0, 0], 'nothing', (_, salt) => (row) => uuid(row, salt)),

  // ---- numbers
  round: { takes: [1, 2], usage: 'a number and how many places', compile: rounded },
  floor: reckonedNumber([1, 1], 'a number', (value) => Math.floor(number(value))),
  abs: reckonedNumber([1, 1], 'a number', (value) => Math.abs(number(value))),
  min: reckonedNumber([2, MANY], 'numbers', (a = null, b = null, ...others) =>
    Math.min(number(a), number(b), ...others.map(number)),
  ),
  max: reckonedNumber([2, MANY], 'numbers', (a = null, b = null, ...others) =>
    Math.max(number(a), number(b), ...others.map(number)),
  ),
  distance: reckonedNumber(
    [4, 4],
    'latitude and longitude of two places, for the miles between them',
    (latitude = null, longitude = null, latitude2 = null, longitude2 = null) => {
      const [a, c] = [radians(latitude), radians(latitude2)]
      const half =
        Math.sin((c - a) / 2) ** 2 +
        Math.cos(a) * Math.cos(c) * Math.sin((radians(longitude2) - radians(longitude)) / 2) ** 2
      return 2 * 3_959 * Math.asin(Math.min(1, Math.sqrt(half)))
    },
  ),

  // ---- time
  days: span(DAY),
  hours: span(3_600_000),
  minutes: span(60_000),
  seconds: span(1_000),
  day: reckonedNumber(
    [1, 1],
    'a moment, for the midnight before it',
    (value) => Math.floor(number(value) / DAY) * DAY,
  ),
  weekday: reckonedNumber(
    [1, 1],
    'a moment, for 0 (Sunday) to 6',
    (value) => (Math.floor(number(value) / DAY) + 4) % 7,
  ),
  workday: reckonedNumber(
    [1, 1],
    'a moment, which is moved from a weekend to the Monday after it',
    (value) => {
      const weekday = (Math.floor(number(value) / DAY) + 4) % 7
      return number(value) + (weekday === 6 ? 2 : weekday === 0 ? 1 : 0) * DAY
    },
  ),
  isodate: reckonedNumber([1, 1], 'a moment', (value) =>
    new Date(number(value)).toISOString().replace(/T.*/, ''),
  ),

  // ---- text
  text: { takes: [1, MANY], usage: 'what is written one behind the other', compile: joined },
  pad: reckonedNumber([2, 2], 'a number and its digits', (value, length) =>
    paddedText(Math.floor(number(value)), number(length)),
  ),
  lower: reckoned([1, 1], 'a text', (value) => word(value).toLowerCase()),
  upper: reckoned([1, 1], 'a text', (value) => word(value).toUpperCase()),
  slug: reckonedNumber([1, 1], 'a text, for a part of an address', (value) =>
    word(value)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
  ),
  coalesce: {
    takes: [1, MANY],
    usage: 'values, for the first that is not null',
    compile(items) {
      const getters = items.map(({ get }) => get)
      return {
        get(row) {
          for (const get of getters) {
            const value = get(row)
            if (value !== null) return value
          }
          return null
        },
        plain: () => leastPlain(items),
      }
    },
  },
}

/** How many digits, and the least number that has one more. */
const POWERS: Readonly<Record<number, number>> = Object.fromEntries(
  Array.from({ length: 9 }, (_, index) => [index + 1, 10 ** (index + 1)]),
)

const radians = (degrees: Value): number => (number(degrees) * Math.PI) / 180

function rounded([value, places]: readonly Compiled[]): Compiled {
  if (value === undefined) return constant(null)
  const to = (amount: Value, power: number): Value =>
    amount === null ? null : Math.round(number(amount) * power) / power
  const digits = places === undefined ? 0 : places.constant
  if (digits === undefined) {
    const [a, b] = [value.get, places?.get ?? none]
    return harmless((row) => to(a(row), 10 ** number(b(row))))
  }
  const power = 10 ** number(digits)
  return derived(
    value,
    (amount) => to(amount, power),
    () => PLAIN.text,
  )
}

function some([list, least, most]: readonly Compiled[], salt: number): Compiled {
  const known = list?.constant === undefined ? undefined : listOf(list.constant)
  const get: Getter = (row) => {
    const items = known ?? listOf(list?.get(row) ?? null)
    const wanted = between(row, salt, number(least?.get(row) ?? 0), number(most?.get(row) ?? 0))
    const start = draw(row, salt ^ 0x51ed270b) % Math.max(1, items.length)
    const length = Math.min(wanted, items.length)
    const found: Value[] = []
    for (let index = 0; index < length; index++) found.push(items[(start + index) % items.length] ?? null)
    return found
  }
  return {
    get,
    plain: () => (list === undefined || leastPlain([list]) < PLAIN.parts ? PLAIN.anything : PLAIN.parts),
  }
}

function written(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'number') return integerText(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** One text behind the other. What stands before a choice of few is joined with each of them beforehand. */
function joined(items: readonly Compiled[]): Compiled {
  const parts: { before: string; get: Getter | undefined }[] = []
  let before = ''
  for (const item of items) {
    const choice = choiceOf(item)
    if (item.constant !== undefined) before += written(item.constant)
    else if (choice !== undefined) {
      const start = before
      parts.push({
        before: '',
        get: chosen(
          choice.values.map((value) => start + written(value)),
          choice.pick,
        ).get,
      })
      before = ''
    } else {
      parts.push({ before, get: item.get })
      before = ''
    }
  }
  const end = before
  const plain = (): Plain => {
    const least = leastPlain(items)
    return least === PLAIN.parts ? PLAIN.line : least
  }
  if (parts.length === 0) return constant(end)
  return {
    get(row) {
      let text = ''
      for (const part of parts) {
        text += part.before
        const value = part.get?.(row) ?? null
        text += typeof value === 'string' ? value : written(value)
      }
      return text + end
    },
    plain,
  }
}

/** The weights are added up once when they are the same in each row. */
function weighted(items: readonly Compiled[], salt: number): Compiled {
  const values = items.filter((_, index) => index % 2 === 0)
  const weights = items.filter((_, index) => index % 2 === 1)
  const sums = (row: number): readonly number[] => {
    let sum = 0
    return values.map((_, index) => (sum += number(weights[index]?.get(row) ?? 0)))
  }
  const known = weights.every((weight) => weight.constant !== undefined) ? sums(0) : undefined
  const last = values.length - 1
  const pick = (row: number): number => {
    const limits = known ?? sums(row)
    const drawnShare = share(row, salt) * (limits[last] ?? 0)
    let index = 0
    while (index < last && drawnShare >= (limits[index] ?? 0)) index++
    return index
  }
  if (values.every((value) => value.constant !== undefined))
    return chosen(
      values.map(({ constant: value = null }) => value),
      pick,
    )
  return { get: (row) => values[pick(row)]?.get(row) ?? null, plain: () => leastPlain(values) }
}
