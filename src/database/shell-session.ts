import { connect } from 'node:net'
import pg from 'pg'
import { toSqlError } from './sql-error.js'
import { CANCEL_REQUEST, encodeIntegers } from './wire.js'

/** What one statement gave. */
export interface ShellResult {
  /** As psql shows it: "INSERT 0 3". */
  readonly tag: string
  /** Undefined for a statement that returns no rows. */
  readonly table: ShellTable | undefined
}

export interface ShellTable {
  readonly columns: readonly { readonly name: string; readonly isNumber: boolean }[]
  readonly rows: readonly (readonly (string | null)[])[]
}

/** A session for somebody who types: everything as text, with its column names. */
export interface ShellSession {
  /** Runs what was typed. Rejects with a SqlError. */
  run(sql: string): Promise<readonly ShellResult[]>
  /** Stops what is running. */
  cancel(): void
  close(): Promise<void>
}

export async function openShellSession(
  { host, port }: { readonly host: string; readonly port: number },
  onNotice: (message: string) => void,
): Promise<ShellSession> {
  const client = new pg.Client({
    host,
    port,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    application_name: 'dbkit db shell',
  })
  client.on('notice', (notice) => {
    onNotice(notice.message ?? '')
  })
  // A connection that ends between two statements is told of by the next one.
  client.on('error', () => undefined)
  await client.connect()
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  return {
    async run(sql) {
      try {
        const result: unknown = await client.query({
          text: sql,
          rowMode: 'array',
          types: { getTypeParser: () => (value: string) => value },
        })
        const results = (Array.isArray(result) ? result : [result]) as pg.QueryArrayResult<
          (string | null)[]
        >[]
        return results.map(toShellResult)
      } catch (thrown) {
        throw toSqlError(thrown)
      }
    },
    cancel() {
      const socket = connect(port, host, () =>
        socket.end(encodeIntegers(16, CANCEL_REQUEST, processID, secretKey)),
      )
      // Then the statement goes on: there is nobody who could stop it.
      socket.on('error', () => undefined)
    },
    async close() {
      // A connection that is broken already has nothing more to say.
      await client.end().catch(() => undefined)
    },
  }
}

/** By oid: int8, int2, int4, oid, float4, float8, money, numeric. They read better when they end in line. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 790, 1700])

function toShellResult(result: pg.QueryArrayResult<(string | null)[]>): ShellResult {
  const { fields, rows, command, rowCount } = result
  const columns = fields.map(({ name, dataTypeID }) => ({ name, isNumber: NUMBERS.has(dataTypeID) }))
  const count = rowCount === null ? '' : ` ${String(rowCount)}`
  return {
    tag: command === 'INSERT' ? `INSERT 0${count}` : `${command}${count}`,
    table: fields.length === 0 ? undefined : { columns, rows },
  }
}
