import { compareCatalogs, type Difference } from '../catalog/compare.js'
import {
  dependentsOf,
  factsOf,
  needsOf,
  partsOf,
  type Catalog,
  type Fact,
  type FactOf,
} from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import { areComparable } from './cast.js'
import { createSteps } from './create.js'
import { dropSteps } from './drop.js'
import { orderSteps } from './order.js'
import { redefaultSteps, replaceSteps, retypeSteps, changesAttributeTypes } from './retype.js'
import { answersTo, type Answer } from './rules.js'
import type { Step } from './step.js'
import { descendantsOf, isGone, isMade, isTable, tableOf, wholesOf, type Fate, type World } from './world.js'

/** What brings a database nearer to another one, and what cannot be done about it. */
export interface Round {
  /** In the order in which they are run. */
  readonly steps: readonly Step[]
  readonly refused: readonly Refusal[]
}

export interface Refusal {
  /** Kind and name. */
  readonly object: string
  readonly why: string
}

/**
 * The steps from one catalog to another. What PostgreSQL does by itself on the way (a partition that is detached keeps a copy of each
 * foreign key, say) is seen when the result is read: then another round brings the rest.
 */
export function planRound(before: Catalog, after: Catalog): Round {
  return new Planner(before, after).plan()
}

class Planner implements World {
  readonly before: Catalog
  readonly after: Catalog
  readonly fates = new Map<string, Fate>()
  readonly retyped = new Set<string>()
  readonly redefaulted = new Set<string>()
  private readonly differences: readonly Difference[]
  private readonly refused: Refusal[] = []

  constructor(before: Catalog, after: Catalog) {
    this.before = before
    this.after = after
    this.differences = compareCatalogs(before, after).differences.filter((one) => !isHiddenDifference(one))
  }

  plan(): Round {
    this.decide()
    const steps = [...this.dropSteps(), ...this.changeSteps(), ...this.createSteps()]
    return { steps: withoutRepetition(orderSteps(steps, this)), refused: this.refused }
  }

  // ---- what becomes of each fact

  private decide(): void {
    for (const { kind, key } of this.differences) this.fates.set(key, kind === 'changed' ? 'altered' : kind)
    for (const table of this.moving()) this.deferParts(table)
    for (const { key, parent } of this.before.facts.values()) {
      const now = this.after.facts.get(key)
      // A column of a view that was one of a table, the index of a key that stood alone: the same name, and another thing.
      if (now !== undefined && now.parent !== parent) this.remake(key)
    }
    for (const { key, details } of factsOf(this.before, 'sequence')) {
      const now = this.after.facts.get(key)
      // That of a serial and that of an identity are different things of one name.
      if (now?.kind === 'sequence' && now.details.identity !== details.identity) this.remake(key)
    }
    for (const difference of this.differences)
      if (difference.kind === 'changed' && difference.after.kind === 'column') this.retypeColumn(difference)
    for (const difference of this.differences) {
      if (difference.kind !== 'changed' || this.fates.get(difference.key) !== 'altered') continue
      const kinds = this.answers(difference).map(({ kind }) => kind)
      if (kinds.includes('replace')) this.replace(difference.key)
      else if (kinds.includes('remake')) this.remake(difference.key)
    }
    for (const difference of this.differences)
      if (difference.kind === 'changed' && difference.after.kind === 'column') this.replaceWhole(difference)
    for (const [key, fate] of [...this.fates]) if (fate === 'removed') this.spread(key)
  }

  private answers(difference: Extract<Difference, { kind: 'changed' }>): readonly Answer[] {
    const names = difference.changes.map(({ property }) => property)
    return answersTo(difference.before, difference.after, names, this)
  }

  /** Tables that get another parent, or none: what their parts are is seen afterwards. */
  private moving(): readonly { readonly key: string; readonly joins: boolean }[] {
    return this.differences.flatMap((difference) => {
      if (difference.kind !== 'changed' || !isTable(difference.after) || !isTable(difference.before))
        return []
      const [old, now] = [difference.before.properties, difference.after.properties]
      const moves =
        old.partitionOf !== now.partitionOf ||
        old.partitionBound !== now.partitionBound ||
        old.inherits.join() !== now.inherits.join()
      const leaves =
        (old.partitionOf !== undefined && old.partitionOf !== now.partitionOf) ||
        old.inherits.some((parent) => !now.inherits.includes(parent))
      return moves ? [{ key: difference.key, joins: !leaves }] : []
    })
  }

