import type { Session } from '../database/database.js'

const LOOK = 'dbkit_look'
const BACK = `rollback to savepoint ${LOOK};release savepoint ${LOOK}`

/**
 * A session inside a transaction that is open already, for whoever would begin one of their own to read: their transaction becomes a
 * savepoint, and its end goes back to it, settings included. For reading only.
 */
export function nestedSession(session: Session): Session {
  return within(session, (sql) =>
    /^\s*(?:commit|rollback)\s*;?\s*$/i.test(sql)
      ? BACK
      : sql.replace(/^\s*begin\b[^;]*/i, `savepoint ${LOOK}`),
  )
}

/** The same for whoever would commit what they write: it stands until the outer transaction is rolled back, save for temporary tables. */
export function trialSession(session: Session): Session {
  return within(session, (sql) =>
    sql
      .replace(/^\s*begin\b[^;]*/i, `savepoint ${LOOK}`)
      .replace(/^\s*commit\b/i, `release savepoint ${LOOK};discard temp`)
      .replace(/^\s*rollback\s*;?\s*$/i, BACK),
  )
}

function within(session: Session, translate: (sql: string) => string): Session {
  return {
    get lost() {
      return session.lost
    },
    query: (sql, parameters) => session.query(sql, parameters),
    execute: (sql, parameters) => session.execute(sql, parameters),
    script: (sql) => session.script(translate(sql)),
    alone: (before, sql, after) => session.alone(before, sql, after),
    copyIn: (sql, source) => session.copyIn(sql, source),
    copyMade: (sql, fill) => session.copyMade(sql, fill),
    cancel: () => session.cancel(),
    // The session belongs to whoever began the transaction.
    close: () => Promise.resolve(),
  }
}
