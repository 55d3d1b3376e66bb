import type { FactProperties } from '../catalog.js'
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
  type Named,
  type RowOf,
  type RowsOf,
} from './query.js'
import { address, qualified, within, type Registry } from './registry.js'

/** Of tables and domains. NOT NULL is read with its column or domain, and a constraint trigger with the triggers. */
export const constraintsQuery = (major: number) =>
  query(
    {
      oid: 'k.oid',
      name: 'k.conname',
      type: 'k.contype',
      relation: 'k.conrelid',
      domain: 'k.contypid',
      definition: 'pg_get_constraintdef(k.oid)',
      deferrable: 'k.condeferrable',
      deferred: 'k.condeferred',
      validated: 'k.convalidated',
      enforced: major >= 18 ? 'k.conenforced' : `'t'`,
      noInherit: `k.connoinherit and k.contype = 'c'`,
      local: 'k.conislocal',
      inherited: 'k.coninhcount > 0',
      parent: 'nullif(k.conparentid, 0)',
      index: 'nullif(k.conindid, 0)',
      columns: 'array_to_json(k.conkey)',
      referenced: 'nullif(k.confrelid, 0)',
      referencedColumns: 'array_to_json(k.confkey)',
      partition: 'coalesce(c.relispartition, false)',
    },
    `from pg_constraint k join pg_namespace n on n.oid = k.connamespace
     left join pg_class c on c.oid = k.conrelid
     where (k.contype in ('p', 'u', 'f', 'c', 'x') or k.contypid <> 0) and ${inUserSchema()}`,
  )

type ConstraintRow = RowOf<ReturnType<typeof constraintsQuery>>

const TYPES = {
  p: 'primary key',
  u: 'unique',
  f: 'foreign key',
  c: 'check',
  x: 'exclude',
}

export function addConstraints(registry: Registry, rows: RowsOf<ReturnType<typeof constraintsQuery>>): void {
  const identities = new Map<string, string>()
  for (const row of rows) {
    const whole = wholeOf(registry, row)
    if (whole !== undefined) identities.set(text(row.oid), within(whole.identity, text(row.name)))
  }
  for (const row of rows) {
    const whole = wholeOf(registry, row)
    if (whole === undefined) continue
    const object = address('pg_constraint', row.oid)
    if (isDerived(row)) {
      registry.followsInto(object, whole.key)
      continue
    }
    registry.add(
      'constraint',
      {
        identity: within(whole.identity, text(row.name)),
        schema: whole.schema,
        name: text(row.name),
        parent: whole.key,
        properties: propertiesOf(row, identities),
        details: {
          columns: columnNames(registry, row.relation, row.columns),
          references:
            row.referenced === null
              ? undefined
              : {
                  table: registry.find(address('pg_class', row.referenced))?.identity ?? row.referenced,
                  columns: columnNames(registry, row.referenced, row.referencedColumns),
                },
          // PostgreSQL keeps the two names the same.
          index: 'pux'.includes(text(row.type))
            ? `index ${qualified(whole.schema ?? '', text(row.name))}`
            : undefined,
        },
      },
      object,
    )
  }
}

function wholeOf(registry: Registry, { relation, domain }: ConstraintRow) {
  return registry.find(relation === '0' ? address('pg_type', domain) : address('pg_class', relation))
}

/**
 * What comes from a parent table follows from that table's own constraint. Keys of partitions do not: they have an index with a name
 * of its own, which is attached to the parent's.
 */
function isDerived(row: ConstraintRow): boolean {
  if (row.type === 'n') return true
  if (row.type === 'p' || row.type === 'u' || row.type === 'x') return false
  if (row.type === 'f') return row.parent !== null
  return flag(row.partition) ? flag(row.inherited) : !flag(row.local)
}

function propertiesOf(
  row: ConstraintRow,
  identities: ReadonlyMap<string, string>,
): FactProperties['constraint'] {
  return {
    type: word(TYPES, row.type) as FactProperties['constraint']['type'],
    definition: withoutSuffixes(text(row.definition)),
    deferrable: flag(row.deferrable),
    deferred: flag(row.deferred),
    validated: flag(row.validated),
    enforced: flag(row.enforced),
    noInherit: flag(row.noInherit),
    partitionOf: row.parent === null ? undefined : identities.get(row.parent),
  }
}

