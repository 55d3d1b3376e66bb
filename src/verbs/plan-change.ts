import type { Config, DatabaseConfig } from '../config/config.js'
import { type DbkitError, problem } from '../errors.js'
import { proveChange, type ProvedChange } from '../prove/prove-change.js'
import type { Change } from '../prove/prove-diff.js'
import { withShadow } from '../prove/shadow.js'
import type { DiffReport, EngineReport, RenameChoice } from '../report.js'
import type { ChangeSide, SideContext } from './change-sides.js'

export interface ChangeOptions {
  /** "table public.loads = shipments", "column public.loads.weight = kilos" */
  readonly renames?: readonly string[]
  /** Asked which of these are the same under another name; without it they are dropped and added. */
  readonly askRenames?: (candidates: readonly RenameChoice[]) => Promise<readonly RenameChoice[]>
  readonly allowDataLoss?: boolean
  /** A server on which a database is created to try the change. Default: the embedded engine */
  readonly shadowUrl?: string
}

export interface PlannedChange {
  readonly engine: EngineReport
  readonly diff: DiffReport
  readonly notes: readonly string[]
  readonly ok: boolean
  readonly error: DbkitError | undefined
}

/** Plans and proves the change between two sides. What is not proved, or loses what it may not, has no SQL in its report. */
export async function planChange(
  from: ChangeSide,
  to: ChangeSide,
  { config, database, signal, observer, purpose }: SideContext,
  options: ChangeOptions & { readonly down: boolean },
): Promise<PlannedChange> {
  const renames = [...from.renames, ...to.renames, ...(options.renames ?? [])].map(parseRename)
  const about = {
    url: options.shadowUrl,
    observer,
    purpose,
    signal,
    extensions: () => [...new Set([...from.extensions, ...to.extensions])],
    roles: () => [...from.roles(), ...to.roles()],
  }
  return withShadow(config, database, about, async (shadow) => {
    const left = [...new Set([...(from.notCompared ?? []), ...(to.notCompared ?? [])])]
    const ask = options.askRenames
    const proved = await proveChange({
      shadow,
      config: database,
      from,
      to,
      renames,
      askRenames:
        ask === undefined
          ? undefined
          : async (candidates) => (await ask(candidates)).map((one) => ({ from: one.from, to: one.name })),
      down: options.down,
    })
    const notes = [...proved.notes, ...left.map((name) => `neither compared nor changed: ${name}`)]
    return planned({ ...proved, notes }, from, to, shadow.engine, options)
  })
}

function planned(
  proved: ProvedChange,
  from: ChangeSide,
  to: ChangeSide,
  engine: EngineReport,
  { allowDataLoss = false }: ChangeOptions,
): PlannedChange {
  const losses = lossesOf(proved.up)
  const equal = proved.up.parts.length === 0 && proved.faults.length === 0
  const about = { from: from.label, to: to.label, equal, losses, renameCandidates: proved.candidates }
  const refusedFor = (error: DbkitError): PlannedChange => ({
    engine,
    diff: { ...about, up: [], down: [], rows: proved.rows },
    notes: proved.notes,
    ok: false,
    error,
  })
  if (proved.faults.length > 0) return refusedFor(problem('diff.not-proved', { faults: proved.faults }))
  if (losses.length > 0 && !allowDataLoss)
    return refusedFor(
      problem('diff.data-loss', {
        losses,
        candidates: proved.candidates.map(({ from: old, name }) => `${old} = ${name}`),
      }),
    )
  return {
    engine,
    diff: {
      ...about,
      up: proved.up.parts.map(({ steps }) => ({ sql: textOf([{ steps }]), transaction: true })),
      down: proved.downs.map(({ parts }) => ({ sql: textOf(parts), transaction: parts.length <= 1 })),
      rows: proved.rows,
    },
    notes: proved.notes,
    ok: true,
    error: undefined,
  }
}

function lossesOf(...changes: readonly Change[]): readonly string[] {
  const all = changes.flatMap(({ parts }) =>
    parts.flatMap(({ steps }) => steps.flatMap(({ loss }) => (loss === undefined ? [] : [loss]))),
  )
  return [...new Set(all)]
}

type Steps = Change['parts'][number]['steps']

/** Statements as they are written by hand: a blank line between different things, and what is lost said above. */
function textOf(parts: readonly { readonly steps: Steps }[]): string {
  const lines: string[] = []
  let last: string | undefined
  for (const { sql, of, loss } of parts.flatMap(({ steps }) => steps)) {
    const about = sql.includes('\n') ? undefined : of.replace(/^.*? /, '').split('.').slice(0, 2).join('.')
    if (lines.length > 0 && (about === undefined || about !== last)) lines.push('')
    if (loss !== undefined) lines.push(`-- loses ${loss}`)
    lines.push(`${sql};`)
    last = about
  }
  return lines.map((line) => `${line}\n`).join('')
}

function parseRename(text: string): { readonly from: string; readonly to: string } {
  const found = /^((?:table|column|type|domain|view|materialized view|sequence) .+?)\s*=\s*(.+)$/.exec(
    text.trim(),
  )
  if (found === null)
    throw problem('request.bad-option', {
      option: '--rename',
      value: text,
      expected: 'kind, old name and new name, e.g. "column public.loads.weight = kilos"',
    })
  const [, from = '', to = ''] = found
  const name = /^"((?:[^"]|"")*)"$/.exec(to)?.[1]?.replaceAll('""', '"') ?? to
  return { from, to: name }
}

/** The one database that a command works on. */
export function onlyDatabase(config: Config, what: string): DatabaseConfig {
  const [database, ...others] = config.databases
  if (database === undefined) throw problem('request.no-databases', { folder: config.root })
  if (others.length > 0)
    throw problem('request.choose-one', { what, databases: config.databases.map(({ name }) => name) })
  return database
}
