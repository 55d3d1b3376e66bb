import type { MaintenanceOptions } from './define-config.js'
import type { JsonShape } from '../codegen/json-types.js'
import type { LayoutName } from '../workspace/layouts/names.js'
import type { CommittedFormat } from './define-config.js'

/** What a run works on, settled: flags, environment and configuration file are merged, and nothing is left optional that has a default. */
export interface Config {
  /** The folder that paths in messages are relative to, and that holds `.dbkit/`. */
  readonly root: string
  readonly file: string | undefined
  /** The selected databases, in the order of the configuration. */
  readonly databases: readonly DatabaseConfig[]
  /** All databases of the configuration, selected or not. */
  readonly known: readonly string[]
  /** True when -d or --dir chose them. */
  readonly chosen: boolean
  readonly environment: Environment
}

export type Environment = Readonly<Record<string, string | undefined>>

export interface DatabaseConfig {
  readonly name: string
  readonly target: Target
  /** Absolute folders. */
  readonly migrations: string
  /** Whose rules the folder of migrations goes by; auto: found out. */
  readonly layout: LayoutName | 'auto'
  /** What stands for ${name} in the files of tools that have placeholders. */
  readonly placeholders: Readonly<Record<string, string>>
  readonly environment: Environment
  /** Variables of the environment that files may name. */
  readonly substitute: readonly string[]
  /** Absolute; the folder of what is run again when its text has changed. */
  readonly repeatable: string
  readonly hooks: Hooks
  /** Present: there are many of it. */
  readonly fleet: FleetConfig | undefined
  readonly seeds: string
  /** The version from which on a seed set fits, by its name. */
  readonly seedsFrom: Readonly<Record<string, string>>
  /** Absolute; the queries with a target, if there are any. */
  readonly bench: string | undefined
  /** Absolute; the recipe of generated rows, if there is one. */
  readonly generate: string | undefined
  /** Absolute; the mapping of MongoDB's documents, if there is one. */
  readonly mongo: string | undefined
  readonly ledger: { readonly schema: string; readonly table: string }
  /** Pinned in every migration; PostgreSQL's list of schemas, as in SET search_path. */
  readonly searchPath: string
  readonly timeZone: string
  /** Milliseconds a statement of a transactional migration may wait for a lock before it is tried again. */
  readonly lockTimeoutMs: number
  /** How often a migration that ran into lock_timeout is tried again. */
  readonly lockRetries: number
  /** Milliseconds a statement may run; 0: as long as it takes. */
  readonly statementTimeoutMs: number
  /** Milliseconds to wait for another runner that holds the migration lock. */
  readonly lockWaitMs: number
  /** How many templates of what `db reset` makes are kept on a server. */
  readonly templates: number
  readonly pool: { readonly size: number; readonly overflow: number; readonly instances: number } | undefined
  readonly doctor: { readonly accept: Readonly<Record<string, string>> }
  readonly maintenance: MaintenanceOptions
  readonly codegen: CodegenConfig
  readonly docs: DocsConfig
}

/** Where the targets of a fleet come from, and how they are gone over. */
export type FleetConfig = {
  readonly canaries: readonly string[]
  readonly concurrency: number
} & (
  | { readonly source: 'targets'; readonly targets: readonly string[] }
  | { readonly source: 'env'; readonly env: string }
  /** Absolute. */
  | { readonly source: 'file'; readonly file: string }
  | { readonly source: 'schemas'; readonly schemas: readonly string[] }
  | { readonly source: 'query' | 'schemaQuery'; readonly query: string }
)

export type HookName = 'beforeRun' | 'afterRun' | 'beforeMigration' | 'afterMigration'

export type Hooks = Readonly<Record<HookName, readonly Hook[]>>

export type Hook =
  | { readonly sql: string }
  /** Absolute. */
  | { readonly file: string }
  | { readonly command: string; readonly cwd: string }

export interface DocsConfig {
  /** Absolute; the folder of what is committed. */
  readonly out: string
  /** What is committed there; empty: nothing. */
  readonly formats: readonly CommittedFormat[]
  /** Percent of tables, columns, views, functions and types that have a comment; undefined: it is not asked for. */
  readonly requireComments: number | undefined
}

export interface CodegenConfig {
  /** Absolute. */
  readonly out: string
  readonly camelCase: boolean
  readonly names: Readonly<Record<string, string>>
  /** By "table.column". */
  readonly overrides: Readonly<Record<string, string>>
  readonly customImports: Readonly<Record<string, string>>
  /** Inline, or the absolute name of the file. */
  readonly jsonTypes: string | Readonly<Record<string, JsonShape>>
  readonly exclude: readonly string[]
  readonly infinity: boolean
  readonly emitter: 'dbkit' | 'kysely-codegen'
  readonly validators: boolean
  readonly singularize: boolean | Readonly<Record<string, string>>
  readonly runtimeEnums: 'pascal-case' | 'screaming-snake-case' | undefined
  readonly typeMapping: Readonly<Record<string, string>>
  readonly numericParser: 'string' | 'number' | 'number-or-string'
  readonly dateParser: 'timestamp' | 'string'
}

/** Where a database lives, and what made it so. */
export type Target = ServerTarget | EmbeddedTarget

export interface ServerTarget {
  readonly kind: 'server'
  /** Absent: the PG* variables alone say where. */
  readonly url: string | undefined
  /** "--url", "HAPPYROBOT_DATABASE_URL", ...: named in messages instead of the URL, which may hold a password. */
  readonly source: string
  readonly fallbackDatabase: string
  /** Another database of that server, whatever the URL says. */
  readonly database?: string
  readonly waitMs: number
}

export interface EmbeddedTarget {
  readonly kind: 'embedded'
  readonly folder: string
  /** False when it is only what is left because no server was named. */
  readonly asked: boolean
  /** A URL variable that is set but empty, as a missing CI secret leaves it. */
  readonly emptyVariable: string | undefined
}
