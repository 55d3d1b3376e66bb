import { hash } from 'node:crypto'
import { factsOf, partsOfKind, type Catalog } from '../catalog/catalog.js'
import { canonicalText } from '../catalog/hash.js'
import { BEGIN_READING, readCatalog } from '../catalog/read-catalog.js'
import type { Session } from '../database/database.js'
import { readLedger, type LedgerPlace } from '../database/ledger.js'
import { quoteLiteral, quoteName } from '../database/quote.js'
import { plainExpression } from '../prove/plain-text.js'
import type { BackupManifest, TableFingerprint } from './manifest.js'

export type Fingerprint = Pick<
  BackupManifest,
  'catalogHash' | 'objects' | 'tables' | 'sequences' | 'extensions' | 'ledger'
>

/** Everything by which a restored database is recognised: what it contains, each table's rows, its sequences, its ledger. */
export async function readFingerprint(session: Session, ledger: LedgerPlace): Promise<Fingerprint> {
  const catalog = await readCatalog(session, { ledger })
  const { entries } = await readLedger(session, ledger)
  const applied = entries.filter(({ state }) => state === 'applied')
  const head = applied.at(-1)?.name
  const objects: Record<string, number> = {}
  for (const { kind } of catalog.facts.values()) objects[kind] = (objects[kind] ?? 0) + 1
  await session.script(BEGIN_READING.join(';'))
  try {
    const tables = await readTables(session, catalog)
    const sequences = await readSequences(session)
    await session.script('commit')
    return {
      // PostgreSQL writes some expressions otherwise once it has read its own writing of them, as a restore does.
      catalogHash: hash('sha256', plainExpression(canonicalText(catalog)), 'hex'),
      objects,
      tables,
      sequences,
      extensions: factsOf(catalog, 'extension').map(({ name }) => name),
      ledger: { ...(head === undefined ? {} : { head }), migrations: entries.length },
    }
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

/** One table a statement: none of them grows without bound, and each shows what takes long. */
async function readTables(session: Session, catalog: Catalog): Promise<readonly TableFingerprint[]> {
  const tables: TableFingerprint[] = []
  for (const table of factsOf(catalog, 'table')) {
    if (table.properties.partitionBy !== undefined) continue
    const columns = partsOfKind(catalog, table.key, 'column')
      .map(({ name }) => `r.${quoteName(name)}`)
      .sort()
    const row = columns.length === 0 ? `''` : `row(${columns.join(',')})::text`
    const [found] = await session.query(
      `select count(*), coalesce(sum(hashtextextended((${row}) collate "C", 0)::numeric), 0) from only ${table.identity} as r`,
    )
    tables.push({ table: table.identity, rows: Number(found?.[0]), hash: found?.[1] ?? '0' })
  }
  return tables
}

async function readSequences(session: Session): Promise<Readonly<Record<string, string>>> {
  const rows = await session.query(
    `select format('%I.%I', schemaname, sequencename), coalesce(last_value::text, 'unused') from pg_sequences order by 1`,
  )
  return Object.fromEntries(rows.map(([name, value]) => [name ?? '', value ?? '']))
}

/** What of a backup's promise a database does not hold, in sentences. */
export function differencesFrom(
  { content, ...promised }: BackupManifest,
  found: Fingerprint,
): readonly string[] {
  const differences: string[] = []
  if (content !== 'data' && promised.catalogHash !== found.catalogHash)
    differences.push(
      `what it contains differs: ${describeObjects(promised.objects, found.objects) ?? 'as many objects of each kind, but other ones'}`,
    )
  if (content === 'schema') return differences
  const tables = new Map(found.tables.map((table) => [table.table, table]))
  for (const { table, rows, hash } of promised.tables) {
    const is = tables.get(table)
    if (is === undefined) differences.push(`table ${table} is missing`)
    else if (is.rows !== rows)
      differences.push(`table ${table} has ${String(is.rows)} rows instead of ${String(rows)}`)
    else if (is.hash !== hash) differences.push(`table ${table} has other rows, ${String(rows)} as well`)
  }
  for (const [name, value] of Object.entries(promised.sequences))
    if (found.sequences[name] !== value)
      differences.push(`sequence ${name} is at ${found.sequences[name] ?? 'nothing'} instead of ${value}`)
  if (content === 'all' && promised.ledger.head !== found.ledger.head)
    differences.push(
      `the ledger ends with ${found.ledger.head ?? 'nothing'} instead of ${promised.ledger.head ?? 'nothing'}`,
    )
  return differences
}

function describeObjects(
  promised: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): string | undefined {
  const parts = [...new Set([...Object.keys(promised), ...Object.keys(found)])]
    .filter((kind) => promised[kind] !== found[kind])
    .map((kind) => `${String(found[kind] ?? 0)} of kind ${kind} instead of ${String(promised[kind] ?? 0)}`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** The same session, but each transaction that reads sees what the exported snapshot sees. */
export function atSnapshot(session: Session, snapshot: string): Session {
  const begin = 'begin isolation level repeatable read read only'
  const set = `${begin};set transaction snapshot ${quoteLiteral(snapshot)}`
  return {
    query: (sql, parameters) => session.query(sql, parameters),
    script: (sql) => session.script(sql.startsWith(begin) ? `${set}${sql.slice(begin.length)}` : sql),
    alone: (before, sql, after) => session.alone(before, sql, after),
    execute: (sql, parameters) => session.execute(sql, parameters),
    copyIn: (sql, source) => session.copyIn(sql, source),
    copyMade: (sql, fill) => session.copyMade(sql, fill),
    cancel: () => session.cancel(),
    get lost() {
      return session.lost
    },
    close: () => session.close(),
  }
}
