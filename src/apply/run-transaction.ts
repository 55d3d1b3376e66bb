import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import {
  BEGIN,
  completeEntrySql,
  deleteEntrySql,
  FENCE_REFUSALS,
  insertEntrySql,
  readProgress,
  readSettledProgress,
  startRevertSql,
  type Progress,
} from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { problem } from '../errors.js'
import { DBKIT_VERSION } from '../package-version.js'
import type { Step } from '../plan/plan.js'
import { sqlFailure, type Sent } from './sql-failure.js'

/** Everything a step needs to be run. */
export interface StepContext {
  readonly config: DatabaseConfig
  /** See readServerSettings. */
  readonly serverSettings: readonly Setting[]
  readonly session: () => Promise<Session>
  readonly signal: AbortSignal
  readonly onRetry: (attempt: number, delayMs: number) => void
  /** Told who it is that has to end first. */
  readonly onWait: (holder: string) => void
  readonly onStatement: (index: number, total: number) => void
  readonly onBackfill: (table: string, rows: number, estimate: number | undefined) => void
}

export type Setting = readonly [name: string, value: string]

export interface StepResult {
  readonly retries: number
  /** By the server's clock, where dbkit's own cannot tell. */
  readonly durationMs?: number
  readonly statements?: number
  /** That back-fills have gone over. */
  readonly rows?: number
}

/**
 * Runs a step as one message: begin, the settings, the ledger row, the file, the ledger row's completion, commit. One round trip a
 * migration, and file and row commit together or not at all.
 */
export async function runTransaction(step: Step, context: StepContext): Promise<StepResult> {
  const { config, serverSettings } = context
  const message = composeMessage(step, config, { serverSettings })
  for (let retries = 0; ; retries++) {
    const session = await context.session()
    try {
      await cancellable(session, context.signal, () => session.script(message.text))
      return { retries }
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      if (error.connectionLost) {
        await settleLostCommit(step, context, error)
        return { retries }
      }
      await session.script('rollback')
      // What cuts the message off may come between the commit and the end of the message.
      if (isDone(step, await readProgress(session, config.ledger, step.version))) return { retries }
      if (context.signal.aborted) throw interruption(context.signal)
      if (isRefusedByFence(error, message.sent.statementsBefore - 1)) throw overtaken(step, error)
      if (error.sqlstate !== '55P03' || retries >= config.lockRetries)
        throw sqlFailure(error, step.script, message.sent)
      await backOff(retries, context)
    }
  }
}

export interface Framing {
  /** False: in a transaction that is open, and stays so. */
  readonly begin?: boolean
  /** One of several in a message, each a transaction; what records their end and cleans up stands behind the last. */
  readonly shared?: boolean
  /** See readServerSettings. */
  readonly serverSettings?: readonly Setting[]
}

export interface Message {
  readonly text: string
  /** Where in it the file stands. */
  readonly sent: Sent
  /** Statements between the file and its commit. */
  readonly untilCommit: number
  /** Statements after the file, with all that cleans up. */
  readonly statementsAfter: number
}

/** The message of a transactional step. */
export function composeMessage(
  step: Step,
  config: DatabaseConfig,
  { begin = true, shared = false, serverSettings = [] }: Framing = {},
): Message {
  const { ledger, lockTimeoutMs } = config
  const first =
    step.entry === undefined
      ? startRevertSql(ledger, step.version)
      : insertEntrySql(ledger, step.entry, shared ? 'applied' : 'applying', DBKIT_VERSION)
  const before = [
    ...(begin ? [BEGIN] : []),
    ...settings(step, config, { scope: 'transaction', lockTimeoutMs, serverSettings }),
    first,
  ]
  const untilCommit = shared ? [...RESET_ROLE, ...FORGET] : [...RESET_ROLE, lastOf(step, config)]
  const after = [...untilCommit, ...(begin ? ['commit'] : []), ...(shared ? [] : LEAVE_CLEAN)]
  const prefix = before.join(';') + ';'
  return {
    // The newline ends a last comment of the file, the semicolon a last statement without one.
    text: `${prefix}${step.script.text}\n;${after.join(';')}`,
    // Counted only for an error.
    get sent() {
      return { start: 0, charactersBefore: [...prefix].length, statementsBefore: before.length }
    },
    untilCommit: untilCommit.length,
    statementsAfter: after.length,
  }
}

function lastOf(step: Step, { ledger }: DatabaseConfig): string {
  return step.direction === 'up'
    ? completeEntrySql(ledger, step.version)
    : deleteEntrySql(ledger, step.version)
}

/** Gives what follows back to the role that started. */
export const RESET_ROLE = ['reset role', 'reset session authorization']

/**
 * What of a session's state could mislead the next file of a shared message. Inside the transaction, because what stands between two
 * would begin one in the mode of the role, which the next BEGIN could not change any more.
 */
const FORGET = ['reset all', 'discard temp']

/**
 * DISCARD ALL as far as it can share a message: what a file has set does not reach the next one, nor through a pooler the next
 * client. Cached plans and sequence values hurt nobody.
 */
export const LEAVE_CLEAN = [
  ...['reset all', 'discard temp', 'deallocate all', 'unlisten *', 'close all'],
  'select pg_catalog.pg_advisory_unlock_all()',
]

