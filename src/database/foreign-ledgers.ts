import { problem } from '../errors.js'
import type { Session } from './database.js'
import type { LedgerPlace } from './ledger.js'
import { quoteLiteral, quoteQualified } from './quote.js'

/** The tools whose ledgers are known. */
export const LEDGER_TOOLS = [
  'golang-migrate',
  'dbmate',
  'diesel',
  'sqlx',
  'goose',
  'sql-migrate',
  'flyway',
  'sqitch',
  'prisma',
  'drizzle',
  'graphile-migrate',
  'node-pg-migrate',
  'knex',
  'umzug',
  'kysely',
] as const

export type LedgerTool = (typeof LEDGER_TOOLS)[number]

/** What the ledger of another tool says, in the order in which it was applied as far as the tool knows it. */
export interface ForeignLedger {
  readonly tool: LedgerTool
  readonly place: LedgerPlace
  readonly entries: readonly ForeignEntry[]
}

export interface ForeignEntry {
  /** What the tool calls the migration. */
  readonly key: string
  /** Of the file as it was applied, where the tool keeps it. */
  readonly checksum: string | undefined
  readonly at: string | undefined
  /** Of Flyway: SQL, UNDO_SQL, BASELINE, ... */
  readonly kind: string | undefined
  readonly state: 'applied' | 'failed' | 'undone'
}

interface Spec {
  readonly table: string
  /** Where the tool insists on it. */
  readonly schema?: string
  /** Columns that tell its table from another one of the same name. */
  readonly columns: readonly string[]
  /** Columns that another tool's table of the same name has. */
  readonly without?: readonly string[]
  /** What else it keeps beside it. */
  readonly beside?: readonly string[]
  /** SELECT of key, checksum, time, kind and state. */
  readonly rows: (table: string) => string
}

const plain =
  (key: string, at: string) =>
  (table: string): string =>
    `select ${key}::text, null, ${at}, null, 'applied' from ${table} order by 1`

const SPECS: Readonly<Record<LedgerTool, Spec>> = {
  'golang-migrate': {
    table: 'schema_migrations',
    columns: ['version', 'dirty'],
    rows: (table) =>
      `select version::text, null, null, null, case when dirty then 'failed' else 'applied' end from ${table}`,
  },
  dbmate: {
    table: 'schema_migrations',
    columns: ['version'],
    without: ['dirty'],
    rows: plain('version', 'null'),
  },
  diesel: {
    table: '__diesel_schema_migrations',
    columns: ['version', 'run_on'],
    rows: plain('version', 'run_on::timestamptz::text'),
  },
  sqlx: {
    table: '_sqlx_migrations',
    columns: ['version', 'checksum', 'success'],
    rows: (table) =>
      `select version::text, pg_catalog.encode(checksum, 'hex'), installed_on::timestamptz::text, null,
              case when success then 'applied' else 'failed' end from ${table} order by version`,
  },
  goose: {
    table: 'goose_db_version',
    columns: ['version_id', 'is_applied'],
    // A version that was rolled back and applied again has a row for each; the youngest counts. 0 is where goose begins.
    rows: (table) =>
      `select * from (select distinct on (version_id) version_id::text, null, tstamp::timestamptz::text, null,
              case when is_applied then 'applied' else 'undone' end
         from ${table} where version_id > 0 order by version_id, id desc) as last`,
  },
  'sql-migrate': {
    table: 'gorp_migrations',
    columns: ['id', 'applied_at'],
    rows: plain('id', 'applied_at::timestamptz::text'),
  },
  flyway: {
    table: 'flyway_schema_history',
    columns: ['installed_rank', 'version', 'checksum', 'success'],
    rows: (table) =>
      `select coalesce(version, 'R__' || description), checksum::text, installed_on::timestamptz::text, type,
              case when not success then 'failed' when type like 'UNDO%' then 'undone' else 'applied' end
         from ${table} order by installed_rank`,
  },
  sqitch: {
    table: 'changes',
    schema: 'sqitch',
    columns: ['change_id', 'change', 'project', 'committed_at'],
    beside: ['dependencies', 'events', 'projects', 'releases', 'tags'],
    rows: (table) =>
      `select change, script_hash, committed_at::text, project, 'applied' from ${table} order by committed_at`,
  },
  prisma: {
    table: '_prisma_migrations',
    columns: ['migration_name', 'checksum', 'finished_at', 'rolled_back_at'],
    // What is marked as rolled back is an attempt that failed, and says nothing of the one after it.
    rows: (table) =>
      `select migration_name, checksum, finished_at::text, null,
              case when finished_at is null then 'failed' else 'applied' end
         from ${table} where rolled_back_at is null order by started_at`,
  },
  drizzle: {
    table: '__drizzle_migrations',
    columns: ['hash', 'created_at'],
    rows: (table) => `select created_at::text, hash, null, null, 'applied' from ${table} order by id`,
  },
  'graphile-migrate': {
    table: 'migrations',
    schema: 'graphile_migrate',
    columns: ['hash', 'previous_hash', 'filename'],
    beside: ['current'],
    rows: (table) => `select filename, hash, date::text, null, 'applied' from ${table} order by filename`,
  },
  'node-pg-migrate': {
    table: 'pgmigrations',
    columns: ['name', 'run_on'],
    rows: (table) =>
      `select name, null, run_on::timestamptz::text, null, 'applied' from ${table} order by id`,
  },
  knex: {
    table: 'knex_migrations',
    columns: ['name', 'batch'],
    beside: ['knex_migrations_lock'],
    rows: (table) =>
      `select name, null, migration_time::timestamptz::text, null, 'applied' from ${table} order by id`,
  },
  umzug: { table: 'SequelizeMeta', columns: ['name'], rows: plain('name', 'null') },
  kysely: {
    table: 'kysely_migration',
    columns: ['name', 'timestamp'],
    beside: ['kysely_migration_lock'],
    rows: plain('name', '"timestamp"::timestamptz::text'),
  },
}

