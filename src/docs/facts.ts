import { dependentsOf, partsOfKind, type Catalog, type Fact, type FactOf } from '../catalog/catalog.js'
import { allowedBy, allowedByAll } from '../codegen/check-values.js'

/** The only values that the CHECKs of a domain allow, if they have a list. */
export function domainValues(catalog: Catalog, fact: FactOf<'domain'>): readonly string[] | undefined {
  return allowedByAll(
    partsOfKind(catalog, fact.key, 'constraint')
      .filter(({ properties }) => properties.type === 'check' && properties.validated)
      .map(({ properties }) => allowedBy(checkExpression(properties.definition), undefined)),
  ).values
}

/** "CHECK ((a > 0))" -> "((a > 0))" */
export function checkExpression(definition: string): string {
  return definition.replace(/^CHECK /, '')
}

/** Facts that need this one, in the order of their keys. */
export function neededBy(catalog: Catalog, key: string): readonly Fact[] {
  return [...new Set(dependentsOf(catalog, key).map(({ from }) => from))]
    .sort()
    .flatMap((from) => catalog.facts.get(from) ?? [])
}
