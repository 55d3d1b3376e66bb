import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Ended, type Folder } from '../support/cli.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'
import type { JsonError, JsonReport } from '../support/engines.js'

const migrations = (database: string): Record<string, string> => ({
  [`sql/${database}/migrations/1_a.up.sql`]: 'create table a ()',
  [`sql/${database}/migrations/1_a.down.sql`]: 'drop table a',
})

let folder: Folder
beforeEach(() => {
  folder = makeFolder()
})
afterEach(() => {
  folder.remove()
})
const dbkit = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runCli(args, { cwd: folder.path, env })
const errorOf = async (
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<JsonError | undefined> => {
  const { stdout } = await dbkit([...args, '--json'], env)
  const report = JSON.parse(stdout) as JsonReport
  return report.error ?? report.databases.find(({ error }) => error !== undefined)?.error
}

describe('the configuration file', () => {
  const body = "{ databases: { shop: { lockTimeout: '2s' } } }"
  test.each([
    [
      'dbkit.config.ts',
      `import { defineConfig } from 'dbkit'\nimport { shop } from './shop.ts'\nconst options: { lockTimeout: string } = { lockTimeout: '2s' }\nexport default defineConfig({ databases: { [shop]: options } })`,
    ],
    ['dbkit.config.mts', `export default ${body} satisfies object`],
    ['dbkit.config.mjs', `export default ${body}`],
    ['dbkit.config.json', '{ "databases": { "shop": { "lockTimeout": "2s" } } }'],
  ])('is read from %s, also from a folder below it', async (name, text) => {
    folder.write({
      [name]: text,
      'shop.ts': "export const shop: string = 'shop'",
      'below/x': '',
      ...migrations('shop'),
    })
    const { stdout, exit } = await runCli(['migrate', 'up', '--dry-run'], { cwd: `${folder.path}/below` })
    expect([exit, stdout]).toEqual([0, expect.stringContaining('-- shop: 1_a (up)')])
  })

  test('of TypeScript is compiled again when it, or what it imports, has changed', async () => {
    folder.write({
      'dbkit.config.ts': "import { name } from './name.ts'\nexport default { databases: { [name]: {} } }",
      'name.ts': "export const name: string = 'first'",
      ...migrations('first'),
      ...migrations('second'),
    })
    expect((await dbkit(['migrate', 'up', '--dry-run'])).stdout).toContain('-- first:')
    expect((await dbkit(['migrate', 'up', '--dry-run'])).stdout).toContain('-- first:')
    folder.write({ 'name.ts': "export const name: string = 'second'" })
    expect((await dbkit(['migrate', 'up', '--dry-run'])).stdout).toContain('-- second:')
  })

  test('that does not compile is shown at its place', async () => {
    folder.write({ 'dbkit.config.ts': 'export default {\n  databases: { shop: {] }\n}' })
    expect(await errorOf(['migrate', 'status'])).toMatchObject({ code: 'config.unloadable', line: 2 })
  })

  test('with mistakes has every one of them named: key, value, what was expected, and the nearest key', async () => {
    folder.write({
      'dbkit.config.json': JSON.stringify({
        databases: {
          shop: {
            lockTimeout: 'soon',
            migrationz: 'x',
            embedded: 'yes',
            ledger: { schema: 7 },
            searchPath: 'a; drop schema b',
          },
        },
      }),
    })
    const error = await errorOf(['migrate', 'status'])
    expect(error).toMatchObject({ code: 'config.invalid', exit: 2 })
    const messages = [error, ...(error?.others ?? [])].map((each) =>
      [each?.message, each?.hint].filter(Boolean).join(' '),
    )
    expect(messages).toEqual([
      expect.stringMatching(/databases\.shop\.migrationz is an unknown key, .* Did you mean migrations\?/),
      'dbkit.config.json: databases.shop.embedded is "yes", expected true or false.',
      'dbkit.config.json: databases.shop.ledger.schema is 7, expected a name of at most 63 bytes.',
      'dbkit.config.json: databases.shop.searchPath is "a; drop schema b", expected a list of schema names like "$user", public.',
      'dbkit.config.json: databases.shop.lockTimeout is "soon", expected a time like "5s", "500ms" or milliseconds.',
    ])
  })

  test('is not needed with --dir, and asked for without', async () => {
    folder.write({ 'm/1_a.up.sql': 'select 1', 'm/1_a.down.sql': 'select 1' })
    expect((await dbkit(['migrate', 'up', '--dry-run', '--dir', 'm'])).exit).toBe(0)
    expect((await errorOf(['migrate', 'up', '--dry-run']))?.code).toBe('request.no-databases')
    expect((await errorOf(['migrate', 'up', '--config', 'none.json']))?.code).toBe('config.not-found')
  })

  test('names its databases when another one is asked for', async () => {
    folder.write({ 'dbkit.config.json': '{ "databases": { "shop": {}, "stock": {} } }' })
    const error = await errorOf(['migrate', 'status', '-d', 'shopp'])
    expect(error).toMatchObject({ code: 'request.unknown-database', hint: 'Did you mean shop?' })
  })
})

describe('where a database lives', () => {
  const config = {
    'dbkit.config.json': '{ "databases": { "shop": {}, "stock": {} } }',
    ...migrations('shop'),
    ...migrations('stock'),
  }
  const dead = (name: string): string => `postgresql://u:secret-word@127.0.0.1:1/${name}`

  test('one URL for several databases is refused', async () => {
    folder.write(config)
    for (const [args, env] of [
      [['--url', dead('x')], {}],
      [[], { DATABASE_URL: dead('x') }],
      [[], { PGDATABASE: 'x' }],
    ] as const)
      expect((await errorOf(['migrate', 'status', ...args], env))?.code).toBe(
        'request.one-url-many-databases',
      )
  })

  test('each database has a variable of its own, also from .env, and the process wins', async () => {
    folder.write({
      ...config,
      '.env': `SHOP_DATABASE_URL=${dead('from_file')}\nSTOCK_DATABASE_URL=${dead('stock')}\n`,
    })
    expect((await errorOf(['migrate', 'status']))?.message).toContain(
      'u@127.0.0.1:1/from_file could not be reached',
    )
    const named = await errorOf(['migrate', 'status'], { SHOP_DATABASE_URL: dead('from_process') })
    expect(named?.message).toContain('/from_process')
  })

  test('PGHOST alone selects a server, and the database by its name there', async () => {
    folder.write({
      'dbkit.config.json': '{ "databases": { "shop": { "databaseName": "shop_live" } } }',
      ...migrations('shop'),
    })
    const error = await errorOf(['migrate', 'status'], { PGHOST: '127.0.0.1', PGPORT: '1', PGUSER: 'me' })
    expect(error).toMatchObject({ code: 'database.unreachable', exit: 3 })
    expect(error?.message).toContain('me@127.0.0.1:1/shop_live')
  })

  test('a service file is read', async () => {
    folder.write({
      ...config,
      'services.conf': '# ours\n[live]\nhost=127.0.0.1\nport=1\nuser=them\ndbname=live_db\n[other]\nhost=x\n',
    })
    const env = { PGSERVICE: 'live', PGSERVICEFILE: `${folder.path}/services.conf` }
    expect((await errorOf(['migrate', 'status', '-d', 'shop'], env))?.message).toContain(
      'them@127.0.0.1:1/live_db',
    )
    expect((await errorOf(['migrate', 'status', '-d', 'shop'], { ...env, PGSERVICE: 'gone' }))?.code).toBe(
      'config.bad-url',
    )
  })

  test('in CI, or with a variable that is set but empty, the embedded engine is not fallen back to', async () => {
    folder.write(config)
    for (const env of [{ CI: 'true' }, { SHOP_DATABASE_URL: '' }] as readonly Readonly<
      Record<string, string>
    >[]) {
      expect(await errorOf(['migrate', 'up'], env)).toMatchObject({ code: 'request.embedded-in-ci', exit: 2 })
      expect((await dbkit(['migrate', 'up', '--dry-run'], env)).exit).toBe(0)
    }
    expect((await dbkit(['migrate', 'up', '--embedded'], { CI: 'true' })).exit).toBe(0)
  })

  test('status looks at every database, whatever it finds in the first', async () => {
    folder.write({ ...config, '.env': `SHOP_DATABASE_URL=${dead('shop')}\n` })
    const { exit, stdout } = await dbkit(['migrate', 'status', '--exit-code', '--json'])
    expect(exit).toBe(3)
    const report = JSON.parse(stdout) as JsonReport
    expect(report.databases.map(({ error, summary }) => error?.code ?? summary?.['pending'])).toEqual([
      'database.unreachable',
      1,
    ])
  })

  test('rolling several databases back asks for a name or --yes', async () => {
    folder.write(config)
    expect((await errorOf(['migrate', 'down']))?.code).toBe('request.needs-confirmation')
    expect((await errorOf(['migrate', 'redo']))?.code).toBe('request.needs-confirmation')
  })

  test.each([
    ['mysql://x', 'config.bad-url'],
    ['localhost:5432/x', 'config.bad-url'],
    ['postgresql://u:p%zz@h/x', 'config.bad-url'],
    ['postgresql://h/x?sslmode=maybe', 'config.bad-url'],
    ['postgresql://a,b/x', 'config.bad-url'],
    ['memory:', 'config.memory-engine'],
  ])('refuses the URL %s', async (url, code) => {
    folder.write(config)
    expect(await errorOf(['migrate', 'status', '-d', 'shop', '--url', url])).toMatchObject({ code, exit: 2 })
  })

  test('no password is ever printed', async () => {
    folder.write(config)
    for (const args of [
      ['migrate', 'status'],
      ['migrate', 'up'],
      ['migrate', 'status', '--json'],
    ]) {
      const { stdout, stderr } = await dbkit([...args, '-d', 'shop', '--url', dead('x')])
      expect(stdout + stderr).not.toContain('secret-word')
      expect(stdout + stderr).toContain('u@127.0.0.1:1/x')
    }
  })
})

describe('a password', () => {
  const secret = 'secret-word'
  test.each([
    `postgres:${secret}@127.0.0.1:1/x`,
    `postgresql://:${secret}@127.0.0.1:1/x`,
    `postgresql://u:${secret}/more@127.0.0.1:1/x`,
    `postgresql://u:${secret}@more@127.0.0.1:1/x`,
    `postgresql://u:${secret}#more@127.0.0.1:1/x`,
    `postgresql://127.0.0.1:1/x?user=u&password=${secret}`,
    `host=127.0.0.1 port=1 password=${secret}`,
  ])('in a URL that is written wrongly or seldom is not printed: %s', async (url) => {
    folder.write({ 'm/1_a.up.sql': 'select 1', 'm/1_a.down.sql': 'select 1' })
    for (const format of [[], ['--json']]) {
      const ended = await dbkit(['migrate', 'status', '--dir', 'm', '--url', url, ...format])
      expect([2, 3]).toContain(ended.exit)
      expect(ended.stdout + ended.stderr).not.toMatch(/secret-word|host\.missing/)
    }
  })

  test('that a migration may hold is not printed by --dry-run, and the rest of the file is', async () => {
    folder.write({
      'm/1_a.up.sql': `-- dbkit: allow=password-literal the role is for tests\ncreate role r password '${secret}';\n-- once: password = 'x\nselect 'kept';`,
      'm/1_a.down.sql': 'drop role r',
    })
    const args = ['migrate', 'up', '--dry-run', '--dir', 'm']
    const { stdout } = await dbkit(args)
    expect(stdout).toContain("create role r password '***';")
    expect(stdout).toContain("\nselect 'kept';")
    const json = await dbkit([...args, '--json'])
    expect(json.stdout).not.toContain(secret)
    const { databases } = JSON.parse(json.stdout) as { databases: { sql: { sql: string }[] }[] }
    expect(databases[0]?.sql[0]?.sql).toMatch(/password = \*\*\*\nselect 'kept';$/)
  })
})

describe('the command line', () => {
  test.each([
    [['migrat'], "unknown command 'migrat'"],
    [['migrate', 'up', '--too', '3'], "unknown option '--too'"],
    // Flags of `seed`, which would not do what they say.
    [['seed', 'generate', '--dry-run'], "unknown option '--dry-run'"],
    [['seed', 'generate', '--reset'], "unknown option '--reset'"],
    [['migrate', 'up', '--step', '0'], 'Expected a whole number from 1.'],
    [['migrate', 'up', '--to', 'number nine'], 'Expected a version'],
    [['migrate', 'up', '--wait', 'long'], 'Expected a time'],
    [['migrate', 'up', 'extra'], 'too many arguments'],
  ])('a wrong request ends with 2 and says why: %j', async (args, words) => {
    const plain = await dbkit(args)
    expect([plain.exit, plain.stdout]).toEqual([2, ''])
    expect(plain.stderr).toContain(words)
    const json = await dbkit([...args, '--json'])
    expect(json.stderr).toBe('')
    expect((JSON.parse(json.stdout) as JsonReport).error?.message).toContain(words)
  })

  test.each([
    [['--json'], '', 'No command was given.'],
    [['migrate', '--json'], 'migrate', 'No command was given.'],
    [['--json', 'migrate', 'upp'], 'migrate', "unknown command 'upp'"],
    [['--json', 'migrate', 'up', '--step', '0'], 'migrate up', 'Expected a whole number from 1.'],
  ])('--json is answered with one document, wherever it stands: %j', async (args, command, words) => {
    const { exit, stdout, stderr } = await dbkit(args)
    expect([exit, stderr]).toEqual([2, ''])
    const report = JSON.parse(stdout) as JsonReport & { command: string }
    expect(report.command).toBe(command)
    expect(report.error?.message).toContain(words)
  })

  test.each([['-d', ''], ['-d', ','], ['--database=']])(
    'to select no database is a mistake, not a run on none: %j',
    async (...flags) => {
      folder.write({ 'dbkit.config.json': '{ "databases": { "shop": {} } }', ...migrations('shop') })
      expect(await errorOf(['migrate', 'status', ...flags])).toMatchObject({
        code: 'request.bad-option',
        exit: 2,
      })
    },
  )

  test('the name that is given to a folder of migrations keeps the embedded engine in .dbkit', async () => {
    folder.write({ 'm/1_a.up.sql': 'create table a ()', 'm/1_a.down.sql': 'drop table a' })
    for (const name of ['../outside', '..', '.', 'a/b'])
      expect((await errorOf(['migrate', 'up', '--dir', 'm', '-d', name]))?.code).toBe('request.bad-option')
    expect(readdirSync(folder.path)).toEqual(['m'])
  })

  test('--to and --step contradict each other', async () => {
    folder.write({ 'dbkit.config.json': '{ "databases": { "shop": {} } }', ...migrations('shop') })
    expect((await errorOf(['migrate', 'up', '--to', '1', '--step', '1']))?.code).toBe(
      'request.conflicting-options',
    )
  })

  const commands = [
    [],
    ['migrate'],
    ...['up', 'down', 'redo', 'status', 'create', 'baseline', 'repair'].map((verb) => ['migrate', verb]),
  ]
  test.each(commands)('--help of "dbkit %s %s" shows an example', async (...command) => {
    const { stdout, exit } = await dbkit([...command.filter((word) => typeof word === 'string'), '--help'])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/Examples:\n {2}\$ dbkit /)
  })
})

