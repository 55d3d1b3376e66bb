import { quoteLiteral, quoteName, quoteQualified, quoteIfNeeded } from '../../database/quote.js'
import type { SqlError } from '../../database/sql-error.js'
import { EXAMPLES, grouped, times, type Finder, type Refusal } from './culprit.js'
import { checksIn, indexPredicate, referencesIn, typeChangesIn } from './statement-parts.js'

/** The table that PostgreSQL names, ready for SQL and for people. */
function tableOf({ fields: { schema, table } }: SqlError): { sql: string; shown: string } | undefined {
  if (schema === undefined || table === undefined) return undefined
  const shown = (schema === 'public' ? [table] : [schema, table]).map(quoteIfNeeded).join('.')
  return { sql: quoteQualified(schema, table), shown }
}

/** The values of which a unique index found more than one. */
export const duplicateKeys: Finder = async ({ error, statement, look, value }) => {
  const table = tableOf(error)
  const keys = /^Key \((.*)\)=\(.*\) is duplicated\.$/s.exec(error.fields.detail ?? '')?.[1]
  if (error.sqlstate !== '23505' || table === undefined || keys === undefined) return undefined
  const predicate = indexPredicate(statement)
  const rows = await look(
    `select row(${keys})::text, count(*), count(*) over (), (sum(count(*)) over ())::text from ${table.sql}
      where row(${keys}) is not null ${predicate === undefined ? '' : `and (${predicate})`}
      group by row(${keys}) having count(*) > 1 order by 2 desc, 1 limit ${String(EXAMPLES)}`,
  )
  const [first] = rows
  if (first === undefined) return undefined
  return {
    kind: 'duplicate-keys',
    summary: `${times(first[2], 'value')} of ${table.shown} (${keys}) ${first[2] === '1' ? 'stands' : 'stand'} in ${grouped(first[3])} rows`,
    examples: rows.map(([key, count]) => `${value(key)} in ${times(count, 'row')}`),
  }
}

/** The rows without a value in a column that is to have one. */
export const nullRows: Finder = async (refusal) => {
  const { error, look } = refusal
  const table = tableOf(error)
  const column = error.fields.column
  if (error.sqlstate !== '23502' || table === undefined || column === undefined) return undefined
  if (!/contains null values$/.test(error.message)) return undefined
  const exists = await look(
    `select exists (select from pg_catalog.pg_attribute where attrelid = ${quoteLiteral(table.sql)}::pg_catalog.regclass
       and attname = ${quoteLiteral(column)} and not attisdropped)`,
  )
  if (exists[0]?.[0] !== 't') {
    const [[count] = []] = await look(`select count(*) from ${table.sql}`)
    return {
      kind: 'null-rows',
      summary: `${table.shown} has ${times(count, 'row')}, and the new column has no DEFAULT for them`,
      examples: [],
    }
  }
  return badRows(refusal, table, `${quoteName(column)} is null`, (bad, all) => ({
    kind: 'null-rows',
    summary: `${bad} of ${all} of ${table.shown} ${bad === '1' ? 'has' : 'have'} no ${quoteIfNeeded(column)}`,
  }))
}

/** The rows that a CHECK does not allow. */
export const violatingRows: Finder = async (refusal) => {
  const { error, statement, look } = refusal
  const table = tableOf(error)
  const name = error.fields.constraint
  if (error.sqlstate !== '23514' || table === undefined || name === undefined) return undefined
  if (!/is violated by some row$/.test(error.message)) return undefined
  const known = await look(
    `select pg_catalog.pg_get_expr(conbin, conrelid) from pg_catalog.pg_constraint
      where conrelid = ${quoteLiteral(table.sql)}::pg_catalog.regclass and conname = ${quoteLiteral(name)}`,
  )
  const conditions = known.length > 0 ? known.map(([condition]) => condition ?? 'true') : checksIn(statement)
  for (const condition of conditions) {
    const culprit = await badRows(refusal, table, `not (${condition})`, (bad, all) => ({
      kind: 'violating-rows',
      summary: `${bad} of ${all} of ${table.shown} ${bad === '1' ? 'breaks' : 'break'} ${quoteIfNeeded(name)}`,
    }))
    if (culprit !== undefined) return culprit
  }
  return undefined
}

