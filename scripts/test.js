// Builds, then runs jest. Arguments go to jest: node scripts/test.js test/plan --testNamePattern=rollback
// `--no-build` runs on the bundle that is there.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { availableParallelism, freemem, tmpdir } from 'node:os'
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

// Each engine is heavy (an embedded one takes up to 1 GB). One file more than there are processors, because files also wait, for servers
// and locks; and no more than three.
const workers = args.some((argument) => /^(-w|-i|--maxWorkers|--runInBand)/.test(argument))
  ? []
  : [`--maxWorkers=${Math.min(3, availableParallelism() + 1)}`]

// Every embedded database is 40 MB in 1,000 files, and few of them live for a minute: on a disk that costs more than running them. So the
// temporary files of tests are in memory, unless there is little of it (containers often have 64 MB) or somebody says where with TMPDIR.
const MEMORY = '/dev/shm'
const ROOM = 6 * 1024 ** 3
function roomyMemory() {
  if (process.env.TMPDIR || !existsSync(MEMORY)) return undefined
  const { bavail, bsize } = statfsSync(MEMORY)
  return Math.min(bavail * bsize, freemem()) > ROOM ? MEMORY : undefined
}

// What a run leaves behind goes with its folder; that of one that was killed goes now.
const FOLDER = 'dbkit-tests-'
function removeOrphans(parent) {
  const isRunning = (pid) => {
    try {
      return process.kill(pid, 0)
    } catch (error) {
      return error.code === 'EPERM'
    }
  }
  for (const name of readdirSync(parent))
    if (name.startsWith(FOLDER) && !isRunning(Number(name.slice(FOLDER.length).split('-')[0])))
      rmSync(join(parent, name), { recursive: true, force: true })
}

const parent = roomyMemory() ?? tmpdir()
removeOrphans(parent)
const scratch = mkdtempSync(join(parent, `${FOLDER}${process.pid}-`))
// Servers run as another user than root, below it.
chmodSync(scratch, 0o755)
process.env.TMPDIR = scratch
// Ctrl-C and the like go to jest as well; the folder is removed when it has ended.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

// The helpers in test/support add a line to this file for each engine they open, "embedded <which>" or "server <which>",
// because a run that quietly found no server would look as green as one that did.
process.env.DBKIT_TEST_ENGINES = join(scratch, 'engines')

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
rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
console.log(`Engines: ${engines.length > 0 ? engines.join(', ') : 'none was opened'}`)
process.exitCode = status
if (process.env.DBKIT_REQUIRE_SERVER === '1' && !engines.some((engine) => engine.startsWith('server '))) {
  console.error('DBKIT_REQUIRE_SERVER is set, and no test ran on a PostgreSQL server.')
  process.exitCode ||= 1
}
