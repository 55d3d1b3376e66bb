import { DbkitError, problem } from '../errors.js'
import type { EngineReport } from '../report.js'
import type { Database, Session } from './database.js'
import { quoteLiteral, quoteName } from './quote.js'
import type { ServerOptions } from './server.js'
import { labelOf, type ServerAddress } from './server-target.js'
import { SqlError } from './sql-error.js'

/**
 * Whole databases of a server are made and dropped from beside them, over a connection to another one. These two every cluster
 * has from initdb on, and they are not for applications.
 */
const MAINTENANCE_DATABASES = ['postgres', 'template1'] as const

export interface Maintenance {
  readonly session: Session
  /** The engine, named after the database that is worked on. */
  readonly engine: EngineReport
}

/** Runs `body` on a connection to the server's maintenance database. */
export async function withMaintenance<T>(
  address: ServerAddress,
  options: ServerOptions,
  body: (maintenance: Maintenance) => Promise<T>,
): Promise<T> {
  const database = await openMaintenance(address, options)
  try {
    const session = await database.session()
    try {
      return await body({ session, engine: { ...database.engine, label: labelOf(address) } })
    } finally {
      await session.close()
    }
  } finally {
    await database.close()
  }
}

async function openMaintenance(address: ServerAddress, options: ServerOptions): Promise<Database> {
  const { openServer } = await import('./server.js')
  const [first, second] = MAINTENANCE_DATABASES
  try {
    return await openServer({ ...address, database: first }, options)
  } catch (error) {
    // Somebody may have dropped it; whatever else is wrong is wrong with the other one too.
    if (!(error instanceof DbkitError && error.cause instanceof SqlError && error.cause.sqlstate === '3D000'))
      throw error
    return openServer({ ...address, database: second }, options)
  }
}

/** Creates a database in UTF8, whatever the cluster's default is, with a time zone of its own. False: it was there already. */
export async function createDatabase(session: Session, name: string, timeZone: string): Promise<boolean> {
  if (await databaseExists(session, name)) return false
  try {
    // template1 may have another encoding, and then only template0 can be copied.
    await session.script(`create database ${quoteName(name)} encoding 'UTF8' template template0`)
  } catch (error) {
    // Another one was faster.
    if (error instanceof SqlError && TAKEN.has(error.sqlstate) && (await databaseExists(session, name)))
      return false
    throw error
  }
  await session.script(`alter database ${quoteName(name)} set timezone to ${quoteLiteral(timeZone)}`)
  return true
}

/** duplicate_database, or unique_violation on the catalog when two create it in the same instant. */
const TAKEN = new Set(['42P04', '23505'])

/** Drops a database; with `force`, ends the sessions that others have in it. False: there was none. */
export async function dropDatabase(
  session: Session,
  name: string,
  { force }: { readonly force: boolean },
): Promise<boolean> {
  if (!(await databaseExists(session, name))) return false
  try {
    await session.script(`drop database if exists ${quoteName(name)}${force ? ' with (force)' : ''}`)
    return true
  } catch (error) {
    if (error instanceof SqlError && error.sqlstate === '55006' && !force)
      throw problem(
        'database.refused',
        { message: error.message, hint: 'End those sessions, or add --force.' },
        { cause: error },
      )
    throw error
  }
}

/** Whether the user of a session may create databases. */
export async function mayCreateDatabases(session: Session): Promise<boolean> {
  const rows = await session.query(
    'select rolcreatedb or rolsuper from pg_catalog.pg_roles where rolname = current_user',
  )
  return rows[0]?.[0] === 't'
}

/** The encoding of a database, e.g. UTF8; undefined when there is none of that name. */
export async function encodingOf(session: Session, name: string): Promise<string | undefined> {
  const rows = await session.query(
    'select pg_catalog.pg_encoding_to_char(encoding) from pg_catalog.pg_database where datname = $1',
    [name],
  )
  return rows[0]?.[0] ?? undefined
}

async function databaseExists(session: Session, name: string): Promise<boolean> {
  return (await encodingOf(session, name)) !== undefined
}
