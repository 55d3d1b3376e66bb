import { factsOf, type Catalog } from '../catalog/catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { quoteIfNeeded } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError } from '../errors.js'
import type { Step } from '../plan/plan.js'
import { runWithin } from '../prove/run-steps.js'
import { asTransaction } from './try-rows.js'

/**
 * The tables that a step touches, by their identity: those that it locks when it is run without rows, and those that it names, because
 * what a loop or a function does is seen only where there are rows.
 */
export async function touchedBy(
  session: Session,
  catalog: Catalog,
  step: Step,
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const words = new Set(
    [...step.script.text.matchAll(/"((?:[^"]|"")+)"|[\p{L}_][\p{L}\p{N}_$]*/gu)].map(([word, quoted]) =>
      quoted === undefined ? word.toLowerCase() : quoted.replaceAll('""', '"'),
    ),
  )
  const locked = await lockedBy(session, step, config, signal)
  return factsOf(catalog, 'table')
    .filter(({ identity, name }) => locked.has(identity) || words.has(name))
    .map(({ identity }) => identity)
}

async function lockedBy(
  session: Session,
  step: Step,
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  try {
    await session.script('begin isolation level read committed')
    await runWithin(session, asTransaction(step), config, signal)
    const rows = await session.query(
      `select distinct n.nspname, c.relname from pg_catalog.pg_locks l
         join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) l.relation
         join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
        where l.locktype operator(pg_catalog.=) 'relation' and l.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
          and c.relkind in ('r', 'p')`,
    )
    return new Set(rows.map(([schema, name]) => [schema ?? '', name ?? ''].map(quoteIfNeeded).join('.')))
  } catch (error) {
    // It commits by itself: then its text has to do.
    if (!(error instanceof SqlError || error instanceof DbkitError) || session.lost || signal.aborted)
      throw error
    return new Set()
  } finally {
    if (!session.lost) await session.script('rollback')
  }
}
