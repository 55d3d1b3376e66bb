import { problem } from '../errors.js'
import type { Session, TextRow } from './database.js'
import { MAINTENANCE_SUFFIX, quoteLiteral, quoteName, quoteNullable, quoteQualified } from './quote.js'
import { SqlError } from './sql-error.js'

/** Where the ledger of a database is kept. */
export interface LedgerPlace {
  readonly schema: string
  readonly table: string
}

/** What was applied, in the order in which it was. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[]
  /** False: this database has never been migrated by dbkit. */
  readonly exists: boolean
}

export interface LedgerEntry {
  readonly version: string
  readonly name: string
  /** applying and reverting are seen by others only for files that run outside a transaction. */
  readonly state: 'applying' | 'applied' | 'reverting'
  readonly upChecksum: string
  readonly downChecksum: string | undefined
  readonly transactional: boolean
  readonly statementsDone: number
  /** The statement that was being tried when the last word was written, with what was known before it. */
  readonly attempt: StatementAttempt | undefined
  readonly appliedAt: string | undefined
  readonly appliedBy: string
  readonly durationMs: number | undefined
  readonly outOfOrder: boolean
  readonly hasDownSql: boolean
}

/** Written before a statement that cannot share a transaction with its ledger row. */
export interface StatementAttempt {
  readonly statement: number
  /** Of code: how far its back-fills have come, by their names. */
  readonly backfills?: Readonly<Record<string, BackfillMark>>
  /** Oids of the indexes that were there before it, so that what it leaves behind is told from what others did. */
  readonly indexes?: readonly string[]
}

/** Where a back-fill stands. */
export interface BackfillMark {
  /** The key of the last row that was dealt with, as text, column by column; undefined before the first. */
  readonly cursor?: readonly string[]
  readonly rows: number
  readonly done: boolean
}

export interface NewEntry {
  readonly version: string
  readonly name: string
  readonly upChecksum: string
  readonly downChecksum: string | undefined
  readonly upSql: string | undefined
  readonly downSql: string | undefined
  readonly transactional: boolean
  readonly outOfOrder: boolean
}

/** Whatever the role's or the database's default is: whoever waits at the fence has to see what the one before it has done. */
export const BEGIN = 'begin isolation level read committed'

/** undefined_table and invalid_schema_name: no ledger yet. */
const NO_LEDGER = new Set(['42P01', '3F000'])

/**
 * All entries, without their SQL, in one round trip and as one value: to take 1,000 rows of 13 columns apart costs 20 ms, to parse
 * the same as JSON 3 ms.
 */
export async function readLedger(session: Session, place: LedgerPlace): Promise<Ledger> {
  try {
    const rows = await session.query(
      `select pg_catalog.json_agg(pg_catalog.json_build_array(
                version, name, state, up_checksum, down_checksum, transactional, statements_done, attempt,
                pg_catalog.to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), applied_by,
                (extract(epoch from finished_at - started_at) * 1000)::bigint, out_of_order, down_sql is not null
              ) order by position)
         from ${tableOf(place)}`,
    )
    const entries = JSON.parse(rows[0]?.[0] ?? '[]') as EntryRow[]
    return { exists: true, entries: entries.map(entryOf) }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    if (NO_LEDGER.has(error.sqlstate)) return { exists: false, entries: [] }
    if (error.sqlstate === '42703')
      throw problem(
        'database.ledger-unknown',
        { table: `${place.schema}.${place.table}`, why: error.message },
        { cause: error },
      )
    throw error
  }
}

/** An entry as the query builds it. */
type EntryRow = readonly [
  version: string,
  name: string,
  state: LedgerEntry['state'],
  upChecksum: string,
  downChecksum: string | null,
  transactional: boolean,
  statementsDone: number,
  attempt: StatementAttempt | null,
  appliedAt: string | null,
  appliedBy: string,
  durationMs: number | null,
  outOfOrder: boolean,
  hasDownSql: boolean,
]

