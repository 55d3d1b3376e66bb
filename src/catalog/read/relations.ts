import type { LedgerPlace } from '../../database/ledger.js'
import { MAINTENANCE_SUFFIX } from '../../database/quote.js'
import { canonicalView } from '../view-definition.js'
import {
  flag,
  inUserSchema,
  list,
  notOfExtension,
  optional,
  query,
  sortedList,
  text,
  word,
  type RowOf,
  type RowsOf,
} from './query.js'
import { address, qualified, type Address, type Registry } from './registry.js'

/** Tables, views, materialized views and foreign tables. */
export const RELATIONS = query(
  {
    oid: 'c.oid',
    kind: 'c.relkind',
    schema: 'n.nspname',
    name: 'c.relname',
    owner: 'pg_get_userbyid(c.relowner)',
    persistence: 'c.relpersistence',
    accessMethod: 'am.amname',
    tablespace: 's.spcname',
    options: 'array_to_json(c.reloptions)',
    toastOptions: 'array_to_json(t.reloptions)',
    replicaIdentity: 'c.relreplident',
    rowSecurity: 'c.relrowsecurity',
    forceRowSecurity: 'c.relforcerowsecurity',
    partition: 'c.relispartition',
    parents:
      '(select json_agg(i.inhparent::text order by i.inhseqno) from pg_inherits i where i.inhrelid = c.oid)',
    partitionBy: `case c.relkind when 'p' then pg_get_partkeydef(c.oid) end`,
    partitionBound: 'case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end',
    ofType: 'case when c.reloftype <> 0 then format_type(c.reloftype, null) end',
    definition: `case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end`,
    populated: 'c.relispopulated',
    server: 'f.srvname',
    foreignOptions: 'array_to_json(ft.ftoptions)',
  },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace
   left join pg_class t on t.oid = c.reltoastrelid
   left join pg_am am on am.oid = c.relam
   left join pg_tablespace s on s.oid = c.reltablespace
   left join pg_foreign_table ft on ft.ftrelid = c.oid
   left join pg_foreign_server f on f.oid = ft.ftserver
   where c.relkind in ('r', 'p', 'f', 'v', 'm') and ${inUserSchema()} and ${notOfExtension('pg_class', 'c.oid')}`,
)

const KINDS = {
  r: 'table',
  p: 'table',
  f: 'foreign table',
  v: 'view',
  m: 'materialized view',
} as const

export const PERSISTENCE = { p: 'permanent', u: 'unlogged' } as const

/** The ledger, and the table of maintenance beside it. */
function isOfDbkit(
  { schema, name }: { readonly schema: string | null; readonly name: string | null },
  ledger: LedgerPlace | undefined,
): boolean {
  return (
    ledger !== undefined &&
    schema === ledger.schema &&
    [ledger.table, `${ledger.table}${MAINTENANCE_SUFFIX}`, `${ledger.table}_repeatable`].includes(name ?? '')
  )
}

export function addRelations(
  registry: Registry,
  rows: RowsOf<typeof RELATIONS>,
  ledger: LedgerPlace | undefined,
  leaveOut: readonly LedgerPlace[] = [],
): void {
  const isLeftOut = ({ schema, name }: { schema: string | null; name: string | null }): boolean =>
    leaveOut.some((place) => place.schema === schema && place.table === name)
  const identities = new Map(rows.map((row) => [text(row.oid), qualified(text(row.schema), text(row.name))]))
  for (const row of rows) {
    const object = address('pg_class', row.oid)
    if (isOfDbkit(row, ledger) || isLeftOut(row)) registry.leaveOut(object)
    else addRelation(registry, row, object, identities)
  }
}

function addRelation(
  registry: Registry,
  row: RowOf<typeof RELATIONS>,
  object: Address,
  identities: ReadonlyMap<string, string>,
): void {
  const base = {
    identity: qualified(text(row.schema), text(row.name)),
    schema: text(row.schema),
    name: text(row.name),
    parent: undefined,
  }
  const owner = registry.ownerName(row.owner)
  const options = sortedList(row.options)
  const toastOptions = sortedList(row.toastOptions)
  const place = {
    // What a table gets when nobody names a method.
    accessMethod: row.accessMethod === 'heap' ? undefined : optional(row.accessMethod),
    tablespace: optional(row.tablespace),
  }
  const parents = list(row.parents).map((oid) => identities.get(oid) ?? oid)
  const descent = {
    inherits: flag(row.partition) ? [] : parents,
    partitionOf: flag(row.partition) ? parents[0] : undefined,
    partitionBound: optional(row.partitionBound),
  }
  switch (word(KINDS, row.kind)) {
    case 'table':
      registry.add(
        'table',
        {
          ...base,
          properties: {
            owner,
            persistence: word(PERSISTENCE, row.persistence),
            ...place,
            options,
            toastOptions,
            replicaIdentity: word({ d: 'default', n: 'nothing', f: 'full', i: 'index' }, row.replicaIdentity),
            rowSecurity: flag(row.rowSecurity),
            forceRowSecurity: flag(row.forceRowSecurity),
            ...descent,
            partitionBy: optional(row.partitionBy),
            ofType: optional(row.ofType),
          },
        },
        object,
      )
      break
    case 'foreign table':
      registry.add(
        'foreign table',
        {
          ...base,
          properties: {
            owner,
            server: text(row.server),
            options: sortedList(row.foreignOptions),
            ...descent,
          },
        },
        object,
      )
      break
    case 'view':
      registry.add(
        'view',
        {
          ...base,
          properties: { owner, definition: canonicalView(text(row.definition), registry.major), options },
        },
        object,
      )
      break
    case 'materialized view':
      registry.add(
        'materialized view',
        {
          ...base,
          properties: {
            owner,
            definition: canonicalView(text(row.definition), registry.major),
            options,
            toastOptions,
            ...place,
            extensions: registry.extensionsOf(object),
          },
          details: { populated: flag(row.populated) },
        },
        object,
      )
      break
  }
}
