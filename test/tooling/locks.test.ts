import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }
    >
  >
}

const { stdout } = spawnSync('git', ['ls-files', '*package-lock.json'], { cwd: root, encoding: 'utf8' })
const files = stdout.split('\n').filter((file) => file !== '')

test('there are locks to look at', () => {
  expect(files).toContain('package-lock.json')
  expect(files).toContain('bench/package-lock.json')
})

test.each(files)('%s installs on every platform, from whatever registry', (file) => {
  const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8')) as Lock
  const names = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)))
  // npm ci refuses a lock that lacks one of them, though it would not install it.
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${name} of ${path}`),
  )
  expect(missing).toEqual([])
  const hosts = Object.entries(packages).filter(([, { resolved }]) => resolved?.startsWith('http') === true)
  expect(hosts.map(([path]) => path)).toEqual([])
})