  /** Before it joins a parent, a table gets what it lacks, and loses nothing yet. */
  private deferParts({ key, joins }: { readonly key: string; readonly joins: boolean }): void {
    for (const difference of this.differences) {
      const fact = difference.kind === 'changed' ? difference.after : difference.fact
      const catalog = difference.kind === 'removed' ? this.before : this.after
      if (fact.key === key || !wholesOf(fact, catalog).some((whole) => whole.key === key)) continue
      if (joins && (difference.kind === 'added' || this.isNotNull(difference))) continue
      this.fates.set(difference.key, 'deferred')
    }
  }

  private isNotNull(difference: Difference): boolean {
    return (
      difference.kind === 'changed' &&
      difference.after.kind === 'column' &&
      difference.changes.some(({ property }) => property === 'notNull' || property === 'type')
    )
  }

  private retypeColumn({ before, after, changes }: Extract<Difference, { kind: 'changed' }>): void {
    if (this.fates.get(after.key) !== 'altered' || before.kind !== 'column' || after.kind !== 'column') return
    const types = changes.some(({ property }) => property === 'type' || property === 'collation')
    const table = tableOf(after, this.after)
    if (!types || table === undefined || wholesOf(after, this.after)[0]?.key !== table.key) return
    if (after.properties.generated !== undefined) return
    this.retype(before)
  }

  /** Its values are written anew: what is made of them has to be out of the way. */
  private retype(column: FactOf<'column'>): void {
    if (this.retyped.has(column.key)) return
    this.retyped.add(column.key)
    const table = tableOf(column, this.before)
    for (const child of table === undefined ? [] : descendantsOf(table, this.before)) {
      const same = this.before.facts.get(`column ${child.identity}.${quoteIfNeeded(column.name)}`)
      if (same?.kind === 'column') this.retype(same)
    }
    const now = this.after.facts.get(column.key)
    const type = now?.kind === 'column' ? now.properties.type : column.properties.type
    const comparable = areComparable(column.properties.type, type) && !this.isReplaced(column)
    for (const { from } of dependentsOf(this.before, column.key)) {
      const fact = this.before.facts.get(from)
      if (fact === undefined) continue
      if (STAND_ON_VALUES.has(fact.kind) || isForeignKey(fact, comparable)) this.remake(from)
      else if (fact.kind === 'column' && fact.properties.generated !== undefined) this.remake(from)
    }
  }

  private isReplaced({ key }: Fact): boolean {
    return needsOf(this.before, key).some(({ to }) => this.fates.get(to) === 'replaced')
  }

  /** A composite type whose attributes have other types is replaced as a whole. */
  private replaceWhole({ after }: Extract<Difference, { kind: 'changed' }>): void {
    const [whole] = wholesOf(after, this.after)
    if (whole?.kind === 'type' && changesAttributeTypes(whole, this)) this.replace(whole.key)
  }

  private replace(key: string): void {
    if (this.fates.get(key) === 'replaced') return
    this.fates.set(key, 'replaced')
    this.remakeParts(key)
    for (const { from } of dependentsOf(this.before, key)) {
      const fact = this.before.facts.get(from)
      if (fact === undefined || !this.after.facts.has(from)) continue
      const [whole] = wholesOf(fact, this.before)
      if (fact.kind === 'column' && fact.properties.generated !== undefined) this.remake(from)
      else if (fact.kind === 'column' && isTable(whole)) this.retype(fact)
      else if (fact.kind === 'column' && whole?.kind === 'type') this.replace(whole.key)
      else if (fact.kind === 'domain' || fact.kind === 'type') this.replace(from)
      else if (isTable(fact)) this.refuse(fact, `it is a table of ${key}, which has to be made anew`)
      else if (fact.parent !== key) this.remake(from)
    }
  }

  private remake(key: string): void {
    const fate = this.fates.get(key)
    if (fate === 'removed' || fate === 'added' || fate === 'remade' || fate === 'replaced') return
    const [before, after] = [this.before.facts.get(key), this.after.facts.get(key)]
    if (before === undefined) return
    // Its whole is gone, or it is made of other parts: there is nothing to make again.
    if (after === undefined) {
      this.fates.set(key, 'removed')
      this.spread(key)
      return
    }
    if (isTable(before) && before.kind === 'table') {
      this.refuse(before, 'it would have to be made again, with its rows')
      return
    }
    this.fates.set(key, 'remade')
    this.remakeParts(key)
    this.spread(key)
  }

  private remakeParts(key: string): void {
    for (const part of partsOf(this.before, key)) this.remake(part.key)
    // Parts that only the new one has are added with it anyhow.
  }

  /** Who needs what is dropped. */
  private spread(key: string): void {
    const gone = this.fates.get(key)
    for (const { from } of dependentsOf(this.before, key)) {
      const fact = this.before.facts.get(from)
      if (fact === undefined || this.isUnmoved(fact, key)) continue
      // What is changed so that it does not need it any more lets it go.
      const needsStill = needsOf(this.after, from).some(({ to }) => to === key)
      if (gone === 'removed' && this.fates.get(from) === 'altered') continue
      if (gone === 'remade' && this.fates.get(from) === 'altered' && !needsStill) continue
      if (fact.kind === 'column' && this.freesColumn(fact)) continue
      if (fact.kind === 'domain') {
        this.redefaulted.add(from)
        continue
      }
      this.remake(from)
    }
  }

