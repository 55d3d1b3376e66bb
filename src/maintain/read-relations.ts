import type { Session } from '../database/database.js'
import { nearestName, problem } from '../errors.js'

/** A table or materialized view that can be maintained. Partitions are reached through their parent. */
export interface Relation {
  readonly identity: string
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'partitioned' | 'materialized'
  /** The role of this session may vacuum and reindex it. */
  readonly mine: boolean
  readonly owner: string
  readonly populated: boolean
  /** It has a unique index over whole rows, by which it can be refreshed without locking readers. */
  readonly hasUniqueIndex: boolean
}

export async function readRelations(
  session: Session,
  major: number,
  ledgerSchema: string,
): Promise<readonly Relation[]> {
  const rows = await session.query(
    `select format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, c.relkind,
            pg_has_role(c.relowner, 'USAGE') ${major >= 17 ? `or has_table_privilege(c.oid, 'MAINTAIN')` : ''},
            pg_get_userbyid(c.relowner), c.relispopulated,
            exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate
                       and i.indpred is null and i.indexprs is null)
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'm') and not c.relispartition and c.relpersistence <> 't'
        and n.nspname not in ('pg_catalog', 'information_schema', $1) and n.nspname !~ '^pg_(toast|temp)'
        and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
      order by 1`,
    [ledgerSchema],
  )
  return rows.map(([identity, schema, name, kind, mine, owner, populated, unique]) => ({
    identity: identity ?? '',
    schema: schema ?? '',
    name: name ?? '',
    kind: kind === 'p' ? 'partitioned' : kind === 'm' ? 'materialized' : 'table',
    mine: mine === 't',
    owner: owner ?? '',
    populated: populated === 't',
    hasUniqueIndex: unique === 't',
  }))
}

/** The relation that a configuration or a flag names: "calls", "public.calls". Fails with `maintain.unknown-table`. */
export function relationOf(name: string, relations: readonly Relation[], where: string): Relation {
  const matches = relations.filter(
    (one) => one.identity === name || `${one.schema}.${one.name}` === name || one.name === name,
  )
  const chosen = matches.length > 1 ? matches.find(({ schema }) => schema === 'public') : matches[0]
  if (chosen !== undefined) return chosen
  throw problem('maintain.unknown-table', {
    name,
    where,
    nearest: nearestName(
      name,
      relations.map((one) => (name.includes('.') ? `${one.schema}.${one.name}` : one.name)),
    ),
  })
}