/** A ledger of another tool that is there, with what belongs to it. */
export interface FoundLedger {
  readonly tool: LedgerTool
  readonly place: LedgerPlace
  /** Itself, and the tables that its tool keeps beside it. */
  readonly tables: readonly LedgerPlace[]
}

/** The ledgers of other tools in a database. */
export async function findForeignLedgers(session: Session): Promise<readonly FoundLedger[]> {
  const names = [...new Set(Object.values(SPECS).map(({ table }) => table))]
  const rows = await session.query(
    `select n.nspname, c.relname, pg_catalog.string_agg(a.attname, ' ')
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relkind = 'r' and c.relname in (${names.map(quoteLiteral).join(',')})
      group by n.nspname, c.relname order by n.nspname = 'public' desc, 1, 2`,
  )
  return rows.flatMap(([schema, table, attributes]): readonly FoundLedger[] => {
    const place = { schema: schema ?? '', table: table ?? '' }
    const has = new Set((attributes ?? '').split(' '))
    return LEDGER_TOOLS.filter((tool) => isTableOf(SPECS[tool], place, has)).map((tool) => ({
      tool,
      place,
      tables: tablesOf(tool, place),
    }))
  })
}

function isTableOf(spec: Spec, { schema, table }: LedgerPlace, has: ReadonlySet<string>): boolean {
  return (
    spec.table === table &&
    (spec.schema ?? schema) === schema &&
    spec.columns.every((column) => has.has(column)) &&
    (spec.without ?? []).every((column) => !has.has(column))
  )
}

/** The tables that a tool keeps with a ledger at a place; which need not be its usual one. */
export function tablesOf(tool: LedgerTool, place: LedgerPlace): readonly LedgerPlace[] {
  return [place, ...(SPECS[tool].beside ?? []).map((table) => ({ schema: place.schema, table }))]
}

/** What the ledger of a tool says. Fails with `import.no-ledger`. */
export async function readForeignLedger(
  session: Session,
  tool: LedgerTool,
  database: string,
  asked?: LedgerPlace,
): Promise<ForeignLedger> {
  const place = asked ?? (await findForeignLedgers(session)).find((found) => found.tool === tool)?.place
  if (place === undefined) throw problem('import.no-ledger', { database, tool, table: SPECS[tool].table })
  const rows = await session.query(SPECS[tool].rows(quoteQualified(place.schema, place.table)))
  return {
    tool,
    place,
    entries: rows.map(([key, checksum, at, kind, state]) => ({
      key: key ?? '',
      checksum: checksum ?? undefined,
      at: at ?? undefined,
      kind: kind ?? undefined,
      state: state as ForeignEntry['state'],
    })),
  }
}
