import { needsOf, type Catalog, type Fact, type FactKind } from './catalog.js'
import { statementsOf } from './ddl.js'
import { completeMark, type Statement } from './ddl-statement.js'

/** What comes first where nothing needs anything: a function's body may name tables that pg_depend does not know of. */
const ORDER: readonly FactKind[] = [
  'schema',
  'extension',
  'language',
  'access method',
  'collation',
  'conversion',
  'type',
  'domain',
  'function',
  'procedure',
  'aggregate',
  'operator',
  'operator family',
  'operator class',
  'cast',
  'transform',
  'text search template',
  'text search parser',
  'text search dictionary',
  'text search configuration',
  'foreign data wrapper',
  'server',
  'user mapping',
  'sequence',
  'table',
  'foreign table',
  'column',
  'constraint',
  'index',
  'statistics',
  'view',
  'materialized view',
  'rule',
  'trigger',
  'policy',
  'publication',
  'subscription',
  'event trigger',
  'grant',
  'default privileges',
]

const RANKS: ReadonlyMap<FactKind, number> = new Map(ORDER.map((kind, rank) => [kind, rank]))

/** Where a kind stands among the others. */
export function kindRank(kind: FactKind): number {
  return RANKS.get(kind) ?? ORDER.length
}

/** Every statement of a catalog, in an order in which it can be run in an empty database; the same each time. */
export function orderedStatements(catalog: Catalog): readonly Statement[] {
  const ranked = [...catalog.facts.values()]
    .map((fact) => ({ fact, rank: rankOf(fact, catalog) }))
    .sort(
      (a, b) =>
        a.rank.kind - b.rank.kind ||
        order(a.rank.whole, b.rank.whole) ||
        a.rank.part - b.rank.part ||
        a.rank.position - b.rank.position,
    )
  return inOrder(
    ranked.flatMap(({ fact }) => statementsOf(fact, catalog)),
    catalog,
  )
}

interface Rank {
  readonly kind: number
  readonly whole: string
  readonly part: number
  readonly position: number
}

/** A part stands behind what it is a part of; a foreign key, which joins two tables, behind all tables. */
function rankOf(fact: Fact, catalog: Catalog): Rank {
  let whole = fact
  while (STANDS_WITH_WHOLE.has(whole.kind) && whole.parent !== undefined) {
    if (whole.kind === 'constraint' && whole.properties.type === 'foreign key') break
    const parent = catalog.facts.get(whole.parent)
    if (parent === undefined) break
    whole = parent
  }
  return {
    kind: RANKS.get(whole.kind) ?? ORDER.length,
    whole: whole.key,
    part: fact === whole ? -1 : (RANKS.get(fact.kind) ?? ORDER.length),
    position: fact.kind === 'column' ? fact.details.position : 0,
  }
}

const STANDS_WITH_WHOLE: ReadonlySet<FactKind> = new Set(['column', 'constraint', 'index', 'statistics'])

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The given order, except that what a statement needs comes before it. */
export function inOrder(statements: readonly Statement[], catalog: Catalog): readonly Statement[] {
  const creators = new Map<string, Statement>()
  for (const statement of statements)
    for (const created of statement.creates) creators.set(created, statement)
  const ordered: Statement[] = []
  const state = new Map<Statement, 'open' | 'done'>()
  const visit = (statement: Statement): void => {
    // Open: a ring, which only statements that PostgreSQL can run in either order form.
    if (state.has(statement)) return
    state.set(statement, 'open')
    for (const need of needsOfStatement(statement, catalog)) {
      const creator = creators.get(need)
      if (creator !== undefined) visit(creator)
    }
    state.set(statement, 'done')
    ordered.push(statement)
  }
  for (const statement of statements) visit(statement)
  return ordered
}

/** What has to be there before a statement runs: what it says itself, and what the edges of the facts that it makes say. */
export function needsOfStatement(
  statement: Pick<Statement, 'creates' | 'needs' | 'notYet'>,
  catalog: Catalog,
): readonly string[] {
  const own = new Set(statement.creates)
  const later = new Set(statement.notYet)
  const edges = statement.creates.flatMap((key) => needsOf(catalog, key))
  const needs = edges.flatMap(({ from, to }) => {
    if (own.has(to) || later.has(to)) return []
    return isBaseType(to, catalog) && !needsOf(catalog, to).some((edge) => edge.to === from)
      ? [to, completeMark(to)]
      : [to]
  })
  return [...statement.needs.filter((need) => !own.has(need)), ...needs]
}

function isBaseType(key: string, catalog: Catalog): boolean {
  const fact = catalog.facts.get(key)
  return fact?.kind === 'type' && fact.properties.form === 'base'
}
