import { applyPlan } from '../apply/apply-plan.js'
import type { Observer } from '../apply/observer.js'
import type { Catalog } from '../catalog/catalog.js'
import { canonicalFact } from '../catalog/hash.js'
import type { Difference } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import { createLedger } from '../database/ledger.js'
import type { Step } from '../plan/plan.js'
import { locationIn } from '../workspace/migration-file.js'
import type { DriftExplanation } from '../report.js'
import { splitStatements } from '../workspace/statements.js'
import type { Shadow } from './shadow.js'

export interface Explaining {
  readonly config: DatabaseConfig
  readonly shadow: Shadow
  readonly signal: AbortSignal
  readonly observer: Observer
  /** What the database has been through. */
  readonly applied: readonly Step[]
  /** What it has not: it may have been done by hand. */
  readonly pending: readonly Step[]
}

/** A fact after a migration that made it another one; undefined text: it was not there. */
interface Moment {
  readonly step: Step | undefined
  readonly pending: boolean
  readonly text: string | undefined
}

/**
 * Runs the migrations once more, one by one, and watches what differs: the migration that made a fact what it should be, and any that
 * made it what it is, explain the difference.
 */
export async function explainDrift(
  differences: readonly Difference[],
  live: Catalog,
  explaining: Explaining,
): Promise<ReadonlyMap<string, DriftExplanation>> {
  const { shadow, config, signal, observer, applied, pending } = explaining
  const histories = new Map<string, Moment[]>(
    differences.map(({ key }) => [key, [{ step: undefined, pending: false, text: undefined }]]),
  )
  const watch = (catalog: Catalog, moment: Omit<Moment, 'text'>): void => {
    for (const [key, history] of histories) {
      const text = textOf(catalog, key)
      if (history.at(-1)?.text !== text) history.push({ ...moment, text })
    }
  }
  await shadow.renew()
  await createLedger(await shadow.sessions.current(), config.ledger)
  watch(await readCatalog(await shadow.sessions.current(), { ledger: config.ledger }), {
    step: undefined,
    pending: false,
  })
  const steps = [...applied, ...pending]
  for (const [index, step] of steps.entries()) {
    observer({ kind: 'proof', database: config.name, what: step.name, index, total: steps.length })
    const { error } = await applyPlan({ steps: [step], notes: [] }, shadow.sessions, config, {
      signal,
      observer: () => undefined,
      singleTransaction: false,
    })
    if (error?.exit === 130) throw error
    // A pending migration that fails explains nothing; an applied one was applied before.
    if (error !== undefined) break
    const catalog = await readCatalog(await shadow.sessions.current(), { ledger: config.ledger })
    watch(catalog, { step, pending: index >= applied.length })
  }
  return new Map(
    differences.map((difference) => {
      const history = histories.get(difference.key) ?? []
      return [difference.key, explain(difference, history, textOf(live, difference.key))] as const
    }),
  )
}

function textOf(catalog: Catalog, key: string): string | undefined {
  const fact = catalog.facts.get(key)
  return fact === undefined ? undefined : canonicalFact(fact)
}

function explain(
  difference: Difference,
  history: readonly Moment[],
  now: string | undefined,
): DriftExplanation {
  const past = history.filter(({ pending }) => !pending)
  const foreseen = history.find(({ pending, text }) => pending && text === now)
  if (foreseen?.step !== undefined) return { kind: 'pending', ...placeIn(foreseen.step, difference) }
  const last = past.at(-1)
  if (last?.step === undefined) return { kind: 'unknown' }
  const before = past.at(-2)
  if (last.text === undefined) return { kind: 'kept', ...placeIn(last.step, difference) }
  return { kind: before?.text === now ? 'undone' : 'altered', ...placeIn(last.step, difference) }
}

/** The last statement that names the object, and what it is a part of if any does both. A comment is what COMMENT ON wrote. */
function placeIn({ name, script }: Step, difference: Difference): Omit<DriftExplanation, 'kind'> {
  const names = namesIn(difference.key)
  const isComment =
    difference.kind === 'changed' && difference.changes.every(({ property }) => property === 'comment')
  let best: { readonly start: number; readonly found: number } | undefined
  const statements = script.module === undefined ? splitStatements(script.text) : []
  for (const { text, start, words: first } of statements) {
    if ((first[0] === 'comment') !== isComment) continue
    const words: readonly string[] = text.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? []
    // Its own name is the last one: without it, it is about something else.
    const own = names.at(-1)
    if (own === undefined || !words.includes(own)) continue
    const target = words.filter((word) => !BEFORE_THE_NAME.has(word)).slice(0, 2)
    const found =
      names.filter((one) => words.includes(one)).length +
      (target.some((word) => names.includes(word)) ? names.length : 0)
    if (found >= (best?.found ?? 0)) best = { start, found }
  }
  return {
    migration: name,
    file: script.file,
    ...(best === undefined ? {} : { line: locationIn(script, best.start).line }),
  }
}

/** What may stand between the verb of a statement and the name of what it is about. */
const BEFORE_THE_NAME = new Set(
  (
    'create alter drop or replace unique temp temporary unlogged global local recursive materialized foreign table view index ' +
    'function procedure aggregate sequence type domain schema extension trigger constraint policy rule statistics server data ' +
    'wrapper publication subscription event collation cast operator class family text search configuration dictionary language ' +
    'default privileges concurrently if not exists only comment grant revoke on column public'
  ).split(' '),
)

/** The names in a key, without its kind, its schema's default and its arguments: "index public.loads_at" -> loads_at. */
function namesIn(key: string): readonly string[] {
  const plain = key.toLowerCase().replace(/\(.*$/s, '')
  const identity = plain.slice(plain.lastIndexOf(' ') + 1)
  return identity
    .split('.')
    .map((part) => part.replaceAll('"', ''))
    .filter((part) => part !== '' && part !== 'public')
}
