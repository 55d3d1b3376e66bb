import { quoteIfNeeded, quoteLiteral } from '../database/quote.js'
import type { Catalog, Fact } from './catalog.js'

/** One SQL statement that makes a part of a catalog, without its semicolon. */
export interface Statement {
  readonly sql: string
  /** Key of the fact that it is about; decides where it is written. */
  readonly of: string
  /** What is there once it has run: keys of facts, and marks. */
  readonly creates: readonly string[]
  /** What has to be there before, beside that which the edges of `creates` say. */
  readonly needs: readonly string[]
  /** Of those edges, the ones that another statement sees to. */
  readonly notYet: readonly string[]
}

/** The statement that creates a fact, and parts of it with it. */
export function create(fact: Fact, sql: string, more: Partial<Statement> = {}): Statement {
  return { of: fact.key, sql, creates: [fact.key], needs: [], notYet: [], ...more }
}

/** A statement that changes a fact that is there already. */
export function change(fact: Fact, sql: string, more: Partial<Statement> = {}): Statement {
  return { of: fact.key, sql, creates: [], notYet: [], ...more, needs: [fact.key, ...(more.needs ?? [])] }
}

/** A mark: the sequence is tied to its column, so that both change their owner together. */
export function tiedMark(sequence: string): string {
  return `${sequence} tied`
}

/** A mark: the table is a partition of its parent. */
export function attachedMark(table: string): string {
  return `${table} attached`
}

/** A mark: the base type has its body. */
export function completeMark(type: string): string {
  return `${type} complete`
}

/** How COMMENT ON, ALTER and DROP name a fact: "table public.loads", "trigger touch on public.loads". */
export function nameInStatement(fact: Fact, catalog: Catalog): string {
  switch (fact.kind) {
    case 'constraint':
    case 'trigger':
    case 'policy':
    case 'rule': {
      const whole = fact.parent === undefined ? undefined : catalog.facts.get(fact.parent)
      const domain = whole?.kind === 'domain' ? 'domain ' : ''
      return `${fact.kind} ${quoteIfNeeded(fact.name)} on ${domain}${whole?.identity ?? wholeOf(fact)}`
    }
    default:
      return fact.key
  }
}

/** Of a policy on an extension's table, which is no fact. */
export function wholeOf(part: Fact): string {
  return part.identity.slice(0, -quoteIfNeeded(part.name).length - 1)
}

/** COMMENT ON; nothing where there is none. */
export function commentStatements(fact: Fact, catalog: Catalog): readonly Statement[] {
  if (fact.comment === undefined) return []
  return [change(fact, `comment on ${nameInStatement(fact, catalog)} is ${literal(fact.comment)}`)]
}

/** OWNER TO; nothing for the owner of the database, and for a sequence, which follows its table. */
export function ownerStatements(fact: Fact, catalog: Catalog): readonly Statement[] {
  if (!('owner' in fact.properties) || fact.properties.owner === undefined) return []
  if (fact.kind === 'sequence' && fact.properties.ownedBy !== undefined) return []
  const owner = quoteIfNeeded(fact.properties.owner)
  const needs = fact.kind === 'table' ? ownedSequences(catalog, fact.key).map(tiedMark) : []
  return [change(fact, `alter ${fact.key} owner to ${owner}`, { needs })]
}

function ownedSequences(catalog: Catalog, table: string): readonly string[] {
  return [...catalog.facts.values()].flatMap((fact) => {
    if (fact.kind !== 'sequence' || fact.properties.ownedBy === undefined || fact.details.identity) return []
    const column = catalog.facts.get(`column ${fact.properties.ownedBy}`)
    return column?.parent === table ? [fact.key] : []
  })
}

/** DEPENDS ON EXTENSION. */
export function tieStatements(fact: Fact, catalog: Catalog): readonly Statement[] {
  if (!('extensions' in fact.properties)) return []
  return fact.properties.extensions.map((name) => {
    const extension = `extension ${quoteIfNeeded(name)}`
    return change(fact, `alter ${nameInStatement(fact, catalog)} depends on ${extension}`, {
      needs: [extension],
    })
  })
}

export function literal(text: string): string {
  return quoteLiteral(text).trim()
}

/** ALTER TABLE t ENABLE/DISABLE ... x; nothing for what is enabled as usual. */
export function enabledClause(enabled: 'origin' | 'disabled' | 'replica' | 'always'): string {
  return { origin: 'enable', disabled: 'disable', replica: 'enable replica', always: 'enable always' }[
    enabled
  ]
}
