import type { Session } from '../database/database.js'
import type { TableSize } from './docs.js'

/** What only a live database knows; both by "schema.name". */
export interface Statistics {
  readonly tables: ReadonlyMap<string, TableSize>
  readonly indexes: ReadonlyMap<string, IndexStatistics>
}

export interface IndexStatistics {
  readonly bytes: number
  /** Since the statistics were reset, on this server only. */
  readonly scans: number
}

export async function readStatistics(session: Session): Promise<Statistics> {
  const tables = await session.query(`
select n.nspname, c.relname, pg_catalog.pg_table_size(c.oid), c.reltuples
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname not like 'pg!_%' escape '!' and n.nspname <> 'information_schema'`)
  const indexes = await session.query(`
select s.schemaname, s.indexrelname, pg_catalog.pg_relation_size(s.indexrelid), s.idx_scan
from pg_catalog.pg_stat_user_indexes s`)
  return {
    tables: new Map(
      tables.map(([schema, name, bytes, rows]) => [
        `${String(schema)}.${String(name)}`,
        // -1: never counted.
        { bytes: Number(bytes), rows: Number(rows) < 0 ? undefined : Math.round(Number(rows)) },
      ]),
    ),
    indexes: new Map(
      indexes.map(([schema, name, bytes, scans]) => [
        `${String(schema)}.${String(name)}`,
        { bytes: Number(bytes), scans: Number(scans) },
      ]),
    ),
  }
}
