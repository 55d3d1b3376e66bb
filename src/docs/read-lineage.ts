import type { Session } from '../database/database.js'
import {
  isNode,
  listAt,
  nodeAt,
  nodesAt,
  numberAt,
  parseNodeTree,
  textAt,
  type Node,
  type Value,
} from '../codegen/node-tree.js'

/** Where the columns of views come from, by "schema.view", in the order of the columns. */
export type Lineage = ReadonlyMap<string, readonly ColumnLineage[]>

export interface ColumnLineage {
  readonly column: string
  /** Columns of tables, through every view between. */
  readonly sources: readonly Source[]
  /** It shows its only source as it is. */
  readonly direct: boolean
}

export interface Source {
  readonly schema: string
  readonly relation: string
  readonly column: string
}

const RELATIONS = `
select c.oid, n.nspname, c.relname, r.ev_action::text,
  (select pg_catalog.json_object_agg(a.attnum, a.attname) from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_rewrite r on r.ev_class = c.oid and r.rulename = '_RETURN'
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'pg_catalog' and n.nspname <> 'information_schema'
order by n.nspname, c.relname`

/** Reads it off the stored trees of the views: what PostgreSQL itself runs, not their text. */
export async function readLineage(session: Session): Promise<Lineage> {
  const relations = new Map<string, Relation>()
  for (const [oid, schema, name, tree, columns] of await session.query(RELATIONS))
    relations.set(String(oid), {
      schema: String(schema),
      name: String(name),
      tree: tree ?? undefined,
      columns: new Map(
        Object.entries(JSON.parse(columns ?? '{}') as Record<string, string>).map(([number, column]) => [
          Number(number),
          column,
        ]),
      ),
    })
  const tracer = new Tracer(relations)
  return new Map(
    [...relations]
      .filter(([, { tree }]) => tree !== undefined)
      .map(([oid, { schema, name, columns }]) => [
        `${schema}.${name}`,
        [...columns].map(([number, column]) => {
          const { sources, direct } = tracer.column(oid, number)
          return { column, sources: tracer.named(sources), direct: direct && sources.size === 1 }
        }),
      ]),
  )
}

interface Relation {
  readonly schema: string
  readonly name: string
  readonly tree: string | undefined
  readonly columns: ReadonlyMap<number, string>
}

/** Sources are "oid.number". */
interface Traced {
  readonly sources: ReadonlySet<string>
  readonly direct: boolean
}

const NOTHING: Traced = { sources: new Set(), direct: false }
const RTE = { relation: 0, subquery: 1, join: 2, cte: 6, group: 9 } as const

class Tracer {
  private readonly relations: ReadonlyMap<string, Relation>
  private readonly scopes = new Map<string, Scope | undefined>()
  private readonly known = new Map<string, Traced>()

  constructor(relations: ReadonlyMap<string, Relation>) {
    this.relations = relations
  }

  /** Of a table itself; of a view what its column comes from. */
  column(oid: string, number: number): Traced {
    const scope = this.scopeOf(oid)
    if (scope === undefined) return { sources: new Set([`${oid}.${String(number)}`]), direct: true }
    const key = `${oid}.${String(number)}`
    const known = this.known.get(key)
    if (known !== undefined) return known
    const traced = scope.output(number)
    this.known.set(key, traced)
    return traced
  }

  named(sources: ReadonlySet<string>): readonly Source[] {
    return [...sources]
      .flatMap((source) => {
        const [oid = '', number = ''] = source.split('.')
        const relation = this.relations.get(oid)
        const column = relation?.columns.get(Number(number))
        return relation === undefined || column === undefined
          ? []
          : [{ schema: relation.schema, relation: relation.name, column }]
      })
      .sort(
        (a, b) =>
          compare(a.schema, b.schema) || compare(a.relation, b.relation) || compare(a.column, b.column),
      )
  }

  /** A row as a whole is all of its columns. */
  wholeRow(oid: string): Traced {
    const columns = [...(this.relations.get(oid)?.columns.keys() ?? [])]
    return together(columns.map((number) => this.column(oid, number)))
  }

  private scopeOf(oid: string): Scope | undefined {
    if (this.scopes.has(oid)) return this.scopes.get(oid)
    const tree = this.relations.get(oid)?.tree
    const parsed = tree === undefined ? undefined : parseNodeTree(tree)
    const query = Array.isArray(parsed) ? (parsed as readonly Value[]).find(isNode) : undefined
    const scope = query === undefined ? undefined : new Scope(query, undefined, this)
    this.scopes.set(oid, scope)
    return scope
  }
}

