import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/database/embedded.js'
import { openServer } from '../../src/database/server.js'
import { settleServerAddress } from '../../src/database/server-target.js'
import type { Database, Session } from '../../src/database/database.js'
import { createServerDatabase, noteEngine, serverUrl } from './server.js'

/** An empty database and a session of dbkit's own on it, for tests of what works on sessions. */
export interface OpenDatabase {
  readonly session: Session
  readonly major: number
  /** Where pg_dump and psql find it; undefined on the embedded engine. */
  readonly url: string | undefined
  remove(): Promise<void>
}

export async function openOnServer(prefix = 'session'): Promise<OpenDatabase> {
  const database = await createServerDatabase(prefix)
  const address = settleServerAddress(database.url, {}, '--url', 'postgres')
  const opened = await openServer(address, { purpose: 'test', waitMs: 0 })
  return openedAs(opened, database.url, () => database.drop())
}

export async function openOnEmbedded(extensions: readonly string[] = []): Promise<OpenDatabase> {
  const root = mkdtempSync(join(tmpdir(), 'dbkit-session-'))
  const opened = await openEmbedded({
    folder: join(root, 'data'),
    root,
    purpose: 'test',
    extensions,
    extensionsOnLock: false,
    states: [],
    environment: process.env,
  })
  if ('served' in opened) throw new Error('somebody else serves a folder that was made just now')
  noteEngine('embedded PGlite 0.5.8')
  return openedAs(opened, undefined, () => {
    rmSync(root, { recursive: true, force: true })
    return Promise.resolve()
  })
}

async function openedAs(
  database: Database,
  url: string | undefined,
  drop: () => Promise<void>,
): Promise<OpenDatabase> {
  const session = await database.session()
  return {
    session,
    major: database.major,
    url,
    async remove() {
      await session.close()
      await database.close()
      await drop()
    },
  }
}

/** What pg_dump writes of a schema, without what differs from call to call. */
export function dumpSchema(url: string): string {
  const { status, stdout, stderr } = spawnSync('pg_dump', ['--schema-only', url], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`pg_dump failed: ${stderr}`)
  return stdout.replaceAll(/^\\(?:un)?restrict .*\n/gm, '')
}

/** Whether pg_dump is installed, and a server that it can dump is there. */
export function canDump(): boolean {
  return serverUrl() !== undefined && spawnSync('pg_dump', ['--version']).status === 0
}

/** Creates roles that are not there yet: on a server they belong to no database, and another test may have made them. */
export async function makeRoles(session: Session, roles: readonly string[]): Promise<void> {
  for (const role of roles)
    await session.script(
      `do $$ begin create role ${role}; exception when duplicate_object or unique_violation then null; end $$`,
    )
}
