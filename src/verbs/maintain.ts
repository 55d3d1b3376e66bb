import { interruption } from '../apply/run-transaction.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { UpkeepPolicy } from '../config/define-config.js'
import type { Session } from '../database/database.js'
import { problem, type DbkitError } from '../errors.js'
import type { Action, Context } from '../maintain/action.js'
import { MAINTAIN_TASKS, type MaintainStep, type MaintainTask } from '../maintain/maintain-report.js'
import { archive, retention } from '../maintain/move-rows.js'
import { partitions } from '../maintain/partitions.js'
import { readRelations, relationOf, type Relation } from '../maintain/read-relations.js'
import { readRunLog, type RunLog } from '../maintain/run-log.js'
import { analyze, inDependencyOrder, refresh, reindex, vacuum } from '../maintain/upkeep.js'
import { reportOf, type Report } from '../report.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import {
  asProblem,
  onEachDatabase,
  refuseUnaskedEmbedded,
  type Opened,
  type RunOptions,
} from './with-database.js'

export interface MaintainOptions extends RunOptions {
  /** Default: what the configuration declares, and is due */
  readonly task?: MaintainTask
  /** Only these tables or views. Default: those of the configuration, or all */
  readonly tables?: readonly string[]
  /** VACUUM FULL: writes the tables anew, and locks each as long as that takes. */
  readonly full?: boolean
  /** Shows the SQL and runs none of it. */
  readonly dryRun?: boolean
  readonly now?: Date
}

/**
 * Vacuums, analyzes, reindexes, refreshes, archives, deletes what is too old, makes and detaches partitions: the task that was asked
 * for, or what the configuration declares and is due. Never inside a migration, and one such run at a time on a database.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await maintain(config, { task: 'archive' })
 */
export async function maintain(config: Config, options: MaintainOptions = {}): Promise<Report> {
  if (options.dryRun !== true) refuseUnaskedEmbedded(config)
  refuseUndeclared(config, options)
  const databases = await onEachDatabase(
    config,
    'maintain',
    options,
    (opened) => maintainOne(opened, options),
    {
      afterFailure: 'go-on',
    },
  )
  return { command: 'maintain', ok: databases.every(({ ok }) => ok), databases }
}

/** These three remove rows from tables: what is not declared is not guessed. */
function refuseUndeclared({ databases }: Config, { task, full, tables }: MaintainOptions): void {
  if (full === true && task !== 'vacuum')
    throw problem('request.conflicting-options', {
      options: ['--full', task ?? 'the tasks of the configuration'],
      why: 'only VACUUM has a full form, which locks each table, and which has to be asked for',
    })
  if (task === undefined && tables !== undefined)
    throw problem('request.conflicting-options', {
      options: ['--table', 'no task'],
      why: 'name the task that is to be done to it',
    })
  if (task !== 'archive' && task !== 'retention' && task !== 'partitions') return
  if (databases.every(({ maintenance }) => Object.keys(maintenance[task] ?? {}).length === 0))
    throw problem('maintain.no-policy', { task, databases: databases.map(({ name }) => name) })
}

async function maintainOne(opened: Opened, options: MaintainOptions): Promise<Outcome> {
  const { database, config, observer, signal } = opened
  if (options.dryRun === true) {
    const session = await database.session()
    try {
      return await plan(opened, session, options)
    } finally {
      await session.close()
    }
  }
  const lock = {
    // Not that of the migrations: a deployment does not wait for a reindex.
    name: `maintain ${config.ledger.schema}.${config.ledger.table}`,
    waitMs: config.lockWaitMs,
    signal,
    onWait(holder: string) {
      observer({ kind: 'lock-wait', database: config.name, holder })
    },
  }
  return database.withLock(lock, async (lost) => {
    const session = await database.session()
    try {
      const context: Context = {
        database,
        session,
        signal: AbortSignal.any([signal, lost]),
        observer,
        name: config.name,
        timeZone: config.timeZone,
        lockTimeoutMs: config.lockTimeoutMs,
        lockRetries: config.lockRetries,
      }
      return await run(opened, context, options)
    } finally {
      await session.close()
    }
  })
}

async function plan(opened: Opened, session: Session, options: MaintainOptions): Promise<Outcome> {
  const log = await readRunLog(session, opened.config.ledger)
  const steps: MaintainStep[] = []
  for (const task of tasksOf(options)) {
    for (const { action, dueAt } of await actionsOf(task, opened, session, log, options))
      steps.push({
        ...stepOf(action),
        outcome: dueAt === undefined ? 'planned' : 'not-due',
        ...(dueAt === undefined ? {} : { dueAt }),
      })
  }
  return { ok: true, dryRun: true, maintain: { steps } }
}

async function run(opened: Opened, context: Context, options: MaintainOptions): Promise<Outcome> {
  const { config } = opened
  const log = await readRunLog(context.session, config.ledger)
  const steps: MaintainStep[] = []
  const errors: DbkitError[] = []
  for (const task of tasksOf(options))
    // What one task has left is what the next one plans on.
    for (const { action, dueAt, every } of await actionsOf(task, opened, context.session, log, options)) {
      const step = stepOf(action)
      if (dueAt !== undefined) steps.push({ ...step, outcome: 'not-due', dueAt })
      else if (context.signal.aborted || context.session.lost) steps.push({ ...step, outcome: 'not-run' })
      else {
        const started = performance.now()
        try {
          const done = await action.run(context)
          steps.push({
            ...step,
            ...done,
            ...notesOf([...action.notes, ...(done.notes ?? [])]),
            durationMs: Math.round(performance.now() - started),
          })
          if (every !== undefined) await log.record(task, action.object)
        } catch (error) {
          steps.push({ ...step, outcome: 'failed', durationMs: Math.round(performance.now() - started) })
          errors.push(failureOf(error, context.signal))
        }
      }
    }
  const [first, ...others] = errors
  return {
    ok: errors.length === 0,
    maintain: { steps },
    ...(first === undefined ? {} : { error: reportOf(others.length === 0 ? first : first.with({ others })) }),
  }
}

