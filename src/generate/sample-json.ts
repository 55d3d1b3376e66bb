import type { JsonSchema, JsonShape } from '../codegen/json-types.js'
import { NO_HINTS } from '../prove/column-values.js'
import { chosen, constant, harmless, leastPlain, type Compiled } from './compiled.js'
import type { Value } from './copy-values.js'
import { between, draw, saltOf, share } from './draw.js'
import { inside, recordOf } from './expression.js'
import { makeText } from './make-text.js'

/** Documents of a shape, written as codegen takes it. Undefined: a type of the application's, of which only the name is known. */
export function sampleJson(shape: JsonShape, name: string, salt: number): Compiled | undefined {
  const schema = typeof shape === 'string' ? schemaOf(shape) : shape
  if (schema === undefined) return undefined
  const made = sampleSchema(schema, name, salt)
  if (made.document !== undefined) return made
  // A text that is given to a column is taken for JSON.
  return { get: (row) => JSON.stringify(made.get(row)) }
}

function sampleSchema(schema: JsonSchema, name: string, salt: number): Compiled {
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) {
    const options = several.map((one, index) => sampleSchema(one, name, salt + index))
    return {
      get: (row) => options[draw(row, salt) % options.length]?.get(row) ?? null,
      plain: () => leastPlain(options),
    }
  }
  if (schema.const !== undefined) return constant(schema.const as Value)
  const { enum: listed } = schema
  if (listed !== undefined)
    return chosen(listed as readonly Value[], (row) => draw(row, salt) % listed.length)
  const type = Array.isArray(schema.type)
    ? (schema.type as readonly string[])[0]
    : (schema.type as string | undefined)
  switch (type) {
    case 'string':
      return harmless(stringOf(name, salt))
    case 'integer':
      return harmless((row) => between(row, salt, 0, 100))
    case 'number':
      return harmless(numberOf(name, salt))
    case 'boolean':
      return harmless((row) => draw(row, salt) % 2 === 0)
    case 'null':
      return constant(null)
    case 'array':
      return arrayOf(sampleSchema(schema.items ?? {}, name, salt ^ 0x1234), salt)
    default:
      return objectOf(schema, salt)
  }
}

function arrayOf(item: Compiled, salt: number): Compiled {
  return {
    get(row) {
      const length = between(row, salt, 1, 2)
      const made: Value[] = []
      for (let index = 0; index < length; index++) made.push(item.get(row * 2 + index))
      return made
    },
    plain: () => inside([item]),
  }
}

function numberOf(name: string, salt: number): (row: number) => Value {
  if (/lat/.test(name)) return (row) => 26 + Math.round(share(row, salt) * 220_000) / 10_000
  if (/lng|lon/.test(name)) return (row) => -122 + Math.round(share(row, salt) * 500_000) / 10_000
  return (row) => Math.round(share(row, salt) * 10_000) / 100
}

function stringOf(name: string, salt: number): (row: number) => Value {
  if (/(?:_at|At|date|Date|timestamp)$/.test(name))
    return (row) => new Date(1_735_689_600_000 + between(row, salt, 0, 300) * 86_400_000).toISOString()
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return makeText({
    name: snake,
    type: 'text',
    ref: { schema: 'pg_catalog', name: 'text', array: false },
    hints: NO_HINTS,
    salt,
    serial: undefined,
  })
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  salt: number,
): Compiled {
  const entries = Object.entries(properties).map(([key, property]) => {
    const own = salt ^ saltOf(key)
    const value = sampleSchema(property, key, own)
    if (required.includes(key)) return { name: key, value }
    return { name: key, value, isThere: (row: number) => draw(row, own ^ 0x55) % 5 !== 0 }
  })
  if (entries.length > 0 || typeof additionalProperties !== 'object') return recordOf(entries)
  const value = sampleSchema(additionalProperties, '', salt ^ 0x99)
  return recordOf(['first', 'second'].map((name) => ({ name, value })))
}

/** The TypeScript types that describe plain documents; anything else is undefined. */
export function schemaOf(type: string): JsonSchema | undefined {
  const reader = { rest: type.trim() }
  const schema = readUnion(reader)
  return reader.rest.trim() === '' ? schema : undefined
}

interface Reader {
  rest: string
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  const match = pattern.exec(reader.rest)
  if (match === null) return undefined
  reader.rest = reader.rest.slice(match[0].length)
  return match[1] ?? match[0]
}

function readUnion(reader: Reader): JsonSchema | undefined {
  take(reader, /^\s*\|/)
  const options = [readArray(reader)]
  while (take(reader, /^\s*\|/) !== undefined) options.push(readArray(reader))
  const known = options.filter((option) => option !== undefined)
  if (known.length < options.length) return undefined
  return known.length === 1 ? known[0] : { anyOf: known }
}

function readArray(reader: Reader): JsonSchema | undefined {
  let schema = readOne(reader)
  while (schema !== undefined && take(reader, /^\s*\[\s*\]/) !== undefined)
    schema = { type: 'array', items: schema }
  return schema
}

function readOne(reader: Reader): JsonSchema | undefined {
  take(reader, /^\s*readonly\b/)
  if (take(reader, /^\s*\(/) !== undefined) {
    const inner = readUnion(reader)
    return take(reader, /^\s*\)/) === undefined ? undefined : inner
  }
  if (take(reader, /^\s*\{/) !== undefined) return readObject(reader)
  const text = take(reader, /^\s*'([^']*)'/) ?? take(reader, /^\s*"([^"]*)"/)
  if (text !== undefined) return { const: text }
  const number = take(reader, /^\s*(-?\d+(?:\.\d+)?)/)
  if (number !== undefined) return { const: Number(number) }
  const list = take(reader, /^\s*(?:Readonly)?(Array|Record)\s*</)
  if (list !== undefined) {
    if (list === 'Record' && take(reader, /^\s*string\s*,/) === undefined) return undefined
    const inner = readUnion(reader)
    if (inner === undefined || take(reader, /^\s*>/) === undefined) return undefined
    return list === 'Array'
      ? { type: 'array', items: inner }
      : { type: 'object', additionalProperties: inner }
  }
  const word = take(reader, /^\s*(\w+)/)
  if (word === 'true' || word === 'false') return { const: word === 'true' }
  return word !== undefined && /^(?:string|number|boolean|null)$/.test(word) ? { type: word } : undefined
}

function readObject(reader: Reader): JsonSchema | undefined {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  while (take(reader, /^\s*\}/) === undefined) {
    take(reader, /^\s*readonly\b/)
    const key = take(reader, /^\s*(\w+)/) ?? take(reader, /^\s*'([^']*)'/) ?? take(reader, /^\s*"([^"]*)"/)
    const optional = take(reader, /^\s*\?/) !== undefined
    if (key === undefined || take(reader, /^\s*:/) === undefined) return undefined
    const value = readUnion(reader)
    if (value === undefined) return undefined
    properties[key] = value
    if (!optional) required.push(key)
    take(reader, /^\s*[;,]/)
  }
  return { type: 'object', properties, required }
}
