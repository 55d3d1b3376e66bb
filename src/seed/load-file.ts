import { Readable } from 'node:stream'
import { copyLine } from '../database/copy-text.js'
import type { Session } from '../database/database.js'
import { quoteName } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { problem, throwProblems, type DbkitError, type SourceLocation } from '../errors.js'
import { findCulprit } from './find-culprit.js'
import {
  contradictionSql,
  copyCsvSql,
  copyRowsSql,
  createStageSql,
  danglingSql,
  duplicateKeysSql,
  insertSql,
  keepNewSql,
  linkSql,
  nullKeysSql,
  tableName,
  unresolvedSql,
  updateSql,
  type Load,
  type Slice,
} from './load-sql.js'
import { stageColumnsOf, type ColumnMap, type Lookup, type StageColumn } from './map-columns.js'
import { usableKeys } from './order-tables.js'
import { isPlainCsv, readBytes } from './plain-csv.js'
import type { SeedFile } from './read-seeds.js'
import { seedFailure } from './seed-failure.js'
import { dateKindOf, type SeedSource } from './seed-source.js'
import type { SeedForeignKey, SeedKey, TablesByOid } from './seed-tables.js'

/** A data file, and how its columns fit its table. */
export interface DataFile {
  readonly file: SeedFile
  readonly source: SeedSource
  readonly map: ColumnMap
}

export interface LoadContext {
  readonly session: Session
  readonly signal: AbortSignal
  readonly tables: TablesByOid
  /** YYYY-MM-DD. */
  readonly today: string
  readonly onBytes: (file: SeedFile, bytes: number) => void
}

export interface Counts {
  readonly rows: number
  readonly inserted: number
  readonly updated: number
}

/** A loaded file; `link` fills in its postponed columns and says how many rows that changed which were not changed before. */
export interface LoadedFile {
  readonly data: DataFile
  readonly counts: Counts
  /** Absent when the file went into its table without a comparison. */
  readonly load: Load | undefined
  readonly link: (() => Promise<number>) | undefined
  /** The first row whose foreign key points at nothing, for a constraint that is checked at the end. */
  readonly locateDangling: (foreignKey: SeedForeignKey) => Promise<SourceLocation | undefined>
}

/** How many problems of one kind are told of one file. */
const TOLD = 10

/** Loads one file into its table. Fails with the place of the first row that the database refuses. */
export async function loadFile(
  data: DataFile,
  number: number,
  postponed: ReadonlySet<string>,
  /** The files of the run that are loaded already. */
  earlier: readonly LoadedFile[],
  context: LoadContext,
): Promise<LoadedFile> {
  const { map } = data
  const stage = `pg_temp.dbkit_seed_${String(number)}`
  const plain = await isSentAsItIs(data)
  if (plain && postponed.size === 0) {
    const rows = await copyIntoEmptyTable(data, context)
    if (rows !== undefined)
      return {
        data,
        counts: { rows, inserted: rows, updated: 0 },
        load: undefined,
        link: undefined,
        // Each row was checked as it came in; a constraint that is checked later is told without its row.
        locateDangling: () => Promise.resolve(undefined),
      }
  }
  const { session } = context
  await session.script(createStageSql(stage, map))
  const rows = await fillStage(data, stage, plain, context)
  // Nobody else will: autovacuum does not see temporary tables.
  if (rows >= 10_000) await session.script(`analyze ${stage}`)
  const key = await chooseKey(data, stage, postponed, context)
  const load: Load = { map, stage, key, postponed }
  await refuseDuplicates(data, load, context)
  for (const other of earlier) await refuseContradictions(data, load, other, context)
  const early = map.targets.filter(({ column }) => !postponed.has(column.name))
  await refuseUnresolved(
    data,
    load,
    early.flatMap(({ lookup }) => lookup ?? []),
    context,
  )

  const late = map.targets.filter(({ column }) => postponed.has(column.name))
  const touched = late.length === 0 ? undefined : `pg_temp.dbkit_touched_${String(number)}`
  if (touched !== undefined) await session.script(keepNewSql(load, touched))
  const bulk = (sql: (slice?: Slice) => string | undefined): Promise<number> =>
    runBulk(data, load, rows, sql, context)
  const updated = await bulk((slice) => updateSql(load, slice, touched))
  const inserted = await bulk((slice) => insertSql(load, slice))
  return {
    data,
    counts: { rows, inserted, updated },
    load,
    link:
      touched === undefined
        ? undefined
        : async () => {
            await refuseUnresolved(
              data,
              load,
              late.flatMap(({ lookup }) => lookup ?? []),
              context,
            )
            return bulk((slice) => linkSql(load, touched, slice))
          },
    locateDangling: (foreignKey) => locateDangling(data, load, foreignKey, context),
  }
}

