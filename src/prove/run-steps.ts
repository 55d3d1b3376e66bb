import { applyPlan } from '../apply/apply-plan.js'
import { cancellable, composeMessage } from '../apply/run-transaction.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import type { DbkitError } from '../errors.js'
import type { Step } from '../plan/plan.js'
import type { Shadow } from './shadow.js'

/** Runs steps on a shadow as `migrate` does; returns what stopped them. An interruption is thrown on. */
export async function applySteps(
  steps: readonly Step[],
  shadow: Shadow,
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<DbkitError | undefined> {
  const { error } = await applyPlan({ steps, notes: [] }, shadow.sessions, config, {
    signal,
    observer: () => undefined,
    singleTransaction: false,
  })
  if (error !== undefined && error.exit === 130) throw error
  return error
}

/** Runs a step inside a transaction that is open, and stays so. */
export async function runWithin(
  session: Session,
  step: Step,
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<void> {
  if (step.script.module === undefined) {
    const { text } = composeMessage(step, config, { begin: false })
    await cancellable(session, signal, () => session.script(text))
    return
  }
  const { runModuleWithin } = await import('../apply/module/run-module.js')
  await runModuleWithin(step, session, { config, signal, serverSettings: [] })
}
