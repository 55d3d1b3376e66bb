import type { Session } from '../database/database.js'

const LOOK = 'dbkit_look'
const BACK = `rollback to savepoint ${LOOK};release savepoint ${LOOK}`

/**
 * A session inside a transaction that is open already, for whoever would begin one of their own to read: their transaction becomes a
 * savepoint, and its end goes back to it, settings included. For reading only.
 */
export function nestedSession(session: Session): Session {
  const within = (sql: string): string => {
    if (/^\s*(?:commit|rollback)\s*;?\s*$/i.test(sql)) return BACK
    return sql.replace(/^\s*begin\b[^;]*/i, `savepoint ${LOOK}`)
  }
  return {
    get lost() {
      return session.lost
    },
    query: (sql, parameters) => session.query(sql, parameters),
    script: (sql) => session.script(within(sql)),
    alone: (before, sql, after) => session.alone(before, sql, after),
    copyIn: (sql, source) => session.copyIn(sql, source),
    cancel: () => session.cancel(),
    // The session belongs to whoever began the transaction.
    close: () => Promise.resolve(),
  }
}
