import { query, type Named, type RowOf, type RowsOf } from '../catalog/read/query.js'
import { quoteLiteral, quoteName } from '../database/quote.js'
import type { DoctorFinding } from './doctor-report.js'
import { advice, command, counted, finding, NAME, OWN_RELATIONS, sql, type About } from './finding.js'
import { judgeVersion } from './versions.js'

/** What the server, the database and the role say of themselves, in one row. */
export function serverQuery(major: number) {
  return query(
    {
      version: `current_setting('server_version')`,
      database: 'd.datname',
      role: 'current_user',
      encoding: 'pg_encoding_to_char(d.encoding)',
      collation: 'd.datcollate',
      collationWas: major >= 15 ? 'd.datcollversion' : 'null::text',
      collationIs: major >= 15 ? 'pg_database_collation_actual_version(d.oid)' : 'null::text',
      timeZone: `(select reset_val from pg_settings where name = 'TimeZone')`,
      naiveColumns: `(select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
         where a.atttypid = 'timestamp'::regtype and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and ${OWN_RELATIONS})`,
      encrypted: '(select ssl from pg_stat_ssl where pid = pg_backend_pid())',
      offersTls: `current_setting('ssl')`,
      maxConnections: `current_setting('max_connections')`,
      reserved: `current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0)`,
      used: `(select count(*) from pg_stat_activity where backend_type = 'client backend')`,
      databaseLimit: 'd.datconnlimit',
      roleLimit: 'r.rolconnlimit',
      isSuperuser: 'r.rolsuper',
      mayCreateSchemas: `has_database_privilege(d.oid, 'CREATE')`,
      mayCreateTables: `(select has_schema_privilege(oid, 'CREATE') from pg_namespace where nspname = 'public')`,
      autovacuum: `current_setting('autovacuum')`,
      age: 'age(d.datfrozenxid)',
      multixactAge: 'mxid_age(d.datminmxid)',
      freezeMaxAge: `current_setting('autovacuum_freeze_max_age')`,
    },
    'from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user',
  )
}

type Server = RowOf<typeof serverQuery>

/** Extensions that are installed, or that the migrations want. */
export function extensionsQuery(wanted: readonly string[]) {
  const list = wanted.map(quoteLiteral).join(',')
  return query(
    { name: 'a.name', available: 'a.default_version', installed: 'a.installed_version' },
    `from pg_available_extensions a where a.installed_version is not null ${list === '' ? '' : `or a.name in (${list})`}`,
  )
}

/** What belongs to roles that this one is no member of. */
export const STRANGERS = query(
  { owner: 'pg_get_userbyid(c.relowner)', count: 'count(*)', example: `min(${NAME})` },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f') and not pg_has_role(c.relowner, 'USAGE') and ${OWN_RELATIONS}
   group by c.relowner`,
)

/** Collations whose library has another version than when their indexes were built, and those indexes. */
export const COLLATIONS = query(
  {
    name: `format('%I.%I', n.nspname, l.collname)`,
    was: 'l.collversion',
    is: 'pg_collation_actual_version(l.oid)',
    indexes: `(select string_agg(format('%I.%I', m.nspname, c.relname), ', ' order by m.nspname, c.relname)
                 from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace m on m.oid = c.relnamespace
                where l.oid = any (i.indcollation) and c.relkind = 'i')`,
  },
  `from pg_collation l join pg_namespace n on n.oid = l.collnamespace
   where l.collversion is not null and l.collversion is distinct from pg_collation_actual_version(l.oid)`,
)

/** Tables that autovacuum leaves alone. */
export const NOT_VACUUMED = query(
  { name: NAME },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'm') and ${OWN_RELATIONS}
     and exists (select from unnest(c.reloptions) o where lower(o) in ('autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=0', 'autovacuum_enabled=no'))`,
)

