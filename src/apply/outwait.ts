import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseConfig } from '../config/config.js'
import { problem } from '../errors.js'
import { interruption, type StepContext } from './run-transaction.js'

/** A comment in front of a message: it is found again in pg_stat_activity, where long texts are cut. */
export function markFor({ ledger: { schema, table } }: DatabaseConfig, what: string): string {
  return `/* dbkit ${`${schema}.${table}`.replaceAll(/[^\w.]/g, '_')} ${what} */ `
}

/** A server may go on with a message whose runner was killed, or cannot hear it any more. Returns when it has come to its end. */
export async function outwait(mark: string, what: string, context: StepContext): Promise<void> {
  const { config, signal } = context
  const session = await context.session()
  const started = Date.now()
  for (let told = false; ; told = true) {
    if (signal.aborted) throw interruption(signal)
    const rows = await session.query(
      `select pid from pg_catalog.pg_stat_activity
        where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
          and state = 'active' and pg_catalog.starts_with(query, $1)`,
      [mark],
    )
    const pid = rows[0]?.[0]
    if (pid === undefined) return
    const holder = `${what}, which an interrupted run left on the server (process ${String(pid)})`
    const waited = Date.now() - started
    if (waited >= config.lockWaitMs)
      throw problem('database.lock-busy', {
        label: config.name,
        holder,
        seconds: Math.round(waited / 1_000),
      })
    if (!told) context.onWait(holder)
    await sleep(200, undefined, { signal }).catch(() => undefined)
  }
}
