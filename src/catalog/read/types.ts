import type { FactProperties } from '../catalog.js'
import { typeRefJoin, typeRefOf, typeRefSelect } from './columns.js'
import {
  flag,
  inUserSchema,
  list,
  notOfExtension,
  optional,
  presentList,
  query,
  text,
  word,
  type RowOf,
  type RowsOf,
} from './query.js'
import { address, type Registry } from './registry.js'

/** Types that stand by themselves: the row type of a table, arrays and multiranges come with another. */
export const TYPES = query(
  {
    oid: 't.oid',
    schema: 'n.nspname',
    name: 't.typname',
    kind: `case when t.typtype = 'p' and not t.typisdefined then 'shell' else t.typtype::text end`,
    owner: 'pg_get_userbyid(t.typowner)',
    relation: 't.typrelid',
    labels: `case t.typtype when 'e' then
        (select json_agg(l.enumlabel order by l.enumsortorder) from pg_enum l where l.enumtypid = t.oid) end`,
    range: `case t.typtype when 'r' then (
        select json_build_array(
            'subtype = ' || format_type(r.rngsubtype, null),
            case when not o.opcdefault then
              'subtype_opclass = ' || quote_ident(os.nspname) || '.' || quote_ident(o.opcname) end,
            case when r.rngcollation <> s.typcollation then 'collation = ' || r.rngcollation::regcollation::text end,
            case when r.rngcanonical <> 0 then 'canonical = ' || r.rngcanonical::regproc::text end,
            case when r.rngsubdiff <> 0 then 'subtype_diff = ' || r.rngsubdiff::regproc::text end,
            'multirange_type_name = ' || r.rngmultitypid::regtype::text)
          from pg_range r join pg_type s on s.oid = r.rngsubtype
          join pg_opclass o on o.oid = r.rngsubopc join pg_namespace os on os.oid = o.opcnamespace
         where r.rngtypid = t.oid) end`,
    base: `case when t.typtype = 'b' then json_build_array(
        'input = ' || t.typinput::regproc::text, 'output = ' || t.typoutput::regproc::text,
        'receive = ' || nullif(t.typreceive, 0)::regproc::text, 'send = ' || nullif(t.typsend, 0)::regproc::text,
        'typmod_in = ' || nullif(t.typmodin, 0)::regproc::text,
        'typmod_out = ' || nullif(t.typmodout, 0)::regproc::text,
        'analyze = ' || nullif(t.typanalyze, 0)::regproc::text,
        'subscript = ' || nullif(t.typsubscript, 0)::regproc::text,
        'internallength = ' || case t.typlen when -1 then 'variable' else t.typlen::text end,
        case when t.typbyval then 'passedbyvalue' end,
        'alignment = ' || case t.typalign when 'c' then 'char' when 's' then 'int2' when 'i' then 'int4' else 'double' end,
        'storage = ' || case t.typstorage when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end,
        'category = ''' || t.typcategory::text || '''',
        case when t.typispreferred then 'preferred = true' end,
        'default = ' || quote_literal(t.typdefault),
        'element = ' || nullif(t.typelem, 0)::regtype::text,
        'delimiter = ' || quote_literal(t.typdelim::text),
        case when t.typcollation <> 0 then 'collatable = true' end) end`,
  },
  `from pg_type t join pg_namespace n on n.oid = t.typnamespace
   left join pg_class c on c.oid = t.typrelid
   where ${inUserSchema()} and ${notOfExtension('pg_type', 't.oid')}
     and (t.typtype in ('e', 'r') or c.relkind = 'c' or (t.typtype = 'p' and not t.typisdefined)
       or (t.typtype = 'b' and not exists (select from pg_type e where e.typarray = t.oid)))`,
)

const FORMS = { e: 'enum', c: 'composite', r: 'range', b: 'base', shell: 'shell' } as const

/** Before the columns: those of a composite type are parts of it. */
export function addTypes(registry: Registry, rows: RowsOf<typeof TYPES>): void {
  for (const row of rows) {
    const { key } = registry.add(
      'type',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          form: word(FORMS, row.kind),
          labels: list(row.labels),
          options: [...presentList(row.range), ...presentList(row.base)],
        },
      },
      address('pg_type', row.oid),
    )
    if (row.kind === 'c') registry.partOf(address('pg_class', row.relation), key)
  }
}

export const DOMAINS = query(
  {
    oid: 'd.oid',
    schema: 'n.nspname',
    name: 'd.typname',
    owner: 'pg_get_userbyid(d.typowner)',
    type: 'format_type(d.typbasetype, d.typtypmod)',
    ...typeRefSelect('t', 'e', 'tn', 'en'),
    collation: 'case when d.typcollation <> t.typcollation then d.typcollation::regcollation::text end',
    notNull: 'd.typnotnull',
    default: `pg_get_expr(d.typdefaultbin, 'pg_type'::regclass)`,
  },
  `from pg_type d join pg_namespace n on n.oid = d.typnamespace
   ${typeRefJoin('d.typbasetype', 't', 'e', 'tn', 'en')}
   where d.typtype = 'd' and ${inUserSchema()} and ${notOfExtension('pg_type', 'd.oid')}`,
)

export function addDomains(registry: Registry, rows: RowsOf<typeof DOMAINS>): void {
  for (const row of rows)
    registry.add(
      'domain',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: domainProperties(registry, row),
        details: { typeRef: typeRefOf(row) },
      },
      address('pg_type', row.oid),
    )
}

function domainProperties(registry: Registry, row: RowOf<typeof DOMAINS>): FactProperties['domain'] {
  return {
    owner: registry.ownerName(row.owner),
    type: text(row.type),
    collation: optional(row.collation),
    notNull: flag(row.notNull),
    default: optional(row.default),
  }
}
