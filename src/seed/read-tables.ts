import type { Session, TextRow } from '../database/database.js'
import type { SeedColumn, SeedForeignKey, SeedKey, SeedTable, TablesByOid } from './seed-tables.js'

/** A table that seeds may name. */
export interface TableName {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** The search_path finds it without its schema. */
  readonly visible: boolean
}

/** All tables of the database that are not PostgreSQL's own. */
export async function readTableNames(session: Session): Promise<readonly TableName[]> {
  const rows = await session.query(
    `select c.oid::text, n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid)
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and c.relpersistence <> 't'
        and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      order by n.nspname, c.relname`,
  )
  return rows.map(([oid, schema, name, visible]) => ({
    oid: text(oid),
    schema: text(schema),
    name: text(name),
    visible: visible === 't',
  }))
}

/** These tables and all that they refer to, near and far: a reference by natural key may lead over several of them. */
export async function readTables(
  session: Session,
  oids: readonly string[],
  names: readonly TableName[],
): Promise<TablesByOid> {
  const wanted = [`{${oids.join(',')}}`]
  const columns = await session.query(COLUMNS, wanted)
  const keys = await session.query(KEYS, wanted)
  const constraints = await session.query(CONSTRAINTS, wanted)
  const tables = new Map<string, SeedTable>()
  for (const oid of new Set(columns.map(([table]) => text(table)))) {
    const name = names.find((known) => known.oid === oid)
    if (name === undefined) continue
    const ofTable = (row: TextRow): boolean => row[0] === oid
    const own = columns.filter(ofTable)
    const numbered = new Map(own.map((row) => [text(row[1]), text(row[2])]))
    const named = (attributes: string | null | undefined): readonly string[] =>
      text(attributes)
        .split(' ')
        .filter((number) => number !== '')
        .map((number) => numbered.get(number) ?? '')
    const ownConstraints = constraints.filter(ofTable)
    tables.set(oid, {
      ...name,
      shown: name.visible ? name.name : `${name.schema}.${name.name}`,
      columns: own.map(toColumn),
      keys: keys.filter(ofTable).map((row) => toKey(row, named)),
      foreignKeys: ownConstraints
        .filter((row) => row[2] === 'f')
        .map((row) => toForeignKey(row, named, columns)),
      constraints: new Map([
        ...keys.filter(ofTable).map((row) => [text(row[1]), named(row[2])] as const),
        ...ownConstraints.map((row) => [text(row[1]), named(row[3])] as const),
      ]),
    })
  }
  return tables
}

/** The tables asked for, and what they lead to; as a CTE. */
const WANTED = `with recursive wanted(oid) as (
  select unnest($1::pg_catalog.oid[])
  union
  select c.confrelid from pg_catalog.pg_constraint c join wanted w on c.conrelid = w.oid where c.contype = 'f')`

// The type under all domains, however many there are one upon the other.
const COLUMNS = `${WANTED},
  base(oid, type) as (
    select t.oid, t.oid from pg_catalog.pg_type t where t.typtype <> 'd'
    union all
    select t.oid, base.type from pg_catalog.pg_type t join base on base.oid = t.typbasetype where t.typtype = 'd'),
  named(oid, type, name, element) as (
    select b.oid, b.type, case when n.nspname = 'pg_catalog' then t.typname::text else n.nspname || '.' || t.typname end,
           case when t.typcategory = 'A' then t.typelem end
      from base b join pg_catalog.pg_type t on t.oid = b.type join pg_catalog.pg_namespace n on n.oid = t.typnamespace)
select a.attrelid::text, a.attnum::text, a.attname,
       -- A row may leave the column out, which a domain that is never null would not let it, not even on the way to its default.
       case when own.typnotnull then pg_catalog.format_type(t.type, own.typtypmod)
            else pg_catalog.format_type(a.atttypid, a.atttypmod) end, t.name, e.name,
       a.attnotnull, a.attidentity = 'a', a.attgenerated <> '',
       case when a.attidentity <> ''
            then 'pg_catalog.nextval(' || pg_catalog.quote_literal(pg_catalog.pg_get_serial_sequence(
                   pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname)) || ')'
            else coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_get_expr(own.typdefaultbin, 0)) end
  from pg_catalog.pg_attribute a
  join wanted w on w.oid = a.attrelid
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_type own on own.oid = a.atttypid
  join named t on t.oid = a.atttypid
  left join named e on e.oid = t.element
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attnum > 0 and not a.attisdropped
 order by a.attrelid, a.attnum`

// Only what tells every row apart: no index over some rows, none over expressions, none that is still being built.
// NULLS NOT DISTINCT came with PostgreSQL 15; read through to_jsonb, the column may be missing.
const KEYS = `${WANTED}
select i.indrelid::text, c.relname,
       pg_catalog.array_to_string((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1], ' '), i.indisprimary, not i.indimmediate,
       coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
  from pg_catalog.pg_index i
  join wanted w on w.oid = i.indrelid
  join pg_catalog.pg_class c on c.oid = i.indexrelid
 where i.indisunique and i.indisvalid and not i.indisexclusion and i.indpred is null and i.indexprs is null
 order by i.indrelid, c.relname`

// conparentid: what the partitions inherit is checked with their parent.
const CONSTRAINTS = `${WANTED}
select k.conrelid::text, k.conname, k.contype, pg_catalog.array_to_string(k.conkey, ' '), k.confrelid::text,
       pg_catalog.array_to_string(k.confkey, ' '), k.condeferrable, k.confmatchtype = 'f'
  from pg_catalog.pg_constraint k join wanted w on w.oid = k.conrelid
 where k.conparentid = 0
 order by k.conrelid, k.conname`

function toColumn([, , name, type, base, element, notNull, always, stored, expression]: TextRow): SeedColumn {
  return {
    name: text(name),
    type: text(type),
    base: text(base),
    element: element ?? undefined,
    notNull: notNull === 't',
    generated: always === 't' ? 'identity' : stored === 't' ? 'stored' : undefined,
    default: expression ?? undefined,
  }
}

type Named = (attributes: string | null | undefined) => readonly string[]

function toKey([, name, attributes, primary, deferrable, nullsEqual]: TextRow, named: Named): SeedKey {
  return {
    name: text(name),
    columns: named(attributes),
    primary: primary === 't',
    deferrable: deferrable === 't',
    nullsEqual: nullsEqual === 't',
  }
}

function toForeignKey(row: TextRow, named: Named, columns: readonly TextRow[]): SeedForeignKey {
  const [, name, , own, references, referenced, deferrable, matchFull] = row
  const there = new Map(
    columns
      .filter(([table]) => table === references)
      .map(([, number, column]) => [text(number), text(column)]),
  )
  return {
    name: text(name),
    columns: named(own),
    references: text(references),
    referencedColumns: text(referenced)
      .split(' ')
      .map((number) => there.get(number) ?? ''),
    deferrable: deferrable === 't',
    matchFull: matchFull === 't',
  }
}

function text(value: string | null | undefined): string {
  return value ?? ''
}
