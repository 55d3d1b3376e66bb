import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { parseDuration } from '../duration.js'
import { environmentName, nearestName, problem, throwProblems, type DbkitError } from '../errors.js'
import type {
  CodegenConfig,
  Config,
  FleetConfig,
  Hook,
  Hooks,
  DatabaseConfig,
  DocsConfig,
  Environment,
  Target,
} from './config.js'
import type { LayoutName } from '../workspace/layouts/names.js'
import { checkConfig } from './check-config.js'
import type {
  CodegenOptions,
  DatabaseOptions,
  DbkitConfig,
  DocsOptions,
  FleetOptions,
  HookOption,
  HookOptions,
} from './define-config.js'

/** The global flags, as the command line (or a caller of the library) gives them. */
export interface Flags {
  readonly database?: readonly string[]
  readonly url?: string
  readonly dir?: string
  /** Whose rules the folders of migrations go by; auto: found out. */
  readonly layout?: LayoutName | 'auto'
  readonly config?: string
  readonly embedded?: boolean
  /** Milliseconds to wait for a server that is starting. */
  readonly waitMs?: number
  readonly lockTimeoutMs?: number
  readonly lockWaitMs?: number
  readonly templates?: number
  /** Without a configuration the current folder is the database: both things to compare were named, say. */
  readonly here?: boolean
}

export interface Surroundings {
  readonly cwd: string
  readonly environment: Environment
}

/** Flags, environment and configuration file to one settled Config. Fails with `request.*` and `config.*`. */
export async function settleConfig(flags: Flags, { cwd, environment }: Surroundings): Promise<Config> {
  const { root, file, written } = await readWritten(flags, cwd)
  const settled = { ...readDotEnv(root), ...environment }
  const known = Object.keys(written.databases)
  const selected = select(flags.database, known)
  const databases = selected.map((name) =>
    settleDatabase(name, written.databases[name] ?? {}, flags, root, settled),
  )
  refuseOneUrlForMany(databases, flags)
  return {
    root,
    file,
    databases,
    known,
    chosen: flags.database !== undefined || flags.dir !== undefined || known.length === 1,
    environment: settled,
  }
}

async function readWritten(
  flags: Flags,
  cwd: string,
): Promise<{ root: string; file: string | undefined; written: DbkitConfig }> {
  if (flags.dir !== undefined && flags.config === undefined) {
    // A folder of migrations needs no configuration; the database is called what the folder is called.
    const migrations = resolve(cwd, flags.dir)
    const folder = basename(migrations) === 'migrations' ? dirname(migrations) : migrations
    const name = flags.database?.[0] ?? (basename(folder) || 'root')
    // The name becomes a folder of .dbkit/, which must not lie elsewhere.
    if (basename(name) !== name || name === '.' || name === '..')
      throw problem('request.bad-option', {
        option: '--database',
        value: name,
        expected: 'a name without slashes',
      })
    return { root: cwd, file: undefined, written: { databases: { [name]: { migrations } } } }
  }
  const { findConfigFile, loadConfigFile } = await import('./load-config-file.js')
  const file = flags.config === undefined ? findConfigFile(cwd) : resolve(cwd, flags.config)
  if (file === undefined && flags.here === true) return readWritten({ ...flags, dir: '.' }, cwd)
  if (file === undefined) throw problem('request.no-databases', { folder: cwd })
  if (!existsSync(file)) throw problem('config.not-found', { file: flags.config ?? file })
  return { root: dirname(file), file, written: checkConfig(await loadConfigFile(file), basename(file)) }
}

/** .env beside the configuration; what the process was given wins. */
function readDotEnv(root: string): Environment {
  const file = join(root, '.env')
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
}

