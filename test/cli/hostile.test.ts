import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Ended } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'

const DROP = 'drop table public.victim'

/** What is in files, configuration and arguments is data: whatever stands in it, only migrations are run. */
const onServer = serverUrl() === undefined ? describe.skip : describe

onServer('what is hostile', () => {
  let database: ServerDatabase
  beforeAll(async () => {
    noteEngine('server PostgreSQL')
    database = await createServerDatabase('hostile')
    await database.query('create table public.victim (id int)')
  })
  afterAll(async () => {
    await database.drop()
  })

  const OWN = { '0001_own.up.sql': '-- dbkit: irreversible a test\nselect 1;\n' }

  async function run(
    options: Readonly<Record<string, unknown>>,
    files: Readonly<Record<string, string>>,
    ...more: readonly string[]
  ): Promise<Ended> {
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { freight: options } }),
      ...Object.fromEntries(
        Object.entries(files).map(([name, text]) => [`sql/freight/migrations/${name}`, text]),
      ),
    })
    const [verb = 'migrate', ...rest] = more.length === 0 ? ['migrate', 'up'] : more
    const ended = await runCli([verb, ...rest, '--url', database.url], { cwd: folder.path })
    folder.remove()
    expect(await database.query(`select to_regclass('public.victim') as there`)).toEqual([
      { there: 'victim' },
    ])
    return ended
  }

  test.each([
    ['the ledger', { ledger: { schema: `x"; ${DROP}; --`, table: `m'; ${DROP}; --` } }, 0],
    ['a quote in the ledger', { ledger: { schema: "it's", table: 'a"b' } }, 0],
    ['the search path', { searchPath: `public; ${DROP}` }, 2],
    ['a quoted search path', { searchPath: `"public"; ${DROP}; --"` }, 2],
    ['the time zone', { timeZone: `UTC'; ${DROP}; --`, ledger: { schema: 'zone' } }, 3],
  ] as const)('in the configuration as %s is a name or a value', async (_, options, exit) => {
    const ended = await run(options, OWN)
    expect([ended.exit, ended.exit === 0 ? '' : ended.stderr]).toEqual([exit, expect.any(String)])
  })

  test('the ledger that is called so is there, and can be asked', async () => {
    const options = { ledger: { schema: `x"; ${DROP}; --`, table: `m'; ${DROP}; --` } }
    expect((await run(options, OWN, 'migrate', 'status')).stdout).toContain('applied  0001_own')
    expect(
      await database.query(`select count(*) from pg_tables where schemaname = $1 and tablename = $2`, [
        options.ledger.schema,
        options.ledger.table,
      ]),
    ).toEqual([{ count: '1' }])
  })

  test.each([
    [`0002_x';${DROP};--.up.sql`],
    ['0002_$(touch pwned).up.sql'],
    ['0002_`id`.up.sql'],
    ['0002_new\nline.up.sql'],
    ['0002_\u001b[2J.up.sql'],
    ['0002_..\\..\\x.up.sql'],
  ])('as the file name %j is refused by name', async (name) => {
    const { exit, stderr } = await run({}, { ...OWN, [name]: 'select 1;\n' })
    expect(exit).toBe(2)
    expect(stderr).toContain('is not named like a migration')
    expect(stderr).not.toContain('\u001b')
  })

  test.each([
    [`lock-timeout=1s; ${DROP}`],
    [`lock-timeout=1s';${DROP};--`],
    [`statement-timeout=1s;${DROP}`],
    ['no-transaction; select 1'],
    [`replaces 1; ${DROP}`],
    ['allow=x'],
    ['include /etc/passwd'],
  ])('as the directive %j is refused, with its place', async (directive) => {
    const { exit, stderr } = await run({}, { ...OWN, '0002_x.up.sql': `-- dbkit: ${directive}\nselect 1;\n` })
    expect([exit, stderr]).toEqual([2, expect.stringContaining('0002_x.up.sql:1')])
  })

  test.each([
    ['--to', `1'; ${DROP}`],
    ['--lock-timeout', `1s; ${DROP}`],
    ['--step', `1; ${DROP}`],
  ])('as an argument of %s is refused', async (flag, value) => {
    expect((await run({}, OWN, 'migrate', 'up', flag, value)).exit).toBe(2)
  })

  test('from the server, or from a file, does not act on the terminal', async () => {
    const { exit, stdout, stderr } = await run(
      { ledger: { schema: 'terminal' } },
      {
        '0001_x.up.sql': `-- dbkit: irreversible a \u001b]0;title\u0007 reason\n
          do $$ begin raise notice E'\\x1b[2J\\rgone'; raise exception E'\\x1b]0;owned\\x07 \\u202e turned'; end $$;\n`,
      },
    )
    expect(exit).toBe(3)
    for (const text of [stdout, stderr]) expect(text).not.toMatch(/(?![\n\t])\p{Cc}|\u202e/u)
    expect(stderr).toContain('\\u{1b}]0;owned\\u{7} \\u{202e} turned')
  })

  test('as a password is in no output, wherever it came from', async () => {
    const secret = 's3cr3t-Pa55'
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { freight: {} } }),
      'sql/freight/migrations/0001_x.up.sql': `-- dbkit: irreversible a test\nselect 1;\n`,
      'sql/freight/migrations/0002_x.up.sql': `-- dbkit: irreversible a test
-- dbkit: allow=password-literal it is changed at once
create role hostile_${String(process.pid)} login password '${secret}';
do $$ begin raise exception 'postgresql://bob:${secret}@db/x and password=${secret}'; end $$;
`,
    })
    const withPassword = new URL(database.url)
    withPassword.password = secret
    const unreachable = `postgresql://bob:${secret}@127.0.0.1:1/x`
    const ways: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
      [['migrate', 'up', '--url', withPassword.href], {}],
      [['migrate', 'up', '--url', withPassword.href, '--json'], {}],
      [['migrate', 'up', '--url', withPassword.href, '--dry-run'], {}],
      [['migrate', 'status', '--url', unreachable], {}],
      [['migrate', 'status', '--json'], { FREIGHT_DATABASE_URL: unreachable }],
      [['migrate', 'status'], { PGHOST: '127.0.0.1', PGPORT: '1', PGPASSWORD: secret, PGUSER: 'bob' }],
      [['lint', '--url', withPassword.href, '--shadow-url', withPassword.href, '--since', '0'], {}],
      [['fuzz', '--url', withPassword.href, '--shadow-url', withPassword.href, '2', '--rows', '1'], {}],
      [['verify', '--shadow-url', unreachable], {}],
      [['lint', '--stats', unreachable, '1', '--shadow-url', withPassword.href], {}],
    ]
    for (const [args, env] of ways) {
      const { stdout, stderr } = await runCli(args, { cwd: folder.path, env })
      expect({ args: args.slice(0, 2), told: `${stdout}${stderr}`.includes(secret) }).toEqual({
        args: args.slice(0, 2),
        told: false,
      })
      expect(`${stdout}${stderr}`.length).toBeGreaterThan(20)
    }
    folder.remove()
  }, 120_000)
})
