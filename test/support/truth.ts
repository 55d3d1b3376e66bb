import type ts from 'typescript'
import { expressionOf, type EmittedTypes, type RelationTypes } from './emitted-types.js'

/** What a pool of `pg` and that of the embedded engine have in common. */
export interface Client {
  query(sql: string, parameters?: unknown[]): Promise<{ readonly rows: Record<string, unknown>[] }>
}

/** Everything that a database does and its types deny, a line each. */
export interface Truth {
  readonly lies: readonly string[]
  /** Values that were read and checked. */
  readonly read: number
  /** Values that were written, each of another form that a type allows. */
  readonly written: number
  /** Columns of which no value but NULL was ever seen. */
  readonly unseen: readonly string[]
  /** What was read, for the compiler: table, column and an expression. */
  readonly values: readonly {
    readonly relation: string
    readonly column: string
    readonly expression: string
  }[]
}

interface Column {
  readonly name: string
  /** Of the base type, where it is a domain. */
  readonly type: string
  readonly element: string | undefined
  readonly always: boolean
  readonly labels: readonly string[]
}

/** A text of each type that PostgreSQL reads, for columns that hold nothing yet. */
const TEXTS: Readonly<Record<string, string>> = {
  bool: 'true',
  int2: '3',
  int4: '3',
  int8: '3',
  oid: '3',
  float4: '1.5',
  float8: '1.5',
  numeric: '3',
  text: 'a',
  varchar: 'a',
  bpchar: 'a',
  name: 'a',
  date: '2024-02-29',
  timestamp: '2024-02-29 12:30:00',
  timestamptz: '2024-02-29 12:30:00+00',
  time: '12:30:00',
  timetz: '12:30:00+02',
  interval: '1 hour',
  uuid: '6f1b6f6e-4f0c-4a4e-9d52-2f9dfe4c8b11',
  inet: '192.0.2.1',
  cidr: '192.0.2.0/24',
  bytea: '\\x00ff',
  point: '(1,2)',
  circle: '<(1,2),3>',
  geography: 'POINT(-74 40)',
  geometry: 'POINT(1 2)',
}

/**
 * Reads every row of every relation, then writes each form of value that the types allow into every column and reads it back; all of it
 * against the types as the compiler has them.
 */
export async function truthOf(
  client: Client,
  types: EmittedTypes,
  samples: Readonly<Record<string, string>> = {},
): Promise<Truth> {
  const found: string[] = []
  const values = new Map<string, { relation: string; column: string; expression: string }>()
  const seen = new Set<string>()
  let [read, written] = [0, 0]

  const check = (relation: string, column: string, type: ts.Type | undefined, value: unknown): void => {
    read++
    const name = `${relation}.${column}`
    if (value !== null) seen.add(name)
    if (type === undefined) {
      found.push(`${name} has no type`)
      return
    }
    const expression = expressionOf(value)
    values.set(`${name} ${expression}`, { relation, column, expression })
    if (!types.admits(type, value)) found.push(`${name}: ${types.text(type)} is read as ${expression}`)
  }

  const readAll = async (): Promise<void> => {
    for (const [relation, { read: columns }] of types.relations) {
      const { rows } = await client.query(`select * from ${quoted(relation)}`)
      for (const row of rows)
        for (const [column, value] of Object.entries(row)) check(relation, column, columns.get(column), value)
    }
  }
  await readAll()
  const known = new Map<string, string>()

  for (const [relation, sides] of types.relations) {
    const columns = await columnsOf(client, relation)
    if (columns === undefined) {
      const [writable] = [...sides.insert.keys(), ...sides.update.keys()]
      if (writable !== undefined) found.push(`${relation} is a view, and ${writable} may be written`)
      continue
    }
    for (const column of columns) {
      const name = `${relation}.${column.name}`
      const insert = sides.insert.get(column.name)
      if (column.always) {
        if (insert !== undefined || sides.update.has(column.name))
          found.push(`${name} is computed, and may be written`)
        continue
      }
      if (insert === undefined) {
        found.push(`${name} cannot be inserted`)
        continue
      }
      const sample =
        samples[name] ??
        (
          await client.query(
            `select "${column.name}"::text as v from ${quoted(relation)} where "${column.name}" is not null limit 1`,
          )
        ).rows[0]?.['v'] ??
        TEXTS[column.type] ??
        column.labels[0]
      if (typeof sample === 'string') known.set(name, sample)
      for (const type of [insert.type, sides.update.get(column.name) ?? insert.type])
        for (const member of types.members(type))
          for (const value of formsOf(types, member, column, sample as string | undefined)) {
            written++
            const outcome = await tryValue(client, relation, column.name, value, member.isLiteral())
            if (typeof outcome === 'string')
              found.push(`${name}: ${types.text(member)} as ${expressionOf(value)} is refused: ${outcome}`)
            else if (outcome !== undefined)
              check(relation, column.name, sides.read.get(column.name), outcome.value)
          }
    }
    const outcome = await tryLeast(client, relation, sides)
    if (outcome !== undefined)
      found.push(`${relation}: the least that may be inserted is refused: ${outcome}`)
  }

  // Once more with a value wherever there can be one, and with NULL wherever there can be: views show what the seeds leave out.
  for (const fill of [true, false]) {
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    const views = [...types.relations]
      .filter(([, { insert }]) => insert.size === 0)
      .map(([relation]) => relation)
    for (const [relation, { insert }] of types.relations)
      for (const column of insert.keys())
        await tryAll(
          client,
          relation,
          column,
          fill ? known.get(`${relation}.${column}`) : null,
          fill ? views : [],
        )
    const { rows } = await client.query(
      `select matviewname::text as name from pg_matviews where schemaname = 'public' and ispopulated`,
    )
    for (const { name } of rows) await client.query(`refresh materialized view "${String(name)}"`)
    await readAll()
    await client.query('rollback')
  }

  const unseen = [...types.relations].flatMap(([relation, { read: columns }]) =>
    [...columns.keys()].map((column) => `${relation}.${column}`).filter((name) => !seen.has(name)),
  )
  return { lies: found, read, written, unseen, values: [...values.values()] }
}

