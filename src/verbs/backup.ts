import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { discard, publish, writeAside, type Written } from '../backup/backup-file.js'
import type { Encryption } from '../backup/age.js'
import { atSnapshot, readFingerprint, type Fingerprint } from '../backup/fingerprint.js'
import type { BackupContent, BackupManifest } from '../backup/manifest.js'
import { environmentOf, runForOutput } from '../backup/run-tool.js'
import { findTool } from '../backup/tools.js'
import type { Config } from '../config/config.js'
import { problem } from '../errors.js'
import { DBKIT_VERSION } from '../package-version.js'
import type { Report } from '../report.js'
import type { Outcome } from './change-under-lock.js'
import { addressOf } from './db-create.js'
import { onEachDatabase, type Opened, type RunOptions } from './with-database.js'
import { makeFolder } from '../make-folder.js'

export interface BackupOptions extends RunOptions {
  /** A file; with several databases a folder. Default: backups/ beside the configuration, a file named by database and moment */
  readonly out?: string
  /** custom: for pg_restore, compressed · plain: SQL for psql. Default: custom. The embedded engine dumps its data folder */
  readonly format?: 'custom' | 'plain'
  /** Default: all */
  readonly content?: BackupContent
  /** Encrypts the backup while it is written. */
  readonly encrypt?: Encryption
  readonly now?: Date
}

/**
 * Writes a backup of each database and, beside it, a manifest by which `restore` proves it: what it contains, how many rows each table
 * has and their hash, all as of the moment of the backup.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await backup(config, { out: 'happyrobot.dump' })
 */
export async function backup(config: Config, options: BackupOptions = {}): Promise<Report> {
  const databases = await onEachDatabase(
    config,
    'backup',
    options,
    (opened) => backUp(config, opened, options),
    { afterFailure: 'go-on' },
  )
  return { command: 'backup', ok: databases.every(({ ok }) => ok), databases }
}

async function backUp(config: Config, opened: Opened, options: BackupOptions): Promise<Outcome> {
  const started = performance.now()
  const file = fileOf(config, opened, options)
  if (existsSync(file)) throw problem('backup.exists', { file: shown(config.root, file) })
  makeFolder(dirname(file))
  try {
    const { written, fingerprint, ...about } =
      opened.database.engine.kind === 'embedded'
        ? await dumpEmbedded(opened, file, options)
        : await dumpServer(config, opened, file, options)
    const { kind, version = '' } = opened.database.engine
    const manifest: BackupManifest = {
      format: 1,
      dbkit: DBKIT_VERSION,
      createdAt: (options.now ?? new Date()).toISOString(),
      database: opened.config.name,
      engine: { kind, version, major: opened.database.major },
      file: basename(file),
      ...written,
      ...(options.encrypt === undefined
        ? {}
        : {
            encryption: 'passphrase' in options.encrypt ? ('passphrase' as const) : ('recipients' as const),
          }),
      ...about,
      content: options.content ?? 'all',
      ...fingerprint,
    }
    await publish(file, manifest)
    return {
      ok: true,
      backup: {
        file: shown(config.root, file),
        manifest,
        durationMs: Math.round(performance.now() - started),
      },
    }
  } finally {
    await discard(file)
  }
}

interface Dumped {
  readonly written: Written
  readonly fingerprint: Fingerprint
  readonly kind: BackupManifest['kind']
  readonly toolMajor?: number
}

/** The snapshot that one session holds open is what pg_dump writes and what is counted and hashed: rows may change meanwhile. */
async function dumpServer(
  config: Config,
  { database, config: settings, signal }: Opened,
  file: string,
  { format = 'custom', content = 'all', encrypt }: BackupOptions,
): Promise<Dumped> {
  if (settings.target.kind !== 'server') throw new Error('a server is backed up by its address')
  const tool = findTool('pg_dump', database.major, config.environment)
  const address = addressOf(settings.target, config.environment)
  const [holder, reader] = [await database.session(), await database.session()]
  try {
    await holder.script('begin isolation level repeatable read read only')
    const [row] = await holder.script('select pg_catalog.pg_export_snapshot()')
    const snapshot = row?.[0] ?? ''
    const fingerprint = await readFingerprint(atSnapshot(reader, snapshot), settings.ledger)
    let written: Written | undefined
    const run = {
      tool,
      name: 'pg_dump',
      args: [
        `--format=${format}`,
        '--no-password',
        `--snapshot=${snapshot}`,
        '--encoding=UTF8',
        ...(content === 'schema' ? ['--schema-only'] : []),
        // What a database has applied, it has applied itself: its own ledger stays.
        ...(content === 'data'
          ? ['--data-only', '--disable-triggers', `--exclude-schema=${patternOf(settings.ledger.schema)}`]
          : []),
      ],
      env: environmentOf(address, config.environment),
      signal,
    }
    await runForOutput(run, async (output) => {
      written = await writeAside(file, await sealed(output, encrypt))
    })
    if (written === undefined) throw new Error('pg_dump ended well, and nothing was written')
    return { written, fingerprint, kind: format, toolMajor: tool.major }
  } finally {
    await reader.close()
    await holder.close()
  }
}

async function sealed(source: Readable, how: Encryption | undefined): Promise<Readable> {
  return how === undefined ? source : (await import('../backup/age.js')).encrypt(source, how)
}

/** A name as pg_dump's options read it: quoted, nothing in it is a wildcard. */
function patternOf(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

async function dumpEmbedded(
  { database, config: settings }: Opened,
  file: string,
  { format, content = 'all', encrypt }: BackupOptions,
): Promise<Dumped> {
  const { name } = settings
  if (format !== undefined)
    throw problem('backup.embedded-format', { database: name, what: `--format ${format}` })
  if (content !== 'all')
    throw problem('backup.embedded-format', { database: name, what: `--${content}-only` })
  if (database.dumpDataFolder === undefined)
    throw problem('backup.embedded-served', { label: database.engine.label })
  const session = await database.session()
  try {
    const fingerprint = await readFingerprint(session, settings.ledger)
    const source = Readable.from([Buffer.from(await database.dumpDataFolder())])
    const written = await writeAside(file, await sealed(source, encrypt))
    return { written, fingerprint, kind: 'data-folder' }
  } finally {
    await session.close()
  }
}

/** Beside the configuration as seen from there, anywhere else in full. */
export function shown(root: string, file: string): string {
  const path = relative(root, file)
  return path === '' || path.startsWith('..') ? file : path
}

function fileOf(config: Config, { config: { name, target } }: Opened, options: BackupOptions): string {
  const { out, format = 'custom', encrypt, now = new Date() } = options
  if (out !== undefined && config.databases.length === 1) return resolve(config.root, out)
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const ending = target.kind === 'embedded' ? 'tar.gz' : format === 'plain' ? 'sql' : 'dump'
  const folder = resolve(config.root, out ?? 'backups')
  return join(folder, `${name}-${stamp}.${ending}${encrypt === undefined ? '' : '.age'}`)
}
