import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Environment } from '../config/config.js'
import { findNpmServers, linkLibraries, type ServerBinaries } from './npm-server.js'

/** A throw-away server of the PostgreSQL that is installed on this machine. */
export interface LocalCluster {
  /** Of its maintenance database, over a socket in a folder that only its owner enters. */
  readonly url: string
  stop(): Promise<void>
}

/** Where packages put the servers of several majors. */
const ROOTS = [
  ['/usr/lib/postgresql', 'bin'],
  ['/opt/homebrew/opt', 'bin'],
  ['/usr/local/opt', 'bin'],
  ['/Applications/Postgres.app/Contents/Versions', 'bin'],
] as const

/** What a cluster takes, with room for what is tried in it. */
const ROOM_BYTES = 1_000_000_000

/** Nothing in it has to survive anything. */
const SETTINGS = [
  'listen_addresses=',
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'autovacuum=off',
  'shared_buffers=64MB',
  'max_connections=20',
]

/**
 * Makes the cluster, says so, runs the server until the input ends, and removes everything. It is the shell that does so and not dbkit,
 * because the input also ends when dbkit is killed.
 */
const LIFE = [
  // Written to nobody, the word below would end the shell before it has removed anything.
  `trap '' PIPE`,
  '"$1" -N -A trust -U postgres -E UTF8 --locale="$3" -D "$2" </dev/null >/dev/null || { rm -rf "$0"; exit 1; }',
  'echo made || { rm -rf "$0"; exit 1; }',
  'shift 3',
  '"$@" >/dev/null & server=$!',
  'cat >/dev/null',
  // A server that is just being started does not hear the first.
  'while kill -QUIT $server 2>/dev/null; do sleep 0.05; done',
  'rm -rf "$0"',
].join('\n')

export interface LocalClusterOptions {
  readonly environment: Environment
  /** Where npm's packages are looked for: here and in the folders above. */
  readonly folder: string
  /** This major and no other. Default: the newest */
  readonly major?: number | undefined
}

/**
 * Starts the newest PostgreSQL that is installed, on a data folder of its own; no running server is touched. Undefined where there is
 * none, or it cannot be started here. It ends with this process, however that ends.
 */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster | undefined> {
  if (process.platform === 'win32') return undefined
  const binaries = findBinaries(options)
  const who = binaries === undefined ? undefined : unprivileged(binaries)
  if (binaries === undefined || who === undefined) return undefined
  linkLibraries(binaries)
  const { bin } = binaries
  const folder = mkdtempSync(join(roomyFolder(), `dbkit-shadow-pg-${String(process.pid)}-`))
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid ?? who.uid)
  const { wrapper, ...ids } = who
  const data = join(folder, 'data')
  const locale = process.platform === 'darwin' ? 'C' : 'C.UTF-8'
  const server = [join(bin, 'postgres'), '-D', data, '-k', folder, ...SETTINGS.flatMap((one) => ['-c', one])]
  const shell = [...wrapper, '/bin/sh', '-c', LIFE, folder, join(bin, 'initdb'), data, locale, ...server]
  const child = spawn(shell[0] ?? '', shell.slice(1), {
    ...ids,
    cwd: folder,
    // A group of its own: Ctrl-C is for dbkit, which ends what it has started.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve()
    })
    child.once('error', () => {
      resolve()
    })
  })
  const made = await new Promise<boolean>((resolve) => {
    child.stdout.once('data', () => {
      resolve(true)
    })
    void ended.then(() => {
      resolve(false)
    })
  })
  if (!made) return undefined
  // Whatever else goes wrong, it keeps nobody from ending.
  child.unref()
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref(): void }).unref()
  return {
    url: `postgresql://postgres@/postgres?host=${encodeURIComponent(folder)}`,
    async stop() {
      // Whoever waits for it keeps the process alive until then.
      child.ref()
      child.stdin.end()
      await ended
    },
  }
}

/** Those of the system before those of npm: they have the extensions that somebody installed. */
function findBinaries({ environment, folder, major }: LocalClusterOptions): ServerBinaries | undefined {
  const installed = ROOTS.flatMap(([root, bin]) =>
    existsSync(root)
      ? readdirSync(root).map((name) => ({ major: majorIn(name), bin: join(root, name, bin) }))
      : [],
  )
    .filter(({ bin }) => hasServer(bin))
    .sort((a, b) => b.major - a.major)
  const fits = (one: ServerBinaries): boolean => major === undefined || one.major === major
  return (
    installed.find(fits) ??
    findNpmServers(folder).find(fits) ??
    (environment['PATH'] ?? '')
      .split(delimiter)
      .filter((one) => one !== '' && hasServer(one))
      .map((bin) => ({ major: majorOf(bin), bin }))
      .find(fits)
  )
}

function hasServer(bin: string): boolean {
  return existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres'))
}

function majorIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0)
}

/** "postgres (PostgreSQL) 17.10" */
function majorOf(bin: string): number {
  return majorIn(spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout)
}

interface Unprivileged {
  readonly uid?: number
  readonly gid?: number
  /** The command that the server is run by. */
  readonly wrapper: readonly string[]
}

const NAMESPACE = ['unshare', '--user', '--map-user=65534', '--map-group=65534']

/**
 * A server refuses to run as root; then it runs as postgres, or as nobody. What lies in root's own folders neither of them may
 * read: that runs in a namespace where root has another number, if the kernel lets it.
 */
function unprivileged({ bin }: ServerBinaries): Unprivileged | undefined {
  if (process.getuid?.() !== 0) return { wrapper: [] }
  const lines = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8').split('\n') : []
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid === undefined) continue
    const ids = { uid: Number(uid), gid: Number(gid) }
    if (spawnSync('/usr/bin/test', ['-x', join(bin, 'postgres')], ids).status === 0)
      return { ...ids, wrapper: [] }
  }
  const [command = '', ...options] = NAMESPACE
  return spawnSync(command, [...options, 'true']).status === 0 ? { wrapper: NAMESPACE } : undefined
}

/** Memory where there is enough of it: containers often have 64 MB. */
function roomyFolder(): string {
  if (!existsSync('/dev/shm')) return tmpdir()
  const { bavail, bsize } = statfsSync('/dev/shm')
  return bavail * bsize > ROOM_BYTES ? '/dev/shm' : tmpdir()
}
