import type { Session } from '../database/database.js'
import { maintenanceTableOf, type LedgerPlace } from '../database/ledger.js'
import { quoteLiteral, quoteName } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import type { MaintainTask } from './maintain-report.js'

/** When each task was last done to each object: what an interval counts from. It stands beside the ledger. */
export interface RunLog {
  lastEnd(task: MaintainTask, object: string): Date | undefined
  record(task: MaintainTask, object: string): Promise<void>
}

export async function readRunLog(session: Session, place: LedgerPlace): Promise<RunLog> {
  const table = maintenanceTableOf(place)
  const known = await readEntries(session, table)
  let exists = known !== undefined
  const entries = known ?? new Map<string, Date>()
  return {
    lastEnd: (task, object) => entries.get(`${task} ${object}`),
    async record(task, object) {
      if (!exists) await create(session, place, table)
      exists = true
      const [row] = await session.script(
        `insert into ${table} (task, object, ended_at) values (${quoteLiteral(task)}, ${quoteLiteral(object)}, pg_catalog.now())
         on conflict (task, object) do update set ended_at = excluded.ended_at
         returning (extract(epoch from ended_at) * 1000)::bigint`,
      )
      entries.set(`${task} ${object}`, new Date(Number(row?.[0])))
    },
  }
}

async function readEntries(session: Session, table: string): Promise<Map<string, Date> | undefined> {
  try {
    const rows = await session.query(
      `select task, object, (extract(epoch from ended_at) * 1000)::bigint from ${table}`,
    )
    return new Map(rows.map(([task, object, at]) => [`${task ?? ''} ${object ?? ''}`, new Date(Number(at))]))
  } catch (error) {
    // No table, or not even the schema: nothing was ever done.
    if (error instanceof SqlError && ['42P01', '3F000'].includes(error.sqlstate)) return undefined
    throw error
  }
}

async function create(session: Session, { schema }: LedgerPlace, table: string): Promise<void> {
  const [row] = await session.query('select pg_catalog.to_regnamespace($1) is null', [quoteName(schema)])
  if (row?.[0] === 't') await session.script(`create schema if not exists ${quoteName(schema)}`)
  await session.script(
    `create table if not exists ${table} (
       task text not null, object text not null, ended_at timestamptz not null, primary key (task, object));
     comment on table ${table} is 'When dbkit maintain last did what the configuration gives an interval.'`,
  )
}
