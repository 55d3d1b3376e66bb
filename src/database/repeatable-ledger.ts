import { DBKIT_VERSION } from '../package-version.js'
import type { Session } from './database.js'
import type { LedgerPlace } from './ledger.js'
import { quoteLiteral, quoteQualified } from './quote.js'
import { SqlError } from './sql-error.js'

/** What was run of a repeatable file, last. */
export interface RepeatableEntry {
  readonly name: string
  readonly checksum: string
  readonly sql: string
  readonly appliedAt: string
  readonly appliedBy: string
}

/** Beside the ledger of migrations: a file that is run again has no version, and no way back. */
export function repeatableTable({ schema, table }: LedgerPlace): string {
  return quoteQualified(schema, `${table}_repeatable`)
}

/** In the order in which they were first applied; none where nothing repeatable was ever run. */
export async function readRepeatables(
  session: Session,
  place: LedgerPlace,
): Promise<readonly RepeatableEntry[]> {
  try {
    const rows = await session.query(
      `select name, checksum, sql, pg_catalog.to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), applied_by
         from ${repeatableTable(place)} order by position`,
    )
    return rows.map(([name, checksum, sql, appliedAt, appliedBy]) => ({
      name: name ?? '',
      checksum: checksum ?? '',
      sql: sql ?? '',
      appliedAt: appliedAt ?? '',
      appliedBy: appliedBy ?? '',
    }))
  } catch (error) {
    if (error instanceof SqlError && ['42P01', '3F000'].includes(error.sqlstate)) return []
    throw error
  }
}

export function createRepeatablesSql(place: LedgerPlace): string {
  const table = repeatableTable(place)
  return (
    `create table if not exists ${table} (name text primary key, position bigint generated always as identity, ` +
    'checksum text not null, sql text not null, applied_at timestamptz not null default pg_catalog.clock_timestamp(), ' +
    'applied_by text not null default session_user, dbkit_version text not null);' +
    `comment on table ${table} is 'Repeatable files that dbkit has run in this database, as they were last. Written by dbkit alone.'`
  )
}

export function recordRepeatableSql(
  place: LedgerPlace,
  { name, checksum, sql }: Pick<RepeatableEntry, 'name' | 'checksum' | 'sql'>,
): string {
  return (
    `insert into ${repeatableTable(place)} as kept (name, checksum, sql, dbkit_version) ` +
    `values (${[name, checksum, sql, DBKIT_VERSION].map(quoteLiteral).join(',')}) ` +
    'on conflict (name) do update set checksum = excluded.checksum, sql = excluded.sql, dbkit_version = excluded.dbkit_version, ' +
    'applied_at = pg_catalog.clock_timestamp(), applied_by = session_user'
  )
}

/** Nothing has this text: each is run again. */
export function renewRepeatablesSql(place: LedgerPlace): string {
  return `update ${repeatableTable(place)} set checksum = ''`
}
