import { readFile } from 'node:fs/promises'
import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, problem, throwProblems } from '../errors.js'
import type { SeedScriptReport } from '../report.js'
import { decodeScript, excerptAt, refuseObstacles, type ScriptText } from '../workspace/migration-file.js'
import { findObstacles } from '../workspace/statements.js'
import type { SeedFile } from './read-seeds.js'

/** Words a failure of a script with its place in the file. */
export type ExplainFailure = (error: SqlError, script: ScriptText) => DbkitError

/** Reads a .sql seed file and refuses what cannot be run inside the transaction of the seeds. */
export async function readScript(file: SeedFile): Promise<ScriptText> {
  const script = decodeScript(await readFile(file.path), file.file)
  if (script instanceof DbkitError) throw script
  const { text, directives } = script
  if (!directives.transaction) throw problem('seed.no-transaction', { file: file.file })
  // What a migration is told of COMMIT (its ledger row, a way out) is not so here.
  const others = refuseObstacles({ ...script, directives: { ...directives, transaction: false } })
  const commits = findObstacles(text).filter(({ kind }) => kind === 'transaction-control')
  throwProblems([
    ...commits.map(({ what, start, line, column }) =>
      problem(
        'seed.transaction-control',
        { what },
        { location: { file: file.file, line, column, excerpt: excerptAt(script, start) } },
      ),
    ),
    ...others,
  ])
  return script
}

/** Runs a .sql seed file, and counts what it changed, triggers included. */
export async function runScript(
  file: SeedFile,
  script: ScriptText,
  session: Session,
  explain: ExplainFailure,
): Promise<SeedScriptReport> {
  const startedAt = performance.now()
  const before = await readActivity(session)
  try {
    await session.script(script.text)
  } catch (error) {
    throw error instanceof SqlError && !error.connectionLost ? explain(error, script) : error
  }
  const after = await readActivity(session)
  const tables = [...after].flatMap(([table, counts]) => {
    const earlier = before.get(table) ?? NOTHING
    const change = {
      table,
      inserted: counts.inserted - earlier.inserted,
      updated: counts.updated - earlier.updated,
      deleted: counts.deleted - earlier.deleted,
    }
    return change.inserted + change.updated + change.deleted === 0 ? [] : [change]
  })
  return { set: file.set, file: file.file, tables, durationMs: Math.round(performance.now() - startedAt) }
}

interface Activity {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

const NOTHING: Activity = { inserted: 0, updated: 0, deleted: 0 }

/** What this transaction has changed so far, by table, as the server itself counts it. */
export async function readActivity(session: Session): Promise<ReadonlyMap<string, Activity>> {
  const rows = await session.query(
    `select case when pg_catalog.pg_table_is_visible(c.oid) then c.relname::text else schemaname || '.' || c.relname end,
            n_tup_ins, n_tup_upd, n_tup_del
       from pg_catalog.pg_stat_xact_user_tables join pg_catalog.pg_class c on c.oid = relid and c.relkind in ('r', 'p')
      where schemaname !~ '^pg_' and n_tup_ins + n_tup_upd + n_tup_del > 0 order by 1`,
  )
  return new Map(
    rows.map(([table, inserted, updated, deleted]) => [
      table ?? '',
      { inserted: Number(inserted), updated: Number(updated), deleted: Number(deleted) },
    ]),
  )
}
