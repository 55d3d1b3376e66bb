import { flag, inUserSchema, notOfExtension, query, text, word, type RowOf, type RowsOf } from './query.js'
import { address, qualified, type Registry } from './registry.js'
import { PERSISTENCE } from './relations.js'

export const SEQUENCES = query(
  {
    oid: 'c.oid',
    schema: 'n.nspname',
    name: 'c.relname',
    owner: 'pg_get_userbyid(c.relowner)',
    persistence: 'c.relpersistence',
    type: 'format_type(s.seqtypid, null)',
    start: 's.seqstart',
    increment: 's.seqincrement',
    min: 's.seqmin',
    max: 's.seqmax',
    cache: 's.seqcache',
    cycle: 's.seqcycle',
    table: 'd.refobjid',
    column: 'd.refobjsubid',
    identity: `d.deptype = 'i'`,
  },
  `from pg_sequence s join pg_class c on c.oid = s.seqrelid
   join pg_namespace n on n.oid = c.relnamespace
   left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
     and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
   where ${inUserSchema()} and ${notOfExtension('pg_class', 'c.oid')}`,
)

export function addSequences(registry: Registry, rows: RowsOf<typeof SEQUENCES>): void {
  for (const row of rows) {
    const object = address('pg_class', row.oid)
    const column = row.table === null ? undefined : registry.find(address('pg_class', row.table, row.column))
    // Of a table that is left out: the ledger's own.
    if (row.table !== null && column === undefined) {
      registry.leaveOut(object)
      continue
    }
    const identity = flag(row.identity)
    registry.add(
      'sequence',
      {
        identity: qualified(text(row.schema), text(row.name)),
        schema: text(row.schema),
        name: text(row.name),
        parent: identity ? column?.key : undefined,
        properties: {
          owner: registry.ownerName(row.owner),
          type: text(row.type),
          start: text(row.start),
          increment: text(row.increment),
          min: text(row.min),
          max: text(row.max),
          cache: text(row.cache),
          cycle: flag(row.cycle),
          persistence: persistenceOf(registry, row, column?.parent),
          ownedBy: column?.identity,
        },
        details: { identity },
      },
      object,
    )
  }
}

/** Before 15 a sequence was always permanent; since then one that belongs to an unlogged table is made unlogged as well. */
function persistenceOf(registry: Registry, row: RowOf<typeof SEQUENCES>, table: string | undefined) {
  const found = word(PERSISTENCE, row.persistence)
  if (registry.major >= 15 || table === undefined) return found
  const fact = registry.facts.get(table)
  return fact?.kind === 'table' ? fact.properties.persistence : found
}
