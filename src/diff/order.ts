import { dependentsOf, needsOf, type Catalog, type Fact, type FactKind } from '../catalog/catalog.js'
import { kindRank, needsOfStatement } from '../catalog/ddl-order.js'
import { isRange } from './retype.js'
import type { Step } from './step.js'
import { wholesOf, type World } from './world.js'

/** Functions whose bodies are text come late: PostgreSQL reads some of them when they are made, and says nowhere what they name. */
const LATE: ReadonlySet<FactKind> = new Set(['function', 'procedure', 'aggregate'])

/**
 * Every step behind those that it needs: what is dropped goes before what it needs is dropped or changed, what is made comes after what
 * it needs is made or changed. Otherwise in an order that is always the same.
 */
export function orderSteps(steps: readonly Step[], world: World): readonly Step[] {
  const index = indexOf(steps, world)
  const ranked = steps
    .map((step, at) => ({ step, rank: rankOf(step, world), at }))
    .sort((a, b) => compareRanks(a.rank, b.rank) || a.at - b.at)
  const ordered: Step[] = []
  const state = new Set<Step>()
  const visit = (step: Step): void => {
    if (state.has(step)) return
    state.add(step)
    for (const first of firstOf(step, index, world)) visit(first)
    ordered.push(step)
  }
  for (const { step } of ranked) visit(step)
  return ordered
}

interface Index {
  readonly makers: ReadonlyMap<string, readonly Step[]>
  readonly alterers: ReadonlyMap<string, readonly Step[]>
  readonly droppers: ReadonlyMap<string, readonly Step[]>
  readonly releasers: ReadonlyMap<string, readonly Step[]>
  /** By the name that they take or leave. */
  readonly leaving: ReadonlyMap<string, readonly Step[]>
  /** What makes the things that the body of a function may name, by the name alone. */
  readonly bodies: ReadonlyMap<string, readonly Step[]>
}

function indexOf(steps: readonly Step[], { after }: World): Index {
  const by = (keys: (step: Step) => readonly string[]): ReadonlyMap<string, readonly Step[]> => {
    const map = new Map<string, Step[]>()
    for (const step of steps)
      for (const key of keys(step)) {
        const known = map.get(key)
        if (known === undefined) map.set(key, [step])
        else known.push(step)
      }
    return map
  }
  return {
    makers: by(({ creates }) => creates),
    alterers: by(({ alters }) => alters),
    droppers: by(({ drops }) => drops),
    releasers: by(({ releases }) => releases),
    leaving: by(({ drops }) => drops.flatMap(slotsOf)),
    bodies: by(({ creates, alters, of }) =>
      [...creates, ...alters].flatMap((key) => {
        const fact = key === of ? after.facts.get(key) : undefined
        return fact !== undefined && NAMED_IN_BODIES.has(fact.kind) ? [fact.name] : []
      }),
    ),
  }
}

function firstOf(step: Step, index: Index, world: World): readonly Step[] {
  const { before, after, retyped, fates } = world
  const first: Step[] = []
  const add = (more: readonly Step[] | undefined): void => {
    if (more !== undefined) first.push(...more.filter((one) => one !== step))
  }
  for (const key of step.drops) {
    for (const { from } of dependentsOf(before, key)) {
      // A column stays while its type is made anew beside the old one.
      if (fates.get(key) === 'replaced' && retyped.has(from) && !isRange(before.facts.get(key))) continue
      add(index.droppers.get(from))
      add(index.releasers.get(from))
    }
  }
  for (const key of step.alters) {
    for (const { from } of dependentsOf(before, key)) add(index.droppers.get(from))
    for (const { to } of needsOf(after, key)) {
      add(index.makers.get(to))
      if (!isPartOf(to, step, after)) add(unlessAwaited(index.alterers.get(to), step))
    }
  }
  for (const key of step.creates) {
    add(index.droppers.get(key))
    for (const slot of slotsOf(key)) add(index.leaving.get(slot))
  }
  for (const name of namesInBody(step, index, after)) add(index.bodies.get(name))
  for (const need of needsOfStatement(step, after)) {
    add(index.makers.get(need))
    add(unlessAwaited(index.alterers.get(need), step))
  }
  return first
}

const NAMED_IN_BODIES: ReadonlySet<FactKind> = new Set([
  'function',
  'procedure',
  'aggregate',
  'table',
  'foreign table',
  'view',
  'materialized view',
  'type',
  'domain',
  'sequence',
])

/** Words in a body that PostgreSQL keeps as text and reads when the function is made; a string that is none of these costs nothing. */
function namesInBody(step: Step, index: Index, catalog: Catalog): readonly string[] {
  const fact = catalog.facts.get(step.of)
  if (fact?.kind !== 'function' && fact?.kind !== 'procedure') return []
  if (!step.creates.includes(fact.key) && !step.alters.includes(fact.key)) return []
  const words = new Set(fact.properties.body.match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [])
  return [...index.bodies.keys()].filter((name) => name !== fact.name && words.has(name))
}

/** A table joins its parent when its indexes are there, though they need the table. */
function unlessAwaited(steps: readonly Step[] | undefined, step: Step): readonly Step[] | undefined {
  return steps?.filter(({ needs }) => !step.creates.some((key) => needs.includes(key)))
}

/** A table is not altered before its own columns are. */
function isPartOf(key: string, step: Step, catalog: Catalog): boolean {
  const fact = catalog.facts.get(key)
  return fact !== undefined && wholesOf(fact, catalog).some((whole) => whole.key === step.of)
}

const RELATIONS = /^(?:table|foreign table|view|materialized view|sequence|index) /
const ROWS = /^(?:table|foreign table|view|materialized view|type|domain) /
const ROUTINES = /^(?:function|procedure|aggregate) /

/** Names that two kinds cannot have at the same time. */
function slotsOf(key: string): readonly string[] {
  const name = key.replace(/^(?:foreign |materialized )?\S+ /, '')
  return [
    ...(RELATIONS.test(key) ? [`relation ${name}`] : []),
    ...(ROWS.test(key) ? [`row ${name}`] : []),
    ...(ROUTINES.test(key) ? [`routine ${name}`] : []),
  ]
}

interface Rank {
  /** Drops, then what is changed or made. */
  readonly phase: number
  readonly kind: number
  readonly whole: string
}

function rankOf(step: Step, world: World): Rank {
  const drops = step.drops.length > 0
  const catalog = drops ? world.before : world.after
  const fact = catalog.facts.get(step.of)
  const whole = fact === undefined ? step.of : (wholesOf(fact, catalog).at(-1) ?? fact).key
  const kind = fact === undefined ? 0 : rankOfKind(fact)
  return { phase: drops ? 0 : 1, kind: drops ? -kind : kind, whole }
}

function rankOfKind(fact: Fact): number {
  return LATE.has(fact.kind) ? kindRank('materialized view') + 0.5 : kindRank(fact.kind)
}

function compareRanks(a: Rank, b: Rank): number {
  return a.phase - b.phase || a.kind - b.kind || (a.whole < b.whole ? -1 : a.whole > b.whole ? 1 : 0)
}
