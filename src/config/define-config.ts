import type { JsonShape } from '../codegen/json-types.js'
import type { LayoutName } from '../workspace/layouts/names.js'

/** What a user writes in dbkit.config.*; every key but `databases` has a default. */
export interface DbkitConfig {
  readonly databases: Readonly<Record<string, DatabaseOptions>>
}

export interface DatabaseOptions {
  /** Folder of the versioned SQL, relative to the configuration file. Default: sql/<database>/migrations */
  readonly migrations?: string
  /** Which tool's rules the folder of migrations goes by. Default: auto, which finds out */
  readonly layout?: LayoutName | 'auto'
  /** Values of the placeholders in the files of Flyway and graphile-migrate: { schema: 'freight' } */
  readonly placeholders?: Readonly<Record<string, string>>
  /** Folder of the seed sets. Default: seeds/<database> */
  readonly seeds?: string
  /** The version from which on a seed set can be loaded, by its name; `dbkit verify` loads it at each. Default: only at the head */
  readonly seedsFrom?: Readonly<Record<string, string>>
  /** File of the queries that are to be answered within a time, for `dbkit bench`. */
  readonly bench?: string
  /** File that says what makes generated rows plausible, for `dbkit seed generate`. */
  readonly generate?: string
  /** File that says how documents of a MongoDB export become rows, for `dbkit import mongo`. */
  readonly mongo?: string
  /** A server's URL. Better kept in <NAME>_DATABASE_URL; a configuration file is committed. */
  readonly url?: string
  /** The database's name on a server that only PGHOST or PGSERVICE names. Default: the key. */
  readonly databaseName?: string
  /** True: always the embedded engine, also in CI. */
  readonly embedded?: boolean
  /** Where the ledger is kept. Default: dbkit.migrations */
  readonly ledger?: { readonly schema?: string; readonly table?: string }
  /** search_path during migrations. Default: "$user", public */
  readonly searchPath?: string
  /** TimeZone during migrations. Default: UTC */
  readonly timeZone?: string
  /** "5s", "500ms" or milliseconds. Default: 5s */
  readonly lockTimeout?: string | number
  /** Default: 10 */
  readonly lockRetries?: number
  /** Default: 0, no limit */
  readonly statementTimeout?: string | number
  /** How long to wait for another runner. Default: 10min */
  readonly lockWait?: string | number
  /**
   * So many template databases (`dbkit_state_...`) are kept on the server, from which `db reset` copies when nothing has changed; the least
   * recently used goes first. Default: 0, none
   */
  readonly templates?: number
  /** Variables of the environment that files may name inside quotes: '${TENANT}' for a text, "${APP_ROLE}" for a name. Default: none */
  readonly substitute?: readonly string[]
  /** Many databases, or schemas of one, that have the same migrations, for --fleet. */
  readonly fleet?: FleetOptions
  /** What is run around a run, and around each migration. */
  readonly hooks?: HookOptions
  /** Connections that the application may open, for `dbkit doctor`: size and overflow of a pool, and how many instances have one. */
  readonly pool?: { readonly size: number; readonly overflow?: number; readonly instances?: number }
  /** Findings of `dbkit doctor` that are meant so, with the reason: { accept: { 'redundant-index public.loads_status': 'documented' } } */
  readonly doctor?: { readonly accept?: Readonly<Record<string, string>> }
  /** What `dbkit maintain` does, how often, and to which rows. */
  readonly maintenance?: MaintenanceOptions
  /** What `dbkit codegen` emits, and where. */
  readonly codegen?: CodegenOptions
  /** What `dbkit docs` writes to be committed, and what it asks for. */
  readonly docs?: DocsOptions
}

/** One of targets, env, file, query, schemas and schemaQuery says which they are. */
export interface FleetOptions {
  /** URLs, each with a name before it if that is wanted: "acme=postgresql://..." */
  readonly targets?: readonly string[]
  /** The variable of the environment that holds such a list, with commas or line ends between them. */
  readonly env?: string
  /** A file of such lines, relative to the configuration file; # begins a comment. */
  readonly file?: string
  /** A query to this database that returns names and URLs. */
  readonly query?: string
  /** Schemas of this database, each with its own ledger. */
  readonly schemas?: readonly string[]
  /** A query to this database that returns the names of such schemas. */
  readonly schemaQuery?: string
  /** Names of those that go first; when one fails, none of the others is touched. */
  readonly canaries?: readonly string[]
  /** How many at a time. Default: 8 */
  readonly concurrency?: number
}

export interface HookOptions {
  /** When there is something to run, before any of it. */
  readonly beforeRun?: HookOption | readonly HookOption[]
  /** At the end of such a run, also when it failed: DBKIT_OUTCOME says how it went. */
  readonly afterRun?: HookOption | readonly HookOption[]
  readonly beforeMigration?: HookOption | readonly HookOption[]
  /** Also after a migration that failed. */
  readonly afterMigration?: HookOption | readonly HookOption[]
}

/** SQL, in a transaction of its own; a file of it; or a command in a shell. */
export type HookOption = { readonly sql: string } | { readonly file: string } | { readonly command: string }

