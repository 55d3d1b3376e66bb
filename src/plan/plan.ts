import { nearestName, problem, throwProblems, type DbkitError } from '../errors.js'
import type { Ledger, LedgerEntry, NewEntry } from '../database/ledger.js'
import type { MigrationState, MigrationStatus, StatusSummary } from '../report.js'
import type { ScriptText } from '../workspace/migration-file.js'
import { holdsPassword, keptModule, refuseObstacles, withoutPasswords } from '../workspace/migration-file.js'
import { findVersion, type VersionOrder } from '../workspace/version.js'
import type { Migration, Script, Workspace } from '../workspace/workspace.js'

/** What is to be run, decided and checked; nothing in it is left to find out but what the database says to it. */
export interface Plan {
  readonly steps: readonly Step[]
  /** What the user should know though it stops nothing: missing files, edited downs. */
  readonly notes: readonly string[]
  /** Ledger rows that take the present text of their files; nothing is run for them. */
  readonly accept?: readonly NewEntry[]
}

/** One migration in one direction. */
export interface Step {
  readonly version: string
  readonly name: string
  readonly direction: 'up' | 'down'
  readonly script: ScriptText
  readonly source: 'file' | 'ledger'
  /** The ledger row of an up. */
  readonly entry: NewEntry | undefined
  readonly transaction: boolean
  readonly outOfOrder: boolean
  /** Present when an interrupted file outside a transaction goes on where it stopped. */
  readonly resume: { readonly done: number; readonly attempt: LedgerEntry['attempt'] } | undefined
}

export type UpGoal =
  | { readonly kind: 'latest' }
  | { readonly kind: 'to'; readonly version: string }
  | { readonly kind: 'steps'; readonly count: number }

export type DownGoal =
  | { readonly kind: 'to'; readonly version: string }
  | { readonly kind: 'steps'; readonly count: number }
  | { readonly kind: 'all' }

export interface Readers {
  /** Decodes a file; fails with `workspace.*`. */
  readonly text: (script: Script) => ScriptText
}

/** Which pending migrations an up runs. Fails with `plan.*` or `workspace.*` before anything has run. */
export function planUp(
  workspace: Workspace,
  ledger: Ledger,
  goal: UpGoal,
  options: { readonly allowOutOfOrder: boolean; readonly singleTransaction: boolean },
  readers: Readers,
): Plan {
  const entries = byVersion(ledger)
  const notes = [...missingNotes(workspace, ledger), ...editedDownNotes(workspace, entries)]
  refuseEdited(workspace, entries)
  refuseReverting(ledger)
  const { order } = workspace
  const head = headOf(ledger, order)
  const interrupted = ledger.entries.filter(({ state }) => state === 'applying')
  let pending = workspace.migrations.filter(({ version }) => !entries.has(version))
  if (goal.kind === 'to') {
    const wanted = knownVersion(goal.version, workspace, ledger)
    pending = pending.filter(({ version }) => order(version, wanted) <= 0)
  } else if (goal.kind === 'steps') pending = pending.slice(0, Math.max(0, goal.count - interrupted.length))
  const late = pending.filter(({ version }) => head !== undefined && order(version, head.version) < 0)
  if (late.length > 0 && !options.allowOutOfOrder)
    throw problem('plan.out-of-order', {
      database: workspace.database,
      files: late.map(({ name }) => name),
      head: head?.name ?? '',
    })
  const outOfOrder = new Set(late.map(({ version }) => version))
  const steps = [
    ...interrupted.flatMap((entry) => resumeUp(workspace, entry, readers)),
    ...checked(pending, (migration) => upStep(migration, outOfOrder.has(migration.version), readers)),
  ]
  const outside = steps.find(({ transaction }) => !transaction)
  if (options.singleTransaction && outside !== undefined)
    throw problem('plan.no-transaction-in-single', { file: outside.script.file })
  return { steps, notes }
}

/** Which applied migrations a down rolls back, the last applied first. Fails before anything has run when one of them has no way back. */
export function planDown(
  workspace: Workspace,
  ledger: Ledger,
  goal: DownGoal,
  readers: Readers & { readonly ledgerText: (entry: LedgerEntry) => ScriptText | undefined },
): Plan {
  const notes: string[] = []
  const applying = ledger.entries.find(({ state }) => state === 'applying')
  if (applying !== undefined)
    throw problem('plan.interrupted-other-way', {
      file: applying.name,
      state: 'it was applied',
      command: '`dbkit migrate up`',
    })
  const backwards = [...ledger.entries].reverse()
  const steps = checked(downTargets(backwards, workspace, ledger, goal), (entry) => {
    const migration = workspace.migrations.find(({ version }) => version === entry.version)
    const step = downStep(entry, migration, readers)
    if ('direction' in step && step.source === 'ledger')
      notes.push(`${entry.name}: its file is gone; rolled back with the SQL that the ledger kept.`)
    else if (migration?.down !== undefined && entry.downChecksum !== migration.down.checksum)
      notes.push(`${entry.name}: its down was edited since it was applied; the file's present text is used.`)
    return step
  })
  return { steps, notes }
}

