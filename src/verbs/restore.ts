import { createReadStream, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { randomBytes } from 'node:crypto'
import { checkFile } from '../backup/backup-file.js'
import { differencesFrom, readFingerprint } from '../backup/fingerprint.js'
import type { Decryption } from '../backup/age.js'
import { readManifest, type BackupManifest } from '../backup/manifest.js'
import { environmentOf, runOnInput } from '../backup/run-tool.js'
import { firstObjectOf, readOwnSettings } from '../backup/target.js'
import { findTool } from '../backup/tools.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Database, Session } from '../database/database.js'
import { quoteName } from '../database/quote.js'
import type { ServerAddress } from '../database/server-target.js'
import { problem } from '../errors.js'
import { makeOwnFolder } from '../own-folder.js'
import type { DatabaseReport, Report } from '../report.js'
import { shown } from './backup.js'
import { addressOf, serverOptions } from './db-create.js'
import { inTurn } from './in-turn.js'
import { refuseUnaskedEmbedded, type RunOptions } from './with-database.js'

export interface RestoreOptions extends RunOptions {
  readonly file: string
  /** Restores into a scratch database, proves the backup by it, and drops it again. */
  readonly verify?: boolean
  /** The target may have something in it: it is replaced once the backup is restored beside it and proved. */
  readonly clean?: boolean
  readonly yes?: boolean
  /** Everything belongs to the role that restores. */
  readonly noOwner?: boolean
  /** What opens a backup that is encrypted. */
  readonly decrypt?: Decryption
}

/**
 * Restores a backup into an empty or a new database, and compares what came out with what the manifest promises. Nothing is changed
 * before the file has been read from end to end and found whole.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await restore(config, { file: 'happyrobot.dump', verify: true })
 */
export async function restore(config: Config, options: RestoreOptions): Promise<Report> {
  const file = resolve(config.root, options.file)
  if (!existsSync(file)) throw problem('run.file-failed', { file: options.file, reason: 'it does not exist' })
  const manifest = readManifest(file)
  const chosen = choose(config, manifest)
  if (options.verify !== true) refuseUnaskedEmbedded(chosen)
  if (options.clean === true && options.yes !== true && options.verify !== true)
    throw problem('request.needs-yes', { what: 'restore --clean', target: chosen.databases[0]?.name ?? '' })
  refuseLocked(manifest, file, options)
  await checkFile(file, manifest)
  const job = { config: chosen, manifest, file, options }
  const databases = await inTurn(chosen, options, (database) => restoreOne(job, database))
  return { command: 'restore', ok: databases.every(({ ok }) => ok), databases }
}

interface Job {
  readonly config: Config
  readonly manifest: BackupManifest
  readonly file: string
  readonly options: RestoreOptions
}

/** Of several databases, the one that the backup is of. */
function choose(config: Config, { database }: BackupManifest): Config {
  if (config.databases.length === 1) return config
  const own = config.databases.filter(({ name }) => name === database)
  if (own.length === 1) return { ...config, databases: own }
  throw problem('request.choose-one', {
    what: 'restore',
    databases: config.databases.map(({ name }) => name),
  })
}

function refuseLocked({ encryption }: BackupManifest, file: string, { decrypt }: RestoreOptions): void {
  if (encryption !== undefined && decrypt === undefined)
    throw problem('restore.needs-key', { file: basename(file), encryption })
}

async function restoreOne(job: Job, database: DatabaseConfig): Promise<Omit<DatabaseReport, 'database'>> {
  const started = performance.now()
  const { manifest, options, file, config } = job
  const kind = manifest.kind === 'data-folder' ? 'embedded' : 'server'
  if (kind !== database.target.kind)
    throw problem('restore.other-engine', {
      from: kind === 'embedded' ? 'an embedded' : 'a server',
      database: database.name,
      to: database.target.kind === 'embedded' ? 'an embedded' : 'a server',
    })
  if (options.noOwner === true && manifest.kind !== 'custom')
    throw problem('request.conflicting-options', {
      options: ['--no-owner', `a backup of kind ${manifest.kind}`],
      why: 'who owns what is left out by pg_restore alone',
    })
  if (manifest.content === 'data' && options.verify === true) throw problem('restore.rows-only', {})
  const done =
    database.target.kind === 'server' ? await onServer(job, database) : await onEmbedded(job, database)
  const { engine, ...restored } = done
  return {
    ok: true,
    engine,
    restore: {
      file: shown(config.root, file),
      manifest,
      ...restored,
      durationMs: Math.round(performance.now() - started),
    },
  }
}

interface Done {
  readonly engine: Database['engine']
  /** verified: in a scratch database that is gone again. */
  readonly outcome: 'verified' | 'restored' | 'replaced'
}

function refuseDifferent(
  manifest: BackupManifest,
  found: Parameters<typeof differencesFrom>[1],
  left: string,
): void {
  const differences = differencesFrom(manifest, found)
  if (differences.length > 0) throw problem('restore.differs', { differences, left })
}

async function open({ file, manifest, options: { decrypt } }: Job): Promise<Readable> {
  const source = createReadStream(file)
  if (manifest.encryption === undefined || decrypt === undefined) return source
  return (await import('../backup/age.js')).decrypt(source, decrypt)
}

// ---- on a server

interface Server {
  readonly job: Job
  readonly database: DatabaseConfig
  readonly address: ServerAddress
  readonly signal: AbortSignal
  /** On the server's maintenance database. */
  readonly session: Session
}

async function onServer(job: Job, database: DatabaseConfig): Promise<Done> {
  const { config, manifest, options } = job
  if (database.target.kind !== 'server') throw new Error('a server is restored by its address')
  const address = addressOf(database.target, config.environment)
  const { withMaintenance } = await import('../database/maintenance.js')
  return withMaintenance(
    address,
    serverOptions(database, 'restore', options),
    async ({ session, engine }) => {
      const major = Number.parseInt(engine.version ?? '', 10)
      if (major < manifest.engine.major)
        throw problem('restore.older-server', { from: manifest.engine.major, to: major })
      const signal = options.signal ?? new AbortController().signal
      const server: Server = { job, database, address, signal, session }
      if (options.verify === true) {
        await inScratch(server, () => Promise.resolve())
        return { engine, outcome: 'verified' }
      }
      return { engine, outcome: await intoTarget(server, engine.label) }
    },
  )
}

async function intoTarget(server: Server, label: string): Promise<Done['outcome']> {
  const { job, address, session, database } = server
  const { createDatabase, dropDatabase } = await import('../database/maintenance.js')
  const { options, manifest } = job
  const created =
    manifest.content === 'data' ? false : await createDatabase(session, address.database, database.timeZone)
  if (created) {
    try {
      await load(server, address, 'The database was not there before, and is gone again.')
    } catch (error) {
      await dropDatabase(session, address.database, { force: true })
      throw error
    }
    return 'restored'
  }
  if (manifest.content === 'data') {
    await withOpen(server, address, (one) => refuseOtherSchema(one, server, label))
    await load(server, address, 'The rows are there: empty the tables before you try again.')
    return 'restored'
  }
  const first = await withOpen(server, address, firstObjectOf)
  if (first === undefined) {
    await load(server, address, 'What was restored is there; nothing else was.')
    return 'restored'
  }
  if (options.clean !== true) throw problem('restore.not-empty', { target: label, example: first })
  const statements = await readOwnSettings(session, address.database, address.database)
  await inScratch(server, async (scratch) => {
    await dropDatabase(session, address.database, { force: true })
    await session.script(`alter database ${quoteName(scratch)} rename to ${quoteName(address.database)}`)
    for (const statement of statements) await session.script(statement)
  })
  return 'replaced'
}

/** Restores into a database of its own, proves it, and hands it over; what is not renamed by then is dropped. */
async function inScratch(server: Server, handOver: (name: string) => Promise<void>): Promise<void> {
  const { address, session, database } = server
  const { createDatabase, dropDatabase } = await import('../database/maintenance.js')
  const name = `${address.database.slice(0, 40)}_restore_${randomBytes(4).toString('hex')}`
  await createDatabase(session, name, database.timeZone)
  try {
    await load(
      server,
      { ...address, database: name },
      'Nothing else was changed: it was restored into a scratch database, which is gone again.',
    )
    await handOver(name)
  } finally {
    await dropDatabase(session, name, { force: true })
  }
}

/** All of it or nothing, in one transaction; then it is held against the manifest. */
async function load(server: Server, address: ServerAddress, left: string): Promise<void> {
  const { job, signal, database } = server
  const { manifest, options, config } = job
  const plain = manifest.kind === 'plain'
  const name = plain ? 'psql' : 'pg_restore'
  const tool = findTool(name, manifest.toolMajor ?? manifest.engine.major, config.environment)
  // Quoted as a connection string is: a name with an = in it would be read as one.
  const target = `dbname='${address.database.replaceAll(/[\\']/g, '\\$&')}'`
  const args = plain
    ? [
        '--no-psqlrc',
        '--quiet',
        '--set=ON_ERROR_STOP=1',
        '--single-transaction',
        '--no-password',
        '--file=-',
        '--dbname',
        target,
      ]
    : [
        ...['--exit-on-error', '--single-transaction', '--no-password', '--dbname', target],
        ...(options.noOwner === true ? ['--no-owner', '--no-privileges'] : []),
        ...(manifest.content === 'data' ? ['--disable-triggers'] : []),
      ]
  const run = { tool, name, args, env: environmentOf(address, config.environment), signal }
  await runOnInput(run, await open(job))
  const found = await withOpen(server, address, (session) => readFingerprint(session, database.ledger))
  refuseDifferent(manifest, found, left)
}

async function withOpen<T>(
  { job, database }: Server,
  address: ServerAddress,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const { openServer } = await import('../database/server.js')
  const opened = await openServer(address, serverOptions(database, 'restore', job.options))
  try {
    const session = await opened.session()
    try {
      return await body(session)
    } finally {
      await session.close()
    }
  } finally {
    await opened.close()
  }
}

async function refuseOtherSchema(session: Session, { job, database }: Server, label: string): Promise<void> {
  const { manifest } = job
  const found = await readFingerprint(session, database.ledger)
  if (found.catalogHash !== manifest.catalogHash)
    throw problem('restore.other-schema', { target: label, head: manifest.ledger.head })
  const full = found.tables.find(({ rows }) => rows > 0)
  if (full !== undefined)
    throw problem('restore.not-empty', { target: label, example: `rows in ${full.table}` })
}

// ---- on the embedded engine

/** Into a folder of its own, where it is proved; then that folder takes the place of the other one. */
async function onEmbedded(job: Job, database: DatabaseConfig): Promise<Done> {
  const { manifest, options, config } = job
  if (database.target.kind !== 'embedded') throw new Error('an embedded database is restored into its folder')
  const { folder } = database.target
  const own = dirname(folder)
  makeOwnFolder(own)
  const { dropEmbedded, embeddedExists, openEmbedded } = await import('../database/embedded.js')
  const existed = embeddedExists(folder)
  if (existed && options.verify !== true && options.clean !== true) await refuseFull(job, database)
  const chunks: Buffer[] = []
  for await (const chunk of await open(job)) chunks.push(chunk as Buffer)
  const scratch = join(own, `restore-${randomBytes(4).toString('hex')}`)
  try {
    const opened = await openEmbedded({
      folder: scratch,
      root: config.root,
      purpose: 'restore',
      extensions: manifest.extensions,
      extensionsOnLock: false,
      states: [],
      environment: config.environment,
      load: Buffer.concat(chunks),
      signal: options.signal,
    })
    if ('served' in opened) throw new Error('a folder that was just made is served by somebody')
    const { engine } = opened
    try {
      const found = await readFingerprint(await opened.session(), database.ledger)
      refuseDifferent(
        manifest,
        found,
        'Nothing was changed: it was restored into a folder of its own, which is gone again.',
      )
    } finally {
      await opened.close()
    }
    if (options.verify === true) return { engine, outcome: 'verified' }
    if (existed) dropEmbedded(folder, config.root, 'restore')
    rmSync(folder, { recursive: true, force: true })
    renameSync(scratch, folder)
    const label = engine.label.replace(relative(config.root, scratch), relative(config.root, folder))
    return { engine: { ...engine, label }, outcome: existed ? 'replaced' : 'restored' }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function refuseFull({ config, options }: Job, database: DatabaseConfig): Promise<void> {
  const { openDatabase } = await import('../database/open-database.js')
  const file = join(database.target.kind === 'embedded' ? database.target.folder : '', 'engine.json')
  const { extensions = [] } = JSON.parse(readFileSync(file, 'utf8')) as { extensions?: readonly string[] }
  const opened = await openDatabase(config, database, {
    purpose: 'restore',
    extensions: () => extensions,
    signal: options.signal,
  })
  try {
    const first = await firstObjectOf(await opened.session())
    if (first !== undefined)
      throw problem('restore.not-empty', { target: opened.engine.label, example: first })
  } finally {
    await opened.close()
  }
}
