import type { Catalog, Fact, PropertyValue } from './catalog.js'
import { propertiesOf } from './hash.js'

/** One fact that is not the same in two catalogs. */
export type Difference =
  | { readonly kind: 'added' | 'removed'; readonly key: string; readonly fact: Fact }
  | {
      readonly kind: 'changed'
      readonly key: string
      readonly before: Fact
      readonly after: Fact
      readonly changes: readonly PropertyChange[]
    }

export interface PropertyChange {
  readonly property: string
  readonly before: PropertyValue
  readonly after: PropertyValue
}

export interface Comparison {
  /** Empty exactly when the hashes are equal, but for what is unmodelled. In the order of the keys. */
  readonly differences: readonly Difference[]
  /** Worth knowing, and no difference: the order of columns, versions of extensions. */
  readonly notes: readonly string[]
  /** What neither side can vouch for, because it has no facts. */
  readonly unmodelled: readonly string[]
}

/** What has to happen to `before` for it to be `after`, fact by fact and property by property. */
export function compareCatalogs(before: Catalog, after: Catalog): Comparison {
  const keys = [...new Set([...before.facts.keys(), ...after.facts.keys()])].sort()
  const differences = keys.flatMap((key) => differenceOf(key, before.facts.get(key), after.facts.get(key)))
  return {
    differences,
    notes: [...orderNotes(before, after), ...versionNotes(before, after)],
    unmodelled: unmodelledIn(before, after),
  }
}

function differenceOf(key: string, before: Fact | undefined, after: Fact | undefined): readonly Difference[] {
  if (before === undefined) return after === undefined ? [] : [{ kind: 'added', key, fact: after }]
  if (after === undefined) return [{ kind: 'removed', key, fact: before }]
  const changes = changesOf(before, after)
  return changes.length === 0 ? [] : [{ kind: 'changed', key, before, after, changes }]
}

function changesOf(before: Fact, after: Fact): readonly PropertyChange[] {
  const old = new Map(propertiesOf(before))
  return propertiesOf(after).flatMap(([property, value]) => {
    const was = old.get(property)
    return sameValue(was, value) ? [] : [{ property, before: was, after: value }]
  })
}

function sameValue(a: PropertyValue, b: PropertyValue): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return a.length === b.length && a.every((one, index) => one === b[index])
}

/** Where both have the same columns in another order; a column that is only in one of them shifts nobody. */
function orderNotes(before: Catalog, after: Catalog): readonly string[] {
  const [old, now] = [columnOrders(before), columnOrders(after)]
  return [...now].flatMap(([relation, names]) => {
    const others = old.get(relation)
    if (others === undefined) return []
    const was = others.filter((name) => names.includes(name))
    const is = names.filter((name) => others.includes(name))
    return was.join() === is.join()
      ? []
      : [`${relation}: its columns are in another order (${was.join(', ')} -> ${is.join(', ')})`]
  })
}

function columnOrders(catalog: Catalog): ReadonlyMap<string, readonly string[]> {
  const columns = new Map<string, { readonly name: string; readonly position: number }[]>()
  for (const fact of catalog.facts.values()) {
    if (fact.kind !== 'column' || fact.parent === undefined) continue
    const of = columns.get(fact.parent) ?? []
    columns.set(fact.parent, of)
    of.push({ name: fact.name, position: fact.details.position })
  }
  return new Map(
    [...columns].map(([relation, of]) => [
      relation,
      of.sort((a, b) => a.position - b.position).map(({ name }) => name),
    ]),
  )
}

function versionNotes(before: Catalog, after: Catalog): readonly string[] {
  return [...after.facts.values()].flatMap((fact) => {
    if (fact.kind !== 'extension') return []
    const was = before.facts.get(fact.key)
    return was?.kind === 'extension' && was.details.version !== fact.details.version
      ? [`${fact.key}: version ${was.details.version} -> ${fact.details.version}`]
      : []
  })
}

function unmodelledIn(...catalogs: readonly Catalog[]): readonly string[] {
  const names = catalogs.flatMap(({ unmodelled }) =>
    unmodelled.map(({ kind, identity }) => `${kind} ${identity}`),
  )
  return [...new Set(names)].sort()
}

/** A difference in lines for people: "column public.t.z: default 5 -> 6". */
export function describeDifference(difference: Difference): readonly string[] {
  const { kind, key } = difference
  if (kind !== 'changed') return [`${kind} ${key}`]
  return difference.changes.map((change) => `${key}: ${describeChange(change)}`)
}

function describeChange({ property, before, after }: PropertyChange): string {
  // "rowSecurity" to "row security".
  const name = property.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  if (typeof before === 'string' && typeof after === 'string' && (isLong(before) || isLong(after)))
    return `${name}${firstChange(before, after)}`
  return `${name} ${describeValue(property, before)} -> ${describeValue(property, after)}`
}

function describeValue(property: string, value: PropertyValue): string {
  if (value === undefined) return NOTHING[property] ?? 'none'
  if (value === true) return 'yes'
  if (value === false) return 'no'
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return value.length === 0 ? 'none' : value.join(', ')
  const line = oneLine(value)
  // A comment is quoted, so that an empty one is seen.
  return property === 'comment' || line === '' ? `"${line}"` : line
}

/** What is there when nothing is said. */
const NOTHING: Readonly<Record<string, string>> = {
  owner: 'that of the database',
  accessMethod: 'heap',
  tablespace: 'that of the database',
  statistics: 'that of the server',
  target: 'that of the server',
  storage: 'that of the type',
  compression: 'that of the server',
  collation: 'that of the type',
}

const LONGEST = 100

function isLong(text: string): boolean {
  return text.includes('\n') || text.length > LONGEST
}

function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line
}

/** Of long texts only the first line that differs, and of that the part around the first difference. */
function firstChange(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const at = now.findIndex((line, index) => line !== old[index])
  const line = at < 0 ? now.length : at
  const [was, is] = [old[line] ?? '', now[line] ?? '']
  let same = 0
  while (same < was.length && was[same] === is[same]) same++
  const from = Math.max(0, same - 20)
  const shown = (text: string): string => `${from > 0 ? '...' : ''}${oneLine(text.slice(from)) || 'nothing'}`
  return `, line ${String(line + 1)}: ${shown(was)} -> ${shown(is)}`
}
