import type { Session } from '../../database/database.js'
import {
  acceptFilesSql,
  BEGIN,
  completeEntrySql,
  deleteEntrySql,
  insertEntrySql,
  readProgress,
  startRevertSql,
} from '../../database/ledger.js'
import { SqlError } from '../../database/sql-error.js'
import { DBKIT_VERSION } from '../../package-version.js'
import type { Step } from '../../plan/plan.js'
import {
  backOff,
  cancellable,
  interruption,
  isDone,
  isRefusedByFence,
  LEAVE_CLEAN,
  overtaken,
  RESET_ROLE,
  settings,
  settleLostCommit,
  type StepContext,
  type StepResult,
} from '../run-transaction.js'
import { backfillOf, ledgerJournal, noBackfill } from './backfill.js'
import { loadMigration } from './load-migration.js'
import { moduleFailure } from './module-failure.js'
import { ModuleRun, type ModuleGround } from './module-run.js'

/**
 * Runs a migration as code, in one transaction with its ledger row, or, where it asks for that, outside of any. The code is called again
 * when it did not get a lock in time: what it has done to the database was rolled back then.
 */
export async function runModule(step: Step, context: StepContext): Promise<StepResult> {
  if (!step.transaction) return runAlone(step, context)
  const { config, signal } = context
  for (let retries = 0; ; retries++) {
    const session = await context.session()
    const { before, fence, after } = framing(step, context)
    try {
      await session.script([BEGIN, ...before].join(';'))
    } catch (error) {
      if (!(error instanceof SqlError) || error.connectionLost) throw error
      await session.script('rollback')
      if (isRefusedByFence(error, fence + 1)) throw overtaken(step, error)
      if (error.sqlstate !== '55P03' || retries >= config.lockRetries) throw moduleFailure(error, step.script)
      await backOff(retries, context)
      continue
    }
    try {
      await callWithin(step, session, context)
      await cancellable(session, signal, () => session.script([...after, 'commit', ...LEAVE_CLEAN].join(';')))
      return { retries }
    } catch (error) {
      if (error instanceof SqlError && error.connectionLost) {
        await settleLostCommit(step, context, error)
        return { retries }
      }
      if (!session.lost) await session.script(['rollback', ...LEAVE_CLEAN].join(';'))
      if (signal.aborted) throw interruption(signal)
      if (isDone(step, await readProgress(await context.session(), config.ledger, step.version)))
        return { retries }
      if (!(error instanceof SqlError) || error.sqlstate !== '55P03' || retries >= config.lockRetries)
        throw moduleFailure(error, step.script)
      await backOff(retries, context)
    }
  }
}

/** A step inside a transaction that is open, and stays so. */
export async function runModuleWithin(
  step: Step,
  session: Session,
  context: Pick<StepContext, 'config' | 'signal' | 'serverSettings'>,
): Promise<void> {
  const { before, after } = framing(step, context)
  try {
    await session.script(before.join(';'))
    await callWithin(step, session, context)
    await cancellable(session, context.signal, () => session.script([...after, ...LEAVE_CLEAN].join(';')))
  } catch (error) {
    if (context.signal.aborted) throw interruption(context.signal)
    throw moduleFailure(error, step.script)
  }
}

function framing(
  step: Step,
  { config, serverSettings }: Pick<StepContext, 'config' | 'serverSettings'>,
): { readonly before: readonly string[]; readonly fence: number; readonly after: readonly string[] } {
  const { ledger, lockTimeoutMs } = config
  const pinned = settings(step, config, { scope: 'transaction', lockTimeoutMs, serverSettings })
  return {
    before: [...pinned, startSql(step, ledger)],
    fence: pinned.length,
    after: [...RESET_ROLE, endSql(step, ledger)],
  }
}

function startSql(step: Step, ledger: StepContext['config']['ledger']): string {
  return step.entry === undefined
    ? startRevertSql(ledger, step.version)
    : insertEntrySql(ledger, step.entry, 'applying', DBKIT_VERSION)
}

function endSql(step: Step, ledger: StepContext['config']['ledger']): string {
  return step.direction === 'up'
    ? completeEntrySql(ledger, step.version)
    : deleteEntrySql(ledger, step.version)
}

async function callWithin(
  step: Step,
  session: Session,
  { config, signal }: Pick<StepContext, 'config' | 'signal'>,
): Promise<void> {
  const run = new ModuleRun({
    session,
    config,
    signal,
    script: step.script,
    transaction: true,
    settings: [],
    backfill: noBackfill,
  })
  const loaded = await loadMigration(step.script)
  await run.call(loaded, step.direction)
  // A transaction in which a statement failed cannot be committed, though the code went on.
  if (run.refused !== undefined && !(await isUsable(session))) throw run.refused
}

async function isUsable(session: Session): Promise<boolean> {
  try {
    await session.script('select 1')
    return true
  } catch (error) {
    if (error instanceof SqlError && error.sqlstate === '25P02') return false
    throw error
  }
}

/** Outside a transaction: what the code commits is committed, and its back-fills remember how far they came. */
async function runAlone(step: Step, context: StepContext): Promise<StepResult> {
  const { config, signal, serverSettings } = context
  const { ledger, lockTimeoutMs } = config
  const session = await context.session()
  if (step.resume === undefined) await session.script(startSql(step, ledger))
  else if (step.entry !== undefined) await session.script(acceptFilesSql(ledger, step.entry))
  const ground: ModuleGround = {
    session,
    config,
    signal,
    script: step.script,
    transaction: false,
    settings: settings(step, config, { scope: 'transaction', lockTimeoutMs, serverSettings }),
    backfill: (run) => backfillOf(run, ledgerJournal(step, session, ledger), context),
  }
  const run = new ModuleRun(ground)
  try {
    await run.call(await loadMigration(step.script), step.direction)
    await session.script(endSql(step, ledger))
  } catch (error) {
    if (signal.aborted) throw interruption(signal)
    throw moduleFailure(error, step.script)
  }
  return { retries: 0, ...(run.rows === 0 ? {} : { rows: run.rows }) }
}
