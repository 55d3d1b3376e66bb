import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { applyPlan } from '../apply/apply-plan.js'
import { runAllRepeatables } from '../apply/run-repeatables.js'
import type { Observer } from '../apply/observer.js'
import { factsOf, type Catalog } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { createLedger } from '../database/ledger.js'
import { openDatabase } from '../database/open-database.js'
import { quoteName } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError, problem } from '../errors.js'
import { planUp } from '../plan/plan.js'
import { carryOver, rolesNamedBy } from '../prove/carry-over.js'
import { loadDeclared } from '../prove/load-declared.js'
import type { Side } from '../prove/prove-change.js'
import { decodeScript, type ScriptText } from '../workspace/migration-file.js'
import { readSqlFiles, schemaFolderOf } from '../workspace/schema-folder.js'
import { extensionsIn, extensionsOf, readWorkspace, rolesOf, scriptReader } from '../workspace/workspace.js'

/** A side of a change, and what a shadow has to know before it is opened. */
export interface ChangeSide extends Side {
  readonly extensions: readonly string[]
  /** `-- dbkit: rename <kind> <old> = <new>` in its files. */
  readonly renames: readonly string[]
  /** What of a live database cannot be made again, and is therefore left as it is. */
  readonly notCompared?: readonly string[]
}

export interface SideContext {
  readonly config: Config
  readonly database: DatabaseConfig
  readonly signal: AbortSignal
  readonly observer: Observer
  readonly purpose: string
  /** As on the command line, for messages. */
  readonly option: string
  /** A folder of migrations that is not there yet holds none. */
  readonly mayBeMissing?: boolean
}

/**
 * What a user may name: "migrations", "schema" (the declared one) or "database" of the selected database, the name of a database of the
 * configuration, a URL, an .sql file, a folder of migrations or of declared schema.
 */
