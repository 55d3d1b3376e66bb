import { afterEach } from '@jest/globals'
import { settleConfig, verify, type DatabaseReport, type VerifyOptions } from 'dbkit'
import { makeFolder, type Folder } from '../support/cli.js'
import { noteEngine, serverUrl } from '../support/server.js'

const folders: Folder[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove()
})

/** Files that are removed after the test. */
export function project(files: Readonly<Record<string, string>>): Folder {
  const folder = makeFolder(files)
  folders.push(folder)
  return folder
}

/** The files of a database called freight: a name without a folder is that of a migration. */
export function freight(files: Readonly<Record<string, string>>, options: object = {}): Folder {
  return project({
    'dbkit.config.json': JSON.stringify({ databases: { freight: options } }),
    ...Object.fromEntries(
      Object.entries(files).map(([name, text]) => [
        name.includes('/') ? name : `sql/freight/migrations/${name}`,
        text,
      ]),
    ),
  })
}

/** A shadow on the server where there is one; the embedded engine is as good, and slower. */
export function shadow(): Pick<VerifyOptions, 'shadowUrl'> {
  const url = serverUrl()
  noteEngine(url === undefined ? 'embedded PGlite 0.5.8' : 'server PostgreSQL')
  return url === undefined ? {} : { shadowUrl: url }
}

export async function proveIn({ path }: Folder, options: VerifyOptions = shadow()): Promise<DatabaseReport> {
  const config = await settleConfig({}, { cwd: path, environment: { HOME: process.env['HOME'] } })
  const [database] = (await verify(config, options)).databases
  if (database === undefined) throw new Error('no database in the report')
  return database
}

export function prove(
  files: Readonly<Record<string, string>>,
  options: VerifyOptions = shadow(),
): Promise<DatabaseReport> {
  return proveIn(freight(files), options)
}
