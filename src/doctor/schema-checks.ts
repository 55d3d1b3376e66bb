import { query, type RowOf, type RowsOf } from '../catalog/read/query.js'
import { quoteIfNeeded } from '../database/quote.js'
import type { DoctorFinding } from './doctor-report.js'
import { advice, counted, finding, megabytes, NAME, OWN_RELATIONS, sql } from './finding.js'

/** Indexes that no query may use, but for those that are being built right now. */
export const INVALID_INDEXES = query(
  {
    name: NAME,
    table: `format('%I.%I', tn.nspname, t.relname)`,
    kind: 'c.relkind',
    isUnique: 'i.indisunique',
    isLeftover: `c.relname ~ '_cc(new|old)\\d*$'`,
  },
  `from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class t on t.oid = i.indrelid join pg_namespace tn on tn.oid = t.relnamespace
   where not (i.indisvalid and i.indisready and i.indislive)
     and not exists (select from pg_stat_progress_create_index p where p.relid = i.indrelid)`,
)

/** The keys of an index's first columns, and how they are compared. */
const part = (index: string, columns: string): string =>
  ['indkey::int2[]', 'indclass::oid[]', 'indcollation::oid[]', 'indoption::int2[]']
    .map((field) => `(${index}.${field})[0:${columns} - 1]`)
    .join(', ')

/**
 * A B-tree whose columns are the first ones of another, with the same condition: what it can find, the other can. Of two that are the
 * same the younger is told. What carries a constraint, or is named by one, stays.
 */
export const REDUNDANT_INDEXES = query(
  {
    name: NAME,
    table: `min(format('%I.%I', tn.nspname, t.relname))`,
    other: `min(format('%I.%I', bn.nspname, bc.relname))`,
    bytes: 'pg_relation_size(c.oid)',
    isPartitioned: `c.relkind = 'I'`,
    isSame: 'bool_or(b.indnkeyatts = a.indnkeyatts and b.indnatts = a.indnatts)',
  },
  `from pg_index a
     join pg_class c on c.oid = a.indexrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class t on t.oid = a.indrelid join pg_namespace tn on tn.oid = t.relnamespace
     join pg_index b on b.indrelid = a.indrelid and b.indexrelid <> a.indexrelid
     join pg_class bc on bc.oid = b.indexrelid join pg_namespace bn on bn.oid = bc.relnamespace
     join pg_am m on m.oid = c.relam and m.amname = 'btree' and bc.relam = c.relam
   where a.indisvalid and b.indisvalid and not c.relispartition and ${OWN_RELATIONS}
     and not a.indisreplident and not a.indisclustered
     and not exists (select from pg_constraint k where k.conindid = a.indexrelid)
     and a.indnkeyatts <= b.indnkeyatts
     and row (${part('a', 'a.indnkeyatts')}) = row (${part('b', 'a.indnkeyatts')})
     and (a.indkey::int2[])[a.indnkeyatts:a.indnatts - 1] <@ (b.indkey::int2[])
     and (a.indexprs is null or pg_get_expr(a.indexprs, a.indrelid) = pg_get_expr(b.indexprs, b.indrelid))
     and pg_get_expr(a.indpred, a.indrelid) is not distinct from pg_get_expr(b.indpred, b.indrelid)
     and (not a.indisunique or (b.indisunique and b.indimmediate and a.indnkeyatts = b.indnkeyatts))
     and (a.indexrelid > b.indexrelid
          or (a.indnkeyatts, a.indnatts, a.indisunique) is distinct from (b.indnkeyatts, b.indnatts, b.indisunique)
          or b.indisreplident or b.indisclustered
          or exists (select from pg_constraint k where k.conindid = b.indexrelid))
   group by c.oid, c.relkind, c.relname, n.nspname`,
)

/** A condition that every search by the key fulfils. */
const ONLY_NOT_NULL = `not exists (
  select from regexp_split_to_table(replace(replace(pg_get_expr(i.indpred, i.indrelid), '(', ''), ')', ''), ' AND ') p where p !~ '^("[^"]+"|[a-z0-9_]+) IS NOT NULL$')`

export const FOREIGN_KEYS = query(
  {
    name: 'k.conname',
    table: NAME,
    other: 'k.confrelid::regclass',
    columns: `(select string_agg(quote_ident(a.attname), ', ' order by u.place)
                 from unnest(k.conkey) with ordinality u(number, place)
                 join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number)`,
    isPartitioned: `c.relkind = 'p'`,
    bytes: `case when c.relkind = 'p' then (select sum(pg_relation_size(relid)) from pg_partition_tree(c.oid)) else pg_relation_size(c.oid) end`,
  },
  `from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
   where k.contype = 'f' and k.conparentid = 0 and ${OWN_RELATIONS}
     and not exists (
       select from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
        where i.indrelid = k.conrelid and i.indisvalid and m.amname in ('btree', 'hash')
          and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
          and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] <@ k.conkey
          and (i.indpred is null or ${ONLY_NOT_NULL}))`,
)

