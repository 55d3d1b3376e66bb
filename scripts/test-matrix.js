// What has to be the same on every major, on every major: npm run test:matrix
// The servers are those of test/matrix/servers/package.json, by exact version, installed in a folder that `npm ci` knows nothing of.
// Arguments go to jest. `--no-build` runs on the bundle that is there.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = join(root, 'test', 'matrix', 'servers')
const folder = process.env.DBKIT_SERVERS ?? join(root, 'node_modules', '.cache', 'dbkit-servers')

function isInstalled() {
  const same = (name) =>
    existsSync(join(folder, name)) &&
    readFileSync(join(folder, name), 'utf8') === readFileSync(join(wanted, name), 'utf8')
  // npm writes this file last.
  return (
    ['package.json', 'package-lock.json'].every(same) &&
    existsSync(join(folder, 'node_modules', '.package-lock.json'))
  )
}

if (!isInstalled()) {
  mkdirSync(folder, { recursive: true })
  cpSync(wanted, folder, { recursive: true })
  // Their scripts only make symbolic links, and those are made when a server is started.
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts'], {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const { status, error } = spawnSync(
  process.execPath,
  [
    join(root, 'scripts', 'test.js'),
    '--testMatch=**/test/matrix/*.matrix.ts',
    '--maxWorkers=1',
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, DBKIT_SERVERS: folder } },
)
if (error) throw error
process.exitCode = status ?? 1
