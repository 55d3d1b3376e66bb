import { hash } from 'node:crypto'
import type { Catalog, Fact, FactKind, PropertyValue } from './catalog.js'

/**
 * One hash for everything a database contains: two databases have the same exactly when `pg_dump --schema-only` writes the same for
 * both, whatever the order of their columns, the major version and the name of the role that owns it all.
 */
export function catalogHash(catalog: Catalog): string {
  return hash('sha256', canonicalText(catalog), 'hex')
}

/** The text that is hashed: a line a fact and a property, to be read when two hashes differ. */
export function canonicalText(catalog: Catalog): string {
  const lines: string[] = []
  for (const fact of catalog.facts.values()) lines.push(canonicalFact(fact))
  for (const { kind, identity } of catalog.unmodelled) lines.push(`unmodelled ${kind} ${identity}`)
  return lines.join('\n')
}

/** One fact's lines; what is not there (undefined, false, an empty list) has none, so that a new property changes no old hash. */
export function canonicalFact(fact: Fact): string {
  const lines = [fact.key]
  for (const [name, value] of propertiesOf(fact))
    if (value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0))
      lines.push(`  ${name}: ${JSON.stringify(value)}`)
  return lines.join('\n')
}

/** Everything of a fact that is hashed and compared, in an order that is always the same. */
export function propertiesOf(fact: Fact): readonly (readonly [name: string, value: PropertyValue])[] {
  const properties = fact.properties as Readonly<Record<string, PropertyValue>>
  let names = NAMES.get(fact.kind)
  if (names === undefined) NAMES.set(fact.kind, (names = [...Object.keys(properties), 'comment'].sort()))
  return names.map((name) => [name, name === 'comment' ? fact.comment : properties[name]])
}

/** Facts of a kind have the same properties. */
const NAMES = new Map<FactKind, readonly string[]>()