  private isUnmoved(fact: Fact, of: string): boolean {
    if (fact.parent === of && (this.fates.get(of) === 'removed' || this.fates.get(of) === 'remade'))
      return false
    // A table whose parent goes is set free by the change of its own.
    return isTable(fact) || fact.kind === 'sequence' || fact.kind === 'schema' || fact.kind === 'extension'
  }

  /** A column of a table stays; its default is set again. */
  private freesColumn(column: FactOf<'column'>): boolean {
    const [whole] = wholesOf(column, this.before)
    if (!isTable(whole)) return false
    if (isGone(this, whole.key) || column.properties.generated !== undefined) return false
    if (this.fates.get(column.key) === 'remade') return true
    if (column.properties.default !== undefined) this.redefaulted.add(column.key)
    return true
  }

  private refuse(fact: Fact, why: string): void {
    if (!this.refused.some(({ object }) => object === fact.key)) this.refused.push({ object: fact.key, why })
  }

  // ---- the steps

  private dropSteps(): readonly Step[] {
    return [...this.fates].flatMap(([key, fate]) => {
      const fact = this.before.facts.get(key)
      if (fact === undefined || (fate !== 'removed' && fate !== 'remade')) return []
      return dropSteps(fact, this)
    })
  }

  private changeSteps(): readonly Step[] {
    const steps: Step[] = []
    for (const difference of this.differences) {
      if (difference.kind !== 'changed' || this.fates.get(difference.key) !== 'altered') continue
      for (const answer of this.answers(difference)) {
        if (answer.kind === 'refused') this.refuse(difference.after, answer.why)
        if (answer.kind === 'steps') steps.push(...answer.steps)
      }
    }
    const changed = new Set(
      this.differences.flatMap((one) =>
        one.kind === 'changed' && this.fates.get(one.key) === 'altered' ? [one.key] : [],
      ),
    )
    for (const key of this.retyped) {
      const [before, after] = [this.before.facts.get(key), this.after.facts.get(key)]
      // A column whose type is replaced looks the same on both sides.
      const told = steps.some(({ alters, of }) => of === key && alters.includes(key))
      if (before?.kind !== 'column' || after?.kind !== 'column' || isMade(this, key) || told) continue
      if (!changed.has(key) || this.isReplaced(before)) steps.push(...retypeSteps(before, after, this))
    }
    for (const key of this.redefaulted)
      if (!this.retyped.has(key) && !changed.has(key) && !isMade(this, key))
        steps.push(...redefaultSteps(key, this))
    for (const [key, fate] of this.fates) {
      const [before, after] = [this.before.facts.get(key), this.after.facts.get(key)]
      if (fate !== 'replaced') continue
      if ((before?.kind === 'type' || before?.kind === 'domain') && before.kind === after?.kind)
        steps.push(...replaceSteps(before, after, this))
    }
    return steps
  }

  private createSteps(): readonly Step[] {
    return [...this.fates].flatMap(([key, fate]) => {
      const fact = this.after.facts.get(key)
      if (fact === undefined || (fate !== 'added' && fate !== 'remade')) return []
      if (fact.kind === 'subscription') {
        this.refuse(fact, 'its connection string may hold a password, and is not kept')
        return []
      }
      return createSteps(fact, this)
    })
  }
}

/** What hangs on the values of a column and is not changed with them. */
const STAND_ON_VALUES: ReadonlySet<Fact['kind']> = new Set([
  'view',
  'materialized view',
  'rule',
  'policy',
  'trigger',
  'function',
  'procedure',
  'publication',
])

function isForeignKey(fact: Fact, comparable: boolean): boolean {
  return fact.kind === 'constraint' && fact.properties.type === 'foreign key' && !comparable
}

/** A password, which is hidden when it is read and cannot be told from another one. */
export function isHiddenDifference(difference: Difference): boolean {
  if (difference.kind !== 'changed') return false
  const without = (value: unknown): string =>
    JSON.stringify(Array.isArray(value) ? value.filter((one) => !String(one).endsWith('=***')) : value)
  return difference.changes.every(
    ({ property, before, after }) => property === 'options' && without(before) === without(after),
  )
}

/** Two properties of a fact may ask for the same statement. */
function withoutRepetition(steps: readonly Step[]): readonly Step[] {
  const seen = new Set<string>()
  return steps.filter(({ sql, of }) => {
    const id = `${of}\u0000${sql}`
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}
