import type { PGlite, QueryOptions, Results } from '@electric-sql/pglite'
import pg from 'pg'
import { asText, commandOf, parserOf } from './typed-rows.js'

/**
 * An embedded engine as a pool of `pg`, for query builders that expect one. Values come and go exactly as through `pg`: its parsers read
 * them, its own function writes them. There is one session, so whoever connects waits until the one before has released it.
 */
export interface PglitePool {
  connect(): Promise<PgliteClient>
  end(): Promise<void>
}

export interface PgliteClient {
  query(sql: string, parameters?: readonly unknown[]): Promise<PgliteResult>
  release(): void
}

export interface PgliteResult {
  readonly command: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE'
  readonly rowCount: number
  readonly rows: Record<string, unknown>[]
}

/** `end` is called once, by the pool's own end(). */
export function poolOf(engine: PGlite, end: () => Promise<void>): PglitePool {
  const options = optionsFor(engine)
  let last: Promise<void> = Promise.resolve()
  let ended: Promise<void> | undefined
  return {
    async connect() {
      if (ended !== undefined) throw new Error('Cannot use a pool after calling end on the pool')
      let release = (): void => undefined
      const before = last
      last = new Promise((resolve) => {
        release = resolve
      })
      await before
      return { query: (sql, parameters) => runOn(engine, options, sql, parameters ?? []), release }
    },
    end() {
      ended ??= last.then(end)
      return ended
    },
  }
}

async function runOn(
  engine: PGlite,
  options: QueryOptions,
  sql: string,
  parameters: readonly unknown[],
): Promise<PgliteResult> {
  const result: Results<Record<string, unknown>> = await engine.query(sql, parameters.map(asText), options)
  const command = commandOf(sql)
  const affected = result.affectedRows ?? 0
  return { command, rowCount: command === 'SELECT' ? result.rows.length : affected, rows: result.rows }
}

/** Points, and arrays that `pg` takes apart, which its list of named types leaves out. */
const UNNAMED = [
  600, 199, 651, 791, 1000, 1001, 1005, 1007, 1008, 1009, 1014, 1015, 1016, 1017, 1021, 1022, 1028, 1040,
  1041, 1115, 1182, 1183, 1185, 1187, 1231, 1270, 2951, 3807, 3907,
]

/** Of each type that either of the two has an opinion about. */
function optionsFor(engine: PGlite): QueryOptions {
  const named = Object.values(pg.types.builtins).filter((oid): oid is number => typeof oid === 'number')
  const known = [...Object.keys(engine.parsers).map(Number), ...named, ...UNNAMED]
  const written = [...Object.keys(engine.serializers).map(Number), ...known]
  return {
    parsers: Object.fromEntries(known.map((oid) => [oid, parserOf(oid, 'text')])),
    serializers: Object.fromEntries(written.map((oid) => [oid, asIs])),
  }
}

const asIs = (text: string): string => text
