import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Ended, type Folder } from '../support/cli.js'
import type { JsonReport } from '../support/engines.js'

let folder: Folder
beforeEach(() => {
  folder = makeFolder({ 'm/1_a.up.sql': 'create table a ()', 'm/1_a.down.sql': 'drop table a' })
})
afterEach(() => {
  folder.remove()
})
const dbkit = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runCli(args, { cwd: folder.path, env })
const errorOf = (ended: Ended): JsonReport['error'] => {
  const report = JSON.parse(ended.stdout) as JsonReport
  return report.error ?? report.databases.find(({ error }) => error !== undefined)?.error
}

describe('a project folder', () => {
  const config = (migrations: string): string =>
    `import { folder } from 'a-package'\nexport default { databases: { shop: { migrations: folder + ${JSON.stringify(migrations)} } } }`
  const aPackage = {
    'node_modules/a-package/package.json':
      '{ "name": "a-package", "type": "module", "exports": "./index.js" }',
    'node_modules/a-package/index.js': "export const folder = './'",
  }

  test('that cannot be written to still gives its configuration', async () => {
    // A file where the folder would be: permissions do not stop root, who runs tests in containers.
    folder.write({ 'dbkit.config.ts': config('missing'), ...aPackage, '.dbkit': '' })
    const ended = await dbkit(['migrate', 'status', '--json'])
    expect(errorOf(ended)).toMatchObject({ code: 'workspace.missing-folder' })
    expect(errorOf(ended)?.message).toContain('missing')
  })

  test('has its own part kept out of git, and the compiled configuration to itself', async () => {
    folder.write({ 'dbkit.config.ts': config('missing'), ...aPackage })
    await dbkit(['migrate', 'status'])
    expect(readFileSync(join(folder.path, '.dbkit/.gitignore'), 'utf8')).toBe('*\n')
    const cache = join(folder.path, '.dbkit/cache')
    const modes = readdirSync(cache).map((name) => statSync(join(cache, name)).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600])
  })
})

describe('a file that the system refuses', () => {
  test('is named, and is no bug: a folder called like a migration', async () => {
    mkdirSync(join(folder.path, 'm/2_b.up.sql'))
    folder.write({ 'm/2_b.down.sql': '' })
    const ended = await dbkit(['migrate', 'status', '--dir', 'm', '--json'])
    expect([ended.exit, errorOf(ended)?.code]).toEqual([2, 'run.file-failed'])
    expect(errorOf(ended)?.message).toMatch(/2_b\.up\.sql could not be used: it is a folder\.$/)
  })

  test('is named, and is no bug: a link to nowhere', async () => {
    symlinkSync('nowhere', join(folder.path, 'm/2_b.up.sql'))
    folder.write({ 'm/2_b.down.sql': '' })
    const ended = await dbkit(['migrate', 'status', '--dir', 'm', '--json'])
    expect([ended.exit, errorOf(ended)?.code]).toEqual([2, 'run.file-failed'])
  })

  test('is named, and is no bug: a migration that cannot be written', async () => {
    folder.write({
      file: '',
      'dbkit.config.json': '{ "databases": { "shop": { "migrations": "file/below" } } }',
    })
    const ended = await dbkit(['migrate', 'create', 'x', '--json'])
    expect([ended.exit, errorOf(ended)?.code]).toEqual([2, 'run.file-failed'])
  })

  test('is named, and is no bug: where the embedded engine would be', async () => {
    folder.write({ '.dbkit': '' })
    const ended = await dbkit(['migrate', 'up', '--dir', 'm', '--json'])
    expect([ended.exit, errorOf(ended)?.code]).toEqual([2, 'run.file-failed'])
  })
})
