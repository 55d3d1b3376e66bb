import { spawnSync, type ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { eventually } from '../support/arena.js'
import { makeFolder, runCli, startCli, type Ended, type Folder } from '../support/cli.js'
import { noteEngine, onServer } from '../support/server.js'
import { startServe, type Served } from '../support/serve.js'

/** Takes long enough to be met in the middle. */
const SLOW = 'select count(*) from generate_series(1, 1000000000)'

const FILES = {
  'dbkit.config.json': JSON.stringify({ databases: { freight: {}, billing: {} } }),
  'sql/freight/migrations/1_loads.up.sql': 'create table loads (id int primary key, note text)',
  'sql/freight/migrations/1_loads.down.sql': 'drop table loads',
  'sql/freight/migrations/2_ran.up.sql':
    'create table ran (); insert into ran default values; select count(*) from generate_series(1, 300000)',
  'sql/freight/migrations/2_ran.down.sql': 'drop table ran',
  'sql/billing/migrations/1_bills.up.sql': 'create table bills (id int)',
  'sql/billing/migrations/1_bills.down.sql': 'drop table bills',
  'seeds/freight/reference/loads.csv': 'id,note\n1,first\n2,"second, quoted"\n',
}

let folder: Folder
beforeAll(() => {
  folder = makeFolder(FILES)
  noteEngine('embedded PGlite 0.5.8')
})
afterAll(() => {
  folder.remove()
})

/** What a test that failed has left running. */
const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})
const start = (...args: string[]): ReturnType<typeof startCli> => {
  const started = startCli(args, { cwd: folder.path })
  children.add(started.child)
  return started
}
const serve = async (...args: string[]): Promise<Served> => {
  const served = await startServe(folder.path, args)
  children.add(served.child)
  return served
}

const dbkit = (...args: string[]): Promise<Ended> => runCli([...args, '-d', 'freight'], { cwd: folder.path })

