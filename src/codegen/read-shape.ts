import type { Session } from '../database/database.js'
import { quoteLiteral } from '../database/quote.js'
import { everyNode, isNode, parseNodeTree, textAt, type Node, type Value } from './node-tree.js'
import { proveExpression, proveQuery, type Proven, type Surroundings } from './prove-not-null.js'
import type {
  ColumnShape,
  ConstraintShape,
  ParameterShape,
  RelationShape,
  RoutineShape,
  Shape,
  TypeShape,
} from './shape.js'
import type { RoutineFacts } from './total-functions.js'

export interface ReadOptions {
  readonly searchPath: string
  /** Schemas that are not the application's, as that of the ledger. */
  readonly without: readonly string[]
}

/** Reads what the generator needs. The number of queries does not depend on the number of objects. */
export async function readShape(session: Session, options: ReadOptions): Promise<Shape> {
  // One snapshot; and names are qualified alike whatever the session was set to.
  await session.script(
    `begin isolation level repeatable read read only; set local search_path = ${options.searchPath}; set local quote_all_identifiers = off`,
  )
  try {
    return await read(session, options)
  } finally {
    await session.script('rollback')
  }
}

async function read(session: Session, { without }: ReadOptions): Promise<Shape> {
  const schemas = `n.nspname not like 'pg!_%' escape '!' and n.nspname not in (${['information_schema', ...without].map(quoteLiteral).join(',')})`
  const relationRows = await session.query(relationsSql(schemas))
  const columnRows = await session.query(columnsSql(schemas))
  const constraintRows = await session.query(constraintsSql(schemas))
  const typeRows = await session.query(typesSql())
  const routineRows = await session.query(routinesSql(schemas))

  const trees = new Map<string, Value>()
  for (const [oid, , , , , tree] of relationRows)
    if (oid !== null && oid !== undefined && tree !== null && tree !== undefined)
      trees.set(oid, parseNodeTree(tree))
  const expressions = new Map<string, Value>()
  for (const row of columnRows)
    if (row[12] !== null && row[12] !== undefined)
      expressions.set(`${String(row[0])}.${String(row[1])}`, parseNodeTree(row[12]))
  const { routines, operators } = await readOperations(session, [...trees.values(), ...expressions.values()])

  const domainChecks = new Map<string, string[]>()
  const constraints = new Map<string, Constraint[]>()
  for (const row of constraintRows) {
    const constraint = constraintOf(row)
    if (constraint.domain !== '0') push(domainChecks, constraint.domain, constraint.expression)
    else push(constraints, constraint.relation, constraint)
  }

  const columns = new Map<string, Column[]>()
  for (const row of columnRows) push(columns, String(row[0]), columnOf(row))
  const names = new Map(
    relationRows.map(([oid, schema, name, kind]) => [
      String(oid),
      { schema: String(schema), name: String(name), kind: String(kind) },
    ]),
  )
  const proof = new Proof({ names, columns, constraints, trees, expressions, routines, operators })

  const relations = relationRows.flatMap(([oid, schema, name, kind, comment, , hidden]): RelationShape[] => {
    if (hidden === 't') return []
    const key = String(oid)
    const own = constraints.get(key) ?? []
    const kindOf = KINDS[String(kind)]
    if (kindOf === undefined) return []
    return [
      {
        schema: String(schema),
        name: String(name),
        kind: kindOf,
        comment: comment ?? undefined,
        columns: (columns.get(key) ?? []).map((column) => {
          const proven = proof.columnOf(key, column.number)
          const { origin } = proven
          const base = origin === undefined ? undefined : names.get(origin.relation)
          const source = columns
            .get(origin?.relation ?? '')
            ?.find((candidate) => candidate.number === origin?.column)
          return {
            ...column.shape,
            write: kindOf === 'view' || kindOf === 'materialized view' ? 'never' : column.shape.write,
            notNull: proven.notNull,
            // A view does not keep how many its column was declared with.
            dimensions: source?.shape.dimensions ?? column.shape.dimensions,
            constraints: own
              .filter(({ columns: numbers }) => numbers.includes(column.number))
              .map(({ shape }) => (column.loose ? { ...shape, expression: undefined } : shape)),
            origin:
              base === undefined || source === undefined || kindOf === 'table'
                ? undefined
                : { schema: base.schema, table: base.name, column: source.shape.name },
            texts: proven.texts,
          }
        }),
      },
    ]
  })
  return {
    types: typeRows.map((row) => typeOf(row, domainChecks)).sort(byIdentity),
    relations: relations.sort(byIdentity),
    routines: routineRows.map(routineOf).sort(byIdentity),
  }
}

