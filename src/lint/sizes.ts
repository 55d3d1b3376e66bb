import { readFileSync } from 'node:fs'
import type { Session } from '../database/database.js'
import { fileProblem, problem } from '../errors.js'

/** How large the tables of production are, by "schema.name" as people write it. */
export type Sizes = ReadonlyMap<string, TableSize>

export interface TableSize {
  /** With indexes and long values; of a partitioned table, all of its partitions. */
  readonly bytes: number
  /** As ANALYZE estimated it; absent where it never ran. */
  readonly rows?: number
}

/** Reads the sizes from a running server, which is not changed. */
export async function readSizes(session: Session): Promise<Sizes> {
  await session.script('begin read only;set local search_path to pg_catalog')
  const rows = await session.query(`
select format('%I.%I', n.nspname, c.relname), sum(pg_total_relation_size(t.relid))::int8::text,
       sum(greatest(p.reltuples, 0))::int8::text, bool_or(p.reltuples >= 0)::text
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select relid::oid from pg_partition_tree(c.oid) where c.relkind = 'p'
                      union select c.oid) as t(relid)
  join pg_class p on p.oid = t.relid
 where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 group by 1`)
  await session.script('rollback')
  return new Map(
    rows.map(([name, bytes, number, known]) => [
      name ?? '',
      { bytes: Number(bytes), ...(known === 'true' ? { rows: Number(number) } : {}) },
    ]),
  )
}

/** Reads { "public.loads": { "bytes": 51539607552, "rows": 120000000 } } from a file. */
export function readSizesFile(path: string): Sizes {
  const bad = (expected: string): Error =>
    problem('request.bad-option', { option: '--stats', value: path, expected })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileProblem(error) ?? error
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw bad('a postgresql:// URL or a JSON file')
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw bad('a JSON object: { "schema.table": { "bytes": 123, "rows": 456 } }')
  return new Map(
    Object.entries(content).map(([name, size]) => {
      const { bytes, rows } = (size ?? {}) as { bytes?: unknown; rows?: unknown }
      if (
        typeof bytes !== 'number' ||
        bytes < 0 ||
        (rows !== undefined && rows !== null && typeof rows !== 'number')
      )
        throw bad(`{ "bytes": 123, "rows": 456 } for ${name}`)
      return [name, { bytes, ...(typeof rows === 'number' ? { rows } : {}) }] as const
    }),
  )
}
