import type { Fact, FactKind, FactOf, FactProperties } from '../catalog/catalog.js'
import { literal, nameInStatement } from '../catalog/ddl-statement.js'
import { columnRules } from './rules-columns.js'
import { databaseRules } from './rules-database.js'
import { relationRules } from './rules-relations.js'
import { routineRules } from './rules-routines.js'
import { typeRules } from './rules-types.js'
import { alter, type Step } from './step.js'
import { wholesOf, type World } from './world.js'

/**
 * What a change of one property asks for: steps; to be made again (`remake`); to be made anew beside the old one (`replace`); nothing,
 * because another change brings it (`follows`); or it cannot be done, and why.
 */
export type Answer =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'remake' | 'replace' | 'follows' }
  | { readonly kind: 'refused'; readonly why: string }

export type Rule<K extends FactKind> = (before: FactOf<K>, after: FactOf<K>, world: World) => Answer

/** Every property of every kind has a rule: the compiler sees to it. */
export type Rules = {
  readonly [K in FactKind]: { readonly [P in keyof FactProperties[K]]-?: Rule<K> }
}

export const RULES: Rules = {
  ...databaseRules,
  ...relationRules,
  ...columnRules,
  ...routineRules,
  ...typeRules,
}

/** The answer to each property that changed, in the order of the table of rules. */
export function answersTo(
  before: Fact,
  after: Fact,
  properties: readonly string[],
  world: World,
): readonly Answer[] {
  const rules = RULES[after.kind] as Readonly<Record<string, Rule<never> | undefined>>
  const names = Object.keys(rules).filter((name) => properties.includes(name))
  return [
    ...names.flatMap((name) => {
      const rule = rules[name]
      return rule === undefined ? [] : [rule(before as never, after as never, world)]
    }),
    ...(properties.includes('comment') ? [commentAnswer(after, world)] : []),
  ]
}

function commentAnswer(fact: Fact, { after }: World): Answer {
  if (fact.kind === 'column') {
    const [whole] = wholesOf(fact, after)
    if (whole === undefined) return { kind: 'follows' }
  }
  // The one that every database begins with shows as none.
  const usual = fact.key === 'schema public' ? literal('standard public schema') : 'null'
  const text = fact.comment === undefined ? usual : literal(fact.comment)
  return {
    kind: 'steps',
    steps: [alter(fact, `comment on ${nameInStatement(fact, after)} is ${text}`, { releases: [] })],
  }
}
