import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Config, DatabaseConfig, Environment } from '../config/config.js'
import { quoteLiteral } from '../database/quote.js'
import type { ServerAddress } from '../database/server-target.js'
import type { ShellResult, ShellSession } from '../database/shell-session.js'
import { SqlError, toSqlError } from '../database/sql-error.js'
import { problem, type SourceLocation } from '../errors.js'
import { reportOf, type ErrorReport } from '../report.js'
import { indexOfCodePoint, lineColumnAt, splitStatements } from '../workspace/statements.js'
import { addressOf } from './db-create.js'
import { openToServe } from './db-serve.js'
import { refuseUnaskedEmbedded, type RunOptions } from './with-database.js'

export interface DbShellOptions extends RunOptions {
  /** Runs a program on the user's terminal; resolves to its exit status. */
  readonly runProgram: (program: ShellProgram) => Promise<number>
  /** Talks to the user, where psql is not installed; resolves to the exit status. */
  readonly converse: (shell: Shell) => Promise<number>
}

/** What a conversation needs: the user's side is the caller's. */
export interface Shell {
  readonly database: string
  /** Parts what was typed so far into whole statements and the beginning of the next one. */
  split(typed: string): { readonly statements: readonly string[]; readonly rest: string }
  run(sql: string): Promise<ShellAnswer>
  /** The tables, or the columns of one. */
  describe(table: string | undefined): Promise<ShellAnswer>
  /** Stops what is running. */
  cancel(): void
}

export interface ShellAnswer {
  readonly results: readonly ShellResult[]
  readonly error: ErrorReport | undefined
  /** There is no session any more. */
  readonly lost: boolean
}

export interface ShellProgram {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Environment
}

export type { ShellResult, ShellTable } from '../database/shell-session.js'

/**
 * Opens psql on a database; on an embedded one, where psql is not installed, a small shell of dbkit's own. An embedded database can
 * be used by other dbkit commands meanwhile. Resolves to the shell's exit status.
 */
export async function dbShell(config: Config, options: DbShellOptions): Promise<number> {
  refuseUnaskedEmbedded(config)
  const [database, ...others] = config.databases
  if (database === undefined || others.length > 0)
    throw problem('request.choose-one', {
      what: 'db shell',
      databases: config.databases.map(({ name }) => name),
    })
  const psql = findProgram('psql', config.environment)
  const { target } = database
  if (target.kind === 'server') {
    if (psql === undefined) throw problem('request.psql-missing', {})
    const environment = psqlEnvironment(config.environment, addressOf(target, config.environment))
    return options.runProgram({ command: psql, args: [], environment })
  }
  return withServed(config, database, options, async (address) => {
    if (psql === undefined) return talk(address, database.name, options)
    const environment = psqlEnvironment(config.environment, { ...EMBEDDED_ADDRESS, ...address })
    // The database is called postgres inside, and that would say nothing.
    const prompt = ['1', '2'].flatMap((n) => ['-v', `PROMPT${n}=${database.name}%R%x%# `])
    return options.runProgram({ command: psql, args: prompt, environment })
  })
}

/** Runs `body` while the embedded database answers on a port: the one where it is served already, or one for the time being. */
async function withServed<T>(
  config: Config,
  database: DatabaseConfig,
  options: RunOptions,
  body: (address: Address) => Promise<T>,
): Promise<T> {
  const opened = await openToServe(config, database, 'db shell', options)
  if ('served' in opened) return body(opened.served)
  const { serveEmbedded } = await import('../database/serve-embedded.js')
  const place = { host: '127.0.0.1', port: 0, nextFree: false }
  const server = await serveEmbedded(opened, { ...place, split: splitStatements })
  try {
    return await body(server)
  } finally {
    await server.close()
  }
}

interface Address {
  readonly host: string
  readonly port: number
}

async function talk(address: Address, name: string, options: DbShellOptions): Promise<number> {
  const { openShellSession } = await import('../database/shell-session.js')
  const notice = (message: string): void => {
    options.observer?.({ kind: 'notice', database: name, message })
  }
  let session = await openShellSession(address, notice)
  // As psql: a session that was lost, as by cancelling a statement, is followed by a new one.
  const reconnecting = async (answering: Promise<ShellAnswer>): Promise<ShellAnswer> => {
    const given = await answering
    if (!given.lost) return given
    await session.close()
    try {
      session = await openShellSession(address, notice)
    } catch (thrown) {
      notice(`there is no new session: ${toSqlError(thrown).message}`)
      return given
    }
    notice('connected again: what had been SET, and all that was not committed, is gone')
    return { ...given, lost: false }
  }
  try {
    return await options.converse({
      database: name,
      split: splitTyped,
      run: (sql) => reconnecting(answer(sql, session.run(sql))),
      describe: (table) => reconnecting(answer('', describe(session, table))),
      cancel() {
        session.cancel()
      },
    })
  } finally {
    await session.close()
  }
}

