// The tests that take a sample in npm test, with full counts: hundreds of kills, every broken rollback, every pair of schemas. Prints its figures at the end.
// Arguments go to jest: npm run prove -- test/chaos/concurrency.test.ts
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const given = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'dbkit-prove-'))
const figures = join(folder, 'figures')
const started = performance.now()
const { status, error } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL('test.js', import.meta.url)),
    ...(given.some((argument) => !argument.startsWith('-'))
      ? []
      : ['test/chaos', 'test/diff', 'test/fuzz', 'test/verify']),
    ...given,
  ],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, DBKIT_PROVE: '1', DBKIT_PROVE_FIGURES: figures },
  },
)
if (error) throw error
if (existsSync(figures)) console.log(`\n${readFileSync(figures, 'utf8').trimEnd()}`)
console.log(`took ${Math.round((performance.now() - started) / 1000)} s`)
rmSync(folder, { recursive: true, force: true })
process.exitCode = status ?? 1