/** Undefined: a view. */
async function columnsOf(client: Client, relation: string): Promise<readonly Column[] | undefined> {
  const { rows } = await client.query(
    `with recursive bases as (
       select a.attname, a.attnum, a.attidentity, a.attgenerated, a.atttypid as oid, c.relkind from pg_attribute a join pg_class c on c.oid = a.attrelid
       where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
       union all
       select b.attname, b.attnum, b.attidentity, b.attgenerated, t.typbasetype, b.relkind from bases b join pg_type t on t.oid = b.oid where t.typtype = 'd')
     select b.attname::text as name, t.typname::text as type, e.typname::text as element, b.relkind in ('v', 'm') as view,
       b.attidentity = 'a' or b.attgenerated <> '' as always,
       array(select enumlabel::text from pg_enum where enumtypid in (t.oid, e.oid) order by enumsortorder) as labels
     from bases b join pg_type t on t.oid = b.oid left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
     where t.typtype <> 'd' order by b.attnum`,
    [quoted(relation)],
  )
  if (rows.some((row) => row['view'] === true)) return undefined
  return rows.map((row) => ({
    name: String(row['name']),
    type: String(row['type']),
    element: typeof row['element'] === 'string' ? row['element'] : undefined,
    always: row['always'] === true,
    labels: row['labels'] as string[],
  }))
}

/** Values that a member of a type of a column admits, with what the column can hold. */
function formsOf(
  types: EmittedTypes,
  member: ts.Type,
  column: Column,
  sample: string | undefined,
): readonly unknown[] {
  const text = types.text(member)
  if (member.isLiteral()) return [member.value]
  switch (text) {
    case 'null':
      return [null]
    // Whatever is unknown, reading it is a lie already.
    case 'undefined':
    case 'unknown':
    case 'any':
      return []
    case 'true':
    case 'false':
      return [text === 'true']
    case 'string':
      if (sample === undefined) throw new Error(`no text for ${column.name}, ${column.type}`)
      return [sample]
    case 'number':
      return [
        ['json', 'jsonb'].includes(column.type) ? 1.5 : column.type === 'interval' ? 3 : Number(sample ?? 3),
      ]
    case 'bigint':
      return [BigInt(sample ?? 3)]
    case 'Date':
      return [dateOf(sample)]
  }
  if (text.startsWith('Uint8Array')) return [Uint8Array.of(0, 1, 255)]
  const element = types.elementOf(member)
  if (element !== undefined && !['json', 'jsonb'].includes(column.type)) {
    const of = { ...column, type: column.element ?? column.type, element: undefined }
    const [first] = elementsOf(sample ?? '')
    const elements = types
      .members(element)
      .flatMap((one) => formsOf(types, one, of, first ?? TEXTS[of.type] ?? column.labels[0]))
    // Lists of different lengths within a list are no array, which no type can tell.
    const even = elements.filter((one) => !Array.isArray(one) || one.length > 0)
    return [[], even]
  }
  const document = types.property(member, '__json')
  // A document that is written as its text.
  if (document !== undefined) return types.documents(document).map((value) => JSON.stringify(value))
  const plain = types.primitiveOf(member)
  if (plain !== undefined) return formsOf(types, plain, column, sample)
  if (types.property(member, 'toPostgres') !== undefined)
    return [{ hours: 1, toPostgres: () => '1 hour', toISOString: () => 'PT1H' }]
  return types.documents(member)
}

