import type { ColumnFacts } from './make-value.js'
import { draw } from './draw.js'
import type { Getter } from './compiled.js'
import { COMPANY_FORMS, COMPANY_WORDS, FIRST_NAMES, LAST_NAMES, PLACES, STREETS, WORDS } from './words.js'

type Facts = Pick<ColumnFacts, 'name' | 'type' | 'ref' | 'hints' | 'salt' | 'serial'>

const from = <T>(items: readonly T[], bits: number): T | undefined => items[bits % items.length]

type Say = (row: number, salt: number, own: string) => string

/** What a name says that a text is; `own` tells the row apart where it has to be. */
const KINDS: readonly (readonly [RegExp, Say])[] = [
  [/e_?mail/, (row, salt, own) => `${person(row, salt).toLowerCase().replace(' ', '.')}${own}@example.com`],
  [
    /phone|mobile|(?:from|to)_number/,
    (row, salt, own) =>
      `+1555${own === '' ? String(draw(row, salt) % 10_000_000).padStart(7, '0') : own.padStart(9, '0')}`,
  ],
  [
    /url|link|website/,
    (row, salt, own) => `https://example.com/${own === '' ? draw(row, salt).toString(36) : own}`,
  ],
  [
    /company|customer_name|legal_name|organi[sz]ation|vendor|supplier/,
    (row, salt, own) =>
      `${from(COMPANY_WORDS, draw(row, salt)) ?? ''} ${from(COMPANY_WORDS, draw(row, salt ^ 1)) ?? ''} ${from(COMPANY_FORMS, draw(row, salt ^ 2)) ?? ''}${spaced(own)}`,
  ],
  [/first_name|given_name/, (row, salt, own) => `${from(FIRST_NAMES, draw(row, salt)) ?? ''}${spaced(own)}`],
  [
    /last_name|surname|family_name/,
    (row, salt, own) => `${from(LAST_NAMES, draw(row, salt)) ?? ''}${spaced(own)}`,
  ],
  [
    /user_?name|login|handle|slug/,
    (row, salt, own) => `${(from(LAST_NAMES, draw(row, salt)) ?? '').toLowerCase()}${own}`,
  ],
  [/name|author|owner|created_by|contact/, (row, salt, own) => `${person(row, salt)}${spaced(own)}`],
  [/city|town/, (row, salt, own) => `${from(PLACES, draw(row, salt))?.[0] ?? ''}${spaced(own)}`],
  [/(?:^|_)(?:state|province)$/, (row, salt, own) => `${from(PLACES, draw(row, salt))?.[1] ?? ''}${own}`],
  [
    /zip|postal|postcode/,
    (row, salt, own) => (own === '' ? (from(PLACES, draw(row, salt))?.[2] ?? '') : own.padStart(5, '0')),
  ],
  [
    /address|street/,
    (row, salt, own) =>
      `${own === '' ? String(1 + (draw(row, salt) % 9_899)) : own} ${from(STREETS, draw(row, salt ^ 1)) ?? ''} St`,
  ],
  [/country/, () => 'US'],
  [/currency/, () => 'USD'],
  [/time_?zone/, () => 'UTC'],
  [/lang|locale/, () => 'en'],
  [/colou?r/, (row, salt) => from(['red', 'green', 'blue', 'black', 'white'], draw(row, salt)) ?? ''],
  [
    /hash|token|secret|password/,
    (row, salt, own) => `${own}${draw(row, salt).toString(16)}${draw(row, salt ^ 1).toString(16)}`,
  ],
  [
    /code|number|sku|reference|(?:^|_)ref$|(?:^|_)key$|sid$|(?:^|_)id$/,
    (row, salt, own) => `${own}${draw(row, salt).toString(36).toUpperCase().slice(0, 6)}`,
  ],
  [
    /description|notes?$|comment|message|content|body|text|summary|reason|transcript|instructions/,
    (row, salt, own) => `${sentence(row, salt, 6, 14)}${spaced(own)}`,
  ],
]

/** Texts that read as the name of their column says, as long as the column and its constraints allow. */
export function makeText({ name, type, ref, hints, salt, serial }: Facts): Getter {
  const limit = Number(/\((\d+)\)/.exec(type)?.[1] ?? (ref.name === 'bpchar' ? 1 : Infinity))
  const longest = Math.min(limit, hints.longest ?? Infinity)
  const shortest = Math.min(Math.max(hints.shortest ?? 1, ref.name === 'bpchar' ? limit : 1), longest)
  const [, say] = KINDS.find(([pattern]) => pattern.test(name)) ?? [undefined, words]
  return (row) => {
    const own = serial === undefined ? '' : serial(row).toString(serial(row) < 1e9 && longest > 9 ? 10 : 36)
    let text = say(row, salt, own)
    if (text.length > longest)
      text = own === '' ? text.slice(0, longest).trimEnd() : own.padStart(shortest, '0').slice(-longest)
    return text.length >= shortest ? text : text.padEnd(shortest, 'x')
  }
}

function spaced(own: string): string {
  return own === '' ? '' : ` ${own}`
}

function person(row: number, salt: number): string {
  return `${from(FIRST_NAMES, draw(row, salt)) ?? ''} ${from(LAST_NAMES, draw(row, salt ^ 0x33)) ?? ''}`
}

function words(row: number, salt: number, own: string): string {
  return `${from(WORDS, draw(row, salt)) ?? ''} ${from(WORDS, draw(row, salt ^ 0x77)) ?? ''}${spaced(own)}`
}

function sentence(row: number, salt: number, least: number, most: number): string {
  const length = least + (draw(row, salt) % (most - least + 1))
  let text = ''
  for (let index = 0; index < length; index++)
    text += `${index === 0 ? '' : ' '}${from(WORDS, draw(row, salt + index * 7 + 1)) ?? ''}`
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
