import { factsOf, partsOfKind, type Catalog, type Fact, type FactOf } from '../catalog/catalog.js'
import type { RoutineDoc, Target, Use } from './docs.js'
import { neededBy } from './facts.js'
import type { Names } from './names.js'

type RoutineFact = FactOf<'function'> | FactOf<'procedure'> | FactOf<'aggregate'>

export function makeRoutines(catalog: Catalog, names: Names): readonly RoutineDoc[] {
  const relations = relationWords(catalog, names)
  return routineFacts(catalog).map((fact) => ({
    ...names.named(fact),
    kind: fact.kind,
    name: fact.name,
    arguments: names.text(fact.properties.arguments),
    returns: fact.kind === 'procedure' ? undefined : names.text(fact.properties.returns),
    language: fact.kind === 'aggregate' ? 'internal' : fact.properties.language,
    traits: traitsOf(fact),
    source: fact.kind === 'aggregate' ? fact.properties.options.join(',\n') : fact.details.definition,
    usedBy: neededBy(catalog, fact.key).flatMap((user) => {
      const what = user.kind === 'column' ? 'default or expression' : user.kind
      const home = homeOf(catalog, user)
      const target =
        home === undefined ? undefined : names.targetOf(home, user.kind === 'column' ? user.name : undefined)
      return target === undefined && user.kind !== 'function'
        ? []
        : [{ what: `${what} ${user.name}`, target }]
    }),
    mentions: [...mentionedIn(fact, relations)],
    made: names.made(`routine ${fact.schema ?? ''}.${fact.name}`),
  }))
}

function routineFacts(catalog: Catalog): readonly RoutineFact[] {
  return [...factsOf(catalog, 'function'), ...factsOf(catalog, 'procedure'), ...factsOf(catalog, 'aggregate')]
}

function traitsOf(fact: RoutineFact): readonly string[] {
  if (fact.kind === 'aggregate') return []
  const { securityDefiner, config } = fact.properties
  return [
    ...(fact.kind === 'function' ? [fact.properties.volatility] : []),
    ...(fact.kind === 'function' && fact.properties.strict ? ['null on null input'] : []),
    ...(securityDefiner ? ['security definer'] : []),
    ...config.map((setting) => `set ${setting}`),
  ]
}

/** The table or view that a fact is, or is a part of. */
function homeOf(catalog: Catalog, fact: Fact): Fact | undefined {
  let found: Fact | undefined = fact
  while (found?.parent !== undefined) found = catalog.facts.get(found.parent)
  return found
}

/** Views and tables that PostgreSQL knows to need this one. */
export function usesOf(catalog: Catalog, names: Names, fact: Fact): readonly Use[] {
  const users = new Set<Fact>()
  for (const key of [fact.key, ...partsOfKind(catalog, fact.key, 'column').map((column) => column.key)])
    for (const user of neededBy(catalog, key)) {
      const home = homeOf(catalog, user)
      if (home !== undefined && home.key !== fact.key) users.add(home)
    }
  return [...users].flatMap((user): Use[] => {
    const { label, slug } = names.named(user)
    if (user.kind === 'view' || user.kind === 'materialized view')
      return [{ kind: 'view', label, slug, inText: false }]
    if (user.kind === 'function' || user.kind === 'procedure' || user.kind === 'aggregate')
      return [{ kind: 'function', label, slug, inText: false }]
    return []
  })
}

/** Routines whose text names a table or view, by the key of that: PostgreSQL does not know it of a body that is text. */
export function mentionsOf(catalog: Catalog, names: Names): ReadonlyMap<string, readonly Use[]> {
  const relations = relationWords(catalog, names)
  const found = new Map<string, Use[]>()
  for (const fact of routineFacts(catalog)) {
    const { label, slug } = names.named(fact)
    for (const { key } of mentionedIn(fact, relations)) {
      const uses = found.get(key) ?? []
      found.set(key, uses)
      uses.push({ kind: 'function', label, slug, inText: true })
    }
  }
  return found
}

/** By their names as a body may write them, with and without the schema. */
function relationWords(catalog: Catalog, names: Names): ReadonlyMap<string, Target> {
  const words = new Map<string, Target>()
  for (const fact of catalog.facts.values()) {
    const target = names.targetOf(fact, undefined)
    if (target === undefined) continue
    words.set(`${fact.schema ?? ''}.${fact.name}`, target)
    if (fact.schema === names.schema) words.set(fact.name, target)
  }
  return words
}

/** Behind FROM, JOIN, INTO, UPDATE, TABLE or ONLY: a variable may be called what a table is called. */
const NAMING =
  /\b(?:from|join|into|update|table|only)\s+((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)/giu

function mentionedIn(fact: RoutineFact, relations: ReadonlyMap<string, Target>): ReadonlySet<Target> {
  const found = new Set<Target>()
  if (fact.kind === 'aggregate') return found
  const body = fact.properties.body.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, ' ')
  for (const [, written = ''] of body.matchAll(NAMING)) {
    const name = written.replaceAll(/"((?:[^"]|"")+)"|[\w$]+/g, (word, quoted: string | undefined) =>
      quoted === undefined ? word.toLowerCase() : quoted.replaceAll('""', '"'),
    )
    const target = relations.get(name)
    if (target !== undefined) found.add(target)
  }
  return found
}
