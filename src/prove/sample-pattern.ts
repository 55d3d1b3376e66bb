/** Chance that can be had again: the same seed gives the same numbers. */
export interface Chance {
  /** From 0 up to, and without, 1. */
  next(): number
  /** A whole number between two, both included. */
  between(least: number, most: number): number
  pick<T>(items: readonly T[]): T | undefined
}

/** Mulberry32: small, and even enough to fill tables with. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return { next, between, pick: (items) => items[between(0, items.length - 1)] }
}

/**
 * A text that a regular expression of PostgreSQL takes, for the kind that stands in CHECKs: letters, classes, groups, alternatives and
 * counts. Undefined for anything else: lookaround, back references, POSIX classes other than those below.
 */
export function samplePattern(pattern: string, chance: Chance): string | undefined {
  const reader = { rest: pattern, failed: false }
  const sampled = alternatives(reader, chance)
  return reader.failed || reader.rest !== '' ? undefined : sampled
}

interface Reader {
  rest: string
  failed: boolean
}

function alternatives(reader: Reader, chance: Chance): string {
  const choices = [sequence(reader, chance)]
  while (take(reader, '|')) choices.push(sequence(reader, chance))
  return chance.pick(choices) ?? ''
}

function sequence(reader: Reader, chance: Chance): string {
  let text = ''
  while (reader.rest !== '' && !/^[|)]/.test(reader.rest) && !reader.failed) {
    const draw = atom(reader, chance)
    const times = quantity(reader, chance)
    for (let done = 0; done < times; done++) text += draw()
  }
  return text
}

/** What one atom may be, drawn anew for each repetition; of a group the same text again. */
function atom(reader: Reader, chance: Chance): () => string {
  if (take(reader, '^') || take(reader, '$')) return () => ''
  if (take(reader, '(?:') || take(reader, '(')) {
    if (reader.rest.startsWith('?')) reader.failed = true
    const inner = alternatives(reader, chance)
    if (!take(reader, ')')) reader.failed = true
    return () => inner
  }
  const set = take(reader, '[') ? bracket(reader) : single(reader)
  if (set.length === 0) reader.failed = true
  return () => chance.pick(set) ?? ''
}

function single(reader: Reader): readonly string[] {
  const [first = '', second = ''] = reader.rest
  if (first === '.') return advance(reader, 1, LETTERS)
  if (first !== '\\') return advance(reader, 1, [first])
  const known = CLASSES[second]
  if (known !== undefined) return advance(reader, 2, known)
  // Other letters behind a backslash are anchors, references and the like.
  if (/[a-zA-Z0-9]/.test(second)) reader.failed = true
  return advance(reader, 2, [second])
}

function bracket(reader: Reader): readonly string[] {
  const negated = take(reader, '^')
  const found: string[] = []
  for (let first = true; first || !reader.rest.startsWith(']'); first = false) {
    if (reader.rest === '') {
      reader.failed = true
      return []
    }
    const named = /^\[:(\w+):\]/.exec(reader.rest)
    if (named !== null) {
      found.push(...(POSIX[named[1] ?? ''] ?? []))
      reader.rest = reader.rest.slice(named[0].length)
      continue
    }
    const from = single({ ...reader, rest: reader.rest.startsWith('.') ? `\\${reader.rest}` : reader.rest })
    const length = reader.rest.startsWith('\\') ? 2 : 1
    reader.rest = reader.rest.slice(length)
    const to = /^-([^\]])/.exec(reader.rest)?.[1]
    if (to === undefined || from.length !== 1) {
      found.push(...from)
      continue
    }
    reader.rest = reader.rest.slice(2)
    for (let code = from[0]?.charCodeAt(0) ?? 0; code <= to.charCodeAt(0); code++)
      found.push(String.fromCharCode(code))
  }
  take(reader, ']')
  return negated ? LETTERS.filter((letter) => !found.includes(letter)) : found
}

function quantity(reader: Reader, chance: Chance): number {
  const exact = /^\{(\d+)(?:(,)(\d*))?\}/.exec(reader.rest)
  const [least, most] =
    exact !== null
      ? [
          Number(exact[1]),
          exact[2] === undefined
            ? Number(exact[1])
            : exact[3] === ''
              ? Number(exact[1]) + 3
              : Number(exact[3]),
        ]
      : reader.rest.startsWith('*')
        ? [0, 5]
        : reader.rest.startsWith('+')
          ? [1, 6]
          : reader.rest.startsWith('?')
            ? [0, 1]
            : [1, 1]
  if (exact !== null) reader.rest = reader.rest.slice(exact[0].length)
  else if (/^[*+?]/.test(reader.rest)) reader.rest = reader.rest.slice(1)
  else return 1
  // Not greedy: it matches the same texts.
  take(reader, '?')
  return chance.between(least, Math.max(least, most))
}

function take(reader: Reader, text: string): boolean {
  if (!reader.rest.startsWith(text)) return false
  reader.rest = reader.rest.slice(text.length)
  return true
}

function advance(reader: Reader, length: number, set: readonly string[]): readonly string[] {
  reader.rest = reader.rest.slice(length)
  return set
}

const DIGITS = Array.from('0123456789')
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz')
const UPPER = LETTERS.map((letter) => letter.toUpperCase())
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  d: DIGITS,
  w: [...LETTERS, ...DIGITS, '_'],
  s: [' '],
  S: LETTERS,
  D: LETTERS,
}
const POSIX: Readonly<Record<string, readonly string[]>> = {
  digit: DIGITS,
  alpha: [...LETTERS, ...UPPER],
  alnum: [...LETTERS, ...UPPER, ...DIGITS],
  lower: LETTERS,
  upper: UPPER,
  space: [' '],
  xdigit: [...DIGITS, ...LETTERS.slice(0, 6)],
}
