import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { makeFolder, runCli, startCli, type Ended, type Folder } from '../support/cli.js'
import { noteEngine, onServer, serverUrl } from '../support/server.js'

interface Outcome {
  readonly exit: number | null
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | undefined
  readonly database: {
    readonly ok: boolean
    readonly existence?: string
    readonly notes?: readonly string[]
    readonly engine?: { readonly kind: string; readonly label: string }
    readonly steps?: readonly { readonly name: string; readonly outcome: string }[]
  }
}

const FILES = {
  'dbkit.config.json': JSON.stringify({ databases: { freight: {}, billing: {} } }),
  'sql/freight/migrations/1_loads.up.sql': 'create table loads (id int)',
  'sql/freight/migrations/1_loads.down.sql': 'drop table loads',
  'sql/billing/migrations/1_bills.up.sql': 'create table bills (id int)',
  'sql/billing/migrations/1_bills.down.sql': 'drop table bills',
  'seeds/freight/reference/loads.sql': 'insert into loads values (7);',
}

let folder: Folder
beforeEach(() => {
  folder = makeFolder(FILES)
})
afterEach(() => {
  folder.remove()
})

async function dbkit(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const { exit, stdout } = await runCli([...args, '--json'], { cwd: folder.path, env })
  const report = JSON.parse(stdout) as {
    databases: (Outcome['database'] & Pick<Outcome, 'error'>)[]
    error: Outcome['error']
  }
  const database = report.databases[0] ?? { ok: false }
  return { exit, database, error: report.error ?? report.databases.find(({ error }) => error)?.error }
}

describe('on PGlite', () => {
  const data = (name: string): string => join(folder.path, '.dbkit', name, 'data')
  const freight = (...args: string[]): Promise<Outcome> => {
    noteEngine('embedded PGlite 0.5.8')
    return dbkit(['db', ...args, '-d', 'freight'])
  }

  test('create makes the folder, and is content with one that is there', async () => {
    const first = await freight('create')
    expect(first).toMatchObject({ exit: 0, database: { ok: true, existence: 'created' } })
    expect(first.database.engine?.label).toContain('in .dbkit/freight')
    expect(existsSync(data('freight'))).toBe(true)
    const second = await freight('create')
    expect(second).toMatchObject({ exit: 0, database: { ok: true, existence: 'already-there' } })
    expect(second.database.notes).toEqual(['it was there already, and is as it was'])
  })

  test('drop removes it, and is content when there is none', async () => {
    await freight('create')
    expect(await freight('drop')).toMatchObject({ exit: 0, database: { existence: 'dropped' } })
    expect(existsSync(data('freight'))).toBe(false)
    const again = await freight('drop')
    expect(again).toMatchObject({
      exit: 0,
      database: { existence: 'already-gone', notes: ['there was none to drop'] },
    })
  })

  test('drop and reset of several databases want -d or --yes', async () => {
    for (const verb of ['drop', 'reset'])
      expect(await dbkit(['db', verb])).toMatchObject({
        exit: 2,
        error: { code: 'request.needs-confirmation' },
      })
    const both = await dbkit(['db', 'drop', '--yes'])
    expect(both).toMatchObject({ exit: 0, database: { existence: 'already-gone' } })
  })

  test('drop is refused while somebody has it open', async () => {
    const { child, ended } = startCli(['db', 'serve', '-d', 'freight', '--port', '0'], { cwd: folder.path })
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    const refused = await freight('drop')
    child.kill('SIGINT')
    await ended
    expect(refused).toMatchObject({ exit: 3, error: { code: 'database.embedded-busy' } })
    expect(refused.error?.message).toContain('dbkit db serve')
    expect(existsSync(data('freight'))).toBe(true)
  })

  test('reset leaves the migrations and nothing else, with --seed also the seeds', async () => {
    await runCli(['db', 'shell', '-d', 'freight'], {
      cwd: folder.path,
      env: { PATH: '' },
      input: 'create table leftover (id int);',
    })
    const reset = await freight('reset', '--seed')
    expect(reset).toMatchObject({
      exit: 0,
      database: { existence: 're-created', steps: [{ name: '1_loads', outcome: 'applied' }] },
    })
    const { stdout } = await runCli(['db', 'shell', '-d', 'freight'], {
      cwd: folder.path,
      env: { PATH: '' },
      input: "select to_regclass('leftover'), (select id from loads);",
    })
    expect(stdout).toContain(' ∅           |  7')
  }, 120_000)

  test('reset drops nothing when the files are wrong', async () => {
    await freight('create')
    folder.write({ 'sql/freight/migrations/2_half.up.sql': 'select 1' })
    expect(await freight('reset')).toMatchObject({ exit: 2, error: { code: 'workspace.unpaired' } })
    expect(existsSync(data('freight'))).toBe(true)
  })

  test('none of them runs on an embedded engine in CI that nobody asked for', async () => {
    for (const verb of ['create', 'drop', 'reset', 'shell'])
      expect(await dbkit(['db', verb, '-d', 'freight'], { CI: 'true' })).toMatchObject({ exit: 2 })
    expect(existsSync(data('freight'))).toBe(false)
  })
})

const suite = serverUrl() === undefined ? describe.skip : describe

