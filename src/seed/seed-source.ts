import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { DbkitError, problem, type SourceLocation } from '../errors.js'
import { decodeScript } from '../workspace/migration-file.js'
import type { FileColumn, StageColumn } from './map-columns.js'
import type { SeedFile } from './read-seeds.js'
import { looksRelative, resolveRelativeDate, type DateKind } from './relative-date.js'
import type { SeedColumn, SeedTable } from './seed-tables.js'

/** The rows of a data file. Every method reads the file from its start: nothing of it is kept in memory. */
export interface SeedSource {
  /** The columns it names; those of `table` decide what a point or an object means. */
  columns(table: SeedTable): Promise<readonly FileColumn[]>
  /** The rows, some at a time, with their values as text for the columns of the temporary table. */
  rows(stage: readonly StageColumn[], options: RowOptions): AsyncGenerator<readonly StageRow[]>
  /** Where a value of a row stands; rows count from 1. Without a path (or where the row leaves it out) the row itself. */
  locate(row: number, path: readonly string[] | undefined): Promise<SourceLocation | undefined>
}

export interface RowOptions {
  /** YYYY-MM-DD, for relative dates. */
  readonly today: string
  readonly onBytes: (bytes: number) => void
}

export interface StageRow {
  readonly values: readonly (string | null)[]
  /** Indexes of the columns that the row leaves out. */
  readonly missing: readonly number[]
}

const CHUNK = 256 * 1_024

/** The file's text, piece by piece. Fails with `workspace.undecodable`. */
export async function* readText(file: SeedFile, onBytes?: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = async (bytes: Buffer | undefined): Promise<string> => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
    } catch (error) {
      // The decoder does not say where; whoever reads migrations can.
      const bad = decodeScript(await readFile(file.path), file.file)
      throw bad instanceof DbkitError ? bad : error
    }
  }
  for await (const chunk of createReadStream(file.path, { highWaterMark: CHUNK })) {
    const bytes = chunk as Buffer
    yield await decode(bytes)
    onBytes?.(bytes.length)
  }
  yield await decode(undefined)
}

const DATE_KINDS: ReadonlySet<string> = new Set<DateKind>(['date', 'timestamp', 'timestamptz'])

/** How relative dates of a column are resolved; undefined: its values stay as they are. */
export function dateKindOf({ base, element }: SeedColumn): DateKind | undefined {
  const type = element ?? base
  return DATE_KINDS.has(type) ? (type as DateKind) : undefined
}

/** A relative date as the moment it means; anything else as it is. Fails with `seed.bad-date`. */
export function resolveDate(
  text: string,
  kind: DateKind | undefined,
  today: string,
  locate: () => SourceLocation,
): string {
  if (kind === undefined || !looksRelative(text)) return text
  const resolved = resolveRelativeDate(text, kind, today)
  if (typeof resolved === 'string') return resolved
  throw problem('seed.bad-date', { text, why: resolved.wrong }, { location: locate() })
}
