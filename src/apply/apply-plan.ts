import { Umzug } from 'umzug'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import type { SessionKeeper } from '../database/keep-session.js'
import { BEGIN } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, problem } from '../errors.js'
import type { Plan, Step } from '../plan/plan.js'
import type { StepReport } from '../report.js'
import type { Observer } from './observer.js'
import { runStatements } from './run-statements.js'
import {
  cancellable,
  composeMessage,
  interruption,
  readServerSettings,
  settleLostCommit,
  type Setting,
  type StepContext,
  type StepResult,
} from './run-transaction.js'
import { transactionRunner, unitsOf } from './run-together.js'
import { sqlFailure } from './sql-failure.js'

export interface Applied {
  readonly steps: readonly StepReport[]
  /** Why the run stopped before its end. */
  readonly error: DbkitError | undefined
}

export interface ApplyOptions {
  readonly signal: AbortSignal
  readonly observer: Observer
  readonly singleTransaction: boolean
  /** Run around each migration; not on a throw-away database. */
  readonly migrationHooks?: boolean
  /** Whether many steps may share a message: not where to stop one means to end the engine. */
  readonly together?: boolean
}

/**
 * Changes the database as the plan says. Umzug walks the steps, in the plan's order; dbkit gives it steps that write their own
 * ledger row, because Umzug logs a migration after its transaction, when a crash can still come between the two.
 */
export async function applyPlan(
  plan: Plan,
  sessions: SessionKeeper,
  config: DatabaseConfig,
  options: ApplyOptions,
): Promise<Applied> {
  if (plan.steps.length === 0) return { steps: [], error: undefined }
  const { observer } = options
  const reports = new Map<Step, StepReport>()
  // One transaction lives and dies with one session: a new one would go on outside of it.
  const single = options.singleTransaction ? await sessions.current() : undefined
  const hooks = options.migrationHooks === true && hasMigrationHooks(config) ? config : undefined
  const units =
    options.together === true && hooks === undefined ? unitsOf(plan.steps) : plan.steps.map((step) => [step])
  const runInTransaction = transactionRunner(units)
  let serverSettings: readonly Setting[] = []
  const started = async (): Promise<void> => {
    serverSettings = await readServerSettings(await sessions.current())
    await single?.script(BEGIN)
  }
  const run = async (step: Step, index: number): Promise<void> => {
    let retries = 0
    let begun = 0
    const shared = contextOf(step, sessions, config, options.signal, observer)
    const context: StepContext = {
      ...shared,
      serverSettings,
      onStatement(statement, total) {
        begun++
        shared.onStatement(statement, total)
      },
      onRetry(attempt, delayMs) {
        retries = attempt
        observer({ kind: 'lock-retry', database: config.name, name: step.name, attempt, delayMs })
      },
    }
    observer({
      kind: 'step-started',
      database: config.name,
      name: step.name,
      direction: step.direction,
      index,
      total: plan.steps.length,
    })
    const startedAt = performance.now()
    const finish = (outcome: StepReport['outcome'], more: Partial<StepReport>): void => {
      const report: StepReport = {
        ...baseReport(step, outcome),
        durationMs: Math.round(performance.now() - startedAt),
        ...(retries === 0 ? {} : { retries }),
        ...more,
      }
      reports.set(step, report)
      observer({ kind: 'step-ended', database: config.name, step: report })
    }
    const around = async (
      name: 'beforeMigration' | 'afterMigration',
      outcome?: 'applied' | 'rolled-back' | 'failed',
    ): Promise<void> => {
      if (hooks === undefined) return
      const { runHooks } = await import('./hooks.js')
      const { direction, version } = step
      const moment = { direction, version, name: step.name, ...(outcome === undefined ? {} : { outcome }) }
      const ground = { config, sessions, signal: options.signal, observer, within: single !== undefined }
      const failed = await runHooks(name, moment, ground)
      if (failed !== undefined) throw failed
    }
    try {
      await around('beforeMigration')
    } catch (error) {
      // It was not run: what failed is not the migration.
      reports.set(step, baseReport(step, 'not-run'))
      throw error
    }
    try {
      const { statements, durationMs, rows }: StepResult =
        single !== undefined
          ? await runWithin(step, single, context)
          : step.script.module !== undefined
            ? await (await import('./module/run-module.js')).runModule(step, context)
            : step.transaction
              ? await runInTransaction(step, context)
              : await runStatements(step, context)
      finish(step.direction === 'up' ? 'applied' : 'rolled-back', {
        ...(statements === undefined ? {} : { statements }),
        ...(durationMs === undefined ? {} : { durationMs }),
        ...(rows === undefined ? {} : { rows }),
      })
    } catch (error) {
      // What ran outside a transaction before the failure stays done.
      finish('failed', step.transaction ? {} : { statements: Math.max(0, begun - 1) })
      // What is wrong with the migration is what matters; the one transaction of a run takes no more statements.
      if (single === undefined && !options.signal.aborted)
        await around('afterMigration', 'failed').catch(() => undefined)
      throw error
    }
    await around('afterMigration', step.direction === 'up' ? 'applied' : 'rolled-back')
  }

  const failed = await walk(units, started, run)
  let error = failed === undefined ? undefined : toProblem(failed)
  if (single !== undefined) error = await endSingle(plan, single, sessions, config, options, error, reports)
  return { steps: plan.steps.map((step) => reports.get(step) ?? baseReport(step, 'not-run')), error }
}

