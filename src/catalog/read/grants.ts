import type { FactProperties } from '../catalog.js'
import { quoteIfNeeded } from '../../database/quote.js'
import {
  flag,
  FIRST_USER_OID,
  inUserSchema,
  optional,
  query,
  text,
  type RowOf,
  type RowsOf,
} from './query.js'
import { address, within, type Registry } from './registry.js'

/** pg_dump, too, keeps what was granted in pg_catalog, and nothing of what lives beside it. */
const USER_OR_CATALOG = (namespace: string): string =>
  `${namespace} in (select n.oid from pg_namespace n where n.nspname = 'pg_catalog' or (${inUserSchema()}))`

/**
 * Every right as it is held, and (`given`) as PostgreSQL gives it: what initdb or an extension's script granted is as given as what
 * the owner has from the start. Objects whose rights nobody touched have no row.
 */
export const GRANTS = query(
  {
    catalog: 'h.catalog::regclass::text',
    oid: 'h.oid',
    part: 'h.part',
    foreignKind: `case when h.oid < ${FIRST_USER_OID} or p.initprivs is not null then
        (pg_identify_object(h.catalog, h.oid, 0)).type end`,
    foreignIdentity: `case when h.oid < ${FIRST_USER_OID} or p.initprivs is not null then
        (pg_identify_object(h.catalog, h.oid, 0)).identity end`,
    column: `case when h.part > 0 then (select a.attname from pg_attribute a
        where a.attrelid = h.oid and a.attnum = h.part) end`,
    owner: 'pg_get_userbyid(h.owner)',
    given: 'x.given',
    grantor: 'pg_get_userbyid(x.grantor)',
    grantee: `case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end`,
    privilege: 'lower(x.privilege_type)',
    grantable: 'x.is_grantable',
  },
  `from (
     select 'pg_class'::regclass, c.oid, 0, case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner, c.relacl
       from pg_class c where c.relacl is not null and ${USER_OR_CATALOG('c.relnamespace')}
     union all
     select 'pg_class'::regclass, a.attrelid, a.attnum, 'c', c.relowner, a.attacl
       from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attacl is not null and not a.attisdropped
     union all select 'pg_proc'::regclass, oid, 0, 'f', proowner, proacl from pg_proc
       where proacl is not null and ${USER_OR_CATALOG('pronamespace')}
     union all select 'pg_type'::regclass, oid, 0, 'T', typowner, typacl from pg_type
       where typacl is not null and ${USER_OR_CATALOG('typnamespace')}
     union all select 'pg_namespace'::regclass, oid, 0, 'n', nspowner, nspacl from pg_namespace
       where nspacl is not null and ${USER_OR_CATALOG('oid')}
     union all select 'pg_language'::regclass, oid, 0, 'l', lanowner, lanacl from pg_language where lanacl is not null
     union all select 'pg_foreign_data_wrapper'::regclass, oid, 0, 'F', fdwowner, fdwacl
       from pg_foreign_data_wrapper where fdwacl is not null
     union all select 'pg_foreign_server'::regclass, oid, 0, 'S', srvowner, srvacl
       from pg_foreign_server where srvacl is not null
   ) h(catalog, oid, part, code, owner, acl)
   left join pg_init_privs p on p.classoid = h.catalog and p.objoid = h.oid and p.objsubid = h.part
   cross join lateral (
     select false, * from aclexplode(h.acl)
     union all
     select true, * from aclexplode(coalesce(
       case when h.catalog = 'pg_namespace'::regclass and h.oid = to_regnamespace('public') then (
         select array_agg(makeaclitem(
             case u.grantee when u.grantor then h.owner else u.grantee end, h.owner, u.privilege_type, u.is_grantable))
           from aclexplode(p.initprivs) u) end,
       p.initprivs, acldefault(h.code, h.owner)))
   ) x(given, grantor, grantee, privilege_type, is_grantable)
   where p.initprivs is null or p.initprivs <> h.acl`,
)

type GrantRow = RowOf<typeof GRANTS>

/** What GRANT ... ON calls a kind of object, where it is not what DROP calls it. */
const ON: Readonly<Record<string, string>> = {
  'materialized view': 'table',
  'foreign table': 'table',
  view: 'table',
  aggregate: 'function',
  server: 'foreign server',
}

/** All there is to grant on a kind of object; written as one word, because 17 added one more. */
const ALL: Readonly<Record<string, readonly string[]>> = {
  table: ['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'],
  column: ['select', 'insert', 'update', 'references'],
  sequence: ['select', 'update', 'usage'],
  schema: ['create', 'usage'],
}

export function addGrants(registry: Registry, rows: RowsOf<typeof GRANTS>): void {
  const holders = new Map<string, GrantRow[]>()
  for (const row of rows) {
    const holder = [row.catalog, row.oid, row.part, row.grantee, row.grantor].join(' ')
    const known = holders.get(holder)
    if (known === undefined) holders.set(holder, [row])
    else known.push(row)
  }
  for (const held of holders.values()) addGrant(registry, held)
}