const KINDS: Readonly<Record<string, RelationShape['kind']>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

function byIdentity(
  a: { readonly schema: string; readonly name: string },
  b: { readonly schema: string; readonly name: string },
): number {
  if (a.schema !== b.schema) return a.schema < b.schema ? -1 : 1
  if (a.name === b.name) return 0
  return a.name < b.name ? -1 : 1
}

type Row = readonly (string | null)[]

// ---- relations and columns

/** Those of extensions and partitions are hidden: read, because views look at them, but not emitted. */
function relationsSql(schemas: string): string {
  return `
select c.oid, n.nspname, c.relname, c.relkind, d.description,
  case when c.relkind in ('v', 'm') then r.ev_action::text end,
  c.relispartition or exists (select from pg_catalog.pg_depend e
    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
  on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::regclass and d.objsubid = 0
left join pg_catalog.pg_rewrite r on r.ev_class = c.oid and r.rulename = '_RETURN' and c.relkind in ('v', 'm')
where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${schemas}`
}

/**
 * notNull is what holds for whoever reads: not for a foreign table, whose server may think otherwise, and not where a child table in
 * inheritance has dropped it.
 */
function columnsSql(schemas: string): string {
  return `
select a.attrelid, a.attnum, a.attname, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attndims,
  a.attnotnull and c.relkind in ('r', 'p') and not (c.relhassubclass and exists (
    with recursive children as (
      select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = c.oid
      union select i.inhrelid from pg_catalog.pg_inherits i join children on i.inhparent = children.inhrelid)
    select from children join pg_catalog.pg_attribute b on b.attrelid = children.inhrelid and b.attname = a.attname
    join pg_catalog.pg_class k on k.oid = b.attrelid
    where not b.attnotnull or k.relkind = 'f')),
  a.attnotnull, a.attidentity, a.attgenerated, pg_catalog.pg_get_expr(f.adbin, f.adrelid), d.description,
  case when a.attgenerated <> '' and not c.relhassubclass then f.adbin::text end, t.typdefault is not null,
  a.attcollation > 16383 and (select not l.collisdeterministic from pg_catalog.pg_collation l where l.oid = a.attcollation)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
left join pg_catalog.pg_description d
  on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::regclass and d.objsubid = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and ${schemas}
order by a.attrelid, a.attnum`
}

interface Column {
  readonly number: number
  /** Its collation takes different texts for equal, so a list of values does not say which are stored. */
  readonly loose: boolean
  readonly shape: ColumnShape
}

function columnOf(row: Row): Column {
  const [, number, name, type, typeText, dimensions, notNull, refusesNull, identity, generated] = row
  const [defaultText, comment, , typeDefault] = row.slice(10, 14)
  const computed = generated === 's' || generated === 'v'
  const write =
    computed || identity === 'a'
      ? 'never'
      : defaultText !== null || identity === 'd' || typeDefault === 't'
        ? 'optional'
        : 'required'
  return {
    number: Number(number),
    loose: row[14] === 't',
    shape: {
      name: String(name),
      type: String(type),
      typeText: String(typeText),
      dimensions: Number(dimensions),
      notNull: notNull === 't',
      refusesNull: refusesNull === 't',
      default: computed ? undefined : (defaultText ?? undefined),
      write,
      identity: identity === 'a' ? 'always' : identity === 'd' ? 'by default' : undefined,
      generated: computed ? (defaultText ?? undefined) : undefined,
      comment: comment ?? undefined,
      constraints: [],
      origin: undefined,
      texts: undefined,
    },
  }
}

// ---- constraints

