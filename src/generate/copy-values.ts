import type { TypeRef } from '../catalog/catalog.js'
import { arrayLiteral, copyValue, COPY_NULL, type ArrayElement } from '../database/copy-text.js'
import { choiceOf, PLAIN, type Compiled, type Plain } from './compiled.js'
import { jsonMaker } from './json-text.js'
import { clockText, dayText, fixedText, integerText, momentText } from './value-texts.js'

/** What a column is given. A moment is the number of milliseconds since 1970, a time of day those since midnight; strings are PostgreSQL's text. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

/** What stands in a line of COPY for the row of this number, with the tab or the line's end behind it. */
export type Emit = (row: number) => string

export interface ColumnType {
  /** As PostgreSQL writes it: numeric(10,2) */
  readonly type: string
  readonly ref: TypeRef
}

/**
 * How a column is written, with as much as possible settled beforehand: which text its few values have, and whether any of its texts can
 * need an escape.
 */
export function emitOf(column: ColumnType, made: Compiled, end: string): Emit {
  const plain = made.plain?.() ?? PLAIN.anything
  const write = writerOf(column, plain)
  const none = COPY_NULL + end
  const choice = choiceOf(made)
  if (choice !== undefined) {
    const { pick } = choice
    const texts = choice.values.map((value) => (value === null ? none : write(value) + end))
    const [only = none] = texts
    return texts.length === 1 ? () => only : (row) => texts[pick(row)] ?? none
  }
  const { document, absent, get } = made
  if (document !== undefined && isJson(column.ref)) {
    const json = jsonMaker(made)
    const text: Emit = plain >= PLAIN.parts ? (row) => json(row) + end : (row) => copyValue(json(row)) + end
    return absent === undefined ? text : (row) => (absent(row) ? none : text(row))
  }
  return (row) => {
    const value = get(row)
    return value === null ? none : write(value) + end
  }
}

export function emitNull(end: string): Emit {
  const none = COPY_NULL + end
  return () => none
}

function isJson({ name, array }: TypeRef): boolean {
  return !array && /^jsonb?$/.test(name)
}

/** How values of a type are written that are not NULL. */
function writerOf({ type, ref }: ColumnType, plain: Plain): (value: Value) => string {
  if (ref.array) return arrayWriter(textOf(type.replace(/(?:\[\])+$/, ''), ref), plain)
  const text = textOf(type, ref)
  if (plain >= PLAIN.line) return text
  // What is no text is written with digits, dashes and colons, and asking each of them takes a tenth of the time.
  const isHarmless = /^(?:bool|int[248]|date|timestamp|timestamptz|time|numeric|float[48])$/.test(ref.name)
  return isHarmless
    ? (value) => (typeof value === 'string' ? copyValue(value) : text(value))
    : (value) => copyValue(text(value))
}

function arrayWriter(element: (value: Value) => string, plain: Plain): (value: Value) => string {
  return (value) => {
    if (!Array.isArray(value)) return copyValue(typeof value === 'string' ? value : element(value))
    const elements = value as readonly Value[]
    if (plain < PLAIN.parts || elements.some((one) => typeof one === 'object'))
      return copyValue(arrayLiteral(elements.map((one) => elementOf(one, element))))
    let text = '{'
    for (const one of elements) text += `${text === '{' ? '"' : ',"'}${element(one)}"`
    return `${text}}`
  }
}

function elementOf(value: Value, text: (value: Value) => string): ArrayElement {
  return value === null
    ? null
    : Array.isArray(value)
      ? value.map((one: Value) => elementOf(one, text))
      : text(value)
}

function textOf(type: string, { name }: TypeRef): (value: Value) => string {
  switch (name) {
    case 'json':
    case 'jsonb':
      // A text is JSON already where nothing else can be meant by it.
      return (value) => (typeof value === 'string' ? value : JSON.stringify(value))
    case 'bool':
      return (value) => (value === true ? 't' : value === false ? 'f' : plainText(value))
    case 'int2':
    case 'int4':
    case 'int8':
      return (value) => (typeof value === 'number' ? integerText(Math.round(value)) : plainText(value))
    case 'numeric': {
      const scale = /,\s*(\d+)\)/.exec(type)?.[1]
      const digits = scale === undefined ? (type.includes('(') ? 0 : undefined) : Number(scale)
      return (value) =>
        typeof value !== 'number' || digits === undefined ? plainText(value) : fixedText(value, digits)
    }
    case 'date':
      return (value) => (typeof value === 'number' ? dayText(Math.floor(value / DAY)) : plainText(value))
    case 'timestamp':
      return (value) => (typeof value === 'number' ? momentText(value) : plainText(value))
    case 'timestamptz':
      return (value) => (typeof value === 'number' ? `${momentText(value)}+00` : plainText(value))
    case 'time':
      return (value) =>
        typeof value === 'number' ? clockText(Math.floor(value / 1_000) % 86_400) : plainText(value)
    case 'timetz':
      return (value) =>
        typeof value === 'number' ? `${clockText(Math.floor(value / 1_000) % 86_400)}+00` : plainText(value)
    case 'interval':
      return (value) =>
        typeof value === 'number' ? `${String(Math.round(value / 1_000))} seconds` : plainText(value)
    default:
      return plainText
  }
}

function plainText(value: Value): string {
  return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const DAY = 86_400_000

/** What the server printed, as the value that it was: dates and numbers can be reckoned with. */
export function readValue(text: string | null, { name, array }: TypeRef): Value {
  if (text === null || array) return text
  switch (name) {
    case 'int2':
    case 'int4':
    case 'float4':
    case 'float8':
      return Number(text)
    case 'numeric':
      // More digits than a number holds stay text: a copy of them must be exact.
      return text.replace(/\D/g, '').length > 15 ? text : Number(text)
    case 'bool':
      return text === 't'
    case 'date':
      return momentOf(`${text}T00:00:00Z`) ?? text
    case 'timestamp':
      return momentOf(`${text.replace(' ', 'T')}Z`) ?? text
    case 'timestamptz':
      // The session is in UTC.
      return momentOf(text.replace(' ', 'T').replace(/\+00$/, 'Z')) ?? text
    case 'json':
    case 'jsonb':
      return JSON.parse(text) as Value
    default:
      return text
  }
}

function momentOf(text: string): number | undefined {
  const moment = Date.parse(text)
  return Number.isNaN(moment) ? undefined : moment
}
