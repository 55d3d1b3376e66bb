import { compareCatalogs, describeDifference, type Difference } from '../catalog/compare.js'
import type { Catalog, Fact } from '../catalog/catalog.js'
import type { ProofFinding, ProofVerdict } from '../report.js'
import { plainCode, plainExpression } from './plain-text.js'
import type { ColumnValues, RowState, TableRows } from './row-state.js'

/** Everything that a proof looks at: what a database contains, and what is in its tables. */
export interface Observed {
  readonly catalog: Catalog
  readonly rows: RowState
}

/** What a down left over or lost: `before` is what was there before the up, `up` after it, and `down` after the down. */
export function judgeDown(before: Observed, up: Observed, down: Observed): readonly ProofFinding[] {
  return [
    ...judgeCatalogs(before.catalog, down.catalog, { leaves: 'leaves', loses: 'loses', rows: before.rows }),
    ...judgeRows(before, up, down),
  ]
}

/** What a second up made otherwise than the first. */
export function judgeAgain(first: Catalog, again: Catalog): readonly ProofFinding[] {
  const words = { leaves: 'applied again it adds', loses: 'applied again it lacks', rows: new Map() }
  return judgeCatalogs(first, again, words).filter(({ severity }) => severity === 'different')
}

/** What another order of the same migrations made otherwise. */
export function judgeOrder(first: Catalog, other: Catalog, order: string): readonly ProofFinding[] {
  const words = {
    leaves: `in the order ${order} there is also`,
    loses: `in the order ${order} there is no`,
    rows: new Map(),
  }
  return judgeCatalogs(first, other, words)
}

/** What the declared schema says otherwise than the migrations do. */
export function judgeDeclared(migrated: Catalog, declared: Catalog): readonly ProofFinding[] {
  const words = {
    leaves: 'only the declared schema has',
    loses: 'the declared schema lacks',
    rows: new Map(),
  }
  return judgeCatalogs(migrated, declared, words)
}

/** What the whole way down left over of an empty database. */
export function judgeEnd(start: Catalog, end: Catalog): readonly ProofFinding[] {
  return judgeCatalogs(start, end, { leaves: 'leaves', loses: 'loses', rows: new Map() })
}

/** Rows that a second load of the seeds changed. */
export function judgeReload(first: RowState, second: RowState): readonly ProofFinding[] {
  return [...second].flatMap(([table, { rows, hash }]) => {
    const was = first.get(table)
    if (was?.hash === hash) return []
    const count = rows - (was?.rows ?? 0)
    const what =
      count === 0 ? 'changes rows' : count > 0 ? `adds ${rowsOf(count)}` : `loses ${rowsOf(-count)}`
    return [different(`table ${table}`, `a second load of the seeds ${what} of table ${table}`)]
  })
}

/** The worst finding decides. */
export function verdictOf(findings: readonly ProofFinding[]): ProofVerdict {
  const has = (severity: ProofFinding['severity']): boolean =>
    findings.some((finding) => finding.severity === severity)
  return has('different') ? 'different' : has('note') ? 'note' : has('cosmetic') ? 'cosmetic' : 'exact'
}

// ---- the catalog

interface Words {
  readonly leaves: string
  readonly loses: string
  /** To say what was in it. */
  readonly rows: RowState
}

function judgeCatalogs(before: Catalog, after: Catalog, words: Words): readonly ProofFinding[] {
  const { differences, notes } = compareCatalogs(before, after)
  const told = withoutParts(differences)
  const renamed = findRenamed(told)
  return [
    ...told.flatMap((difference) => judgeDifference(difference, renamed, words)),
    ...notes.map((text) => note(text.slice(0, text.indexOf(':')), text)),
    ...judgeUnmodelled(before, after, words),
  ]
}