/** The tables that are nearest to the end of their transaction numbers. */
export const OLD_TABLES = query(
  { name: NAME, age: 'greatest(age(c.relfrozenxid), mxid_age(c.relminmxid))' },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'm', 't') and c.relpersistence <> 't'
     and greatest(age(c.relfrozenxid)::numeric / current_setting('autovacuum_freeze_max_age')::numeric,
                  mxid_age(c.relminmxid)::numeric / current_setting('autovacuum_multixact_freeze_max_age')::numeric) > 1.5
   order by greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) desc limit 20`,
)

export interface ServerRows {
  readonly server: Server
  readonly extensions: RowsOf<typeof extensionsQuery>
  readonly strangers: RowsOf<typeof STRANGERS>
  readonly collations: RowsOf<typeof COLLATIONS>
  readonly notVacuumed: RowsOf<typeof NOT_VACUUMED>
  readonly oldTables: RowsOf<typeof OLD_TABLES>
}

export function judgeServer(rows: ServerRows, about: About): readonly DoctorFinding[] {
  const { server } = rows
  return [
    ...judgeTls(server, about),
    ...judgeVersion(server.version ?? '', about),
    ...judgeExtensions(rows.extensions, about),
    ...judgeRights(rows, about),
    ...judgeTimeZone(server, about),
    ...judgeEncoding(server, about),
    ...judgeCollations(rows),
    ...judgeConnections(server, about),
    ...judgeAutovacuum(rows, about),
    ...rows.oldTables.map(judgeAge),
  ]
}

function judgeTls({ encrypted, offersTls }: Server, { remote }: About): readonly DoctorFinding[] {
  if (remote === undefined) return []
  if (encrypted === 'true')
    return remote.sslmode === 'verify-full'
      ? []
      : [
          finding(
            'tls',
            'info',
            'connection',
            `encrypted, but sslmode=${remote.sslmode} does not check who answers`,
            'Whoever can redirect the connection can pose as the server and read the password.',
            advice(
              'Connect with sslmode=verify-full, and with sslrootcert=FILE if the authority is your own.',
            ),
          ),
        ]
  return [
    finding(
      'tls',
      'warning',
      'connection',
      'not encrypted, and the server is another machine',
      'Everybody on the way can read the rows, and with most ways to log in the password too.',
      advice(
        offersTls === 'on'
          ? 'Connect with sslmode=verify-full (or at least require): the server offers TLS.'
          : 'Give the server a certificate (ssl_cert_file, ssl_key_file) and set ssl = on; then connect with sslmode=verify-full.',
      ),
    ),
  ]
}

function judgeExtensions(
  rows: ServerRows['extensions'],
  { extensions: wanted, hasPending, kind }: About,
): readonly DoctorFinding[] {
  const known = new Map(rows.map((row) => [row.name, row]))
  return [
    ...wanted
      .filter((name) => !known.has(name))
      .map((name) =>
        finding(
          'extensions',
          'error',
          name,
          'the migrations create this extension, and it cannot be had here',
          'CREATE EXTENSION fails, and the migration with it.',
          advice(
            kind === 'embedded'
              ? 'Use a server that has it: the embedded engine does not carry it.'
              : 'Install the package of the operating system that holds it (on Debian postgresql-<major>-<name> or postgresql-contrib), or ask the provider of the server to allow it.',
          ),
        ),
      ),
    ...wanted
      .filter((name) => !hasPending && known.get(name)?.installed === null)
      .map((name) =>
        finding(
          'extensions',
          'error',
          name,
          'all migrations are applied, and this extension of theirs is not there',
          'Somebody dropped it: whatever uses it fails.',
          sql(`create extension ${quoteName(name)}`),
        ),
      ),
    ...rows.flatMap(({ name, installed, available }) =>
      installed === null || available === null || installed === available
        ? []
        : [
            finding(
              'extensions',
              'info',
              name ?? '',
              `version ${installed} is installed, and its files are of ${available}`,
              'The files were updated with the server; the functions of the new version are not there yet.',
              sql(`alter extension ${quoteName(name ?? '')} update`),
            ),
          ],
    ),
  ]
}

function judgeRights({ server, strangers }: ServerRows, about: About): readonly DoctorFinding[] {
  const role = server.role ?? ''
  const found: DoctorFinding[] = strangers.map(({ owner, count, example }) =>
    finding(
      'rights',
      'warning',
      owner ?? '',
      `owns ${counted(Number(count), 'table or view')}, e.g. ${example ?? ''}, and ${role} is no member of it`,
      'A migration that alters one of them fails: only owners may.',
      sql(`grant ${quoteName(owner ?? '')} to ${quoteName(role)}`),
    ),
  )
  if (!about.hasLedger && server.mayCreateSchemas !== 'true')
    found.push(
      finding(
        'rights',
        'error',
        role,
        `may not create schemas in ${server.database ?? ''}`,
        'The ledger lives in a schema of its own, which the first `dbkit migrate up` creates.',
        sql(`grant create on database ${quoteName(server.database ?? '')} to ${quoteName(role)}`),
      ),
    )
  if (about.hasPending && server.mayCreateTables === 'false')
    found.push(
      finding(
        'rights',
        'error',
        role,
        'may not create anything in the schema public',
        'Since PostgreSQL 15 only its owner may, and migrations that name no schema create their tables there.',
        sql(`grant create on schema public to ${quoteName(role)}`),
      ),
    )
  return found
}

const SAME_AS_UTC = new Set(['utc', 'etc/utc', 'gmt', 'etc/gmt', 'universal', 'zulu', 'uct', 'etc/uct'])

function judgeTimeZone({ timeZone, naiveColumns, database }: Server, about: About): readonly DoctorFinding[] {
  const simple = (zone: string): string => (SAME_AS_UTC.has(zone.toLowerCase()) ? 'utc' : zone.toLowerCase())
  if (simple(timeZone ?? '') === simple(about.timeZone) || about.kind === 'embedded') return []
  const naive = Number(naiveColumns)
  return [
    finding(
      'time-zone',
      naive > 0 ? 'warning' : 'info',
      database ?? '',
      `sessions start in ${timeZone ?? ''}, migrations run in ${about.timeZone}`,
      naive > 0
        ? `${counted(naive, 'column')} of type timestamp keep no zone: now() stored in one means another moment in each zone.`
        : 'What is written or compared without a zone means another moment in each.',
      sql(`alter database ${quoteName(database ?? '')} set timezone to ${quoteLiteral(about.timeZone)}`),
    ),
  ]
}

function judgeEncoding({ encoding, database }: Server, about: About): readonly DoctorFinding[] {
  if (encoding === 'UTF8') return []
  return [
    finding(
      'encoding',
      'warning',
      database ?? '',
      `is encoded in ${encoding ?? ''}, not in UTF8`,
      encoding === 'SQL_ASCII'
        ? 'It takes any bytes and checks none: two clients with different encodings leave text that nobody can read.'
        : 'Characters outside of that encoding are refused, or cannot be read.',
      command(
        `dbkit backup -d ${about.name} --out before.dbkit && dbkit db drop -d ${about.name} && dbkit db create -d ${about.name} && dbkit restore before.dbkit -d ${about.name}`,
      ),
    ),
  ]
}

function judgeCollations({ server, collations }: ServerRows): readonly DoctorFinding[] {
  const why =
    'Indexes on text were sorted by the rules of the old version: a search can miss rows, and a unique index let duplicates in.'
  const database = quoteName(server.database ?? '')
  const whole =
    server.collationWas === null || server.collationWas === server.collationIs
      ? []
      : [
          finding(
            'collation',
            'warning',
            server.database ?? '',
            `was made with version ${server.collationWas} of collation ${server.collation ?? ''}, the server has ${server.collationIs ?? 'none'}`,
            why,
            sql(
              `reindex database concurrently ${database}`,
              `alter database ${database} refresh collation version`,
            ),
          ),
        ]
  return [
    ...whole,
    ...collations.map(({ name, was, is, indexes }) =>
      finding(
        'collation',
        indexes === null ? 'info' : 'warning',
        name ?? '',
        `was made with version ${was ?? ''}, the server has ${is ?? 'none'}${indexes === null ? '; no index uses it' : ''}`,
        why,
        sql(
          ...(indexes ?? '')
            .split(', ')
            .filter((index) => index !== '')
            .map((index) => `reindex index concurrently ${index}`),
          `alter collation ${name ?? ''} refresh version`,
        ),
      ),
    ),
  ]
}

function judgeConnections(server: Server, { pool, kind }: About): readonly DoctorFinding[] {
  if (kind === 'embedded') return []
  const max = Number(server.maxConnections)
  const free = max - Number(server.reserved)
  const used = Number(server.used)
  const found: DoctorFinding[] = []
  if (used > free * 0.8)
    found.push(
      finding(
        'connections',
        'warning',
        'max_connections',
        `${String(used)} of ${String(free)} connections are in use`,
        'The next ones are refused with 53300, dbkit among them.',
        advice('Close what idles (pg_stat_activity), make the pools smaller, or put a pooler in between.'),
      ),
    )
  if (pool === undefined) return found
  const each = pool.size + pool.overflow
  // What dbkit itself needs: one connection that works, one that holds the lock.
  const wanted = each * pool.instances + 2
  const sum = `${counted(pool.instances, 'instance')} x ${String(each)} connections + 2 of dbkit = ${String(wanted)}`
  const why = 'When all of them are in use the last are refused with 53300, first under load.'
  const limits: readonly (readonly [string, string | null, string, number])[] = [
    [
      'max_connections',
      String(free),
      `alter system set max_connections = ${String(wanted + Number(server.reserved))}`,
      free,
    ],
    [
      'database',
      server.databaseLimit,
      `alter database ${quoteName(server.database ?? '')} connection limit ${String(wanted)}`,
      Number(server.databaseLimit),
    ],
    [
      'role',
      server.isSuperuser === 'true' ? '-1' : server.roleLimit,
      `alter role ${quoteName(server.role ?? '')} connection limit ${String(wanted)}`,
      Number(server.roleLimit),
    ],
  ]
  for (const [what, limit, statement, number] of limits) {
    if (limit === null || limit === '-1' || number >= wanted) continue
    const object =
      what === 'database' ? (server.database ?? '') : what === 'role' ? (server.role ?? '') : what
    const message = `the pools may open ${sum}, and ${String(number)} are allowed${what === 'max_connections' ? ` (${String(max)} less ${server.reserved ?? ''} reserved)` : ` for this ${what}`}`
    const restart = what === 'max_connections' ? ' It takes a restart of the server.' : ''
    found.push(finding('connections', 'warning', object, message, why + restart, sql(statement)))
  }
  return found
}

function judgeAutovacuum({ server, notVacuumed }: ServerRows, { kind }: About): readonly DoctorFinding[] {
  const why = 'Dead rows stay, statistics go stale, and in the end transaction numbers run out.'
  const whole =
    server.autovacuum === 'off' && kind === 'server'
      ? [
          finding(
            'autovacuum',
            'warning',
            'autovacuum',
            'is off for the whole server',
            why,
            sql('alter system set autovacuum = on', 'select pg_reload_conf()'),
          ),
        ]
      : []
  return [
    ...whole,
    ...notVacuumed.map(({ name }) =>
      finding(
        'autovacuum',
        'warning',
        name ?? '',
        'autovacuum is switched off for this table',
        why,
        sql(`alter table ${name ?? ''} reset (autovacuum_enabled)`),
      ),
    ),
  ]
}

/** PostgreSQL refuses writes 3 million before 2 billion. */
const NEAR_THE_END = 1_200_000_000

function judgeAge({ name, age }: Named<'name' | 'age'>): DoctorFinding {
  return finding(
    'wraparound',
    Number(age) > NEAR_THE_END ? 'error' : 'warning',
    name ?? '',
    `its oldest transaction is ${counted(Number(age), 'transaction')} old, and autovacuum has not frozen it`,
    'At 2 billion the server refuses every write. Something holds it back: a session or a prepared transaction that is open for long, or a forgotten replication slot.',
    sql(`vacuum (freeze) ${name ?? ''}`),
  )
}