/** Not NULLs among them only where they are not validated (PostgreSQL 18), because the column says the rest. */
function constraintsSql(schemas: string): string {
  return `
select k.conrelid, k.contypid, k.contype, k.conname, pg_catalog.pg_get_constraintdef(k.oid, true),
  pg_catalog.pg_get_expr(k.conbin, k.conrelid), k.conkey, k.convalidated
    and coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true)
    and not exists (select from pg_catalog.pg_class f where f.oid = k.conrelid and f.relkind = 'f')
    and not (k.connoinherit and exists (select from pg_catalog.pg_inherits i where i.inhparent = k.conrelid))
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where k.contype in ('p', 'u', 'f', 'c', 'n') and (k.contype <> 'n' or not k.convalidated) and ${schemas}
order by k.contype = 'p' desc, k.conname`
}

interface Constraint {
  readonly relation: string
  readonly domain: string
  readonly kind: string
  readonly columns: readonly number[]
  readonly expression: string | undefined
  readonly shape: ConstraintShape
}

function constraintOf(row: Row): Constraint {
  const [relation, domain, kind, name, definition, expressionText, key, holds] = row
  const columns = (key ?? '').replaceAll(/[{}]/g, '').split(',').filter(Boolean).map(Number)
  const expression = kind === 'c' && holds === 't' ? (expressionText ?? undefined) : undefined
  return {
    relation: String(relation),
    domain: String(domain),
    kind: String(kind),
    columns,
    expression,
    shape: {
      type: CONSTRAINTS[String(kind)] ?? 'check',
      name: String(name),
      definition: String(definition),
      expression,
      single: columns.length === 1,
    },
  }
}

const CONSTRAINTS: Readonly<Record<string, ConstraintShape['type']>> = {
  p: 'primary key',
  u: 'unique',
  f: 'foreign key',
  c: 'check',
}

// ---- types

/** Each table has a type for its rows and one for arrays of them: only those are read that a column, a domain or a routine is of. */
function typesSql(): string {
  return `
with used (type) as (
  select atttypid from pg_catalog.pg_attribute where attnum > 0
  union select typbasetype from pg_catalog.pg_type
  union select rngsubtype from pg_catalog.pg_range
  union select prorettype from pg_catalog.pg_proc
  union select pg_catalog.unnest(coalesce(proallargtypes, proargtypes::pg_catalog.oid[])) from pg_catalog.pg_proc)
select t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, t.typelem, t.typnotnull, d.description,
  (select pg_catalog.json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid),
  t.typcategory = 'A' and t.typelem <> 0 and t.typname not in ('int2vector', 'oidvector'),
  exists (select from pg_catalog.pg_depend x
    where x.classid = 'pg_catalog.pg_type'::regclass and x.objid = t.oid and x.deptype = 'e'),
  case when t.typtype = 'd' then pg_catalog.format_type(t.typbasetype, t.typtypmod) end
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_class c on c.oid = t.typrelid
left join pg_catalog.pg_type element on element.oid = t.typelem
left join pg_catalog.pg_class owner on owner.oid = element.typrelid
left join pg_catalog.pg_description d on d.objoid = t.oid and d.classoid = 'pg_catalog.pg_type'::regclass
where n.nspname <> 'information_schema' and n.nspname not like 'pg!_toast%' escape '!'
  and (t.typtype <> 'c' or n.nspname <> 'pg_catalog')
  and (element.typtype is null or element.typtype <> 'c' or n.nspname <> 'pg_catalog')
  and (coalesce(c.relkind, owner.relkind, 'c') = 'c' or t.oid in (select type from used)
    or t.typarray in (select type from used) or n.nspname = 'pg_catalog')`
}

