import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A throw-away PostgreSQL cluster, started from the binaries that the machine has. */
export interface Cluster {
  readonly port: number
  readonly major: string
  readonly logFile: string
  readonly dataDir: string
  /** URL of a database, as the superuser. */
  url(database: string): string
  /** kill -9 of the whole server, as the kernel does when memory runs out. */
  crash(): void
  /** Starts it again after a crash, on the same data. */
  restart(): Promise<void>
  stop(): void
}

/** The newest installed server's folder of binaries, if there is one. */
export function findServerBinaries(): string | undefined {
  const root = '/usr/lib/postgresql'
  const majors = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const debian = majors
    .map((major) => join(root, major, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
  if (debian !== undefined) return debian
  const config = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' })
  const bin = config.status === 0 ? config.stdout.trim() : undefined
  return bin !== undefined && existsSync(join(bin, 'initdb')) ? bin : undefined
}

/** A server refuses to run as root; then it runs as postgres, or as nobody. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`))
    if (line !== undefined) return { uid: Number(line.split(':')[2]), gid: Number(line.split(':')[3]) }
  }
  throw new Error('running as root, and there is neither a user postgres nor nobody to run a server as')
}

export async function startCluster(
  settings: readonly string[] = [],
  bin = findServerBinaries(),
): Promise<Cluster> {
  if (bin === undefined) throw new Error('no PostgreSQL server binaries found')
  const who = unprivileged()
  const dir = mkdtempSync(join(tmpdir(), 'dbkit-pg-'))
  if (who.uid !== undefined) chownSync(dir, who.uid, who.gid ?? who.uid)
  const dataDir = join(dir, 'data')
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-N', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '-D', dataDir],
    { ...who, cwd: dir, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  const logFile = join(dir, 'log')
  let server: ReturnType<typeof spawn> | undefined
  const options = [
    'fsync=off',
    'full_page_writes=off',
    'synchronous_commit=off',
    'max_connections=200',
    ...settings,
  ]
  const start = async (): Promise<void> => {
    const log = openSync(logFile, 'a')
    server = spawn(
      join(bin, 'postgres'),
      [
        ...['-D', dataDir, '-p', String(port), '-k', dir, '-c', 'listen_addresses=127.0.0.1'],
        ...options.flatMap((option) => ['-c', option]),
      ],
      { ...who, cwd: dir, stdio: ['ignore', log, log] },
    )
    // Whatever ends the tests ends the server: no cluster is left behind.
    server.unref()
    const deadline = Date.now() + 60_000
    while (!isReady(dataDir, server.pid)) {
      if (Date.now() > deadline)
        throw new Error(`the server did not start: ${readFileSync(logFile, 'utf8').slice(-2000)}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await start()
  const children = (): readonly number[] => {
    const list = spawnSync('ps', ['-o', 'pid=', '--ppid', String(server?.pid)], { encoding: 'utf8' })
    return list.stdout
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(Number)
  }
  return {
    port,
    dataDir,
    logFile,
    major: readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim(),
    url: (database) => `postgresql://postgres@127.0.0.1:${String(port)}/${database}`,
    crash() {
      const all = [server?.pid ?? 0, ...children()]
      for (const pid of all) if (pid > 0) process.kill(pid, 'SIGKILL')
    },
    async restart() {
      // A backend may outlive its parent by a moment, and the new server refuses to start beside it.
      await new Promise((resolve) => setTimeout(resolve, 300))
      await start()
    },
    stop() {
      if (server?.pid !== undefined && server.exitCode === null) server.kill('SIGQUIT')
      for (let tries = 0; tries < 20; tries++)
        try {
          rmSync(dir, { recursive: true, force: true })
          return
        } catch {
          // The server is still writing its last files.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
        }
    },
  }
}

/** The server says so in the last line of its lock file; those of npm come without pg_isready. A crash leaves the file of its own. */
function isReady(dataDir: string, pid: number | undefined): boolean {
  const file = join(dataDir, 'postmaster.pid')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return lines[0] === String(pid) && (lines[7] ?? '').startsWith('ready')
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
