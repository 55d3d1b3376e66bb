import type { Config, DatabaseConfig } from '../config/config.js'
import { readLedger } from '../database/ledger.js'
import { isLocal, settleServerAddress } from '../database/server-target.js'
import { engineChoices } from '../doctor/engine-choice.js'
import { examine, summarise } from '../doctor/examine.js'
import type { PoolSize } from '../doctor/finding.js'
import { judgeLedger } from '../doctor/ledger-check.js'
import { statusOf } from '../plan/plan.js'
import { recogniseSquashes } from '../plan/squash.js'
import type { Report } from '../report.js'
import { extensionsOf, scriptReader } from '../workspace/workspace.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import { onEachDatabase, type Opened, type RunOptions } from './with-database.js'

export interface DoctorOptions extends RunOptions {
  /** Connections that the pool of one instance of the application may open. Default: `pool` of the configuration */
  readonly poolSize?: number
  /** Instances of the application. Default: `pool.instances` of the configuration, or 1 */
  readonly instances?: number
  readonly now?: Date
}

/**
 * Looks at each database without changing anything: connection, server, rights, ledger, indexes, keys, sequences, bloat. `ok: false`
 * (exit 1) from the first warning on, unless the configuration accepts it.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await doctor(config, { poolSize: 30, instances: 4 })
 */
export async function doctor(config: Config, options: DoctorOptions = {}): Promise<Report> {
  const databases = await onEachDatabase(
    config,
    'doctor',
    options,
    (opened) => examineOne(config, opened, options),
    { afterFailure: 'go-on' },
  )
  return { command: 'doctor', ok: databases.every(({ ok }) => ok), databases }
}

async function examineOne(config: Config, opened: Opened, options: DoctorOptions): Promise<Outcome> {
  const { database, workspace, config: settings } = opened
  const session = await database.session()
  try {
    const { ledger } = recogniseSquashes(workspace, await readLedger(session, settings.ledger), {
      text: scriptReader(),
    })
    const { migrations } = statusOf(workspace, ledger)
    const extensions = extensionsOf(workspace)
    const about = {
      major: database.major,
      kind: database.engine.kind,
      name: settings.name,
      now: options.now ?? new Date(),
      timeZone: settings.timeZone,
      extensions,
      remote: remoteOf(config, settings),
      pool: poolOf(settings, options),
      hasLedger: ledger.exists,
      hasPending: migrations.some(({ state }) => state === 'pending' || state === 'out-of-order'),
    }
    const { findings, notLookedAt } = await examine(session, about)
    const doctor = summarise(
      [...judgeLedger(migrations, about), ...findings],
      notLookedAt,
      settings.doctor.accept,
    )
    const unfounded = Object.keys(settings.doctor.accept)
      .filter((key) => !doctor.findings.some(({ check, object }) => key === `${check} ${object}`))
      .map((key) => `the configuration accepts "${key}", which is not there: take it out`)
    return {
      ...notesOf(unfounded),
      ok: doctor.summary.error + doctor.summary.warning === 0,
      doctor: {
        ...doctor,
        ...(about.kind === 'embedded'
          ? { engines: engineChoices(database.engine, extensions.includes('postgis')) }
          : {}),
      },
    }
  } finally {
    await session.close()
  }
}

function remoteOf(config: Config, { target }: DatabaseConfig): { readonly sslmode: string } | undefined {
  if (target.kind === 'embedded') return undefined
  const { host, sslmode } = settleServerAddress(
    target.url,
    config.environment,
    target.source,
    target.fallbackDatabase,
  )
  return isLocal(host) ? undefined : { sslmode }
}

function poolOf({ pool }: DatabaseConfig, { poolSize, instances }: DoctorOptions): PoolSize | undefined {
  if (poolSize === undefined && pool === undefined) return undefined
  return {
    size: poolSize ?? pool?.size ?? 0,
    overflow: poolSize === undefined ? (pool?.overflow ?? 0) : 0,
    instances: instances ?? pool?.instances ?? 1,
  }
}
