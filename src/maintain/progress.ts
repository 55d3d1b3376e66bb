import { SqlError } from '../database/sql-error.js'
import type { Context } from './action.js'
import type { MaintainTask } from './maintain-report.js'

/** What PostgreSQL says of a statement while it runs: how far it is, out of what, and in which phase. */
const VIEWS: Readonly<Partial<Record<MaintainTask, string>>> = {
  vacuum: `select phase, heap_blks_scanned, heap_blks_total from pg_catalog.pg_stat_progress_vacuum where pid = $1
     union all select phase, heap_blks_scanned, heap_blks_total from pg_catalog.pg_stat_progress_cluster where pid = $1
     union all select phase, sample_blks_scanned, sample_blks_total from pg_catalog.pg_stat_progress_analyze where pid = $1`,
  analyze: `select phase, sample_blks_scanned, sample_blks_total from pg_catalog.pg_stat_progress_analyze where pid = $1`,
  reindex: `select phase, greatest(blocks_done, tuples_done), greatest(blocks_total, tuples_total)
     from pg_catalog.pg_stat_progress_create_index where pid = $1`,
}

const EVERY_MS = 500

/** Runs a statement, and tells from a second connection how far it is. An engine with one session tells nothing. */
export async function withProgress(
  context: Context,
  task: MaintainTask,
  object: string,
  run: () => Promise<void>,
): Promise<void> {
  const { observer, name, database } = context
  const view = VIEWS[task]
  observer({ kind: 'maintain-progress', database: name, task, object, done: 0, total: 0, phase: '' })
  if (view === undefined || !database.supports.manySessions) return run()
  const [row] = await context.session.query('select pg_catalog.pg_backend_pid()')
  const pid = row?.[0] ?? ''
  const ended = new AbortController()
  const watching = watch(context, view, pid, ended.signal, (phase, done, total) =>
    observer({ kind: 'maintain-progress', database: name, task, object, done, total, phase }),
  )
  try {
    await run()
  } finally {
    ended.abort()
    await watching
  }
}

/** Nobody to watch it does not stop the work: a server without a free connection is left alone. */
async function watch(
  { database }: Context,
  view: string,
  pid: string,
  ended: AbortSignal,
  tell: (phase: string, done: number, total: number) => void,
): Promise<void> {
  const isOver = (): boolean => ended.aborted
  await pause(EVERY_MS, ended)
  if (isOver()) return
  const session = await database.session().catch(() => undefined)
  if (session === undefined) return
  try {
    while (!isOver()) {
      const [row] = await session.query(view, [pid])
      if (row !== undefined) tell(row[0] ?? '', Number(row[1] ?? 0), Number(row[2] ?? 0))
      await pause(EVERY_MS, ended)
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
  } finally {
    await session.close()
  }
}

function pause(milliseconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    ended.addEventListener('abort', done, { once: true })
  })
}