function entryOf([
  version,
  name,
  state,
  upChecksum,
  downChecksum,
  transactional,
  statementsDone,
  attempt,
  appliedAt,
  appliedBy,
  durationMs,
  outOfOrder,
  hasDownSql,
]: EntryRow): LedgerEntry {
  return {
    version,
    name,
    state,
    upChecksum,
    downChecksum: downChecksum ?? undefined,
    transactional,
    statementsDone,
    attempt: attempt ?? undefined,
    appliedAt: appliedAt ?? undefined,
    appliedBy,
    durationMs: durationMs ?? undefined,
    outOfOrder,
    hasDownSql,
  }
}

/** The SQL that was run, by version; passwords in it are blotted out. */
export function readUpSql(
  session: Session,
  place: LedgerPlace,
  versions: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return readKept(session, place, 'up_sql', versions)
}

/** The SQL that rolls back, by version, as it was when each was applied. */
export function readDownSqls(
  session: Session,
  place: LedgerPlace,
  versions: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return readKept(session, place, 'down_sql', versions)
}

async function readKept(
  session: Session,
  place: LedgerPlace,
  column: 'up_sql' | 'down_sql',
  versions: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (versions.length === 0) return new Map()
  const rows = await session.query(
    `select version, ${column} from ${tableOf(place)} where ${column} is not null and version in (${versions.map(quoteLiteral).join(',')})`,
  )
  return new Map(rows.map(([version, sql]) => [version ?? '', sql ?? '']))
}

/** The SQL that rolls a migration back, as it was when it was applied. */
export async function readDownSql(
  session: Session,
  place: LedgerPlace,
  version: string,
): Promise<string | undefined> {
  const rows = await session.query(`select down_sql from ${tableOf(place)} where version = $1`, [version])
  return rows[0]?.[0] ?? undefined
}

/** How far one version has come. */
export type Progress = Pick<LedgerEntry, 'state' | 'statementsDone' | 'upChecksum'>

/** What the ledger says of one version now; undefined: not applied. */
export async function readProgress(
  session: Session,
  place: LedgerPlace,
  version: string,
): Promise<Progress | undefined> {
  return progressOf(await session.query(progressSql(place, version)))
}

/**
 * The same once every transaction that writes the ledger has ended: a server goes on with what a client asked for after the client
 * is gone. Fails with 55P03 when that takes longer than a lock may be waited for.
 */
