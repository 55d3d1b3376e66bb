import { quoteLiteral } from '../../database/quote.js'
import { nearestName } from '../../errors.js'
import type { Finder, Refusal } from './culprit.js'
import { namesIn } from './statement-parts.js'

const COLUMN =
  /^column (?:(?:"[^"]+"\.)?"([^"]+)"|(?:[^"\s]+\.)?([^"\s]+))(?: of relation "(.+)")? does not exist$/
const THING =
  /^(relation|function|type|schema|role|constraint|trigger|index|table|view|sequence) "?(.+?)"?(?:\(.*\))?(?: of relation "(.+)"| for table "(.+)")? does not exist$/

/** What a name that does not exist may have been meant to be. PostgreSQL's own hint, where it has one, is better. */
export const nearestNames: Finder = async (refusal) => {
  const { error } = refusal
  if (error.fields.hint?.startsWith('Perhaps you meant') === true) return undefined
  if (error.sqlstate === '42703') return nearestColumn(refusal)
  if (!['42P01', '42883', '42704', '3F000'].includes(error.sqlstate)) return undefined
  const [, kind = '', written = ''] = THING.exec(error.message) ?? []
  const source = SOURCES[kind]
  if (source === undefined) return undefined
  const rows = await refusal.look(source)
  const bare = written.split('.').at(-1) ?? written
  // In another schema by the very name, or else one that is spelled nearly so.
  const elsewhere = rows.filter(([name]) => name === bare).map(([, qualified]) => qualified ?? '')
  const nearest = nearestName(bare, [...new Set(rows.map(([name]) => name ?? ''))])
  const meant =
    elsewhere.length > 0
      ? elsewhere
      : rows.filter(([name]) => name === nearest).map(([, qualified]) => qualified ?? '')
  return meant.length === 0
    ? undefined
    : {
        kind: 'nearest-names',
        summary:
          elsewhere.length > 0
            ? `there is ${meant.join(', ')}, which search_path does not reach`
            : `there is ${meant.join(', ')}`,
        examples: [],
      }
}

const NOT_SYSTEM = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`
const relations = `select c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace where ${NOT_SYSTEM} and c.relkind in`
const SOURCES: Readonly<Record<string, string>> = {
  relation: `${relations} ('r','p','v','m','f','S')`,
  table: `${relations} ('r','p','f')`,
  view: `${relations} ('v','m')`,
  sequence: `${relations} ('S')`,
  index: `${relations} ('i','I')`,
  function: `select p.proname, pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where ${NOT_SYSTEM}`,
  type: `select t.typname, pg_catalog.format('%I.%I', n.nspname, t.typname) from pg_catalog.pg_type t
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype in ('b','c','d','e','r','m') and t.typname !~ '^_'
     and (${NOT_SYSTEM} or n.nspname = 'pg_catalog' and t.typtype = 'b')`,
  schema: `select n.nspname, pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_namespace n where ${NOT_SYSTEM}`,
  role: `select r.rolname, pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_roles r where r.rolname !~ '^pg_'`,
  constraint: `select k.conname, k.conrelid::pg_catalog.regclass::text || '.' || pg_catalog.quote_ident(k.conname) from pg_catalog.pg_constraint k
    join pg_catalog.pg_namespace n on n.oid = k.connamespace where ${NOT_SYSTEM} and k.conrelid <> 0`,
  trigger: `select g.tgname, g.tgrelid::pg_catalog.regclass::text || '.' || pg_catalog.quote_ident(g.tgname) from pg_catalog.pg_trigger g
    where not g.tgisinternal`,
}

async function nearestColumn({ error, statement, look }: Refusal): ReturnType<Finder> {
  const match = COLUMN.exec(error.message)
  const column = match?.[1] ?? match?.[2]
  if (column === undefined) return undefined
  const relation = match?.[3]
  const tables =
    relation === undefined ? namesIn(statement) : [quoteRelation(relation), ...namesIn(statement)]
  const rows = await look(
    `select distinct a.attname, a.attrelid::pg_catalog.regclass::text || '.' || pg_catalog.quote_ident(a.attname)
       from unnest(array[${tables.map(quoteLiteral).join(', ')}]) named
       join pg_catalog.pg_attribute a on a.attrelid = pg_catalog.to_regclass(named)
      where a.attnum > 0 and not a.attisdropped order by 2`,
  )
  const nearest = nearestName(column, [...new Set(rows.map(([name]) => name ?? ''))])
  if (nearest === undefined) return undefined
  const meant = rows.filter(([name]) => name === nearest).map(([, qualified]) => qualified ?? '')
  return { kind: 'nearest-names', summary: `there is ${meant.join(', ')}`, examples: [] }
}

function quoteRelation(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** DETAIL lines, one for each object in the way. */
const DEPENDS = /^(.+) depends on (.+)$/
const MOST_DEPENDENTS = 7

/** What stands in the way of a DROP, as a tree: what it is itself is in the way of others. */
export const dependents: Finder = ({ error: { sqlstate, fields } }) => {
  const edges = (fields.detail ?? '').split('\n').flatMap((line) => {
    const [, object, on] = DEPENDS.exec(line) ?? []
    return object === undefined || on === undefined ? [] : [{ object, on }]
  })
  if (sqlstate !== '2BP01' || edges.length === 0) return Promise.resolve(undefined)
  const objects = new Set(edges.map(({ object }) => object))
  const roots = [...new Set(edges.map(({ on }) => on).filter((on) => !objects.has(on)))]
  const lines: string[] = []
  const seen = new Set<string>()
  const walk = (parent: string, depth: number): void => {
    for (const { object, on } of edges) {
      if (on !== parent || seen.has(object)) continue
      seen.add(object)
      lines.push(`${'  '.repeat(depth)}${object}`)
      walk(object, depth + 1)
    }
  }
  for (const root of roots) walk(root, 0)
  const left = lines.length - MOST_DEPENDENTS
  return Promise.resolve({
    kind: 'dependents' as const,
    summary: `${String(lines.length)} ${lines.length === 1 ? 'object depends' : 'objects depend'} on ${roots.join(', ')}`,
    examples: left > 1 ? [...lines.slice(0, MOST_DEPENDENTS), `and ${String(left)} more`] : lines,
  })
}
