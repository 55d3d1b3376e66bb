import { findFact, partsOfKind, type Catalog, type FactOf, type TypeRef } from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import { hintsOf, mergeHints, valueOf, type Hints } from '../prove/column-values.js'
import { chanceOf, samplePattern } from '../prove/sample-pattern.js'
import { chosen, harmless, type Compiled, type Getter } from './compiled.js'
import type { Value } from './copy-values.js'
import { between, draw, share, uuid } from './draw.js'
import { inside } from './expression.js'
import { makeText } from './make-text.js'

/** What is known of a column that no recipe speaks of. */
export interface ColumnFacts {
  readonly name: string
  readonly type: string
  readonly ref: TypeRef
  readonly hints: Hints
  readonly salt: number
  /** Milliseconds since 1970 at the midnight that the data ends with. */
  readonly today: number
  /** The documents of a JSON column, if their shape is known. */
  readonly json: Compiled | undefined
  /** Set where each row needs a value of its own: counted on from here. */
  readonly serial: ((row: number) => number) | undefined
}

const DAY = 86_400_000

/** Plausible values for a column, by its type, its constraints and its name. Undefined: nobody here knows the type. */
export function makeValue(catalog: Catalog, facts: ColumnFacts): Compiled | undefined {
  const { ref, salt, hints } = facts
  if (ref.array) return makeArray(catalog, facts)
  const identity = `${quoteIfNeeded(ref.schema)}.${quoteIfNeeded(ref.name)}`
  const domain = findFact(catalog, 'domain', identity)
  if (domain !== undefined) return makeValue(catalog, underDomain(catalog, domain, facts))
  const own = findFact(catalog, 'type', identity)
  if (own?.properties.form === 'enum') return pickOf(own.properties.labels, facts)
  if (own === undefined && hints.literals.length > 0) return pickOf(hints.literals, facts)
  if (own === undefined) {
    const known = makeBuiltin(facts)
    if (known !== undefined) return known
  }
  // Ranges, composites and what extensions bring: slower, and rarely in a table of millions.
  const sample = (row: number): string | undefined =>
    valueOf(catalog, { text: facts.type, ref }, hints, row + 1, chanceOf(draw(row, salt)))
  return sample(0) === undefined ? undefined : { get: (row) => sample(row) ?? null }
}

function underDomain(catalog: Catalog, domain: FactOf<'domain'>, facts: ColumnFacts): ColumnFacts {
  const checks = partsOfKind(catalog, domain.key, 'constraint').map(({ properties }) => properties.definition)
  return {
    ...facts,
    type: domain.properties.type,
    ref: domain.details.typeRef,
    hints: mergeHints(facts.hints, hintsOf('VALUE', checks)),
  }
}

function pickOf(values: readonly string[], { salt, serial }: ColumnFacts): Compiled {
  const { length } = values
  return chosen(
    values,
    serial === undefined ? (row) => draw(row, salt) % length : (row) => serial(row) % length,
  )
}

function makeArray(catalog: Catalog, facts: ColumnFacts): Compiled {
  const { ref, type, salt, hints } = facts
  const element = makeValue(catalog, {
    ...facts,
    ref: { ...ref, array: false },
    type: type.replace(/(?:\[\])+$/, ''),
    // A literal may also be a whole array, of which no element is one.
    hints: { ...hints, literals: hints.literals.filter((literal) => !literal.startsWith('{')) },
    serial: undefined,
  })
  if (element === undefined) return { get: () => '{}' }
  const { get } = element
  return {
    get(row) {
      const length = between(row, salt ^ 1, 1, 3)
      const made: Value[] = []
      for (let index = 0; index < length; index++) made.push(get(row * 4 + index))
      return made
    },
    plain: () => inside([element]),
  }
}

function makeBuiltin(facts: ColumnFacts): Compiled | undefined {
  const { salt, serial, json, ref } = facts
  switch (ref.name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
    case 'float4':
    case 'float8':
      return harmless(makeNumber(facts))
    case 'bool':
      return harmless(
        serial === undefined ? (row) => draw(row, salt) % 2 === 0 : (row) => serial(row) % 2 === 0,
      )
    case 'uuid':
      return harmless((row) => uuid(row, salt))
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'citext':
      return makePatterned(facts) ?? harmless(makeText(facts))
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return harmless(makeMoment(facts))
    case 'time':
    case 'timetz':
      return harmless((row) => (6 * 60 + between(row, salt, 0, 14 * 4) * 15) * 60_000)
    case 'interval':
      return harmless((row) => between(row, salt, 2, 16) * 15 * 60_000)
    case 'json':
    case 'jsonb':
      return json
    default:
      return undefined
  }
}

