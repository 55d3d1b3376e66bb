import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { Report } from '../report.js'
import { readWorkspace, type Workspace } from '../workspace/workspace.js'

export interface MigrateCreateOptions {
  readonly name: string
  /** Version by the clock (UTC, to the second) instead of counting on. */
  readonly timestamp?: boolean
  readonly now?: Date
  /** SQL, or code that is given a Kysely. Default: sql */
  readonly kind?: MigrationKind
}

export type MigrationKind = 'sql' | 'ts' | 'js'

/** Writes an empty up and down with the next version; in one database, because a migration belongs to one. */
export function migrateCreate(config: Config, options: MigrateCreateOptions): Promise<Report> {
  const title = titleOf(options.name)
  if (config.databases.length > 1)
    throw problem('request.choose-one', {
      what: 'migrate create',
      databases: config.databases.map(({ name }) => name),
    })
  const databases = config.databases.map((database) => {
    const workspace = readWorkspace(database, config.root, { mayBeMissing: true })
    const label = `${nextVersion(workspace, options)}_${title}`
    return {
      database: database.name,
      ok: true,
      files:
        options.kind === undefined || options.kind === 'sql'
          ? writePair(database, config.root, label, emptyTexts(label, title))
          : writeModule(database, config.root, label, options.kind),
    }
  })
  return Promise.resolve({ command: 'migrate create', ok: true, databases })
}

/** Goes on as the folder began: a timestamp after timestamps, otherwise the next number at the same width (four digits at first). */
export function nextVersion(
  workspace: Workspace,
  { timestamp, now = new Date() }: Pick<MigrateCreateOptions, 'timestamp' | 'now'>,
  // Of several that are written at once, which.
  index = 0,
): string {
  const last = workspace.migrations.at(-1)
  const digits = /^\d+/.exec(last?.name ?? '')?.[0]
  const byClock =
    timestamp === true || (timestamp === undefined && digits !== undefined && digits.length >= 12)
  if (byClock) return new Date(now.getTime() + index * 1_000).toISOString().replaceAll(/\D/g, '').slice(0, 14)
  return String(BigInt(last?.version ?? '0') + 1n + BigInt(index)).padStart(digits?.length ?? 4, '0')
}

/** The name of a migration as its files bear it. */
export function titleOf(name: string): string {
  const title = name.trim().replaceAll(/\s+/g, '_')
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(title)) throw problem('request.bad-name', { name })
  return title
}

interface Texts {
  readonly up: string
  readonly down: string
}

function emptyTexts(label: string, title: string): Texts {
  return {
    up: `-- ${title.replaceAll(/[_-]+/g, ' ')}\n\n`,
    down: `-- Undoes ${label}: leaves the database exactly as it was before.\n\n`,
  }
}

function writeModule(
  database: DatabaseConfig,
  root: string,
  label: string,
  kind: 'ts' | 'js',
): readonly string[] {
  mkdirSync(database.migrations, { recursive: true })
  const file = join(database.migrations, `${label}.${kind === 'ts' ? 'ts' : 'mjs'}`)
  const shown = relative(root, file)
  if (existsSync(file))
    throw problem('workspace.duplicate-version', { version: label, files: [shown, shown] })
  const [imports, given] =
    kind === 'ts'
      ? ["import type { Kysely } from 'kysely'\n\n", 'db: Kysely<any>): Promise<void>']
      : ['', 'db)']
  writeFileSync(
    file,
    `${imports}export async function up(${given} {\n}\n\n` +
      `/** Undoes up: leaves the database exactly as it was before. */\nexport async function down(${given} {\n}\n`,
    { flag: 'wx' },
  )
  return [shown]
}

/** Writes an up and a down that are not there yet. */
export function writePair(
  database: DatabaseConfig,
  root: string,
  label: string,
  texts: Texts,
): readonly string[] {
  mkdirSync(database.migrations, { recursive: true })
  return (['up', 'down'] as const).map((direction) => {
    const file = join(database.migrations, `${label}.${direction}.sql`)
    const shown = relative(root, file)
    if (existsSync(file))
      throw problem('workspace.duplicate-version', { version: label, files: [shown, shown] })
    writeFileSync(file, texts[direction], { flag: 'wx' })
    return shown
  })
}
