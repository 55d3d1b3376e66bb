import type { Session } from '../database/database.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, nearestName, problem, throwProblems } from '../errors.js'
import type { SeedScriptReport, SeedTableReport } from '../report.js'
import type { ScriptText } from '../workspace/migration-file.js'
import { advanceSequences } from './advance-sequences.js'
import { openCsv } from './csv-source.js'
import { openJson } from './json-source.js'
import { loadFile, type DataFile, type LoadContext, type LoadedFile } from './load-file.js'
import { mapColumns } from './map-columns.js'
import { orderTables, type LoadOrder } from './order-tables.js'
import type { SeedFile, SeedSet } from './read-seeds.js'
import { readTableNames, readTables, type TableName } from './read-tables.js'
import { holdRows, resetTables } from './reset-tables.js'
import { readScript, runScript, type ExplainFailure } from './run-script.js'
import { seedFailure } from './seed-failure.js'
import type { SeedTable, TablesByOid } from './seed-tables.js'

export interface SeedRun {
  readonly database: string
  readonly signal: AbortSignal
  /** SET LOCAL, once more after each script, which may have changed them. */
  readonly settings: {
    readonly searchPath: string
    readonly timeZone: string
    readonly lockTimeoutMs: number
    readonly statementTimeoutMs: number
  }
  /** Migrations are waiting to be applied: an unknown table is no wonder then. */
  readonly pending: boolean
  /** Everything is done, counted, and rolled back. */
  readonly dryRun: boolean
  /** Empties the tables first; `confirm` may refuse, and is asked only when there is something to lose. */
  readonly reset: { readonly confirm: () => void } | undefined
  /** YYYY-MM-DD; the server's day in UTC when it is not given. */
  readonly today: string | undefined
  readonly onProgress: (file: SeedFile, bytes: number) => void
  readonly explain: ExplainFailure
}

export interface SeedOutcome {
  readonly tables: readonly SeedTableReport[]
  readonly scripts: readonly SeedScriptReport[]
  readonly emptied: readonly string[]
}

/** A seed set whose files were read and found to fit the tables. */
interface PreparedSet {
  readonly name: string
  readonly order: LoadOrder
  readonly data: readonly DataFile[]
  readonly scripts: readonly { readonly file: SeedFile; readonly script: ScriptText }[]
}

/** Loads the sets, one after the other, in one transaction: all of it is there afterwards, or nothing. */
export async function loadSeeds(
  connection: Session,
  sets: readonly SeedSet[],
  run: SeedRun,
): Promise<SeedOutcome> {
  const session = stoppable(connection, run.signal)
  await session.script(['begin', ...settings(run)].join(';'))
  try {
    const tables = await readSeedTables(session, sets, run)
    const prepared = await prepare(sets, tables)
    const seeded = tablesOf(prepared)
    const emptied = run.reset === undefined || !(await holdRows(session, seeded)) ? [] : seeded
    if (emptied.length > 0) {
      run.reset?.confirm()
      await resetTables(session, emptied)
    }
    const outcome = await loadAll(session, prepared, tables.byOid, run)
    if (run.dryRun) await session.script('rollback')
    else {
      await advanceSequences(
        session,
        seeded.map(({ oid }) => oid),
      )
      // In one message: a transaction-pooling pgbouncer gives the connection away after the commit, and a script may have SET something.
      await session.script('commit;reset role;reset session authorization;reset all')
    }
    return { ...outcome, emptied: emptied.map(({ shown }) => shown) }
  } catch (error) {
    if (!connection.lost) await connection.script('rollback')
    throw error
  }
}

/** A session that takes no further statement once the run is to stop: a request to cancel reaches only what is running. */
function stoppable(session: Session, signal: AbortSignal): Session {
  const stopWhenAsked = (): void => {
    if (signal.aborted) throw problem('run.interrupted', {})
  }
  return {
    get lost() {
      return session.lost
    },
    async query(sql, parameters) {
      stopWhenAsked()
      return session.query(sql, parameters)
    },
    async execute(sql, parameters) {
      stopWhenAsked()
      return session.execute(sql, parameters)
    },
    async script(sql) {
      stopWhenAsked()
      return session.script(sql)
    },
    async alone(before, sql, after) {
      stopWhenAsked()
      await session.alone(before, sql, after)
    },
    async copyIn(sql, source) {
      stopWhenAsked()
      return session.copyIn(sql, source)
    },
    async copyMade(sql, fill) {
      stopWhenAsked()
      return session.copyMade(sql, fill)
    },
    cancel: () => session.cancel(),
    close: () => session.close(),
  }
}

