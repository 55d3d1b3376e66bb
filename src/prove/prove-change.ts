import { factsOf, type Catalog } from '../catalog/catalog.js'
import { compareCatalogs } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { quoteIfNeeded, quoteName } from '../database/quote.js'
import { problem } from '../errors.js'
import { renameCandidates, type Rename, type RenameCandidate } from '../diff/renames.js'
import { generateRows } from './generate-rows.js'
import { carryOut, judgeRows, type Change, type Fault } from './prove-diff.js'
import { readRowState, type RowState } from './row-state.js'
import type { Shadow } from './shadow.js'

/** One of the two databases that a change is between, and how it is made on an empty shadow. */
export interface Side {
  /** For people: "the migrations of happyrobot", "schema.sql". */
  readonly label: string
  /** Resolves to what it has made, where that has been read. */
  make(session: Session): Promise<Catalog | undefined>
  /** Roles that it names, known once it has been made. */
  roles(): readonly string[]
}

export interface ProveChangeOptions {
  readonly shadow: Shadow
  readonly config: DatabaseConfig
  readonly from: Side
  readonly to: Side
  readonly renames: readonly Rename[]
  /** Says which of these are the same under another name; what it does not say is dropped and added. */
  readonly askRenames?: ((candidates: readonly RenameCandidate[]) => Promise<readonly Rename[]>) | undefined
  /** Whether the way back is wanted as well. */
  readonly down: boolean
}

export interface ProvedChange {
  readonly up: Change
  /** For each part of the up, in its order. */
  readonly downs: readonly Change[]
  /** Empty: it has been run, and did what it should. */
  readonly faults: readonly Fault[]
  readonly candidates: readonly RenameCandidate[]
  /** Rows that were in the tables when it was run. */
  readonly rows: number
  readonly notes: readonly string[]
}

/** Plans the way from one database to the other on a shadow that has rows in it, and sees that it gets there and keeps them. */
export async function proveChange(options: ProveChangeOptions): Promise<ProvedChange> {
  const { shadow, config, to } = options
  const read = async (): Promise<Catalog> =>
    readCatalog(await shadow.sessions.current(), { ledger: config.ledger })
  const wanted = (await to.make(await shadow.sessions.current())) ?? (await read())
  await shadow.renew()
  const start = (await makeStart(options)) ?? (await read())
  const named = options.renames.map((rename) => inItsSchema(rename, start, config.searchPath))
  const meant = usableRenames(named, start, wanted)
  const known = namesOf(meant)
  const candidates = renameCandidates(start, wanted).filter((one) => !known.has(one.from))
  const asked = candidates.length === 0 ? [] : ((await options.askRenames?.(candidates)) ?? [])
  const renames = [...meant, ...asked]
  const open = candidates.filter((one) => !namesOf(renames).has(one.from))
  const tried = await attempt(options, { start, wanted, renames, rows: true })
  if (!mindsRows(tried)) return { ...tried, candidates: open }
  // Made up rows may be more than the change was meant for: whether it is right without them is worth knowing, too.
  await shadow.renew()
  await makeStart(options)
  const bare = await attempt(options, { start, wanted, renames, rows: false })
  const why = tried.faults[0]
  const note = `proved without rows, because those that were tried are refused: ${why === undefined ? '' : `${why.object}: ${why.why}`}`
  return { ...bare, candidates: open, notes: [note, ...bare.notes] }
}

/** The change may name roles that only the other side has. */
async function makeStart({ shadow, from, to }: ProveChangeOptions): Promise<Catalog | undefined> {
  const session = await shadow.sessions.current()
  const made = await from.make(session)
  const known = new Set(
    (await session.query('select rolname from pg_catalog.pg_roles')).map(([name]) => name),
  )
  for (const role of to.roles()) if (!known.has(role)) await session.script(`create role ${quoteName(role)}`)
  return made
}

/** A name without a schema is that of the first schema of the path that has it, under the old name or the new one. */
function inItsSchema({ from, to }: Rename, start: Catalog, searchPath: string): Rename {
  const [, kind = '', name = ''] = /^(materialized view|\S+) (.+)$/.exec(from) ?? []
  const parts = name.match(/"(?:[^"]|"")*"|[^.]+/g) ?? []
  if (parts.length !== (kind === 'column' ? 2 : 1)) return { from, to }
  const schemas = searchPath
    .split(',')
    .map((schema) => schema.trim())
    .filter((schema) => schema.replaceAll('"', '') !== '$user')
  const renamed = [...parts.slice(0, -1), quoteIfNeeded(to)].join('.')
  const has = (schema: string, what: string): boolean => start.facts.has(`${kind} ${schema}.${what}`)
  const schema =
    schemas.find((one) => has(one, name)) ?? schemas.find((one) => has(one, renamed)) ?? schemas[0]
  return schema === undefined ? { from, to } : { from: `${kind} ${schema}.${name}`, to }
}