export const NO_PRIMARY_KEY = query(
  {
    name: NAME,
    isPartitioned: `c.relkind = 'p'`,
    candidate: `(select quote_ident(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
      where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
        and i.indnatts = i.indnkeyatts
        and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
        and not exists (select from unnest(i.indkey::int2[]) u(number) join pg_attribute a on a.attrelid = c.oid and a.attnum = u.number
                         where not a.attnotnull)
      order by i.indnatts, x.relname limit 1)`,
    hasId: `exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'id' and not a.attisdropped)`,
  },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't' and ${OWN_RELATIONS}
     and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')`,
)

/** How far sequences are from the last number that they, or the columns they fill, can hold. */
export const SEQUENCES = query(
  {
    name: NAME,
    last: 's.last_value',
    end: 'e.last',
    used: `round(case when s.increment_by > 0 then (s.last_value::numeric - s.min_value) / nullif(e.last - s.min_value, 0)
                      else (s.max_value::numeric - s.last_value) / nullif(s.max_value - e.last, 0) end * 100, 1)`,
    table: 'o.table_name',
    column: 'o.column_name',
    columnType: 'o.type_name',
    isIdentity: `o.kind = 'i'`,
    sequenceType: 's.data_type',
    referrers: `(select json_agg(json_build_array(format('%I.%I', fn.nspname, fc.relname), quote_ident(fa.attname)) order by fc.oid)
       from pg_constraint k join pg_class fc on fc.oid = k.conrelid join pg_namespace fn on fn.oid = fc.relnamespace
       join pg_attribute fa on fa.attrelid = k.conrelid and fa.attnum = k.conkey[1]
      where k.contype = 'f' and k.conparentid = 0 and k.confrelid = o.table_oid and k.confkey = array[o.number]
        and fa.atttypid in ('int2'::regtype, 'int4'::regtype))`,
  },
  `from pg_sequences s
     join pg_namespace n on n.nspname = s.schemaname
     join pg_class c on c.relnamespace = n.oid and c.relname = s.sequencename
     left join lateral (
       select t.oid as table_oid, format('%I.%I', tn.nspname, t.relname) as table_name, quote_ident(a.attname) as column_name, a.attnum as number,
              a.atttypid as type, format_type(a.atttypid, null) as type_name, d.deptype as kind
         from pg_depend d join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
         join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass
        limit 1) o on true
     cross join lateral (select case when s.increment_by > 0
         then least(s.max_value, case o.type when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 else s.max_value end)
         else greatest(s.min_value, case o.type when 'int2'::regtype then -32768 when 'int4'::regtype then -2147483648 else s.min_value end)
       end as last) e
   where not s.cycle and s.last_value is not null and ${OWN_RELATIONS}
     and case when s.increment_by > 0 then (s.last_value::numeric - s.min_value) / nullif(e.last - s.min_value, 0)
              else (s.max_value::numeric - s.last_value) / nullif(s.max_value - e.last, 0) end >= 0.75`,
)

/** Constraints that were added NOT VALID and never looked at since; one that is not enforced is meant so. */
export function notValidatedQuery(major: number) {
  return query(
    { name: 'quote_ident(k.conname)', table: NAME, kind: 'k.contype' },
    `from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     where not k.convalidated ${major >= 18 ? 'and k.conenforced' : ''} and k.conparentid = 0 and ${OWN_RELATIONS}`,
  )
}

export interface SchemaRows {
  readonly invalid: RowsOf<typeof INVALID_INDEXES>
  readonly redundant: RowsOf<typeof REDUNDANT_INDEXES>
  readonly foreignKeys: RowsOf<typeof FOREIGN_KEYS>
  readonly noPrimaryKey: RowsOf<typeof NO_PRIMARY_KEY>
  readonly sequences: RowsOf<typeof SEQUENCES>
  readonly notValidated: RowsOf<typeof notValidatedQuery>
}

export function judgeSchema(rows: SchemaRows): readonly DoctorFinding[] {
  return [
    ...rows.invalid.map(judgeInvalid),
    ...rows.redundant.map(judgeRedundant),
    ...rows.foreignKeys.map(judgeForeignKey),
    ...rows.noPrimaryKey.map(judgeNoPrimaryKey),
    ...rows.sequences.map(judgeSequence),
    ...rows.notValidated.map(({ name, table, kind }) =>
      finding(
        'not-validated',
        'warning',
        `${table ?? ''}.${name ?? ''}`,
        `this ${kind === 'f' ? 'foreign key' : 'constraint'} holds for new rows; those that were there before were never checked`,
        'Nobody may rely on it: neither the planner nor whoever reads the schema.',
        sql(`alter table ${table ?? ''} validate constraint ${name ?? ''}`),
      ),
    ),
  ]
}

