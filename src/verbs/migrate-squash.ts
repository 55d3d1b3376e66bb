import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { Config, DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import { withShadow } from '../prove/shadow.js'
import { squashHistory, type Squashed } from '../prove/squash-history.js'
import type { DatabaseReport, Report } from '../report.js'
import { writeTextFile } from '../workspace/text-file.js'
import { extensionsOf, readWorkspace, rolesOf, type Migration } from '../workspace/workspace.js'
import { notesOf, type Outcome } from './change-under-lock.js'
import { inTurn } from './in-turn.js'
import { knownVersion } from './verify.js'
import type { RunOptions } from './with-database.js'

export interface MigrateSquashOptions extends RunOptions {
  /** The last version that goes into the one migration. */
  readonly to: string
  /** Of the new migration, after its version. Default: squashed */
  readonly name?: string
  /** Deletes the old files instead of moving them aside. */
  readonly remove?: boolean
  /** Proves it, and prints the SQL; writes nothing. */
  readonly dryRun?: boolean
  /** A server on which it is proved, in a database of its own. Default: the embedded engine */
  readonly shadowUrl?: string
}

/**
 * Replaces the history up to a version by one migration that leaves the same schema and rows, proved on a throw-away database. Databases
 * that have all of it are recognised when they are migrated next.
 *
 * @example
 * const config = await settleConfig({ database: ['happyrobot'] }, { cwd: process.cwd(), environment: process.env })
 * const report = await migrateSquash(config, { to: '5' })
 */
export async function migrateSquash(config: Config, options: MigrateSquashOptions): Promise<Report> {
  const { name = 'squashed' } = options
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) throw problem('request.bad-name', { name })
  if (config.databases.length > 1)
    throw problem('request.choose-one', {
      what: 'migrate squash',
      databases: config.databases.map((database) => database.name),
    })
  const databases = await inTurn(config, options, (database) => squash(config, database, name, options))
  return { command: 'migrate squash', ok: databases.every(({ ok }) => ok), databases }
}

async function squash(
  config: Config,
  database: DatabaseConfig,
  title: string,
  options: MigrateSquashOptions,
): Promise<Omit<DatabaseReport, 'database'>> {
  const signal = options.signal ?? new AbortController().signal
  const observer = options.observer ?? (() => undefined)
  const workspace = readWorkspace(database, config.root)
  if (workspace.layout !== 'dbkit')
    throw problem('layout.own-only', {
      what: 'migrate squash',
      database: database.name,
      tool: workspace.layout,
    })
  const to = knownVersion(options.to, workspace)
  const old = workspace.migrations.filter(({ version }) => workspace.order(version, to) <= 0)
  const last = old.at(-1)
  if (last === undefined || old.length < 2)
    return { ok: true, notes: [`there is nothing to squash: ${last?.name ?? 'no migration'} stands alone`] }
  const name = `${/^\d+/.exec(last.name)?.[0] ?? ''}_${title}`
  if (workspace.migrations.some((migration) => migration.name === name))
    throw problem('workspace.duplicate-version', { version: name, files: [last.up.file] })
  const about = {
    url: options.shadowUrl,
    observer,
    purpose: 'migrate squash',
    signal,
    extensions: () => extensionsOf(workspace),
    roles: () => rolesOf(workspace),
  }
  const { squashed, engine } = await withShadow(config, database, about, async (shadow) => ({
    engine: shadow.engine,
    squashed: await squashHistory({
      config: database,
      workspace,
      old,
      version: last.version,
      name,
      replaces: {
        versions: old.map(({ version }) => version),
        // What an earlier squash stands for, in a ledger that has not met it yet.
        optional: old.flatMap(({ version, replaces }) =>
          [...(replaces?.optional ?? []), ...(replaces?.versions ?? [])].filter((one) => one !== version),
        ),
      },
      shadow,
      signal,
      observer,
    }),
  }))
  const carried = squashed.carried.map((what) => `carried over: ${what}`)
  if (options.dryRun === true)
    return {
      ok: true,
      engine,
      sql: (['up', 'down'] as const).map((direction) => ({
        version: last.version,
        name,
        direction,
        transaction: true,
        sql: squashed[direction],
      })),
      ...notesOf(carried),
    }
  return { engine, ...write(config, database, { old, name }, squashed, carried, options.remove === true) }
}

interface Replacing {
  readonly old: readonly Migration[]
  readonly name: string
}

/** The old files go first: two files of one version are refused by everybody who reads the folder. */
function write(
  config: Config,
  database: DatabaseConfig,
  { old, name }: Replacing,
  squashed: Squashed,
  carried: readonly string[],
  remove: boolean,
): Outcome {
  const show = (file: string): string => relative(config.root, file)
  const aside = join(dirname(database.migrations), 'squashed', name)
  const files = old.flatMap(({ up, down }) => [up.path, ...(down === undefined ? [] : [down.path])])
  if (remove) for (const file of files) rmSync(file)
  else {
    mkdirSync(aside, { recursive: true })
    for (const file of files) renameSync(file, join(aside, basename(file)))
  }
  const written = (['up', 'down'] as const).map((direction) => {
    const file = join(database.migrations, `${name}.${direction}.sql`)
    writeTextFile(file, squashed[direction])
    return show(file)
  })
  return {
    ok: true,
    files: written,
    notes: [
      ...carried,
      remove
        ? `removed ${String(old.length)} migrations; git has them`
        : `moved ${String(old.length)} migrations to ${show(aside)}`,
      'a database that has all of them is recognised by the next dbkit migrate up; one that lacks some gets these first: ' +
        (remove ? 'check out what was here before' : `dbkit migrate up --dir ${show(aside)}`),
      ...(existsSync(database.codegen.out) ? ['the emitted types name migrations: run dbkit codegen'] : []),
    ],
  }
}