/** Counts rows, and names some by their primary key. */
async function badRows(
  { look, value }: Refusal,
  table: { readonly sql: string; readonly shown: string },
  condition: string,
  say: (bad: string, all: string) => { kind: 'null-rows' | 'violating-rows'; summary: string },
): ReturnType<Finder> {
  const [[bad, all] = []] = await look(
    `select count(*) filter (where ${condition}), count(*) from ${table.sql}`,
  )
  if (bad === undefined || bad === null || bad === '0') return undefined
  const key = await primaryKey(look, table.sql)
  const list = key.map(quoteName).join(', ')
  const rows =
    key.length === 0
      ? await look(`select ctid::text from ${table.sql} where ${condition} limit ${String(EXAMPLES)}`)
      : await look(
          `select row(${list})::text from ${table.sql} where ${condition} order by ${list} limit ${String(EXAMPLES)}`,
        )
  const label = key.length === 0 ? 'ctid' : `(${key.map(quoteIfNeeded).join(', ')})`
  return {
    ...say(grouped(bad), times(all, 'row')),
    examples: rows.map(([shown]) => `${label} = ${value(shown)}`),
  }
}

async function primaryKey(look: Refusal['look'], table: string): Promise<readonly string[]> {
  const rows = await look(
    `select a.attname from pg_catalog.pg_index i
       cross join lateral unnest(i.indkey) with ordinality k (attnum, position)
       join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = ${quoteLiteral(table)}::pg_catalog.regclass and i.indisprimary order by k.position`,
  )
  return rows.map(([name]) => name ?? '')
}

const ORPHAN = /^Key \((.+)\)=\(.*\) is not present in table "(.+)"\.$/s

/** The rows that refer to nothing. */
export const orphans: Finder = async ({ error, statement, look, value }) => {
  const table = tableOf(error)
  const [, columns, parentName] = ORPHAN.exec(error.fields.detail ?? '') ?? []
  if (error.sqlstate !== '23503' || table === undefined || columns === undefined) return undefined
  const own = columns.split(', ').map(quoteName)
  const parent = referencesIn(statement).find((reference) => lastName(reference.table) === parentName)
  const target =
    parent === undefined
      ? await knownReference(look, table.sql, error.fields.constraint ?? '')
      : {
          table: parent.table,
          columns:
            parent.columns.length > 0
              ? parent.columns
              : (await primaryKey(look, parent.table)).map(quoteName),
        }
  if (target?.columns.length !== own.length) return undefined
  const joined = own.map((column, index) => `p.${target.columns[index] ?? ''} = c.${column}`).join(' and ')
  const key = `row(${own.map((column) => `c.${column}`).join(', ')})`
  const rows = await look(
    `select ${key}::text, count(*), count(*) over (), (sum(count(*)) over ())::text from ${table.sql} c
      where ${key} is not null and not exists (select from ${target.table} p where ${joined})
      group by ${key} order by 2 desc, 1 limit ${String(EXAMPLES)}`,
  )
  const [first] = rows
  if (first === undefined) return undefined
  return {
    kind: 'orphans',
    summary: `${times(first[3] ?? null, 'row')} of ${table.shown} ${first[3] === '1' ? 'refers' : 'refer'} to ${times(first[2], 'value')} of (${columns}) that ${target.table} does not have`,
    examples: rows.map(([shown, count]) => `${value(shown)} in ${times(count, 'row')}`),
  }
}

