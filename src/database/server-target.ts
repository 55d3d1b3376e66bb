import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { problem, type DbkitError } from '../errors.js'

/** How to reach a server: what libpq would make of the URL, the PG* variables and the service file, with nothing left open but the password file. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password: string | undefined
  readonly sslmode: SslMode
  readonly sslrootcert: string | undefined
  readonly sslcert: string | undefined
  readonly sslkey: string | undefined
  readonly connectTimeoutMs: number
}

/** https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof SSL_MODES)[number]

type Environment = Readonly<Record<string, string | undefined>>
type Parameters = Readonly<Record<string, string | undefined>>

/**
 * Settles an address from a URL (or, without one, from PG* variables alone) as libpq does: URL before service file before
 * environment before defaults. `fallbackDatabase` is used when nothing names the database.
 *
 * sslmode defaults to libpq's "prefer" for another machine, and to "disable" for this one, where TLS protects nothing.
 */
export function settleServerAddress(
  url: string | undefined,
  environment: Environment,
  source: string,
  fallbackDatabase: string,
): ServerAddress {
  const fromUrl = url === undefined ? {} : parseUrl(url, source)
  const serviceName = fromUrl['service'] ?? nonEmpty(environment['PGSERVICE'])
  const service = serviceName === undefined ? {} : readService(serviceName, environment)
  const pick = (key: string, variable: string): string | undefined =>
    fromUrl[key] ?? service[key] ?? nonEmpty(environment[variable])

  const host = pick('host', 'PGHOST') ?? 'localhost'
  const user =
    pick('user', 'PGUSER') ?? nonEmpty(environment['USER']) ?? nonEmpty(environment['USERNAME']) ?? 'postgres'
  const port = Number(pick('port', 'PGPORT') ?? '5432')
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw problem('config.bad-url', {
      source,
      reason: `the port ${String(pick('port', 'PGPORT'))} is no port number`,
    })
  const sslmode = pick('sslmode', 'PGSSLMODE') ?? (isLocal(host) ? 'disable' : 'prefer')
  if (!(SSL_MODES as readonly string[]).includes(sslmode))
    throw problem('config.bad-url', {
      source,
      reason: `sslmode is "${sslmode}", expected one of ${SSL_MODES.join(', ')}`,
    })
  const database = pick('dbname', 'PGDATABASE') ?? fallbackDatabase
  return {
    host,
    port,
    user,
    database,
    password:
      pick('password', 'PGPASSWORD') ??
      readPasswordFile([host, String(port), database, user], pick('passfile', 'PGPASSFILE'), environment),
    sslmode: sslmode as SslMode,
    sslrootcert: pick('sslrootcert', 'PGSSLROOTCERT'),
    sslcert: pick('sslcert', 'PGSSLCERT'),
    sslkey: pick('sslkey', 'PGSSLKEY'),
    connectTimeoutMs: Number(pick('connect_timeout', 'PGCONNECT_TIMEOUT') ?? '10') * 1_000,
  }
}

/** Who and where, without the password: fit for any output. */
export function labelOf(address: ServerAddress): string {
  const place = address.host.startsWith('/')
    ? `${address.host}, port ${String(address.port)}`
    : `${address.host}:${String(address.port)}`
  return `${address.user}@${place}/${address.database}`
}

export function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function parseUrl(text: string, source: string): Parameters {
  const bad = (reason: string): DbkitError => problem('config.bad-url', { source, reason })
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'memory' || scheme === 'pg-mem') throw problem('config.memory-engine', { source })
  if (scheme !== 'postgres' && scheme !== 'postgresql')
    throw bad(scheme === undefined ? 'it has no scheme' : `its scheme is "${scheme}"`)
  // Else what stands before the @ would count as part of the database's name, the password with it.
  if (!/^[a-z]+:\/\//i.test(text)) throw bad('there is no // after its scheme')
  let url: URL
  try {
    // libpq allows user@/db and ?host=/socket/dir without a host, WHATWG URLs do not.
    url = new URL(text.replace(/^([a-z]+:\/\/(?:[^@/?#]*@)?)(?=[/?#]|:\d*(?:[/?#]|$)|$)/i, '$1host.missing'))
  } catch {
    throw bad('it does not parse (are special characters in the password written as %XX?)')
  }
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part)
    } catch {
      throw bad('it holds a % that is not followed by two hexadecimal digits (write % as %25)')
    }
  }
  if (url.hostname.includes(',')) throw bad('it names several hosts, and dbkit connects to one')
  const host = decode(url.hostname).replace(/^\[(.*)\]$/, '$1')
  const present = (key: string, value: string): Parameters => (value === '' ? {} : { [key]: value })
  return {
    ...present('host', host === 'host.missing' ? '' : host),
    ...present('port', url.port),
    ...present('user', decode(url.username)),
    ...present('password', decode(url.password)),
    ...present('dbname', decode(url.pathname.slice(1))),
    ...Object.fromEntries(url.searchParams),
  }
}

/** https://www.postgresql.org/docs/current/libpq-pgservice.html */
function readService(name: string, environment: Environment): Parameters {
  const candidates = [
    nonEmpty(environment['PGSERVICEFILE']) ?? join(environment['HOME'] ?? homedir(), '.pg_service.conf'),
    ...(nonEmpty(environment['PGSYSCONFDIR']) === undefined
      ? []
      : [join(environment['PGSYSCONFDIR'] ?? '', 'pg_service.conf')]),
  ]
  for (const file of candidates) {
    const section = readSection(file, name)
    if (section !== undefined) return section
  }
  throw problem('config.bad-url', {
    source: `The service ${name}`,
    reason: `no [${name}] section in ${candidates.join(' or ')}`,
  })
}

/**
 * The password file's first line for host, port, database and user. https://www.postgresql.org/docs/current/libpq-pgpass.html
 * pg would read it too, but says at each use that it is going to stop.
 */
function readPasswordFile(
  wanted: readonly string[],
  named: string | undefined,
  environment: Environment,
): string | undefined {
  const file =
    named ??
    (process.platform === 'win32'
      ? join(environment['APPDATA'] ?? homedir(), 'postgresql', 'pgpass.conf')
      : join(environment['HOME'] ?? homedir(), '.pgpass'))
  const text = readIfThere(file)
  if (text === undefined) return undefined
  const [host = '', ...rest] = wanted
  const hosts = host.startsWith('/') ? [host, 'localhost'] : [host]
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const [first = '', ...fields] = line
      .split(/(?<!\\):/)
      .map((field) => field.replaceAll(/\\([\\:])/g, '$1'))
    if (fields.length !== 4) continue
    const matches =
      (first === '*' || hosts.includes(first)) &&
      rest.every((value, index) => fields[index] === '*' || fields[index] === value)
    if (!matches) continue
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
      throw problem('config.open-password-file', { file })
    return fields[3]
  }
  return undefined
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // A file that is not there says nothing; one that cannot be read is worth knowing about.
    if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
}

function readSection(file: string, name: string): Parameters | undefined {
  const text = readIfThere(file)
  if (text === undefined) return undefined
  let found: Record<string, string> | undefined
  let inside = false
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    const heading = /^\[(.*)\]$/.exec(line)
    if (heading !== null) {
      inside = heading[1] === name
      if (inside) found = {}
    } else if (inside && found !== undefined && !line.startsWith('#') && line.includes('=')) {
      const at = line.indexOf('=')
      found[line.slice(0, at).trim()] = line.slice(at + 1).trim()
    }
  }
  return found
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value
}
