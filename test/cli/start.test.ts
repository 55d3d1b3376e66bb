import { spawn, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

let folder: Folder
beforeEach(() => {
  folder = makeFolder()
})
afterEach(() => {
  folder.remove()
})

describe('compiled code', () => {
  const config = `export default { databases: { shop: { migrations: ${JSON.stringify('migrations')} } } }\n`

  /** The package, somewhere else, where nothing was compiled yet. */
  function install(): {
    readonly kept: string
    run(...args: string[]): { status: number | null; output: string }
  } {
    for (const part of ['bin', 'dist/bin'])
      cpSync(join(root, part), join(folder.path, 'package', part), { recursive: true })
    folder.write({ 'project/dbkit.config.mjs': config })
    const bin = join(folder.path, 'package/bin/dbkit.cjs')
    return {
      kept: join(folder.path, 'package/.dbkit/cache'),
      run(...args) {
        const { PATH = '' } = process.env
        const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
          cwd: join(folder.path, 'project'),
          env: { PATH },
          encoding: 'utf8',
        })
        return { status, output: stdout + stderr }
      },
    }
  }

  test('is kept by the first start, and the next ones do the same with it', () => {
    const { kept, run } = install()
    // Both read a configuration, which is an import() at run time.
    const names = ['add_a', 'add_b', 'add_c'].map((name) => run('migrate', 'create', name))
    expect(names.map(({ status, output }) => [status, output.match(/add_\w\.up\.sql/)?.[0]])).toEqual([
      [0, 'add_a.up.sql'],
      [0, 'add_b.up.sql'],
      [0, 'add_c.up.sql'],
    ])
    expect(readdirSync(kept, { recursive: true }).length).toBeGreaterThan(1)
  })

  test('of one command is not thrown away by another, for which V8 is set up otherwise', () => {
    const { kept, run } = install()
    const both = (): readonly string[] => {
      run('--version')
      run('migrate', 'status')
      return readdirSync(kept, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => `${file} of ${String(statSync(file, { bigint: true }).mtimeNs)}`)
        .sort()
    }
    const first = both()
    expect(first.length).toBeGreaterThan(1)
    expect(both()).toEqual(first)
  })

  // Later versions of Node keep compiled code by themselves.
  const onNode20 = process.versions.node.startsWith('20.') ? test : test.skip
  onNode20('of a command is added when it runs for the first time, by its words alone (Node 20)', () => {
    const { kept, run } = install()
    const file = (): { readonly head: readonly string[]; readonly bytes: Buffer } => {
      const name = readdirSync(kept).find((one) => one.startsWith('chunk-run-')) ?? ''
      const bytes = readFileSync(join(kept, name))
      const head = bytes.toString('latin1', 0, 1_024).trimEnd().split('\n')
      return { head, bytes }
    }
    run('migrate', 'create', 'add_a')
    const first = file()
    expect(first.head).toEqual(['migrate create'])
    run('migrate', 'status')
    const both = file()
    expect(both.head).toEqual(['migrate create', 'migrate status'])
    expect(both.bytes.length).toBeGreaterThan(first.bytes.length)
    run('migrate', 'create', 'add_b')
    run('migrate', 'status')
    expect(file().bytes.equals(both.bytes)).toBe(true)
    expect(run('migrate', 'status', '--url', 'postgresql://u:s3cret@127.0.0.1:1/x').status).not.toBe(0)
    expect(run('migrate', '--url=postgresql://u:s3cret@127.0.0.1:1/x', 'status').status).not.toBe(0)
    expect(file().head).toEqual(['migrate create', 'migrate status', 'migrate'])
  })

  test('that was spoiled, or cut off, is made again', () => {
    const { kept, run } = install()
    run('--version')
    const files = readdirSync(kept, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const before = new Map(files.map((file) => [file, readFileSync(file).length]))
    for (const file of files) writeFileSync(file, 'spoiled')
    expect(run('--version')).toEqual({ status: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    for (const [file, length] of before) {
      expect(readFileSync(file).length).toBeGreaterThan(length / 2)
      truncateSync(file, 100)
    }
    expect(run('--version').status).toBe(0)
  })

  test('cannot be kept where the package may not be written, and nobody is bothered', () => {
    const { run } = install()
    folder.write({ 'package/.dbkit': 'a file where the folder would be' })
    expect(run('--version')).toEqual({ status: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})

describe('what a start loads', () => {
  /** Node's own modules that are loaded by the end. */
  function modulesOf(...args: string[]): { readonly modules: readonly string[]; readonly output: string } {
    folder.write({
      'list.cjs':
        "process.once('exit', () => require('fs').writeFileSync(__dirname + '/modules', process.moduleLoadList.join('\\n')))",
    })
    const { PATH = '' } = process.env
    const { stdout } = spawnSync(
      process.execPath,
      ['--require', join(folder.path, 'list.cjs'), join(root, 'bin/dbkit.cjs'), ...args],
      { env: { PATH }, cwd: folder.path, encoding: 'utf8' },
    )
    const modules = readFileSync(join(folder.path, 'modules'), 'utf8').split('\n')
    return { modules: modules.map((line) => line.replace('NativeModule ', '')), output: stdout }
  }

  // Each takes milliseconds, of the 30 that `node -e 0` takes.
  test.each([['--version'], ['--help'], ['migrate', 'up', '--help'], ['no-such-command']])(
    'to say what %s says is no network, no program and no cryptography',
    (...args) => {
      const { modules } = modulesOf(...args)
      expect(modules).toContain('fs')
      expect(modules.filter((name) => /^(?:net|child_process|crypto|http|dgram)$/.test(name))).toEqual([])
    },
  )

  test('to look at migrations is no program', () => {
    folder.write({ 'm/1_a.up.sql': 'select 1;\n', 'm/1_a.down.sql': 'select 1;\n' })
    const { modules, output } = modulesOf('migrate', 'up', '--dry-run', '--dir', 'm', '--embedded', '--json')
    expect(JSON.parse(output)).toMatchObject({ ok: true })
    expect(modules).toContain('crypto')
    expect(modules).not.toContain('child_process')
  })
})

describe('output', () => {
  test('that nobody reads any more ends nothing: the exit status is that of the command', async () => {
    const bin = join(root, 'bin/dbkit.cjs')
    const { PATH = '' } = process.env
    const child = spawn(
      'sh',
      ['-c', '(sleep 0.2; "$0" "$1" --help; echo "$?" >&2) | true', process.execPath, bin],
      {
        env: { PATH },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    await new Promise((resolve) => child.once('close', resolve))
    expect(stderr).toBe('0\n')
  })

  test('larger than a pipe arrives whole', async () => {
    const files: Record<string, string> = {}
    for (let number = 1; number <= 3_000; number++) {
      files[`m/${String(number)}_a.up.sql`] = 'select 1;\n'
      files[`m/${String(number)}_a.down.sql`] = 'select 2;\n'
    }
    folder.write(files)
    const { stdout } = await runCli(['migrate', 'up', '--dry-run', '--json', '--embedded', '--dir', 'm'], {
      cwd: folder.path,
    })
    expect(stdout.length).toBeGreaterThan(200_000)
    expect((JSON.parse(stdout) as { databases: { sql: unknown[] }[] }).databases[0]?.sql).toHaveLength(3_000)
  })
})