function select(wanted: readonly string[] | undefined, known: readonly string[]): readonly string[] {
  if (wanted === undefined) return known
  // `-d "$NAME"` with a variable that is not set: a run on no database would be green for the wrong reason.
  if (wanted.length === 0)
    throw problem('request.bad-option', {
      option: '--database',
      value: '',
      expected: `one of ${known.join(', ')}`,
    })
  const problems: DbkitError[] = wanted
    .filter((name) => !known.includes(name))
    .map((name) => problem('request.unknown-database', { name, known, nearest: nearestName(name, known) }))
  throwProblems(problems)
  return known.filter((name) => wanted.includes(name))
}

function settleDatabase(
  name: string,
  options: DatabaseOptions,
  flags: Flags,
  root: string,
  environment: Environment,
): DatabaseConfig {
  return {
    name,
    target: settleTarget(name, options, flags, root, environment),
    migrations: resolve(root, options.migrations ?? join('sql', name, 'migrations')),
    layout: flags.layout ?? options.layout ?? 'auto',
    placeholders: options.placeholders ?? {},
    environment,
    substitute: options.substitute ?? [],
    repeatable: join(
      dirname(resolve(root, options.migrations ?? join('sql', name, 'migrations'))),
      'repeatable',
    ),
    hooks: settleHooks(options.hooks ?? {}, root),
    fleet: options.fleet === undefined ? undefined : settleFleet(options.fleet, root),
    seeds: resolve(root, options.seeds ?? join('seeds', name)),
    seedsFrom: options.seedsFrom ?? {},
    bench: options.bench === undefined ? undefined : resolve(root, options.bench),
    generate: options.generate === undefined ? undefined : resolve(root, options.generate),
    mongo: options.mongo === undefined ? undefined : resolve(root, options.mongo),
    ledger: { schema: options.ledger?.schema ?? 'dbkit', table: options.ledger?.table ?? 'migrations' },
    searchPath: options.searchPath ?? '"$user", public',
    timeZone: options.timeZone ?? 'UTC',
    lockTimeoutMs: flags.lockTimeoutMs ?? milliseconds(options.lockTimeout, 5_000),
    lockRetries: options.lockRetries ?? 10,
    statementTimeoutMs: milliseconds(options.statementTimeout, 0),
    templates: flags.templates ?? options.templates ?? 0,
    lockWaitMs: flags.lockWaitMs ?? milliseconds(options.lockWait, 600_000),
    pool:
      options.pool === undefined
        ? undefined
        : {
            size: options.pool.size,
            overflow: options.pool.overflow ?? 0,
            instances: options.pool.instances ?? 1,
          },
    doctor: { accept: options.doctor?.accept ?? {} },
    maintenance: options.maintenance ?? {},
    codegen: settleCodegen(name, options.codegen ?? {}, root),
    docs: settleDocs(options.docs ?? {}, root),
  }
}

/** How many targets of a fleet at a time, where nobody says: a server has about 100 connections, and a target takes two. */
const FLEET_CONCURRENCY = 8

function settleFleet(options: FleetOptions, root: string): FleetConfig {
  const { canaries = [], concurrency = FLEET_CONCURRENCY, targets, env, file, query, schemas } = options
  const how = { canaries, concurrency }
  if (targets !== undefined) return { ...how, source: 'targets', targets }
  if (env !== undefined) return { ...how, source: 'env', env }
  if (file !== undefined) return { ...how, source: 'file', file: resolve(root, file) }
  if (query !== undefined) return { ...how, source: 'query', query }
  if (schemas !== undefined) return { ...how, source: 'schemas', schemas }
  return { ...how, source: 'schemaQuery', query: options.schemaQuery ?? '' }
}

function settleHooks(hooks: HookOptions, root: string): Hooks {
  const settled = (option: HookOption | readonly HookOption[] = []): readonly Hook[] =>
    [option]
      .flat()
      .map((hook) =>
        'command' in hook
          ? { command: hook.command, cwd: root }
          : 'file' in hook
            ? { file: resolve(root, hook.file) }
            : hook,
      )
  return {
    beforeRun: settled(hooks.beforeRun),
    afterRun: settled(hooks.afterRun),
    beforeMigration: settled(hooks.beforeMigration),
    afterMigration: settled(hooks.afterMigration),
  }
}