/** What is a part of something that is wholly there or wholly gone says nothing more. */
export function withoutParts(differences: readonly Difference[]): readonly Difference[] {
  const kinds = new Map(differences.map((difference) => [difference.key, difference]))
  return differences.filter((difference) => {
    if (difference.kind === 'changed') return true
    const parent = difference.fact.parent === undefined ? undefined : kinds.get(difference.fact.parent)
    return parent?.kind !== difference.kind
  })
}

/** A thing that is gone and one of another name that is there instead, and is the same but for the name: new key by old key. */
function findRenamed(differences: readonly Difference[]): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>()
  const taken = new Set<string>()
  for (const gone of differences) {
    if (gone.kind !== 'removed' || !('definition' in gone.fact.properties)) continue
    const instead = differences.find(
      (come) =>
        come.kind === 'added' &&
        !taken.has(come.key) &&
        come.fact.kind === gone.fact.kind &&
        come.fact.parent === gone.fact.parent &&
        namelessly(come.fact) === namelessly(gone.fact),
    )
    if (instead === undefined) continue
    taken.add(instead.key)
    renamed.set(gone.key, instead.key)
  }
  return renamed
}

function namelessly({ name, properties }: Fact): string {
  return JSON.stringify(properties).replaceAll(name, '\u0000')
}

function judgeDifference(
  difference: Difference,
  renamed: ReadonlyMap<string, string>,
  { leaves, loses, rows }: Words,
): readonly ProofFinding[] {
  const { key } = difference
  if (difference.kind === 'changed') {
    const severity = severityOfChange(difference)
    const after = severity === 'cosmetic' ? ' (the same but for its writing)' : ''
    return describeDifference(difference).map((text) => ({
      severity,
      object: key,
      message: isLabelLeft(difference) ? `${text}: PostgreSQL cannot take a label away` : text + after,
    }))
  }
  if (difference.kind === 'added') {
    if ([...renamed.values()].includes(key)) return []
    return difference.fact.kind === 'extension'
      ? [note(key, `${leaves} ${key}`)]
      : [different(key, `${leaves} ${key}`)]
  }
  const name = renamed.get(key)
  if (name !== undefined) return [different(key, `${key} has another name: ${name}`)]
  return [different(key, `${loses} ${key}${contentOf(difference.fact, rows)}`)]
}

function contentOf(fact: Fact, rows: RowState): string {
  if (fact.kind === 'table') {
    const count = rows.get(fact.identity)?.rows ?? 0
    return count === 0 ? '' : ` with ${rowsOf(count)}`
  }
  if (fact.kind !== 'column') return ''
  const count = rows.get(fact.parent?.replace(/^table /, '') ?? '')?.columns.get(fact.name)?.values ?? 0
  return count === 0 ? '' : ` with ${valuesOf(count)}`
}

type Changed = Extract<Difference, { kind: 'changed' }>

function severityOfChange(difference: Changed): ProofFinding['severity'] {
  if (isLabelLeft(difference)) return 'note'
  return difference.changes.every(isCosmetic) ? 'cosmetic' : 'different'
}

function isCosmetic({ property, before, after }: Changed['changes'][number]): boolean {
  if (typeof before !== 'string' || typeof after !== 'string') return false
  if (property === 'body') return plainCode(before) === plainCode(after)
  return EXPRESSIONS.has(property) && plainExpression(before) === plainExpression(after)
}

const EXPRESSIONS = new Set(['definition', 'default', 'expression', 'using', 'check', 'partitionBound'])

/** Every label that was there is there, in its order, and some more. */
function isLabelLeft({ after, changes }: Changed): boolean {
  const [change, ...others] = changes
  if (after.kind !== 'type' || change?.property !== 'labels' || others.length > 0) return false
  const [old, now] = [change.before, change.after]
  if (!Array.isArray(old) || !Array.isArray(now)) return false
  const labels = new Set<unknown>(old)
  return now.filter((label) => labels.has(label)).join('\u0000') === old.join('\u0000')
}

