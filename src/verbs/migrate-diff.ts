import type { Config } from '../config/config.js'
import { reportOf, type DatabaseReport, type DiffPart, type Report } from '../report.js'
import type { NewTexts } from '../workspace/layouts/layout.js'
import { schemaFolderOf } from '../workspace/schema-folder.js'
import { readWorkspace } from '../workspace/workspace.js'
import { sideOf, type SideContext } from './change-sides.js'
import { titleOf, writeMigration } from './migrate-create.js'
import { onlyDatabase, planChange, type ChangeOptions } from './plan-change.js'
import { asProblem, type RunOptions } from './with-database.js'

export interface MigrateDiffOptions extends RunOptions, ChangeOptions {
  readonly name: string
  /** Version by the clock (UTC, to the second) instead of counting on. */
  readonly timestamp?: boolean
  readonly now?: Date
  /** Writes nothing; the SQL is in the report. */
  readonly dryRun?: boolean
}

/** Writes the migration that brings the end of the migrations to the declared schema, and its way back; both have been run on a shadow. */
export async function migrateDiff(config: Config, options: MigrateDiffOptions): Promise<Report> {
  const title = titleOf(options.name)
  const database = onlyDatabase(config, 'migrate diff')
  const signal = options.signal ?? new AbortController().signal
  const context: SideContext = {
    config,
    database,
    signal,
    observer: options.observer ?? (() => undefined),
    purpose: 'schema diff',
    option: '--to',
    mayBeMissing: true,
  }
  const report = (one: Omit<DatabaseReport, 'database'>): Report => ({
    command: 'migrate diff',
    ok: one.ok,
    databases: [{ database: database.name, ...one }],
  })
  try {
    const workspace = readWorkspace(database, config.root, { mayBeMissing: true })
    const change = await planChange(
      await sideOf('migrations', context),
      await sideOf(schemaFolderOf(database), context),
      context,
      { ...options, down: true },
    )
    const { engine, diff, notes, error } = change
    const common = { engine, ...(notes.length === 0 ? {} : { notes }) }
    if (error !== undefined) return report({ ...common, ok: false, diff, error: reportOf(error) })
    if (diff.equal) return report({ ...common, ok: true, steps: [] })
    if (options.dryRun === true) return report({ ...common, ok: true, diff })
    const files: string[] = []
    for (const [index, up] of diff.up.entries()) {
      // What one transaction adds to an enum the next one can use: then it is more than one migration.
      const name = index === diff.up.length - 1 ? title : `${title}_part_${String(index + 1)}`
      const back = { part: diff.down[index], losses: diff.losses }
      const texts = (label: string): NewTexts => textsOf(label, name, up, back)
      files.push(...writeMigration(database, config.root, workspace, name, texts, options, index))
    }
    return report({
      ...common,
      ok: true,
      files,
      diff: { ...diff, up: [], down: [] },
    })
  } catch (error) {
    return report({ ok: false, error: reportOf(asProblem(error, signal)) })
  }
}

function textsOf(
  label: string,
  title: string,
  up: DiffPart,
  back: { readonly part: DiffPart | undefined; readonly losses: readonly string[] },
): NewTexts {
  const undone =
    back.losses.length === 0
      ? 'leaves the database exactly as it was before.'
      : `what the up gave up does not come back: ${back.losses.join(', ')}.`
  return {
    up: `-- ${title.replaceAll(/[_-]+/g, ' ')}\n\n${up.sql}`,
    down: `-- Undoes ${label}: ${undone}\n\n${back.part?.sql ?? ''}`,
    transaction: { up: true, down: back.part?.transaction !== false },
  }
}
