import type { TypeRef } from '../catalog/catalog.js'
import { arrayLiteral, copyValue, COPY_NULL, type ArrayElement } from '../database/copy-text.js'

/** What a column is given. A moment is the number of milliseconds since 1970, a time of day those since midnight; strings are PostgreSQL's text. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

/** A value as it stands in a line of COPY. */
export type Write = (value: Value) => string

/** How values of a type are written. */
export function writerOf(type: string, ref: TypeRef): Write {
  if (ref.array) {
    const element = textOf(type.replace(/(?:\[\])+$/, ''), ref)
    return (value) => {
      if (value === null) return COPY_NULL
      if (!Array.isArray(value)) return copyValue(typeof value === 'string' ? value : element(value))
      return copyValue(arrayLiteral(value.map((one: Value) => elementOf(one, element))))
    }
  }
  const text = textOf(type, ref)
  // Digits, dashes and colons need no escape, and asking each of them takes a tenth of the time.
  const plain = /^(?:u?uuid|bool|int[248]|date|timestamp|timestamptz|time|numeric|float[48])$/.test(ref.name)
  return plain
    ? (value) => (value === null ? COPY_NULL : typeof value === 'string' ? copyValue(value) : text(value))
    : (value) => (value === null ? COPY_NULL : copyValue(text(value)))
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
      return (value) => (typeof value === 'number' ? String(Math.round(value)) : plainText(value))
    case 'numeric': {
      const scale = /,\s*(\d+)\)/.exec(type)?.[1]
      const digits = scale === undefined ? (type.includes('(') ? 0 : undefined) : Number(scale)
      return (value) =>
        typeof value !== 'number' || digits === undefined ? plainText(value) : fixed(value, digits)
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
const POWERS = [1, 10, 100, 1_000, 10_000]

/** As toFixed, which takes three times as long. */
function fixed(value: number, digits: number): string {
  const power = POWERS[digits]
  if (power === undefined || Math.abs(value) > 1e11) return value.toFixed(Math.min(digits, 20))
  const units = Math.round(Math.abs(value) * power)
  const sign = value < 0 && units > 0 ? '-' : ''
  const whole = Math.floor(units / power)
  return digits === 0
    ? `${sign}${String(whole)}`
    : `${sign}${String(whole)}.${String(power + (units - whole * power)).slice(1)}`
}

const TWO = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))
const two = (number: number): string => TWO[number] ?? ''

const days = new Map<number, string>()

/** The days of a few years are asked for again and again. */
export function dayText(day: number): string {
  // What cannot be reckoned PostgreSQL refuses by the name of its column.
  if (Number.isNaN(day) || Math.abs(day) > 90_000_000) return 'NaN'
  const known = days.get(day)
  if (known !== undefined) return known
  const text = new Date(day * DAY).toISOString().replace(/T.*/, '')
  if (days.size < 20_000) days.set(day, text)
  return text
}

function clockText(seconds: number): string {
  const hour = Math.floor(seconds / 3_600)
  return `${two(hour)}:${two(Math.floor(seconds / 60) - hour * 60)}:${two(seconds % 60)}`
}

function momentText(milliseconds: number): string {
  const day = Math.floor(milliseconds / DAY)
  return `${dayText(day)} ${clockText(Math.floor((milliseconds - day * DAY) / 1_000))}`
}

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
