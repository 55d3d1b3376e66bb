import type { Session } from '../database/database.js'
import { runAlone, type Action, type Context, type Done } from './action.js'
import type { MaintainTask } from './maintain-report.js'
import { withProgress } from './progress.js'
import type { Relation } from './read-relations.js'

/** Statements on one relation that neither move nor remove rows. */
function upkeep(
  task: MaintainTask,
  { identity }: Relation,
  sql: readonly string[],
  notes: readonly string[] = [],
): Action {
  return {
    task,
    object: identity,
    sql,
    notes,
    async run(context: Context): Promise<Done> {
      await withProgress(context, task, identity, () => runAlone(context, sql))
      return { outcome: 'done' }
    },
  }
}

/** VACUUM FULL writes the table anew and locks it meanwhile: only on request. */
export function vacuum(relation: Relation, full: boolean): Action {
  return upkeep('vacuum', relation, [`vacuum (${full ? 'full, ' : ''}analyze) ${relation.identity}`])
}

export function analyze(relation: Relation): Action {
  return upkeep('analyze', relation, [`analyze ${relation.identity}`])
}

/**
 * Rebuilds the indexes of a table while it is in use. What an earlier run left unfinished is dropped first; what is invalid for another
 * reason is rebuilt by itself, because REINDEX TABLE CONCURRENTLY passes it over.
 */
export async function reindex(session: Session, relation: Relation): Promise<Action> {
  const rows = await session.query(
    `select format('%I.%I', n.nspname, c.relname), c.relname ~ '_cc(new|old)\\d*$'
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
      where not (i.indisvalid and i.indisready and i.indislive) and c.relkind = 'i'
        and (i.indrelid in (select relid from pg_partition_tree($1::regclass))
             or i.indrelid in (select oid from pg_class where oid = $1::regclass)
             or i.indrelid in (select reltoastrelid from pg_class where oid = $1::regclass))
      order by 1`,
    [relation.identity],
  )
  const leftovers = rows.flatMap(([name, leftover]) => (leftover === 't' ? [name ?? ''] : []))
  const invalid = rows.flatMap(([name, leftover]) => (leftover === 't' ? [] : [name ?? '']))
  return upkeep(
    'reindex',
    relation,
    [
      ...leftovers.map((name) => `drop index concurrently ${name}`),
      `reindex table concurrently ${relation.identity}`,
      ...invalid.map((name) => `reindex index concurrently ${name}`),
    ],
    leftovers.map((name) => `${name} was left by an interrupted REINDEX CONCURRENTLY`),
  )
}

/** Materialized views, each after those it reads, also through other views. */
export async function inDependencyOrder(
  session: Session,
  views: readonly Relation[],
): Promise<readonly Relation[]> {
  const rows = await session.query(
    `select distinct format('%I.%I', dn.nspname, dc.relname), format('%I.%I', rn.nspname, rc.relname)
       from pg_depend d
       join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
       join pg_class dc on dc.oid = w.ev_class join pg_namespace dn on dn.oid = dc.relnamespace
       join pg_class rc on d.refclassid = 'pg_class'::regclass and rc.oid = d.refobjid join pg_namespace rn on rn.oid = rc.relnamespace
      where dc.oid <> rc.oid and dc.relkind in ('v', 'm') and rc.relkind in ('v', 'm')`,
  )
  const reads = new Map<string, string[]>()
  for (const [view, read] of rows) reads.set(view ?? '', [...(reads.get(view ?? '') ?? []), read ?? ''])
  const order: string[] = []
  const visit = (view: string): void => {
    if (order.includes(view)) return
    for (const read of reads.get(view) ?? []) visit(read)
    order.push(view)
  }
  for (const { identity } of views) visit(identity)
  return [...views].sort((a, b) => order.indexOf(a.identity) - order.indexOf(b.identity))
}

/** CONCURRENTLY lets readers read, and needs a unique index to tell rows by, and rows to compare with. */
export function refresh(view: Relation): Action {
  const concurrently = view.populated && view.hasUniqueIndex
  return upkeep(
    'refresh',
    view,
    [`refresh materialized view ${concurrently ? 'concurrently ' : ''}${view.identity}`],
    concurrently
      ? []
      : [
          view.populated
            ? 'no unique index: it cannot be read while it is refreshed'
            : 'it has never been filled: the first time cannot be concurrent',
        ],
  )
}