/** The elements of an array's text that are not NULL. */
function elementsOf(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|[^{},;"]+/g)]
    .filter(([all]) => all !== 'NULL')
    .map(([all, quoted]) => quoted?.replaceAll(/\\(.)/g, '$1') ?? all)
}

/**
 * Writes a value into one row, without what other rows and other columns say of it, and reads it back. A text: why it was refused.
 * Undefined: a constraint refused it that no type of TypeScript can tell.
 */
async function tryValue(
  client: Client,
  relation: string,
  column: string,
  value: unknown,
  isLiteral: boolean,
): Promise<{ readonly value: unknown } | string | undefined> {
  const table = quoted(relation)
  await client.query('begin')
  try {
    await client.query('set local session_replication_role = replica')
    const { rows } = await client.query(
      `update ${table} set "${column}" = $1 where ctid = (select ctid from ${table} limit 1) returning "${column}" as value`,
      [value],
    )
    return rows[0] === undefined ? 'the table has no row' : { value: rows[0]['value'] }
  } catch (error) {
    const { code, constraint, message } = error as { code?: string; constraint?: string; message: string }
    await client.query('rollback')
    if (code === '23505' || code === '23P01') return undefined
    if (code === '23514' && constraint !== undefined) {
      const { rows } = await client.query(
        `select cardinality(conkey) as columns from pg_constraint where conname = $1 and conrelid = $2::regclass`,
        [constraint, table],
      )
      if (!isLiteral || Number(rows[0]?.['columns']) > 1) return undefined
    }
    return message
  } finally {
    await client.query('rollback')
  }
}

/** In every row, if PostgreSQL lets it and none of the views has less to show for it; within a transaction. */
async function tryAll(
  client: Client,
  relation: string,
  column: string,
  value: string | null | undefined,
  views: readonly string[],
): Promise<void> {
  if (value === undefined) return
  const shown = async (): Promise<string> => {
    if (views.length === 0) return ''
    const counts = views.map((view) => `(select count(*) from ${quoted(view)})`)
    return JSON.stringify((await client.query(`select array[${counts.join(', ')}] as shown`)).rows)
  }
  await client.query('savepoint before')
  try {
    const before = await shown()
    await client.query(
      `update ${quoted(relation)} set "${column}" = $1 where "${column}" is ${value === null ? 'not null' : 'null'}`,
      [value],
    )
    if ((await shown()) !== before) await client.query('rollback to savepoint before')
  } catch {
    // A constraint wants it otherwise; the row stays as it was.
    await client.query('rollback to savepoint before')
  }
}

/** Copies a row with nothing but the columns that an insert has to name. */
async function tryLeast(
  client: Client,
  relation: string,
  { insert }: RelationTypes,
): Promise<string | undefined> {
  const table = quoted(relation)
  const named = [...insert].filter(([, { optional }]) => !optional).map(([name]) => `"${name}"`)
  await client.query('begin')
  try {
    await client.query('set local session_replication_role = replica')
    await client.query(
      named.length === 0
        ? `insert into ${table} default values`
        : `insert into ${table} (${named.join(', ')}) select ${named.join(', ')} from ${table} limit 1`,
    )
    return undefined
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    // A second row like the first, and what several columns say together.
    return code === '23505' || code === '23P01' || code === '23514' ? undefined : message
  } finally {
    await client.query('rollback')
  }
}

/** A program that assigns every value that was read to the column's type, for the compiler. */
export function programOf(values: Truth['values']): string {
  const lines = values.map(
    ({ relation, column, expression }) =>
      `take<Read[${JSON.stringify(relation)}][${JSON.stringify(column)}]>(${expression})`,
  )
  return `import type { Selectable } from 'kysely'
import type { DB } from './emitted.js'
type Read = { [K in keyof DB]: Selectable<DB[K]> }
declare function take<T>(value: T): void
type Methods = Record<'toPostgres' | 'toISO' | 'toISOString' | 'toISOStringShort', () => string>
declare function interval<T extends object>(parts: T): T & Methods
${lines.join('\n')}
`
}

function quoted(relation: string): string {
  return relation
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')
}

function dateOf(sample: string | undefined): Date {
  const day = new Date(`${(sample ?? '').slice(0, 10)}T12:30:00Z`)
  return Number.isNaN(day.getTime()) ? new Date('2024-02-29T12:30:00Z') : day
}