function addGrant(registry: Registry, rows: readonly GrantRow[]): void {
  const [row] = rows
  if (row === undefined) return
  const whole = address(text(row.catalog), row.oid)
  const object = address(text(row.catalog), row.oid, row.part)
  if (registry.isLeftOut(whole)) return
  const fact = registry.find(whole)
  const kind = fact?.kind ?? row.foreignKind
  // Temporary, or left out with the schema it lives in.
  if (kind === null) return
  const on = ON[kind] ?? kind
  const column = optional(row.column)
  const scope = column === undefined ? on : 'column'
  const now = held(rows, false, scope, registry.major)
  if (same(now, held(rows, true, scope, registry.major))) return
  const onIdentity = fact?.identity ?? text(row.foreignIdentity)
  const grantor = row.grantor === row.owner ? undefined : quoteIfNeeded(text(row.grantor))
  const grantee = text(row.grantee)
  const what = column === undefined ? `${kind} ${onIdentity}` : `column ${within(onIdentity, column)}`
  registry.add(
    'grant',
    {
      identity: `on ${what} to ${grantee}${grantor === undefined ? '' : ` by ${grantor}`}`,
      schema: fact?.schema,
      name: grantee,
      parent: registry.keyOf(object),
      properties: now,
      details: { on, onIdentity, column, grantee, grantor },
    },
    undefined,
  )
}

function held(
  rows: readonly GrantRow[],
  given: boolean,
  scope: string,
  major: number,
): FactProperties['grant'] {
  const these = rows.filter((row) => flag(row.given) === given)
  const names = (list: readonly GrantRow[]): readonly string[] =>
    collapse(list.map((row) => text(row.privilege)).sort(), scope, major)
  return { privileges: names(these), grantable: names(these.filter((row) => flag(row.grantable))) }
}

function collapse(privileges: readonly string[], scope: string, major: number): readonly string[] {
  const all = ALL[scope]
  if (all === undefined) return privileges
  const whole = scope === 'table' && major >= 17 ? [...all, 'maintain'] : all
  return whole.every((privilege) => privileges.includes(privilege)) ? ['all'] : privileges
}

function same(a: FactProperties['grant'], b: FactProperties['grant']): boolean {
  return a.privileges.join() === b.privileges.join() && a.grantable.join() === b.grantable.join()
}

/** In a schema they come on top of what is given, elsewhere they take its place. */
export const DEFAULT_PRIVILEGES = query(
  {
    oid: 'd.oid',
    role: 'pg_get_userbyid(d.defaclrole)',
    schema: 'n.nspname',
    schemaOid: 'n.oid',
    on: `case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
        when 'T' then 'types' when 'n' then 'schemas' when 'L' then 'large objects' end`,
    given: 'x.given',
    grantee: `case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end`,
    privilege: 'lower(x.privilege_type)',
    grantable: 'x.is_grantable',
  },
  `from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
   cross join lateral (
     select false, * from aclexplode(d.defaclacl)
     union all
     select true, * from aclexplode(case d.defaclnamespace when 0 then
       acldefault(case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole) end)
   ) x(given, grantor, grantee, privilege_type, is_grantable)`,
)

export function addDefaultPrivileges(registry: Registry, rows: RowsOf<typeof DEFAULT_PRIVILEGES>): void {
  const holders = new Map<string, RowOf<typeof DEFAULT_PRIVILEGES>[]>()
  for (const row of rows) {
    const holder = `${text(row.oid)} ${text(row.grantee)}`
    const known = holders.get(holder)
    if (known === undefined) holders.set(holder, [row])
    else known.push(row)
  }
  for (const of of holders.values()) {
    const [row] = of
    if (row === undefined) continue
    const on = text(row.on)
    const read = (given: boolean): FactProperties['grant'] => {
      const these = of.filter((one) => flag(one.given) === given)
      const names = (list: typeof these): readonly string[] =>
        collapse(list.map((one) => text(one.privilege)).sort(), on.slice(0, -1), registry.major)
      return { privileges: names(these), grantable: names(these.filter((one) => flag(one.grantable))) }
    }
    const now = read(false)
    const role = registry.ownerName(row.role)
    const inSchema = optional(row.schema)
    const object = address('pg_default_acl', row.oid)
    const parent = row.schema === null ? undefined : registry.keyOf(address('pg_namespace', row.schemaOid))
    if (same(now, read(true))) {
      registry.leaveOut(object)
      continue
    }
    const identity = [
      ...(role === undefined ? [] : [`for role ${quoteIfNeeded(role)}`]),
      ...(inSchema === undefined ? [] : [`in schema ${quoteIfNeeded(inSchema)}`]),
      `on ${on} to ${text(row.grantee)}`,
    ].join(' ')
    const { key } = registry.add(
      'default privileges',
      {
        identity,
        schema: inSchema,
        name: text(row.grantee),
        parent,
        properties: now,
        details: { role, inSchema, on, grantee: text(row.grantee) },
      },
      undefined,
    )
    registry.partOf(object, key)
  }
}