/** What pg_get_constraintdef puts behind the definition proper; each of it is a property. */
function withoutSuffixes(definition: string): string {
  return definition.replace(
    /(?: NO INHERIT)?(?: DEFERRABLE)?(?: INITIALLY DEFERRED)?(?: NOT ENFORCED)?(?: NOT VALID)?$/,
    '',
  )
}

function columnNames(registry: Registry, relation: string | null, numbers: string | null): readonly string[] {
  if (numbers === null || relation === null) return []
  return (JSON.parse(numbers) as readonly number[]).map(
    (number) => registry.find(address('pg_class', relation, number))?.name ?? '',
  )
}

/** Every index, also those behind a constraint. */
export const INDEXES = query(
  {
    oid: 'i.indexrelid',
    table: 'i.indrelid',
    schema: 'n.nspname',
    name: 'c.relname',
    definition: 'pg_get_indexdef(i.indexrelid)',
    valid: 'i.indisvalid',
    clustered: 'i.indisclustered',
    replicaIdentity: 'i.indisreplident',
    unique: 'i.indisunique',
    primary: 'i.indisprimary',
    columns: 'array_to_json(i.indkey::int2[])',
    keyColumns: 'i.indnkeyatts',
    partial: 'i.indpred is not null',
    method: 'am.amname',
    options: 'array_to_json(c.reloptions)',
    tablespace: 's.spcname',
    statistics: `case when i.indexprs is not null then (
        select json_agg(a.attnum || '=' || a.attstattarget order by a.attnum) from pg_attribute a
         where a.attrelid = i.indexrelid and a.attstattarget >= 0) end`,
    parent:
      'case when c.relispartition then (select h.inhparent from pg_inherits h where h.inhrelid = c.oid) end',
    constraint: 'k.oid',
  },
  `from pg_index i join pg_class c on c.oid = i.indexrelid
   join pg_namespace n on n.oid = c.relnamespace
   join pg_am am on am.oid = c.relam
   left join pg_tablespace s on s.oid = c.reltablespace
   left join pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') and k.conrelid = i.indrelid
   where ${inUserSchema()} and ${notOfExtension('pg_class', 'i.indrelid')}`,
)

export function addIndexes(registry: Registry, rows: RowsOf<typeof INDEXES>): void {
  const identities = new Map(rows.map((row) => [text(row.oid), qualified(text(row.schema), text(row.name))]))
  for (const row of rows) {
    const table = registry.find(address('pg_class', row.table))
    if (table === undefined) continue
    const constraint =
      row.constraint === null ? undefined : registry.keyOf(address('pg_constraint', row.constraint))
    const object = address('pg_class', row.oid)
    registry.add(
      'index',
      {
        identity: qualified(text(row.schema), text(row.name)),
        schema: text(row.schema),
        name: text(row.name),
        parent: constraint ?? table.key,
        properties: {
          definition: text(row.definition),
          valid: flag(row.valid),
          clustered: flag(row.clustered),
          replicaIdentity: flag(row.replicaIdentity),
          statistics: list(row.statistics),
          tablespace: optional(row.tablespace),
          partitionOf: row.parent === null ? undefined : identities.get(row.parent),
          extensions: registry.extensionsOf(object),
        },
        details: {
          unique: flag(row.unique),
          primary: flag(row.primary),
          method: text(row.method),
          columns: indexColumns(registry, row),
          keyColumns: Number(row.keyColumns),
          partial: flag(row.partial),
          options: sortedList(row.options),
        },
      },
      object,
    )
  }
}

/** Column number 0 is an expression. */
function indexColumns(
  registry: Registry,
  { table, columns }: Named<'table' | 'columns'>,
): readonly (string | undefined)[] {
  return (JSON.parse(columns ?? '[]') as readonly number[]).map((number) =>
    number === 0 ? undefined : registry.find(address('pg_class', table, number))?.name,
  )
}
