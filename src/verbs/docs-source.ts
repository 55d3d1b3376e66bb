import { readCatalog } from '../catalog/read-catalog.js'
import type { Catalog } from '../catalog/catalog.js'
import type { Config, DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import type { Docs } from '../docs/docs.js'
import { makeDocs, type DocsSource } from '../docs/make-docs.js'
import { findProvenance } from '../docs/provenance.js'
import { readLineage, type Lineage } from '../docs/read-lineage.js'
import { readStatistics, type Statistics } from '../docs/statistics.js'
import { withMigrated } from '../prove/migrated-catalog.js'
import type { EngineReport } from '../report.js'
import { splitStatements } from '../workspace/statements.js'
import { readScriptText, type Workspace } from '../workspace/workspace.js'
import { defaultSchemaOf, readJsonTypes } from './read-json-types.js'
import type { RunOptions } from './with-database.js'

/** What is read of a database to document it. */
export interface Read {
  readonly catalog: Catalog
  readonly lineage: Lineage
  readonly statistics?: Statistics | undefined
}

export async function readForDocs(
  session: Session,
  { ledger }: DatabaseConfig,
  live: boolean,
): Promise<Read> {
  return {
    catalog: await readCatalog(session, { ledger }),
    lineage: await readLineage(session),
    ...(live ? { statistics: await readStatistics(session) } : {}),
  }
}

/** The same of what the migrations make of an empty database. */
export async function readMigrated(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  options: RunOptions & { readonly shadowUrl?: string | undefined },
): Promise<{ readonly read: Read; readonly engine: EngineReport }> {
  const { result, engine } = await withMigrated(
    config,
    database,
    workspace,
    {
      shadowUrl: options.shadowUrl,
      purpose: 'docs build',
      signal: options.signal ?? new AbortController().signal,
      observer: options.observer ?? (() => undefined),
    },
    (session) => readForDocs(session, database, false),
  )
  return { read: result, engine }
}

/** Everything that is said of a database, with who made it according to its files. */
export function docsFrom(config: Config, database: DatabaseConfig, workspace: Workspace, read: Read): Docs {
  const migrations = migrationSources(workspace)
  const defaultSchema = defaultSchemaOf(database.searchPath)
  return makeDocs({
    database: database.name,
    defaultSchema,
    jsonTypes: readJsonTypes(database, config.root),
    provenance: findProvenance(migrations, defaultSchema),
    migrations,
    ...read,
  })
}

function migrationSources(workspace: Workspace): DocsSource['migrations'] {
  return workspace.migrations.map(({ version, name, up }) => {
    const { text } = readScriptText(up)
    return { version, name, file: up.file, text, statements: splitStatements(text) }
  })
}