/** Whether the bytes of the file can go to the server without dbkit reading them. */
async function isSentAsItIs({ file, map }: DataFile): Promise<boolean> {
  if (file.format !== 'csv' || map.lookups.length > 0 || map.stage.length < 2) return false
  return isPlainCsv(file, { dates: map.stage.some(({ holds }) => dateKindOf(holds) !== undefined) })
}

/**
 * An empty table has nothing to compare with: COPY goes straight into it. Undefined when it is not empty, when only a comparison could
 * keep a second run from adding the rows again, or when the database refuses a row (the slower way then says which).
 */
async function copyIntoEmptyTable(
  { file, map }: DataFile,
  { session, signal, onBytes }: LoadContext,
): Promise<number | undefined> {
  const [key] = usableKeys(map)
  const neverNull = map.targets.filter(({ column }) => column.notNull).map(({ column }) => column.name)
  if (key === undefined || key.columns.some((name) => !neverNull.includes(name))) return undefined
  const table = tableName(map.table)
  const rows = await session.query(`select not exists (select from ${table})`)
  if (rows[0]?.[0] !== 't') return undefined
  const names = map.targets.map(({ column }) => quoteName(column.name))
  return copyIfAccepted(session, signal, copyCsvSql(table, names), file, onBytes)
}

async function fillStage(
  data: DataFile,
  stage: string,
  plain: boolean,
  context: LoadContext,
): Promise<number> {
  const { file, map } = data
  const { session, signal, onBytes } = context
  if (plain) {
    const names = map.stage.map(({ name }) => name)
    const rows = await copyIfAccepted(session, signal, copyCsvSql(stage, names), file, onBytes)
    if (rows !== undefined) return rows
  }
  return copyRows(data, stage, context)
}

/** COPY of the file as it is; undefined when the database refuses something in it, and then nothing of it is there. */
async function copyIfAccepted(
  session: Session,
  signal: AbortSignal,
  sql: string,
  file: SeedFile,
  onBytes: LoadContext['onBytes'],
): Promise<number | undefined> {
  const input = guarded(
    readBytes(file, (bytes) => {
      onBytes(file, bytes)
    }),
  )
  await session.script('savepoint dbkit_seed')
  try {
    const rows = await session.copyIn(sql, input.stream)
    input.check()
    await session.script('release savepoint dbkit_seed')
    return rows
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || signal.aborted) throw error
    await session.script('rollback to savepoint dbkit_seed;release savepoint dbkit_seed')
    return undefined
  }
}

/** Reads the rows one by one into the temporary table. */
async function copyRows(data: DataFile, stage: string, context: LoadContext): Promise<number> {
  const { source, map, file } = data
  const { session, signal } = context
  const input = guarded(copyText(data, context))
  try {
    const rows = await session.copyIn(copyRowsSql(stage, map), input.stream)
    input.check()
    return rows
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || signal.aborted) throw error
    const [, line, column] = /, line (\d+)(?:, column c(\d+))?/.exec(error.fields.where ?? '') ?? []
    const path = column === undefined ? undefined : map.stage[Number(column)]?.path
    const location = line === undefined ? undefined : await source.locate(Number(line), path)
    throw seedFailure(error, location ?? { file: file.file, line: 1, column: 1 })
  }
}

