import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { isShapes } from '../config/check-config.js'
import type { DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { JsonShape } from '../codegen/json-types.js'

/** The shapes of JSON columns, from the configuration or from the file that it names. */
export function readJsonTypes(database: DatabaseConfig, root: string): Readonly<Record<string, JsonShape>> {
  const { jsonTypes } = database.codegen
  if (typeof jsonTypes !== 'string') return jsonTypes
  const file = relative(root, jsonTypes)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(jsonTypes, 'utf8'))
  } catch (error) {
    throw problem('codegen.bad-shapes', { file, reason: (error as Error).message }, { cause: error })
  }
  if (!isShapes(value))
    throw problem('codegen.bad-shapes', {
      file,
      reason: 'expected an object of TypeScript types and JSON Schemas by "table.column"',
    })
  return value as Readonly<Record<string, JsonShape>>
}

/** The first schema of the search path that has a name of its own: tables are created there. */
export function defaultSchemaOf(searchPath: string): string {
  const names = searchPath.split(',').map((name) => name.trim())
  const first = names.find((name) => name !== '"$user"') ?? 'public'
  return first.startsWith('"') ? first.slice(1, -1) : first.toLowerCase()
}
