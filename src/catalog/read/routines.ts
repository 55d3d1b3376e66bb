import type { Parameter } from '../catalog.js'
import {
  flag,
  inUserSchema,
  list,
  notOfExtension,
  optional,
  presentList,
  query,
  sortedList,
  standsAlone,
  text,
  word,
  type RowOf,
  type RowsOf,
} from './query.js'
import { typeRefJoin, typeRefOf, typeRefSelect } from './columns.js'
import { address, qualified, type Registry } from './registry.js'

/** Functions, window functions and procedures. */
export const ROUTINES = query(
  {
    oid: 'p.oid',
    schema: 'n.nspname',
    name: 'p.proname',
    inputs: 'oidvectortypes(p.proargtypes)',
    kind: 'p.prokind',
    owner: 'pg_get_userbyid(p.proowner)',
    arguments: 'pg_get_function_arguments(p.oid)',
    returns: 'pg_get_function_result(p.oid)',
    ...typeRefSelect('t', 'e', 'tn', 'en'),
    returnsSet: 'p.proretset',
    language: 'l.lanname',
    body: 'coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)',
    library: 'p.probin',
    securityDefiner: 'p.prosecdef',
    leakproof: 'p.proleakproof',
    strict: 'p.proisstrict',
    volatility: 'p.provolatile',
    parallel: 'p.proparallel',
    cost: 'p.procost',
    rows: 'p.prorows',
    support: 'nullif(p.prosupport, 0)::regproc::text',
    config: 'array_to_json(p.proconfig)',
    transforms: `(select json_agg(format_type(x.type, null) order by x.at)
        from unnest(p.protrftypes) with ordinality x(type, at))`,
    definition: 'pg_get_functiondef(p.oid)',
    names: 'array_to_json(p.proargnames)',
    modes: 'array_to_json(p.proargmodes)',
    types: `(select json_agg(json_build_array(coalesce(xen.nspname, xtn.nspname), coalesce(xe.typname, xt.typname),
          xe.oid is not null) order by x.at)
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality x(type, at)
        ${typeRefJoin('x.type', 'xt', 'xe', 'xtn', 'xen')})`,
    defaults: 'p.pronargdefaults',
  },
  `from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   join pg_language l on l.oid = p.prolang
   ${typeRefJoin('p.prorettype', 't', 'e', 'tn', 'en')}
   where p.prokind <> 'a' and ${inUserSchema()} and ${standsAlone('pg_proc', 'p.oid')}`,
)

export function addRoutines(registry: Registry, rows: RowsOf<typeof ROUTINES>): void {
  for (const row of rows) {
    const object = address('pg_proc', row.oid)
    const base = {
      identity: `${qualified(text(row.schema), text(row.name))}(${text(row.inputs)})`,
      schema: text(row.schema),
      name: text(row.name),
      parent: undefined,
    }
    const common = {
      owner: registry.ownerName(row.owner),
      arguments: text(row.arguments),
      language: text(row.language),
      body: text(row.body),
      library: optional(row.library),
      securityDefiner: flag(row.securityDefiner),
      config: sortedList(row.config),
      transforms: list(row.transforms),
      extensions: registry.extensionsOf(object),
    }
    const details = { definition: text(row.definition).trimEnd(), parameters: parametersOf(row) }
    if (row.kind === 'p') registry.add('procedure', { ...base, properties: common, details }, object)
    else
      registry.add(
        'function',
        {
          ...base,
          properties: {
            ...common,
            returns: text(row.returns),
            window: row.kind === 'w',
            strict: flag(row.strict),
            volatility: word({ i: 'immutable', s: 'stable', v: 'volatile' }, row.volatility),
            leakproof: flag(row.leakproof),
            parallel: word(PARALLEL, row.parallel),
            cost: Number(row.cost),
            rows: Number(row.rows),
            support: optional(row.support),
          },
          details: { ...details, returnsRef: typeRefOf(row), returnsSet: flag(row.returnsSet) },
        },
        object,
      )
  }
}

const PARALLEL = { s: 'safe', r: 'restricted', u: 'unsafe' } as const
const MODES = { i: 'in', o: 'out', b: 'inout', v: 'variadic', t: 'table' } as const

