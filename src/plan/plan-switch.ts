import { problem, throwProblems, type DbkitError } from '../errors.js'
import type { Ledger, LedgerEntry } from '../database/ledger.js'
import type { RepeatableEntry } from '../database/repeatable-ledger.js'
import type { ScriptText } from '../workspace/migration-file.js'
import { splitStatements } from '../workspace/statements.js'
import type { Migration, Workspace } from '../workspace/workspace.js'
import { normal } from './needs.js'
import { planRepair, planUp, rollBack, type Plan, type Readers, type Step } from './plan.js'

/**
 * Why a migration is rolled back: its file is not here, its text is another, it was being rolled back already, or it is here as it was
 * and stands after what has to go or to come before it.
 */
export type WhyBack = 'missing' | 'edited' | 'interrupted' | 'later'

/** What of a database the files do not say, and what they say as well. */
export interface Parting {
  /** Stays: the first entries of the ledger, which are the first migrations of the files. */
  readonly kept: readonly LedgerEntry[]
  /** Goes, the last applied first. */
  readonly back: readonly { readonly entry: LedgerEntry; readonly why: WhyBack }[]
}

/**
 * Where the ledger and the files part. As long as the first so many entries are the first so many migrations they stay, in whichever order
 * they were applied: what somebody let in out of order once is no reason to roll back.
 */
export function partingOf(workspace: Workspace, ledger: Ledger): Parting {
  const places = new Map(workspace.migrations.map((migration, place) => [migration.version, place]))
  let kept = 0
  let furthest = -1
  for (const [index, entry] of ledger.entries.entries()) {
    const place = places.get(entry.version)
    const migration = place === undefined ? undefined : workspace.migrations[place]
    if (place === undefined || !isSame(entry, migration) || entry.state === 'reverting') break
    furthest = Math.max(furthest, place)
    if (furthest === index) kept = index + 1
  }
  const back = ledger.entries.slice(kept).map((entry) => {
    const migration = workspace.migrations[places.get(entry.version) ?? -1]
    return { entry, why: whyBack(entry, migration) }
  })
  return { kept: ledger.entries.slice(0, kept), back: back.reverse() }
}

function isSame(entry: LedgerEntry, migration: Migration | undefined): boolean {
  return migration?.up.checksum === entry.upChecksum
}

function whyBack(entry: LedgerEntry, migration: Migration | undefined): WhyBack {
  if (entry.state === 'reverting') return 'interrupted'
  if (migration === undefined) return 'missing'
  return isSame(entry, migration) ? 'later' : 'edited'
}

/** What the ledger kept of the migrations that go. */
export interface KeptTexts {
  readonly down: (entry: LedgerEntry) => ScriptText | undefined
  readonly up: (entry: LedgerEntry) => ScriptText | undefined
}

/**
 * The way back to where ledger and files part. With the SQL of the ledger: the way back belongs to what was applied, and not to what is
 * in the file today. Fails with everything that has no way back, before anything has run.
 */
export function planBack(
  workspace: Workspace,
  ledger: Ledger,
  repeatables: readonly RepeatableEntry[],
  readers: Readers & { readonly kept: KeptTexts },
): Plan {
  const { back } = partingOf(workspace, ledger)
  const problems: DbkitError[] = goneRepeatables(workspace, repeatables)
  const steps: Step[] = []
  for (const { entry } of back) {
    const step = backStep(entry, workspace, readers)
    if ('direction' in step) steps.push(step)
    else problems.push(...step)
  }
  throwProblems(problems)
  return { steps, notes: notesOf(back) }
}

/** What the files have beyond it. Where only the way back of a migration was edited, or its name, the ledger takes the present text. */
export function planForth(workspace: Workspace, ledger: Ledger, readers: Readers): Plan {
  const options = { allowOutOfOrder: false, singleTransaction: false }
  const { steps } = planUp(workspace, ledger, { kind: 'latest' }, options, readers)
  const accept = planRepair(workspace, ledger, readers)
  const notes = accept.map(
    ({ name }) => `${name}: the ledger takes the present name and way back of its file`,
  )
  return { steps, accept, notes }
}

/** What is repeatable has no way back: what a file made that is gone would stay, and nobody would know. */
function goneRepeatables({ repeatable }: Workspace, applied: readonly RepeatableEntry[]): DbkitError[] {
  const here = new Set(repeatable.map(({ name }) => name))
  return applied
    .filter(({ name }) => !here.has(name))
    .map(({ name }) =>
      problem('switch.no-way-back', {
        file: name,
        why: 'it is repeatable, which has no way back, and its file is not here',
      }),
    )
}