describe('while it serves', () => {
  let served: Served
  let url: string
  beforeAll(async () => {
    served = await startServe(folder.path, ['-d', 'freight', '--port', '0'])
    url = served.report.databases[0]?.connection ?? ''
  })
  afterAll(async () => {
    await served.stop()
  })

  test('other commands of dbkit reach the engine through its socket', async () => {
    const up = await dbkit('migrate', 'up')
    expect(up).toMatchObject({ exit: 0, stderr: '' })
    expect(up.stdout).toContain(
      `served by process ${String(served.child.pid)} on port ${String(served.ports[0])}`,
    )
    expect(up.stdout).toContain('2 applied')
    const seeded = await dbkit('seed')
    expect(seeded).toMatchObject({ exit: 0 })
    const status = await dbkit('migrate', 'status', '--exit-code')
    expect(status).toMatchObject({ exit: 0, stderr: '' })
    const { rows } = await onServer(url, (client) => client.query('select id, note from loads order by id'))
    expect(rows).toEqual([
      { id: 1, note: 'first' },
      { id: 2, note: 'second, quoted' },
    ])
    const down = await dbkit('migrate', 'down', '--all')
    expect(down).toMatchObject({ exit: 0, stderr: '' })
    expect(down.stdout).toContain('2 rolled back')
  })

  test('several runners of migrate up apply each migration once', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => dbkit('migrate', 'up', '--json')))
    expect(runs.map(({ exit }) => exit)).toEqual([0, 0, 0])
    const applied = runs.flatMap(({ stdout }) => {
      const report = JSON.parse(stdout) as { databases: { steps: { name: string; outcome: string }[] }[] }
      return (report.databases[0]?.steps ?? []).filter(({ outcome }) => outcome === 'applied')
    })
    expect(applied.map(({ name }) => name).sort()).toEqual(['1_loads', '2_ran'])
    const { rows } = await onServer(url, (client) => client.query('select count(*)::int as n from ran'))
    expect(rows).toEqual([{ n: 1 }])
    await dbkit('migrate', 'down', '--all')
  })

  test('a command that has to wait says for whom', async () => {
    await dbkit('migrate', 'up')
    const client = new pg.Client({ connectionString: url, application_name: 'billing' })
    await client.connect()
    await client.query('begin; lock table loads')
    const { child, ended } = start('migrate', 'status', '-d', 'freight')
    await new Promise((resolve) => child.stderr?.once('data', resolve))
    await client.query('commit')
    const status = await ended
    expect(status.stderr).toMatch(
      /^notice freight: waiting for billing \(pid \d+\), which is in a transaction\n$/,
    )
    expect(status.exit).toBe(0)
    await client.end()
    await dbkit('migrate', 'down', '--all')
  })

  test('a migration that is interrupted leaves nothing behind, and others go on', async () => {
    folder.write({
      'sql/freight/migrations/3_slow.up.sql': `create table slow (); ${SLOW}`,
      'sql/freight/migrations/3_slow.down.sql': 'drop table slow',
    })
    const { child, ended } = start('migrate', 'up', '-d', 'freight')
    const busy = async (): Promise<boolean> => {
      const client = new pg.Client({ connectionString: url })
      const waits = new Promise<boolean>((resolve) => {
        client.on('notice', ({ message }) => {
          resolve(message?.includes('is running a statement') === true)
        })
        client.connect().then(
          () => resolve(false),
          () => resolve(false),
        )
      })
      const found = await waits
      if (!found) await client.end()
      else client.connection.stream.destroy()
      return found
    }
    await eventually('the migration runs', busy)
    child.kill('SIGINT')
    const interrupted = await ended
    folder.write({ 'sql/freight/migrations/3_slow.up.sql': 'create table slow ()' })
    expect(interrupted.exit).toBe(130)
    const { rows } = await onServer(url, (client) =>
      client.query("select to_regclass('slow') as slow, to_regclass('loads')::text as loads"),
    )
    expect(rows).toEqual([{ slow: null, loads: 'loads' }])
    const status = await dbkit('migrate', 'status')
    expect(status.stdout).toMatch(/applied +1_loads/)
    expect(status.stdout).toMatch(/pending +3_slow/)
    expect((await dbkit('migrate', 'up')).exit).toBe(0)
    await dbkit('migrate', 'down', '--all')
  })

  test('a second serve of the same database says where the first one is', async () => {
    const again = await dbkit('db', 'serve', '--json')
    expect(again.exit).toBe(3)
    expect(JSON.parse(again.stdout)).toMatchObject({
      ok: false,
      error: { code: 'database.already-served', message: expect.stringContaining(url) as unknown },
    })
  })

  const hasPsql = spawnSync('psql', ['--version']).status === 0
  const psqlTest = hasPsql ? test : test.skip
  const psql = (
    args: readonly string[],
    input?: string,
  ): { status: number | null; out: string; err: string } => {
    const { status, stdout, stderr } = spawnSync('psql', ['-X', '-q', url, ...args], {
      encoding: 'utf8',
      ...(input === undefined ? {} : { input }),
    })
    return { status, out: stdout, err: stderr }
  }

  psqlTest('psql describes tables, runs scripts, and copies in both directions', () => {
    folder.write({
      'script.sql': `\\set ON_ERROR_STOP on
begin;
create table trips (id int primary key, miles numeric(8,1), left_at timestamptz default now());
create function double(int) returns int language sql as $$ select $1 * 2; $$;
\\copy trips (id, miles) from stdin with (format csv)
1,12.5
2,
\\.
insert into trips values (3, 7);
commit;
select double(21);
`,
    })
    const script = psql(['-f', `${folder.path}/script.sql`, '-At'])
    expect(script).toEqual({ status: 0, out: '42\n', err: '' })
    expect(psql(['-c', '\\d trips']).out).toMatch(/miles +\| numeric\(8,1\) /)
    expect(psql(['-c', '\\dt']).out).toContain('trips')
    expect(psql(['-At', '-c', '\\copy (select id, miles from trips order by id) to stdout'])).toMatchObject({
      status: 0,
      out: '1\t12.5\n2\t\\N\n3\t7.0\n',
    })
    expect(psql(['-c', 'copy trips (id) from stdin'], '4\n5\n').status).toBe(0)
    expect(psql(['-At', '-c', 'select count(*) from trips']).out).toBe('5\n')
    const failed = psql(['-c', 'copy trips (id) from stdin'], '5\n')
    expect(failed.status).toBe(1)
    expect(failed.err).toContain('duplicate key value violates unique constraint "trips_pkey"')
    expect(psql(['-c', 'drop table trips; drop function double']).status).toBe(0)
  })

  psqlTest('psql goes on after an error, inside a transaction and outside', () => {
    const { status, out, err } = psql(
      ['-At'],
      'select 1;\nselect nowhere;\nbegin;\nselect 1/0;\nselect 2;\nrollback;\nselect 3;\n',
    )
    expect({ status, out }).toEqual({ status: 0, out: '1\n3\n' })
    expect(err).toContain('column "nowhere" does not exist')
    expect(err).toContain('LINE 1: select nowhere;')
    expect(err).toContain('division by zero')
    expect(err).toContain('current transaction is aborted')
  })
})

