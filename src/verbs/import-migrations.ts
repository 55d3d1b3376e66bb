import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { crc32 } from 'node:zlib'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import {
  LEDGER_TOOLS,
  readForeignLedger,
  tablesOf,
  type ForeignLedger,
  type LedgerTool,
} from '../database/foreign-ledgers.js'
import {
  completeEntrySql,
  createLedger,
  insertEntrySql,
  readLedger,
  tableOf,
  type LedgerPlace,
} from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import { problem, throwProblems } from '../errors.js'
import { DBKIT_VERSION } from '../package-version.js'
import { entryOf } from '../plan/plan.js'
import { planTakeOver, type TakeOver } from '../plan/take-over.js'
import { writeChange } from '../prove/fix-drift.js'
import {
  reportOf,
  type DatabaseReport,
  type DriftReport,
  type Report,
  type TakeOverReport,
} from '../report.js'
import { canonicalVersion } from '../workspace/version.js'
import { readScriptText, readWorkspace, type Migration, type Workspace } from '../workspace/workspace.js'
import { onlyDatabase } from './plan-change.js'
import {
  copiesOf,
  counterpart,
  outOf,
  readOwnCopy,
  refuseOthers,
  shownFiles,
  writeNew,
  type Copied,
} from './take-over-files.js'
import { asShadowSays, compareWithLive, onShadow } from './take-over-proof.js'
import { asProblem, onEachDatabase, type Opened, type RunOptions } from './with-database.js'

export interface ImportMigrationsOptions extends RunOptions {
  /** Default: what the folder shows */
  readonly from?: LedgerTool
  /** Absolute; where the files go in dbkit's own layout. Default: sql/<database>/migrations */
  readonly out?: string
  /** Leaves the files where they are, and takes over the ledger alone. */
  readonly inPlace?: boolean
  /** One migration is written of what the database contains, instead of those that dbkit cannot read. Always so for knex, Umzug and Kysely. */
  readonly baseline?: boolean
  /** "schema.table", where the tool's ledger is not at its usual place. */
  readonly ledgerTable?: string
  /** Why the ledger is taken over although the database is not what the migrations make. */
  readonly force?: string
  /** Everything is looked at and compared, nothing is written. */
  readonly dryRun?: boolean
  /** A server on which the migrations are run for the comparison, in a database of their own. Default: the embedded engine */
  readonly shadowUrl?: string
}

/** Migrations of these are programs. */
const PROGRAMS: ReadonlySet<LedgerTool> = new Set(['knex', 'umzug', 'kysely'])

/**
 * Copies the migrations of another tool into dbkit's own layout and takes over that tool's ledger, once it is proved that the database is
 * what the migrations make that the ledger names. The tool's own table is left as it is. Without a database only the files are copied.
 *
 * @example
 * const config = await settleConfig({ dir: 'db/migrations', url }, { cwd: process.cwd(), environment: process.env })
 * const report = await importMigrations(config, { from: 'dbmate', inPlace: true })
 */
export async function importMigrations(
  config: Config,
  options: ImportMigrationsOptions = {},
): Promise<Report> {
  const database = onlyDatabase(config, 'import migrations')
  const reported = (databases: readonly DatabaseReport[]): Report => ({
    command: 'import migrations',
    ok: databases.every(({ ok }) => ok),
    databases,
  })
  const isBaseline = options.baseline === true || (options.from !== undefined && PROGRAMS.has(options.from))
  const layout = layoutFor(database, options)
  // A folder of programs is not read; where there is none at all, neither.
  const source = { ...database, layout }
  const hasDatabase = database.target.kind === 'server' || database.target.asked
  if (!hasDatabase) {
    if (isBaseline) throw problem('import.needs-database', { tool: options.from ?? 'baseline' })
    try {
      return reported([filesAlone(config, source, options)])
    } catch (error) {
      const known = asProblem(error, options.signal ?? new AbortController().signal)
      return reported([{ database: database.name, ok: false, error: reportOf(known) }])
    }
  }
  const databases = await onEachDatabase(
    {
      ...config,
      databases: [
        isBaseline ? { ...source, migrations: outOf(config, database, options), layout: 'dbkit' } : source,
      ],
    },
    'import migrations',
    options,
    (opened) => (isBaseline ? takeAsOne(config, opened, options) : takeOver(config, opened, options)),
    { mayBeMissing: isBaseline },
  )
  return reported(databases)
}

