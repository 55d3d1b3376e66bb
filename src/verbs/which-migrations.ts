import { existsSync } from 'node:fs'
import type { Config, DatabaseConfig } from '../config/config.js'
import { readLedger } from '../database/ledger.js'
import { openDatabase } from '../database/open-database.js'
import { nearestName, problem } from '../errors.js'
import { withWorkspaceAt } from '../workspace/git-workspace.js'
import { findVersion } from '../workspace/version.js'
import { extensionsOf, type Workspace } from '../workspace/workspace.js'
import type { RunOptions } from './with-database.js'

/** Which migrations a command looks at that runs them on a shadow. */
export interface WhichMigrations {
  /** These migrations: "7", "0007" or "0007_add_rating". Default: what is pending. */
  readonly versions?: readonly string[]
  /** Those that are newer. */
  readonly since?: string
  /** A git ref: those that are new or another text there. */
  readonly base?: string
}

export function refuseTogether({ versions = [], since, base }: WhichMigrations): void {
  const given = [
    ...(versions.length > 0 ? ['versions'] : []),
    ...(since === undefined ? [] : ['--since']),
    ...(base === undefined ? [] : ['--base']),
  ]
  if (given.length > 1)
    throw problem('request.conflicting-options', {
      options: given,
      why: 'each of them says which migrations to look at',
    })
}

/** The versions that were asked for; without a word those that are pending. */
export async function wantedOf(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  {
    versions = [],
    since,
    base,
    observer,
    purpose,
  }: WhichMigrations & RunOptions & { readonly purpose: string },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { migrations } = workspace
  if (versions.length > 0) return new Set(versions.map((written) => knownVersion(written, workspace)))
  if (since !== undefined) {
    const after = /^0+$/.test(since) ? '0' : knownVersion(since, workspace)
    return new Set(
      migrations.filter(({ version }) => workspace.order(version, after) > 0).map(({ version }) => version),
    )
  }
  if (base !== undefined)
    return withWorkspaceAt({ ...database, layout: workspace.layout }, base, (there) => {
      const known = new Map(there.workspace.migrations.map(({ name, up }) => [name, up.checksum]))
      const changed = migrations.filter(({ name, up }) => known.get(name) !== up.checksum)
      return Promise.resolve(new Set(changed.map(({ version }) => version)))
    })
  const applied = await appliedIn(config, database, workspace, { observer, purpose }, signal)
  return new Set(migrations.map(({ version }) => version).filter((version) => !applied.has(version)))
}

function knownVersion(written: string, { database, migrations }: Workspace): string {
  const known = migrations.map(({ name }) => name)
  const found = findVersion(written, migrations)
  if (found !== undefined) return found
  throw problem('request.unknown-version', {
    version: written,
    database,
    known,
    nearest: /^\d+$/.test(written) ? undefined : nearestName(written, known),
  })
}

/** What the ledger of the database says, which is only read. An embedded database that is not there yet has nothing. */
async function appliedIn(
  config: Config,
  database: DatabaseConfig,
  workspace: Workspace,
  { observer, purpose }: { readonly observer: RunOptions['observer']; readonly purpose: string },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { target, ledger, name } = database
  if (target.kind === 'embedded' && !existsSync(target.folder)) return new Set()
  observer?.({ kind: 'opening', database: name, engine: target.kind })
  const opened = await openDatabase(config, database, {
    purpose,
    signal,
    extensions: () => extensionsOf(workspace),
    extensionsOnLock: true,
    onWait(reason) {
      observer?.({ kind: 'engine-wait', database: name, reason })
    },
  })
  try {
    const session = await opened.session()
    try {
      const { entries } = await readLedger(session, ledger)
      return new Set(entries.filter(({ state }) => state === 'applied').map(({ version }) => version))
    } finally {
      await session.close()
    }
  } finally {
    await opened.close()
  }
}
