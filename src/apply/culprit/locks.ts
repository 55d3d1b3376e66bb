import { quoteLiteral } from '../../database/quote.js'
import { EXAMPLES, type Finder } from './culprit.js'
import { namesIn } from './statement-parts.js'

const LONGEST_QUERY = 80

/** Who holds locks on the relations that the statement names; they still do, or the last try would have gone through. */
export const blockers: Finder = async ({ error, statement, look, query }) => {
  if (error.sqlstate !== '55P03') return undefined
  const names = namesIn(statement)
  if (names.length === 0) return undefined
  const rows = await look(
    `select a.pid::text, nullif(a.application_name, ''), a.usename, a.client_addr::text, a.state,
            pg_catalog.to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
            pg_catalog.string_agg(distinct pg_catalog.format('%s on %s', l.mode, l.relation::pg_catalog.regclass), ', '),
            a.query
       from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)
      where l.granted and l.locktype = 'relation' and l.pid <> pg_catalog.pg_backend_pid()
        and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
        and l.relation in (select pg_catalog.to_regclass(named) from unnest(array[${names.map(quoteLiteral).join(', ')}]) named)
        and a.xact_start is not null
      group by a.pid, a.application_name, a.usename, a.client_addr, a.state, a.xact_start, a.query
      order by a.xact_start limit ${String(EXAMPLES)}`,
  )
  if (rows.length === 0) return undefined
  return {
    kind: 'blockers',
    summary: `${rows.length === 1 ? 'the lock is held' : 'locks are held'} by`,
    examples: rows.map(([pid, application, user, address, state, since, locks, sql]) =>
      [
        `${application ?? 'a session'} (process ${String(pid)}, user ${String(user)}${address === null || address === undefined ? '' : `, from ${address}`})`,
        `${String(state)}${state?.includes('in transaction') === true ? '' : ' in a transaction'} since ${String(since)} UTC`,
        // AccessExclusiveLock is called ACCESS EXCLUSIVE in SQL and in every manual.
        String(locks).replaceAll(/(\w+)Lock on/g, (_, mode: string) => `${inWords(mode)} on`),
        shorten(query(String(sql).replaceAll(/\s+/g, ' ').trim())),
      ].join(' · '),
    ),
  }
}

function inWords(mode: string): string {
  return mode.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase()
}

function shorten(text: string): string {
  const characters = [...text]
  return characters.length <= LONGEST_QUERY ? text : `${characters.slice(0, LONGEST_QUERY - 1).join('')}…`
}