function layoutFor(database: DatabaseConfig, { from }: ImportMigrationsOptions): DatabaseConfig['layout'] {
  if (from === undefined || PROGRAMS.has(from)) return database.layout
  return from as DatabaseConfig['layout']
}

function filesAlone(
  config: Config,
  database: DatabaseConfig,
  options: ImportMigrationsOptions,
): DatabaseReport {
  const workspace = readWorkspace(database, config.root)
  if (options.inPlace === true) throw problem('import.needs-database', { tool: workspace.layout })
  const copied = copiesOf(config, database, workspace, options)
  const files = options.dryRun === true ? shownFiles(config, copied.files) : writeNew(config, copied.files)
  const takeOver: TakeOverReport = {
    from: workspace.layout,
    migrations: workspace.migrations.map((migration) => ({
      from: migration.version,
      name: copied.names.get(migration) ?? migration.name,
      state: 'copied',
    })),
    proof: 'not-run',
  }
  return {
    database: database.name,
    ok: true,
    files,
    takeOver,
    ...(options.dryRun === true ? { dryRun: true } : {}),
    notes: [...workspace.notes, 'only the files: no database was named whose ledger could be taken over'],
  }
}

// ---- the ledger

async function takeOver(
  config: Config,
  opened: Opened,
  options: ImportMigrationsOptions,
): Promise<Omit<DatabaseReport, 'database' | 'engine'>> {
  const { database, workspace, config: settings, signal } = opened
  const session = await database.session()
  try {
    const tool = toolOf(config, settings, workspace, options)
    const ledger = await readForeignLedger(session, tool, settings.name, placeIn(options.ledgerTable))
    await refuseTaken(session, settings)
    const plan = planTakeOver(workspace, ledger, (migration) => checksumFor(tool, migration))
    throwProblems(plan.problems)
    if (plan.edited.length > 0 && options.force === undefined)
      throw problem('import.edited', { tool, migrations: plan.edited.map(({ name }) => name) })
    const copied = options.inPlace === true ? undefined : copiesOf(config, settings, workspace, options)
    const proof = await compareWithLive(config, opened, session, ledger, plan, options)
    const about = aboutTakeOver(workspace, ledger, plan, copied, proof, options)
    if (proof.differences.length > 0 && options.force === undefined)
      return refusedAsDifferent(settings, proof, about)
    const result = { ok: true, takeOver: about.takeOver, notes: about.notes }
    if (options.dryRun === true)
      return {
        ...result,
        dryRun: true,
        steps: about.steps('not-run'),
        ...(copied === undefined ? {} : { files: shownFiles(config, copied.files) }),
      }
    const files = copied === undefined ? [] : writeNew(config, copied.files)
    const own = copied === undefined ? workspace : readOwnCopy(config, settings, copied.folder)
    const rows = plan.applied.map(({ migration, at }) => ({
      migration: counterpart(own, migration, copied),
      at,
    }))
    const place = settings.ledger
    const lock = { name: `${place.schema}.${place.table}`, waitMs: settings.lockWaitMs, signal }
    await database.withLock(lock, () => record(session, settings, rows))
    return { ...result, steps: about.steps('recorded'), ...(files.length === 0 ? {} : { files }) }
  } finally {
    await session.close()
  }
}

function toolOf(
  config: Config,
  settings: DatabaseConfig,
  workspace: Workspace,
  { from }: ImportMigrationsOptions,
): LedgerTool {
  const tool = LEDGER_TOOLS.find((one) => one === (from ?? workspace.layout))
  if (tool === undefined)
    throw problem('import.own-layout', { folder: relative(config.root, settings.migrations) || '.' })
  return tool
}

