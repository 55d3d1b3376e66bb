import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { problem } from '../errors.js'
import { tableName } from './load-sql.js'
import type { SeedTable } from './seed-tables.js'

/** True when any of the tables has a row. */
export async function holdRows(session: Session, tables: readonly SeedTable[]): Promise<boolean> {
  if (tables.length === 0) return false
  const rows = await session.query(
    `select ${tables.map((table) => `exists (select from ${tableName(table)})`).join(' or ')}`,
  )
  return rows[0]?.[0] === 't'
}

/**
 * Empties the tables in one statement, their sequences back at the start. Tables that refer to them have to be among them: CASCADE would
 * empty what no seed fills again.
 */
export async function resetTables(session: Session, tables: readonly SeedTable[]): Promise<void> {
  if (tables.length === 0) return
  const dependents = await session.query(
    `select distinct case when pg_catalog.pg_table_is_visible(c.oid) then c.relname::text else n.nspname || '.' || c.relname end
       from pg_catalog.pg_constraint k
       join pg_catalog.pg_class c on c.oid = k.conrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where k.contype = 'f' and k.conparentid = 0 and not c.relispartition
        and k.confrelid = any ($1::pg_catalog.oid[]) and k.conrelid <> all ($1::pg_catalog.oid[])
      order by 1`,
    [`{${tables.map(({ oid }) => oid).join(',')}}`],
  )
  const names = tables.map(({ shown }) => shown)
  if (dependents.length > 0)
    throw problem('seed.reset-dependents', {
      tables: names,
      dependents: dependents.map(([name]) => name ?? ''),
    })
  try {
    await session.script(`truncate ${tables.map(tableName).join(', ')} restart identity`)
  } catch (error) {
    if (!(error instanceof SqlError) || error.connectionLost || error.sqlstate === '57014') throw error
    throw problem('seed.reset-refused', { tables: names, message: error.message }, { cause: error })
  }
}