/** The applied versions whose SQL only the ledger has: the file is gone, or was edited since. */
export function upsFromLedger(workspace: Workspace, ledger: Ledger): readonly string[] {
  return ledger.entries
    .filter(({ state, version, upChecksum }) => {
      const migration = workspace.migrations.find((one) => one.version === version)
      return state === 'applied' && migration?.up.checksum !== upChecksum
    })
    .map(({ version }) => version)
}

/**
 * What a database has been through, to be done again in an empty one: what the ledger says is applied, in the order in which it was.
 * The text that was run counts, also where the file was edited since.
 */
export function planReplay(
  workspace: Workspace,
  ledger: Ledger,
  readers: Readers & { readonly ledgerText: (entry: LedgerEntry) => ScriptText | undefined },
): Plan {
  const notes: string[] = []
  const applied = ledger.entries.filter(({ name, state }) => {
    if (state !== 'applied') notes.push(`${name} was interrupted, and is not counted as applied`)
    return state === 'applied'
  })
  const steps = checked(applied, (entry) => {
    const migration = workspace.migrations.find(({ version }) => version === entry.version)
    if (migration?.up.checksum === entry.upChecksum) return upStep(migration, false, readers)
    const script = readers.ledgerText(entry)
    // Code is not run from the ledger: nobody would see what it imports.
    if (script === undefined || script.module !== undefined)
      return [problem('plan.no-up', { file: entry.name })]
    notes.push(
      migration === undefined
        ? `${entry.name}: its file is not here; taken as the ledger kept it`
        : `${entry.name}: its file was edited since it was applied; taken as it was run`,
    )
    return {
      version: entry.version,
      name: entry.name,
      direction: 'up',
      script,
      source: 'ledger',
      entry: {
        version: entry.version,
        name: entry.name,
        upChecksum: entry.upChecksum,
        downChecksum: entry.downChecksum,
        upSql: undefined,
        downSql: undefined,
        transactional: entry.transactional,
        outOfOrder: entry.outOfOrder,
      },
      transaction: entry.transactional,
      outOfOrder: entry.outOfOrder,
      resume: undefined,
    }
  })
  return { steps, notes }
}

/** The versions a down needs the ledger's SQL for: applied, within the goal, and without a file. */
export function downsFromLedger(workspace: Workspace, ledger: Ledger, goal: DownGoal): readonly string[] {
  const inFiles = new Set(workspace.migrations.map(({ version }) => version))
  return downTargets([...ledger.entries].reverse(), workspace, ledger, goal)
    .map(({ version }) => version)
    .filter((version) => !inFiles.has(version))
}

/** The state of every migration, of the files and of the ledger, in version order. */
export function statusOf(
  workspace: Workspace,
  ledger: Ledger,
): { readonly migrations: readonly MigrationStatus[]; readonly summary: StatusSummary } {
  const entries = byVersion(ledger)
  const { order } = workspace
  const head = headOf(ledger, order)
  const files = workspace.migrations.map((migration): MigrationStatus => {
    const entry = entries.get(migration.version)
    return entry === undefined
      ? {
          version: migration.version,
          name: migration.name,
          state:
            head !== undefined && order(migration.version, head.version) < 0 ? 'out-of-order' : 'pending',
          reversible: migration.down !== undefined,
        }
      : entryStatus(entry, stateOf(entry, migration), migration.down !== undefined || entry.hasDownSql)
  })
  const inFiles = new Set(workspace.migrations.map(({ version }) => version))
  const missing = ledger.entries
    .filter(({ version }) => !inFiles.has(version))
    .map((entry) =>
      entryStatus(entry, entry.state === 'applied' ? 'missing' : 'interrupted', entry.hasDownSql),
    )
  const migrations = [...files, ...missing].sort((a, b) => order(a.version, b.version))
  const summary: Record<MigrationState, number> = {
    applied: 0,
    pending: 0,
    'out-of-order': 0,
    edited: 0,
    'edited-down': 0,
    missing: 0,
    interrupted: 0,
  }
  for (const { state } of migrations) summary[state]++
  return { migrations, summary }
}

/** Which ledger rows a baseline writes: everything up to a version, recorded as applied without being run. */
export function planBaseline(
  workspace: Workspace,
  ledger: Ledger,
  version: string,
  readers: Readers,
): readonly NewEntry[] {
  const applied = ledger.entries.at(-1)
  if (applied !== undefined)
    throw problem('plan.baseline-not-empty', { database: workspace.database, applied: applied.name })
  const wanted = knownVersion(version, workspace, ledger)
  return workspace.migrations
    .filter((migration) => workspace.order(migration.version, wanted) <= 0)
    .map((migration) => entryOf(migration, false, readers))
}

