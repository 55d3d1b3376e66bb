import type { DatabaseConfig } from '../config/config.js'
import type { SessionKeeper } from '../database/keep-session.js'
import { BEGIN } from '../database/ledger.js'
import {
  createRepeatablesSql,
  recordRepeatableSql,
  type RepeatableEntry,
} from '../database/repeatable-ledger.js'
import { SqlError } from '../database/sql-error.js'
import { problem, throwProblems, type DbkitError } from '../errors.js'
import type { StepReport } from '../report.js'
import { refuseObstacles, withoutPasswords, type ScriptText } from '../workspace/migration-file.js'
import type { Repeatable } from '../workspace/workspace.js'
import type { Observer } from './observer.js'
import {
  backOff,
  cancellable,
  interruption,
  LEAVE_CLEAN,
  readServerSettings,
  RESET_ROLE,
  settings,
} from './run-transaction.js'
import { sqlFailure } from './sql-failure.js'

export interface RepeatableStep {
  readonly name: string
  readonly checksum: string
  readonly script: ScriptText
}

/** Those whose text is another than what was run last, in order. Fails with what is wrong in them, before any has run. */
export function changedRepeatables(
  repeatable: readonly Repeatable[],
  known: readonly RepeatableEntry[],
  text: (script: Repeatable['up']) => ScriptText,
): readonly RepeatableStep[] {
  const steps = repeatable
    .filter(({ name, up }) => known.find((entry) => entry.name === name)?.checksum !== up.checksum)
    .map(({ name, up }) => ({ name, checksum: up.checksum, script: text(up) }))
  throwProblems(
    steps.flatMap(({ script }) => [
      ...refuseObstacles(script),
      ...(script.directives.transaction
        ? []
        : [problem('workspace.repeatable-outside', { file: script.file })]),
    ]),
  )
  return steps
}

export interface RepeatableRun {
  readonly config: DatabaseConfig
  readonly signal: AbortSignal
  readonly observer: Observer
  /** False on a throw-away database. */
  readonly record: boolean
}

/** Runs them, each in a transaction with its ledger row; stops at the first that fails. */
export async function runRepeatables(
  steps: readonly RepeatableStep[],
  sessions: SessionKeeper,
  run: RepeatableRun,
): Promise<{
  readonly steps: readonly StepReport[]
  readonly error: DbkitError | undefined
  readonly failed: ScriptText | undefined
}> {
  const { config, observer } = run
  if (steps.length === 0) return { steps: [], error: undefined, failed: undefined }
  if (run.record) await (await sessions.current()).script(createRepeatablesSql(config.ledger))
  const reports: StepReport[] = []
  let error: DbkitError | undefined
  let failed: ScriptText | undefined
  for (const [index, step] of steps.entries()) {
    const about = { version: '', name: step.name, direction: 'up', repeatable: true } as const
    if (error !== undefined) {
      reports.push({ ...about, outcome: 'not-run' })
      continue
    }
    observer({
      kind: 'step-started',
      database: config.name,
      name: step.name,
      direction: 'up',
      index,
      total: steps.length,
    })
    const startedAt = performance.now()
    error = await runOne(step, sessions, run)
    failed = error === undefined ? undefined : step.script
    const report: StepReport = {
      ...about,
      outcome: error === undefined ? 'applied' : 'failed',
      durationMs: Math.round(performance.now() - startedAt),
    }
    reports.push(report)
    observer({ kind: 'step-ended', database: config.name, step: report })
  }
  return { steps: reports, error, failed }
}

async function runOne(
  step: RepeatableStep,
  sessions: SessionKeeper,
  { config, signal, observer, record }: RepeatableRun,
): Promise<DbkitError | undefined> {
  const { script } = step
  const { lockTimeoutMs, ledger } = config
  const serverSettings = await readServerSettings(await sessions.current())
  const before = [
    BEGIN,
    ...settings({ script }, config, { scope: 'transaction', lockTimeoutMs, serverSettings }),
    ...(record ? [recordRepeatableSql(ledger, { ...step, sql: withoutPasswords(script) })] : []),
  ]
  const prefix = `${before.join(';')};`
  const message = `${prefix}${script.text}\n;${[...RESET_ROLE, 'commit', ...LEAVE_CLEAN].join(';')}`
  const sent = { start: 0, charactersBefore: [...prefix].length, statementsBefore: before.length }
  for (let retries = 0; ; retries++) {
    const session = await sessions.current()
    try {
      await cancellable(session, signal, () => session.script(message))
      return undefined
    } catch (error) {
      if (signal.aborted) throw interruption(signal)
      if (!(error instanceof SqlError)) throw error
      // Whether it was committed does not matter: the next run looks, and runs it again where it was not.
      if (error.connectionLost)
        return problem('database.refused', {
          message: `The connection was lost while ${step.name} ran.`,
          hint: 'Run the same command again.',
        })
      await session.script(['rollback', ...LEAVE_CLEAN].join(';'))
      if (error.sqlstate !== '55P03' || retries >= config.lockRetries) return sqlFailure(error, script, sent)
      await backOff(retries, {
        signal,
        onRetry: (attempt, delayMs) => {
          observer({ kind: 'lock-retry', database: config.name, name: step.name, attempt, delayMs })
        },
      })
    }
  }
}

/** All of them, on a throw-away database that has the migrations. Fails as the first of them does. */
export async function runAllRepeatables(
  repeatable: readonly Repeatable[],
  sessions: SessionKeeper,
  text: (script: Repeatable['up']) => ScriptText,
  { config, signal }: Pick<RepeatableRun, 'config' | 'signal'>,
): Promise<void> {
  const run = { config, signal, observer: () => undefined, record: false }
  const { error } = await runRepeatables(changedRepeatables(repeatable, [], text), sessions, run)
  if (error !== undefined) throw error
}
