import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { main } from '../../src/cli/main.js'
import type { Terminal } from '../../src/cli/terminal.js'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'

const bin = fileURLToPath(new URL('../../bin/', import.meta.url))

const folders: Folder[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove()
})

function empty(files: Readonly<Record<string, string>> = {}): Folder {
  const folder = makeFolder(files)
  folders.push(folder)
  return folder
}

function terminal(
  cwd: string,
  args: readonly string[],
  answers: string,
): Terminal & { readonly said: string[] } {
  const said: string[] = []
  const output = { isTTY: true, write: (text: string) => void said.push(text) }
  return {
    argv: ['node', 'dbkit', ...args],
    env: { NO_COLOR: '1' },
    cwd: () => cwd,
    stdin: Object.assign(Readable.from([answers]), { isTTY: true }),
    stdout: output,
    stderr: output,
    on: () => undefined,
    removeListener: () => undefined,
    exit: () => undefined,
    said,
  }
}

describe('dbkit init', () => {
  test('writes a project in which everything works', async () => {
    const { path } = empty()
    const made = await runCli(
      ['init', '-d', 'shop', '--ci', 'github', '--types', 'src/db.ts', '--yes', '--json'],
      { cwd: path },
    )
    const report = JSON.parse(made.stdout) as { databases: { files: string[] }[] }
    expect([made.exit, report.databases[0]?.files]).toEqual([
      0,
      [
        'dbkit.config.ts',
        'sql/shop/migrations/0001_notes.up.sql',
        'sql/shop/migrations/0001_notes.down.sql',
        'seeds/shop/sample/notes.csv',
        '.github/workflows/dbkit.yml',
      ],
    ])
    const server = serverUrl() === undefined ? undefined : await createServerDatabase('init')
    if (server === undefined) noteEngine('embedded PGlite 0.5.8')
    const env = server === undefined ? {} : { SHOP_DATABASE_URL: server.url }
    const shadow = server === undefined ? [] : ['--shadow-url', server.url]
    try {
      for (const command of [['migrate', 'up'], ['seed'], ['codegen'], ['verify', ...shadow]]) {
        const { exit, stderr } = await runCli(command, { cwd: path, env })
        expect({ command, exit, stderr: exit === 0 ? '' : stderr }).toEqual({ command, exit: 0, stderr: '' })
      }
      expect(readFileSync(join(path, 'src/db.ts'), 'utf8')).toContain('created_at')
    } finally {
      await server?.drop()
    }
    const again = await runCli(['init', '--yes', '--json'], { cwd: path })
    expect([again.exit, (JSON.parse(again.stdout) as { error: { code: string } }).error.code]).toEqual([
      2,
      'init.exists',
    ])
  })

  test('leaves what is there as it is, and takes a history on where it stands', async () => {
    const { path } = empty({
      'db/migrations/0001_mine.up.sql': 'create table mine ();',
      'db/migrations/0001_mine.down.sql': 'drop table mine;',
      '.gitlab-ci.yml': 'mine: {}',
    })
    const { stdout } = await runCli(
      [
        'init',
        '-d',
        'shop',
        '--dir',
        'db/migrations',
        '--url-env',
        'SHOP_URL',
        '--ci',
        'gitlab',
        '--yes',
        '--json',
      ],
      { cwd: path },
    )
    const [shop] = (JSON.parse(stdout) as { databases: { files: string[]; notes: string[] }[] }).databases
    expect(shop?.files).toEqual(['dbkit.config.ts'])
    expect(shop?.notes[0]).toBe('.gitlab-ci.yml is there already, and was left as it is')
    expect(readFileSync(join(path, '.gitlab-ci.yml'), 'utf8')).toBe('mine: {}')
    expect(readFileSync(join(path, 'dbkit.config.ts'), 'utf8')).toContain("url: process.env['SHOP_URL']")
    const status = await runCli(['migrate', 'status', '--json', '--embedded'], { cwd: path })
    expect(status.stdout).toContain('0001_mine')
  })

  test.each([
    [['-d', '1st'], 'request.bad-option'],
    [['--url-env', 'a-b'], 'request.bad-option'],
  ])('refuses %j before it writes', async (args, code) => {
    const { path } = empty()
    const { exit, stdout } = await runCli(['init', ...args, '--yes', '--json'], { cwd: path })
    expect([exit, (JSON.parse(stdout) as { error: { code: string } }).error.code]).toEqual([2, code])
    expect(existsSync(join(path, 'dbkit.config.ts'))).toBe(false)
  })

  test('asks in a terminal for what no flag says', async () => {
    const { path } = empty()
    const people = terminal(path, ['init', '--types', 'src/types.ts'], 'store\n\n\ngitlab\n')
    expect(await main(people)).toBe(0)
    expect(people.said.filter((line) => line.includes('?'))).toEqual([
      expect.stringMatching(/^Name of the database\? \[dbkit-test-/),
      'Folder of the migrations? [sql/store/migrations] ',
      "Environment variable of the server's URL? [STORE_DATABASE_URL] ",
      'CI workflow: github, gitlab or none? [none] ',
    ])
    expect(existsSync(join(path, 'sql/store/migrations/0001_notes.up.sql'))).toBe(true)
    expect(existsSync(join(path, '.gitlab-ci.yml'))).toBe(true)
  })
})

describe('dbkit completion', () => {
  const config = { 'dbkit.config.json': '{ "databases": { "shop": {}, "stock": {} } }' }

  /** What bash would offer for the last of these words. */
  function offered(folder: Folder, ...words: string[]): readonly string[] {
    const script = spawnSync(process.execPath, [join(bin, 'dbkit.cjs'), 'completion', 'bash'], {
      encoding: 'utf8',
    })
    const tools = join(folder.path, 'bin')
    mkdirSync(tools, { recursive: true })
    writeFileSync(
      join(tools, 'dbkit'),
      `#!/bin/sh\nexec "${process.execPath}" "${join(bin, 'dbkit.cjs')}" "$@"\n`,
      { mode: 0o755 },
    )
    const { stdout, stderr, status } = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        `${script.stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dbkit; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        ...words,
      ],
      {
        cwd: folder.path,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` },
      },
    )
    expect([status, stderr]).toEqual([0, ''])
    return stdout.split('\n').filter((line) => line !== '')
  }

  test('offers commands, their flags, values and names of databases in bash', () => {
    const folder = empty(config)
    expect(offered(folder, 'dbkit', 'mig')).toEqual(['migrate'])
    expect(offered(folder, 'dbkit', '--json', 'migrate', 'st')).toEqual(['status'])
    expect(offered(folder, 'dbkit', 'migrate', 'up', '--allow')).toEqual(['--allow-out-of-order'])
    expect(offered(folder, 'dbkit', 'migrate', 'create', 'x', '--kind', 't')).toEqual(['ts'])
    expect(offered(folder, 'dbkit', 'migrate', 'up', '-d', 's')).toEqual(['shop', 'stock'])
    expect(offered(folder, 'dbkit', 'completion', 'z')).toEqual(['zsh'])
    expect(offered(folder, 'dbkit', 'migrate', 'up', '--config', 'dbkit.c')).toEqual(['dbkit.config.json'])
  })

  test.each(['bash', 'zsh', 'fish'])('%s takes the script', async (shell) => {
    const { stdout, exit } = await runCli(['completion', shell])
    expect([exit, stdout.includes('single-transaction')]).toEqual([0, true])
    const there = spawnSync(shell, ['-c', 'true']).status === 0
    if (!there) return
    const { path } = empty({ script: stdout })
    const { status, stderr } = spawnSync(shell, ['-n', join(path, 'script')], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })

  test('without a shell it is refused, and outside of a project there are no names', async () => {
    expect((await runCli(['completion', '--json'])).exit).toBe(2)
    expect((await runCli(['completion', 'tcsh'])).exit).toBe(2)
    const { path } = empty()
    expect((await runCli(['completion', '--databases'], { cwd: path })).exit).toBe(2)
  })
})
