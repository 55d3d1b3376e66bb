import { flag, notOfExtension, optional, query, sortedList, text, type RowsOf } from './query.js'
import { address, type Registry } from './registry.js'

/** Row filters, column lists and schemas came with 15, generated columns with 18. */
export const publicationsQuery = (major: number) =>
  query(
    {
      oid: 'p.oid',
      name: 'p.pubname',
      owner: 'pg_get_userbyid(p.pubowner)',
      allTables: 'p.puballtables',
      insert: 'p.pubinsert',
      update: 'p.pubupdate',
      delete: 'p.pubdelete',
      truncate: 'p.pubtruncate',
      viaRoot: 'p.pubviaroot',
      generated: `to_jsonb(p) ->> 'pubgencols'`,
      tables: `(select json_agg(r.prrelid::regclass::text${
        major >= 15
          ? ` || coalesce(' (' || (select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                from unnest(r.prattrs) c(number) join pg_attribute a on a.attrelid = r.prrelid and a.attnum = c.number) || ')', '')
              || coalesce(' where (' || pg_get_expr(r.prqual, r.prrelid) || ')', '')`
          : ''
      }) from pg_publication_rel r where r.prpubid = p.oid)`,
      schemas:
        major >= 15
          ? `(select json_agg(quote_ident(x.nspname)) from pg_publication_namespace s
                join pg_namespace x on x.oid = s.pnnspid where s.pnpubid = p.oid)`
          : 'null',
    },
    `from pg_publication p where ${notOfExtension('pg_publication', 'p.oid')}`,
  )

export function addPublications(
  registry: Registry,
  rows: RowsOf<ReturnType<typeof publicationsQuery>>,
): void {
  for (const row of rows)
    registry.add(
      'publication',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          allTables: flag(row.allTables),
          publishes: (['insert', 'update', 'delete', 'truncate'] as const).filter((what) => flag(row[what])),
          viaPartitionRoot: flag(row.viaRoot),
          generatedColumns: row.generated === 's' ? 'stored' : undefined,
          tables: sortedList(row.tables),
          schemas: sortedList(row.schemas),
        },
      },
      address('pg_publication', row.oid),
    )
}

export const SUBSCRIPTIONS = query(
  {
    oid: 's.oid',
    name: 's.subname',
    owner: 'pg_get_userbyid(s.subowner)',
    enabled: 's.subenabled',
    slotName: 's.subslotname',
    publications: 'array_to_json(s.subpublications)',
  },
  `from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()`,
)

export function addSubscriptions(registry: Registry, rows: RowsOf<typeof SUBSCRIPTIONS>): void {
  for (const row of rows)
    registry.add(
      'subscription',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          enabled: flag(row.enabled),
          publications: sortedList(row.publications),
          slotName: optional(row.slotName),
        },
      },
      address('pg_subscription', row.oid),
    )
}