function settleDocs({ out, formats = [], requireComments = false }: DocsOptions, root: string): DocsConfig {
  return {
    out: resolve(root, out ?? join('docs', 'schema')),
    formats: [...new Set(formats)],
    requireComments:
      typeof requireComments === 'number' ? requireComments : requireComments ? 100 : undefined,
  }
}

function settleCodegen(name: string, options: CodegenOptions, root: string): CodegenConfig {
  const { jsonTypes = {} } = options
  return {
    out: resolve(root, options.out ?? join('types', `${name}.ts`)),
    camelCase: options.camelCase ?? false,
    names: options.names ?? {},
    overrides: options.overrides?.columns ?? {},
    customImports: options.customImports ?? {},
    jsonTypes: typeof jsonTypes === 'string' ? resolve(root, jsonTypes) : jsonTypes,
    exclude: options.exclude ?? [],
    infinity: options.infinity ?? false,
    emitter: options.emitter ?? 'dbkit',
    validators: options.validators ?? false,
    singularize: options.singularize ?? true,
    runtimeEnums: options.runtimeEnums === true ? 'screaming-snake-case' : options.runtimeEnums || undefined,
    typeMapping: options.typeMapping ?? {},
    numericParser: options.numericParser ?? 'string',
    dateParser: options.dateParser ?? 'timestamp',
  }
}

/** The first that says where: --embedded, --url, <NAME>_DATABASE_URL, the configuration, DATABASE_URL, PG* variables; else embedded. */
function settleTarget(
  name: string,
  options: DatabaseOptions,
  flags: Flags,
  root: string,
  environment: Environment,
): Target {
  const embedded = (asked: boolean, emptyVariable?: string): Target => ({
    kind: 'embedded',
    folder: join(root, '.dbkit', name),
    asked,
    emptyVariable,
  })
  const server = (url: string | undefined, source: string): Target => ({
    kind: 'server',
    url,
    source,
    fallbackDatabase: options.databaseName ?? name,
    waitMs: flags.waitMs ?? 0,
  })
  if (flags.embedded === true) return embedded(true)
  if (flags.url !== undefined) return server(flags.url, '--url')
  const variables = [environmentName(name), 'DATABASE_URL']
  const own = environment[environmentName(name)]
  if (own !== undefined && own !== '') return server(own, environmentName(name))
  if (options.embedded === true) return embedded(true)
  if (options.url !== undefined) return server(options.url, `databases.${name}.url`)
  const common = environment['DATABASE_URL']
  if (common !== undefined && common !== '') return server(common, 'DATABASE_URL')
  const selector = ['PGHOST', 'PGSERVICE', 'PGDATABASE'].find(
    (variable) => (environment[variable] ?? '') !== '',
  )
  if (selector !== undefined) return server(undefined, selector)
  return embedded(
    false,
    variables.find((variable) => environment[variable] === ''),
  )
}

/** One URL names one database: with several selected, all but one would be migrated into the wrong place. */
function refuseOneUrlForMany(databases: readonly DatabaseConfig[], flags: Flags): void {
  const shared = databases.filter(
    ({ target }) =>
      target.kind === 'server' &&
      (['--url', 'DATABASE_URL', 'PGDATABASE'].includes(target.source) || target.source === 'PGSERVICE'),
  )
  const [first] = shared
  if (first?.target.kind !== 'server' || shared.length < 2) return
  throw problem('request.one-url-many-databases', {
    source: flags.url === undefined ? first.target.source : '--url',
    databases: shared.map(({ name }) => name),
  })
}

function milliseconds(value: string | number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  return typeof value === 'number' ? value : (parseDuration(value) ?? otherwise)
}
