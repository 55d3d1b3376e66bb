import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, unprivileged } from './cluster.js'
import { onServer } from './server.js'

const DEBIAN = '/usr/sbin/pgbouncer'

/** pgbouncer, if this machine has it. */
export function findPooler(): string | undefined {
  if (existsSync(DEBIAN)) return DEBIAN
  return spawnSync('pgbouncer', ['--version']).status === 0 ? 'pgbouncer' : undefined
}

export interface Pooler {
  readonly port: number
  url(database: string): string
  stop(): Promise<void>
}

/** A pgbouncer in transaction mode in front of a server: each transaction may get another connection. */
export async function startPooler(serverPort: number, poolSize: number): Promise<Pooler> {
  const program = findPooler()
  if (program === undefined) throw new Error('pgbouncer is not installed')
  // It refuses to run as root, as the server does.
  const who = unprivileged()
  const dir = mkdtempSync(join(tmpdir(), 'dbkit-pooler-'))
  const port = await freePort()
  const users = join(dir, 'users')
  const settings = join(dir, 'pgbouncer.ini')
  writeFileSync(users, '"postgres" ""\n')
  writeFileSync(
    settings,
    [
      '[databases]',
      `* = host=127.0.0.1 port=${String(serverPort)}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${String(port)}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${users}`,
      'pool_mode = transaction',
      `default_pool_size = ${String(poolSize)}`,
      'max_client_conn = 200',
      // The worst case for state that is left in a connection: the next transaction is on another one.
      'server_round_robin = 1',
      '',
    ].join('\n'),
  )
  if (who.uid !== undefined)
    for (const path of [dir, users, settings]) chownSync(path, who.uid, who.gid ?? who.uid)
  const child = spawn(program, ['-q', settings], { ...who, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => resolve())
  })
  const url = (database: string): string =>
    `postgresql://postgres@127.0.0.1:${String(port)}/${database}?sslmode=disable`
  const deadline = Date.now() + 20_000
  for (;;) {
    try {
      await onServer(url('postgres'), (client) => client.query('select 1'))
      break
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`pgbouncer did not start: ${said}`, { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return {
    port,
    url,
    async stop() {
      child.kill('SIGKILL')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