/** Which ledger rows a repair rewrites because their files were edited on purpose. */
export function planRepair(workspace: Workspace, ledger: Ledger, readers: Readers): readonly NewEntry[] {
  const entries = byVersion(ledger)
  return workspace.migrations.flatMap((migration) => {
    const entry = entries.get(migration.version)
    if (entry?.state !== 'applied') return []
    const state = stateOf(entry, migration)
    return state === 'edited' || state === 'edited-down' || entry.name !== migration.name
      ? [entryOf(migration, entry.outOfOrder, readers)]
      : []
  })
}

function upStep(migration: Migration, outOfOrder: boolean, readers: Readers): Step | readonly DbkitError[] {
  const script = readers.text(migration.up)
  const down = migration.down === undefined ? undefined : readers.text(migration.down)
  const refused = [...refuseObstacles(script), ...(down === undefined ? [] : refuseObstacles(down))]
  if (down !== undefined && script.directives.irreversible !== undefined)
    refused.push(problem('workspace.irreversible-with-down', { file: script.file }))
  if (refused.length > 0) return refused
  return {
    version: migration.version,
    name: migration.name,
    direction: 'up',
    script,
    source: 'file',
    entry: entryOf(migration, outOfOrder, readers),
    transaction: script.directives.transaction,
    outOfOrder,
    resume: undefined,
  }
}

/** An up that was interrupted goes on if its text is still the same. */
function resumeUp(workspace: Workspace, entry: LedgerEntry, readers: Readers): readonly Step[] {
  const migration = workspace.migrations.find(({ version }) => version === entry.version)
  // Code begins at its first line again, and its back-fills where they stood: a mended text is as good.
  if (migration?.up.checksum !== entry.upChecksum && migration?.up.module === undefined)
    throw problem('plan.interrupted', { file: entry.name, state: 'applying', done: entry.statementsDone })
  const script = readers.text(migration.up)
  return [
    {
      version: entry.version,
      name: entry.name,
      direction: 'up',
      script,
      source: 'file',
      entry: entryOf(migration, entry.outOfOrder, readers),
      transaction: false,
      outOfOrder: entry.outOfOrder,
      resume: { done: entry.statementsDone, attempt: entry.attempt },
    },
  ]
}

function downStep(
  entry: LedgerEntry,
  migration: Migration | undefined,
  readers: Readers & { readonly ledgerText: (entry: LedgerEntry) => ScriptText | undefined },
): Step | readonly DbkitError[] {
  let script: ScriptText
  if (migration === undefined) {
    const kept = readers.ledgerText(entry)
    if (kept === undefined)
      return [problem(isModuleEntry(entry) ? 'plan.module-gone' : 'plan.no-down', { file: entry.name })]
    script = kept
  } else if (migration.down === undefined) {
    const reason = readers.text(migration.up).directives.irreversible ?? 'it has no down'
    return [problem('plan.irreversible', { file: entry.name, reason })]
  } else script = readers.text(migration.down)
  return rollBack(entry, script, migration === undefined ? 'ledger' : 'file')
}

/** The step that rolls an entry back with a script, or what in the script cannot be run. */
export function rollBack(
  entry: LedgerEntry,
  script: ScriptText,
  source: Step['source'],
): Step | readonly DbkitError[] {
  const refused = refuseObstacles(script)
  if (refused.length > 0) return refused
  return {
    version: entry.version,
    name: entry.name,
    direction: 'down',
    script,
    source,
    entry: undefined,
    transaction: script.directives.transaction,
    outOfOrder: false,
    resume: entry.state === 'reverting' ? { done: entry.statementsDone, attempt: entry.attempt } : undefined,
  }
}

/** Code has one file, and one checksum, for both directions; the ledger offers no down of it. */
function isModuleEntry({ upChecksum, downChecksum, hasDownSql }: LedgerEntry): boolean {
  return upChecksum === downChecksum && !hasDownSql
}

/** The ledger row of an applied migration. */
export function entryOf(migration: Migration, outOfOrder: boolean, readers: Readers): NewEntry {
  const up = readers.text(migration.up)
  const down = migration.down === undefined ? undefined : readers.text(migration.down)
  return {
    version: migration.version,
    name: migration.name,
    upChecksum: migration.up.checksum,
    downChecksum: migration.down?.checksum,
    upSql:
      up.module === undefined ? headed(up, withoutPasswords(up)) : keptModule(up.file, withoutPasswords(up)),
    // Code is not run from the ledger: nobody would see what it imports.
    downSql:
      down === undefined || down.module !== undefined || holdsPassword(down)
        ? undefined
        : headed(down, down.text),
    transactional: up.directives.transaction,
    outOfOrder,
  }
}