function placeIn(written: string | undefined): LedgerPlace | undefined {
  if (written === undefined) return undefined
  const [table = '', schema = 'public'] = written.split('.').reverse()
  return { schema, table }
}

async function refuseTaken(session: Session, settings: DatabaseConfig): Promise<void> {
  const own = await readLedger(session, settings.ledger)
  const last = own.entries.at(-1)
  if (last !== undefined) throw problem('import.not-empty', { database: settings.name, applied: last.name })
}

/** What a tool keeps of a file, made again of the file as it is now. */
function checksumFor(tool: LedgerTool, { up }: Migration): string | undefined {
  const content = readFileSync(up.path)
  switch (tool) {
    case 'sqlx':
      return createHash('sha384').update(content).digest('hex')
    case 'prisma':
    case 'drizzle':
      return createHash('sha256').update(content).digest('hex')
    case 'graphile-migrate':
      return /^--! Hash: (\S+)/m.exec(content.toString('utf8'))?.[1]
    case 'sqitch':
      return createHash('sha1').update(content).digest('hex')
    case 'flyway':
      // Line by line, without their ends.
      return String(
        crc32(
          content
            .toString('utf8')
            .replace(/^\uFEFF/, '')
            .replaceAll(/\r?\n/g, ''),
        ) | 0,
      )
    default:
      return undefined
  }
}

