import type { Session } from '../database/database.js'
import { quoteLiteral } from '../database/quote.js'

/** The first thing that a database has of its own, e.g. "table public.loads"; undefined: it is empty. */
export async function firstObjectOf(session: Session): Promise<string | undefined> {
  const own = (catalog: string, oid: string): string =>
    `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
       and not exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`
  const rows = await session.query(
    `(select 'relation ' || format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where ${own('pg_class', 'c.oid')} order by 1 limit 1)
     union all (select 'function ' || format('%I.%I', n.nspname, p.proname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where ${own('pg_proc', 'p.oid')} order by 1 limit 1)
     union all (select 'type ' || format('%I.%I', n.nspname, t.typname) from pg_type t join pg_namespace n on n.oid = t.typnamespace
       where t.typtype in ('e', 'd', 'r') and ${own('pg_type', 't.oid')} order by 1 limit 1)
     union all (select 'schema ' || quote_ident(n.nspname) from pg_namespace n
       where n.nspname not in ('pg_catalog', 'information_schema', 'public') and n.nspname !~ '^pg_'
         and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
       order by 1 limit 1)`,
  )
  return rows[0]?.[0] ?? undefined
}

/** What belongs to a database itself and is in no dump: its owner, its settings, its rights, its limit; as statements for another name. */
export async function readOwnSettings(
  session: Session,
  name: string,
  forName: string,
): Promise<readonly string[]> {
  const to = quoteLiteral(forName)
  const rows = await session.query(
    `select format('alter database %I owner to %I', ${to}::text, pg_get_userbyid(d.datdba)) from pg_database d where d.datname = $1
     union all
     select format('alter database %I connection limit %s', ${to}::text, d.datconnlimit) from pg_database d where d.datname = $1 and d.datconnlimit >= 0
     union all
     select case when s.setrole = 0 then format('alter database %I set %I to %s', ${to}::text, split_part(c, '=', 1), v.value)
                 else format('alter role %I in database %I set %I to %s', pg_get_userbyid(s.setrole), ${to}::text, split_part(c, '=', 1), v.value) end
       from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase cross join unnest(s.setconfig) c
       -- The value of a setting that is a list stands there quoted already.
       cross join lateral (select case when split_part(c, '=', 1) in ('search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries')
                                       then substring(c from position('=' in c) + 1) else quote_literal(substring(c from position('=' in c) + 1)) end) v(value)
      where d.datname = $1
     union all
     (select format('revoke all on database %I from public', ${to}::text) from pg_database d where d.datname = $1 and d.datacl is not null)
     union all
     select format('grant %s on database %I to %s%s', a.privilege_type, ${to}::text,
                   case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
                   case when a.is_grantable then ' with grant option' else '' end)
       from pg_database d cross join lateral aclexplode(d.datacl) a where d.datname = $1 and a.grantee <> d.datdba`,
    [name],
  )
  return rows.map(([statement]) => statement ?? '')
}
