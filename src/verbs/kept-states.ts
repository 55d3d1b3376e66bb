import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { DatabaseConfig } from '../config/config.js'
import type { Ledger } from '../database/ledger.js'
import { DBKIT_VERSION } from '../package-version.js'
import type { UpGoal } from '../plan/plan.js'
import { readSeeds } from '../seed/read-seeds.js'
import { findVersion } from '../workspace/version.js'
import type { Migration, Script, Workspace } from '../workspace/workspace.js'

/**
 * A state is what a database is that the files alone have made. Its key is a hash of all that went into it; where something has a hand in
 * it that is in no file, it has none, and is not kept.
 */
export interface StateOptions {
  /** Which engine, by its version; on a server also who owns what is made. */
  readonly engine: string
}

/** The state of a ledger that a run has ended with; `repeatables` says whether it has run those as well. */
export function stateOfLedger(
  ledger: Ledger,
  workspace: Workspace,
  config: DatabaseConfig,
  { engine, repeatables }: StateOptions & { readonly repeatables: boolean },
): string | undefined {
  const { entries } = ledger
  const { migrations } = workspace
  const isOfFiles = entries.every(
    ({ version, upChecksum, downChecksum, outOfOrder }, index) =>
      !outOfOrder &&
      migrations[index]?.version === version &&
      migrations[index].up.checksum === upChecksum &&
      migrations[index].down?.checksum === downChecksum,
  )
  if (!isOfFiles || entries.length === 0) return undefined
  const key = stateKeys(workspace, config, { engine })[entries.length - 1]
  if (key === undefined || !repeatables) return key
  return entries.length === migrations.length ? withRepeatables(key, workspace) : undefined
}

/** The states on the way to the goal, the furthest first. With --step the way is not known before the ledger is read. */
export function startingStates(
  workspace: Workspace,
  config: DatabaseConfig,
  goal: UpGoal,
  options: StateOptions,
): readonly string[] {
  if (goal.kind === 'steps') return []
  const { migrations } = workspace
  const wanted = goal.kind === 'latest' ? undefined : findVersion(goal.version, migrations)
  const end =
    goal.kind === 'latest' ? migrations.length : migrations.findIndex(({ version }) => version === wanted) + 1
  const keys = stateKeys(workspace, config, options).slice(0, end)
  const whole = goal.kind === 'latest' ? wholeState(workspace, config, options) : undefined
  return [...new Set([...(whole === undefined ? [] : [whole]), ...keys.reverse()])]
}

/** All migrations, and what is repeatable. */
export function wholeState(
  workspace: Workspace,
  config: DatabaseConfig,
  options: StateOptions,
): string | undefined {
  const keys = stateKeys(workspace, config, options)
  const last = keys.length === workspace.migrations.length ? keys.at(-1) : undefined
  return last === undefined ? undefined : withRepeatables(last, workspace)
}

/**
 * The same with the seeds. Relative dates, and columns that default to now, depend on the day, so such a state is good for one; SQL that
 * asks the clock, or for something random, depends on the moment, and has none.
 */
export function seededState(
  workspace: Workspace,
  config: DatabaseConfig,
  { engine, day, root }: StateOptions & { readonly day: string; readonly root: string },
): string | undefined {
  const whole = wholeState(workspace, config, { engine })
  if (whole === undefined) return undefined
  const files = readSeeds([config], undefined, root).flatMap(({ sets }) => sets.flatMap((set) => set.files))
  if (files.reduce((sum, { bytes }) => sum + bytes, 0) > MOST_TO_HASH) return undefined
  const parts: unknown[] = [whole, day, config.seedsFrom]
  for (const { set, file, format, path } of files) {
    const content = readFileSync(path)
    if (format === 'sql' && ASKS_THE_MOMENT.test(content.toString('latin1'))) return undefined
    parts.push([set, file, hash('sha256', content, 'hex')])
  }
  return hash('sha256', JSON.stringify(parts), 'hex')
}

/** Reading more than this takes as long as loading it. */
const MOST_TO_HASH = 256 * 1024 * 1024

const ASKS_THE_MOMENT =
  /\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random\w*|gen_random_\w+|uuid\w*|setseed)\s*\(|\b(?:current_time|current_timestamp|localtime|localtimestamp)\b|'now'/i

/**
 * A key for each state of a history: the first is what a ledger of one entry stands for, and so on, as far as files alone decide.
 */
function stateKeys(workspace: Workspace, config: DatabaseConfig, { engine }: StateOptions): string[] {
  const { hooks, ledger, searchPath, timeZone } = config
  // A hook may do anything, and is no part of the files.
  if (Object.values(hooks).some((list) => list.length > 0)) return []
  const { migrations, repeatable, layout } = workspace
  // What code imports is in no checksum.
  const firstModule = migrations.findIndex(({ up }) => up.module !== undefined)
  const known = firstModule < 0 ? migrations : migrations.slice(0, firstModule)
  const variables = variablesIn([...known, ...repeatable], config)
  let key = hash(
    'sha256',
    JSON.stringify([DBKIT_VERSION, engine, layout, ledger, searchPath, timeZone, variables]),
    'hex',
  )
  return known.map((migration) => {
    const { name, up, down } = migration
    const about = [key, name, up.checksum, down?.checksum, foreignText(migration)]
    return (key = hash('sha256', JSON.stringify(about), 'hex'))
  })
}

/** The files of other tools may name variables and placeholders: what counts is the text with them put in. */
function foreignText({ up, down }: Migration): readonly (string | undefined)[] {
  return [up, down].map((script) => script?.compose?.().text)
}

function withRepeatables(key: string, { repeatable }: Workspace): string {
  if (repeatable.length === 0) return key
  const parts = repeatable.map(({ name, up }) => [name, up.checksum, up.compose?.().text])
  return hash('sha256', JSON.stringify([key, parts]), 'hex')
}

/** The values of the environment that the files may name; the checksums are over the texts, without them. */
function variablesIn(
  files: readonly { readonly up: Script }[],
  { substitute, environment }: DatabaseConfig,
): Readonly<Record<string, string | undefined>> {
  const names = new Set(substitute)
  for (const { up } of files) {
    const text = up.text ?? readFileSync(up.path, 'latin1')
    if (text.includes('dbkit: substitute'))
      for (const [, list = ''] of text.matchAll(/dbkit:\s*substitute\s*=\s*([\w,]+)/g))
        for (const name of list.split(',')) names.add(name)
  }
  return Object.fromEntries([...names].sort().map((name) => [name, environment[name]]))
}
