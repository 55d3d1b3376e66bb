import type { TypeRef } from '../catalog.js'
import {
  flag,
  inUserSchema,
  notOfExtension,
  optional,
  query,
  sortedList,
  text,
  word,
  type RowOf,
  type RowsOf,
} from './query.js'
import { address, within, type Registry } from './registry.js'

/** From 18 on, NOT NULL is a constraint with a name and options of its own. */
export const columnsQuery = (major: number) =>
  query(
    {
      relation: 'a.attrelid',
      number: 'a.attnum',
      name: 'a.attname',
      type: 'format_type(a.atttypid, a.atttypmod)',
      ...typeRefSelect('t', 'e', 'tn', 'en'),
      notNull: 'a.attnotnull',
      identity: 'a.attidentity',
      generated: 'a.attgenerated',
      defaultOid: 'd.oid',
      expression: 'pg_get_expr(d.adbin, d.adrelid)',
      collation: 'case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end',
      storage: 'case when a.attstorage <> t.typstorage then a.attstorage end',
      compression: `nullif(a.attcompression, '')`,
      statistics: 'nullif(a.attstattarget, -1)',
      options: 'array_to_json(a.attoptions)',
      foreignOptions: 'array_to_json(a.attfdwoptions)',
      local: 'a.attislocal',
      inherited: 'a.attinhcount > 0',
      notNullOid: major >= 18 ? 'k.oid' : 'null',
      notNullName: major >= 18 ? 'k.conname' : 'null',
      notNullNoInherit: major >= 18 ? 'k.connoinherit' : 'null',
      notNullValid: major >= 18 ? 'k.convalidated' : 'null',
    },
    `from pg_attribute a
     join pg_class c on c.oid = a.attrelid
     join pg_namespace n on n.oid = c.relnamespace
     ${typeRefJoin('a.atttypid', 't', 'e', 'tn', 'en')}
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     ${major >= 18 ? `left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'n' and k.conkey[1] = a.attnum` : ''}
     where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
       and ${inUserSchema()} and ${notOfExtension('pg_class', 'c.oid')}
     order by a.attrelid, a.attnum`,
  )

/** Select list and joins for a TypeRef; an array type shows its element. Aliases: type, element, and the schema of each. */
export function typeRefSelect(t: string, e: string, tn: string, en: string) {
  return {
    typeSchema: `coalesce(${en}.nspname, ${tn}.nspname)`,
    typeName: `coalesce(${e}.typname, ${t}.typname)`,
    typeArray: `${e}.oid is not null`,
  }
}

export function typeRefJoin(oid: string, t: string, e: string, tn: string, en: string): string {
  return `join pg_type ${t} on ${t}.oid = ${oid}
     join pg_namespace ${tn} on ${tn}.oid = ${t}.typnamespace
     left join pg_type ${e} on ${e}.oid = ${t}.typelem and ${e}.typarray = ${t}.oid
     left join pg_namespace ${en} on ${en}.oid = ${e}.typnamespace`
}

export function typeRefOf(row: {
  readonly typeSchema: string | null
  readonly typeName: string | null
  readonly typeArray: string | null
}): TypeRef {
  return { schema: text(row.typeSchema), name: text(row.typeName), array: flag(row.typeArray) }
}

const STORAGE = { p: 'plain', e: 'external', x: 'extended', m: 'main' } as const

/** Rows in the order of their numbers; the columns of what has no fact (the ledger, say) have none either. */
export function addColumns(registry: Registry, rows: RowsOf<ReturnType<typeof columnsQuery>>): void {
  let position = 0
  let relation: string | null = null
  for (const row of rows) {
    position = row.relation === relation ? position + 1 : 1
    relation = row.relation
    const parent = registry.find(address('pg_class', row.relation))
    if (parent === undefined) continue
    const object = address('pg_class', row.relation, row.number)
    const { key } = registry.add(
      'column',
      {
        identity: within(parent.identity, text(row.name)),
        schema: parent.schema,
        name: text(row.name),
        parent: parent.key,
        properties: columnProperties(row),
        details: { position, typeRef: typeRefOf(row) },
      },
      object,
    )
    if (row.defaultOid !== null) registry.partOf(address('pg_attrdef', row.defaultOid), key)
    if (row.notNullOid !== null) registry.partOf(address('pg_constraint', row.notNullOid), key)
  }
}

function columnProperties(row: RowOf<ReturnType<typeof columnsQuery>>) {
  const generated = word({ '': undefined, s: 'stored', v: 'virtual' }, row.generated)
  return {
    type: text(row.type),
    collation: optional(row.collation),
    notNull: flag(row.notNull),
    notNullName: isMadeName(row.notNullName) ? undefined : optional(row.notNullName),
    notNullOptions: [
      ...(flag(row.notNullNoInherit) ? ['no inherit'] : []),
      ...(row.notNullValid === 'f' ? ['not valid'] : []),
    ],
    default: generated === undefined ? optional(row.expression) : undefined,
    generated,
    expression: generated === undefined ? undefined : optional(row.expression),
    identity: word({ '': undefined, a: 'always', d: 'by default' }, row.identity),
    storage: row.storage === null ? undefined : word(STORAGE, row.storage),
    compression: row.compression === null ? undefined : word({ p: 'pglz', l: 'lz4' }, row.compression),
    statistics: row.statistics === null ? undefined : Number(row.statistics),
    options: sortedList(row.options),
    foreignOptions: sortedList(row.foreignOptions),
    inherited: flag(row.inherited),
    local: flag(row.local),
  }
}

/**
 * table_column_not_null is what PostgreSQL itself makes, and a renamed table or column keeps the old one: a name of that
 * form says nothing that a server before 18 could tell.
 */
function isMadeName(name: string | null): boolean {
  return name !== null && /_not_null\d*$/.test(name)
}
