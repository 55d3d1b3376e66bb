// Builds, then runs jest. Arguments go to jest: node scripts/test.js test/plan --testNamePattern=rollback
// `--no-build` runs on the bundle that is there.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const given = process.argv.slice(2)
const args = given.filter((argument) => argument !== '--no-build')

function node(...argv) {
  const { status, signal, error } = spawnSync(process.execPath, argv, {
    cwd: root,
    stdio: 'inherit',
    env: process.env,
  })
  if (error) throw error
  return signal ? 1 : status
}

if (args.length === given.length) {
  const built = node('scripts/build.js', '--no-types')
  if (built !== 0) process.exit(built)
}

// Each engine is heavy (an embedded one takes up to 1 GB), so two files at a time unless told otherwise.
const workers = args.some((argument) => /^(-w|-i|--maxWorkers|--runInBand)/.test(argument))
  ? []
  : ['--maxWorkers=2']

// The helpers in test/support add a line to this file for each engine they open, "embedded <which>" or "server <which>",
// because a run that quietly found no server would look as green as one that did.
const notes = mkdtempSync(join(tmpdir(), 'dbkit-test-'))
process.env.DBKIT_TEST_ENGINES = join(notes, 'engines')

// Flags and not NODE_OPTIONS: jest hands them to its workers, while the programs that tests start see neither.
const status = node(
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  ...workers,
  ...args,
)

const engines = existsSync(process.env.DBKIT_TEST_ENGINES)
  ? [...new Set(readFileSync(process.env.DBKIT_TEST_ENGINES, 'utf8').split('\n').filter(Boolean))].sort()
  : []
rmSync(notes, { recursive: true, force: true })
console.log(`Engines: ${engines.length > 0 ? engines.join(', ') : 'none was opened'}`)
process.exitCode = status
if (process.env.DBKIT_REQUIRE_SERVER === '1' && !engines.some((engine) => engine.startsWith('server '))) {
  console.error('DBKIT_REQUIRE_SERVER is set, and no test ran on a PostgreSQL server.')
  process.exitCode ||= 1
}
