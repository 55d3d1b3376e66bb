import { quoteLiteral, quoteName } from './quote.js'
import { failing, type SessionState } from './seat.js'
import { encodeQuery } from './simple-query.js'
import { SYNC } from './wire.js'

/** The SQL that puts a client's session aside and brings it back. */

/** PGlite's superuser: always there, and the one whom the engine itself runs as. */
export const SUPERUSER = 'postgres'

/** As DISCARD ALL, less what nobody has who can be put aside, and less UNLISTEN. RESET SESSION AUTHORIZATION does nothing in this engine. */
export const RESET = `close all;set session authorization ${SUPERUSER};set role none;reset all;deallocate all;discard sequences`

/**
 * After a client that is gone, in whatever state: an error first, because a Sync alone would commit what it had sent of the
 * extended protocol.
 */
export const CLEARING = Buffer.concat([
  failing('P'),
  SYNC,
  ...['rollback', 'discard all', RESET].map((sql) => encodeQuery(sql)),
])

/** Everything that makes a session differ from a new one. `pin` is what cannot be put aside. */
export function inventorySql(customSettings: ReadonlySet<string>): string {
  const names = [...customSettings].map(quoteLiteral).join(',')
  return `select 'setting', name, setting from pg_catalog.pg_settings where source = 'session'
${names === '' ? '' : `union all select 'setting', name, pg_catalog.current_setting(name, true) from pg_catalog.unnest(array[${names}]) name where pg_catalog.current_setting(name, true) <> ''`}
union all select 'user', session_user, pg_catalog.current_setting('role')
union all select case when from_sql then 'prepared' else 'statement' end, name, statement from pg_catalog.pg_prepared_statements
union all (select 'pin', 'has temporary tables', null from pg_catalog.pg_class where relnamespace = pg_catalog.pg_my_temp_schema() limit 1)
union all (select 'pin', 'has an open cursor', null from pg_catalog.pg_cursors limit 1)
union all (select 'pin', 'holds an advisory lock', null from pg_catalog.pg_locks where locktype = 'advisory' limit 1)`
}

/** Brings back what a client had set; nothing for one that had set nothing. PREPARE comes after it, each by itself. */
export function restoreSql({ settings, user, role }: SessionState): string {
  return [
    ...settings.map(
      ([name, value]) => `select pg_catalog.set_config(${quoteLiteral(name)},${quoteLiteral(value)},false)`,
    ),
    ...(user === SUPERUSER ? [] : [`set session authorization ${quoteName(user)}`]),
    ...(role === 'none' ? [] : [`set role ${quoteName(role)}`]),
  ].join(';')
}

/** Names like app.tenant, where SQL sets them. */
export const CUSTOM_SETTING =
  /\bset\s+(?:session\s+)?([a-z_][\w$]*\.[\w$.]+)|\bset_config\s*\(\s*'([a-z_][\w$]*\.[\w$.]+)'/gi
/** SQL that may speak of prepared statements by name. */
export const NAMES_STATEMENTS = /\b(?:deallocate|execute|pg_prepared_statements?)\b/i
