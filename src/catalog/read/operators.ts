import {
  flag,
  FIRST_USER_OID,
  inUserSchema,
  notOfExtension,
  optional,
  query,
  sortedList,
  standsAlone,
  text,
  word,
  type RowsOf,
} from './query.js'
import { address, qualified, type Registry } from './registry.js'

/** "schema.+": an operator's name is never quoted. */
const operatorName = (oid: string): string =>
  `(select quote_ident(xn.nspname) || '.' || x.oprname from pg_operator x join pg_namespace xn on xn.oid = x.oprnamespace ` +
  `where x.oid = ${oid})`

const NONE = (type: string): string => `case when ${type} = 0 then 'none' else format_type(${type}, null) end`

export const OPERATORS = query(
  {
    oid: 'o.oid',
    schema: 'n.nspname',
    name: 'o.oprname',
    owner: 'pg_get_userbyid(o.oprowner)',
    left: NONE('o.oprleft'),
    right: NONE('o.oprright'),
    function: `nullif(o.oprcode, 0)::regproc::text`,
    commutator: operatorName('o.oprcom'),
    negator: operatorName('o.oprnegate'),
    restrict: 'nullif(o.oprrest, 0)::regproc::text',
    join: 'nullif(o.oprjoin, 0)::regproc::text',
    hashes: 'o.oprcanhash',
    merges: 'o.oprcanmerge',
  },
  `from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
   where o.oprcode <> 0 and ${inUserSchema()} and ${notOfExtension('pg_operator', 'o.oid')}`,
)

export function addOperators(registry: Registry, rows: RowsOf<typeof OPERATORS>): void {
  for (const row of rows)
    registry.add(
      'operator',
      {
        identity: `${qualified(text(row.schema), 'x').slice(0, -1)}${text(row.name)}(${text(row.left)}, ${text(row.right)})`,
        schema: text(row.schema),
        name: text(row.name),
        parent: undefined,
        properties: {
          owner: registry.ownerName(row.owner),
          function: text(row.function),
          commutator: optional(row.commutator),
          negator: optional(row.negator),
          restrict: optional(row.restrict),
          join: optional(row.join),
          hashes: flag(row.hashes),
          merges: flag(row.merges),
        },
      },
      address('pg_operator', row.oid),
    )
}

/**
 * Operators and functions of an operator class are those that depend on it from within; the others of its family were added to the
 * family by hand. `owner` is the SQL for class or family.
 */
const members = (refclass: string, oid: string) => ({
  operators: `(select json_agg(a.amopstrategy || ' ' || ${operatorName('a.amopopr')} || '(' || format_type(a.amoplefttype, null) || ', ' ||
        format_type(a.amoprighttype, null) || ')' ||
        coalesce(' for order by ' || (select quote_ident(sn.nspname) || '.' || quote_ident(sf.opfname)
          from pg_opfamily sf join pg_namespace sn on sn.oid = sf.opfnamespace where sf.oid = a.amopsortfamily), ''))
      from pg_depend d join pg_amop a on a.oid = d.objid
     where d.classid = 'pg_amop'::regclass and d.refclassid = '${refclass}'::regclass and d.refobjid = ${oid})`,
  functions: `(select json_agg(a.amprocnum || ' (' || format_type(a.amproclefttype, null) || ', ' ||
        format_type(a.amprocrighttype, null) || ') ' || a.amproc::regprocedure::text)
      from pg_depend d join pg_amproc a on a.oid = d.objid
     where d.classid = 'pg_amproc'::regclass and d.refclassid = '${refclass}'::regclass and d.refobjid = ${oid})`,
})

export const OPERATOR_FAMILIES = query(
  {
    oid: 'f.oid',
    schema: 'n.nspname',
    name: 'f.opfname',
    method: 'm.amname',
    owner: 'pg_get_userbyid(f.opfowner)',
    ...members('pg_opfamily', 'f.oid'),
  },
  `from pg_opfamily f join pg_namespace n on n.oid = f.opfnamespace join pg_am m on m.oid = f.opfmethod
   where f.oid >= ${FIRST_USER_OID} and ${inUserSchema()} and ${notOfExtension('pg_opfamily', 'f.oid')}`,
)

export function addOperatorFamilies(registry: Registry, rows: RowsOf<typeof OPERATOR_FAMILIES>): void {
  for (const row of rows)
    registry.add(
      'operator family',
      {
        identity: `${qualified(text(row.schema), text(row.name))} using ${text(row.method)}`,
        schema: text(row.schema),
        name: text(row.name),
        parent: undefined,
        properties: {
          owner: registry.ownerName(row.owner),
          operators: sortedList(row.operators),
          functions: sortedList(row.functions),
        },
      },
      address('pg_opfamily', row.oid),
    )
}

export const OPERATOR_CLASSES = query(
  {
    oid: 'o.oid',
    schema: 'n.nspname',
    name: 'o.opcname',
    method: 'm.amname',
    owner: 'pg_get_userbyid(o.opcowner)',
    type: 'format_type(o.opcintype, null)',
    family: `quote_ident(fn.nspname) || '.' || quote_ident(f.opfname)`,
    default: 'o.opcdefault',
    storage: 'case when o.opckeytype <> 0 then format_type(o.opckeytype, null) end',
    ...members('pg_opclass', 'o.oid'),
  },
  `from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace join pg_am m on m.oid = o.opcmethod
   join pg_opfamily f on f.oid = o.opcfamily join pg_namespace fn on fn.oid = f.opfnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_opclass', 'o.oid')}`,
)

export function addOperatorClasses(registry: Registry, rows: RowsOf<typeof OPERATOR_CLASSES>): void {
  for (const row of rows)
    registry.add(
      'operator class',
      {
        identity: `${qualified(text(row.schema), text(row.name))} using ${text(row.method)}`,
        schema: text(row.schema),
        name: text(row.name),
        parent: undefined,
        properties: {
          owner: registry.ownerName(row.owner),
          type: text(row.type),
          family: text(row.family),
          default: flag(row.default),
          storage: optional(row.storage),
          operators: sortedList(row.operators),
          functions: sortedList(row.functions),
        },
      },
      address('pg_opclass', row.oid),
    )
}

export const CASTS = query(
  {
    oid: 'c.oid',
    source: 'format_type(c.castsource, null)',
    target: 'format_type(c.casttarget, null)',
    context: 'c.castcontext',
    method: 'c.castmethod',
    function: 'nullif(c.castfunc, 0)::regprocedure::text',
  },
  `from pg_cast c where c.oid >= ${FIRST_USER_OID} and ${standsAlone('pg_cast', 'c.oid')}`,
)

export function addCasts(registry: Registry, rows: RowsOf<typeof CASTS>): void {
  for (const row of rows) {
    const identity = `(${text(row.source)} as ${text(row.target)})`
    registry.add(
      'cast',
      {
        identity,
        schema: undefined,
        name: identity,
        parent: undefined,
        properties: {
          context: word({ e: 'explicit', a: 'assignment', i: 'implicit' }, row.context),
          method: optional(row.function) ?? word({ i: 'inout', b: 'without function' }, row.method),
        },
      },
      address('pg_cast', row.oid),
    )
  }
}
