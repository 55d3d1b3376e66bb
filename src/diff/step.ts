import type { Fact } from '../catalog/catalog.js'
import type { Statement } from '../catalog/ddl-statement.js'

/** One statement of a plan, and what it means to the facts of both catalogs. Its place in the plan follows from that. */
export interface Step {
  readonly sql: string
  /** Key of the fact that it is about. */
  readonly of: string
  /** Facts of the old catalog that are gone once it has run. */
  readonly drops: readonly string[]
  /** Facts of the new catalog, and marks, that are there once it has run. */
  readonly creates: readonly string[]
  /** Facts that are as in the new catalog once it has run, or nearer to it. */
  readonly alters: readonly string[]
  /** Facts of the old catalog that need nothing any more of what they needed. */
  readonly releases: readonly string[]
  /** Facts of the new catalog, and marks, that have to be there before. */
  readonly needs: readonly string[]
  /** Of the needs that follow from `creates`, those that another step sees to. */
  readonly notYet: readonly string[]
  /** What is lost with it and is nowhere else. */
  readonly loss: string | undefined
  /** Labels that it adds to an enum: they can be used once its transaction has ended. */
  readonly labels: readonly string[]
}

const NOTHING = {
  drops: [],
  creates: [],
  alters: [],
  releases: [],
  needs: [],
  notYet: [],
  loss: undefined,
  labels: [],
} satisfies Partial<Step>

/** A step that brings a fact nearer to the new catalog. */
export function alter(fact: Fact, sql: string, more: Partial<Step> = {}): Step {
  return { ...NOTHING, sql, of: fact.key, alters: [fact.key], releases: [fact.key], ...more }
}

/** A step that takes a fact away. */
export function drop(fact: Fact, sql: string, more: Partial<Step> = {}): Step {
  return { ...NOTHING, sql, of: fact.key, drops: [fact.key], ...more }
}

/** A statement that makes a fact, as it would be made in an empty database. */
export function made({ sql, of, creates, needs, notYet }: Statement): Step {
  return { ...NOTHING, sql, of, creates, needs, notYet }
}

/** These one after the other, whatever else comes between. */
export function chained(steps: readonly Step[]): readonly Step[] {
  return steps.map((step, index) => {
    const mark = (at: number): string => `${step.of} step ${String(at)} of ${String(steps.length)}`
    return {
      ...step,
      creates: index === steps.length - 1 ? step.creates : [...step.creates, mark(index)],
      needs: index === 0 ? step.needs : [...step.needs, mark(index - 1)],
    }
  })
}
