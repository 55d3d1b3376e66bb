import type { Database, Session } from './database.js'

/** One session for a whole run, opened when first asked for and again when it was lost. */
export interface SessionKeeper {
  current(): Promise<Session>
  close(): Promise<void>
}

export function keepSession(database: Database): SessionKeeper {
  let session: Session | undefined
  return {
    async current() {
      if (session !== undefined && !session.lost) return session
      await session?.close()
      return (session = await database.session())
    },
    async close() {
      await session?.close()
    },
  }
}
