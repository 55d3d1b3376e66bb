import { recordEndsSql, readProgress, type Progress } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import type { Step } from '../plan/plan.js'
import { isPlain } from '../workspace/migration-file.js'
import { splitStatements } from '../workspace/statements.js'
import { markFor, outwait } from './outwait.js'
import {
  cancellable,
  composeMessage,
  isDone,
  LEAVE_CLEAN,
  runTransaction,
  settleLostCommit,
  type Message,
  type StepContext,
  type StepResult,
} from './run-transaction.js'
import { sqlFailure, type Sent } from './sql-failure.js'

/** So many files are a new database; fewer are a deployment, where each is worth its own message, its own progress and its own Ctrl-C. */
const MANY = 40
const IN_A_MESSAGE = 20
const CHARACTERS_IN_A_MESSAGE = 200_000

/** Neighbours that can share a message; each of the other steps by itself. */
export function unitsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  if (steps.length < MANY) return steps.map((step) => [step])
  const units: Step[][] = []
  let open: Step[] | undefined
  let characters = 0
  for (const step of steps) {
    const shares = sharesMessage(step)
    characters += step.script.text.length
    if (open !== undefined && shares && open.length < IN_A_MESSAGE && characters <= CHARACTERS_IN_A_MESSAGE) {
      open.push(step)
      continue
    }
    units.push([step])
    open = shares ? units.at(-1) : undefined
    characters = step.script.text.length
  }
  return units
}

function sharesMessage({ direction, transaction, resume, script }: Step): boolean {
  return direction === 'up' && transaction && resume === undefined && isPlain(script)
}

/**
 * Runs transactional steps, a unit as one message in which each step is still a transaction with its ledger row: 1,000 small files
 * took 1,000 round trips, a third of all the time, and now take 50. What goes wrong in a shared message is settled as if the step
 * had been alone.
 */
export function transactionRunner(
  units: readonly (readonly Step[])[],
): (step: Step, context: StepContext) => Promise<StepResult> {
  const shared = new Map(units.filter(({ length }) => length > 1).map((unit) => [unit[0], unit]))
  const settled = new Map<Step, Settled>()
  return async (step, context) => {
    const unit = shared.get(step)
    if (unit !== undefined) for (const [each, how] of await runTogether(unit, context)) settled.set(each, how)
    const how = settled.get(step)
    if (how === undefined) return runTransaction(step, context)
    if ('error' in how) throw how.error
    return how
  }
}

type Settled = StepResult | { readonly error: unknown }

/** How it went for each step up to the first that failed; the rest were not run, or have to be tried again alone. */
async function runTogether(
  steps: readonly Step[],
  context: StepContext,
): Promise<ReadonlyMap<Step, Settled>> {
  const { config, serverSettings } = context
  const { ledger } = config
  const versions = steps.map(({ version }) => version)
  const mark = markFor(config, `${versions.join(' ')} up`)
  const messages = steps.map((step) => composeMessage(step, config, { shared: true, serverSettings }))
  const text = [...messages.map((message) => message.text), ...LEAVE_CLEAN, recordEndsSql(ledger, versions)]
  const session = await context.session()
  try {
    const rows = await cancellable(session, context.signal, () => session.script(mark + text.join(';')))
    const durations = new Map(rows.map(([version, milliseconds]) => [version, Number(milliseconds)]))
    return new Map(steps.map((step) => [step, { retries: 0, durationMs: durations.get(step.version) ?? 0 }]))
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    if (error.connectionLost) return settleLost(steps, mark, context, error)
    await session.script(['rollback', ...LEAVE_CLEAN].join(';'))
    const settled = new Map<Step, Settled>()
    // The server reads the whole message before it runs any of it: where the syntax is wrong, not even the first step has begun.
    if (error.completed === 0) return settled
    for (const [index, step] of steps.entries()) {
      if (isDone(step, await readProgress(session, ledger, step.version))) {
        settled.set(step, { retries: 0 })
        continue
      }
      const { charactersBefore, statementsBefore, commit } = sentOf(index, steps, messages)
      const sent = { start: 0, charactersBefore: mark.length + charactersBefore, statementsBefore }
      // A lock, another runner, Ctrl-C, or what is not the file's doing: alone, the step meets it again where it is dealt with.
      const again =
        context.signal.aborted ||
        error.sqlstate === '55P03' ||
        error.completed < statementsBefore ||
        error.completed > commit
      if (!again) settled.set(step, { error: sqlFailure(error, step.script, sent) })
      break
    }
    return settled
  }
}

/** Where the file of a step stands in the message of all, and its commit. Counted only for an error. */
function sentOf(
  index: number,
  steps: readonly Step[],
  messages: readonly Message[],
): Sent & { readonly commit: number } {
  let charactersBefore = 0
  let statementsBefore = 0
  for (const [each, { text, sent, untilCommit, statementsAfter }] of messages.entries()) {
    const own = splitStatements(steps[each]?.script.text ?? '').length
    if (each === index) {
      charactersBefore += sent.charactersBefore
      statementsBefore += sent.statementsBefore
      return { start: 0, charactersBefore, statementsBefore, commit: statementsBefore + own + untilCommit }
    }
    charactersBefore += [...text].length + 1
    statementsBefore += sent.statementsBefore + own + statementsAfter
  }
  throw new Error(`no step ${String(index)} in a message of ${String(messages.length)}`)
}

/** The connection broke: the ledger knows, step by step, how far the server came, once it has come to the end of the message. */
async function settleLost(
  steps: readonly Step[],
  mark: string,
  context: StepContext,
  lost: SqlError,
): Promise<ReadonlyMap<Step, Settled>> {
  const settled = new Map<Step, Settled>()
  const names = `${steps[0]?.name ?? ''} to ${steps.at(-1)?.name ?? ''}`
  const waited = await outwait(mark, names, context).catch((error: unknown) => ({ error }))
  for (const step of steps)
    try {
      if (waited !== undefined && !isDone(step, await progressOf(step, context))) throw waited.error
      await settleLostCommit(step, context, lost)
      settled.set(step, { retries: 0 })
    } catch (error) {
      return settled.set(step, { error })
    }
  return settled
}

async function progressOf(step: Step, context: StepContext): Promise<Progress | undefined> {
  return readProgress(await context.session(), context.config.ledger, step.version)
}