/** What names say about numbers: from, to, and how much the smaller ones prevail. */
const NUMBERS: readonly (readonly [RegExp, number, number, number])[] = [
  [/^lat(?:itude)?$|_lat(?:itude)?$/, 26, 48, 1],
  [/^(?:lng|lon|longitude)$|_(?:lng|lon|longitude)$/, -122, -71, 1],
  [/year/, 2000, 2026, 1],
  [/percent|_pct$|score|quality/, 0, 100, 1],
  [/rating|stars/, 1, 5, 0.6],
  [/confidence|probability|ratio|share/, 0, 1, 0.5],
  [/price|amount|total|cost|fee|rate|value|balance/, 5, 5_000, 3],
  [/quantity|count|pieces|attempts|retries|number_of/, 0, 20, 2],
  [/duration|seconds|minutes/, 5, 900, 2],
  [/weight/, 1, 2_000, 2],
  [/position|rank|priority|level|step|round/, 1, 5, 1],
]

function makeNumber({ name, type, ref, hints, salt, serial }: ColumnFacts): Getter {
  const whole = ref.name.startsWith('int')
  const [precision, scale = 0] = /\(([\d, ]+)\)/.exec(type)?.[1]?.split(',').map(Number) ?? []
  const room = precision === undefined ? Infinity : 10 ** (precision - scale) - 10 ** -scale
  const limit = ref.name === 'int2' ? 32_767 : ref.name === 'int4' ? 2_147_483_647 : room
  const least = Math.max(hints.least ?? -Infinity, -limit)
  const most = Math.min(hints.most ?? Infinity, limit)
  if (serial !== undefined && hints.least !== undefined && hints.most !== undefined)
    return (row) => least + (serial(row) % (Math.floor(most - least) + 1))
  if (serial !== undefined) return (row) => Math.max(1, Number.isFinite(least) ? least : 1) + serial(row)
  const [, from = 0, to = 1_000, power = 1] = NUMBERS.find(([pattern]) => pattern.test(name)) ?? []
  // What the constraints say goes before what the name says.
  const low = hints.least === undefined ? Math.min(Math.max(from, least), most) : least
  const high = hints.most === undefined ? Math.max(Math.min(Math.max(to, low), limit), low) : most
  if (whole) return (row) => Math.floor(low + share(row, salt) ** power * (high - low + 1 - 1e-9))
  const places = ref.name === 'numeric' && precision !== undefined ? scale : 2
  const unit = 10 ** Math.min(places, 6)
  return (row) => Math.round((low + share(row, salt) ** power * (high - low)) * unit) / unit
}

/** A text that the CHECK of the column takes; each is made by reading the pattern again. */
function makePatterned({ hints, type, salt }: ColumnFacts): Compiled | undefined {
  const [pattern] = hints.patterns
  if (pattern === undefined) return undefined
  const longest = Number(/\((\d+)\)/.exec(type)?.[1] ?? Infinity)
  if (samplePattern(pattern, chanceOf(1)) === undefined) return undefined
  // A few thousand are enough to choose from; where each row needs its own, each is made anew.
  return {
    get(row) {
      for (let attempt = 0; attempt < 8; attempt++) {
        const text = samplePattern(pattern, chanceOf(draw(row, salt + attempt)))
        if (text !== undefined && text.length <= longest) return text
      }
      return null
    },
  }
}

function makeMoment({ name, ref, salt, today, serial }: ColumnFacts): Getter {
  const ahead = /due|expire|schedul|planned|deadline|until|end|desired|delivery|valid_to/.test(name)
  const start = ahead ? today - 10 * DAY : today - 365 * DAY
  const width = ahead ? 120 * DAY : 364 * DAY
  if (serial !== undefined) {
    const step = ref.name === 'date' ? DAY : 1_000
    return (row) => start + serial(row) * step
  }
  // Most things happen during the day.
  return (row): Value => {
    const day = start + Math.floor(share(row, salt) * (width / DAY)) * DAY
    return ref.name === 'date' ? day : day + 7 * 3_600_000 + (draw(row, salt ^ 0x2f) % 46_800) * 1_000
  }
}
