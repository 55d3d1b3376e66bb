import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { problem } from '../errors.js'
import type { Value } from './copy-values.js'

/** A value of a recipe: a text is an expression, also inside objects and arrays. */
export type RecipeValue =
  string | number | boolean | null | readonly RecipeValue[] | { readonly [key: string]: RecipeValue }

/** What makes the rows of one table plausible; columns it does not name are made from the catalog. */
export interface TableRecipe {
  /** Rows at --scale 1. 0: none unless they are asked for, e.g. because triggers write them. */
  readonly rows?: number
  /** Values of a row that several columns share. */
  readonly let?: Readonly<Record<string, RecipeValue>>
  /** For a foreign key of one column: the number of the referenced row, from 0; null for none. */
  readonly references?: Readonly<Record<string, string>>
  readonly columns?: Readonly<Record<string, RecipeValue>>
}

export interface Recipe {
  /** As shown to people. */
  readonly file: string
  readonly lists: Readonly<Record<string, Value>>
  readonly tables: Readonly<Record<string, TableRecipe>>
}

/** The recipe that a configuration names. Fails with `generate.bad-recipe`, saying where. */
export function readRecipe(path: string, root: string): Recipe {
  const file = relative(root, path) || path
  const fail = (reason: string, cause?: unknown): never => {
    throw problem('generate.bad-recipe', { file, where: undefined, reason }, { cause })
  }
  let found: unknown
  try {
    found = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return fail(code === 'ENOENT' ? 'there is no such file' : (error as Error).message, error)
  }
  if (!isObject(found)) return fail('it is no object')
  only(found, ['$schema', 'lists', 'tables'], '', fail)
  const { lists = {}, tables } = found
  if (!isObject(lists) || !Object.values(lists).every((list) => Array.isArray(list) && list.length > 0))
    return fail('lists must be an object of arrays that hold something')
  if (!isObject(tables)) return fail('tables must be an object with a key for each table')
  for (const [name, table] of Object.entries(tables)) checkTable(name, table, fail)
  return { file, lists: lists as Recipe['lists'], tables: tables as Recipe['tables'] }
}

function checkTable(name: string, table: unknown, fail: (reason: string) => never): void {
  if (!isObject(table)) return fail(`tables.${name} must be an object`)
  only(table, ['rows', 'let', 'references', 'columns'], `tables.${name}.`, fail)
  const { rows = 0, references = {}, columns = {} } = table
  if (typeof rows !== 'number' || !Number.isInteger(rows) || rows < 0)
    fail(`tables.${name}.rows must be a whole number from 0`)
  if (!isObject(columns) || !isObject(table['let'] ?? {}))
    fail(`tables.${name}: columns and let must be objects of expressions`)
  if (!isObject(references) || !Object.values(references).every((one) => typeof one === 'string'))
    fail(`tables.${name}.references must be an object of expressions`)
}

function only(seen: object, known: readonly string[], where: string, fail: (reason: string) => never): void {
  for (const key of Object.keys(seen))
    if (!known.includes(key)) fail(`${where}${key} is unknown; known are ${known.join(', ')}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