function failureOf(error: unknown, signal: AbortSignal): DbkitError {
  return asProblem(signal.aborted ? interruption(signal) : error, signal)
}

function stepOf({ task, object, sql, notes }: Action): Omit<MaintainStep, 'outcome'> {
  return { task, object, sql, ...(notes.length === 0 ? {} : { notes }) }
}

function tasksOf({ task }: MaintainOptions): readonly MaintainTask[] {
  return task === undefined ? MAINTAIN_TASKS : [task]
}

/** What a task comes to: with `dueAt`, not yet. */
interface Planned {
  readonly action: Action
  readonly every: string | undefined
  readonly dueAt: string | undefined
}

async function actionsOf(
  task: MaintainTask,
  { config, database }: Opened,
  session: Session,
  log: RunLog,
  options: MaintainOptions,
): Promise<readonly Planned[]> {
  const declared = config.maintenance[task]
  if (options.task === undefined && (declared === undefined || !isScheduled(task, config))) return []
  const relations = await readRelations(session, database.major, config.ledger.schema)
  const now = options.now ?? new Date()
  if (task === 'archive' || task === 'retention' || task === 'partitions') {
    const actions = await declaredActions(task, config, relations, session, { ...options, now })
    return actions.map((action) => ({ action, every: undefined, dueAt: undefined }))
  }
  const policy = config.maintenance[task] ?? {}
  const chosen = chosenRelations(task, policy, relations, config, options.tables)
  const planned: Planned[] = []
  for (const relation of task === 'refresh' ? await inDependencyOrder(session, chosen) : chosen) {
    const last = log.lastEnd(task, relation.identity)
    const due =
      last === undefined || policy.every === undefined ? undefined : await after(session, last, policy.every)
    planned.push({
      action: await upkeepOf(task, relation, session, options),
      every: policy.every,
      dueAt: options.task === undefined && due !== undefined && due > now ? due.toISOString() : undefined,
    })
  }
  return planned
}

function isScheduled(task: MaintainTask, { maintenance }: DatabaseConfig): boolean {
  if (task === 'archive' || task === 'retention' || task === 'partitions') return true
  return maintenance[task]?.every !== undefined
}

async function declaredActions(
  task: 'archive' | 'retention' | 'partitions',
  { maintenance, name: database }: DatabaseConfig,
  relations: readonly Relation[],
  session: Session,
  { tables, now }: { readonly tables?: readonly string[]; readonly now: Date },
): Promise<readonly Action[]> {
  const where = `maintenance.${task} of ${database}`
  const wanted = tables?.map((name) => relationOf(name, relations, '--table').identity)
  const isWanted = ({ identity }: Relation): boolean => wanted?.includes(identity) !== false
  const actions: Action[] = []
  if (task === 'archive')
    for (const [name, policy] of Object.entries(maintenance.archive ?? {})) {
      const from = relationOf(name, relations, where)
      const into = relationOf(policy.into, relations, `${where}.${name}.into`)
      if (isWanted(from)) actions.push(await archive(session, from, into, policy))
    }
  else if (task === 'retention')
    for (const [name, policy] of Object.entries(maintenance.retention ?? {})) {
      const from = relationOf(name, relations, where)
      if (isWanted(from)) actions.push(await retention(session, from, policy))
    }
  else
    for (const [name, policy] of Object.entries(maintenance.partitions ?? {})) {
      const parent = relationOf(name, relations, where)
      if (isWanted(parent)) actions.push(...(await partitions(session, parent, policy, now)))
    }
  return actions
}

function chosenRelations(
  task: 'vacuum' | 'analyze' | 'reindex' | 'refresh',
  { tables: declared }: UpkeepPolicy,
  relations: readonly Relation[],
  { name }: DatabaseConfig,
  asked: readonly string[] | undefined,
): readonly Relation[] {
  const fits = ({ kind }: Relation): boolean => task !== 'refresh' || kind === 'materialized'
  const names = asked ?? declared
  if (names === undefined) return relations.filter(fits)
  const where = asked === undefined ? `maintenance.${task}.tables of ${name}` : '--table'
  return names.map((one) => relationOf(one, relations.filter(fits), where))
}

async function upkeepOf(
  task: 'vacuum' | 'analyze' | 'reindex' | 'refresh',
  relation: Relation,
  session: Session,
  { full = false }: MaintainOptions,
): Promise<Action> {
  const action = await (task === 'vacuum'
    ? vacuum(relation, full)
    : task === 'analyze'
      ? analyze(relation)
      : task === 'reindex'
        ? reindex(session, relation)
        : refresh(relation))
  if (relation.mine) return action
  // VACUUM and ANALYZE only warn, and leave the table as it is: that must not look done.
  return {
    ...action,
    run: () =>
      Promise.reject(problem('maintain.not-owner', { table: relation.identity, owner: relation.owner })),
  }
}

async function after(session: Session, last: Date, every: string): Promise<Date> {
  const [row] = await session.query(
    'select (extract(epoch from $1::timestamptz + $2::interval) * 1000)::bigint',
    [last.toISOString(), every],
  )
  return new Date(Number(row?.[0]))
}