const onServer = serverUrl() === undefined ? test.skip : test
describe('a server', () => {
  let server: ServerDatabase | undefined
  afterEach(async () => {
    await server?.drop()
  })
  onServer('that lacks the database is told from one that is not there', async () => {
    folder.write({ 'dbkit.config.json': '{ "databases": { "shop": {} } }', ...migrations('shop') })
    const url = new URL(serverUrl() ?? '')
    url.pathname = '/not_there_at_all'
    expect(await errorOf(['migrate', 'status', '--url', url.href])).toMatchObject({
      code: 'database.unreachable',
      hint: 'Create it with `dbkit db create`.',
    })
  })
  onServer('is reached through the password file, a socket-less URL and PG* variables alike', async () => {
    server = await createServerDatabase()
    const url = new URL(server.url)
    folder.write({ 'dbkit.config.json': '{ "databases": { "shop": {} } }', ...migrations('shop') })
    const env = { PGHOST: url.hostname, PGPORT: url.port, PGUSER: 'postgres', PGDATABASE: server.name }
    expect((await dbkit(['migrate', 'up'], env)).exit).toBe(0)
    expect((await dbkit(['migrate', 'status', '--exit-code'], { SHOP_DATABASE_URL: server.url })).exit).toBe(
      0,
    )
  })
})
