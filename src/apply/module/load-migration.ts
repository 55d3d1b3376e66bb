import type { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildTrouble, ModulePlugin } from '../../config/load-module.js'
import { problem, DbkitError } from '../../errors.js'
import type { ScriptText } from '../../workspace/migration-file.js'
import { backfill, BACKFILL } from './backfill-call.js'
import { stackPlace } from './module-failure.js'

/** What a migration exports, beside the Kysely that it is given a database of: its own, not dbkit's. */
export interface LoadedMigration {
  readonly up: (db: Kysely<unknown>) => unknown
  readonly down: ((db: Kysely<unknown>) => unknown) | undefined
  readonly kysely: KyselyParts
}

export interface KyselyParts {
  readonly Kysely: typeof Kysely
  readonly PostgresAdapter: typeof PostgresAdapter
  readonly PostgresIntrospector: typeof PostgresIntrospector
  readonly PostgresQueryCompiler: typeof PostgresQueryCompiler
}

/**
 * Loads a migration as code, and runs what stands outside of its functions. Fails with `module.*`. Only what is going to be run is
 * loaded: a look at what is pending reads text.
 */
export async function loadMigration(script: ScriptText): Promise<LoadedMigration> {
  const { module, file } = script
  if (module === undefined || module.path === '')
    throw new Error(`${file} is no migration as code that could be run`)
  const { transpile } = await import('../../config/load-module.js')
  const found = { kysely: true }
  const failed = ({ reason, location }: BuildTrouble, cause: unknown): Error =>
    found.kysely
      ? problem(
          'module.unloadable',
          { file, reason },
          { location: location === undefined ? undefined : { ...location, file }, cause },
        )
      : problem('module.kysely-missing', { file }, { cause })
  const url = await transpile(
    {
      entry: module.path,
      wrapper: `export * from ${JSON.stringify(module.path)}\nexport * as dbkitKysely from 'kysely'\n`,
      own: module.own,
      prefix: 'migration',
      plugins: (packages) => [packagesOf(module.packagesFrom, packages, found)],
      findsPackages: true,
      sourcemap: true,
    },
    failed,
  )
  return checked(script, await imported(url, script))
}

async function imported(url: string, script: ScriptText): Promise<Record<string, unknown>> {
  const { importModule } = await import('../../config/load-module.js')
  ;(globalThis as Record<symbol, unknown>)[BACKFILL] = backfill
  try {
    return await importModule(url)
  } catch (error) {
    if (error instanceof DbkitError) throw error
    if (isMissing(error, 'kysely'))
      throw problem('module.kysely-missing', { file: script.file }, { cause: error })
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw problem(
      'module.unloadable',
      { file: script.file, reason },
      { location: stackPlace(error, script), cause: error },
    )
  }
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: string }
  return code === 'ERR_MODULE_NOT_FOUND' && new RegExp(`[/\\\\]${name}[/\\\\]|'${name}'`).test(message ?? '')
}

/** What was read from the text, which decided the plan, has to be what the module says. */
function checked(script: ScriptText, module: Record<string, unknown>): LoadedMigration {
  const { file, directives } = script
  const { up, down, transaction, dbkitKysely } = module
  if (typeof up !== 'function') throw problem('workspace.no-up-exported', { file })
  if (down !== undefined && typeof down !== 'function')
    throw problem('module.not-literal', { file, what: 'down as a function' })
  if (transaction !== undefined && (transaction === true) !== directives.transaction)
    throw problem('module.not-literal', { file, what: 'transaction' })
  return {
    up: up as LoadedMigration['up'],
    down: down as LoadedMigration['down'],
    kysely: dbkitKysely as KyselyParts,
  }
}

/**
 * Packages are imported from where the migrations find them, not from where the bundle lies; and `dbkit` is the one that runs, also where
 * none is installed beside the migrations.
 */
function packagesOf(from: string, packages: 'external' | 'bundle', found: { kysely: boolean }): ModulePlugin {
  return {
    name: 'packages-of-migrations',
    setup(setup) {
      setup.onResolve({ filter: /^dbkit$/ }, () => ({ path: 'dbkit', namespace: 'dbkit' }))
      setup.onLoad({ filter: /.*/, namespace: 'dbkit' }, () => ({
        contents:
          `export const backfill = (db, options) => globalThis[Symbol.for(${JSON.stringify(BACKFILL.description)})](db, options)\n` +
          'export const defineConfig = (config) => config\n',
      }))
      setup.onResolve({ filter: /^[^./]/ }, async ({ path, importer, kind, pluginData }) => {
        if (pluginData === RESOLVING || path.startsWith('node:')) return undefined
        // Within packages, and on Windows for absolute names, nothing is different.
        const resolveDir = importer.includes('node_modules') ? dirname(importer) : from
        const resolved = await setup.resolve(path, { resolveDir, kind, pluginData: RESOLVING })
        if (resolved.errors.length > 0) {
          if (path === 'kysely') found.kysely = false
          return { errors: resolved.errors, warnings: resolved.warnings }
        }
        if (packages === 'bundle' || resolved.external || resolved.namespace !== 'file')
          return { path: resolved.path, external: resolved.external, namespace: resolved.namespace }
        return { path: pathToFileURL(resolved.path).href, external: true }
      })
    },
  }
}

const RESOLVING = Symbol('resolving')
