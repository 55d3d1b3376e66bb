import type { Session } from '../database/database.js'
import { quoteLiteral, quoteName, quoteQualified } from '../database/quote.js'

/**
 * Sets the sequences of the tables that this transaction has written to above the values in their columns, where a row with a value of its
 * own got ahead of them. None is ever set back.
 */
export async function advanceSequences(session: Session, seeded: readonly string[]): Promise<void> {
  const sequences = await session.query(
    `select s.oid::pg_catalog.regclass::text, n.nspname, c.relname, a.attname, q.seqincrement > 0
       from pg_catalog.pg_depend d
       join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
       join pg_catalog.pg_sequence q on q.seqrelid = s.oid
       join pg_catalog.pg_class c on c.oid = d.refobjid and c.relkind in ('r', 'p')
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.deptype in ('a', 'i') and c.relpersistence <> 't'
        and (c.oid = any ($1::pg_catalog.oid[])
             or c.oid in (select x.relid from pg_catalog.pg_stat_xact_user_tables x where x.n_tup_ins + x.n_tup_upd > 0))`,
    [`{${seeded.join(',')}}`],
  )
  for (const [sequence, schema, table, column, ascending] of sequences) {
    if (!sequence || !schema || !table || !column) continue
    const furthest = `pg_catalog.${ascending === 't' ? 'max' : 'min'}(${quoteName(column)})::pg_catalog.int8`
    const beyond = ascending === 't' ? '>' : '<'
    await session.query(
      `select pg_catalog.setval(${quoteLiteral(sequence)}, data.furthest)
         from (select ${furthest} as furthest from ${quoteQualified(schema, table)}) as data, ${sequence} as s
        where data.furthest ${beyond} s.last_value or data.furthest = s.last_value and not s.is_called`,
    )
  }
}
