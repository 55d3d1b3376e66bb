import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import type { Config, DatabaseConfig, FleetConfig, Target } from '../config/config.js'
import type { Database } from '../database/database.js'
import { readLedger } from '../database/ledger.js'
import { openDatabase } from '../database/open-database.js'
import { problem, type ExitCode } from '../errors.js'
import { makeOwnFolder } from '../own-folder.js'
import { statusOf } from '../plan/plan.js'
import { reportOf, type DatabaseReport, type FleetReport, type FleetTarget, type Report } from '../report.js'
import { compareVersions } from '../workspace/version.js'
import { extensionsOf, readWorkspace, type Workspace } from '../workspace/workspace.js'
import { upOn, type MigrateUpOptions } from './migrate-up.js'
import type { MigrateStatusOptions } from './migrate-status.js'
import { asProblem, refuseUnaskedEmbedded, type Opened, type RunOptions } from './with-database.js'

/** One of many that are to have the same schema: a database of its own, or a schema of one database. */
interface Member {
  readonly name: string
  readonly url?: string
  readonly schema?: string
}

/** What is done to each member, and what is told of it. */
type Work = (opened: Opened) => Promise<Omit<FleetTarget, 'name' | 'durationMs'>>

interface Fleet {
  readonly config: Config
  readonly database: DatabaseConfig
  readonly settings: FleetConfig
  readonly workspace: Workspace
  readonly concurrency: number
  readonly options: RunOptions
  readonly purpose: string
}

/** Applies what is pending on each member of a fleet: canaries first, then the others side by side, until one fails. */
export async function fleetUp(config: Config, options: MigrateUpOptions): Promise<Report> {
  if (options.dryRun !== true) refuseUnaskedEmbedded(config)
  const databases = await onEachFleet(config, 'migrate up', options, (fleet) =>
    goOver(fleet, true, async (opened) => {
      const { ok, steps = [], error } = await upOn(opened, options)
      const applied = steps.filter(({ outcome }) => outcome === 'applied').length
      const version = await headOf(opened)
      const about = { applied, ...(version === undefined ? {} : { version }) }
      if (!ok) return { outcome: 'failed', ...about, ...(error === undefined ? {} : { error }) }
      const waiting = steps.filter(({ outcome }) => outcome === 'not-run').length
      if (waiting > 0) return { outcome: 'behind', ...about, pending: waiting }
      return { outcome: applied === 0 ? 'current' : 'migrated', ...about }
    }),
  )
  return { command: 'migrate up', ok: databases.every(({ ok }) => ok), databases }
}

/** At which version each member of a fleet is. */
export async function fleetStatus(config: Config, options: MigrateStatusOptions): Promise<Report> {
  const databases = await onEachFleet(config, 'migrate status', options, async (fleet) => {
    const report = await goOver(fleet, false, async ({ database, workspace, config: member }) => {
      const session = await database.session()
      try {
        const { migrations, summary } = statusOf(workspace, await readLedger(session, member.ledger))
        const last = migrations.findLast(({ appliedAt }) => appliedAt !== undefined)
        const pending = summary.pending + summary['out-of-order']
        const wrong = summary.edited + summary.missing + summary.interrupted
        return {
          outcome: wrong > 0 ? 'wrong' : pending > 0 ? 'behind' : 'current',
          pending,
          ...(last === undefined ? {} : { version: last.name }),
        }
      } finally {
        await session.close()
      }
    })
    const { ok } = report
    const settled = report.fleet?.targets.every(({ outcome }) => outcome === 'current') === true
    return options.strict === true ? { ...report, ok: ok && settled } : report
  })
  return { command: 'migrate status', ok: databases.every(({ ok }) => ok), databases }
}

async function onEachFleet(
  config: Config,
  purpose: string,
  options: RunOptions & { readonly concurrency?: number },
  body: (fleet: Fleet) => Promise<Omit<DatabaseReport, 'database'>>,
): Promise<readonly DatabaseReport[]> {
  const found = config.databases.map((database) => {
    if (database.fleet === undefined) throw problem('fleet.not-one', { database: database.name })
    return {
      config,
      database,
      settings: database.fleet,
      workspace: readWorkspace(database, config.root),
      concurrency: options.concurrency ?? database.fleet.concurrency,
      options,
      purpose,
    }
  })
  const reports: DatabaseReport[] = []
  for (const fleet of found) {
    const { name } = fleet.database
    if (reports.some(({ ok }) => !ok)) {
      reports.push({ database: name, ok: false, notes: ['not run, because of the failure before it'] })
      continue
    }
    try {
      reports.push({ database: name, ...(await body(fleet)) })
    } catch (error) {
      const signal = options.signal ?? new AbortController().signal
      reports.push({ database: name, ok: false, error: reportOf(asProblem(error, signal)) })
    }
  }
  return reports
}

