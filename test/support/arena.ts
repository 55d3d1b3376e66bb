import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { makeFolder, type Folder } from './cli.js'
import { findServerBinaries, startCluster, type Cluster } from './cluster.js'
import { noteEngine, onServer } from './server.js'

/** A cluster of a test's own, to be crashed and counted in, with databases that cost a copy. */
export interface Arena {
  readonly cluster: Cluster
  /** A new database: empty, or a copy of another one that nobody is connected to. */
  database(template?: string): Promise<ArenaDatabase>
  /** What the server has logged since the arena was opened. */
  log(): string
  stop(): void
}

export interface ArenaDatabase {
  readonly name: string
  readonly url: string
  /** Values as PostgreSQL's text. */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Record<string, string | null>[]>
  drop(): Promise<void>
}

/** Whether the tests of this folder can run; where they cannot, they say so as skipped tests. */
export const hasServer = findServerBinaries() !== undefined

export async function openArena(settings: readonly string[] = []): Promise<Arena> {
  const cluster = await startCluster([
    // What the server has acknowledged outlives its own death, as on a real one.
    'synchronous_commit=on',
    'log_line_prefix=%m %p %d ',
    ...settings,
  ])
  noteEngine(`server PostgreSQL ${cluster.major}`)
  let counter = 0
  const asText = { getTypeParser: () => (value: string) => value }
  return {
    cluster,
    log: () => readFileSync(cluster.logFile, 'utf8'),
    stop: () => cluster.stop(),
    async database(template = 'template0') {
      const name = `arena_${String(counter++)}`
      await onServer(cluster.url('postgres'), (client) =>
        client.query(`create database ${name} template ${template}`),
      )
      const url = cluster.url(name)
      return {
        name,
        url,
        query: (sql, parameters = []) =>
          onServer(url, async (client) => {
            const result = await client.query<Record<string, string | null>>({
              text: sql,
              values: [...parameters],
              types: asText,
            })
            return result.rows
          }),
        drop: () =>
          onServer(cluster.url('postgres'), async (client) => {
            await client.query(`drop database if exists ${name} with (force)`)
          }),
      }
    },
  }
}

/** A folder with a configuration of one database, "freight", and its migrations by file name. */
export function makeWorkspace(
  migrations: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
): Folder {
  return makeFolder({
    'dbkit.config.json': JSON.stringify({ databases: { freight: options } }),
    ...Object.fromEntries(
      Object.entries(migrations).map(([name, sql]) => [`sql/freight/migrations/${name}`, sql]),
    ),
  })
}

/**
 * Everything a migration can have changed, as text: pg_dump of the schema, each table's rows in an order of their own, indexes that
 * were left unfinished (pg_dump is silent about those), and the ledger but for its times.
 */
export async function stateOf(database: Pick<ArenaDatabase, 'url'>): Promise<string> {
  const bin = findServerBinaries() ?? ''
  const dump = spawnSync(join(bin, 'pg_dump'), ['--schema-only', '-N', 'dbkit', database.url], {
    encoding: 'utf8',
  })
  if (dump.status !== 0) throw new Error(`pg_dump failed: ${dump.stderr}`)
  // A newer pg_dump guards its output with a random word.
  const schema = dump.stdout.replaceAll(/^\\(?:un)?restrict .*$/gm, '')
  return onServer(database.url, async (client) => {
    const parts = [schema, ...(await rowsOf(client))]
    const unfinished = await client.query<{ name: string }>(
      `select indexrelid::regclass::text as name from pg_index
        where not (indisvalid and indisready and indislive) order by 1`,
    )
    for (const { name } of unfinished.rows) parts.push(`unfinished index ${name}`)
    return parts.join('\n')
  })
}

async function rowsOf(client: pg.Client): Promise<readonly string[]> {
  const tables = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema', 'dbkit') order by 1`,
  )
  const parts: string[] = []
  for (const { name } of tables.rows) {
    const rows = await client.query<{ all: string | null }>(
      `select string_agg(row::text, e'\\n' order by row::text) as all from ${name} as row`,
    )
    parts.push(`-- ${name}\n${rows.rows[0]?.all ?? ''}`)
  }
  const ledger = await client.query<{ exists: boolean }>(
    `select to_regclass('dbkit.migrations') is not null as exists`,
  )
  if (ledger.rows[0]?.exists === true) {
    const entries = await client.query<{ entry: string }>(
      `select concat_ws(' ', version, name, state, up_checksum, down_checksum, transactional, attempt, out_of_order,
                        finished_at is not null, md5(up_sql), md5(down_sql)) as entry
         from dbkit.migrations order by position`,
    )
    parts.push('-- ledger', ...entries.rows.map(({ entry }) => entry))
  }
  return parts
}

/** Looks again every few milliseconds until it holds; fails with what was waited for. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${String(withinMs)} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
