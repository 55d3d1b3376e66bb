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
}

/** Writes an empty up and down with the next version; in one database, because a migration belongs to one. */
export function migrateCreate(config: Config, options: MigrateCreateOptions): Promise<Report> {
  const title = options.name.trim().replaceAll(/\s+/g, '_')
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(title)) throw problem('request.bad-name', { name: options.name })
  if (config.databases.length > 1)
    throw problem('request.choose-one', {
      what: 'migrate create',
      databases: config.databases.map(({ name }) => name),
    })
  const databases = config.databases.map((database) => {
    const workspace = readWorkspace(database, config.root, { mayBeMissing: true })
    const label = `${nextVersion(workspace, options)}_${title}`
    return { database: database.name, ok: true, files: writePair(database, config.root, label, title) }
  })
  return Promise.resolve({ command: 'migrate create', ok: true, databases })
}

/** Goes on as the folder began: a timestamp after timestamps, otherwise the next number at the same width (four digits at first). */
function nextVersion(workspace: Workspace, { timestamp, now = new Date() }: MigrateCreateOptions): string {
  const last = workspace.migrations.at(-1)
  const digits = /^\d+/.exec(last?.name ?? '')?.[0]
  const byClock =
    timestamp === true || (timestamp === undefined && digits !== undefined && digits.length >= 12)
  if (byClock) return now.toISOString().replaceAll(/\D/g, '').slice(0, 14)
  return String(BigInt(last?.version ?? '0') + 1n).padStart(digits?.length ?? 4, '0')
}

function writePair(database: DatabaseConfig, root: string, label: string, title: string): readonly string[] {
  mkdirSync(database.migrations, { recursive: true })
  const words = title.replaceAll(/[_-]+/g, ' ')
  const texts = {
    up: `-- ${words}\n\n`,
    down: `-- Undoes ${label}: leaves the database exactly as it was before.\n\n`,
  }
  return (['up', 'down'] as const).map((direction) => {
    const file = join(database.migrations, `${label}.${direction}.sql`)
    const shown = relative(root, file)
    if (existsSync(file))
      throw problem('workspace.duplicate-version', { version: label, files: [shown, shown] })
    writeFileSync(file, texts[direction], { flag: 'wx' })
    return shown
  })
}
