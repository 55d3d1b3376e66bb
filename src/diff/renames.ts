import { compareCatalogs } from '../catalog/compare.js'
import { partsOfKind, type Catalog, type Fact, type FactKind, type FactOf } from '../catalog/catalog.js'
import { nameInStatement } from '../catalog/ddl-statement.js'
import { quoteIfNeeded } from '../database/quote.js'
import { alter, type Step } from './step.js'
import { isTable, wholesOf } from './world.js'

/** Something that has another name, and is the same thing: its rows stay. */
export interface Rename {
  /** "table public.loads", "column public.loads.weight" */
  readonly from: string
  /** The new name alone, unquoted; or schema and name of a table that moves. */
  readonly to: string
}

export interface Renamed {
  readonly steps: readonly Step[]
  /** New key by old key, of everything that holds rows. */
  readonly renamed: ReadonlyMap<string, string>
}

/**
 * Those that are asked for; and what has no rows, when it is the same but for its name and stands on the same: the constraint or index
 * of a renamed table, say.
 */
export function renameSteps(before: Catalog, after: Catalog, wanted: readonly Rename[]): Renamed {
  const renamed = new Map<string, string>()
  const steps = wanted.flatMap(({ from, to }) => {
    const fact = before.facts.get(from)
    if (fact === undefined) return []
    const schema = fact.schema === undefined ? '' : `${quoteIfNeeded(fact.schema)}.`
    const [whole] = wholesOf(fact, before)
    const now = whole === undefined ? schema + quoteIfNeeded(to) : `${whole.identity}.${quoteIfNeeded(to)}`
    renamed.set(fact.key, `${fact.kind} ${now}`)
    for (const column of partsOfKind(before, fact.key, 'column'))
      renamed.set(column.key, `column ${now}.${quoteIfNeeded(column.name)}`)
    return [renameStep(fact, to, before)]
  })
  if (steps.length > 0) return { steps, renamed }
  return { steps: silentRenames(before, after), renamed }
}

function renameStep(fact: Fact, to: string, catalog: Catalog): Step {
  const name = quoteIfNeeded(to)
  const [whole] = wholesOf(fact, catalog)
  switch (fact.kind) {
    case 'column':
      return alter(
        fact,
        whole?.kind === 'type'
          ? `alter ${whole.key} rename attribute ${quoteIfNeeded(fact.name)} to ${name}`
          : `alter ${whole?.key ?? ''} rename column ${quoteIfNeeded(fact.name)} to ${name}`,
      )
    case 'constraint':
      return alter(fact, `alter ${whole?.key ?? ''} rename constraint ${quoteIfNeeded(fact.name)} to ${name}`)
    default:
      return alter(fact, `alter ${nameInStatement(fact, catalog)} rename to ${name}`)
  }
}

const SILENT: ReadonlySet<FactKind> = new Set([
  'constraint',
  'index',
  'trigger',
  'policy',
  'sequence',
  'statistics',
])

function silentRenames(before: Catalog, after: Catalog): readonly Step[] {
  const { differences } = compareCatalogs(before, after)
  const gone = differences.flatMap((one) =>
    one.kind === 'removed' && SILENT.has(one.fact.kind) ? [one.fact] : [],
  )
  const come = differences.flatMap((one) =>
    one.kind === 'added' && SILENT.has(one.fact.kind) ? [one.fact] : [],
  )
  const taken = new Set<string>()
  return gone.flatMap((fact) => {
    // An index behind a constraint is renamed with it.
    if (fact.kind === 'index' && fact.parent?.startsWith('constraint ') === true) return []
    if (fact.kind === 'sequence' && fact.properties.ownedBy === undefined) return []
    const same = come.find(
      (one) => one.kind === fact.kind && !taken.has(one.key) && isSame(fact, one, before, after),
    )
    if (same === undefined || before.facts.has(same.key)) return []
    taken.add(same.key)
    return [renameStep(fact, same.name, before)]
  })
}

function isSame(old: Fact, now: Fact, before: Catalog, after: Catalog): boolean {
  if (old.schema !== now.schema) return false
  if (old.kind === 'sequence' && now.kind === 'sequence')
    return old.properties.ownedBy === now.properties.ownedBy && old.details.identity === now.details.identity
  const table = (fact: Fact, catalog: Catalog): string | undefined => wholesOf(fact, catalog).at(-1)?.key
  if (old.kind === 'statistics') return nameless(old) === nameless(now)
  return table(old, before) === table(now, after) && nameless(old) === nameless(now)
}

function nameless({ name, properties }: Fact): string {
  return JSON.stringify(properties).replaceAll(quoteIfNeeded(name).replaceAll('"', '\\"'), '\u0000')
}

/** A table or column that is gone, and one that came and may be the same under another name. */
export interface RenameCandidate {
  readonly from: string
  readonly to: string
  /** The new name alone. */
  readonly name: string
}

/** Tables with the same columns, and columns of the same type in the same table: only people can tell whether they are the same. */
export function renameCandidates(before: Catalog, after: Catalog): readonly RenameCandidate[] {
  const { differences } = compareCatalogs(before, after)
  const gone = differences.flatMap((one) => (one.kind === 'removed' ? [one.fact] : []))
  const come = differences.flatMap((one) => (one.kind === 'added' ? [one.fact] : []))
  return gone.flatMap((old) =>
    come.flatMap((now) =>
      looksLike(old, now, before, after) ? [{ from: old.key, to: now.key, name: now.name }] : [],
    ),
  )
}

function looksLike(old: Fact, now: Fact, before: Catalog, after: Catalog): boolean {
  if (old.kind === 'column' && now.kind === 'column') {
    const [whole] = wholesOf(old, before)
    return (
      old.parent === now.parent &&
      isTable(whole) &&
      !old.properties.inherited &&
      old.properties.type === now.properties.type
    )
  }
  if (old.kind !== 'table' || now.kind !== 'table' || old.schema !== now.schema) return false
  const [was, is] = [columnsOf(old, before), columnsOf(now, after)]
  const common = was.filter((column) => is.includes(column)).length
  return common > 0 && common * 2 >= Math.max(was.length, is.length)
}

function columnsOf(table: FactOf<'table'>, catalog: Catalog): readonly string[] {
  return partsOfKind(catalog, table.key, 'column').map(({ name, properties }) => `${name} ${properties.type}`)
}
