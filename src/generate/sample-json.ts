import type { JsonSchema, JsonShape } from '../codegen/json-types.js'
import { NO_HINTS } from '../prove/column-values.js'
import type { Value } from './copy-values.js'
import { between, draw, saltOf, share } from './draw.js'
import { makeText } from './make-text.js'

/** The document of a row. */
export type SampleJson = (row: number) => Value

/** Documents of a shape, written as codegen takes it. Undefined: a type of the application's, of which only the name is known. */
export function sampleJson(shape: JsonShape, name: string, salt: number): SampleJson | undefined {
  const schema = typeof shape === 'string' ? schemaOf(shape) : shape
  return schema === undefined ? undefined : sampleSchema(schema, name, salt)
}

function sampleSchema(schema: JsonSchema, name: string, salt: number): SampleJson {
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) {
    const options = several.map((one, index) => sampleSchema(one, name, salt + index))
    return (row) => options[draw(row, salt) % options.length]?.(row) ?? null
  }
  if (schema.const !== undefined) return () => schema.const as Value
  const { enum: listed } = schema
  if (listed !== undefined) return (row) => (listed[draw(row, salt) % listed.length] ?? null) as Value
  const type = Array.isArray(schema.type)
    ? (schema.type as readonly string[])[0]
    : (schema.type as string | undefined)
  switch (type) {
    case 'string':
      return stringOf(name, salt)
    case 'integer':
      return (row) => between(row, salt, 0, 100)
    case 'number':
      return /lat/.test(name)
        ? (row) => 26 + Math.round(share(row, salt) * 220_000) / 10_000
        : /lng|lon/.test(name)
          ? (row) => -122 + Math.round(share(row, salt) * 500_000) / 10_000
          : (row) => Math.round(share(row, salt) * 10_000) / 100
    case 'boolean':
      return (row) => draw(row, salt) % 2 === 0
    case 'null':
      return () => null
    case 'array': {
      const item = sampleSchema(schema.items ?? {}, name, salt ^ 0x1234)
      return (row) => Array.from({ length: between(row, salt, 1, 2) }, (_, index) => item(row * 2 + index))
    }
    default:
      return objectOf(schema, salt)
  }
}

function stringOf(name: string, salt: number): SampleJson {
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
): SampleJson {
  const parts = Object.entries(properties).map(([key, property]) => ({
    key,
    salt: salt ^ saltOf(key),
    always: required.includes(key),
    sample: sampleSchema(property, key, salt ^ saltOf(key)),
  }))
  const others =
    parts.length === 0 && typeof additionalProperties === 'object'
      ? sampleSchema(additionalProperties, '', salt ^ 0x99)
      : undefined
  return (row) => {
    const made: Record<string, Value> = {}
    for (const part of parts)
      if (part.always || draw(row, part.salt ^ 0x55) % 5 !== 0) made[part.key] = part.sample(row)
    if (others !== undefined) for (const key of ['first', 'second']) made[key] = others(row)
    return made
  }
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