export interface Scope {
  readonly scope: 'transaction' | 'session'
  readonly lockTimeoutMs: number
  readonly serverSettings: readonly Setting[]
}

/**
 * What holds while a file runs, as SET LOCAL or as SET. Limits that a role or a database has for its applications are not
 * meant for migrations, so each is set, also to "none".
 */
export function settings(
  { script: { directives } }: Pick<Step, 'script'>,
  config: DatabaseConfig,
  { scope, lockTimeoutMs, serverSettings }: Scope,
): readonly string[] {
  const set = scope === 'transaction' ? 'set local' : 'set'
  return [
    `${set} lock_timeout=${String(directives.lockTimeoutMs ?? lockTimeoutMs)}`,
    `${set} statement_timeout=${String(directives.statementTimeoutMs ?? config.statementTimeoutMs)}`,
    `${set} search_path to ${config.searchPath}`,
    `${set} timezone to ${quoteLiteral(config.timeZone)}`,
    ...serverSettings.map(([name, value]) => `${set} ${name}=${value}`),
  ]
}

/**
 * Settings that not every server has. transaction_timeout (17) is a limit as well. client_connection_check_interval (14, where the
 * kernel tells of a closed socket) lets the server notice within a second that dbkit was killed, instead of going on.
 * Asked once a run: in the message of each migration the question took a tenth of the server's time.
 */
export async function readServerSettings(session: Session): Promise<readonly Setting[]> {
  const rows = await session.query(
    'select name, value from (values' +
      "('client_connection_check_interval','1000',140000,'%linux%'),('transaction_timeout','0',170000,'%')" +
      ') as known(name,value,since,host) ' +
      "where pg_catalog.current_setting('server_version_num')::pg_catalog.int4 operator(pg_catalog.>=) since " +
      'and pg_catalog.version() operator(pg_catalog.~~) host',
  )
  return rows.map(([name, value]) => [name ?? '', value ?? ''])
}

/** Runs a call, and cancels it on the server when the run is to stop. */
export async function cancellable<T>(
  session: Session,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T> {
  throwIfStopped(signal)
  const cancel = (): void => {
    // The running call then fails with 57014; a cancel request that does not arrive changes nothing, the call ends by itself.
    session.cancel().catch(() => undefined)
  }
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await call()
  } catch (error) {
    // The embedded engine was ended to stop it: there is nothing left to roll back.
    if (error instanceof SqlError && error.sqlstate === '57014' && session.lost) throwIfStopped(signal)
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw interruption(signal)
}

/** Why the run stops: a lost lock says so itself, anything else is the user's Ctrl-C. */
export function interruption(signal: AbortSignal): Error {
  return signal.reason instanceof Error && 'code' in signal.reason && typeof signal.reason.code === 'string'
    ? signal.reason
    : problem('run.interrupted', {})
}

/** 0.1 s, doubled each time up to 30 s, half of it by chance: the queue behind a busy lock drains between the tries. */
export async function backOff(
  retries: number,
  context: Pick<StepContext, 'onRetry' | 'signal'>,
): Promise<void> {
  const delayMs = Math.round(Math.min(30_000, 100 * 2 ** retries) * (0.5 + Math.random() / 2))
  context.onRetry(retries + 1, delayMs)
  await sleep(delayMs, undefined, { signal: context.signal }).catch(() => undefined)
  if (context.signal.aborted) throw interruption(context.signal)
}

/** Whether the ledger says that the step is done, by whomever. */
export function isDone(step: Step, progress: Progress | undefined): boolean {
  return step.direction === 'down'
    ? progress === undefined
    : progress?.state === 'applied' && progress.upChecksum === step.entry?.upChecksum
}

/** `fence`: how many statements of the message stand before it. */
export function isRefusedByFence(error: SqlError, fence: number): boolean {
  return FENCE_REFUSALS.has(error.sqlstate) && error.completed === fence
}

/** Only a run that has lost its lock without knowing it yet can meet another one here. */
export function overtaken(step: Step, cause: SqlError): Error {
  return problem(
    'database.refused',
    {
      message: `Another run has gone on with ${step.name} meanwhile; this one stopped.`,
      hint: 'Run the same command again: the ledger knows how far it came.',
    },
    { cause },
  )
}

/**
 * The connection broke and nobody knows whether the commit took place: the ledger does, as soon as the server has ended what it
 * was running. Returns when the step is done after all.
 */
export async function settleLostCommit(step: Step, context: StepContext, lost: SqlError): Promise<void> {
  const { config, signal } = context
  for (let tries = 0; ; tries++) {
    if (signal.aborted) throw interruption(signal)
    const session = await context.session()
    try {
      const progress = await readSettledProgress(session, config.ledger, step.version, config.lockTimeoutMs)
      if (isDone(step, progress)) return
      throw connectionLost(step, 'the ledger says that it was rolled back', lost)
    } catch (error) {
      if (!(error instanceof SqlError) || error.sqlstate !== '55P03') throw error
      if (tries >= config.lockRetries)
        throw connectionLost(step, 'the server is still running it, so its end is open', lost)
      await backOff(tries, context)
    }
  }
}

function connectionLost(step: Step, outcome: string, cause: SqlError): Error {
  return problem(
    'database.refused',
    {
      message: `The connection was lost while ${step.name} ran; ${outcome}.`,
      hint: 'Run the same command again.',
    },
    { cause },
  )
}