/** Formats that say nothing of commits and authors, so that they can be committed themselves. */
export type CommittedFormat = 'markdown' | 'mermaid' | 'dbml' | 'dot' | 'svg'

export interface DocsOptions {
  /** Folder of the committed documentation, relative to the configuration file. Default: docs/schema */
  readonly out?: string
  /** What is committed: `dbkit docs build` writes it and `--check` compares it. Default: nothing */
  readonly formats?: readonly CommittedFormat[]
  /** Percent of tables, columns, views, functions and types that must have a comment; true: all of them. Default: none */
  readonly requireComments?: number | boolean
}

/** Spans are PostgreSQL's intervals of one unit: "90 days", "1 month". Tables are named as in SQL, with their schema where it is not public. */
export interface MaintenanceOptions {
  /** VACUUM (ANALYZE), how often and of which tables. Default: when it is asked for, and all of them */
  readonly vacuum?: UpkeepPolicy
  readonly analyze?: UpkeepPolicy
  /** REINDEX CONCURRENTLY */
  readonly reindex?: UpkeepPolicy
  /** Materialized views */
  readonly refresh?: UpkeepPolicy
  /** Rows that are moved into another table, by the table they are moved from. */
  readonly archive?: Readonly<Record<string, ArchivePolicy>>
  /** Rows that are deleted, by table. */
  readonly retention?: Readonly<Record<string, RetentionPolicy>>
  /** Partitions that are created ahead and detached, by partitioned table. */
  readonly partitions?: Readonly<Record<string, PartitionPolicy>>
}

export interface UpkeepPolicy {
  /** Default: only when it is asked for */
  readonly every?: string
  /** Default: all */
  readonly tables?: readonly string[]
}

export interface ArchivePolicy {
  readonly into: string
  /** The date or timestamp that says how old a row is. */
  readonly column: string
  readonly olderThan: string
  /** Rows that are moved at a time. Default: 1000 */
  readonly batch?: number
}

export interface RetentionPolicy {
  readonly column: string
  readonly olderThan: string
  readonly batch?: number
  /** Also rows that others refer to by ON DELETE CASCADE, which go with them. Default: false, such rows stay */
  readonly cascade?: boolean
}

export interface PartitionPolicy {
  /** What one partition holds. */
  readonly every: 'day' | 'week' | 'month' | 'year'
  /** How many to have beyond that of today. Default: 3 */
  readonly ahead?: number
  /** Partitions that ended longer ago are detached, and stay as tables of their own. Default: all stay */
  readonly keep?: string
}

/** dbkit: its own. kysely-codegen: the serializer of that package, fed by dbkit with what it would not find out. */
export type Emitter = 'dbkit' | 'kysely-codegen'

export interface CodegenOptions {
  /** File of the types, relative to the configuration file. Default: types/<database>.ts */
  readonly out?: string
  /** Name columns as Kysely's CamelCasePlugin does. Default: false */
  readonly camelCase?: boolean
  /** Names of rows where the table's own in the singular is not wanted: { people_of_note: 'Notable' } */
  readonly names?: Readonly<Record<string, string>>
  /** TypeScript types of single columns, instead of those dbkit finds: { columns: { 'orders.state': 'OrderState' } } */
  readonly overrides?: { readonly columns?: Readonly<Record<string, string>> }
  /** Where the types named in overrides and shapes come from: { OrderState: './orders.js' } */
  readonly customImports?: Readonly<Record<string, string>>
  /** What the documents of JSON columns look like, a TypeScript type or JSON Schema for each "table.column"; or a JSON file of that. */
  readonly jsonTypes?: string | Readonly<Record<string, JsonShape>>
  /** Tables and views to leave out. */
  readonly exclude?: readonly string[]
  /** Type dates as `Date | number`, for columns that hold 'infinity'. Default: false */
  readonly infinity?: boolean
  /** What writes the file. Default: dbkit */
  readonly emitter?: Emitter
  /** Emit Zod schemas beside the types, into <out>.validators.ts. Default: false */
  readonly validators?: boolean
  /**
   * Name a row by its table in the singular; rules as kysely-codegen has them, of a word or a /pattern/: { beeves: 'beef' }.
   * Default: true
   */
  readonly singularize?: boolean | Readonly<Record<string, string>>
  /** A constant object for each enum and list of texts, with its keys so written; true: 'screaming-snake-case'. Default: false */
  readonly runtimeEnums?: boolean | 'pascal-case' | 'screaming-snake-case'
  /** TypeScript types by the name of a PostgreSQL type, for columns of it other than arrays: { interval: 'Duration' } */
  readonly typeMapping?: Readonly<Record<string, string>>
  /** What the application's parser of NUMERIC (oid 1700) makes of it. Default: string, as `pg` does */
  readonly numericParser?: 'string' | 'number' | 'number-or-string'
  /** What the application's parser of DATE (oid 1082) makes of it. Default: timestamp, a Date, as `pg` does */
  readonly dateParser?: 'timestamp' | 'string'
}

/** Gives a configuration its type: `export default defineConfig({ databases: { freight: {} } })`. Returns what it is given. */
export function defineConfig<const C extends DbkitConfig>(config: C): C {
  return config
}
