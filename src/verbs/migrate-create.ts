import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import type { Report } from '../report.js'
import { openFolder } from '../workspace/folder.js'
import type { NewTexts } from '../workspace/layouts/layout.js'
import { layoutOf } from '../workspace/layouts/recognise.js'
import { readWorkspace, type Workspace } from '../workspace/workspace.js'
import { makeFolder } from '../make-folder.js'

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
    const files = ((): readonly string[] => {
      const { kind = 'sql' } = options
      if (kind === 'sql') return writeMigration(database, config.root, workspace, title, undefined, options)
      if (workspace.layout !== 'dbkit')
        throw problem('layout.own-only', {
          what: `migrate create --${kind}`,
          database: database.name,
          tool: workspace.layout,
        })
      return writeModule(database, config.root, `${nextVersion(workspace, options)}_${title}`, kind)
    })()
    return {
      database: database.name,
      ok: true,
      files,
      ...(workspace.notes.length === 0 ? {} : { notes: workspace.notes }),
    }
  })
  return Promise.resolve({ command: 'migrate create', ok: true, databases })
}

/**
 * Writes a migration in the layout of its folder, with the texts given or those that leave them to the author. Returns the files as they are
 * shown.
 */
export function writeMigration(
  database: DatabaseConfig,
  root: string,
  workspace: Workspace,
  title: string,
  texts: ((label: string) => NewTexts) | undefined,
  options: Pick<MigrateCreateOptions, 'timestamp' | 'now'>,
  // Of several that are written at once, which.
  index = 0,
): readonly string[] {
  const layout = layoutOf(workspace.layout)
  if (layout === undefined) {
    const label = `${nextVersion(workspace, options, index)}_${title}`
    const written = texts?.(label)
    return writePair(
      database,
      root,
      label,
      written === undefined ? emptyTexts(label, title) : headed(written),
    )
  }
  const folder = openFolder(database.migrations, relative(root, database.migrations) || '.')
  // Those written just now come before it.
  const known = index === 0 ? workspace : readWorkspace(database, root)
  const files = layout.create(title, {
    folder,
    known: known.migrations,
    now: new Date((options.now ?? new Date()).getTime() + index * 1_000),
    timestamp: options.timestamp,
    environment: database.environment,
    texts: texts?.(title),
  })
  return files.map(({ path, text, replaces = false }) => {
    const file = join(database.migrations, path)
    const shown = relative(root, file)
    if (existsSync(file) && !replaces) throw problem('layout.taken', { file: shown })
    makeFolder(dirname(file))
    writeFileSync(file, text, { flag: replaces ? 'w' : 'wx' })
    return shown
  })
}

/** The texts as files of dbkit's own layout, which says in their head how they are run. */
function headed({ up, down, transaction }: NewTexts): Texts {
  const head = (together: boolean): string => (together ? '' : '-- dbkit: no-transaction\n')
  return { up: head(transaction.up) + up, down: head(transaction.down) + (down ?? '') }
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
  makeFolder(database.migrations)
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
function writePair(database: DatabaseConfig, root: string, label: string, texts: Texts): readonly string[] {
  makeFolder(database.migrations)
  return (['up', 'down'] as const).map((direction) => {
    const file = join(database.migrations, `${label}.${direction}.sql`)
    const shown = relative(root, file)
    if (existsSync(file))
      throw problem('workspace.duplicate-version', { version: label, files: [shown, shown] })
    writeFileSync(file, texts[direction], { flag: 'wx' })
    return shown
  })
}