function typeOf(row: Row, domainChecks: ReadonlyMap<string, readonly (string | undefined)[]>): TypeShape {
  const [oid, schema, name, kind, base, element, notNull, comment, labels, isArray, foreign, baseText] = row
  const forms: Readonly<Record<string, TypeShape['form']>> = {
    e: 'enum',
    d: 'domain',
    c: 'composite',
    r: 'range',
    m: 'range',
    p: 'pseudo',
  }
  const form = isArray === 't' ? 'array' : (forms[String(kind)] ?? 'base')
  return {
    oid: String(oid),
    schema: String(schema),
    name: String(name),
    form,
    of: form === 'domain' ? String(base) : form === 'array' ? String(element) : undefined,
    baseText: baseText ?? undefined,
    labels: labels === null || labels === undefined ? [] : (JSON.parse(labels) as string[]),
    notNull: notNull === 't',
    comment: comment ?? undefined,
    checks: (domainChecks.get(String(oid)) ?? []).filter((check) => check !== undefined),
    foreign: foreign === 't',
  }
}

// ---- routines

/** What a client can call: no triggers, no aggregates or windows, nothing that works on C pointers, nothing of an extension. */
function routinesSql(schemas: string): string {
  return `
select n.nspname, p.proname, p.prokind, d.description, p.prorettype, p.proretset, p.pronargs, p.pronargdefaults,
  pg_catalog.to_json(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])),
  pg_catalog.to_json(p.proargmodes::pg_catalog.text[]), pg_catalog.to_json(p.proargnames),
  (select pg_catalog.json_agg(pg_catalog.format_type(x.type, null) order by x.ordinality)
    from pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])) with ordinality as x (type)),
  (select pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.atttypid) order by a.attnum)
    from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_type t on t.oid = p.prorettype
left join pg_catalog.pg_description d on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::regclass
where p.prokind in ('f', 'p') and ${schemas}
  and t.typname not in ('trigger', 'event_trigger', 'internal', 'language_handler', 'fdw_handler', 'index_am_handler', 'table_am_handler', 'tsm_handler')
  and not exists (select from pg_catalog.pg_depend e
    where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
order by n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid) collate "C"`
}

const MODES: Readonly<Record<string, ParameterShape['mode']>> = {
  i: 'in',
  o: 'out',
  b: 'inout',
  v: 'variadic',
  t: 'table',
}

function routineOf(row: Row): RoutineShape {
  const [schema, name, kind, comment, returns, returnsSet, , defaults, types, modes, names, written, fields] =
    row
  const parse = (text: string | null | undefined): unknown =>
    text === null || text === undefined ? [] : JSON.parse(text)
  const texts = (text: string | null | undefined): readonly string[] => parse(text) as readonly string[]
  const [modeList, nameList, typeTexts] = [texts(modes), texts(names), texts(written)]
  const parameters = (parse(types) as readonly (string | number)[]).map((type, index) => ({
    name: nameList[index] === '' ? undefined : nameList[index],
    mode: MODES[modeList[index] ?? 'i'] ?? 'in',
    type: String(type),
    typeText: typeTexts[index] ?? '',
    hasDefault: false,
  }))
  // Defaults belong to the last parameters that take something.
  const inputs = parameters.filter(({ mode }) => mode === 'in' || mode === 'inout' || mode === 'variadic')
  for (const parameter of inputs.slice(inputs.length - Number(defaults))) parameter.hasDefault = true
  const named = parse(fields) as readonly (readonly [string, string | number])[]
  return {
    schema: String(schema),
    name: String(name),
    kind: kind === 'p' ? 'procedure' : 'function',
    comment: comment ?? undefined,
    parameters,
    returns: kind === 'p' ? undefined : String(returns),
    returnsSet: returnsSet === 't',
    fields:
      named.length === 0 ? undefined : named.map(([field, type]) => ({ name: field, type: String(type) })),
  }
}

// ---- what the trees call