async function knownReference(
  look: Refusal['look'],
  table: string,
  constraint: string,
): Promise<{ table: string; columns: readonly string[] } | undefined> {
  const rows = await look(
    `select c.confrelid::pg_catalog.regclass::text, a.attname from pg_catalog.pg_constraint c
       cross join lateral unnest(c.confkey) with ordinality k (attnum, position)
       join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum
      where c.conrelid = ${quoteLiteral(table)}::pg_catalog.regclass and c.conname = ${quoteLiteral(constraint)}
      order by k.position`,
  )
  const parent = rows[0]?.[0]
  return parent === undefined || parent === null
    ? undefined
    : { table: parent, columns: rows.map(([, column]) => quoteName(column ?? '')) }
}

/** The last part of a name as PostgreSQL would store it. */
function lastName(written: string): string {
  const last = /(?:"(?:[^"]|"")*"|[^."]+)$/.exec(written)?.[0] ?? written
  return last.startsWith('"') ? last.slice(1, -1).replaceAll('""', '"') : last.toLowerCase()
}

const STILL_REFERENCED = /^Key \(([^,()]+)\)=\((.*)\) is still referenced from table "(.+)"\.$/s

/** The rows that still refer to what is to go. */
export const stillReferenced: Finder = async ({ error, look, value }) => {
  const table = tableOf(error)
  const [, , key] = STILL_REFERENCED.exec(error.fields.detail ?? '') ?? []
  if (error.sqlstate !== '23503' || table === undefined || key === undefined) return undefined
  const columns = await look(
    `select a.attname from pg_catalog.pg_constraint c join pg_catalog.pg_attribute a
         on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
      where c.conrelid = ${quoteLiteral(table.sql)}::pg_catalog.regclass
        and c.conname = ${quoteLiteral(error.fields.constraint ?? '')}`,
  )
  const column = columns.length === 1 ? columns[0]?.[0] : undefined
  if (column === undefined || column === null) return undefined
  const [[count] = []] = await look(
    `select count(*) from ${table.sql} where ${quoteName(column)} = ${quoteLiteral(key)}`,
  )
  if (count === '0') return undefined
  return {
    kind: 'still-referenced',
    summary: `${times(count, 'row')} of ${table.shown} ${count === '1' ? 'has' : 'have'} ${quoteIfNeeded(column)} = ${value(key)}`,
    examples: [],
  }
}

/** More are not counted: each costs a subtransaction. */
const MOST_TRIED = 1_000

/** The values that do not fit the new type of their column. */
export const badValues: Finder = async ({ error, statement, look, value }) => {
  if (!error.sqlstate.startsWith('22')) return undefined
  for (const { table, column, type, using } of typeChangesIn(statement)) {
    const alias = quoteName(lastName(table))
    const rows = await look(
      `create function pg_temp.dbkit_refuses(tested ${table}) returns boolean language plpgsql as ${quoteLiteral(
        // Assigned, not cast: a cast to varchar(5) would cut off what ALTER TABLE refuses.
        `declare fits ${type};
         begin
           fits := (select ${using} from (select tested.*) as ${alias});
           return false;
         exception when data_exception then return true;
         end`,
      )};
      select bad::text, count(*), count(*) over (), (sum(count(*)) over ())::text
        from (select ${alias}.${column} as bad from ${table} as ${alias}
               where pg_temp.dbkit_refuses(${alias}) limit ${String(MOST_TRIED)}) found
       group by bad::text order by 2 desc, 1 limit ${String(EXAMPLES)}`,
    )
    const [first] = rows
    if (first === undefined) continue
    const many = first[3] === String(MOST_TRIED) ? 'at least ' : ''
    return {
      kind: 'bad-values',
      summary: `${many}${times(first[3] ?? null, 'row')} of ${table} ${first[3] === '1' ? 'has' : 'have'} a ${column} that is no ${type}`,
      examples: rows.map(([bad, count]) => `${value(bad)} in ${times(count, 'row')}`),
    }
  }
  return undefined
}
