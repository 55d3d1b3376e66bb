import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from './database.js'
import { dropDatabase } from './maintenance.js'
import { quoteLiteral, quoteName } from './quote.js'
import { SqlError } from './sql-error.js'

/**
 * Databases of a server that hold what files have made, to be copied with CREATE DATABASE ... TEMPLATE. Nobody can connect to one, so
 * nobody has put anything of his own into it; its comment says what it is.
 */
const PREFIX = 'dbkit_state_'
const TEMPLATE = `^${PREFIX}[0-9a-f]{32}$`
const BUILDING = `^${PREFIX}[0-9a-f]{32}_[0-9a-z]{8,9}_[0-9a-f]{4}$`

/** 63 bytes is all that a name may have; half of the hash tells states apart as well. */
export function templateName(key: string): string {
  return `${PREFIX}${key.slice(0, 32)}`
}

/** A name that no other runner takes, and that says since when it is being made. */
export function buildingName(template: string): string {
  const random = Math.floor(Math.random() * 0x10000)
  return `${template}_${Date.now().toString(36)}_${random.toString(16).padStart(4, '0')}`
}

/** usable: whole, and it may be copied · taken: there is something of that name which it may not be · absent */
export async function findTemplate(session: Session, name: string): Promise<'usable' | 'taken' | 'absent'> {
  const rows = await session.query(
    `select not datallowconn and pg_catalog.pg_has_role(datdba, 'usage')
            and coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '') like 'dbkit state of %'
       from pg_catalog.pg_database where datname = $1`,
    [name],
  )
  const [row] = rows
  if (row === undefined) return 'absent'
  return row[0] === 't' ? 'usable' : 'taken'
}

/**
 * Whether a copy has all that is in a database. Settings of the database, rights on it and subscriptions hang on its name, and
 * CREATE DATABASE leaves them behind.
 */
export async function isCopiedWhole(session: Session, name: string, timeZone: string): Promise<boolean> {
  const rows = await session.query(
    `select datacl is null
            and not exists (select from pg_catalog.pg_subscription where subdbid = d.oid)
            and not exists (select from pg_catalog.pg_shseclabel where objoid = d.oid)
            and not exists (select from pg_catalog.pg_db_role_setting s where setdatabase = d.oid
                             and (setrole <> 0 or setconfig <> array['TimeZone=' || $2]))
       from pg_catalog.pg_database d where datname = $1`,
    [name, timeZone],
  )
  return rows[0]?.[0] === 't'
}

/** Makes a template of a database that was filled under a name of its own. False: another runner was faster; then it is gone again. */
export async function publishTemplate(
  session: Session,
  building: string,
  name: string,
  of: string,
): Promise<boolean> {
  await session.script(`alter database ${quoteName(building)} with allow_connections false`)
  await session.script(commentSql(building, of))
  const renamed = await patiently(() =>
    session.script(`alter database ${quoteName(building)} rename to ${quoteName(name)}`),
  )
  if (!renamed) await dropDatabase(session, building, { force: true })
  return renamed
}

/** Creates a database as a copy. False: it cannot be copied, or is not there any more; then there is no such database. */
export async function copyTemplate(
  session: Session,
  template: string,
  database: string,
  { timeZone, of }: { readonly timeZone: string; readonly of: string },
): Promise<boolean> {
  const copied = await patiently(() =>
    session.script(`create database ${quoteName(database)} template ${quoteName(template)}`),
  )
  if (!copied) return false
  await session.script(`alter database ${quoteName(database)} set timezone to ${quoteLiteral(timeZone)}`)
  await unlessGone(() => session.script(commentSql(template, of)))
  return true
}

/** Drops the least recently used templates of a database beyond so many, and what a runner that was killed had begun to make. */
export async function dropOldTemplates(session: Session, of: string, keep: number): Promise<void> {
  const rows = await session.query(
    `select datname from pg_catalog.pg_database
      where datname operator(pg_catalog.~) $1 and not datallowconn and pg_catalog.pg_has_role(datdba, 'usage')
        and pg_catalog.starts_with(coalesce(pg_catalog.shobj_description(oid, 'pg_database'), ''), $2)
      order by pg_catalog.shobj_description(oid, 'pg_database') collate "C" desc`,
    [TEMPLATE, beginningOf(of)],
  )
  const old = rows.slice(keep).map(([name]) => name ?? '')
  const begun = await session.query(
    `select datname from pg_catalog.pg_database d
      where datname operator(pg_catalog.~) $1 and pg_catalog.pg_has_role(datdba, 'usage')
        and not exists (select from pg_catalog.pg_stat_activity a where a.datid = d.oid)`,
    [BUILDING],
  )
  for (const [name] of begun) {
    const since = Number.parseInt(name?.split('_').at(-2) ?? '', 36)
    if (name !== null && name !== undefined && Date.now() - since > ABANDONED_MS) old.push(name)
  }
  for (const name of old) await unlessGone(() => session.script(`drop database if exists ${quoteName(name)}`))
}

const ABANDONED_MS = 60 * 60_000

/** The moment stands last: in the order of their comments, templates of one database are in that of their use. */
function commentSql(name: string, of: string): string {
  const text = `${beginningOf(of)} dbkit db reset copies it, and nobody else needs it: it may be dropped. Used ${new Date().toISOString()}`
  return `comment on database ${quoteName(name)} is ${quoteLiteral(text)}`
}

function beginningOf(of: string): string {
  return `dbkit state of ${JSON.stringify(of)}: what its migrations, or its migrations and seeds, make.`
}

const IN_USE = '55006'
/** duplicate_database (also as a violation of its unique index), invalid_catalog_name, insufficient_privilege. */
const NOT_TO_BE = new Set(['42P04', '23505', '3D000', '42501', '42704'])
const PATIENCE_MS = 5_000

/** A session that was just closed is gone from the server a moment later. False: it is not to be, or stays in use. */
async function patiently(attempt: () => Promise<unknown>): Promise<boolean> {
  const startedAt = performance.now()
  for (;;)
    try {
      await attempt()
      return true
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      if (NOT_TO_BE.has(error.sqlstate)) return false
      if (error.sqlstate !== IN_USE) throw error
      if (performance.now() - startedAt > PATIENCE_MS) return false
      await sleep(100)
    }
}

/** Another runner may have dropped it, or is copying it. */
async function unlessGone(attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt()
  } catch (error) {
    if (!(error instanceof SqlError) || !(NOT_TO_BE.has(error.sqlstate) || error.sqlstate === IN_USE))
      throw error
  }
}
