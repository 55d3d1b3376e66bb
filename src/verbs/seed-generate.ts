import { cancellable, interruption } from '../apply/run-transaction.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config } from '../config/config.js'
import type { Session } from '../database/database.js'
import { problem } from '../errors.js'
import { buildTables } from '../generate/build-rows.js'
import { fillTables } from '../generate/fill-tables.js'
import { countRows, orderTables, readTableFacts, type Wanted } from '../generate/plan-tables.js'
import { readRecipe, type Recipe } from '../generate/recipe.js'
import type { GenerateReport, Report } from '../report.js'
import { advanceSequences } from '../seed/advance-sequences.js'
import type { Outcome } from './change-under-lock.js'
import { defaultSchemaOf, readJsonTypes } from './read-json-types.js'
import { onEachDatabase, refuseUnaskedEmbedded, type Opened, type RunOptions } from './with-database.js'

export interface SeedGenerateOptions extends RunOptions {
  /** Rows of every table, or of each that is named. */
  readonly rows?: number | Readonly<Record<string, number>>
  /** Times the rows that the recipe names. Default: 1, when `rows` is not given */
  readonly scale?: number
  /** The same number gives the same rows. Default: 1 */
  readonly seed?: number
  /** The day that dates are counted from, YYYY-MM-DD. Default: the server's, in UTC */
  readonly today?: string
}

/**
 * Fills tables with plausible rows that satisfy their constraints, any number of them; rows that are there stay. The same seed, day and
 * rows before it give the same rows.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await seedGenerate(config, { rows: { loads: 10_000, calls: 100_000 } })
 */
export async function seedGenerate(config: Config, options: SeedGenerateOptions = {}): Promise<Report> {
  refuseUnaskedEmbedded(config)
  if (options.today !== undefined && Number.isNaN(dayOf(options.today)))
    throw problem('request.bad-option', {
      option: '--today',
      value: options.today,
      expected: 'a day like 2026-01-31',
    })
  const [only, ...others] = config.databases
  if (typeof options.rows === 'object' && (only === undefined || others.length > 0))
    throw problem('request.choose-one', {
      what: 'seed generate with tables of one database',
      databases: config.databases.map(({ name }) => name),
    })
  const recipes = new Map(
    config.databases.map(({ name, generate }) => [
      name,
      generate === undefined ? undefined : readRecipe(generate, config.root),
    ]),
  )
  const databases = await onEachDatabase(config, 'seed generate', options, (opened) =>
    generate(opened, config.root, recipes.get(opened.config.name), options),
  )
  return { command: 'seed generate', ok: databases.every(({ ok }) => ok), databases }
}

async function generate(
  opened: Opened,
  root: string,
  recipe: Recipe | undefined,
  options: SeedGenerateOptions,
): Promise<Outcome> {
  const { database, config, observer } = opened
  // The lock of the migrations: rows must not meet a schema that is being changed.
  const lock = {
    name: `${config.ledger.schema}.${config.ledger.table}`,
    waitMs: config.lockWaitMs,
    signal: opened.signal,
    onWait(holder: string) {
      observer({ kind: 'lock-wait', database: config.name, holder })
    },
  }
  return database.withLock(lock, async (lost) => {
    const session = await database.session()
    const signal = AbortSignal.any([opened.signal, lost])
    try {
      const report = await cancellable(session, signal, () =>
        fill(session, opened, { root, recipe, signal, options }),
      )
      // Plans for tables that were empty yesterday are plans for empty tables.
      if (report.tables.length > 0) await session.script('analyze')
      return { ok: true, generate: report }
    } catch (error) {
      throw signal.aborted ? interruption(signal) : error
    } finally {
      await session.close()
    }
  })
}

/** All rows are there afterwards, or none. */
async function inTransaction<T>(session: Session, { config }: Opened, body: () => Promise<T>): Promise<T> {
  await session.script(
    [
      'begin isolation level read committed',
      `set local search_path to ${config.searchPath}`,
      'set local timezone to utc',
      'set local datestyle to iso',
      'set local intervalstyle to postgres',
      `set local lock_timeout to ${String(config.lockTimeoutMs)}`,
      `set local statement_timeout to ${String(config.statementTimeoutMs)}`,
    ].join(';'),
  )
  try {
    const result = await body()
    await session.script('commit')
    return result
  } catch (error) {
    if (!session.lost) await session.script('rollback').catch(() => undefined)
    throw error
  }
}

interface Asked {
  readonly root: string
  readonly recipe: Recipe | undefined
  readonly signal: AbortSignal
  readonly options: SeedGenerateOptions
}

async function fill(
  session: Session,
  opened: Opened,
  { root, recipe, signal, options }: Asked,
): Promise<GenerateReport> {
  const { config, observer } = opened
  const startedAt = performance.now()
  const { seed = 1 } = options
  const catalog = await readCatalog(session, { ledger: config.ledger })
  const tables = readTableFacts(catalog, defaultSchemaOf(config.searchPath))
  const counts = countRows(tables, wantedOf(options, recipe, config.name), recipe)
  const order = orderTables(tables.filter(({ identity }) => counts.has(identity)))
  const onRows = sometimes((table, rows, totalRows) => {
    observer({ kind: 'generate-progress', database: config.name, table, rows, totalRows })
  })
  return inTransaction(session, opened, async () => {
    const today = options.today ?? (await readToday(session))
    const jsonTypes = readJsonTypes(config, root)
    const built = buildTables(tables, new Set(counts.keys()), {
      catalog,
      recipe,
      jsonTypes,
      seed,
      today: dayOf(today),
    })
    const filled = await fillTables(session, {
      order,
      tables: built,
      counts,
      recipe: recipe?.file ?? '',
      signal,
      onRows,
    })
    await advanceSequences(session, [])
    return { seed, today, tables: filled, durationMs: Math.round(performance.now() - startedAt) }
  })
}

function wantedOf(
  { rows, scale }: SeedGenerateOptions,
  recipe: Recipe | undefined,
  database: string,
): Wanted {
  const named = typeof rows === 'object' ? rows : {}
  const all = typeof rows === 'number' ? rows : undefined
  if (rows === undefined && Object.values(recipe?.tables ?? {}).every((table) => (table.rows ?? 0) === 0))
    throw problem('generate.nothing-asked', { database })
  return { rows: all, tables: named, scale: scale ?? (rows === undefined ? 1 : undefined) }
}

function dayOf(text: string): number {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN
}

async function readToday(session: Session): Promise<string> {
  const rows = await session.query(
    `select pg_catalog.to_char(pg_catalog.now() at time zone 'UTC', 'YYYY-MM-DD')`,
  )
  return rows[0]?.[0] ?? ''
}

/** At most ten times a second. */
function sometimes(tell: (table: string, rows: number, total: number) => void): typeof tell {
  let told = 0
  return (table, rows, total) => {
    const now = performance.now()
    if (now - told < 100) return
    told = now
    tell(table, rows, total)
  }
}