function judgeInvalid({
  name,
  table,
  kind,
  isLeftover,
  isUnique,
}: RowOf<typeof INVALID_INDEXES>): DoctorFinding {
  const [index, of] = [name ?? '', table ?? '']
  const why = 'Every write keeps it up to date, and no query may use it.'
  if (kind === 'I')
    return finding(
      'invalid-index',
      'warning',
      index,
      `is invalid: not every partition of ${of} has its part of it`,
      'Queries of those partitions read them whole, and a unique index does not hold for them.',
      advice(
        `Create the index on the partitions that lack it, then: alter index ${index} attach partition <index of the partition>`,
      ),
    )
  if (isLeftover === 'true')
    return finding(
      'invalid-index',
      'warning',
      index,
      `is what an interrupted REINDEX CONCURRENTLY left on ${of}`,
      why,
      sql(`drop index concurrently ${index}`),
    )
  return finding(
    'invalid-index',
    'warning',
    index,
    `is invalid: its concurrent build on ${of} did not end${isUnique === 'true' ? ', perhaps because of duplicates' : ''}`,
    isUnique === 'true' ? `${why} It is meant to be unique, and holds nobody back.` : why,
    sql(`reindex index concurrently ${index}`),
  )
}

function judgeRedundant({
  name,
  table,
  other,
  bytes,
  isPartitioned,
  isSame,
}: RowOf<typeof REDUNDANT_INDEXES>): DoctorFinding {
  return finding(
    'redundant-index',
    'info',
    name ?? '',
    `${isSame === 'true' ? 'has the same columns as' : 'has the first columns of'} ${other ?? ''} (${megabytes(bytes)})`,
    `Each write to ${table ?? ''} keeps both, and queries need one.`,
    sql(`drop index ${isPartitioned === 'true' ? '' : 'concurrently '}${name ?? ''}`),
  )
}

/** From here on reading a table whole is felt. */
const LARGE_BYTES = 8 * 1_048_576

function judgeForeignKey({
  name,
  table,
  other,
  columns,
  bytes,
  isPartitioned,
}: RowOf<typeof FOREIGN_KEYS>): DoctorFinding {
  const large = Number(bytes) >= LARGE_BYTES
  return finding(
    'foreign-key-index',
    large ? 'warning' : 'info',
    `${table ?? ''}.${quoteIfNeeded(name ?? '')}`,
    `no index starts with (${columns ?? ''})${large ? `, and ${table ?? ''} has ${megabytes(bytes)}` : ''}`,
    `Each delete from ${other ?? ''}, and each change of its key, reads ${table ?? ''} whole.`,
    sql(
      `create index ${isPartitioned === 'true' ? '' : 'concurrently '}on ${table ?? ''} (${columns ?? ''})`,
    ),
  )
}

function judgeNoPrimaryKey({
  name,
  candidate,
  isPartitioned,
  hasId,
}: RowOf<typeof NO_PRIMARY_KEY>): DoctorFinding {
  const table = name ?? ''
  const add =
    candidate !== null && isPartitioned !== 'true'
      ? `alter table ${table} add primary key using index ${candidate}`
      : `alter table ${table} add column ${hasId === 'true' ? 'row_id' : 'id'} bigint generated always as identity primary key`
  return finding(
    'primary-key',
    'warning',
    table,
    'has no primary key',
    `Its rows cannot be told apart: logical replication refuses to update them, and dbkit neither archives nor compares them.${candidate === null ? ' The statement rewrites the table.' : ''}`,
    isPartitioned === 'true'
      ? advice(`Add a primary key that holds the columns of the partition key of ${table}.`)
      : sql(add),
  )
}

/** Seen as the numbers that are gone, in hundredths. */
const ALMOST_ALL = 95

function judgeSequence(row: RowOf<typeof SEQUENCES>): DoctorFinding {
  const { name, last, end, used, table, column, columnType, isIdentity, sequenceType } = row
  const where = table === null ? '' : `, and ${table}.${column ?? ''} is ${columnType ?? ''}`
  const referrers = JSON.parse(row.referrers ?? '[]') as readonly (readonly [string, string])[]
  const widen = [
    ...(table !== null && columnType !== 'bigint'
      ? [`alter table ${table} alter column ${column ?? ''} type bigint`]
      : []),
    // An identity's sequence changes with its column.
    ...(isIdentity === 'true' || sequenceType === 'bigint' ? [] : [`alter sequence ${name ?? ''} as bigint`]),
    ...referrers.map(([child, key]) => `alter table ${child} alter column ${key} type bigint`),
  ]
  const why = 'Each insert after the last number fails.'
  const also =
    referrers.length === 0
      ? ''
      : ` ${counted(referrers.length, 'column')} that refer to it have to hold the numbers too.`
  return finding(
    'sequence-end',
    Number(used) >= ALMOST_ALL ? 'error' : 'warning',
    name ?? '',
    `${used ?? ''} % of its numbers are gone: it is at ${last ?? ''} of ${end ?? ''}${where}`,
    widen.length === 0
      ? why
      : `${why} The statements rewrite the tables, which nobody can read meanwhile.${also}`,
    widen.length === 0
      ? advice(
          `Raise it (alter sequence ${name ?? ''} maxvalue ... ), or start again below with numbers that are free.`,
        )
      : sql(...widen),
  )
}