// ---- who is in it

async function membersOf(fleet: Fleet): Promise<readonly Member[]> {
  const { settings, database } = fleet
  const members = await readMembers(fleet)
  if (members.length === 0) throw problem('fleet.empty', { database: database.name, source: settings.source })
  const twice = members.find(({ name }, index) => members.findIndex((one) => one.name === name) !== index)
  if (twice !== undefined) throw problem('fleet.twice', { database: database.name, name: twice.name })
  const unknown = settings.canaries.filter((name) => !members.some((one) => one.name === name))
  if (unknown.length > 0)
    throw problem('fleet.unknown-canary', { database: database.name, names: unknown, of: members.length })
  return members
}

async function readMembers({
  settings,
  config,
  database,
  workspace,
  options,
}: Fleet): Promise<readonly Member[]> {
  switch (settings.source) {
    case 'targets':
      return settings.targets.map((line) => memberIn(line, settings.source))
    case 'env':
      return (config.environment[settings.env] ?? '')
        .split(/[,\n]/)
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .map((line) => memberIn(line, settings.env))
    case 'file': {
      const shown = relative(config.root, settings.file)
      if (!existsSync(settings.file)) throw problem('fleet.no-file', { file: shown })
      return readFileSync(settings.file, 'utf8')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => memberIn(line, shown))
    }
    case 'schemas':
      return settings.schemas.map((name) => ({ name, schema: name }))
    case 'query':
    case 'schemaQuery': {
      const opened = await open(config, database, workspace, { ...options, purpose: 'fleet' })
      try {
        const session = await opened.session()
        const rows = await session.query(settings.query)
        await session.close()
        return rows.map(([name, url]) =>
          settings.source === 'query'
            ? { name: name ?? '', url: url ?? '' }
            : { name: name ?? '', schema: name ?? '' },
        )
      } finally {
        await opened.close()
      }
    }
  }
}

/** "acme=postgresql://...", or a URL alone, which is then called by its database. */
function memberIn(line: string, source: string): Member {
  const [, name, url = line] = /^([\w.-]+)=(.*)$/s.exec(line) ?? []
  try {
    const parsed = new URL(url)
    return { name: name ?? `${parsed.pathname.slice(1)}@${parsed.host}`, url }
  } catch {
    // The line may hold a password, so it is not shown.
    throw problem('fleet.bad-line', { source })
  }
}

// ---- going over them

async function goOver(fleet: Fleet, stops: boolean, work: Work): Promise<Omit<DatabaseReport, 'database'>> {
  const startedAt = performance.now()
  const members = await membersOf(fleet)
  const { canaries } = fleet.settings
  const first = members.filter(({ name }) => canaries.includes(name))
  const rest = members.filter(({ name }) => !canaries.includes(name))
  const run = new FleetRun(fleet, stops, work, members.length)
  await run.all(first)
  await run.all(rest)
  const targets = members.map(
    ({ name }): FleetTarget => run.told.get(name) ?? { name, outcome: 'not-run', durationMs: 0 },
  )
  const report: FleetReport = {
    targets,
    summary: summaryOf(targets),
    versions: versionsOf(targets, fleet.workspace),
    connections: run.connections,
    concurrency: run.concurrency,
    durationMs: Math.round(performance.now() - startedAt),
  }
  const { failed, 'not-run': left } = report.summary
  if (failed + left === 0) return { ok: true, fleet: report }
  const exits = targets.flatMap(({ error }) => (error === undefined ? [] : [error.exit]))
  const stopped = reportOf(problem('fleet.stopped', { database: fleet.database.name, failed, left }))
  // As bad as the worst of them.
  return { ok: false, fleet: report, error: { ...stopped, exit: Math.max(...exits, 2) as ExitCode } }
}

class FleetRun {
  readonly told = new Map<string, FleetTarget>()
  connections = 0
  readonly concurrency: number
  private readonly fleet: Fleet
  private readonly stops: boolean
  private readonly work: Work
  private readonly total: number
  private failed = 0

  constructor(fleet: Fleet, stops: boolean, work: Work, total: number) {
    this.fleet = fleet
    this.stops = stops
    this.work = work
    this.total = total
    // The embedded engine is of one process, and has one session.
    this.concurrency = fleet.database.target.kind === 'embedded' ? 1 : Math.min(fleet.concurrency, total)
  }

