import { canonicalFact } from '../catalog/hash.js'
import type { Catalog, Fact } from '../catalog/catalog.js'
import { orderedStatements } from '../catalog/ddl-order.js'
import { commentStatements, nameInStatement } from '../catalog/ddl-statement.js'

/** All tables at once: then it does not matter which of them refers to which. */
const TABLES = 'tables'

/**
 * Statements that take away what `after` has and `before` had not, dependents first. What both have is put back where it is only a
 * comment or a right; anything else is for the proof to find.
 */
export function dropStatements(before: Catalog, after: Catalog, cascade: boolean): readonly string[] {
  const made = [...after.facts.values()].filter(({ key }) => !before.facts.has(key))
  const wholes = made.filter((fact) => isDropped(fact, before))
  const node = (fact: Fact): string => (fact.kind === 'table' ? TABLES : fact.key)
  const nodes = new Map<string, Fact[]>()
  // The last that was made goes first, where nothing else says so.
  const places = new Map(
    orderedStatements(after).flatMap(({ creates }, index) => creates.map((key) => [key, index] as const)),
  )
  for (const fact of [...wholes].sort((a, b) => (places.get(b.key) ?? 0) - (places.get(a.key) ?? 0)))
    nodes.set(node(fact), [...(nodes.get(node(fact)) ?? []), fact])
  const dependents = new Map<string, Set<string>>()
  const wholeOf = (key: string): Fact | undefined => {
    for (let fact = after.facts.get(key); fact !== undefined; fact = after.facts.get(fact.parent ?? '')) {
      if (nodes.has(node(fact)) && isDropped(fact, before)) return fact
    }
    return undefined
  }
  for (const { from, to } of [...after.edges, ...containment(made)]) {
    const [who, whom] = [wholeOf(from), wholeOf(to)]
    if (who === undefined || whom === undefined || node(who) === node(whom)) continue
    const known = dependents.get(node(whom)) ?? new Set()
    dependents.set(node(whom), known.add(node(who)))
  }
  const ordered: string[] = []
  const seen = new Set<string>()
  const visit = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    for (const dependent of dependents.get(name) ?? []) visit(dependent)
    ordered.push(name)
  }
  for (const name of nodes.keys()) visit(name)
  const end = cascade ? ' cascade' : ''
  return [
    ...restored(before, after),
    ...ordered.flatMap((name) => {
      const facts = nodes.get(name) ?? []
      const [first] = facts
      if (first === undefined) return []
      if (name === TABLES) return [`drop table ${facts.map(({ identity }) => identity).join(', ')}${end}`]
      return [`drop ${nameInStatement(first, after)}${end}`]
    }),
  ]
}

/** What is in a schema needs the schema, also where no edge says so. */
function containment(facts: readonly Fact[]): readonly { readonly from: string; readonly to: string }[] {
  return facts.flatMap(({ key, schema }) =>
    schema === undefined ? [] : [{ from: key, to: `schema ${schema}` }],
  )
}

/** With a statement of its own, and not with what it is a part of or belongs to. */
function isDropped(fact: Fact, before: Catalog): boolean {
  if (before.facts.has(fact.key) || fact.kind === 'grant' || fact.kind === 'default privileges') return false
  if (fact.kind === 'sequence' && fact.properties.ownedBy !== undefined) return false
  // A partition goes with its parent.
  if (fact.kind === 'table' && fact.properties.partitionOf !== undefined)
    return before.facts.has(`table ${fact.properties.partitionOf}`)
  return fact.parent === undefined || before.facts.has(fact.parent) || fact.kind === 'event trigger'
}

/** Rights and comments on what stays. */
function restored(before: Catalog, after: Catalog): readonly string[] {
  return [...after.facts.values()].flatMap((fact) => {
    const was = before.facts.get(fact.key)
    if (was !== undefined) {
      if (canonicalFact(was) === canonicalFact(fact) || was.comment === fact.comment) return []
      const said = commentStatements(was, before).map(({ sql }) => sql)
      return said.length > 0 ? said : [`comment on ${nameInStatement(fact, after)} is null`]
    }
    if (fact.kind === 'grant' && fact.parent !== undefined && before.facts.has(fact.parent)) {
      const { on, onIdentity, grantee } = fact.details
      return [`revoke all on ${on === 'table' ? '' : `${on} `}${onIdentity} from ${grantee}`]
    }
    if (fact.kind === 'default privileges') {
      const { role, inSchema, on, grantee } = fact.details
      const scope = [
        ...(role === undefined ? [] : [`for role ${role}`]),
        ...(inSchema === undefined ? [] : [`in schema ${inSchema}`]),
      ]
      return [['alter default privileges', ...scope, `revoke all on ${on} from ${grantee}`].join(' ')]
    }
    return []
  })
}
