import type { Catalog, Fact } from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import type { Named, Place, Target } from './docs.js'
import type { Provenance } from './provenance.js'
import { slugOf } from './slug.js'

/** What a name of the catalog is called in a documentation, and who made it. */
export class Names {
  private readonly catalog: Catalog
  private readonly provenance: Provenance
  readonly schema: string

  constructor(catalog: Catalog, schema: string, provenance: Provenance) {
    this.catalog = catalog
    this.schema = schema
    this.provenance = provenance
  }

  named(fact: Fact): Named {
    return {
      key: fact.key,
      label: this.label(fact.identity),
      slug: this.slug(fact),
      comment: fact.comment,
    }
  }

  /** "public.loads" -> "loads" where public is the default. */
  label(identity: string): string {
    const prefix = `${quoteIfNeeded(this.schema)}.`
    return identity.startsWith(prefix) ? identity.slice(prefix.length) : identity
  }

  slug(fact: Fact): string {
    // A function is told apart by its arguments as well, which its identity has.
    if (fact.kind === 'function' || fact.kind === 'procedure' || fact.kind === 'aggregate')
      return slugOf(...this.outer(fact.schema), fact.identity.slice(fact.identity.indexOf('.') + 1))
    return slugOf(...this.outer(fact.schema), fact.name)
  }

  private outer(schema: string | undefined): readonly string[] {
    return schema === undefined || schema === this.schema ? [] : [schema]
  }

  /** A table or view by its identity, when it has a page. */
  target(identity: string, column: string | undefined): Target | undefined {
    for (const kind of ['table', 'foreign table', 'view', 'materialized view'] as const) {
      const fact = this.catalog.facts.get(`${kind} ${identity}`)
      if (fact !== undefined) return this.targetOf(fact, column)
    }
    return undefined
  }

  targetOf(fact: Fact, column: string | undefined): Target | undefined {
    const isTable = fact.kind === 'table' || fact.kind === 'foreign table'
    if (!isTable && fact.kind !== 'view' && fact.kind !== 'materialized view') return undefined
    if (isTable && fact.properties.partitionOf !== undefined) return undefined
    const { key, label, slug } = this.named(fact)
    return { key, label, slug, kind: isTable ? 'table' : 'view', column }
  }

  identityOf(schema: string, name: string): string {
    return `${quoteIfNeeded(schema)}.${quoteIfNeeded(name)}`
  }

  /** Types and expressions without the default schema, types by their short names. */
  text(text: string): string {
    const prefix = new RegExp(`(?<![\\w."$])${escapeRegExp(quoteIfNeeded(this.schema))}\\.(?=[\\w"])`, 'gu')
    return outsideLiterals(text, (part) => shortTypes(part.replaceAll(prefix, '')))
  }

  made(what: string): Place | undefined {
    return this.provenance.made.get(what)
  }

  eventsOf(relation: string): ReturnType<Provenance['events']['get']> {
    return this.provenance.events.get(relation)
  }
}

const SHORT: readonly (readonly [RegExp, string])[] = [
  [/\bcharacter varying\b/g, 'varchar'],
  [/\bcharacter(?=\s*\()/g, 'char'],
  [/\btimestamp(\(\d\))? with time zone\b/g, 'timestamptz$1'],
  [/\btimestamp(\(\d\))? without time zone\b/g, 'timestamp$1'],
  [/\btime(\(\d\))? with time zone\b/g, 'timetz$1'],
  [/\btime(\(\d\))? without time zone\b/g, 'time$1'],
  [/\bdouble precision\b/g, 'float8'],
]

function shortTypes(text: string): string {
  return SHORT.reduce((shorter, [long, short]) => shorter.replaceAll(long, short), text)
}

/** A literal is a value, whatever it looks like; so is the text of a function. */
function outsideLiterals(text: string, change: (part: string) => string): string {
  return text
    .split(/('(?:[^']|'')*')/)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join('')
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