describe('beginning and end', () => {
  test('Ctrl-C ends it in good order, and says goodbye to its clients', async () => {
    const served = await serve('-d', 'freight', '--port', '0')
    const client = new pg.Client({ connectionString: served.report.databases[0]?.connection })
    const goodbye = new Promise<unknown>((resolve) => client.on('error', resolve))
    await client.connect()
    await client.query('create table half ()')
    await client.query('begin; insert into half default values')
    const ended = await served.stop()
    expect(ended).toMatchObject({ exit: 0, signal: null, stderr: '' })
    expect(ended.stdout.trimEnd().split('\n').length).toBe(1)
    expect(await goodbye).toMatchObject({ code: '57P01' })
    const after = await runCli(['db', 'shell', '-d', 'freight'], {
      cwd: folder.path,
      env: { PATH: '' },
      input: 'select count(*) from half; drop table half;',
    })
    expect(after).toMatchObject({ exit: 0, stderr: '' })
    expect(after.stdout).toContain('     0\n')
  })

  test('Ctrl-C that arrives twice, as under npm, is still one', async () => {
    const served = await serve('-d', 'freight', '--port', '0')
    served.child.kill('SIGINT')
    served.child.kill('SIGTERM')
    expect((await served.stop()).exit).toBe(0)
    expect(readdirSync(join(folder.path, '.dbkit', 'freight', 'locks'))).toEqual([])
  })

  test('Ctrl-C also ends a statement that would go on for ever', async () => {
    const served = await serve('-d', 'freight', '--port', '0')
    const client = new pg.Client({ connectionString: served.report.databases[0]?.connection })
    client.on('error', () => undefined)
    await client.connect()
    const running = client.query(SLOW.replace('1000000000', '100000000000')).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await served.stop()).exit).toBe(0)
    expect(await running).toMatchObject({ code: '57P01' })
  })

  test('after kill -9 the next command takes over, and what was committed is there', async () => {
    const served = await serve('-d', 'freight', '--port', '0')
    const client = new pg.Client({ connectionString: served.report.databases[0]?.connection })
    client.on('error', () => undefined)
    await client.connect()
    await client.query('create table kept (n int); insert into kept values (1)')
    await client.query('begin; insert into kept values (2)')
    served.child.kill('SIGKILL')
    expect((await served.ended).signal).toBe('SIGKILL')
    const status = await dbkit('migrate', 'status')
    expect(status).toMatchObject({ exit: 0, stderr: '' })
    expect(status.stdout).not.toContain('served by')
    const again = await serve('-d', 'freight', '--port', '0')
    const { rows } = await onServer(again.report.databases[0]?.connection ?? '', (client2) =>
      client2.query('select n from kept'),
    )
    expect(rows).toEqual([{ n: 1 }])
    await again.stop()
  })

  test('several databases get a port each, and people are shown how to connect', async () => {
    const { child, ended } = start('db', 'serve', '--port', '0')
    let shown = ''
    child.stdout?.on('data', (chunk: string) => (shown += chunk))
    await eventually('both answer', () => shown.split('psql ').length === 3, 50_000)
    const urls = [...shown.matchAll(/^ {2}(postgresql:\/\/\S+)\n {2}psql \1$/gm)].map(([, url]) => url ?? '')
    const [freight, billing] = urls.map((url) => new URL(url))
    expect(freight?.host).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(Number(billing?.port)).toBeGreaterThan(Number(freight?.port))
    expect(shown.split('\n')[0]).toBe(
      `freight  PostgreSQL 18.3, embedded PGlite 0.5.8 in .dbkit/freight, on port ${freight?.port ?? ''}`,
    )
    const up = await runCli(['migrate', 'up', '--json'], { cwd: folder.path })
    expect(up.exit).toBe(0)
    const tables = await onServer(urls[1] ?? '', (client) =>
      client.query("select to_regclass('bills')::text as t"),
    )
    expect(tables.rows).toEqual([{ t: 'bills' }])
    child.kill('SIGINT')
    expect((await ended).exit).toBe(0)
  })

  describe('when the port is taken', () => {
    let other: Server
    let port: number
    beforeAll(async () => {
      other = createServer()
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()))
      const address = other.address()
      port = typeof address === 'object' && address !== null ? address.port : 0
    })
    afterAll(() => {
      other.close()
    })

    test('one that was chosen is refused', async () => {
      const refused = await dbkit('db', 'serve', '--port', String(port), '--json')
      expect(refused.exit).toBe(2)
      expect(JSON.parse(refused.stdout)).toMatchObject({
        command: 'db serve',
        error: {
          code: 'request.port-unavailable',
          message: `dbkit cannot listen on 127.0.0.1, port ${String(port)}: something else listens there.`,
        },
      })
    })
  })

  test('without a chosen port the next free one is taken, and the first line says so', async () => {
    const blocker = createServer()
    // Somebody else may have it already: then that one blocks it.
    await new Promise<void>((resolve) => {
      blocker.once('error', () => resolve())
      blocker.listen(5433, '127.0.0.1', () => resolve())
    })
    const served = await serve('-d', 'freight')
    expect(served.ports[0]).toBeGreaterThan(5433)
    expect(served.report.databases[0]?.engine.label).toMatch(/, on port \d+ \(5433 is taken\)$/)
    await served.stop()
    blocker.close()
  })

  test('another interface is opened only when it is asked for, with a warning', async () => {
    const served = await serve('-d', 'freight', '--port', '0', '--host', '0.0.0.0')
    expect(served.report.databases[0]?.notes).toEqual([expect.stringContaining('asks for no password')])
    expect(served.report.databases[0]?.connection).toContain('@127.0.0.1:')
    expect((await dbkit('migrate', 'status')).stdout).toContain('served by')
    await served.stop()
  })

  test.each([
    ['a server', ['--url', 'postgresql://postgres@localhost/freight'], 'request.embedded-only'],
    ['more ports than databases', ['--port', '6001,6002'], 'request.bad-option'],
    ['an address that is not of this machine', ['--host', '192.0.2.1'], 'request.port-unavailable'],
  ])('%s is refused', async (_, args, code) => {
    const refused = await dbkit('db', 'serve', ...args, '--json')
    expect({ exit: refused.exit, report: JSON.parse(refused.stdout) as unknown }).toMatchObject({
      exit: 2,
      report: { error: { code } },
    })
  })
})