/** What was refused, as a value: in a shell it is no failure of the command. */
async function answer(sql: string, running: Promise<readonly ShellResult[]>): Promise<ShellAnswer> {
  try {
    return { results: await running, error: undefined, lost: false }
  } catch (thrown) {
    if (!(thrown instanceof SqlError)) throw thrown
    const location = thrown.position === undefined || sql === '' ? undefined : placeOf(sql, thrown.position)
    const about = { message: thrown.message, hint: undefined }
    const error = reportOf(problem('database.refused', about, { cause: thrown, location }))
    return { results: [], error, lost: thrown.connectionLost || thrown.fields.severity === 'FATAL' }
  }
}

function placeOf(sql: string, position: number): SourceLocation {
  const place = lineColumnAt(sql, indexOfCodePoint(sql, position))
  return { file: 'input', ...place, excerpt: sql.split(/\r?\n/)[place.line - 1] ?? '' }
}

function splitTyped(typed: string): { readonly statements: readonly string[]; readonly rest: string } {
  const whole = splitStatements(typed).filter(({ end }) => typed[end] === ';')
  const last = whole.at(-1)
  return {
    statements: whole.map(({ text }) => text),
    rest: last === undefined ? typed : typed.slice(last.end + 1),
  }
}

function describe(session: ShellSession, table: string | undefined): Promise<readonly ShellResult[]> {
  return table === undefined
    ? session.run(TABLES)
    : session.run(`select attname as "Column", pg_catalog.format_type(atttypid, atttypmod) as "Type",
         case when attnotnull then 'not null' else '' end as "Nullable",
         coalesce(pg_catalog.pg_get_expr(adbin, adrelid), '') as "Default"
    from pg_catalog.pg_attribute a left join pg_catalog.pg_attrdef d on adrelid = attrelid and adnum = attnum
   where attrelid = ${quoteLiteral(table)}::pg_catalog.regclass and attnum > 0 and not attisdropped
   order by attnum`)
}

const TABLES = `select nspname as "Schema", relname as "Name",
       case relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
                    when 'S' then 'sequence' else 'foreign table' end as "Type"
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = relnamespace
 where relkind in ('r', 'p', 'v', 'm', 'S', 'f') and nspname <> 'information_schema' and nspname !~ '^pg_'
 order by 1, 2`

const EMBEDDED_ADDRESS = {
  user: 'postgres',
  database: 'postgres',
  password: undefined,
  sslmode: 'disable',
  sslrootcert: undefined,
  sslcert: undefined,
  sslkey: undefined,
  connectTimeoutMs: 0,
} as const satisfies Partial<ServerAddress>

/** The password is in no argument, which every user of the machine could read. */
function psqlEnvironment(inherited: Environment, address: ServerAddress): Environment {
  return {
    // A service file would win over the variables; what it says is in the address already.
    ...Object.fromEntries(Object.entries(inherited).filter(([name]) => !REPLACED.test(name))),
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGDATABASE: address.database,
    PGSSLMODE: address.sslmode,
    PGAPPNAME: 'dbkit db shell',
    ...(address.connectTimeoutMs === 0
      ? {}
      : { PGCONNECT_TIMEOUT: String(Math.ceil(address.connectTimeoutMs / 1_000)) }),
    ...(address.password === undefined ? {} : { PGPASSWORD: address.password }),
    ...(address.sslrootcert === undefined ? {} : { PGSSLROOTCERT: address.sslrootcert }),
    ...(address.sslcert === undefined ? {} : { PGSSLCERT: address.sslcert }),
    ...(address.sslkey === undefined ? {} : { PGSSLKEY: address.sslkey }),
  }
}

const REPLACED = /^PG(?:SERVICE|HOSTADDR|PASSWORD|SSLROOTCERT|SSLCERT|SSLKEY|SSLMODE|CONNECT_TIMEOUT)$/

/** A program on the PATH, as a shell would find it. */
function findProgram(name: string, environment: Environment): string | undefined {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  const folders = (environment['PATH'] ?? environment['Path'] ?? '').split(delimiter)
  return folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
