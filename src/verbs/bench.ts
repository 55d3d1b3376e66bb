import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cancellable, interruption } from '../apply/run-transaction.js'
import { measure, measureStorage } from '../bench/measure.js'
import { readTargets, type Targets } from '../bench/targets.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { BenchedQuery, DatabaseReport, Report } from '../report.js'
import type { Outcome } from './change-under-lock.js'
import { addressOf, createOne } from './db-create.js'
import { dropOne } from './db-drop.js'
import { inTurn } from './in-turn.js'
import { migrateUp } from './migrate-up.js'
import { seed } from './seed.js'
import { seedGenerate, type SeedGenerateOptions } from './seed-generate.js'
import { onEachDatabase, type Opened, type RunOptions } from './with-database.js'

export interface BenchOptions extends RunOptions {
  /** Fills a database of its own with so many times the rows of the recipe, and drops it afterwards. */
  readonly scale?: number
  /** The same, with rows by table. */
  readonly rows?: SeedGenerateOptions['rows']
  /** Runs of each query. Default: 100 */
  readonly runs?: number
}

/**
 * Measures the queries that the configuration names targets for; `ok: false` (exit 1) when one is missed. Without `scale` and `rows` it
 * reads the database as it is.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await bench(config, { scale: 10 })
 */
export async function bench(config: Config, options: BenchOptions = {}): Promise<Report> {
  const { runs = 100 } = options
  const found = new Map<string, Targets>()
  for (const { name, bench: file } of config.databases) {
    if (file === undefined) throw problem('bench.no-targets', { database: name })
    found.set(name, readTargets(file, config.root))
  }
  const isOwn = options.scale !== undefined || options.rows !== undefined
  const targetsOf = (name: string): Targets => found.get(name) ?? { file: '', queries: [] }
  const databases = isOwn
    ? await inTurn(config, options, (database) =>
        onScratch(config, database, targetsOf(database.name), options),
      )
    : await onEachDatabase(config, 'bench', options, (opened) =>
        run(opened, targetsOf(opened.config.name), runs),
      )
  return { command: 'bench', ok: databases.every(({ ok }) => ok), databases }
}

/** As autovacuum does it within minutes: before, no index can be read without its table. */
async function settle({ database, signal }: Opened): Promise<void> {
  const session = await database.session()
  try {
    await cancellable(session, signal, () => session.script('vacuum'))
  } finally {
    await session.close()
  }
}

async function run(opened: Opened, targets: Targets, runs: number): Promise<Outcome> {
  const { database, config, observer, signal } = opened
  const session = await database.session()
  try {
    return await cancellable(session, signal, async () => {
      await session.script(`set search_path to ${config.searchPath}`)
      const queries: BenchedQuery[] = []
      for (const [index, target] of targets.queries.entries()) {
        observer({
          kind: 'proof',
          database: config.name,
          what: target.name,
          index,
          total: targets.queries.length,
        })
        queries.push(await measure(session, target, { runs, file: targets.file, signal }))
      }
      const storage =
        targets.storage === undefined ? undefined : await measureStorage(session, targets.storage)
      await session.script('reset search_path')
      const ok = queries.every(({ met }) => met) && storage?.met !== false
      return { ok, bench: { queries, ...(storage === undefined ? {} : { storage }) } }
    })
  } catch (error) {
    throw signal.aborted ? interruption(signal) : error
  } finally {
    await session.close()
  }
}

/** On a database of its own, beside the one that is configured: same server, or embedded in a folder that is removed. */
async function onScratch(
  config: Config,
  database: DatabaseConfig,
  targets: Targets,
  options: BenchOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  if (database.target.kind === 'embedded') {
    const folder = mkdtempSync(join(tmpdir(), 'dbkit-bench-'))
    const target = { ...database.target, asked: true, folder: join(folder, database.name) }
    try {
      return await fillAndRun({ ...config, databases: [{ ...database, target }] }, targets, options)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const called = `dbkit_bench_${database.name}_${String(process.pid)}`
  const { url } = database.target
  const target = {
    ...database.target,
    url: url === undefined ? undefined : withDatabase(url, called),
    fallbackDatabase: called,
  }
  const scratch = { ...database, target }
  const alone = {
    ...config,
    environment: { ...config.environment, PGDATABASE: called },
    databases: [scratch],
  }
  // It is dropped in the end: that must be no other than the one made here.
  if (addressOf(target, alone.environment).database !== called)
    throw problem('bench.no-scratch', { database: database.name, source: target.source })
  const { existence } = await createOne(alone, scratch, 'bench', options)
  if (existence !== 'created')
    throw problem('bench.no-scratch', { database: database.name, source: target.source })
  try {
    return await fillAndRun(alone, targets, options)
  } finally {
    // Also after Ctrl-C.
    await dropOne(alone, scratch, 'bench', { force: true })
  }
}

async function fillAndRun(
  alone: Config,
  targets: Targets,
  options: BenchOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const { rows, scale, signal, observer, runs = 100 } = options
  const ran: RunOptions = {
    ...(signal === undefined ? {} : { signal }),
    ...(observer === undefined ? {} : { observer }),
  }
  const [migrated] = (await migrateUp(alone, ran)).databases
  if (migrated?.ok !== true) return { ...migrated, ok: false }
  const [seeded] = (await seed(alone, ran)).databases
  if (seeded?.ok !== true) return { ...seeded, ok: false }
  const asked = { ...(rows === undefined ? {} : { rows }), ...(scale === undefined ? {} : { scale }) }
  const [filled] = (await seedGenerate(alone, { ...ran, ...asked })).databases
  if (filled?.ok !== true) return { ...filled, ok: false }
  const [measured] = await onEachDatabase(alone, 'bench', ran, async (opened) => {
    await settle(opened)
    return run(opened, targets, runs)
  })
  const { generate } = filled
  return { ...measured, ok: measured?.ok === true, ...(generate === undefined ? {} : { generate }) }
}

function withDatabase(text: string, name: string): string {
  const url = new URL(text)
  url.pathname = `/${name}`
  return url.href
}
