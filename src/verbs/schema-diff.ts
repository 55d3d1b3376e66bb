import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Config } from '../config/config.js'
import { reportOf, type Report } from '../report.js'
import { sideOf, type SideContext } from './change-sides.js'
import { onlyDatabase, planChange, type ChangeOptions } from './plan-change.js'
import { asProblem, type RunOptions } from './with-database.js'

export interface SchemaDiffOptions extends RunOptions, ChangeOptions {
  /**
   * A URL, the name of a database of the configuration, an .sql file, a folder of migrations or of declared schema; or "migrations",
   * "schema" or "database" of the selected one. Default: "migrations"
   */
  readonly from?: string
  /** Default: "schema" */
  readonly to?: string
  /** The way back is written to this file, by its absolute name. */
  readonly downFile?: string
  /** `ok: false` (exit 1) when there is any difference. */
  readonly exitCode?: boolean
}

/**
 * The SQL that brings one database to the other, in the order in which it is run, proved on a throw-away database with rows in it. Changes
 * neither of them.
 *
 * @example
 * const report = await schemaDiff(config, { from: 'migrations', to: 'schema' })
 * for (const { sql } of report.databases[0]?.diff?.up ?? []) console.log(sql)
 */
export async function schemaDiff(config: Config, options: SchemaDiffOptions = {}): Promise<Report> {
  const database = onlyDatabase(config, 'schema diff')
  const signal = options.signal ?? new AbortController().signal
  const context = (option: string): SideContext => ({
    config,
    database,
    signal,
    observer: options.observer ?? (() => undefined),
    purpose: 'schema diff',
    option,
  })
  const about = { database: database.name }
  try {
    const from = await sideOf(options.from ?? 'migrations', context('--from'))
    const to = await sideOf(options.to ?? 'schema', context('--to'))
    const change = await planChange(from, to, context('--from'), {
      ...options,
      down: options.downFile !== undefined,
    })
    const { engine, diff, notes, error } = change
    const files: string[] = []
    if (options.downFile !== undefined && change.ok) {
      const head = diff.down.every(({ transaction }) => transaction) ? '' : '-- dbkit: no-transaction\n'
      const parts = [...diff.down].reverse().map(({ sql }) => sql)
      writeFileSync(options.downFile, head + parts.join('\n'))
      files.push(relative(config.root, options.downFile))
    }
    const ok = change.ok && (options.exitCode !== true || diff.equal)
    return {
      command: 'schema diff',
      ok,
      databases: [
        {
          ...about,
          ok,
          engine,
          diff,
          ...(files.length === 0 ? {} : { files }),
          ...(notes.length === 0 ? {} : { notes }),
          ...(error === undefined ? {} : { error: reportOf(error) }),
        },
      ],
    }
  } catch (error) {
    return {
      command: 'schema diff',
      ok: false,
      databases: [{ ...about, ok: false, error: reportOf(asProblem(error, signal)) }],
    }
  }
}
