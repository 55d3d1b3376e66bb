import type { LedgerEntry } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError } from '../errors.js'
import { planDown, planUp, type Step } from '../plan/plan.js'
import { refuseObstacles, type ScriptText } from '../workspace/migration-file.js'
import { scriptReader, type Migration, type Workspace } from '../workspace/workspace.js'

/** A migration with what can be run of it. */
export interface Candidate {
  readonly migration: Migration
  readonly up: Step
  readonly down: Step | undefined
  /** Why the down cannot even be sent. */
  readonly unusable: DbkitError | undefined
  readonly irreversible: string | undefined
}

/** Plans every up and every down. Fails with `workspace.*` when an up cannot be sent. */
export function candidatesOf(workspace: Workspace): readonly Candidate[] {
  const text = scriptReader()
  const unusable = new Map<string, DbkitError>()
  const migrations = workspace.migrations.map((migration) => {
    const { down } = migration
    const problem = down === undefined ? undefined : refusalOf(() => text(down))
    if (problem === undefined) return migration
    unusable.set(migration.version, problem)
    return { ...migration, down: undefined }
  })
  const { steps } = planUp(
    { ...workspace, migrations },
    { exists: true, entries: [] },
    { kind: 'latest' },
    { allowOutOfOrder: false, singleTransaction: false },
    { text },
  )
  return migrations.map((migration, index) => {
    const up = steps[index]
    if (up === undefined) throw new Error(`${migration.name} has no plan`)
    return {
      migration,
      up,
      down: migration.down === undefined ? undefined : planOneDown(workspace, migration, text),
      unusable: unusable.get(migration.version),
      irreversible: up.script.directives.irreversible,
    }
  })
}

function planOneDown(
  workspace: Workspace,
  migration: Migration,
  text: ReturnType<typeof scriptReader>,
): Step | undefined {
  const entry: LedgerEntry = {
    version: migration.version,
    name: migration.name,
    state: 'applied',
    upChecksum: migration.up.checksum,
    downChecksum: migration.down?.checksum,
    transactional: true,
    statementsDone: 0,
    attempt: undefined,
    appliedAt: undefined,
    appliedBy: '',
    durationMs: undefined,
    outOfOrder: false,
    hasDownSql: true,
  }
  const { steps } = planDown(
    { ...workspace, migrations: [migration] },
    { exists: true, entries: [entry] },
    { kind: 'all' },
    { text, ledgerText: () => undefined },
  )
  return steps[0]
}

/** What is wrong with a script before it is sent. */
function refusalOf(read: () => ScriptText): DbkitError | undefined {
  try {
    const [first, ...others] = refuseObstacles(read())
    return first?.with({ others })
  } catch (error) {
    if (error instanceof DbkitError) return error
    throw error
  }
}

/** Raised by the file itself: in a DO block, and not by a function or trigger that it ran into; or thrown by code, as a plain Error. */
export function isRefusal(cause: unknown): boolean {
  if (!(cause instanceof SqlError))
    return cause instanceof Error && !(cause instanceof DbkitError) && cause.name === 'Error'
  return /^PL\/pgSQL function inline_code_block line \d+ at RAISE$/.test(
    cause.fields.where?.split('\n')[0] ?? '',
  )
}