function backStep(
  entry: LedgerEntry,
  workspace: Workspace,
  readers: Readers & { readonly kept: KeptTexts },
): Step | readonly DbkitError[] {
  const refused = (why: string): readonly DbkitError[] => [
    problem('switch.no-way-back', { file: entry.name, why }),
  ]
  if (entry.state === 'applying')
    return refused(
      `it was interrupted while it was applied, after ${String(entry.statementsDone)} of its statements`,
    )
  const migration = workspace.migrations.find(({ version }) => version === entry.version)
  const kept = readers.kept.down(entry)
  const script = kept ?? unchangedDown(entry, migration, readers)
  if (script === undefined) return refused(whyNoDown(entry, readers.kept))
  return rollBack(entry, script, kept === undefined ? 'file' : 'ledger')
}

/** The ledger keeps no code, and no password; a file that is still what was applied has them. */
function unchangedDown(
  entry: LedgerEntry,
  migration: Migration | undefined,
  readers: Readers,
): ScriptText | undefined {
  if (migration?.down === undefined || !isSame(entry, migration)) return undefined
  return migration.down.checksum === entry.downChecksum ? readers.text(migration.down) : undefined
}

function whyNoDown(entry: LedgerEntry, kept: KeptTexts): string {
  const up = kept.up(entry)
  if (up?.module !== undefined)
    return entry.downChecksum === undefined
      ? 'it is code without a way back'
      : 'it is a migration as code, and its file is not here as it was applied'
  if (entry.downChecksum === undefined) return up?.directives.irreversible ?? 'it has no down'
  return 'its down holds a password, which the ledger does not keep, and its file is not here as it was applied'
}

const WHY: Readonly<Record<Exclude<WhyBack, 'later'>, string>> = {
  missing: 'is rolled back: its file is not here',
  edited: 'is rolled back: its file has another text',
  interrupted: 'goes on being rolled back, where that was interrupted',
}

function notesOf(back: Parting['back']): readonly string[] {
  const notes: string[] = []
  const later: string[] = []
  for (const { entry, why } of [...back].reverse())
    if (why === 'later') later.push(entry.name)
    else notes.push(`${entry.name} ${WHY[why]}`)
  const [first = '', ...others] = later
  const named = others.length > 2 ? `${first} to ${others.at(-1) ?? ''}` : later.join(', ')
  if (later.length > 0)
    notes.push(`rolled back and applied again, because of the order (${String(later.length)}): ${named}`)
  return notes
}

const PART = `(?:"(?:[^"]|"")+"|[\\w$]+)`
const NAME = `${PART}(?: ?\\. ?${PART})*`
const DROPS_RELATION = new RegExp(`^drop (foreign table|materialized view|table) (?:if exists )?(.+)$`, 'i')
const DROPS_COLUMN = new RegExp(`^alter table (?:if exists )?(?:only )?(${NAME}) (.+)$`, 'i')

/** What rows are in that goes, as far as the text of the way back says so: "table public.loads", "column loads.weight". */
export function lossesOf({ steps }: Pick<Plan, 'steps'>): readonly string[] {
  const losses = new Set<string>()
  for (const { script, direction } of steps) {
    if (direction !== 'down' || script.module !== undefined) continue
    for (const statement of splitStatements(script.text))
      for (const loss of lossesIn(normal(statement))) losses.add(loss)
  }
  return [...losses]
}

function lossesIn(statement: string): readonly string[] {
  const [, kind = '', names = ''] = DROPS_RELATION.exec(statement) ?? []
  // What a materialized view shows can be made again.
  if (kind !== '' && !/^materialized/i.test(kind))
    return [...names.replace(/ (?:cascade|restrict)$/i, '').matchAll(new RegExp(NAME, 'g'))].map(
      ([name]) => `table ${name}`,
    )
  const [, table = '', actions = ''] = DROPS_COLUMN.exec(statement) ?? []
  const column = new RegExp(`(?:^|, )drop (?:column )?(?:if exists )?(?!constraint\\b)(${PART})`, 'gi')
  return [...actions.matchAll(column)].map(([, name = '']) => `column ${table}.${name}`)
}