function settings({ settings: to }: SeedRun): readonly string[] {
  return [
    `set local lock_timeout=${String(to.lockTimeoutMs)}`,
    ...(to.statementTimeoutMs === 0 ? [] : [`set local statement_timeout=${String(to.statementTimeoutMs)}`]),
    `set local search_path to ${to.searchPath}`,
    `set local timezone to ${quoteLiteral(to.timeZone)}`,
    // 01/02/2026 in a file means the same everywhere.
    `set local datestyle to 'ISO, MDY'`,
  ]
}

/** The tables of the data files, by file, and what the catalog says of them. */
interface SeedTables {
  readonly ofFile: ReadonlyMap<SeedFile, string>
  readonly byOid: TablesByOid
}

async function readSeedTables(session: Session, sets: readonly SeedSet[], run: SeedRun): Promise<SeedTables> {
  const names = await readTableNames(session)
  const ofFile = new Map<SeedFile, string>()
  const problems: DbkitError[] = []
  for (const file of sets.flatMap(({ files }) => files)) {
    if (file.format === 'sql') continue
    const table = findTable(file, names)
    if (table !== undefined) ofFile.set(file, table.oid)
    else {
      const { schema, table: wanted } = file.candidates.at(-1) ?? { schema: undefined, table: '' }
      const shown = schema === undefined ? wanted : `${schema}.${wanted}`
      const known = names.map((name) => (name.visible ? name.name : `${name.schema}.${name.name}`))
      problems.push(
        problem('seed.unknown-table', {
          file: file.file,
          table: shown,
          database: run.database,
          nearest: nearestName(shown, known),
          pending: run.pending,
        }),
      )
    }
  }
  throwProblems(problems)
  return { ofFile, byOid: await readTables(session, [...new Set(ofFile.values())], names) }
}

function findTable({ candidates }: SeedFile, names: readonly TableName[]): TableName | undefined {
  for (const { schema, table } of candidates) {
    const found = names.find(
      (known) => known.name === table && (schema === undefined ? known.visible : known.schema === schema),
    )
    if (found !== undefined) return found
  }
  return undefined
}

/** Reads the heads of all files before a row is loaded, and tells everything that does not fit at once. */
async function prepare(sets: readonly SeedSet[], tables: SeedTables): Promise<readonly PreparedSet[]> {
  const problems: DbkitError[] = []
  const prepared: PreparedSet[] = []
  const gather = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof DbkitError)) throw error
      problems.push(error)
      return undefined
    }
  }
  for (const { name, files } of sets) {
    const data: DataFile[] = []
    const scripts: { file: SeedFile; script: ScriptText }[] = []
    for (const file of files) {
      const table = tables.byOid.get(tables.ofFile.get(file) ?? '')
      if (table === undefined) {
        const script = await gather(() => readScript(file))
        if (script !== undefined) scripts.push({ file, script })
        continue
      }
      const source = file.format === 'csv' ? openCsv(file) : openJson(file)
      const columns = await gather(() => source.columns(table))
      if (columns === undefined) continue
      const mapped = mapColumns(table, columns, tables.byOid)
      problems.push(...mapped.problems)
      data.push({ file, source, map: mapped.map })
    }
    const order = orderTables(byTable(data))
    if (order instanceof DbkitError) problems.push(order)
    else prepared.push({ name, order, data, scripts })
  }
  throwProblems(problems)
  return prepared
}

function byTable(data: readonly DataFile[]): { table: SeedTable; maps: DataFile['map'][] }[] {
  const tables = new Map<string, { table: SeedTable; maps: DataFile['map'][] }>()
  for (const { map } of data) {
    const known = tables.get(map.table.oid)
    if (known === undefined) tables.set(map.table.oid, { table: map.table, maps: [map] })
    else known.maps.push(map)
  }
  return [...tables.values()]
}

function tablesOf(sets: readonly PreparedSet[]): readonly SeedTable[] {
  const tables = new Map(
    sets.flatMap(({ data }) => data.map(({ map }) => [map.table.oid, map.table] as const)),
  )
  return [...tables.values()]
}

