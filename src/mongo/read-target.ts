import type { Session } from '../database/database.js'
import { quoteName } from '../database/quote.js'

/** The tables that a mapping fills, as the database has them. */
export interface Target {
  readonly tables: ReadonlyMap<string, TargetTable>
}

export interface TargetTable {
  readonly name: string
  readonly columns: ReadonlyMap<string, TargetColumn>
  /** Columns of each unique index that covers all rows. */
  readonly uniques: readonly TargetUnique[]
  /** Tables that rows of this one refer to at once, because the constraint cannot be deferred. */
  readonly needs: readonly string[]
  /** UPDATE triggers that are switched on: 'O' as usual, 'A' always. */
  readonly updateTriggers: readonly { readonly name: string; readonly always: boolean }[]
  /** Whether this role may switch triggers off and on. */
  readonly owned: boolean
  readonly empty: boolean
}

export interface TargetColumn {
  readonly name: string
  /** As it is written in CREATE TABLE, without a domain around it. */
  readonly type: string
  /** The type's own name: int4, varchar, _text. */
  readonly base: string
  /** Characters that a varchar or char holds at most. */
  readonly length: number | undefined
  /** Digits before and after the point that a numeric holds. */
  readonly digits: { readonly before: number; readonly after: number } | undefined
  readonly labels: readonly string[] | undefined
  readonly notNull: boolean
  readonly generated: boolean
  readonly hasDefault: boolean
}

export interface TargetUnique {
  readonly name: string
  readonly columns: readonly string[]
  /** NULLS NOT DISTINCT */
  readonly nullsEqual: boolean
}

/** Reads what is known of these tables, as the search_path finds them; tables that do not exist are left out. */
export async function readTarget(session: Session, names: readonly string[]): Promise<Target> {
  const wanted = [JSON.stringify(names)]
  const columns = await session.query(COLUMNS, wanted)
  const uniques = await session.query(UNIQUES, wanted)
  const references = await session.query(REFERENCES, wanted)
  const triggers = await session.query(TRIGGERS, wanted)
  const tables = new Map<string, TargetTable>()
  for (const name of names) {
    const own = columns.filter(([table]) => table === name)
    const [first] = own
    if (first === undefined) continue
    tables.set(name, {
      name,
      columns: new Map(own.map((row) => [text(row[2]), toColumn(row)])),
      uniques: uniques
        .filter(([table]) => table === name)
        .map(([, index, list, nullsEqual]) => ({
          name: text(index),
          columns: JSON.parse(text(list)) as string[],
          nullsEqual: nullsEqual === 't',
        })),
      needs: references.filter(([table]) => table === name).map(([, other]) => text(other)),
      updateTriggers: triggers
        .filter(([table]) => table === name)
        .map(([, trigger, enabled]) => ({ name: text(trigger), always: enabled === 'A' })),
      owned: first[1] === 't',
      empty: (await session.query(emptyQuery(name)))[0]?.[0] === 't',
    })
  }
  return { tables }
}

function emptyQuery(table: string): string {
  return `select not exists (select from ${quoteName(table)})`
}

const WANTED = `with wanted(name, oid) as (
  select t.name, pg_catalog.to_regclass(pg_catalog.quote_ident(t.name))::oid
    from pg_catalog.json_array_elements_text($1::json) t(name))`

// The type under all domains, however many there are one upon the other.
const COLUMNS = `with recursive wanted(name, oid) as (
  select t.name, pg_catalog.to_regclass(pg_catalog.quote_ident(t.name))::oid
    from pg_catalog.json_array_elements_text($1::json) t(name)),
  base(oid, type, typmod) as (
    select t.oid, t.oid, -1 from pg_catalog.pg_type t where t.typtype <> 'd'
    union all
    select t.oid, base.type, greatest(base.typmod, t.typtypmod)
      from pg_catalog.pg_type t join base on base.oid = t.typbasetype where t.typtype = 'd')
select w.name, pg_catalog.pg_has_role(c.relowner, 'USAGE'), a.attname,
       pg_catalog.format_type(b.type, greatest(a.atttypmod, b.typmod)), t.typname, greatest(a.atttypmod, b.typmod)::text,
       (select pg_catalog.json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = b.type)::text,
       a.attnotnull, a.attgenerated <> '' or a.attidentity = 'a', a.atthasdef or a.attidentity <> ''
  from wanted w
  join pg_catalog.pg_class c on c.oid = w.oid and c.relkind in ('r', 'p')
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join base b on b.oid = a.atttypid
  join pg_catalog.pg_type t on t.oid = b.type
 order by w.name, a.attnum`

// NULLS NOT DISTINCT came with PostgreSQL 15; read through to_jsonb, the column may be missing.
const UNIQUES = `${WANTED}
select w.name, i.indexrelid::pg_catalog.regclass::text,
       (select pg_catalog.json_agg(a.attname order by k.place)
          from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality k(number, place)
          join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
         where k.place <= i.indnkeyatts)::text,
       coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
  from wanted w join pg_catalog.pg_index i on i.indrelid = w.oid
 where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
 order by w.name, 2`

const REFERENCES = `${WANTED}
select distinct w.name, other.name
  from wanted w
  join pg_catalog.pg_constraint c on c.conrelid = w.oid and c.contype = 'f' and not c.condeferrable
  join wanted other on other.oid = c.confrelid
 where other.oid <> w.oid
 order by 1, 2`

// Bit 4 of tgtype: the trigger fires on UPDATE.
const TRIGGERS = `${WANTED}
select w.name, t.tgname, t.tgenabled
  from wanted w join pg_catalog.pg_trigger t on t.tgrelid = w.oid
 where not t.tgisinternal and t.tgtype & 16 <> 0 and t.tgenabled in ('O', 'A')
 order by w.name, t.tgname`

/** In a type modifier, four more than what is meant. */
const VARHDRSZ = 4

function toColumn(row: readonly (string | null)[]): TargetColumn {
  const [, , name, type, base, typmod, labels, notNull, generated, hasDefault] = row
  const modifier = Number(typmod) - VARHDRSZ
  return {
    name: text(name),
    type: text(type),
    base: text(base),
    length: modifier >= 0 && (base === 'varchar' || base === 'bpchar') ? modifier : undefined,
    digits: modifier >= 0 && base === 'numeric' ? digitsOf(modifier) : undefined,
    labels: labels == null ? undefined : (JSON.parse(labels) as string[]),
    notNull: notNull === 't',
    generated: generated === 't',
    hasDefault: hasDefault === 't',
  }
}

/** numeric(p, s): p in the upper half, s in the lower 11 bits, signed since PostgreSQL 15. */
function digitsOf(modifier: number): { before: number; after: number } {
  const precision = modifier >>> 16
  const after = ((modifier & 0x7ff) ^ 1024) - 1024
  return { before: precision - after, after }
}

function text(value: string | null | undefined): string {
  return value ?? ''
}