/** A directive stays in its file when its work is done; a name that was never there is a slip. */
function usableRenames(renames: readonly Rename[], start: Catalog, wanted: Catalog): readonly Rename[] {
  return renames.filter((rename) => {
    const { from, to } = rename
    const fact = start.facts.get(from)
    const name = fact === undefined ? /[^.]*$/.exec(from)?.[0] : quoteIfNeeded(fact.name)
    const whole = from.slice(0, from.length - (name?.length ?? 0))
    const now = `${whole}${quoteIfNeeded(to)}`
    if (fact === undefined && start.facts.has(now)) return false
    if (fact === undefined) throw problem('diff.no-such-name', { name: from, side: 'from' })
    if (!wanted.facts.has(now)) throw problem('diff.no-such-name', { name: now, side: 'to' })
    return true
  })
}

function namesOf(renames: readonly Rename[]): ReadonlySet<string> {
  return new Set(renames.map(({ from }) => from))
}

interface Attempt {
  readonly start: Catalog
  readonly wanted: Catalog
  readonly renames: readonly Rename[]
  readonly rows: boolean
}

type Tried = Omit<ProvedChange, 'candidates'>

/** Class 22 and 23: a value or a row does not fit. */
function mindsRows({ up, downs, rows }: Tried): boolean {
  const error = [up, ...downs].map((change) => change.error).find((one) => one !== undefined)
  return rows > 0 && error !== undefined && /^2[23]/.test(error.sqlstate)
}

async function attempt(
  { shadow, config, down }: ProveChangeOptions,
  { start, wanted, renames, rows: withRows }: Attempt,
): Promise<Tried> {
  const session = await shadow.sessions.current()
  const { ledger, searchPath } = config
  const before = withRows ? await fill(session, start, searchPath) : await readRowState(session, start)
  const count = [...before.values()].reduce((sum, { rows }) => sum + rows, 0)
  const up = await carryOut(session, start, wanted, { ledger, renames, searchPath })
  const notes = orderNotes(up.reached, wanted)
  if (up.faults.length > 0) return { up, downs: [], faults: up.faults, rows: count, notes }
  const after = await readRowState(session, up.reached)
  const lost = judgeRows({ catalog: start, rows: before }, { catalog: up.reached, rows: after }, up.renamed)
  if (lost.length > 0 || !down) return { up, downs: [], faults: lost, rows: count, notes }
  const downs: Change[] = []
  for (const [index, part] of [...up.parts.entries()].reverse()) {
    const now = await readCatalog(session, { ledger })
    const back = index === 0 ? renames.map((rename) => reversed(rename, up)) : []
    const change = await carryOut(session, now, part.from, { ledger, renames: back, searchPath })
    downs.unshift(change)
    if (change.faults.length > 0) {
      const faults = change.faults.map(({ object, why }) => ({ object, why: `on the way back: ${why}` }))
      return { up, downs, faults, rows: count, notes }
    }
  }
  const end = await readRowState(session, start)
  const [first] = downs
  const kept = judgeRows({ catalog: up.reached, rows: after }, { catalog: start, rows: end }, first?.renamed)
  const faults = kept.map(({ object, why }) => ({ object, why: `on the way back: ${why}` }))
  return { up, downs, faults, rows: count, notes }
}

function reversed({ from }: Rename, up: Change): Rename {
  const name = /(?:"((?:[^"]|"")*)"|([^". ]+))$/.exec(from)
  return { from: up.renamed.get(from) ?? from, to: name?.[1]?.replaceAll('""', '"') ?? name?.[2] ?? '' }
}

/** Rows that satisfy the constraints, in every table that has none. */
async function fill(session: Session, catalog: Catalog, searchPath: string): Promise<RowState> {
  const before = await readRowState(session, catalog)
  const partitions = new Map<string | undefined, string[]>()
  for (const { identity, properties } of factsOf(catalog, 'table')) {
    const siblings = partitions.get(properties.partitionOf)
    if (siblings === undefined) partitions.set(properties.partitionOf, [identity])
    else siblings.push(identity)
  }
  const partitionsOf = (table: string): readonly string[] =>
    (partitions.get(table) ?? []).flatMap((one) => [one, ...partitionsOf(one)])
  const tables = factsOf(catalog, 'table')
    .filter(({ properties }) => properties.partitionOf === undefined)
    .map(({ identity }) => identity)
    .filter((table) => [table, ...partitionsOf(table)].every((one) => (before.get(one)?.rows ?? 0) === 0))
  if (tables.length === 0) return before
  await generateRows(session, catalog, { tables, searchPath })
  return readRowState(session, catalog)
}

/** PostgreSQL cannot move a column; and of what has no facts nobody knows whether it is the same. */
function orderNotes(reached: Catalog, wanted: Catalog): readonly string[] {
  const { notes, unmodelled } = compareCatalogs(reached, wanted)
  return [...notes, ...unmodelled.map((name) => `neither compared nor changed: ${name}`)]
}