export async function readSettledProgress(
  session: Session,
  place: LedgerPlace,
  version: string,
  lockTimeoutMs: number,
): Promise<Progress | undefined> {
  try {
    return progressOf(
      await session.script(
        `${BEGIN};set local lock_timeout=${String(lockTimeoutMs)};lock table ${tableOf(place)} in share mode;` +
          `${progressSql(place, version)};commit`,
      ),
    )
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

function progressSql(place: LedgerPlace, version: string): string {
  return (
    `select state, statements_done, up_checksum from ${tableOf(place)} ` +
    `where version operator(pg_catalog.=) ${quoteLiteral(version)}`
  )
}

function progressOf(rows: readonly TextRow[]): Progress | undefined {
  const [row] = rows
  if (row === undefined) return undefined
  const [state, done, checksum] = row
  return {
    state: state as LedgerEntry['state'],
    statementsDone: Number(done),
    upChecksum: checksum ?? '',
  }
}

/** What an administrator can do for a role that may not make the ledger itself. */
function ledgerHint(sqlstate: string, { schema }: LedgerPlace): string | undefined {
  if (sqlstate === '42501')
    return `dbkit keeps its ledger in a schema of its own. Let an owner of the database run: create schema if not exists ${quoteName(schema)}; grant usage, create on schema ${quoteName(schema)} to <role>`
  if (sqlstate === '25006')
    return 'Is it a standby, or is default_transaction_read_only set for the role or the database?'
  return undefined
}

/**
 * Creates the ledger. The schema first, and only when it is missing: CREATE SCHEMA IF NOT EXISTS asks for the right to
 * create schemas even when there is nothing to create, and a role that may not is the safer one to migrate with.
 */
export async function createLedger(session: Session, place: LedgerPlace): Promise<void> {
  const rows = await session.query('select pg_catalog.to_regnamespace($1) is null', [quoteName(place.schema)])
  const schema = rows[0]?.[0] === 't' ? `create schema if not exists ${quoteName(place.schema)};` : ''
  try {
    await session.script(`begin;${schema}${ledgerDdl(place)}commit`)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const hint = ledgerHint(error.sqlstate, place)
    if (hint === undefined) throw error
    throw problem('database.refused', { message: error.message, hint }, { cause: error })
  }
}

function ledgerDdl(place: LedgerPlace): string {
  const table = tableOf(place)
  const comment = (column: string, text: string): string =>
    `comment on column ${table}.${column} is ${quoteLiteral(text)};\n`
  return `
create table if not exists ${table} (
  version         text primary key,
  position        bigint generated always as identity,
  name            text not null,
  state           text not null check (state in ('applying', 'applied', 'reverting')),
  up_checksum     text not null,
  down_checksum   text,
  up_sql          text,
  down_sql        text,
  transactional   boolean not null,
  statements_done integer not null default 0,
  attempt         jsonb,
  started_at      timestamptz not null default pg_catalog.clock_timestamp(),
  finished_at     timestamptz,
  applied_by      text not null default session_user,
  dbkit_version   text not null,
  out_of_order    boolean not null default false
);
comment on table ${table} is 'Migrations that dbkit has applied to this database. Written by dbkit alone.';
${comment('version', 'The number in the file name, without leading zeros.')}${comment('position', 'Order of application; a rollback goes backwards along it.')}${comment('name', 'File name without .up.sql.')}${comment('state', 'applied; or applying and reverting while a file outside a transaction runs, or after it was interrupted.')}${comment('up_checksum', 'SHA-256 of the up file, line ends as \\n.')}${comment('down_checksum', 'SHA-256 of the down file; null when the migration is irreversible.')}${comment('up_sql', 'What was run.')}${comment('down_sql', 'What rolls it back, also when the file is on another branch; null when there is no way back or it holds a password.')}${comment('transactional', 'False: the statements ran one by one, each by itself.')}${comment('statements_done', 'How many statements of a file outside a transaction have ended.')}${comment('attempt', 'The statement outside a transaction that was being tried last.')}${comment('dbkit_version', 'The dbkit that applied it.')}${comment('out_of_order', 'True: a later version had been applied before.')}`
}

/** INSERT of the entry; `state` says whether it is done in the same transaction. */
export function insertEntrySql(
  place: LedgerPlace,
  entry: NewEntry,
  state: 'applying' | 'applied',
  dbkitVersion: string,
): string {
  return (
    `insert into ${tableOf(place)}(version,name,state,up_checksum,down_checksum,up_sql,down_sql,transactional,dbkit_version,out_of_order` +
    `${state === 'applied' ? ',finished_at' : ''}) values(${[
      quoteLiteral(entry.version),
      quoteLiteral(entry.name),
      quoteLiteral(state),
      quoteLiteral(entry.upChecksum),
      quoteNullable(entry.downChecksum),
      quoteNullable(entry.upSql),
      quoteNullable(entry.downSql),
      String(entry.transactional),
      quoteLiteral(dbkitVersion),
      String(entry.outOfOrder),
      ...(state === 'applied' ? ['pg_catalog.clock_timestamp()'] : []),
    ].join(',')})`
  )
}

/** UPDATE that completes an entry. */
export function completeEntrySql(place: LedgerPlace, version: string): string {
  return (
    `update ${tableOf(place)} set state='applied',finished_at=pg_catalog.clock_timestamp(),attempt=null ` +
    `where version operator(pg_catalog.=) ${quoteLiteral(version)}`
  )
}

/** The fence of a rollback, as the unique version is that of an INSERT: of two runners, the second finds nothing to roll back. */
export function startRevertSql(place: LedgerPlace, version: string): string {
  return fenced(
    `update ${tableOf(place)} set state='reverting',statements_done=0,attempt=null ` +
      `where version operator(pg_catalog.=) ${quoteLiteral(version)} and state operator(pg_catalog.=) 'applied'`,
  )
}

/**
 * What a fence fails with: unique_violation, and division_by_zero for a change that found no row. An error and not a count,
 * because what stands behind the fence is in the same message.
 */
export const FENCE_REFUSALS: ReadonlySet<string> = new Set(['23505', '22012'])

function fenced(change: string): string {
  return `with fence as (${change} returning 1) select 1 operator(pg_catalog./) pg_catalog.count(*) from fence`
}

export function deleteEntrySql(place: LedgerPlace, version: string): string {
  return `delete from ${tableOf(place)} where version operator(pg_catalog.=) ${quoteLiteral(version)}`
}

/** Where a file outside a transaction stands, and where it goes. */
export interface Advance {
  readonly version: string
  readonly direction: 'up' | 'down'
  readonly from: number
  readonly to: number
  /** The statement that is going to be tried. */
  readonly attempt?: StatementAttempt
}

/** UPDATE that records how far a file outside a transaction has come; a fence, so that no statement is done by two runners. */
export function advanceSql(place: LedgerPlace, { version, direction, from, to, attempt }: Advance): string {
  const value = attempt === undefined ? 'null' : quoteLiteral(JSON.stringify(attempt))
  return fenced(
    `update ${tableOf(place)} set statements_done=${String(to)},attempt=${value} ` +
      `where version operator(pg_catalog.=) ${quoteLiteral(version)} ` +
      `and state operator(pg_catalog.=) '${direction === 'up' ? 'applying' : 'reverting'}' ` +
      `and statements_done operator(pg_catalog.=) ${String(from)}`,
  )
}

/** What code outside a transaction has noted. Locked until the end of the transaction that asks: of two runners, the second waits. */
export async function readJournal(
  session: Session,
  place: LedgerPlace,
  version: string,
): Promise<{ readonly done: number; readonly attempt: StatementAttempt | undefined } | undefined> {
  const [row] = await session.script(
    `select statements_done, attempt from ${tableOf(place)} ` +
      `where version operator(pg_catalog.=) ${quoteLiteral(version)} for update`,
  )
  if (row === undefined) return undefined
  const [done, attempt] = row
  return {
    done: Number(done),
    attempt: typeof attempt === 'string' ? (JSON.parse(attempt) as StatementAttempt) : undefined,
  }
}

/**
 * UPDATE of migrations that shared a message: each has ended where the next began. Tells the versions and how many milliseconds each
 * took. One statement for all, because completing each row by itself took a tenth of the server's time.
 */
export function recordEndsSql(place: LedgerPlace, versions: readonly string[]): string {
  const table = tableOf(place)
  return (
    `update ${table} entry set finished_at=coalesce(following.at,pg_catalog.clock_timestamp()) ` +
    `from (select version,pg_catalog.lead(started_at) over (order by position) as at from ${table} ` +
    `where version operator(pg_catalog.=) any(array[${versions.map(quoteLiteral).join(',')}])) following ` +
    `where entry.version operator(pg_catalog.=) following.version returning entry.version,` +
    `(extract(epoch from entry.finished_at operator(pg_catalog.-) entry.started_at) operator(pg_catalog.*) 1000)::pg_catalog.int8`
  )
}

/** UPDATE that accepts the files' present text for an applied migration. */
export function acceptFilesSql(place: LedgerPlace, entry: NewEntry): string {
  return (
    `update ${tableOf(place)} set name=${quoteLiteral(entry.name)},up_checksum=${quoteLiteral(entry.upChecksum)},` +
    `down_checksum=${quoteNullable(entry.downChecksum)},up_sql=${quoteNullable(entry.upSql)},down_sql=${quoteNullable(entry.downSql)} ` +
    `where version operator(pg_catalog.=) ${quoteLiteral(entry.version)}`
  )
}

/** The rows of migrations that one took the place of become its row, at the place of the last. */
export function squashEntriesSql(place: LedgerPlace, entry: NewEntry, gone: readonly string[]): string {
  return [
    ...(gone.length === 0
      ? []
      : [`delete from ${tableOf(place)} where version in (${gone.map(quoteLiteral).join(',')})`]),
    acceptFilesSql(place, entry),
    `update ${tableOf(place)} set transactional=${String(entry.transactional)} ` +
      `where version operator(pg_catalog.=) ${quoteLiteral(entry.version)}`,
  ].join(';')
}

/** Where `dbkit maintain` keeps when it did what: a table beside the ledger. The catalog leaves both out, by this name. */
export function maintenanceTableOf(place: LedgerPlace): string {
  return quoteQualified(place.schema, `${place.table}${MAINTENANCE_SUFFIX}`)
}

export function tableOf(place: LedgerPlace): string {
  return quoteQualified(place.schema, place.table)
}