/** A query, and the one it stands in. */
class Scope {
  private readonly query: Node
  private readonly outer: Scope | undefined
  private readonly tracer: Tracer
  private readonly entries: readonly Node[]
  private readonly busy = new Set<number>()

  constructor(query: Node, outer: Scope | undefined, tracer: Tracer) {
    this.query = query
    this.outer = outer
    this.tracer = tracer
    this.entries = nodesAt(query, 'rtable')
  }

  output(number: number): Traced {
    // A recursive query asks for itself, which adds nothing.
    if (this.busy.has(number)) return NOTHING
    this.busy.add(number)
    try {
      const operation = nodeAt(this.query, 'setOperations')
      if (operation !== undefined)
        return {
          ...together(leavesOf(operation).map((entry) => this.variable(entry, number))),
          direct: false,
        }
      const target = nodesAt(this.query, 'targetList').find((entry) => numberAt(entry, 'resno') === number)
      return target === undefined ? NOTHING : this.expression(target.fields['expr'])
    } finally {
      this.busy.delete(number)
    }
  }

  private expression(value: Value | undefined): Traced {
    if (isNode(value)) {
      if (value.tag === 'VAR') {
        const home = this.up(numberAt(value, 'varlevelsup')) ?? this
        return home.variable(numberAt(value, 'varno'), numberAt(value, 'varattno'))
      }
      if (value.tag === 'RELABELTYPE') return this.expression(value.fields['arg'])
      if (value.tag === 'QUERY') return { ...new Scope(value, this, this.tracer).all(), direct: false }
      return {
        ...together(Object.values(value.fields).map((inner) => this.expression(inner))),
        direct: false,
      }
    }
    if (Array.isArray(value))
      return {
        ...together((value as readonly Value[]).map((inner) => this.expression(inner))),
        direct: false,
      }
    return NOTHING
  }

  private all(): Traced {
    return together(nodesAt(this.query, 'targetList').map((target) => this.output(numberAt(target, 'resno'))))
  }

  private variable(entryNumber: number, column: number): Traced {
    const entry = this.entries[entryNumber - 1]
    if (entry === undefined) return NOTHING
    const kind = numberAt(entry, 'rtekind')
    if (kind === RTE.relation) {
      const oid = textAt(entry, 'relid')
      return column > 0 ? this.tracer.column(oid, column) : column === 0 ? this.tracer.wholeRow(oid) : NOTHING
    }
    if (kind === RTE.subquery) {
      const query = nodeAt(entry, 'subquery')
      if (query === undefined) return NOTHING
      const scope = new Scope(query, this, this.tracer)
      return column === 0 ? scope.all() : scope.output(column)
    }
    if (kind === RTE.join || kind === RTE.group)
      return this.expression(listAt(entry, kind === RTE.join ? 'joinaliasvars' : 'groupexprs')[column - 1])
    if (kind === RTE.cte) return this.common(entry, column)
    return { ...this.expression(entry.fields['functions'] ?? entry.fields['values_lists']), direct: false }
  }

  private readonly commons = new Map<Node, Scope>()

  private common(entry: Node, column: number): Traced {
    const home = this.up(numberAt(entry, 'ctelevelsup'))
    const name = textAt(entry, 'ctename')
    const found =
      home === undefined
        ? undefined
        : nodesAt(home.query, 'cteList').find((cte) => textAt(cte, 'ctename') === name)
    const query = found === undefined ? undefined : nodeAt(found, 'ctequery')
    if (home === undefined || query === undefined) return NOTHING
    // One scope a query, so that a recursive one is seen to ask for itself.
    const scope = home.commons.get(query) ?? new Scope(query, home, this.tracer)
    home.commons.set(query, scope)
    return column === 0 ? scope.all() : scope.output(column)
  }

  private up(levels: number): Scope | undefined {
    return levels === 0 ? this : this.outer?.up(levels - 1)
  }
}

function leavesOf(operation: Node): readonly number[] {
  if (operation.tag === 'RANGETBLREF') return [numberAt(operation, 'rtindex')]
  return ['larg', 'rarg'].flatMap((side) => {
    const below = nodeAt(operation, side)
    return below === undefined ? [] : leavesOf(below)
  })
}

function together(all: readonly Traced[]): Traced {
  const [only] = all
  if (all.length === 1 && only !== undefined) return only
  return { sources: new Set(all.flatMap(({ sources }) => [...sources])), direct: false }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