async function loadAll(
  session: Session,
  sets: readonly PreparedSet[],
  tables: TablesByOid,
  run: SeedRun,
): Promise<Pick<SeedOutcome, 'tables' | 'scripts'>> {
  const context: LoadContext = {
    session,
    signal: run.signal,
    tables,
    today: run.today ?? (await readToday(session)),
    onBytes: run.onProgress,
  }
  const reports: SeedTableReport[] = []
  const scripts: SeedScriptReport[] = []
  const earlier = new Map<string, readonly LoadedFile[]>()
  const initiallyDeferred = await readInitiallyDeferred(session)
  let number = 0
  for (const set of sets) {
    const loaded: LoadedFile[] = []
    const took = new Map<LoadedFile, number>()
    if (set.order.deferred) await session.script('set constraints all deferred')
    for (const table of set.order.tables)
      for (const data of set.data.filter(({ map }) => map.table === table)) {
        // A file without columns is a file without rows.
        if (data.map.targets.length === 0) continue
        const startedAt = performance.now()
        const postponed = set.order.postponed.get(table.oid) ?? new Set<string>()
        const here = new Set(
          data.map.targets.map(({ column }) => column.name).filter((name) => postponed.has(name)),
        )
        const file = await loadFile(data, ++number, here, earlier.get(table.oid) ?? [], context)
        earlier.set(table.oid, [...(earlier.get(table.oid) ?? []), file])
        loaded.push(file)
        took.set(file, performance.now() - startedAt)
      }
    const linked = new Map<LoadedFile, number>()
    for (const file of loaded) {
      if (file.link !== undefined) linked.set(file, await file.link())
    }
    if (set.order.deferred || initiallyDeferred.length > 0)
      await checkConstraints(session, loaded, tables, initiallyDeferred, run.signal)
    reports.push(...report(set, loaded, linked, took))
    for (const { file, script } of set.scripts) {
      scripts.push(await runScript(file, script, session, run.explain))
      await session.script(['reset role', 'reset session authorization', ...settings(run)].join(';'))
    }
  }
  return { tables: reports, scripts }
}

/** The day in UTC on which the transaction began. */
async function readToday(session: Session): Promise<string> {
  const rows = await session.query(
    `select pg_catalog.to_char(pg_catalog.now() at time zone 'UTC', 'YYYY-MM-DD')`,
  )
  return rows[0]?.[0] ?? ''
}

/** The constraints that are deferred unless a transaction says otherwise; ready to be used in SQL. */
async function readInitiallyDeferred(session: Session): Promise<readonly string[]> {
  const rows = await session.query(
    `select distinct pg_catalog.format('%I.%I', n.nspname, c.conname)
       from pg_catalog.pg_constraint c join pg_catalog.pg_namespace n on n.oid = c.connamespace
      where c.condeferred order by 1`,
  )
  return rows.map(([name]) => name ?? '')
}

/** Checks what was deferred here, where the set is still known, and not at the commit; scripts then find the constraints as usual. */
async function checkConstraints(
  session: Session,
  loaded: readonly LoadedFile[],
  tables: TablesByOid,
  initiallyDeferred: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await session.script('savepoint dbkit_seed;set constraints all immediate;release savepoint dbkit_seed')
    if (initiallyDeferred.length > 0)
      await session.script(`set constraints ${initiallyDeferred.join(', ')} deferred`)
  } catch (error) {
    if (!(error instanceof SqlError) || session.lost || signal.aborted) throw error
    await session.script('rollback to savepoint dbkit_seed')
    const { schema, table, constraint } = error.fields
    const broken = [...tables.values()].find((known) => known.name === table && known.schema === schema)
    const foreignKey = broken?.foreignKeys.find(({ name }) => name === constraint)
    for (const file of loaded) {
      if (foreignKey === undefined || file.data.map.table !== broken) continue
      const location = await file.locateDangling(foreignKey)
      if (location !== undefined) throw seedFailure(error, location)
    }
    throw seedFailure(error, undefined)
  }
}

/** One line a table of the set, in the order of loading; files that hold nothing count as well. */
function report(
  set: PreparedSet,
  loaded: readonly LoadedFile[],
  linked: ReadonlyMap<LoadedFile, number>,
  took: ReadonlyMap<LoadedFile, number>,
): readonly SeedTableReport[] {
  return set.order.tables.map((table) => {
    const files = set.data.filter(({ map }) => map.table === table).map(({ file }) => file.file)
    const parts = loaded.filter(({ data }) => data.map.table === table)
    const sum = (of: (file: LoadedFile) => number): number =>
      parts.reduce((total, file) => total + of(file), 0)
    const rows = sum(({ counts }) => counts.rows)
    const inserted = sum(({ counts }) => counts.inserted)
    const updated = sum((file) => file.counts.updated + (linked.get(file) ?? 0))
    return {
      set: set.name,
      table: table.shown,
      files,
      rows,
      inserted,
      updated,
      unchanged: rows - inserted - updated,
      durationMs: Math.round(sum((file) => took.get(file) ?? 0)),
    }
  })
}