/** All rows in one transaction, with the moments that the tool kept. */
async function record(
  session: Session,
  { ledger: place }: DatabaseConfig,
  rows: readonly { readonly migration: Migration; readonly at: string | undefined }[],
): Promise<void> {
  const { exists } = await readLedger(session, place)
  if (!exists) await createLedger(session, place)
  const statements = rows.flatMap(({ migration, at }) => {
    const entry = entryOf(migration, false, { text: readScriptText })
    const moment =
      at === undefined
        ? []
        : [
            `update ${tableOf(place)} set started_at=${quoteLiteral(at)}::timestamptz,finished_at=${quoteLiteral(at)}::timestamptz ` +
              `where version=${quoteLiteral(entry.version)}`,
          ]
    return [
      insertEntrySql(place, entry, 'applied', DBKIT_VERSION),
      completeEntrySql(place, entry.version),
      ...moment,
    ]
  })
  try {
    await session.script(['begin', ...statements, 'commit'].join(';'))
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

// ---- what is said

interface About {
  readonly takeOver: TakeOverReport
  readonly notes: readonly string[]
  readonly steps: (outcome: 'recorded' | 'not-run') => NonNullable<DatabaseReport['steps']>
}

function aboutTakeOver(
  workspace: Workspace,
  { tool, place }: ForeignLedger,
  plan: TakeOver,
  copied: Copied | undefined,
  { differences, comparedOn }: DriftReport,
  { force }: ImportMigrationsOptions,
): About {
  const nameOf = (migration: Migration): string => copied?.names.get(migration) ?? migration.name
  const applied = new Set(plan.applied.map(({ migration }) => migration))
  const accepted = differences.length + plan.edited.length
  return {
    takeOver: {
      from: tool,
      ledger: `${place.schema}.${place.table}`,
      migrations: workspace.migrations.map((migration) => ({
        from: migration.version,
        name: nameOf(migration),
        state: applied.has(migration) ? 'applied' : 'pending',
      })),
      proof: differences.length === 0 ? 'equal' : 'different',
      ...(accepted > 0 && force !== undefined ? { force } : {}),
    },
    notes: [
      ...plan.notes,
      ...(differences.length > 0 && force !== undefined
        ? [`taken over although ${String(differences.length)} objects differ: ${force}`]
        : []),
      ...(plan.edited.length > 0 && force !== undefined
        ? [`taken over although edited since: ${plan.edited.map(({ name }) => name).join(', ')}: ${force}`]
        : []),
      ...(differences.length === 0
        ? [`the database is what the applied migrations make, compared on ${comparedOn.label}`]
        : []),
      `${place.schema}.${place.table} was left as it is`,
    ],
    steps: (outcome) =>
      plan.applied.map(({ migration }) => ({
        version:
          copied === undefined
            ? migration.version
            : canonicalVersion(/^\d+/.exec(nameOf(migration))?.[0] ?? ''),
        name: nameOf(migration),
        direction: 'up' as const,
        outcome,
      })),
  }
}

function refusedAsDifferent(
  { name }: DatabaseConfig,
  proof: DriftReport,
  { takeOver, notes }: About,
): Omit<DatabaseReport, 'database' | 'engine'> {
  const objects = proof.differences.map(({ kind, object }) => `${object} (${kind})`)
  return {
    ok: false,
    drift: proof,
    takeOver,
    notes,
    error: reportOf(problem('import.differs', { database: name, objects })),
  }
}

// ---- one migration of what is there

/** Programs cannot be read: what they have made is written as one migration, which is proved to make it again. */
async function takeAsOne(
  config: Config,
  opened: Opened,
  options: ImportMigrationsOptions,
): Promise<Omit<DatabaseReport, 'database' | 'engine'>> {
  const { database, config: settings, signal } = opened
  const session = await database.session()
  try {
    const tool = options.from ?? LEDGER_TOOLS.find((one) => one === settings.layout)
    if (tool === undefined)
      throw problem('import.own-layout', { folder: relative(config.root, settings.migrations) || '.' })
    const ledger = await readForeignLedger(session, tool, settings.name, placeIn(options.ledgerTable))
    await refuseTaken(session, settings)
    const leaveOut = tablesOf(ledger.tool, ledger.place)
    const live = await readCatalog(session, { ledger: settings.ledger, leaveOut })
    const files = await onShadow(config, opened, live, options, async (shadow) => {
      const is = await asShadowSays(live, shadow, opened)
      const at = await shadow.sessions.current()
      const empty = await readCatalog(at, { ledger: settings.ledger })
      const { parts } = await writeChange(at, empty, is, settings)
      return baselineFiles(settings.migrations, tool, parts)
    })
    refuseOthers(config, files)
    const about = {
      ok: true,
      takeOver: {
        from: tool,
        ledger: `${ledger.place.schema}.${ledger.place.table}`,
        migrations: ledger.entries.map(({ key }) => ({
          from: key,
          name: `0001_${baselineTitle(tool)}`,
          state: 'applied' as const,
        })),
        proof: 'equal' as const,
      },
      notes: [
        `${String(ledger.entries.length)} migrations of ${tool} have become one: rows that they have inserted are not in it`,
        `${ledger.place.schema}.${ledger.place.table} was left as it is`,
      ],
    }
    if (options.dryRun === true) return { ...about, dryRun: true, files: shownFiles(config, files) }
    const written = writeNew(config, files)
    const own = readOwnCopy(config, settings, settings.migrations)
    const rows = own.migrations.map((migration) => ({ migration, at: ledger.entries.at(-1)?.at }))
    const place = settings.ledger
    const lock = { name: `${place.schema}.${place.table}`, waitMs: settings.lockWaitMs, signal }
    await database.withLock(lock, () => record(session, settings, rows))
    const steps = own.migrations.map(({ version, name }) => ({
      version,
      name,
      direction: 'up' as const,
      outcome: 'recorded' as const,
    }))
    return { ...about, files: written, steps }
  } finally {
    await session.close()
  }
}

function baselineTitle(tool: LedgerTool): string {
  return `taken_over_from_${tool.replaceAll('-', '_')}`
}

function baselineFiles(
  folder: string,
  tool: LedgerTool,
  parts: Awaited<ReturnType<typeof writeChange>>['parts'],
): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const [index, { up, down, why }] of parts.entries()) {
    const name = `${String(index + 1).padStart(4, '0')}_${baselineTitle(tool)}`
    const head = down === undefined ? `-- dbkit: irreversible ${why.replaceAll(/\s+/g, ' ')}\n` : ''
    files.set(join(folder, `${name}.up.sql`), `${head}-- What the migrations of ${tool} had made.\n\n${up}`)
    if (down !== undefined) files.set(join(folder, `${name}.down.sql`), `-- Undoes ${name}.\n\n${down}`)
  }
  return files
}