  /** So many workers, each with what it has opened for as long as the members share a database. */
  async all(members: readonly Member[]): Promise<void> {
    const queue = [...members]
    const worker = async (): Promise<void> => {
      let shared: Database | undefined
      try {
        for (;;) {
          if (this.isStopped()) return
          const member = queue.shift()
          if (member === undefined) return
          if (member.schema !== undefined) shared ??= await this.open(this.fleet.database)
          await this.one(member, shared)
        }
      } finally {
        await shared?.close()
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.concurrency, members.length) }, worker))
  }

  private isStopped(): boolean {
    return (this.stops && this.failed > 0) || this.fleet.options.signal?.aborted === true
  }

  private async one(member: Member, shared: Database | undefined): Promise<void> {
    const { options, database, workspace } = this.fleet
    const { signal = new AbortController().signal, observer = () => undefined } = options
    const config = memberConfig(database, member)
    const startedAt = performance.now()
    let own: Database | undefined
    let told: Omit<FleetTarget, 'name' | 'durationMs'>
    try {
      if (shared === undefined) own = await this.open(config)
      const opened = shared ?? own
      if (opened === undefined) throw new Error('no database was opened')
      // Each migration of each of a thousand would be a line.
      const quiet: typeof observer = (event) => {
        if (event.kind === 'lock-wait' || event.kind === 'lock-retry') observer(event)
      }
      told = await this.work({ database: opened, workspace, config, signal, observer: quiet })
    } catch (error) {
      told = { outcome: 'failed', error: reportOf(asProblem(error, signal)) }
    } finally {
      await own?.close()
    }
    if (told.outcome === 'failed') this.failed++
    this.told.set(member.name, {
      name: member.name,
      ...told,
      durationMs: Math.round(performance.now() - startedAt),
    })
    observer({
      kind: 'fleet-progress',
      database: database.name,
      done: this.told.size,
      total: this.total,
      failed: this.failed,
    })
  }

  private open(database: DatabaseConfig): Promise<Database> {
    const { config, workspace, options, purpose } = this.fleet
    return open(config, database, workspace, {
      ...options,
      purpose,
      onConnect: () => {
        this.connections++
      },
    })
  }
}

function open(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  { signal, purpose, onConnect }: RunOptions & { readonly purpose: string; readonly onConnect?: () => void },
): Promise<Database> {
  if (database.target.kind === 'embedded') makeOwnFolder(dirname(database.target.folder))
  return openDatabase(config, database, {
    purpose,
    signal,
    extensions: () => extensionsOf(workspace),
    keepsConnections: true,
    onConnect,
  })
}

/** A database of its own, or a schema with its own ledger in it. */
function memberConfig(database: DatabaseConfig, { name, url, schema }: Member): DatabaseConfig {
  const label = `${database.name}/${name}`
  if (schema !== undefined) {
    const quoted = `"${schema.replaceAll('"', '""')}"`
    return {
      ...database,
      name: label,
      ledger: { schema, table: 'dbkit_migrations' },
      searchPath: `${quoted}, public`,
    }
  }
  const target: Target = {
    kind: 'server',
    url,
    source: `the URL of ${name}`,
    fallbackDatabase: name,
    waitMs: database.target.kind === 'server' ? database.target.waitMs : 0,
  }
  return { ...database, name: label, target }
}

/** The name of the last migration that it has. */
async function headOf({ database, workspace, config }: Opened): Promise<string | undefined> {
  const session = await database.session()
  try {
    const { entries } = await readLedger(session, config.ledger)
    const names = entries.filter(({ state }) => state === 'applied')
    return [...names].sort((a, b) => workspace.order(a.version, b.version)).at(-1)?.name
  } finally {
    await session.close()
  }
}

function summaryOf(targets: readonly FleetTarget[]): FleetReport['summary'] {
  const summary = { migrated: 0, current: 0, behind: 0, wrong: 0, failed: 0, 'not-run': 0 }
  for (const { outcome } of targets) summary[outcome]++
  return summary
}

/** The newest first; what could not be asked has none. */
function versionsOf(targets: readonly FleetTarget[], { migrations }: Workspace): FleetReport['versions'] {
  const groups = new Map<string, string[]>()
  for (const { name, version, outcome } of targets) {
    if (version === undefined && (outcome === 'not-run' || outcome === 'failed')) continue
    groups.set(version ?? '', [...(groups.get(version ?? '') ?? []), name])
  }
  const place = (version: string): number => migrations.findIndex(({ name }) => name === version)
  return [...groups]
    .sort(([a], [b]) => place(b) - place(a) || compareVersions(b, a))
    .map(([version, names]) => ({ version, count: names.length, targets: names }))
}
