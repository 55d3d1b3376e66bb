import { applyPlan } from '../apply/apply-plan.js'
import type { Observer } from '../apply/observer.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import { createLedger } from '../database/ledger.js'
import type { DbkitError } from '../errors.js'
import { planUp } from '../plan/plan.js'
import { reportOf, type ProofCheck, type ProofFinding } from '../report.js'
import type { BaseWorkspace } from '../workspace/git-workspace.js'
import type { VersionOrder } from '../workspace/version.js'
import { scriptReader, type Migration, type Workspace } from '../workspace/workspace.js'
import { judgeOrder } from './judge.js'
import type { Shadow } from './shadow.js'

export interface Merging {
  readonly config: DatabaseConfig
  readonly workspace: Workspace
  readonly base: BaseWorkspace
  readonly shadow: Shadow
  readonly signal: AbortSignal
  readonly observer: Observer
}

/** One way in which a database may come to have all migrations. */
interface Order {
  readonly what: string
  readonly migrations: readonly Migration[]
}

/**
 * What a merge makes of databases that already have one of its sides: those of the base get this side's migrations afterwards, also
 * where they come earlier by version; those that this branch was tried on, the other way round. Each order has to give the schema that a
 * new database gets.
 */
export async function proveMerge(merging: Merging): Promise<ProofCheck> {
  const { base, workspace } = merging
  const sides = sidesOf(workspace, base)
  const clashes = clashesOf(sides, base.ref)
  if (clashes.length > 0) return { outcome: 'failed', findings: clashes }
  const notes = editedNotes(workspace, base)
  const { orders, late } = ordersOf(sides, base.ref, workspace.order)
  if (orders.length === 1)
    return {
      outcome: 'ok',
      findings: [],
      notes: [
        `nothing comes late: ${countNew(sides.ours, 'here')}, ${countNew(sides.theirs, `on ${base.ref}`)}`,
        ...notes,
      ],
    }
  const findings: ProofFinding[] = []
  let first: Catalog | undefined
  for (const order of orders) {
    const made = await catalogOf(order, merging)
    if ('code' in made)
      return {
        outcome: 'failed',
        findings,
        notes: [`applied in the order ${order.what}`, ...notes],
        error: reportOf(made),
      }
    if (first === undefined) first = made
    else findings.push(...judgeOrder(first, made, order.what))
  }
  return {
    outcome: findings.some(({ severity }) => severity === 'different') ? 'failed' : 'ok',
    findings,
    notes: [`applied late: ${late.join(', ')}`, ...notes],
  }
}

interface Sides {
  readonly common: readonly Migration[]
  readonly ours: readonly Migration[]
  readonly theirs: readonly Migration[]
}

function sidesOf({ migrations }: Workspace, { workspace: base, shared }: BaseWorkspace): Sides {
  const there = new Set(base.migrations.map(({ name }) => name))
  const here = new Set(migrations.map(({ name }) => name))
  return {
    common: migrations.filter(({ name }) => there.has(name)),
    ours: migrations.filter(({ name }) => !there.has(name)),
    theirs: base.migrations.filter(({ name }) => !here.has(name) && !shared.has(name)),
  }
}

/** Two migrations of one version that the merge would bring together. */
function clashesOf({ ours, theirs }: Sides, ref: string): readonly ProofFinding[] {
  return ours.flatMap(({ version, name }) => {
    const other = theirs.find((one) => one.version === version)
    if (other === undefined) return []
    const message = `version ${version} is ${name} here and ${other.name} on ${ref}: give one of them a later version`
    return [{ severity: 'different', object: `migration ${name}`, message }]
  })
}

function editedNotes({ migrations }: Workspace, { ref, workspace }: BaseWorkspace): readonly string[] {
  const there = new Map(workspace.migrations.map(({ name, up }) => [name, up.checksum]))
  const edited = migrations.filter(({ name, up }) => there.has(name) && there.get(name) !== up.checksum)
  return edited.map(({ name }) => `${name} has another text on ${ref}; this one was applied`)
}

/** The order of the versions first; the others only where they are not the same. */
function ordersOf(
  { common, ours, theirs }: Sides,
  ref: string,
  order: VersionOrder,
): { readonly orders: readonly Order[]; readonly late: readonly string[] } {
  const inOrder = (...lists: readonly (readonly Migration[])[]): readonly Migration[] =>
    lists.flat().sort((a, b) => order(a.version, b.version))
  const byVersion = inOrder(common, ours, theirs)
  const all: readonly Order[] = [
    { what: 'of the versions', migrations: byVersion },
    { what: `${ref} first, then what is new here`, migrations: [...inOrder(common, theirs), ...ours] },
    {
      what: `what is here first, then what is new on ${ref}`,
      migrations: [...inOrder(common, ours), ...theirs],
    },
  ]
  const seen = new Set<string>()
  const orders = all.filter(({ migrations }) => {
    const key = migrations.map(({ name }) => name).join('\n')
    return !seen.has(key) && seen.add(key)
  })
  const late = orders
    .slice(1)
    .flatMap(({ migrations }) =>
      migrations.filter(({ version }, index) =>
        migrations.slice(0, index).some((before) => order(before.version, version) > 0),
      ),
    )
  return { orders, late: [...new Set(late.map(({ name }) => name))].sort() }
}

function countNew(migrations: readonly Migration[], where: string): string {
  const [only] = migrations
  if (migrations.length === 1 && only !== undefined) return `${only.name} is new ${where}`
  return `${migrations.length === 0 ? 'nothing' : String(migrations.length)} is new ${where}`.replace(
    /^(\d+) is/,
    '$1 are',
  )
}

async function catalogOf({ what, migrations }: Order, merging: Merging): Promise<Catalog | DbkitError> {
  const { shadow, config, signal, observer, workspace } = merging
  observer({ kind: 'proof', database: config.name, what: `the order ${what}`, index: 0, total: 1 })
  await shadow.renew()
  await createLedger(await shadow.sessions.current(), config.ledger)
  const { steps } = planUp(
    { ...workspace, migrations },
    { exists: true, entries: [] },
    { kind: 'latest' },
    { allowOutOfOrder: false, singleTransaction: false },
    { text: scriptReader() },
  )
  const { error } = await applyPlan({ steps, notes: [] }, shadow.sessions, config, {
    signal,
    observer: () => undefined,
    singleTransaction: false,
  })
  if (error?.exit === 130) throw error
  return error ?? readCatalog(await shadow.sessions.current(), { ledger: config.ledger })
}
