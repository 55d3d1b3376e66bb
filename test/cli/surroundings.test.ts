import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { main } from '../../src/cli/main.js'
import type { Output } from '../../src/cli/terminal.js'
import { makeFolder, runCli, type Ended, type Folder } from '../support/cli.js'
import type { JsonReport } from '../support/engines.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'

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

// Windows lets nobody remove a folder that somebody is in.
const onPosix = process.platform === 'win32' ? describe.skip : describe
onPosix('a current folder that was removed', () => {
  test('is told, without a stack', () => {
    const bin = fileURLToPath(new URL('../../bin/dbkit.cjs', import.meta.url))
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" migrate status'
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, bin], { cwd: folder.path })
    expect({ status, stderr: stderr.toString() }).toEqual({
      status: 2,
      stderr: 'error The current folder could not be used: it does not exist.\n',
    })
  })
})

describe('a narrow terminal', () => {
  test('has help broken between words', async () => {
    let help = ''
    const output: Output = { write: (text) => (help += text), columns: 60 }
    const ignore = (): void => undefined
    await main({
      argv: ['node', 'dbkit', 'migrate', 'up', '--help'],
      env: {},
      cwd: () => folder.path,
      stdin: process.stdin,
      stdout: output,
      stderr: output,
      on: ignore,
      removeListener: ignore,
      exit: ignore,
    })
    const lines = help.slice(0, help.indexOf('Examples:')).split('\n')
    expect(lines).toContain('  --lock-wait <time>     how long to wait for another runner')
    expect(lines.filter((line) => line.length > 60)).toEqual([])
  })
})

describe('nothing', () => {
  test('to apply, because the folder holds no migration, is told from being up to date', async () => {
    folder.write({ 'empty/README.md': 'none yet' })
    const { exit, stdout } = await dbkit(['migrate', 'up', '--dir', 'empty'])
    expect([exit, stdout]).toEqual([0, expect.stringContaining('note there are no migrations in empty\n')])
  })

  test('to load, because no seed set was named, is a mistake', async () => {
    const ended = await dbkit(['seed', '--dir', 'm', '--set', '', '--json'])
    expect([ended.exit, errorOf(ended)?.code]).toEqual([2, 'request.bad-option'])
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

const describeServer = serverUrl() === undefined ? describe.skip : describe
describeServer('a database with settings of its own', () => {
  let server: ServerDatabase
  beforeEach(async () => {
    server = await createServerDatabase('surroundings')
  })
  afterEach(async () => {
    await server.drop()
  })
  const set = (setting: string): Promise<unknown> =>
    server.query(`alter database "${server.name}" set ${setting}`)

  test('in which a backslash escapes: files are read as standard SQL all the same', async () => {
    await set('standard_conforming_strings = off')
    folder.write({
      'm/1_a.up.sql': "create table a (s text default 'x\\');\ninsert into a values ('a\\'), ('b\\n');",
      'm/2_b.up.sql':
        "-- dbkit: no-transaction\ninsert into a values ('c\\');\ninsert into a values ('d;\\')",
      'm/2_b.down.sql': "delete from a where s in ('c\\', 'd;\\')",
      'm/3_c.up.sql': "insert into a values ('e\\')",
      'm/3_c.down.sql': "delete from a where s = 'e\\'",
    })
    const ended = await dbkit(['migrate', 'up', '--dir', 'm', '--url', server.url])
    expect([ended.exit, ended.stderr]).toEqual([0, ''])
    const rows = await server.query('select s from a order by 1')
    expect(rows.map(({ s }) => s)).toEqual(['a\\', 'b\\n', 'c\\', 'd;\\', 'e\\'])
    expect((await dbkit(['migrate', 'down', '--step', '2', '--dir', 'm', '--url', server.url])).exit).toBe(0)
    expect(await server.query('select s from a order by 1')).toEqual([{ s: 'a\\' }, { s: 'b\\n' }])
  })

  test('that is read-only by default: the error says where to look', async () => {
    await set('default_transaction_read_only = on')
    const ended = await dbkit(['migrate', 'up', '--dir', 'm', '--url', server.url, '--json'])
    expect(errorOf(ended)).toMatchObject({ code: 'database.refused', exit: 3 })
    expect(errorOf(ended)?.hint).toContain('default_transaction_read_only')
  })

  test('in which the role may not make a schema: the error says what to ask for, and that is enough', async () => {
    const role = `${server.name}_role`
    await server.query(`create role "${role}" login`)
    try {
      await server.query(`grant create on schema public to "${role}"`)
      const url = new URL(server.url)
      url.username = role
      const args = ['migrate', 'up', '--dir', 'm', '--url', url.href, '--json']
      const hint = errorOf(await dbkit(args))?.hint ?? ''
      const [, statements = ''] = /run: (.*); or leave this check out/.exec(hint) ?? []
      await server.query(statements)
      expect((await dbkit(args)).exit).toBe(0)
    } finally {
      await server.query(`drop owned by "${role}"`)
      await server.query(`drop role "${role}"`)
    }
  })
})