function hasMigrationHooks({ hooks }: DatabaseConfig): boolean {
  return hooks.beforeMigration.length + hooks.afterMigration.length > 0
}

function contextOf(
  step: Step,
  sessions: SessionKeeper,
  config: DatabaseConfig,
  signal: AbortSignal,
  observer: Observer,
): StepContext {
  const database = config.name
  return {
    config,
    serverSettings: [],
    session: () => sessions.current(),
    signal,
    onRetry(attempt, delayMs) {
      observer({ kind: 'lock-retry', database, name: step.name, attempt, delayMs })
    },
    onWait(holder) {
      observer({ kind: 'lock-wait', database, holder })
    },
    onStatement(index, total) {
      observer({ kind: 'statement-started', database, index, total })
    },
    onBackfill(table, rows, estimate) {
      observer({ kind: 'backfill-progress', database, table, rows, estimate })
    },
  }
}

/** Hands the steps to Umzug, those that share a message as one; returns what stopped it. */
async function walk(
  units: readonly (readonly Step[])[],
  started: () => Promise<void>,
  run: (step: Step, index: number) => Promise<void>,
): Promise<unknown> {
  const direction = units[0]?.[0]?.direction ?? 'up'
  let index = 0
  const migrations = units.map((unit) => {
    const runUnit = async (): Promise<void> => {
      for (const step of unit) await run(step, index++)
    }
    return { name: unit[0]?.version ?? '', up: runUnit, down: runUnit }
  })
  const names = migrations.map(({ name }) => name)
  const umzug = new Umzug({
    migrations,
    storage: {
      executed: () => Promise.resolve(direction === 'down' ? names : []),
      logMigration: () => Promise.resolve(),
      unlogMigration: () => Promise.resolve(),
    },
    logger: undefined,
  })
  try {
    await started()
    await (direction === 'up' ? umzug.up({ migrations: names }) : umzug.down({ migrations: names }))
    return undefined
  } catch (error) {
    // Umzug wraps what a step threw in an error of its own.
    return (error as { cause?: unknown }).cause instanceof Error &&
      !(error instanceof DbkitError) &&
      !(error instanceof SqlError)
      ? (error as { cause: unknown }).cause
      : error
  }
}

/** One step inside the transaction that holds them all. */
async function runWithin(step: Step, session: Session, context: StepContext): Promise<{ retries: number }> {
  const { config, serverSettings } = context
  if (step.script.module !== undefined) {
    await (await import('./module/run-module.js')).runModuleWithin(step, session, context)
    return { retries: 0 }
  }
  const message = composeMessage(step, config, { begin: false, serverSettings })
  try {
    await cancellable(session, context.signal, () => session.script(message.text))
    return { retries: 0 }
  } catch (error) {
    if (context.signal.aborted) throw interruption(context.signal)
    throw error instanceof SqlError ? sqlFailure(error, step.script, message.sent) : error
  }
}

/** Commits or rolls back the one transaction; what was rolled back was not applied after all. */
async function endSingle(
  plan: Plan,
  session: Session,
  sessions: SessionKeeper,
  config: DatabaseConfig,
  options: ApplyOptions,
  error: DbkitError | undefined,
  reports: Map<Step, StepReport>,
): Promise<DbkitError | undefined> {
  let outcome = error
  if (outcome === undefined)
    try {
      await session.script('commit')
    } catch (thrown) {
      outcome = await settleLostEnd(thrown, plan, sessions, config, options)
    }
  // Without its connection the server rolls it back by itself.
  else if (!session.lost) await session.script('rollback')
  if (outcome !== undefined)
    for (const [step, report] of reports)
      if (report.outcome !== 'failed') reports.set(step, baseReport(step, 'not-run'))
  return outcome
}

/** When the answer to the commit was lost, the ledger's last step says for all of them whether it took place. */
async function settleLostEnd(
  thrown: unknown,
  plan: Plan,
  sessions: SessionKeeper,
  config: DatabaseConfig,
  { signal, observer }: ApplyOptions,
): Promise<DbkitError | undefined> {
  const last = plan.steps.at(-1)
  if (!(thrown instanceof SqlError) || !thrown.connectionLost || last === undefined) return toProblem(thrown)
  const context = contextOf(last, sessions, config, signal, observer)
  try {
    await settleLostCommit(last, context, thrown)
    return undefined
  } catch (error) {
    return toProblem(error)
  }
}

function baseReport(step: Step, outcome: StepReport['outcome']): StepReport {
  return {
    version: step.version,
    name: step.name,
    direction: step.direction,
    outcome,
    ...(step.source === 'ledger' ? { source: 'ledger' as const } : {}),
    ...(step.outOfOrder ? { outOfOrder: true } : {}),
  }
}

/** A refusal of the database outside any file (the ledger, the connection) is a problem too; anything else is a bug and stays one. */
function toProblem(error: unknown): DbkitError {
  if (error instanceof DbkitError) return error
  if (error instanceof SqlError)
    return problem(
      'database.refused',
      {
        message: error.message,
        hint: error.connectionLost
          ? 'Run the same command again: the ledger knows how far it came.'
          : undefined,
      },
      { cause: error },
    )
  throw error
}