function parametersOf(row: RowOf<typeof ROUTINES>): readonly Parameter[] {
  const names = list(row.names)
  const modes = list(row.modes)
  const types = JSON.parse(row.types ?? '[]') as readonly (readonly [string, string, boolean])[]
  const parameters = types.map(([schema, name, array], index) => ({
    name: names[index] === undefined || names[index] === '' ? undefined : names[index],
    mode: word(MODES, modes[index] ?? 'i'),
    typeRef: { schema, name, array },
    hasDefault: false,
  }))
  // Defaults belong to the last of the parameters that are given a value.
  let left = Number(row.defaults)
  return parameters
    .reverse()
    .map((parameter) =>
      parameter.mode === 'out' || parameter.mode === 'table'
        ? parameter
        : { ...parameter, hasDefault: left-- > 0 },
    )
    .reverse()
}

const proc = (column: string): string => `nullif(${column}, 0)::regproc::text`

export const AGGREGATES = query(
  {
    oid: 'p.oid',
    schema: 'n.nspname',
    name: 'p.proname',
    kind: 'a.aggkind',
    inputs: 'oidvectortypes(p.proargtypes)',
    identityArguments: 'pg_get_function_identity_arguments(p.oid)',
    owner: 'pg_get_userbyid(p.proowner)',
    arguments: 'pg_get_function_arguments(p.oid)',
    returns: 'format_type(p.prorettype, null)',
    parallel: 'p.proparallel',
    options: `json_build_array(
        'sfunc = ' || a.aggtransfn::regproc::text,
        'stype = ' || format_type(a.aggtranstype, null),
        'sspace = ' || nullif(a.aggtransspace, 0),
        'finalfunc = ' || ${proc('a.aggfinalfn')},
        case when a.aggfinalextra then 'finalfunc_extra' end,
        case when a.aggfinalfn <> 0 and a.aggfinalmodify <> case a.aggkind when 'n' then 'r' else 'w' end then
          'finalfunc_modify = ' || ${modify('a.aggfinalmodify')} end,
        'combinefunc = ' || ${proc('a.aggcombinefn')},
        'serialfunc = ' || ${proc('a.aggserialfn')},
        'deserialfunc = ' || ${proc('a.aggdeserialfn')},
        'initcond = ' || quote_literal(a.agginitval),
        'msfunc = ' || ${proc('a.aggmtransfn')},
        'minvfunc = ' || ${proc('a.aggminvtransfn')},
        'mstype = ' || case when a.aggmtranstype <> 0 then format_type(a.aggmtranstype, null) end,
        'msspace = ' || nullif(a.aggmtransspace, 0),
        'mfinalfunc = ' || ${proc('a.aggmfinalfn')},
        case when a.aggmfinalextra then 'mfinalfunc_extra' end,
        case when a.aggmfinalfn <> 0 and a.aggmfinalmodify <> case a.aggkind when 'n' then 'r' else 'w' end then
          'mfinalfunc_modify = ' || ${modify('a.aggmfinalmodify')} end,
        'minitcond = ' || quote_literal(a.aggminitval),
        'sortop = operator(' || quote_ident(os.nspname) || '.' || o.oprname || ')',
        case a.aggkind when 'h' then 'hypothetical' end)`,
  },
  `from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid
   join pg_namespace n on n.oid = p.pronamespace
   left join pg_operator o on o.oid = a.aggsortop left join pg_namespace os on os.oid = o.oprnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_proc', 'p.oid')}`,
)

function modify(column: string): string {
  return `case ${column} when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end`
}

export function addAggregates(registry: Registry, rows: RowsOf<typeof AGGREGATES>): void {
  for (const row of rows) {
    // An aggregate of no columns is written (*), one over an order names it.
    const inputs = row.kind === 'n' ? text(row.inputs) || '*' : text(row.identityArguments)
    registry.add(
      'aggregate',
      {
        identity: `${qualified(text(row.schema), text(row.name))}(${inputs})`,
        schema: text(row.schema),
        name: text(row.name),
        parent: undefined,
        properties: {
          owner: registry.ownerName(row.owner),
          arguments: row.kind === 'n' ? text(row.arguments) || '*' : text(row.arguments),
          returns: text(row.returns),
          parallel: word(PARALLEL, row.parallel),
          options: presentList(row.options),
        },
      },
      address('pg_proc', row.oid),
    )
  }
}
