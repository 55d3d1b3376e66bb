// The throw-away PostgreSQL of the benchmark: the one that the tests start, without autovacuum, so that its work is not counted as ours.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import pg from 'pg'

// What one tick of /proc is.
const TICK_MS = 10

export async function startServer() {
  const { startCluster } = await importTypeScript('../test/support/cluster.ts')
  const cluster = await startCluster(['autovacuum=off', 'log_line_prefix=%d ', 'log_min_messages=warning'])
  const admin = new pg.Client({ connectionString: cluster.url('postgres') })
  await admin.connect()
  const postmaster = readFileSync(`${cluster.dataDir}/postmaster.pid`, 'utf8').split('\n')[0]
  const resting = childrenOf(postmaster)
  const version = (await admin.query('show server_version')).rows[0].server_version

  return {
    version,
    url: (database) => cluster.url(database),
    async create(database, template = 'template0') {
      await admin.query(`create database ${database} template ${template}`)
    },
    async drop(database) {
      await admin.query(`drop database if exists ${database} with (force)`)
    },
    async count(database, sql) {
      const client = new pg.Client({ connectionString: cluster.url(database) })
      await client.connect()
      const { rows } = await client.query({ text: sql, rowMode: 'array' })
      await client.end()
      return Number(rows[0][0])
    },
    /** Messages that the server was sent while `body` ran on a database: its log has an entry for each. */
    async statements(database, body) {
      await admin.query(`alter database ${database} set log_statement = 'all'`)
      const before = readFileSync(cluster.logFile, 'utf8').length
      await body()
      await admin.query(`alter database ${database} reset log_statement`)
      const log = readFileSync(cluster.logFile, 'utf8').slice(before)
      return log.match(new RegExp(`^${database} LOG:  (?:statement|execute [^:]*):`, 'gm'))?.length ?? 0
    },
    /**
     * CPU of the backends that `body` had. The postmaster's account of the children it has buried is exact but for the rounding of its
     * sum to 10 ms, where a backend's own account would be rounded for each.
     */
    async cpuOf(body) {
      await this.rest()
      const before = buriedTicks(postmaster)
      const result = await body()
      await this.rest()
      return { ...result, serverMs: (buriedTicks(postmaster) - before) * TICK_MS }
    },
    async rest() {
      const deadline = Date.now() + 30_000
      while (childrenOf(postmaster) > resting) {
        if (Date.now() > deadline) throw new Error('a backend of the benchmark has not ended')
        await sleep(5)
      }
    },
    async stop() {
      await admin.end()
      cluster.stop()
    },
  }
}

async function importTypeScript(path) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

/** User and system time of all children that have ended, fields 16 and 17 of /proc/<pid>/stat. */
function buriedTicks(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[13]) + Number(fields[14])
}

function childrenOf(pid) {
  let count = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      if (stat.slice(stat.lastIndexOf(')') + 4).split(' ', 1)[0] === pid) count++
    } catch {
      // Ended between the listing and the look.
    }
  }
  return count
}
