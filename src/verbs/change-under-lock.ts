import type { RepeatableStep } from '../apply/run-repeatables.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { keepSession, type SessionKeeper } from '../database/keep-session.js'
import {
  acceptFilesSql,
  BEGIN,
  createLedger,
  readLedger,
  squashEntriesSql,
  type Ledger,
  type LedgerEntry,
} from '../database/ledger.js'
import { readRepeatables, renewRepeatablesSql } from '../database/repeatable-ledger.js'
import { DbkitError, throwProblems } from '../errors.js'
import type { Plan, Step } from '../plan/plan.js'
import { recogniseSquashes, type Recognition } from '../plan/squash.js'
import { reportOf, type DatabaseReport, type StepReport } from '../report.js'
import { withoutPasswords, type ScriptText } from '../workspace/migration-file.js'
import { scriptReader } from '../workspace/workspace.js'
import type { Opened } from './with-database.js'

export type Outcome = Omit<DatabaseReport, 'database' | 'engine'>

/** Decides from a ledger what is to be run; the session is for the SQL that only the ledger has. */
export type Decide = (ledger: Ledger, session: Session) => Plan | Promise<Plan>

/**
 * The one way in which a database is migrated: ask the ledger once; only when there is something to do take the lock, read the ledger
 * again under it, and apply. Several decisions (redo: down, then up) are taken one after the other under the same lock.
 */
export async function changeUnderLock(
  opened: Opened,
  decisions: readonly Decide[],
  options: {
    readonly dryRun: boolean
    readonly singleTransaction: boolean
    /** Errors show no values of rows. */
    readonly redact?: boolean | undefined
    /** The key of the state that a ledger stands for, if it is one that a new database may start from. */
    readonly stateKey?: (ledger: Ledger) => string | undefined
    /** Afterwards what is repeatable is run, as far as its text has changed; `renewed`: all of it, after a rollback. */
    readonly repeatables?: boolean | 'renewed'
    /** A ledger in the middle of what a squash replaced is taken as it stands, and not refused. */
    readonly halfSquashed?: boolean
    /** False: rights are not looked at beforehand. */
    readonly preflight?: boolean | undefined
  },
): Promise<Outcome> {
  const { database, config, observer } = opened
  const sessions = keepSession(database)
  try {
    const session = await sessions.current()
    const text = scriptReader()
    const recognise = (ledger: Ledger): ReturnType<typeof recogniseSquashes> => {
      try {
        return recogniseSquashes(opened.workspace, ledger, { text })
      } catch (error) {
        const isHalf = error instanceof DbkitError && error.code === 'plan.squashed'
        if (!isHalf || options.halfSquashed !== true) throw error
        return { ledger, recognised: [] }
      }
    }
    const { ledger: before, recognised } = recognise(await readLedger(session, config.ledger))
    const foreseen = await foresee(before, decisions, session)
    const readChanged = async (from: Session, renewed: boolean): Promise<readonly RepeatableStep[]> => {
      const { repeatable } = opened.workspace
      if ((options.repeatables ?? false) === false || repeatable.length === 0) return []
      const { changedRepeatables } = await import('../apply/run-repeatables.js')
      return changedRepeatables(repeatable, renewed ? [] : await readRepeatables(from, config.ledger), text)
    }
    const repeated = await readChanged(session, options.repeatables === 'renewed' && goesBack(foreseen))
    const missing = await preflight(opened, session, foreseen, before, options)
    if (options.dryRun) return withMissing(dryRunOf(foreseen, recognised, repeated), missing)
    throwProblems(missing)
    const notes = foreseen.flatMap((plan) => plan.notes)
    const restored = database.made?.restored === undefined ? [] : before.entries.map(restoredStep)
    if (recognised.length === 0 && repeated.length === 0 && foreseen.every(isNothing))
      return { ok: true, steps: restored, ...notesOf(notes) }
    const lock = {
      name: `${config.ledger.schema}.${config.ledger.table}`,
      waitMs: config.lockWaitMs,
      signal: opened.signal,
      onWait(holder: string) {
        observer({ kind: 'lock-wait', database: config.name, holder })
      },
    }
    const explained = async (error: DbkitError, script: ScriptText): Promise<DbkitError> => {
      const { explainFailure } = await import('../apply/culprit/explain-failure.js')
      return explainFailure(error, script, sessions, config, options)
    }
    const work = async (lost: AbortSignal): Promise<Outcome> => {
      // Only here is there something to run: Umzug is not loaded to say that nothing is pending.
      const { applyPlan } = await import('../apply/apply-plan.js')
      const steps: StepReport[] = [...restored]
      const signal = AbortSignal.any([opened.signal, lost])
      const told: string[] = []
      // Read once more only for those who have something to recognise.
      const locked =
        recognised.length === 0
          ? { recognised }
          : recognise(await readLedger(await sessions.current(), config.ledger))
      if (locked.recognised.length > 0) {
        const sql = locked.recognised.map(({ entry, gone }) => squashEntriesSql(config.ledger, entry, gone))
        await (await sessions.current()).script([BEGIN, ...sql, 'commit'].join(';'))
        told.push(...locked.recognised.map(describeRecognition))
      }
      for (const decide of decisions) {
        // A session that waited for long may have been closed by the server.
        const current = await sessions.current()
        const ledger = await readLedger(current, config.ledger)
        if (!ledger.exists) await createLedger(current, config.ledger)
        const plan = await decide({ ...ledger, exists: true }, current)
        told.push(...plan.notes)
        if (options.repeatables === 'renewed' && goesBack([plan])) await renewRepeatables(current, config)
        if (plan.accept !== undefined && plan.accept.length > 0) {
          const accepted = plan.accept.map((entry) => acceptFilesSql(config.ledger, entry))
          await current.script([BEGIN, ...accepted, 'commit'].join(';'))
        }
        const applied = await applyPlan(plan, sessions, config, {
          signal,
          migrationHooks: true,
          observer,
          singleTransaction: options.singleTransaction,
          together: database.supports.manySessions,
        })
        steps.push(...applied.steps)
        if (applied.error !== undefined) {
          const failed = plan.steps[applied.steps.findIndex(({ outcome }) => outcome === 'failed')]
          const error =
            failed === undefined || opened.signal.aborted
              ? applied.error
              : await explained(applied.error, failed.script)
          return { ok: false, steps, ...notesOf(told), error: reportOf(error) }
        }
      }
      const again = await readChanged(await sessions.current(), false)
      if (again.length > 0) {
        const { runRepeatables } = await import('../apply/run-repeatables.js')
        const ran = await runRepeatables(again, sessions, { config, signal, observer, record: true })
        steps.push(...ran.steps)
        if (ran.error !== undefined)
          return {
            ok: false,
            steps,
            ...notesOf(told),
            error: reportOf(ran.failed === undefined ? ran.error : await explained(ran.error, ran.failed)),
          }
      }
      await keepWorthwhile(opened, steps, options, await sessions.current())
      return { ok: true, steps, ...notesOf(told) }
    }
    const planned = foreseen.flatMap(({ steps }) => steps)
    const direction = planned[0]?.direction ?? 'up'
    // Hooks are about what is run: a row of the ledger that takes a text runs nothing.
    const runs = planned.length + repeated.length + recognised.length > 0
    return await database.withLock(lock, (lost) =>
      runs ? betweenHooks(opened, sessions, direction, () => work(lost)) : work(lost),
    )
  } finally {
    await sessions.close()
  }
}

