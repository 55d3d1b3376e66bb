import { existsSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Config } from '../config/config.js'
import { DbkitError } from '../errors.js'
import { reportOf, type Report } from '../report.js'
import { codegen, type CodegenVerbOptions } from './codegen.js'

export interface CodegenWatchOptions extends CodegenVerbOptions {
  /** After each run; also after one that failed, which the next change may mend. */
  readonly onReport: (report: Report) => void
}

/** Editors write a file in several steps, and a branch is switched file by file. */
const SETTLED_MS = 150

/**
 * Emits the types, and again whenever migrations, shapes or the configuration change, until the signal. The configuration is settled anew
 * each time.
 *
 * @example
 * await codegenWatch(() => settleConfig({}, surroundings), { signal, onReport: (report) => console.log(report) })
 */
export async function codegenWatch(
  settle: () => Promise<Config>,
  { onReport, ...options }: CodegenWatchOptions,
): Promise<Report> {
  const { signal } = options
  let report: Report = { command: 'codegen', ok: true, databases: [] }
  let config = await settle()
  const isOver = (): boolean => signal?.aborted === true
  while (!isOver()) {
    // Watched before it is read: what changes meanwhile is not missed.
    const watched = new Watched(filesOf(config), signal)
    try {
      try {
        config = await settle()
        report = await codegen(config, options)
      } catch (error) {
        if (!(error instanceof DbkitError)) throw error
        report = { command: 'codegen', ok: false, databases: [], error: reportOf(error) }
      }
      // What Ctrl-C broke off is no result.
      if (!isOver()) onReport(report)
      await watched.change()
    } finally {
      watched.close()
    }
  }
  return report
}

/** Folders, each with the files in it that count; undefined: all. */
type Files = ReadonlyMap<string, ReadonlySet<string> | undefined>

function filesOf({ file, databases }: Config): Files {
  const folders = new Map<string, Set<string> | undefined>()
  const add = (path: string): void => {
    const folder = dirname(path)
    if (folders.has(folder) && folders.get(folder) === undefined) return
    folders.set(folder, new Set([...(folders.get(folder) ?? []), basename(path)]))
  }
  if (file !== undefined) add(file)
  for (const { migrations, codegen: settings } of databases) {
    folders.set(migrations, undefined)
    if (typeof settings.jsonTypes === 'string') add(settings.jsonTypes)
  }
  return folders
}

class Watched {
  private readonly watchers: readonly FSWatcher[]
  private readonly changed: Promise<void>

  constructor(files: Files, signal: AbortSignal | undefined) {
    let resolve: () => void = () => undefined
    this.changed = new Promise((done) => (resolve = done))
    let timer: NodeJS.Timeout | undefined
    const settle = (): void => {
      clearTimeout(timer)
      timer = setTimeout(resolve, SETTLED_MS)
    }
    this.watchers = [...files]
      .filter(([folder]) => existsSync(folder))
      .map(([folder, names]) =>
        watch(folder, (_, name) => {
          // Some systems do not say which file it was.
          if (names === undefined || name === null || names.has(name)) settle()
        }),
      )
    signal?.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
    if (signal?.aborted === true) resolve()
  }

  change(): Promise<void> {
    return this.changed
  }

  close(): void {
    for (const watcher of this.watchers) watcher.close()
  }
}