async function* copyText({ source, map, file }: DataFile, context: LoadContext): AsyncGenerator<Buffer> {
  let n = 0
  let text = ''
  const options = {
    today: context.today,
    onBytes(bytes: number) {
      context.onBytes(file, bytes)
    },
  }
  for await (const rows of source.rows(map.stage, options)) {
    if (context.signal.aborted) return
    for (const { values, missing } of rows) {
      n++
      text += copyLine([String(n), missing.length === 0 ? null : `{${missing.join(',')}}`, ...values])
    }
    if (text.length < 65_536) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(text)
}

/**
 * A stream that ends where its source fails, and keeps the failure for `check`: an error inside the stream would look like a lost
 * connection to the session, and the server would never hear that the data is at its end.
 */
function guarded(source: AsyncGenerator<Buffer>): { stream: Readable; check: () => void } {
  let failure: { error: unknown } | undefined
  const pieces = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* source
    } catch (error) {
      failure = { error }
    }
  }
  return {
    stream: Readable.from(pieces(), { objectMode: false }),
    check() {
      if (failure !== undefined) throw failure.error
    },
  }
}

/** The best key that has a value in every row. */
async function chooseKey(
  { file, source, map }: DataFile,
  stage: string,
  postponed: ReadonlySet<string>,
  { session }: LoadContext,
): Promise<SeedKey> {
  const { table } = map
  const keys = usableKeys(map, postponed)
  const [best] = keys
  if (best === undefined)
    throw problem(
      'seed.no-key',
      { file: file.file, table: table.shown, keys: table.keys.map(({ columns }) => columns.join(', ')) },
      { location: map.targets[0]?.location },
    )
  // A null in a NOT NULL column is refused by the table itself, with the name of its constraint.
  const certain = (key: SeedKey): boolean =>
    key.nullsEqual ||
    key.columns.every((name) =>
      map.targets.some(
        ({ column, plain, lookup, sometimesMissing }) =>
          column.name === name &&
          column.notNull &&
          plain !== undefined &&
          lookup === undefined &&
          !sometimesMissing,
      ),
    )
  if (certain(best)) return best
  const [firstNull = []] = await session.query(nullKeysSql(map, stage, keys))
  const index = keys.findIndex((key, at) => certain(key) || firstNull[at] === null)
  const chosen = keys[index]
  if (chosen !== undefined) return chosen
  // A lookup that finds nothing gives null as well: that is told by its own name.
  const lookups = map.targets
    .filter(({ column }) => best.columns.includes(column.name))
    .flatMap(({ lookup }) => lookup ?? [])
  await refuseUnresolved({ file, source, map }, { map, stage }, lookups, { session })
  const paths = map.stage.filter(({ path }) => best.columns.includes(path[0] ?? ''))
  throw problem(
    'seed.null-key',
    { table: table.shown, columns: best.columns },
    { location: await source.locate(Number(firstNull[0]), paths[0]?.path) },
  )
}

async function refuseDuplicates(
  { source, map }: DataFile,
  load: Load,
  { session }: LoadContext,
): Promise<void> {
  const rows = await session.query(duplicateKeysSql(load, TOLD))
  const path = map.stage.find(({ path: [name] }) => load.key.columns.includes(name ?? ''))?.path
  const problems: DbkitError[] = []
  for (const [row, first, value] of rows) {
    const location = await source.locate(Number(row), path)
    const earlier = await source.locate(Number(first), path)
    problems.push(
      problem(
        'seed.duplicate-key',
        {
          columns: load.key.columns,
          value: value ?? '',
          line: location?.line ?? 0,
          first: earlier?.line ?? 0,
        },
        { location },
      ),
    )
  }
  throwProblems(problems)
}

