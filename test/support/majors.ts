import { existsSync } from 'node:fs'
import { findNpmServers, linkLibraries } from '../../src/database/npm-server.js'
import { openServer } from '../../src/database/server.js'
import { settleServerAddress } from '../../src/database/server-target.js'
import { startCluster, type Cluster } from './cluster.js'
import { openOnEmbedded, type OpenDatabase } from './databases.js'
import { noteEngine, onServer, serverUrl } from './server.js'

/** One of the engines that everything has to be the same on. */
export interface Major {
  /** "17" of a server, "PGlite" */
  readonly name: string
  readonly major: number
  /** PostGIS is there. */
  readonly postgis: boolean
  /** An empty database. */
  open(): Promise<OpenDatabase>
  /** Of the maintenance database; undefined on PGlite. */
  readonly url: string | undefined
  stop(): void
}

export const MAJORS = [14, 15, 16, 17, 18] as const

/** A server of every major that is there, and PGlite. 15 is the installed one, which has PostGIS. */
export async function openMajors(): Promise<readonly Major[]> {
  const folder = process.env['DBKIT_SERVERS'] ?? ''
  if (!existsSync(folder)) throw new Error('run npm run test:matrix, which installs the servers')
  const servers = await Promise.all(
    findNpmServers(folder).map(async (binaries) => {
      linkLibraries(binaries)
      return majorOf(await startCluster([], binaries.bin))
    }),
  )
  const installed = serverUrl()
  const own = installed === undefined ? [] : [await installedMajor(installed)]
  return [...servers, ...own].sort((a, b) => a.major - b.major).concat(embedded)
}

function majorOf(cluster: Cluster): Major {
  return serverMajor(cluster.major, false, cluster.url('postgres'), () => cluster.stop())
}

async function installedMajor(url: string): Promise<Major> {
  const { rows } = await onServer(url, (client) =>
    client.query<{ major: string; postgis: boolean }>(
      `select current_setting('server_version_num')::int / 10000 || '' as major,
              exists (select from pg_available_extensions where name = 'postgis') as postgis`,
    ),
  )
  return serverMajor(rows[0]?.major ?? '', rows[0]?.postgis === true, url, () => undefined)
}

const embedded: Major = {
  name: 'PGlite',
  major: 18,
  postgis: true,
  url: undefined,
  open: () => openOnEmbedded(['pg_trgm', 'hstore', 'citext', 'btree_gist', 'pgcrypto', 'uuid-ossp']),
  stop: () => undefined,
}

let counter = 0

function serverMajor(name: string, postgis: boolean, url: string, stop: () => void): Major {
  noteEngine(`server PostgreSQL ${name}`)
  return {
    name,
    major: Number(name),
    postgis,
    url,
    stop,
    async open() {
      const database = `matrix_${String(process.pid)}_${String(counter++)}`
      await onServer(url, (client) => client.query(`create database ${database} template template0`))
      const own = new URL(url)
      own.pathname = `/${database}`
      const address = settleServerAddress(own.href, {}, '--url', 'postgres')
      const opened = await openServer(address, { purpose: 'test', waitMs: 0 })
      const session = await opened.session()
      return {
        session,
        major: opened.major,
        url: own.href,
        async remove() {
          await session.close()
          await opened.close()
          await onServer(url, (client) => client.query(`drop database ${database} with (force)`))
        },
      }
    },
  }
}
