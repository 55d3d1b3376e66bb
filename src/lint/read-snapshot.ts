import type { Session } from '../database/database.js'
import type { LedgerPlace } from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import type { Column, Constraint, Index, Label, Relation, Routine, Snapshot, Trigger } from './snapshot.js'

/**
 * Reads a snapshot, also in an open transaction: in a savepoint that is rolled back, so that neither a lock nor a setting of the reading
 * is left.
 */
export async function readSnapshot(
  session: Session,
  ledger: LedgerPlace,
  { inTransaction }: { readonly inTransaction: boolean },
): Promise<Snapshot> {
  await session.script(
    `${inTransaction ? 'savepoint dbkit_look' : 'begin'};set local search_path to pg_catalog;set local enable_seqscan to on;set local jit to off`,
  )
  const rows = await session.query(snapshotQuery(ledger))
  await session.script(
    inTransaction ? 'rollback to savepoint dbkit_look;release savepoint dbkit_look' : 'rollback',
  )
  const read = JSON.parse(rows[0]?.[0] ?? '{}') as RawSnapshot
  return {
    relations: byOid(read.relations),
    columns: new Map(
      (read.columns ?? []).map((column) => [`${column.relation}.${column.number}`, column] as const),
    ),
    constraints: byOid(read.constraints),
    indexes: byOid(read.indexes),
    routines: byOid(read.routines),
    labels: byOid(read.labels),
    triggers: byOid(read.triggers),
  }
}

interface RawSnapshot {
  readonly relations: readonly Relation[] | null
  readonly columns: readonly Column[] | null
  readonly constraints: readonly Constraint[] | null
  readonly indexes: readonly Index[] | null
  readonly routines: readonly Routine[] | null
  readonly labels: readonly Label[] | null
  readonly triggers: readonly Trigger[] | null
}

function byOid<T extends { readonly oid: string }>(all: readonly T[] | null): ReadonlyMap<string, T> {
  return new Map((all ?? []).map((one) => [one.oid, one]))
}

function snapshotQuery({ schema, table }: LedgerPlace): string {
  return `
with own as materialized (
  select c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, c.relrowsecurity,
         (select count(*) from pg_policy y where y.polrelid = c.oid) as policies,
         (select h.inhparent::text from pg_inherits h where h.inhrelid = c.oid and c.relispartition) as parent
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relpersistence <> 't'
     and c.relkind in ('r', 'p', 'f', 'v', 'm', 'i', 'I', 'S')
     and not (n.nspname = ${quoteLiteral(schema)} and c.relname in (${quoteLiteral(table)}, ${quoteLiteral(`${table}_pkey`)}))
     and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)
select json_build_object(
  'relations', (select json_agg(json_build_object('oid', oid::text, 'schema', nspname, 'name', relname, 'kind', relkind,
      'file', relfilenode::text, 'parent', parent, 'rowSecurity', relrowsecurity, 'policies', policies)) from own),
  'columns', (select json_agg(json_build_object('relation', a.attrelid::text, 'number', a.attnum::text, 'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid),
      'generated', a.attgenerated, 'identity', a.attidentity))
    from own join pg_attribute a on a.attrelid = own.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where own.relkind in ('r', 'p', 'f', 'v', 'm')),
  'constraints', (select json_agg(json_build_object('oid', k.oid::text, 'relation', k.conrelid::text, 'name', k.conname,
      'type', k.contype, 'validated', k.convalidated, 'definition', pg_get_constraintdef(k.oid),
      'references', k.confrelid::text, 'index', k.conindid::text, 'inherited', k.conparentid <> 0,
      'columns', coalesce((select json_agg(n::text) from unnest(k.conkey) as n), '[]')))
    from own join pg_constraint k on k.conrelid = own.oid),
  'indexes', (select json_agg(json_build_object('oid', i.indexrelid::text, 'relation', i.indrelid::text, 'unique', i.indisunique,
      'valid', i.indisvalid, 'partial', i.indpred is not null, 'definition', pg_get_indexdef(i.indexrelid),
      'keys', (select json_agg(key::text) from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) as key)))
    from own join pg_index i on i.indexrelid = own.oid),
  'routines', (select json_agg(json_build_object('oid', p.oid::text, 'schema', n.nspname, 'name', p.proname,
      'arguments', pg_get_function_identity_arguments(p.oid), 'body', p.prosrc))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
   where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and l.lanname not in ('c', 'internal')
     and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')),
  'labels', (select json_agg(json_build_object('oid', e.oid::text, 'type', format_type(e.enumtypid, null), 'label', e.enumlabel))
    from pg_enum e),
  'triggers', (select json_agg(json_build_object('oid', t.oid::text, 'relation', t.tgrelid::text, 'name', t.tgname,
      'routine', t.tgfoid::text))
    from own join pg_trigger t on t.tgrelid = own.oid and not t.tgisinternal)
)::text`
}