/** Two files that say different things of one row would change it in every run, each back to its own. */
async function refuseContradictions(
  { source }: DataFile,
  load: Load,
  other: LoadedFile,
  { session }: LoadContext,
): Promise<void> {
  const query = other.load === undefined ? undefined : contradictionSql(load, other.load)
  if (query === undefined) return
  const [found] = await session.query(query.sql)
  if (found === undefined) return
  const [row, earlierRow, value, ...differences] = found
  const column = query.columns[differences.indexOf('t')] ?? ''
  const there = await other.data.source.locate(Number(earlierRow), [column])
  throw problem(
    'seed.contradiction',
    {
      column,
      row: `${load.key.columns.join(', ')} = ${value ?? ''}`,
      earlier: `${other.data.file.file}:${String(there?.line ?? 0)}`,
    },
    { location: await source.locate(Number(row), [column]) },
  )
}

async function refuseUnresolved(
  { source }: DataFile,
  load: Pick<Load, 'map' | 'stage'>,
  lookups: readonly Lookup[],
  { session }: Pick<LoadContext, 'session'>,
): Promise<void> {
  const problems: DbkitError[] = []
  for (const lookup of lookups) {
    const rows = await session.query(unresolvedSql(load, lookup, TOLD))
    const leaves = stageColumnsOf(lookup)
    for (const [row, value] of rows)
      problems.push(
        problem(
          'seed.unresolved-reference',
          { table: lookup.table.shown, columns: leaves.map(leafName), value: value ?? '' },
          { location: await source.locate(Number(row), leaves[0]?.path) },
        ),
      )
  }
  throwProblems(problems)
}

function leafName({ path }: StageColumn): string {
  return path.slice(1).join('.')
}

/** Runs a statement over all rows of the file; when the database refuses one, finds out which. */
async function runBulk(
  data: DataFile,
  load: Load,
  rows: number,
  sql: (slice?: Slice) => string | undefined,
  context: LoadContext,
): Promise<number> {
  const { session, signal } = context
  const statement = sql()
  if (rows === 0 || statement === undefined) return 0
  try {
    // One message; what it returns are the rows of the only statement that has any.
    const result = await session.script(`savepoint dbkit_seed;${statement};release savepoint dbkit_seed`)
    return Number(result[0]?.[0])
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || signal.aborted) throw error
    await session.script('rollback to savepoint dbkit_seed')
    throw seedFailure(error, await locateRefused(data, load, rows, sql, error, context))
  }
}

async function locateRefused(
  data: DataFile,
  load: Load,
  rows: number,
  sql: (slice?: Slice) => string | undefined,
  error: SqlError,
  context: LoadContext,
): Promise<SourceLocation | undefined> {
  const { source, map } = data
  const { table } = map
  const { constraint, column } = error.fields
  const ours = error.fields.table === table.name && error.fields.schema === table.schema
  const foreignKey = ours ? table.foreignKeys.find(({ name }) => name === constraint) : undefined
  if (foreignKey !== undefined) return locateDangling(data, load, foreignKey, context)
  const row = await findCulprit(context.session, rows, sql, error, context.signal)
  const named = ours ? [column, ...(table.constraints.get(constraint ?? '') ?? [])] : []
  const path = map.stage.find(({ path: [name] }) => named.includes(name))?.path
  if (row === undefined) return map.stage.find(({ path: [name] }) => named.includes(name))?.location
  return source.locate(row, path)
}

async function locateDangling(
  { source, map }: DataFile,
  load: Load,
  foreignKey: SeedForeignKey,
  { session, tables }: LoadContext,
): Promise<SourceLocation | undefined> {
  const referenced = tables.get(foreignKey.references)
  const given = foreignKey.columns.every((name) => map.targets.some(({ column }) => column.name === name))
  if (referenced === undefined || !given) return undefined
  const [found] = await session.query(danglingSql(load, foreignKey, referenced))
  if (found === undefined) return undefined
  const path = map.stage.find(({ path: [name] }) => foreignKey.columns.includes(name ?? ''))?.path
  return source.locate(Number(found[0]), path)
}