/** Other tools say outside of the SQL how it is to be run; what the ledger keeps has to say it by itself. */
function headed({ directives, text }: ScriptText, kept: string): string {
  return directives.transaction || /^-- *dbkit: *no-transaction/m.test(text)
    ? kept
    : `-- dbkit: no-transaction\n${kept}`
}

function downTargets(
  backwards: readonly LedgerEntry[],
  workspace: Workspace,
  ledger: Ledger,
  goal: DownGoal,
): readonly LedgerEntry[] {
  if (goal.kind === 'all') return backwards
  if (goal.kind === 'steps') return backwards.slice(0, goal.count)
  const stays = /^0+$/.test(goal.version) ? '0' : knownVersion(goal.version, workspace, ledger)
  return backwards.filter(({ version }) => workspace.order(version, stays) > 0)
}

/** Runs a check over all, so that every problem is shown at once, not one a run. */
function checked<T>(items: readonly T[], check: (item: T) => Step | readonly DbkitError[]): readonly Step[] {
  const problems: DbkitError[] = []
  const steps: Step[] = []
  for (const item of items) {
    const result = check(item)
    if ('direction' in result) steps.push(result)
    else problems.push(...result)
  }
  throwProblems(problems)
  return steps
}

function refuseEdited(workspace: Workspace, entries: ReadonlyMap<string, LedgerEntry>): void {
  const edited = workspace.migrations.filter((migration) => {
    const entry = entries.get(migration.version)
    return entry !== undefined && stateOf(entry, migration) === 'edited'
  })
  if (edited.length > 0)
    throw problem('plan.edited', { database: workspace.database, files: edited.map(({ up }) => up.file) })
}

function refuseReverting(ledger: Ledger): void {
  const reverting = ledger.entries.find(({ state }) => state === 'reverting')
  if (reverting !== undefined)
    throw problem('plan.interrupted-other-way', {
      file: reverting.name,
      state: 'it was rolled back',
      command: '`dbkit migrate down`',
    })
}

function stateOf(entry: LedgerEntry, migration: Migration): MigrationState {
  if (entry.state !== 'applied') return 'interrupted'
  if (entry.upChecksum !== migration.up.checksum) return 'edited'
  return entry.downChecksum === migration.down?.checksum ? 'applied' : 'edited-down'
}

function entryStatus(entry: LedgerEntry, state: MigrationState, reversible: boolean): MigrationStatus {
  return {
    version: entry.version,
    name: entry.name,
    state,
    appliedBy: entry.appliedBy,
    reversible,
    ...(entry.appliedAt === undefined ? {} : { appliedAt: entry.appliedAt }),
    ...(entry.durationMs === undefined ? {} : { durationMs: entry.durationMs }),
    ...(entry.outOfOrder ? { outOfOrder: true } : {}),
    ...(state === 'interrupted' ? { statementsDone: entry.statementsDone } : {}),
  }
}

function missingNotes(workspace: Workspace, ledger: Ledger): readonly string[] {
  const inFiles = new Set(workspace.migrations.map(({ version }) => version))
  return ledger.entries
    .filter(({ version, state }) => state === 'applied' && !inFiles.has(version))
    .map(({ name }) => `${name} is applied, but its file is not here (another branch?).`)
}

function editedDownNotes(workspace: Workspace, entries: ReadonlyMap<string, LedgerEntry>): readonly string[] {
  return workspace.migrations.flatMap((migration) => {
    const entry = entries.get(migration.version)
    return entry !== undefined && stateOf(entry, migration) === 'edited-down'
      ? [`${migration.name}: its down was edited since it was applied.`]
      : []
  })
}

/** The highest applied version: what is pending below it is out of order. */
function headOf(ledger: Ledger, order: VersionOrder): LedgerEntry | undefined {
  let head: LedgerEntry | undefined
  for (const entry of ledger.entries)
    if (head === undefined || order(entry.version, head.version) > 0) head = entry
  return head
}

function byVersion(ledger: Ledger): ReadonlyMap<string, LedgerEntry> {
  return new Map(ledger.entries.map((entry) => [entry.version, entry]))
}

/** A version as the user wrote it ("7", "0007" or "0007_add_rating"), if it exists. */
function knownVersion(written: string, workspace: Workspace, ledger: Ledger): string {
  const all = [...workspace.migrations, ...ledger.entries]
  const found = findVersion(written, all)
  if (found !== undefined) return found
  const known = [...new Set(all.map(({ name }) => name))]
  throw problem('request.unknown-version', {
    version: written,
    database: workspace.database,
    known,
    nearest: /^\d+$/.test(written) ? undefined : nearestName(written, known),
  })
}
