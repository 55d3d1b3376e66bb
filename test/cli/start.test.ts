import { spawn } from 'node:child_process'
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
