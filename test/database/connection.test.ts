import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'
import { findServerBinaries, startCluster, type Cluster } from '../support/cluster.js'
import { onServer } from '../support/server.js'

const onThisMachine = findServerBinaries() === undefined ? describe.skip : describe

onThisMachine('a connection to a server', () => {
  let cluster: Cluster
  let folder: Folder
  const file = (name: string): string => join(folder.path, name)

  beforeAll(async () => {
    folder = makeFolder({ 'sql/1_a.up.sql': 'select 1', 'sql/1_a.down.sql': 'select 1' })
    cluster = await startCluster()
    // An authority of our own, and a certificate of its for localhost.
    const openssl = (...args: string[]): Buffer =>
      execFileSync('openssl', args, { cwd: folder.path, stdio: 'pipe' })
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=ours',
    )
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'server.key',
      '-out',
      'server.csr',
      '-subj',
      '/CN=localhost',
    )
    writeFileSync(file('names'), 'subjectAltName=DNS:localhost')
    openssl(
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-out',
      'server.crt',
      '-extfile',
      'names',
    )
    const owner = statSync(cluster.dataDir)
    for (const name of ['server.key', 'server.crt']) {
      copyFileSync(file(name), join(cluster.dataDir, name))
      chownSync(join(cluster.dataDir, name), owner.uid, owner.gid)
      chmodSync(join(cluster.dataDir, name), 0o600)
    }
    await onServer(cluster.url('postgres'), async (client) => {
      await client.query("create role secretive login superuser password 'p@ss:w/rd'")
      await client.query('alter system set ssl = on')
      await client.query("alter system set password_encryption = 'scram-sha-256'")
    })
    const hba = join(cluster.dataDir, 'pg_hba.conf')
    writeFileSync(
      hba,
      `hostssl all secretive all scram-sha-256\nhostnossl all secretive all reject\n${readFileSync(hba, 'utf8')}`,
    )
    await onServer(cluster.url('postgres'), (client) => client.query('select pg_reload_conf()'))
  }, 120_000)

  afterAll(() => {
    cluster.stop()
    folder.remove()
  })

  const status = async (
    url: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ exit: number | null; said: string }> => {
    const { exit, stdout, stderr } = await runCli(['migrate', 'status', '--dir', 'sql', '--url', url], {
      cwd: folder.path,
      env,
    })
    expect(stdout + stderr).not.toContain('p@ss:w/rd')
    expect(stdout + stderr).not.toContain('p%40ss')
    return { exit, said: stderr }
  }
  const url = (host: string, query: string, password = ':p%40ss%3Aw%2Frd'): string =>
    `postgresql://secretive${password}@${host}:${String(cluster.port)}/postgres${query}`

  test.each([
    ['require encrypts without checking who answers', '127.0.0.1', '?sslmode=require', 0, ''],
    ['prefer does too', '127.0.0.1', '?sslmode=prefer', 0, ''],
    [
      'disable is refused by a server that wants TLS',
      '127.0.0.1',
      '?sslmode=disable',
      3,
      'add sslmode=require',
    ],
    ['verify-full does not know the authority', 'localhost', '?sslmode=verify-full', 3, 'sslrootcert=FILE'],
    ['verify-full accepts its authority and name', 'localhost', '?sslmode=verify-full&sslrootcert=CA', 0, ''],
    [
      'verify-full refuses another name',
      '127.0.0.1',
      '?sslmode=verify-full&sslrootcert=CA',
      3,
      'could not be reached',
    ],
    ['verify-ca does not look at the name', '127.0.0.1', '?sslmode=verify-ca&sslrootcert=CA', 0, ''],
    ['require with an authority checks it', '127.0.0.1', '?sslmode=require&sslrootcert=CA', 0, ''],
  ])('sslmode: %s', async (_, host, query, exit, words) => {
    const seen = await status(url(host, query.replace('CA', encodeURIComponent(file('ca.crt')))))
    expect(seen).toEqual({ exit, said: expect.stringContaining(words) as unknown })
  })

  test('prefer goes on without TLS where the server has none', async () => {
    const plain = await startCluster()
    try {
      expect((await status(`${plain.url('postgres')}?sslmode=prefer`)).exit).toBe(0)
      expect(await status(`${plain.url('postgres')}?sslmode=require`)).toMatchObject({ exit: 3 })
    } finally {
      plain.stop()
    }
  })

  test('the password comes from the URL, PGPASSWORD or the password file', async () => {
    const bare = url('127.0.0.1', '?sslmode=require', '')
    expect((await status(bare, { PGPASSFILE: file('none') })).said).toContain(
      'wants a password for secretive, and there is none',
    )
    expect((await status(bare, { PGPASSWORD: 'wrong' })).said).toContain(
      'the password of secretive was refused',
    )
    expect((await status(bare, { PGPASSWORD: 'p@ss:w/rd' })).exit).toBe(0)
    appendFileSync(file('pgpass'), `# ours\nother:*:*:*:no\n127.0.0.1:*:*:secretive:p@ss\\:w/rd\n`)
    chmodSync(file('pgpass'), 0o644)
    expect(await status(bare, { PGPASSFILE: file('pgpass') })).toEqual({
      exit: 2,
      said: expect.stringContaining('chmod 600') as unknown,
    })
    chmodSync(file('pgpass'), 0o600)
    expect((await status(bare, { PGPASSFILE: file('pgpass') })).exit).toBe(0)
  })

  test('--wait waits for a server that is starting, and says what for', async () => {
    cluster.crash()
    const started = startCli(
      ['migrate', 'status', '--dir', 'sql', '--wait', '--url', cluster.url('postgres')],
      { cwd: folder.path },
    )
    await new Promise((resolve) => started.child.stderr?.once('data', resolve))
    await cluster.restart()
    const { exit, stderr } = await started.ended
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringContaining('waiting') as unknown })
  })

  test('--wait ends after its time', async () => {
    const { exit, stderr } = await runCli(
      ['migrate', 'status', '--dir', 'sql', '--wait', '300ms', '--url', 'postgresql://127.0.0.1:1/x'],
      { cwd: folder.path },
    )
    expect({ exit, stderr }).toEqual({
      exit: 3,
      stderr: expect.stringContaining('nothing listens on 127.0.0.1:1') as unknown,
    })
  })
})