/** What has no facts is told apart by its name alone. */
function judgeUnmodelled(before: Catalog, after: Catalog, words: Words): readonly ProofFinding[] {
  const names = ({ unmodelled }: Catalog): ReadonlySet<string> =>
    new Set(unmodelled.map(({ kind, identity }) => `${kind} ${identity}`))
  const [old, now] = [names(before), names(after)]
  return [
    ...[...now].filter((name) => !old.has(name)).map((name) => different(name, `${words.leaves} ${name}`)),
    ...[...old].filter((name) => !now.has(name)).map((name) => different(name, `${words.loses} ${name}`)),
  ]
}

// ---- the rows

function judgeRows(before: Observed, up: Observed, down: Observed): readonly ProofFinding[] {
  const kept = keptElsewhere(before.rows, up.rows)
  return [...before.rows].flatMap(([table, was]) => {
    const now = down.rows.get(table)
    // A table that is gone is told with the catalog.
    return now === undefined ? [] : judgeTable(table, was, up.rows.get(table), now, kept)
  })
}

function judgeTable(
  table: string,
  was: TableRows,
  up: TableRows | undefined,
  now: TableRows,
  kept: Kept,
): readonly ProofFinding[] {
  const object = `table ${table}`
  if (was.hash === now.hash && was.rows === now.rows) return []
  if (now.rows > was.rows)
    return [
      different(object, `leaves ${rowsOf(now.rows - was.rows)} in table ${table} that were not there before`),
    ]
  if (now.rows < was.rows) {
    const message = `table ${table} lost ${rowsOf(was.rows - now.rows)}`
    const meant = up === undefined ? !kept.table(was) : up.rows < was.rows && up.rows === now.rows
    return [meant ? note(object, `${message}: the up takes them away`) : different(object, message)]
  }
  const columns = [...was.columns].flatMap(([name, values]) =>
    judgeColumn(table, name, values, up?.columns.get(name), now.columns.get(name), kept),
  )
  if (columns.length > 0 || was.columns.size !== now.columns.size) return columns
  return [different(object, `the values of table ${table} belong to other rows than before`)]
}

function judgeColumn(
  table: string,
  name: string,
  was: ColumnValues,
  up: ColumnValues | undefined,
  now: ColumnValues | undefined,
  kept: Kept,
): readonly ProofFinding[] {
  // A column that is gone is told with the catalog.
  if (now === undefined || was.hash === now.hash) return []
  const object = `column ${table}.${name}`
  const lost = was.values - now.values
  const message =
    lost > 0 ? `${object} lost with ${valuesOf(lost)}` : `${object} has other values than before`
  if (up === undefined)
    return kept.column(was)
      ? [different(object, `${message}, though the up kept them`)]
      : [note(object, `${message}: the up takes the column away`)]
  return up.hash === was.hash
    ? [different(object, message)]
    : [note(object, `${message}: the up changes them`)]
}

/** Whether what the up took away from one place is in another one now: then it was moved, and not given up. */
interface Kept {
  table(rows: TableRows): boolean
  column(values: ColumnValues): boolean
}

function keptElsewhere(before: RowState, up: RowState): Kept {
  const columns = new Set<string>()
  const tables = new Set<string>()
  for (const [table, { hash, rows, columns: now }] of up) {
    const old = before.get(table)
    if (old === undefined) tables.add(`${String(rows)} ${hash}`)
    for (const [name, values] of now) if (old?.columns.has(name) !== true) columns.add(identify(values))
  }
  return {
    table: ({ rows, hash }) => tables.has(`${String(rows)} ${hash}`),
    column: (values) => values.values > 0 && columns.has(identify(values)),
  }
}

function identify({ values, hash }: ColumnValues): string {
  return `${String(values)} ${hash}`
}

function different(object: string, message: string): ProofFinding {
  return { severity: 'different', object, message }
}

function note(object: string, message: string): ProofFinding {
  return { severity: 'note', object, message }
}

function rowsOf(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}`
}

function valuesOf(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'value' : 'values'}`
}