async function readOperations(
  session: Session,
  trees: readonly Value[],
): Promise<{ routines: ReadonlyMap<string, RoutineFacts>; operators: ReadonlyMap<string, string> }> {
  const [called, applied] = [new Set<string>(), new Set<string>()]
  for (const tree of trees)
    for (const node of everyNode(tree)) {
      for (const field of ['opfuncid', 'funcid', 'aggfnoid', 'winfnoid']) {
        const oid = textAt(node, field)
        if (/^[1-9]\d*$/.test(oid)) called.add(oid)
      }
      const operator = textAt(node, 'opno')
      if (/^[1-9]\d*$/.test(operator)) applied.add(operator)
    }
  if (called.size === 0) return { routines: new Map(), operators: new Map() }
  const rows = await session.query(
    `select 'f', p.oid, p.proname, p.proisstrict,
       p.oid < 16384 and p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace,
       (select pg_catalog.json_agg(t.typname order by x.ordinality)
         from pg_catalog.unnest(p.proargtypes) with ordinality as x (oid) join pg_catalog.pg_type t on t.oid = x.oid)
     from pg_catalog.pg_proc p where p.oid = any ($1::pg_catalog.oid[])
     union all
     select 'o', o.oid, o.oprname, null::pg_catalog.bool, o.oid < 16384, null from pg_catalog.pg_operator o where o.oid = any ($2::pg_catalog.oid[])`,
    [`{${[...called].join(',')}}`, `{${[...applied].join(',')}}`],
  )
  const routines = new Map<string, RoutineFacts>()
  const operators = new Map<string, string>()
  for (const [kind, oid, name, strict, builtIn, args] of rows)
    if (kind === 'f')
      routines.set(String(oid), {
        name: String(name),
        strict: strict === 't',
        builtIn: builtIn === 't',
        arguments: args === null || args === undefined ? [] : (JSON.parse(args) as string[]),
      })
    else if (builtIn === 't') operators.set(String(oid), String(name))
  return { routines, operators }
}

// ---- which columns are never NULL

interface Known {
  readonly names: ReadonlyMap<string, { readonly kind: string }>
  readonly columns: ReadonlyMap<string, readonly Column[]>
  readonly constraints: ReadonlyMap<string, readonly Constraint[]>
  readonly trees: ReadonlyMap<string, Value>
  readonly expressions: ReadonlyMap<string, Value>
  readonly routines: ReadonlyMap<string, RoutineFacts>
  readonly operators: ReadonlyMap<string, string>
}

const NOTHING: Proven = { notNull: false, origin: undefined, texts: undefined }

/** Proves views after the views that they read from, each once. */
class Proof implements Surroundings {
  private readonly known: Known
  private readonly views = new Map<string, readonly Proven[]>()
  private readonly generated = new Map<string, boolean>()

  constructor(known: Known) {
    this.known = known
  }

  routine(oid: string): RoutineFacts | undefined {
    const facts = this.known.routines.get(oid)
    // An aggregate or function of somebody else may be called as one of PostgreSQL's own; that it is strict still counts.
    return facts?.builtIn === false ? { ...facts, name: '' } : facts
  }

  operator(oid: string): string | undefined {
    return this.known.operators.get(oid)
  }

  columnOf(relation: string, number: number): Proven {
    if (this.known.trees.has(relation)) return this.view(relation)[number - 1] ?? NOTHING
    const column = this.known.columns.get(relation)?.find((candidate) => candidate.number === number)
    if (column === undefined) return NOTHING
    const constraints = this.known.constraints.get(relation) ?? []
    const unproven = constraints.some(({ kind, columns }) => kind === 'n' && columns.includes(number))
    const isTable = this.known.names.get(relation)?.kind !== 'f'
    const notNull = (column.shape.notNull && !unproven) || (isTable && this.computedNotNull(relation, number))
    return { notNull, origin: { relation, column: number }, texts: undefined }
  }

  private view(relation: string): readonly Proven[] {
    const known = this.views.get(relation)
    if (known !== undefined) return known
    const tree = this.known.trees.get(relation)
    const query: Node | undefined = (Array.isArray(tree) ? (tree as readonly Value[]) : []).find(isNode)
    const proven = query === undefined ? [] : proveQuery(query, this)
    this.views.set(relation, proven)
    return proven
  }

  /** A generated column is as null as its expression. */
  private computedNotNull(relation: string, number: number): boolean {
    const key = `${relation}.${String(number)}`
    const known = this.generated.get(key)
    if (known !== undefined) return known
    const expression = this.known.expressions.get(key)
    const proven = expression !== undefined && proveExpression(expression, relation, this)
    this.generated.set(key, proven)
    return proven
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}