function isNothing({ steps, accept = [] }: Plan): boolean {
  return steps.length + accept.length === 0
}

function goesBack(plans: readonly Plan[]): boolean {
  return plans.some(({ steps }) => steps.some(({ direction }) => direction === 'down'))
}

/**
 * A rollback may take away what a repeatable file made. Noted before it begins, so that whoever goes on after a crash in the middle runs
 * them as well.
 */
async function renewRepeatables(session: Session, { ledger }: DatabaseConfig): Promise<void> {
  if ((await readRepeatables(session, ledger)).length > 0) await session.script(renewRepeatablesSql(ledger))
}

/** Said before anything is changed: a role that may not do the last of ten migrations does not do the first nine. */
async function preflight(
  { database, config }: Opened,
  session: Session,
  plans: readonly Plan[],
  { exists }: Ledger,
  options: { readonly preflight?: boolean | undefined },
): Promise<readonly DbkitError[]> {
  const steps = plans.flatMap((plan) => plan.steps)
  // The embedded engine has one role, which may do everything.
  if (options.preflight === false || steps.length === 0 || !database.supports.manySessions) return []
  const { missingRights } = await import('../apply/preflight.js')
  return missingRights(session, steps, config, { ledgerExists: exists })
}

function withMissing(outcome: Outcome, missing: readonly DbkitError[]): Outcome {
  const told = missing.map(({ message, hint }) => [message, hint].filter(Boolean).join(' '))
  return told.length === 0 ? outcome : { ...outcome, notes: [...(outcome.notes ?? []), ...told] }
}