export async function sideOf(text: string, context: SideContext): Promise<ChangeSide> {
  const { config, database } = context
  if (/^postgres(?:ql)?:\/\//.test(text)) return liveSide(atUrl(database, text, context.option), context)
  if (text === 'database' || text === database.name) return liveSide(database, context)
  if (text === 'migrations') return migrationsSide(database, context)
  if (text === 'schema') return declaredSide(schemaFolderOf(database), context)
  const other = config.databases.find(({ name }) => name === text)
  if (other !== undefined) return liveSide(other, context)
  const path = resolve(config.root, text)
  if (!existsSync(path))
    throw problem('request.bad-option', {
      option: context.option,
      value: text,
      expected: `a URL, an .sql file, a folder, "migrations", "schema", "database" or one of ${config.known.join(', ')}`,
    })
  if (statSync(path).isFile()) return filesSide([path], relative(config.root, path) || text, context)
  const names = readSqlFiles(path)
  const isMigrations = [...names.keys()].some((name) => /^\d+[^/]*\.up\.sql$/.test(name))
  return isMigrations
    ? migrationsSide({ ...database, migrations: path }, context)
    : declaredSide(path, context)
}

function atUrl(database: DatabaseConfig, url: string, source: string): DatabaseConfig {
  const target = { kind: 'server', url, source, fallbackDatabase: 'postgres', waitMs: 0 } as const
  return { ...database, target }
}

/** Read once, and made again on the shadow from its definitions: nothing is tried on the database itself. */
async function liveSide(database: DatabaseConfig, context: SideContext): Promise<ChangeSide> {
  const { signal } = context
  const opened = await openDatabase(context.config, database, {
    purpose: context.purpose,
    signal,
    extensions: () => [],
  })
  let catalog: Catalog
  try {
    const session = await opened.session()
    try {
      catalog = await readCatalog(session, { ledger: database.ledger })
    } finally {
      await session.close()
    }
  } finally {
    await opened.close()
  }
  const roles = rolesNamedBy(catalog)
  const left = factsOf(catalog, 'subscription').map(({ key }) => key)
  const unknown = catalog.unmodelled.map(({ kind, identity }) => `${kind} ${identity}`)
  return {
    label: opened.engine.label,
    extensions: [...catalog.facts.values()].flatMap(({ kind, name }) => (kind === 'extension' ? [name] : [])),
    roles: () => roles,
    renames: [],
    notCompared: [...left, ...unknown],
    async make(session) {
      const { server_version_num: major } = await majorOf(session)
      const made = await carryOver(catalog, session, { ledger: database.ledger, major, signal })
      if (major === catalog.major) refuseOthers(catalog, made, major)
      return made
    },
  }
}

/** What is made again has to be the same, or the plan is made for another database than the one it is meant for. */
function refuseOthers(catalog: Catalog, made: Catalog, major: number): void {
  const [difference] = compareCatalogs(catalog, made).differences.filter(
    // Neither is written down, because it may hold a password.
    ({ key }) => !key.startsWith('subscription ') && !key.startsWith('user mapping '),
  )
  if (difference === undefined) return
  const message = `it becomes another one, ${describeDifference(difference).join(', ')}`
  throw problem('drift.not-carried-over', { object: difference.key, major, message })
}

async function majorOf(session: Session): Promise<{ readonly server_version_num: number }> {
  const [row] = await session.query(`select current_setting('server_version_num')::int / 10000`)
  return { server_version_num: Number(row?.[0]) }
}

function migrationsSide(database: DatabaseConfig, context: SideContext): ChangeSide {
  const workspace = readWorkspace(database, context.config.root, {
    mayLackDowns: true,
    mayBeMissing: context.mayBeMissing === true,
  })
  return {
    label: `the migrations in ${relative(context.config.root, database.migrations) || '.'}`,
    extensions: extensionsOf(workspace),
    roles: () => rolesOf(workspace),
    renames: [],
    async make(session) {
      await createLedger(session, database.ledger)
      const options = { allowOutOfOrder: false, singleTransaction: false }
      const plan = planUp(workspace, { exists: true, entries: [] }, { kind: 'latest' }, options, {
        text: scriptReader(),
      })
      const sessions = { current: () => Promise.resolve(session), close: () => Promise.resolve() }
      const { error } = await applyPlan(plan, sessions, database, {
        signal: context.signal,
        observer: context.observer,
        singleTransaction: false,
      })
      if (error !== undefined) throw error
      const { signal } = context
      await runAllRepeatables(workspace.repeatable, sessions, scriptReader(), { config: database, signal })
      return undefined
    },
  }
}

function declaredSide(folder: string, context: SideContext): ChangeSide {
  const shown = relative(context.config.root, folder) || '.'
  const names = [...readSqlFiles(folder).keys()]
  if (names.length === 0) throw problem('diff.no-files', { folder: shown })
  return filesSide(
    names.map((name) => resolve(folder, name)),
    shown,
    context,
  )
}

const RENAME = /^--\s*dbkit:\s*rename\s+(.*?)\s*$/gm

function filesSide(paths: readonly string[], label: string, context: SideContext): ChangeSide {
  const scripts = paths.map((path): ScriptText => {
    const script = decodeScript(readFileSync(path), relative(context.config.root, path) || basename(path))
    if (script instanceof DbkitError) throw script
    return script
  })
  const texts = scripts.map(({ text }) => text)
  const roles = new Set<string>()
  return {
    label,
    extensions: texts.flatMap((text) => extensionsIn(text)),
    roles: () => [...roles],
    renames: texts.flatMap((text) => [...text.matchAll(RENAME)].map(([, rename = '']) => rename)),
    async make(session) {
      for (;;) {
        try {
          await loadDeclared(session, scripts, context.database, context.signal)
          await session.script('reset all')
          return undefined
        } catch (error) {
          // A schema names roles and does not make them.
          const role = missingRole(error)
          if (role === undefined || roles.has(role)) throw error
          roles.add(role)
          await session.script(`create role ${quoteName(role)}`)
        }
      }
    },
  }
}

function missingRole(error: unknown): string | undefined {
  if (!(error instanceof DbkitError)) return undefined
  const all = [error, ...error.others].map(({ cause }) => cause)
  for (const cause of all) {
    const name =
      cause instanceof SqlError ? /^role "(.*)" does not exist$/.exec(cause.message)?.[1] : undefined
    if (name !== undefined) return name
  }
  return undefined
}
