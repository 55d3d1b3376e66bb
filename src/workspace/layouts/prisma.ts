import { problem, type DbkitError } from '../../errors.js'
import { compareText } from '../version.js'
import { timestampOf, wholeFile } from './files.js'
import type { Draft, Layout } from './layout.js'

/** A folder for each migration, with migration.sql; there is no way back. */
export const prisma: Layout = {
  name: 'prisma',
  recognise(folder) {
    if (folder.names.includes('migration_lock.toml')) return folder.show('migration_lock.toml')
    const file = folder.names.find((name) => /^[^/]+\/migration\.sql$/.test(name))
    // Drizzle keeps a snapshot beside each.
    return file === undefined || folder.names.some((name) => name.endsWith('/snapshot.json'))
      ? undefined
      : folder.show(file)
  },
  read(folder) {
    const problems: DbkitError[] = []
    const lock = folder.names.includes('migration_lock.toml') ? folder.text('migration_lock.toml') : ''
    const provider = /^\s*provider\s*=\s*"([^"]*)"/m.exec(lock)?.[1]
    if (provider !== undefined && !/^(?:postgres(?:ql)?|cockroachdb)$/.test(provider))
      problems.push(
        problem('layout.other-dialect', { file: folder.show('migration_lock.toml'), dialect: provider }),
      )
    const migrations = [
      ...new Set(folder.names.flatMap((name) => /^([^/]+)\//.exec(name)?.[1] ?? [])),
    ].flatMap((name): readonly Draft[] => {
      const file = `${name}/migration.sql`
      if (!folder.names.includes(file)) {
        problems.push(problem('layout.missing-file', { file: folder.show(file), tool: 'Prisma' }))
        return []
      }
      const irreversible = 'migrations of Prisma have no way back'
      return [{ version: name, name, up: wholeFile(folder, file, 'sent'), irreversible }]
    })
    return { migrations, order: compareText, problems }
  },
  create(title, { folder, now, texts }) {
    const migration = { path: `${timestampOf(now)}_${title}/migration.sql`, text: texts?.up ?? '' }
    return folder.names.includes('migration_lock.toml')
      ? [migration]
      : [{ path: 'migration_lock.toml', text: 'provider = "postgresql"\n' }, migration]
  },
}
