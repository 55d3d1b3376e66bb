import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem, throwProblems } from '../errors.js'
import { copyAsOwn } from '../workspace/own-copy.js'
import { writeTextFile } from '../workspace/text-file.js'
import type { ImportMigrationsOptions } from './import-migrations.js'
import { readScriptText, readWorkspace, type Migration, type Workspace } from '../workspace/workspace.js'

export function outOf(config: Config, database: DatabaseConfig, { out }: ImportMigrationsOptions): string {
  return out ?? resolve(config.root, 'sql', database.name, 'migrations')
}

/** The files of the copies, by their path, and which of them is whose. */
export interface Copied {
  readonly folder: string
  readonly files: ReadonlyMap<string, string>
  /** The name in dbkit's layout of each migration. */
  readonly names: ReadonlyMap<Migration, string>
}

export function copiesOf(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  options: ImportMigrationsOptions,
): Copied {
  const folder = outOf(config, database, options)
  const shown = relative(config.root, folder) || '.'
  if (workspace.layout === 'dbkit')
    throw problem('import.own-layout', { folder: relative(config.root, database.migrations) || '.' })
  if (folder === database.migrations) throw problem('import.same-folder', { folder: shown })
  const copies = copyAsOwn(workspace, readScriptText)
  const files = new Map(
    copies.flatMap(({ name, up, down }) => [
      [join(folder, `${name}.up.sql`), up] as const,
      ...(down === undefined ? [] : [[join(folder, `${name}.down.sql`), down] as const]),
    ]),
  )
  for (const { name, up } of workspace.repeatable)
    files.set(
      join(dirname(folder), 'repeatable', `${name.replaceAll(/[^\w-]+/g, '_')}.sql`),
      readScriptText(up).text,
    )
  refuseOthers(config, files)
  return { folder, files, names: new Map(copies.map(({ of, name }) => [of, name])) }
}

export function refuseOthers(config: Config, files: ReadonlyMap<string, string>): void {
  throwProblems(
    [...files].flatMap(([file, text]) =>
      existsSync(file) && readFileSync(file, 'utf8') !== text
        ? [problem('import.file-differs', { file: relative(config.root, file) })]
        : [],
    ),
  )
}

/** Writes what is not there yet; returns the files as they are shown. */
export function writeNew(config: Config, files: ReadonlyMap<string, string>): readonly string[] {
  return [...files].flatMap(([file, text]) => {
    if (existsSync(file)) return []
    writeTextFile(file, text)
    return [relative(config.root, file)]
  })
}

export function shownFiles(config: Config, files: ReadonlyMap<string, string>): readonly string[] {
  return [...files.keys()].map((file) => relative(config.root, file))
}

export function readOwnCopy(config: Config, settings: DatabaseConfig, folder: string): Workspace {
  const { repeatable: _, ...rest } = settings
  return readWorkspace({ ...rest, migrations: folder, layout: 'dbkit' }, config.root)
}

export function counterpart(own: Workspace, migration: Migration, copied: Copied | undefined): Migration {
  if (copied === undefined) return migration
  const name = copied.names.get(migration)
  const found = own.migrations.find((one) => one.name === name)
  if (found === undefined) throw new Error(`${migration.name} was not copied`)
  return found
}