suite('on a server', () => {
  const name = `db verbs "${String(process.pid)}"`
  const url = (database = name): string => {
    const at = new URL(serverUrl() ?? '')
    at.pathname = `/${encodeURIComponent(database)}`
    return at.href
  }
  const maintenance = <T>(body: (client: pg.Client) => Promise<T>): Promise<T> =>
    onServer(serverUrl() ?? '', body)
  const freight = (...args: string[]): Promise<Outcome> =>
    dbkit(['db', ...args, '-d', 'freight', '--url', url()])
  const exists = (): Promise<boolean> =>
    maintenance(async (client) => {
      const found = await client.query('select from pg_database where datname = $1', [name])
      return found.rowCount === 1
    })

  afterAll(async () => {
    await maintenance(async (client) => {
      const { rows } = await client.query<{ v: string }>("select current_setting('server_version') as v")
      noteEngine(`server PostgreSQL ${rows[0]?.v.split(' ')[0] ?? ''}`)
      await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`)
      await client.query('drop role if exists db_verbs_owner')
    })
  })

  test('create makes it in UTF8 with UTC, whatever its name, and is content with one that is there', async () => {
    expect(await freight('create')).toMatchObject({ exit: 0, database: { existence: 'created' } })
    const seen = await onServer(url(), async (client) => {
      const { rows } = await client.query<{ all: string }>(
        "select concat_ws(' ', current_database(), current_setting('server_encoding'), current_setting('timezone')) as all",
      )
      return rows[0]?.all
    })
    expect(seen).toBe(`${name} UTF8 UTC`)
    const again = await freight('create')
    expect(again).toMatchObject({ exit: 0, database: { existence: 'already-there' } })
  })

  test('two that create it in the same instant both succeed', async () => {
    await freight('drop', '--yes')
    const both = await Promise.all([freight('create'), freight('create')])
    expect(both.map(({ exit }) => exit)).toEqual([0, 0])
    expect(await exists()).toBe(true)
  })

  test('drop and reset always want --yes, and say what for', async () => {
    await freight('create')
    for (const verb of ['drop', 'reset']) {
      const refused = await freight(verb)
      expect(refused).toMatchObject({ exit: 2, error: { code: 'request.needs-yes' } })
      expect(refused.error?.message).toContain(`db ${verb} destroys data in `)
      expect(refused.error?.message).toContain(`/${name}.`)
    }
    expect(await exists()).toBe(true)
  })

  test('drop does not end the sessions of others, unless it is to', async () => {
    await freight('create')
    const client = new pg.Client({ connectionString: url() })
    client.on('error', () => undefined)
    await client.connect()
    const refused = await freight('drop', '--yes')
    expect(refused).toMatchObject({ exit: 3, error: { code: 'database.refused' } })
    expect(refused.error?.hint).toContain('--force')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    const forced = await freight('drop', '--yes', '--force')
    expect(forced).toMatchObject({ exit: 0, database: { existence: 'dropped' } })
    expect(await exists()).toBe(false)
    expect(await freight('drop', '--yes')).toMatchObject({ exit: 0, database: { existence: 'already-gone' } })
    await client.end().catch(() => undefined)
  })

  test.each(['postgres', 'template0', 'template1'])('%s is never dropped', async (database) => {
    for (const verb of ['drop', 'reset']) {
      const args = ['db', verb, '-d', 'freight', '--url', url(database), '--yes', '--force']
      expect(await dbkit(args)).toMatchObject({ exit: 2, error: { code: 'request.maintenance-database' } })
    }
  })

  test('reset leaves the migrations and nothing else, with --seed also the seeds', async () => {
    await freight('create')
    await onServer(url(), (client) => client.query('create table leftover (id int)'))
    const reset = await freight('reset', '--yes', '--seed')
    expect(reset).toMatchObject({
      exit: 0,
      database: { existence: 're-created', steps: [{ name: '1_loads', outcome: 'applied' }] },
    })
    const seen = await onServer(url(), async (client) => {
      const { rows } = await client.query<{ left: string | null; id: number; zone: string }>(
        "select to_regclass('leftover') as left, (select id from loads), current_setting('timezone') as zone",
      )
      return rows
    })
    expect(seen).toEqual([{ left: null, id: 7, zone: 'UTC' }])
  })

  test('reset drops nothing that it could not create again', async () => {
    await freight('create')
    await maintenance(async (client) => {
      await client.query("create role db_verbs_owner login password 'secret'")
      await client.query(`alter database ${client.escapeIdentifier(name)} owner to db_verbs_owner`)
    })
    const asOwner = new URL(url())
    asOwner.username = 'db_verbs_owner'
    asOwner.password = 'secret'
    const { exit, error } = await dbkit(['db', 'reset', '-d', 'freight', '--url', asOwner.href, '--yes'])
    expect({ exit, code: error?.code }).toEqual({ exit: 3, code: 'database.refused' })
    expect(error?.message).toContain('may not create databases')
    expect(await exists()).toBe(true)
  })

  test('people are told in a line', async () => {
    const run = (...args: string[]): Promise<Ended> =>
      runCli(['db', ...args, '-d', 'freight', '--url', url()], { cwd: folder.path })
    await run('drop', '--yes', '--force')
    expect((await run('create')).stdout).toMatch(
      /^freight {2}PostgreSQL [\d.]+, \S+@\S+\/db verbs .*\n {2}✓ created\n$/,
    )
    expect((await run('create')).stdout).toContain('  note it was there already')
    expect((await run('drop', '--yes')).stdout).toContain('  ✓ dropped\n')
  })
})
