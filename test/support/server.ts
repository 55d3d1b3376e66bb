import { appendFileSync } from 'node:fs'
import pg from 'pg'

/** The URL of the test server's maintenance database, if there is a server. */
export function serverUrl(): string | undefined {
  const url = process.env['DBKIT_TEST_SERVER_URL']
  return url === undefined || url === '' ? undefined : url
}

/** Writes down that an engine was used: the test run prints the list at its end. */
export function noteEngine(engine: string): void {
  const file = process.env['DBKIT_TEST_ENGINES']
  if (file !== undefined && file !== '') appendFileSync(file, `${engine}\n`)
}

export interface ServerDatabase {
  readonly name: string
  readonly url: string
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Record<string, string | null>[]>
  drop(): Promise<void>
}

let counter = 0

/** A new, empty database on the test server. */
export async function createServerDatabase(prefix = 'test'): Promise<ServerDatabase> {
  const maintenance = serverUrl()
  if (maintenance === undefined) throw new Error('there is no test server')
  const name = `${prefix}_${String(process.pid)}_${String(counter++)}`
  await onServer(maintenance, async (client) => {
    await client.query(`create database "${name}"`)
    const version = await client.query<{ v: string }>("select current_setting('server_version') as v")
    noteEngine(`server PostgreSQL ${version.rows[0]?.v.split(' ')[0] ?? ''}`)
  })
  const url = new URL(maintenance)
  url.pathname = `/${name}`
  return {
    name,
    url: url.href,
    query: (sql, parameters = []) =>
      onServer(url.href, async (client) => {
        const result = await client.query<Record<string, string | null>>({
          text: sql,
          values: [...parameters],
          types: { getTypeParser: () => (value: string) => value },
        })
        return result.rows
      }),
    drop: () =>
      onServer(maintenance, async (client) => {
        await client.query(`drop database if exists "${name}" with (force)`)
      }),
  }
}

export async function onServer<T>(url: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await body(client)
  } finally {
    await client.end()
  }
}
