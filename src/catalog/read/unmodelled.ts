import type { Session } from '../../database/database.js'
import type { Unmodelled } from '../catalog.js'
import type { CATALOGS, Dependencies } from './dependencies.js'
import type { COMMENTS } from './known.js'
import { FIRST_USER_OID, inUserSchema, query, text, type RowsOf } from './query.js'
import { address, type Registry } from './registry.js'

/** Temporary tables, of any session: they and what belongs to them are not the schema's. */
export const TEMPORARY = query(
  { oid: 'c.oid' },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname ~ '^pg_temp'`,
)

export const SECURITY_LABELS = query(
  { kind: `'security label on ' || i.type`, identity: 'i.identity' },
  `from pg_seclabel l cross join lateral pg_identify_object(l.classoid, l.objoid, l.objsubid) i
   where l.objoid >= ${FIRST_USER_OID}`,
)

/** Parts that have no life of their own (labels of an enum, defaults of columns), and large objects, which are data. */
const NOT_LOOKED_AT = new Set(['pg_attrdef', 'pg_enum', 'pg_largeobject_metadata'])

/** What makes it quicker, or is PostgreSQL's own although it may have been made later. */
const ONLY: Readonly<Record<string, string>> = {
  pg_class: `and relnamespace <> 'pg_toast'::regnamespace`,
  pg_namespace: `and ${inUserSchema('pg_namespace')}`,
  pg_extension: `and extname <> 'plpgsql'`,
  pg_trigger: 'and not tgisinternal',
  pg_type: `and typtype <> 'm' and (typrelid = 0 or exists (
      select from pg_class c where c.oid = typrelid and c.relkind = 'c'))
    and not exists (select from pg_type e where e.typarray = pg_type.oid)`,
}

/**
 * Everything that has a number of its own, in any system catalog this server has, and is neither a fact nor a part of one: found by
 * counting through, not by a list of what is known to be missing. Comments, too, that stand on no fact.
 */
export async function readUnmodelled(
  session: Session,
  registry: Registry,
  dependencies: Dependencies,
  comments: RowsOf<typeof COMMENTS>,
  catalogs: RowsOf<typeof CATALOGS>,
): Promise<readonly Unmodelled[]> {
  const objects = (await session.query(everythingSql(catalogs)))
    .map(([catalog = null, oid = null]) => ({ catalog: text(catalog), oid: text(oid), part: '0' }))
    .filter(({ catalog, oid }) => !dependencies.isAccountedFor(address(catalog, oid), registry))
  const remarks = comments
    .map((row) => ({ catalog: text(row.catalog), oid: text(row.oid), part: text(row.part) }))
    .filter(
      ({ catalog, oid, part }) =>
        catalog !== 'pg_largeobject' &&
        !registry.isFact(address(catalog, oid, part)) &&
        !dependencies.isLeftOut(address(catalog, oid), registry),
    )
  return [
    ...(await identify(session, objects)),
    ...(await identify(session, remarks)).map(({ kind, identity }) => ({
      kind: `comment on ${kind}`,
      identity,
    })),
  ]
}

function everythingSql(catalogs: RowsOf<typeof CATALOGS>): string {
  return catalogs
    .map((row) => text(row.name))
    .filter((name) => !NOT_LOOKED_AT.has(name))
    .map(
      (name) =>
        `select '${name}', oid::text from ${name} where oid >= ${FIRST_USER_OID} ${ONLY[name] ?? ''} and not exists (
           select from pg_depend e where e.classid = '${name}'::regclass and e.objid = ${name}.oid and e.deptype = 'e')`,
    )
    .join(' union all ')
}

async function identify(
  session: Session,
  objects: readonly { readonly catalog: string; readonly oid: string; readonly part: string }[],
): Promise<readonly Unmodelled[]> {
  if (objects.length === 0) return []
  const values = objects.map(({ catalog, oid, part }) => `('${catalog}'::regclass, ${oid}::oid, ${part})`)
  const rows = await session.query(
    `select i.type, i.identity from (values ${values.join(', ')}) o(catalog, oid, part)
     cross join lateral pg_identify_object(o.catalog, o.oid, o.part) i order by 1, 2`,
  )
  return rows.map(([kind = null, identity = null]) => ({ kind: text(kind), identity: text(identity) }))
}
