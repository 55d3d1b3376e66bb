import { keyText, stringText } from './names.js'

/** The part of JSON Schema that a shape is written in; what else it says is for validators. */
export interface JsonSchema {
  readonly title?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  /** Left out: keys beyond `properties` are not typed, but may be there. */
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/** What the documents in a JSON column look like: a TypeScript type, or a JSON Schema. */
export type JsonShape = string | JsonSchema

/** A schema as a TypeScript type, its objects over several lines from `indent` on. */
export function typeOfSchema(schema: JsonSchema, indent: string): string {
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) return union(several.map((one) => typeOfSchema(one, indent)))
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return union(schema.enum.map(literal))
  if (Array.isArray(schema.type))
    return union((schema.type as readonly string[]).map((type) => typeOfSchema({ ...schema, type }, indent)))
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'number':
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array': {
      const item = schema.items === undefined ? 'JsonValue' : typeOfSchema(schema.items, indent)
      return /^[\w.]+$/.test(item) || item.startsWith('{') ? `${item}[]` : `(${item})[]`
    }
    case 'object':
      return objectType(schema, indent)
    default:
      return schema.properties === undefined ? 'JsonValue' : objectType(schema, indent)
  }
}

function objectType(schema: JsonSchema, indent: string): string {
  const inner = `${indent}  `
  const lines = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(property.description === undefined
      ? []
      : [`${inner}/** ${property.description.replaceAll('*/', '*\\/')} */`]),
    `${inner}${keyText(name)}${schema.required?.includes(name) === true ? '' : '?'}: ${typeOfSchema(property, inner)}`,
  ])
  const others = schema.additionalProperties
  // An object without any properties would be every value but null.
  if (others === true || (others === undefined && lines.length === 0))
    lines.push(`${inner}[key: string]: JsonValue | undefined`)
  else if (typeof others === 'object')
    lines.push(`${inner}[key: string]: ${union([typeOfSchema(others, inner), 'undefined'])}`)
  return lines.length === 0 ? 'Record<string, never>' : `{\n${lines.join('\n')}\n${indent}}`
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ')
}

function literal(value: unknown): string {
  return typeof value === 'string' ? stringText(value) : JSON.stringify(value)
}

/**
 * The shape that a comment declares: what stands behind "@type" up to the end of its line, with the rest of the comment apart.
 */
export function splitComment(comment: string | undefined): {
  readonly text: string | undefined
  readonly type: string | undefined
} {
  const match = comment === undefined ? null : /(?:^|\s)@type\s+(.+)$/m.exec(comment)
  if (comment === undefined || match === null) return { text: comment, type: undefined }
  const text = (comment.slice(0, match.index) + comment.slice(match.index + match[0].length)).trim()
  return { text: text === '' ? undefined : text, type: match[1]?.trim() }
}
