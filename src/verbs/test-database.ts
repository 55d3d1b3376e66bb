import { hash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config, DatabaseConfig } from '../config/config.js'
import { settleConfig } from '../config/settle-config.js'
import { openMemoryPool, type MemoryPool } from '../database/memory-pool.js'
import { poolOf, type PglitePool } from '../database/pglite-pool.js'
import { archiveOf, startTestEngine, type TestEngine } from '../database/test-engine.js'
import { problem } from '../errors.js'
import { DBKIT_VERSION } from '../package-version.js'
import type { Report } from '../report.js'
import { readSeeds } from '../seed/read-seeds.js'
import { readSqlFiles, schemaFolderOf } from '../workspace/schema-folder.js'
import { splitStatements } from '../workspace/statements.js'
import { extensionsOf, readWorkspace } from '../workspace/workspace.js'
import { migrateUp } from './migrate-up.js'
import { seed } from './seed.js'
import { makeFolder } from '../make-folder.js'

export interface BorrowedPool {
  readonly pool: PglitePool
  giveBack(): Promise<void>
}

/** Engines that wait to be borrowed again, by what is in them. */
const idle = new Map<string, { readonly engine: TestEngine; readonly end: NodeJS.Timeout }[]>()

/** PostgreSQL's own timers keep the process of an engine alive, so one that nobody borrows again is ended. */
const IDLE_MS = 3_000

function wait(key: string, engine: TestEngine): void {
  const waiting = idle.get(key) ?? []
  idle.set(key, waiting)
  const end = setTimeout(() => {
    waiting.splice(
      waiting.findIndex((one) => one.engine === engine),
      1,
    )
    void engine.close()
  }, IDLE_MS).unref()
  waiting.push({ engine, end })
}

function takeWaiting(key: string): TestEngine | undefined {
  const taken = idle.get(key)?.pop()
  clearTimeout(taken?.end)
  return taken?.engine
}

const archives = new Map<string, Promise<Blob>>()

/** An engine with the migrations and seeds of a database, for one borrower at a time. */
export async function borrowTestPool(
  name: string,
  options: { readonly seed?: readonly string[]; readonly config?: string },
): Promise<BorrowedPool> {
  const config = await configOf(name, options.config)
  const [database] = config.databases
  if (database === undefined) throw problem('request.no-databases', { folder: config.root })
  const key = keyOf(config, database, options.seed)
  const engine = takeWaiting(key) ?? (await startEngine(key, config, database, options.seed))
  return {
    pool: poolOf(engine.engine, () => Promise.resolve()),
    async giveBack() {
      if (!(await engine.reset())) {
        await engine.close()
        return
      }
      wait(key, engine)
    },
  }
}

/** The tables of the declared schema in pg-mem, without rows. */
export async function makeMemoryPool(
  name: string,
  options: { readonly seed?: readonly string[]; readonly config?: string },
): Promise<MemoryPool> {
  if (options.seed !== undefined && options.seed.length > 0)
    throw problem('client.memory-refused', {
      what: `the seeds ${options.seed.join(', ')}`,
      reason: 'they are loaded in transactions, which pg-mem does not have',
    })
  const config = await configOf(name, options.config)
  const [database] = config.databases
  if (database === undefined) throw problem('request.no-databases', { folder: config.root })
  const files = [...readSqlFiles(schemaFolderOf(database))]
  if (files.length === 0)
    throw problem('client.memory-refused', {
      what: database.name,
      reason: `its tables are read from ${schemaFolderOf(database)}, where nothing is declared`,
    })
  return openMemoryPool(
    files.flatMap(([file, text]) =>
      splitStatements(text).map((statement) => ({ file, text: statement.text })),
    ),
  )
}

const OWN = ['happyrobot', 'escalation', 'smartscheduler', 'delauto']

/** dbkit's own databases come with the package; it needs no configuration to find them. */
async function configOf(name: string, file: string | undefined): Promise<Config> {
  if (file === undefined && OWN.includes(name)) {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    const migrations = join(root, 'sql', name, 'migrations')
    return settleConfig({ dir: migrations, database: [name], embedded: true }, { cwd: root, environment: {} })
  }
  const flags = { database: [name], embedded: true, ...(file === undefined ? {} : { config: file }) }
  return settleConfig(flags, { cwd: resolve('.'), environment: {} })
}

/** Everything that decides what is in the database; seeds may count dates from today. */
function keyOf(config: Config, database: DatabaseConfig, sets: readonly string[] | undefined): string {
  const { migrations } = readWorkspace(database, config.root)
  const [seeds] = readSeeds([database], sets, config.root)
  const made = JSON.stringify([
    DBKIT_VERSION,
    database.searchPath,
    database.timeZone,
    migrations.map(({ name, up }) => [name, up.checksum]),
    seeds?.sets.map((set) => [
      set.name,
      set.files.map(({ path }) => hash('sha256', readFileSync(path), 'hex')),
    ]),
    new Date().toISOString().slice(0, 10),
  ])
  return `${database.name}-${hash('sha256', made, 'hex').slice(0, 24)}`
}

async function startEngine(
  key: string,
  config: Config,
  database: DatabaseConfig,
  sets: readonly string[] | undefined,
): Promise<TestEngine> {
  let archive = archives.get(key)
  if (archive === undefined) {
    archive = archiveFor(key, config, database, sets)
    archives.set(key, archive)
    // A failure is not what the next one has to live with.
    archive.catch(() => archives.delete(key))
  }
  return startTestEngine(await archive, extensionsOf(readWorkspace(database, config.root)))
}

/** From the user's cache, or made there. */
async function archiveFor(
  key: string,
  config: Config,
  database: DatabaseConfig,
  sets: readonly string[] | undefined,
): Promise<Blob> {
  const file = join(homedir(), '.cache', 'dbkit', 'test', `${key}.tar`)
  if (existsSync(file)) return new Blob([readFileSync(file)])
  const archive = await makeArchive(config, database, sets)
  keep(file, Buffer.from(await archive.arrayBuffer()), database.name)
  return archive
}

async function makeArchive(
  config: Config,
  database: DatabaseConfig,
  sets: readonly string[] | undefined,
): Promise<Blob> {
  const folder = mkdtempSync(join(tmpdir(), `dbkit-test-${database.name}-`))
  const settled: Config = {
    ...config,
    databases: [{ ...database, target: { kind: 'embedded', folder, asked: true, emptyVariable: undefined } }],
  }
  try {
    insist(await migrateUp(settled))
    if (sets?.length !== 0) insist(await seed(settled, sets === undefined ? {} : { sets }))
    return await archiveOf(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function insist(report: Report): void {
  const failed = report.databases.find(({ ok }) => !ok)
  if (failed === undefined) return
  throw problem('client.test-database', {
    database: failed.database,
    reason: failed.error?.message ?? `${report.command} failed`,
  })
}

const KEPT_FOR_MS = 7 * 24 * 60 * 60_000

/** Without a cache that can be written, the next process makes its own. Archives of older states are thrown away after a week. */
function keep(file: string, bytes: Buffer, database: string): void {
  const folder = dirname(file)
  const aside = `${file}.${String(process.pid)}`
  try {
    makeFolder(folder)
    writeFileSync(aside, bytes)
    renameSync(aside, file)
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      if (name.startsWith(`${database}-`) && Date.now() - statSync(path).mtimeMs > KEPT_FOR_MS)
        rmSync(path, { force: true })
    }
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC'].includes(code)) throw error
    rmSync(aside, { force: true })
  }
}
