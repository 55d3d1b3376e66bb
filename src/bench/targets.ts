import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { problem } from '../errors.js'

/** A query whose answer is to come within a time. */
export interface Target {
  readonly name: string
  /** Milliseconds. */
  readonly within: number
  /** One statement that reads, with $1, $2, ... for its parameters. */
  readonly sql: string
  /** A query whose rows are the parameters of one run each. */
  readonly parameters?: string
}

export interface Targets {
  /** As shown to people. */
  readonly file: string
  readonly queries: readonly Target[]
  /** What rows of these tables may take, with all that belongs to them. */
  readonly storage?: { readonly tables: readonly string[]; readonly rows: number; readonly bytes: number }
}

/** The targets that a configuration names. Fails with `bench.bad-targets`. */
export function readTargets(path: string, root: string): Targets {
  const file = relative(root, path) || path
  const fail = (reason: string, cause?: unknown): never => {
    throw problem('bench.bad-targets', { file, reason }, { cause })
  }
  let found: unknown
  try {
    found = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return fail(code === 'ENOENT' ? 'there is no such file' : (error as Error).message, error)
  }
  if (!isObject(found)) return fail('it is no object')
  only(found, ['$schema', 'queries', 'storage'], fail)
  const { queries, storage } = found
  if (!Array.isArray(queries) || queries.length === 0)
    return fail('queries must be a list that holds something')
  for (const [index, query] of queries.entries()) checkQuery(query, `queries[${String(index)}]`, fail)
  if (storage !== undefined) checkStorage(storage, fail)
  return { file, ...(found as Omit<Targets, 'file'>) }
}

function checkQuery(query: unknown, where: string, fail: (reason: string) => never): void {
  if (!isObject(query)) return fail(`${where} must be an object`)
  only(query, ['name', 'within', 'sql', 'parameters'], (reason) => fail(`${where}: ${reason}`))
  const { name, within, sql, parameters = '' } = query
  if (typeof name !== 'string' || name === '') fail(`${where} lacks a name`)
  if (typeof within !== 'number' || within <= 0) fail(`${where}.within must be a number of milliseconds`)
  if (typeof sql !== 'string' || typeof parameters !== 'string')
    fail(`${where}: sql and parameters must be queries`)
}

function checkStorage(storage: unknown, fail: (reason: string) => never): void {
  if (!isObject(storage)) return fail('storage must be an object')
  only(storage, ['tables', 'rows', 'bytes'], fail)
  const { tables, rows, bytes } = storage
  if (!Array.isArray(tables) || tables.length === 0 || typeof rows !== 'number' || typeof bytes !== 'number')
    fail('storage needs tables, rows and bytes')
}

function only(seen: object, known: readonly string[], fail: (reason: string) => never): void {
  for (const key of Object.keys(seen))
    if (!known.includes(key)) fail(`${key} is unknown; known are ${known.join(', ')}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
