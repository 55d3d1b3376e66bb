import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { quoteIfNeeded, quoteLiteral, quoteQualified } from '../database/quote.js'
import { problem, type DbkitError } from '../errors.js'
import { needsOf, type Need, type Right } from '../plan/needs.js'
import type { Step } from '../plan/plan.js'

/**
 * What the role may not do that a plan needs, each with who could grant it and how, before anything is changed. Only what the catalogs
 * say for certain: where a provider lets ordinary roles create extensions, extensions are left to it. A superuser may do everything.
 */
export async function missingRights(
  session: Session,
  steps: readonly Pick<Step, 'script'>[],
  { ledger, searchPath }: DatabaseConfig,
  { ledgerExists }: { readonly ledgerExists: boolean },
): Promise<readonly DbkitError[]> {
  const [who] = await session.query(
    `select r.rolsuper::pg_catalog.text, pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_roles r
      where r.rolname operator(pg_catalog.=) current_user`,
  )
  const [superuser, role = ''] = who ?? []
  if (superuser !== 'false' || role === null) return []
  const needs: (Omit<Need, 'file' | 'line' | 'column'> & Partial<Need>)[] = [
    ...(ledgerExists
      ? (['insert', 'update', 'delete'] as const).map((privilege) => ({
          what: `write the ledger ${ledger.schema}.${ledger.table}`,
          right: {
            kind: 'privilege',
            privilege,
            relation: quoteQualified(ledger.schema, ledger.table),
          } as const,
        }))
      : [
          {
            what: `create the ledger in schema ${quoteIfNeeded(ledger.schema)}`,
            right: { kind: 'make ledger', schema: ledger.schema } as const,
          },
        ]),
    ...needsOf(steps),
  ]
  if (needs.length === 0) return []
  const rows = await session.script(
    [
      'begin',
      `set local search_path to ${searchPath}`,
      needs.map(({ right }, index) => `(${questionOf(right, String(index))})`).join(' union all '),
      'rollback',
    ].join(';'),
  )
  const told = new Set<string>()
  return rows.flatMap(([index, holder, mend]) => {
    const need = needs[Number(index)]
    if (need === undefined || holder === undefined || holder === null) return []
    const grant = (mend ?? '').replaceAll('‹role›', role)
    // One grant mends all statements that need it.
    if (told.has(grant)) return []
    told.add(grant)
    const { file, line, column } = need
    const location = file === undefined ? undefined : { file, line: line ?? 1, column: column ?? 1 }
    return [problem('plan.missing-right', { role, what: need.what, holder, grant }, { location })]
  })
}

const DATABASE_OWNER = `(select pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.datdba)) from pg_catalog.pg_database d
  where d.datname operator(pg_catalog.=) pg_catalog.current_database())`

/** Since 15 the schema public belongs to whoever owns the database. */
const ownerOf = (column: string): string =>
  `case pg_catalog.pg_get_userbyid(${column}) when 'pg_database_owner' then ${DATABASE_OWNER}
        else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(${column})) end`

/** Providers whose own code decides who creates an extension. */
const PROVIDERS = `('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'alloydbsuperuser', 'supabase_admin', 'neon_superuser', 'tsdbadmin')`

const MAY_CREATE = `pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')`
const GRANT_DATABASE = `pg_catalog.format('grant create on database %I to ‹role›', pg_catalog.current_database())`

function createIn(head: string, schema: string): string {
  return `${head}, ${ownerOf('n.nspowner')}, pg_catalog.format('grant usage, create on schema %I to ‹role›', n.nspname)
    from pg_catalog.pg_namespace n
   where n.nspname operator(pg_catalog.=) ${schema} and not pg_catalog.has_schema_privilege(n.oid, 'CREATE')`
}

/** Not by to_regclass where a schema is named: that fails for who may not look into it. */
function oidOf(relation: string): string {
  const name = quoteLiteral(relation)
  if (!/[^"]\.|"\./.test(relation)) return `pg_catalog.to_regclass(${name})`
  return `(select o.oid from pg_catalog.pg_class o join pg_catalog.pg_namespace s on s.oid operator(pg_catalog.=) o.relnamespace
    where s.nspname operator(pg_catalog.=) (pg_catalog.parse_ident(${name}))[1] and o.relname operator(pg_catalog.=) (pg_catalog.parse_ident(${name}))[2])`
}

/** A query that gives a row (number, who could help, the statement that does) when the right is missing. */
function questionOf(right: Right, number: string): string {
  const head = `select ${number}::pg_catalog.int4`
  switch (right.kind) {
    case 'create in database':
      return `${head}, ${DATABASE_OWNER}, ${GRANT_DATABASE} where not ${MAY_CREATE}`
    case 'create in schema':
      return createIn(
        head,
        right.schema === undefined
          ? 'pg_catalog.current_schema()'
          : `(pg_catalog.parse_ident(${quoteLiteral(right.schema)}))[1]`,
      )
    case 'make ledger': {
      const schema = quoteLiteral(right.schema)
      return `${createIn(head, schema)} union all ${head}, ${DATABASE_OWNER},
          pg_catalog.format('create schema if not exists %1$I; grant usage, create on schema %1$I to ‹role›', ${schema})
         where not ${MAY_CREATE}
           and not exists (select from pg_catalog.pg_namespace n where n.nspname operator(pg_catalog.=) ${schema})`
    }
    case 'own':
      return `${head}, ${ownerOf('c.relowner')}, pg_catalog.format('grant %I to ‹role›', pg_catalog.pg_get_userbyid(c.relowner))
        from pg_catalog.pg_class c where c.oid operator(pg_catalog.=) ${oidOf(right.relation)}
         and not pg_catalog.pg_has_role(c.relowner, 'USAGE')`
    case 'privilege': {
      const { privilege, relation } = right
      const may =
        privilege === 'delete' || privilege === 'truncate'
          ? `pg_catalog.has_table_privilege(c.oid, '${privilege}')`
          : `pg_catalog.has_any_column_privilege(c.oid, '${privilege}')`
      return `${head}, ${ownerOf('c.relowner')}, pg_catalog.format('grant ${privilege} on %I.%I to ‹role›', n.nspname, c.relname)
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
       where c.oid operator(pg_catalog.=) ${oidOf(relation)} and not ${may}`
    }
    case 'create extension': {
      const name = quoteLiteral(right.extension)
      const known = `from pg_catalog.pg_available_extension_versions v join pg_catalog.pg_available_extensions a
           on a.name operator(pg_catalog.=) v.name and a.default_version operator(pg_catalog.=) v.version
        where v.name operator(pg_catalog.=) ${name} and a.installed_version is null
          and not exists (select from pg_catalog.pg_roles r where r.rolname in ${PROVIDERS})`
      return `${head}, case when v.trusted then ${DATABASE_OWNER} else 'a superuser' end,
          case when v.trusted then ${GRANT_DATABASE} else pg_catalog.format('create extension %I', v.name) end
          ${known} and not (v.trusted and ${MAY_CREATE})`
    }
    case 'create role':
      return `${head}, 'a superuser', 'alter role ‹role› createrole'
        from pg_catalog.pg_roles r where r.rolname operator(pg_catalog.=) current_user and not r.rolcreaterole`
  }
}
