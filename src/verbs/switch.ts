import { relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { readDownSqls, readUpSql, type Ledger } from '../database/ledger.js'
import { readRepeatables } from '../database/repeatable-ledger.js'
import { DbkitError, problem } from '../errors.js'
import type { Plan } from '../plan/plan.js'
import { lossesOf, partingOf, planBack, planForth } from '../plan/plan-switch.js'
import type { DatabaseReport, Report, SwitchReport } from '../report.js'
import { ledgerScriptText, readWorkspace, scriptReader } from '../workspace/workspace.js'
import { changeUnderLock, type Decide, type Outcome } from './change-under-lock.js'
import { refuseDrop } from './db-drop.js'
import { resetOne } from './db-reset.js'
import { inTurn } from './in-turn.js'
import { startingStates, stateOfLedger } from './kept-states.js'
import { EMBEDDED_ENGINE } from './migrate-up.js'
import {
  onEachDatabase,
  refuseUnaskedEmbedded,
  refuseUnchosen,
  type Opened,
  type RunOptions,
} from './with-database.js'

export interface SwitchOptions extends RunOptions {
  /** Errors show no values of rows. */
  readonly redact?: boolean
  /** False: what the role may not do is found out by doing it. */
  readonly preflight?: boolean
  readonly dryRun?: boolean
  /** Where something has no way back the database is made anew, without its rows. */
  readonly reset?: boolean
  /** Load the seeds into one that was made anew. */
  readonly seed?: boolean
  /** On a server, where something is to be rolled back; and for several databases that were not named. */
  readonly yes?: boolean
  /** When it is made anew on a server, end the sessions that others have in it. */
  readonly force?: boolean
}

/**
 * Brings each database to what the files say now, as after a `git checkout`: what is applied and not in the files, or otherwise, is
 * rolled back with the SQL of the ledger, and everything that came after it; then what the files have is applied.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await switchToFiles(config)
 */
export async function switchToFiles(config: Config, options: SwitchOptions = {}): Promise<Report> {
  const { dryRun = false, reset = false, yes = false } = options
  if (options.seed === true && !reset)
    throw problem('request.conflicting-options', {
      options: ['--seed'],
      why: 'only a database that is made anew, with --reset, is seeded',
    })
  if (!dryRun && reset) refuseDrop(config, 'switch --reset', options)
  if (!dryRun) {
    refuseUnchosen(config, 'switch', yes)
    refuseUnaskedEmbedded(config)
  }
  for (const database of config.databases) readWorkspace(database, config.root)
  const databases = await inTurn(config, options, (database) => switchOne(config, database, options))
  return { command: 'switch', ok: databases.every(({ ok }) => ok), databases }
}

async function switchOne(
  config: Config,
  database: DatabaseConfig,
  options: SwitchOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const alone = { ...config, databases: [database] }
  const blocked: string[] = []
  const [report] = await onEachDatabase(
    alone,
    'switch',
    options,
    async (opened) => {
      try {
        return await change(opened, config.root, options)
      } catch (error) {
        if (options.reset !== true || !isWithoutWayBack(error)) throw error
        blocked.push(...[error, ...error.others].map(({ message }) => message))
        return options.dryRun === true ? wouldReset(opened, blocked) : { ok: false }
      }
    },
    {
      states: (workspace, settings) =>
        options.dryRun === true
          ? []
          : startingStates(workspace, settings, { kind: 'latest' }, { engine: EMBEDDED_ENGINE }),
    },
  )
  if (report === undefined) return { ok: false }
  if (blocked.length === 0 || options.dryRun === true) return report
  const anew = await resetOne(config, database, 'switch --reset', options)
  return { ...anew, switch: { ...NOTHING, reset: blocked }, notes: [...blocked, ...(anew.notes ?? [])] }
}

const NOTHING = { kept: 0, rolledBack: [], loses: [] } as const satisfies SwitchReport

function isWithoutWayBack(error: unknown): error is DbkitError {
  return error instanceof DbkitError && error.code === 'switch.no-way-back'
}

async function change(opened: Opened, root: string, options: SwitchOptions): Promise<Outcome> {
  const { dryRun = false } = options
  let told: SwitchReport | undefined
  const text = scriptReader()
  const back: Decide = async (ledger, session) => {
    refuseNoFiles(opened, ledger, root)
    const plan = await decideBack(opened, ledger, session)
    // Of the decisions, the last one that was taken is the one that was carried out.
    const { kept, back } = partingOf(opened.workspace, ledger)
    const rolledBack = back.map(({ entry: { version, name }, why }) => ({ version, name, why }))
    told = { kept: kept.length, rolledBack, loses: lossesOf(plan) }
    if (plan.steps.length > 0 && !dryRun) refuseUnconfirmed(opened, options)
    const { loses } = told
    const notes = loses.length === 0 ? [] : [`the rollback drops, with what is in it: ${loses.join(', ')}`]
    return { ...plan, notes: [...plan.notes, ...notes] }
  }
  const outcome = await changeUnderLock(
    opened,
    [back, (ledger) => planForth(opened.workspace, ledger, { text })],
    {
      dryRun,
      singleTransaction: false,
      redact: options.redact,
      preflight: options.preflight,
      repeatables: 'renewed',
      halfSquashed: true,
      stateKey: (ledger) =>
        stateOfLedger(ledger, opened.workspace, opened.config, {
          engine: EMBEDDED_ENGINE,
          repeatables: true,
        }),
    },
  )
  const report = { ...outcome, ...(dryRun ? { dryRun } : {}), switch: told ?? NOTHING }
  if (opened.workspace.migrations.length > 0) return report
  const none = `there are no migrations in ${relative(root, opened.config.migrations) || '.'}`
  return { ...report, notes: [none, ...(report.notes ?? [])] }
}

/** A folder named by mistake would else cost all that is there. */
function refuseNoFiles({ workspace, config }: Opened, { entries }: Ledger, root: string): void {
  if (workspace.migrations.length > 0 || entries.length === 0) return
  throw problem('switch.no-files', {
    folder: relative(root, config.migrations) || '.',
    database: config.name,
    applied: entries.length,
  })
}

/** A rollback takes rows with it, and a server may be anybody's. */
function refuseUnconfirmed({ database }: Opened, { yes = false }: SwitchOptions): void {
  if (database.engine.kind === 'server' && !yes)
    throw problem('request.needs-yes', { what: 'switch', target: database.engine.label })
}

async function decideBack({ workspace, config }: Opened, ledger: Ledger, session: Session): Promise<Plan> {
  const { back } = partingOf(workspace, ledger)
  const versions = back.map(({ entry }) => entry.version)
  const downs = await readDownSqls(session, config.ledger, versions)
  // What was run says why there is no way back.
  const ups = await readUpSql(
    session,
    config.ledger,
    versions.filter((version) => !downs.has(version)),
  )
  const repeatables = await readRepeatables(session, config.ledger)
  return planBack(workspace, ledger, repeatables, {
    text: scriptReader(),
    kept: {
      down: ({ version, name }) => scriptOf(downs.get(version), name, 'down'),
      up: ({ version, name }) => scriptOf(ups.get(version), name, 'up'),
    },
  })
}

function scriptOf(
  sql: string | undefined,
  name: string,
  direction: 'up' | 'down',
): ReturnType<typeof ledgerScriptText> | undefined {
  return sql === undefined ? undefined : ledgerScriptText(name, sql, direction)
}

/** What --reset would do, for --dry-run: everything goes, and every file is applied. */
function wouldReset({ workspace, config }: Opened, blocked: readonly string[]): Outcome {
  const { migrations, repeatable } = workspace
  return {
    ok: true,
    dryRun: true,
    switch: { ...NOTHING, reset: blocked },
    steps: [
      ...migrations.map(
        ({ version, name }) => ({ version, name, direction: 'up', outcome: 'not-run' }) as const,
      ),
      ...repeatable.map(
        ({ name }) => ({ version: '', name, direction: 'up', outcome: 'not-run', repeatable: true }) as const,
      ),
    ],
    notes: [...blocked, `${config.name} would be made anew, and all rows in it would be lost`],
  }
}
