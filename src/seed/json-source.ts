import { arrayLiteral, type ArrayElement } from '../database/copy-text.js'
import { problem, type DbkitError, type SourceLocation } from '../errors.js'
import { lineColumnAt } from '../workspace/statements.js'
import { JsonSyntaxError, parseJson, type JsonEntry, type JsonNode, type JsonObject } from './json-text.js'
import type { FileColumn, StageColumn } from './map-columns.js'
import type { SeedFile } from './read-seeds.js'
import {
  dateKindOf,
  readText,
  resolveDate,
  type RowOptions,
  type SeedSource,
  type StageRow,
} from './seed-source.js'
import { columnOf, foreignKeysOf, isJson, type SeedColumn, type SeedTable } from './seed-tables.js'

/** A row, and the text that its places count from. */
interface JsonRow {
  readonly object: JsonObject
  readonly text: string
  readonly locate: (index: number) => SourceLocation
}

/** A .json file (an array of objects) or an .ndjson file (an object a line). */
export function openJson(file: SeedFile): SeedSource {
  const read = file.format === 'json' ? readDocument : readLines
  return {
    async columns(table) {
      const found = new Map<string, Omit<FileColumn, 'always'>>()
      const naming = new Map<string, number>()
      let total = 0
      for await (const rows of read(file))
        for (const row of rows) {
          total++
          if (row.object.entries.length === 0)
            throw problem(
              'seed.bad-json',
              { what: 'a row without any column' },
              { location: row.locate(row.object.start) },
            )
          for (const { key } of row.object.entries) naming.set(key, (naming.get(key) ?? 0) + 1)
          for (const { path, index } of pathsOf(row.object, table)) {
            const key = JSON.stringify(path)
            if (!found.has(key)) found.set(key, { path, location: row.locate(index) })
          }
        }
      return [...found.values()].map((column) => ({
        ...column,
        always: naming.get(column.path[0] ?? '') === total,
      }))
    },

    async *rows(stage, options) {
      for await (const rows of read(file, options.onBytes))
        yield rows.map((row) => stageRow(row, stage, options))
    },

    async locate(number, path) {
      let before = 0
      for await (const rows of read(file)) {
        const row = rows[number - before - 1]
        if (row !== undefined)
          return row.locate(path === undefined ? row.object.start : placeOf(row.object, path))
        before += rows.length
      }
      return undefined
    },
  }
}

/** The paths of an object's values. An object in a column with a foreign key names a row of another table; elsewhere it is JSON. */
function pathsOf(object: JsonObject, table: SeedTable): { path: string[]; index: number }[] {
  return object.entries.flatMap(({ key, keyStart, value }) => {
    const column = columnOf(table, key)
    const refers =
      column !== undefined &&
      !isJson(column) &&
      column.element === undefined &&
      foreignKeysOf(table, key).length > 0
    if (value.kind !== 'object' || !refers) return [{ path: [key], index: keyStart }]
    return leavesOf(value).map(({ path, index }) => ({ path: [key, ...path], index }))
  })
}

function leavesOf(object: JsonObject): { path: string[]; index: number }[] {
  return object.entries.flatMap(({ key, keyStart, value }) =>
    value.kind === 'object'
      ? leavesOf(value).map(({ path, index }) => ({ path: [key, ...path], index }))
      : [{ path: [key], index: keyStart }],
  )
}

/** The value at a path; an object in the place of a plain value belongs to another path. */
function valueAt(object: JsonObject, path: readonly string[]): JsonNode | undefined {
  let node: JsonNode = object
  for (const key of path) {
    if (node.kind !== 'object') return undefined
    const entry: JsonEntry | undefined = node.entries.find((candidate) => candidate.key === key)
    if (entry === undefined) return undefined
    node = entry.value
  }
  return node
}

function placeOf(object: JsonObject, path: readonly string[]): number {
  for (let length = path.length; length > 0; length--) {
    const value = valueAt(object, path.slice(0, length))
    if (value !== undefined) return value.start
  }
  return object.start
}

function stageRow(row: JsonRow, stage: readonly StageColumn[], { today }: RowOptions): StageRow {
  const missing: number[] = []
  const values = stage.map(({ path, holds }, index) => {
    const node = valueAt(row.object, path)
    const elsewhere =
      node?.kind === 'object' &&
      stage.some((other) => other.path.length > path.length && startsWith(other.path, path))
    if (node === undefined || elsewhere) {
      missing.push(index)
      return null
    }
    return textOf(node, holds, row, today)
  })
  return { values, missing }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((name, index) => path[index] === name)
}

/** A JSON value as the text PostgreSQL reads for a column of that type. */
function textOf(node: JsonNode, column: SeedColumn, row: JsonRow, today: string): string | null {
  const raw = ({ start, end }: JsonNode): string => row.text.slice(start, end)
  if (node.kind === 'null') return null
  if (isJson(column)) return raw(node)
  const scalar = (value: string, index: number): string =>
    resolveDate(value, dateKindOf(column), today, () => row.locate(index))
  if (node.kind === 'array' && column.element !== undefined) {
    const holdsJson = column.element === 'json' || column.element === 'jsonb'
    const element = (item: JsonNode): ArrayElement => {
      if (item.kind === 'null') return null
      if (holdsJson || item.kind === 'object') return raw(item)
      return item.kind === 'array' ? item.items.map(element) : scalar(item.value, item.start)
    }
    return arrayLiteral(node.items.map(element))
  }
  if (node.kind === 'array' || node.kind === 'object') return raw(node)
  return column.element === undefined ? scalar(node.value, node.start) : node.value
}

async function* readDocument(
  file: SeedFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<readonly JsonRow[]> {
  let text = ''
  for await (const piece of readText(file, onBytes)) text += piece
  if (text.trim() === '') return
  const locate = (index: number): SourceLocation => ({
    file: file.file,
    ...lineColumnAt(text, index),
    excerpt: text.slice(text.lastIndexOf('\n', index - 1) + 1).split(/\r?\n/, 1)[0] ?? '',
  })
  const document = parse(text, locate)
  if (document.kind !== 'array')
    throw problem(
      'seed.bad-json',
      { what: 'it has to be an array of objects, a row each' },
      { location: locate(document.start) },
    )
  yield document.items.map((item) => ({ object: asObject(item, locate), text, locate }))
}

async function* readLines(
  file: SeedFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<readonly JsonRow[]> {
  let rest = ''
  let line = 0
  const rowsOf = (lines: readonly string[]): JsonRow[] =>
    lines.flatMap((text) => {
      line++
      const here = line
      if (text.trim() === '') return []
      const locate = (index: number): SourceLocation => ({
        file: file.file,
        line: here,
        column: [...text.slice(0, index)].length + 1,
        excerpt: text.replace(/\r$/, ''),
      })
      return [{ object: asObject(parse(text, locate), locate), text, locate }]
    })
  for await (const piece of readText(file, onBytes)) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    yield rowsOf(lines)
  }
  yield rowsOf([rest])
}

function parse(text: string, locate: (index: number) => SourceLocation): JsonNode {
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw problem('seed.bad-json', { what: error.message }, { location: locate(error.index) })
  }
}

const NAMES: Readonly<Record<JsonNode['kind'], string>> = {
  array: 'an array',
  boolean: 'true or false',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a string',
}

function asObject(node: JsonNode, locate: (index: number) => SourceLocation): JsonObject {
  if (node.kind === 'object') return node
  const wrong: DbkitError = problem(
    'seed.bad-json',
    { what: `a row has to be an object, and this is ${NAMES[node.kind]}` },
    { location: locate(node.start) },
  )
  throw wrong
}
