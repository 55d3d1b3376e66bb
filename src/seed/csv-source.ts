import { problem, type SourceLocation } from '../errors.js'
import { CsvReader, CsvSyntaxError, fieldPlaces, type CsvRecord } from './csv.js'
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
import { columnOf, type SeedTable } from './seed-tables.js'

/** A CSV file: the first record names the columns. */
export function openCsv(file: SeedFile): SeedSource {
  const header = async (): Promise<CsvRecord | undefined> => {
    for await (const records of readRecords(file)) if (records[0] !== undefined) return records[0]
    return undefined
  }
  return {
    async columns(table) {
      const record = await header()
      return record === undefined ? [] : columnsOf(record, table, file.file)
    },

    async *rows(stage, options) {
      let order: readonly number[] | undefined
      let width = 0
      for await (const records of readRecords(file, options.onBytes)) {
        const data = order === undefined ? records.slice(1) : records
        if (order === undefined && records[0] !== undefined) {
          const [first] = records
          order = stage.map(({ path }) => first.fields.indexOf(path.join('.')))
          width = first.fields.length
        }
        if (data.length > 0)
          yield data.map((record) => rowOf(record, stage, order ?? [], width, file, options))
      }
    },

    async locate(row, path) {
      let names: readonly (string | null)[] | undefined
      let before = -1
      for await (const records of readRecords(file)) {
        names ??= records[0]?.fields
        const record = records[row - before - 1]
        if (record === undefined) {
          before += records.length
          continue
        }
        const index = path === undefined ? 0 : Math.max(0, names?.indexOf(path.join('.')) ?? 0)
        return locationOf(record, index, file.file)
      }
      return undefined
    },
  }
}

async function* readRecords(
  file: SeedFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<readonly CsvRecord[]> {
  const reader = new CsvReader()
  try {
    for await (const text of readText(file, onBytes)) yield reader.push(text)
    yield reader.end()
  } catch (error) {
    if (!(error instanceof CsvSyntaxError)) throw error
    const { line, column, excerpt } = error
    throw problem(
      'seed.bad-csv',
      { what: error.message },
      { location: { file: file.file, line, column, excerpt } },
    )
  }
}

/** The columns that a header names. A point leads to another table, unless the table has a column of just that name. */
function columnsOf(header: CsvRecord, table: SeedTable, file: string): readonly FileColumn[] {
  const seen = new Set<string>()
  return header.fields.map((field, index) => {
    const location = locationOf(header, index, file)
    if (field === null || field === '')
      throw problem('seed.bad-csv', { what: 'a column without a name' }, { location })
    if (seen.has(field)) throw problem('seed.duplicate-column', { column: field }, { location })
    seen.add(field)
    const path = columnOf(table, field) === undefined ? field.split('.') : [field]
    return { path, location, always: true }
  })
}

function rowOf(
  record: CsvRecord,
  stage: readonly StageColumn[],
  order: readonly number[],
  width: number,
  file: SeedFile,
  { today }: RowOptions,
): StageRow {
  const { fields } = record
  if (fields.length !== width) {
    const what = `${String(fields.length)} ${fields.length === 1 ? 'field' : 'fields'} where the header has ${String(width)}`
    throw problem(
      'seed.bad-csv',
      { what },
      { location: locationOf(record, Math.min(width, fields.length - 1), file.file) },
    )
  }
  const values = stage.map(({ holds }, index) => {
    const at = order[index] ?? 0
    const value = fields[at] ?? null
    if (value === null || holds.element !== undefined) return value
    return resolveDate(value, dateKindOf(holds), today, () => locationOf(record, at, file.file))
  })
  return { values, missing: [] }
}

function locationOf(record: CsvRecord, field: number, file: string): SourceLocation {
  const place = fieldPlaces(record)[field] ?? { line: record.line, column: 1 }
  const excerpt = record.source.split('\n')[place.line - record.line]?.replace(/\r$/, '')
  return { file, ...place, ...(excerpt === undefined ? {} : { excerpt }) }
}