/** beforeRun can keep a run from beginning; afterRun is told how it went. */
async function betweenHooks(
  { config, signal, observer }: Opened,
  sessions: SessionKeeper,
  direction: 'up' | 'down',
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { beforeRun, afterRun } = config.hooks
  if (beforeRun.length + afterRun.length === 0) return work()
  const { runHooks } = await import('../apply/hooks.js')
  const ground = { config, sessions, signal, observer, within: false }
  const refused = await runHooks('beforeRun', { direction }, ground)
  if (refused !== undefined) return { ok: false, steps: [], error: reportOf(refused) }
  const outcome = await work()
  const ended = outcome.ok ? (direction === 'up' ? 'applied' : 'rolled-back') : 'failed'
  const failed = await runHooks('afterRun', { direction, outcome: ended }, ground)
  if (failed === undefined || outcome.error !== undefined) return outcome
  return { ...outcome, ok: false, error: reportOf(failed) }
}

/** All plans, each decided on the ledger that the one before it would leave. */
async function foresee(
  ledger: Ledger,
  decisions: readonly Decide[],
  session: Session,
): Promise<readonly Plan[]> {
  const plans: Plan[] = []
  let expected = ledger
  for (const decide of decisions) {
    const plan = await decide(expected, session)
    plans.push(plan)
    const gone = new Set(
      plan.steps.filter(({ direction }) => direction === 'down').map(({ version }) => version),
    )
    expected = { ...expected, entries: expected.entries.filter(({ version }) => !gone.has(version)) }
  }
  return plans
}

function restoredStep({ version, name }: LedgerEntry): StepReport {
  return { version, name, direction: 'up', outcome: 'applied', source: 'cache' }
}

/** Copying a data folder takes half a second and 40 MB: only what took longer to make is kept. */
export const WORTH_KEEPING_MS = 2_000

async function keepWorthwhile(
  { database, config }: Opened,
  steps: readonly StepReport[],
  { stateKey }: { readonly stateKey?: (ledger: Ledger) => string | undefined },
  session: Session,
): Promise<void> {
  const spent = steps.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)
  if (database.made === undefined || stateKey === undefined || spent < WORTH_KEEPING_MS) return
  const key = stateKey(await readLedger(session, config.ledger))
  if (key !== undefined) database.made.keepAs(key)
}

/** What would be run, for people to read and for psql to run; nothing was written. */
function dryRunOf(
  plans: readonly Plan[],
  recognised: readonly Recognition[],
  repeated: readonly RepeatableStep[],
): Outcome {
  const steps = plans.flatMap((plan) => plan.steps)
  return {
    ok: true,
    steps: [
      ...steps.map(({ version, name, direction, outOfOrder, source }): StepReport => ({
        version,
        name,
        direction,
        outcome: 'not-run',
        ...(source === 'ledger' ? { source } : {}),
        ...(outOfOrder ? { outOfOrder } : {}),
      })),
      ...repeated.map(({ name }): StepReport => ({
        version: '',
        name,
        direction: 'up',
        outcome: 'not-run',
        repeatable: true,
      })),
    ],
    sql: [...steps, ...repeated.map(asStep)].map(({ version, name, direction, script, transaction }) => ({
      version,
      name,
      direction,
      transaction,
      // psql may be given all of it: code stands there to be read.
      sql: script.module === undefined ? withoutPasswords(script) : asComment(withoutPasswords(script)),
    })),
    ...notesOf([...recognised.map(describeRecognition), ...plans.flatMap((plan) => plan.notes)]),
  }
}

function asStep({
  name,
  script,
}: RepeatableStep): Pick<Step, 'version' | 'name' | 'direction' | 'script' | 'transaction'> {
  return { version: '', name, direction: 'up', script, transaction: true }
}

function asComment(code: string): string {
  const lines = code.trimEnd().split('\n')
  return ['-- Code: which statements it sends is known when it runs.', ...lines.map((line) => `-- | ${line}`)]
    .join('\n')
    .replaceAll(/ +$/gm, '')
}

/** For a ledger from before a squash. */
export function describeRecognition({ migration, gone }: Recognition): string {
  return `${migration.name} stands for ${String(gone.length + 1)} migrations that this database has already`
}

export function notesOf(notes: readonly string[]): { readonly notes?: readonly string[] } {
  return notes.length === 0 ? {} : { notes }
}
