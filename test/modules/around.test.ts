import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import type { JsonReport } from '../support/engines.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'

let folder: Folder
let server: ServerDatabase | undefined

beforeEach(async () => {
  folder = makeFolder({})
  server = serverUrl() === undefined ? undefined : await createServerDatabase('around')
  if (server === undefined) noteEngine('embedded PGlite 0.5.8')
})
afterEach(async () => {
  folder.remove()
  await server?.drop()
})

function write(options: object, files: Readonly<Record<string, string>>): void {
  folder.write({
    'dbkit.config.json': JSON.stringify({ databases: { shop: options } }),
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`sql/shop/${name}`, text])),
  })
}

async function json(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ exit: number | null; report: JsonReport; stdout: string }> {
  const target = server === undefined ? ['--embedded'] : ['--url', server.url]
  const url = serverUrl()
  const shadow =
    url !== undefined && ['verify', 'schema'].includes(args[0] ?? '') ? ['--shadow-url', url] : []
  const { exit, stdout } = await runCli([...args, ...target, ...shadow, '--json'], { cwd: folder.path, env })
  return { exit, stdout, report: JSON.parse(stdout) as JsonReport }
}

const PAIR = (name: string, up: string, down: string): Readonly<Record<string, string>> => ({
  [`migrations/${name}.up.sql`]: up,
  [`migrations/${name}.down.sql`]: down,
})

const PEOPLE = PAIR(
  '0001_people',
  'create table people (id int primary key, name text);',
  'drop table people;',
)

describe('hooks', () => {
  const LOG = { command: 'echo "$DBKIT_DIRECTION $DBKIT_VERSION $DBKIT_NAME $DBKIT_OUTCOME" >> log.txt' }
  const log = (): readonly string[] =>
    readFileSync(join(folder.path, 'log.txt'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.trim())

  test('run around the run and around each migration, told which it is', async () => {
    write(
      {
        hooks: {
          beforeRun: LOG,
          afterRun: LOG,
          beforeMigration: [
            LOG,
            { sql: "create table if not exists seen as select current_setting('dbkit.name') as name" },
          ],
          afterMigration: LOG,
        },
      },
      {
        ...PEOPLE,
        ...PAIR('0002_more', 'alter table people add more int;', 'alter table people drop more;'),
      },
    )
    expect((await json(['migrate', 'up'])).exit).toBe(0)
    expect(log()).toEqual([
      'up',
      'up 1 0001_people',
      'up 1 0001_people applied',
      'up 2 0002_more',
      'up 2 0002_more applied',
      'up   applied',
    ])
    // Nothing to do, nothing to tell.
    expect((await json(['migrate', 'up'])).exit).toBe(0)
    expect(log()).toHaveLength(6)
    await json(['migrate', 'down'])
    expect(log().slice(6)).toEqual([
      'down',
      'down 2 0002_more',
      'down 2 0002_more rolled-back',
      'down   rolled-back',
    ])
    if (server !== undefined)
      expect(await server.query('select name from seen')).toEqual([{ name: '0001_people' }])
  })

  test('that fail before keep it from being run, and those after stop the run', async () => {
    write({ hooks: { beforeRun: { command: 'echo not today; exit 4' } } }, PEOPLE)
    const before = await json(['migrate', 'up'])
    expect([before.exit, before.report.databases[0]?.error?.code]).toEqual([2, 'hook.failed'])
    expect(before.report.databases[0]?.error?.message).toContain('it ended with 4: not today')
    write(
      { hooks: { afterMigration: { sql: 'select 1/0' } } },
      PAIR('0002_more', 'alter table people add more int;', 'alter table people drop more;'),
    )
    const after = await json(['migrate', 'up'])
    expect(after.report.databases[0]?.error?.message).toContain('division by zero')
    expect(after.report.databases[0]?.steps?.map(({ outcome }) => outcome)).toEqual(['applied', 'not-run'])
    const status = await json(['migrate', 'status'])
    expect(status.report.databases[0]?.migrations?.map(({ state }) => state)).toEqual(['applied', 'pending'])
  })

  test('of an unknown kind are refused', async () => {
    write({ hooks: { beforeRun: { shell: 'ls' } } }, PEOPLE)
    expect((await json(['migrate', 'status'])).report.error?.code).toBe('config.invalid')
  })
})

describe('repeatable files', () => {
  const VIEW = (columns: string): Readonly<Record<string, string>> => ({
    'repeatable/10_names.sql': `drop view if exists names; create view names as select ${columns} from people;`,
  })

  test('run after the migrations, again when their text has changed, and are told in status and dry-run', async () => {
    write({}, { ...PEOPLE, ...VIEW('name') })
    const first = await json(['migrate', 'up'])
    expect(first.report.databases[0]?.steps?.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['0001_people', 'applied'],
      ['10_names', 'applied'],
    ])
    expect((await json(['migrate', 'up'])).report.databases[0]?.steps).toEqual([])
    write({}, VIEW('id, name'))
    const status = await json(['migrate', 'status', '--exit-code'])
    expect([status.exit, status.stdout.includes('"state": "changed"')]).toEqual([1, true])
    const dry = await json(['migrate', 'up', '--dry-run'])
    expect(dry.report.databases[0]?.sql?.map(({ name }) => name)).toEqual(['10_names'])
    expect((await json(['migrate', 'up'])).report.databases[0]?.steps?.map(({ name }) => name)).toEqual([
      '10_names',
    ])
    expect((await json(['migrate', 'status', '--exit-code'])).exit).toBe(0)
    expect((await json(['schema', 'drift'])).exit).toBe(0)
    if (server === undefined) return
    await server.query('drop view names')
    const drift = await json(['schema', 'drift'])
    expect([drift.exit, drift.stdout.includes('view public.names')]).toEqual([1, true])
  })

  test('are proved by verify: run twice, and a part of what there should be', async () => {
    write({}, { ...PEOPLE, ...VIEW('name'), 'repeatable/20_grows.sql': 'create table if not exists a ();' })
    expect((await json(['verify'])).exit).toBe(0)
    write({}, { 'repeatable/20_grows.sql': 'create view twice as select 1;' })
    const { exit, stdout } = await json(['verify'])
    expect([exit, stdout.includes('already exists')]).toEqual([1, true])
  })

  test('fail at their line, and the rest waits', async () => {
    write({}, { ...PEOPLE, 'repeatable/a.sql': '\nselect nothing;', ...VIEW('name') })
    const { report } = await json(['migrate', 'up'])
    const [shop] = report.databases
    expect([shop?.error?.file, shop?.error?.line]).toEqual(['sql/shop/repeatable/a.sql', 2])
    expect(shop?.steps?.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'failed'])
  })
})

describe('substitution', () => {
  const FILES = {
    ...PEOPLE,
    ...PAIR(
      '0002_tenant',
      "-- ${TENANT} in a comment\ncomment on table people is '${TENANT} and ${OTHER}';\ncreate function f() returns text language sql as $$ select '${TENANT}' $$;\nalter table people rename name to \"${COLUMN}\";",
      'drop function f(); alter table people rename "${COLUMN}" to name;',
    ),
  }

  test('puts texts and names where the quotes say which, and keeps the checksum of the source', async () => {
    write({ substitute: ['TENANT', 'COLUMN'] }, FILES)
    const env = { TENANT: "O'Neill", COLUMN: 'the "name"' }
    const up = await json(['migrate', 'up'], env)
    expect(up.report.databases[0]?.error).toBeUndefined()
    if (server !== undefined)
      expect(
        await server.query(
          "select obj_description('people'::regclass) as said, f(), (select attname from pg_attribute where attrelid = 'people'::regclass and attnum = 2) as name",
        ),
      ).toEqual([{ said: "O'Neill and ${OTHER}", f: "O'Neill", name: 'the "name"' }])
    const other = await json(['migrate', 'status', '--exit-code'], { TENANT: 'x', COLUMN: 'y' })
    expect(other.exit).toBe(0)
    expect((await json(['migrate', 'down'], env)).exit).toBe(0)
  })

  test('is asked for, and refuses what is not set or not in quotes, at its place', async () => {
    write(
      {},
      { ...PEOPLE, ...PAIR('0002_a', '-- dbkit: substitute=TENANT\n\nselect ${TENANT};', 'select 1;') },
    )
    const unset = (await json(['migrate', 'up'])).report.databases[0]?.error
    expect([unset?.code, unset?.file, unset?.line, unset?.column]).toEqual([
      'workspace.unset-variable',
      'sql/shop/migrations/0002_a.up.sql',
      3,
      8,
    ])
    const bare = (await json(['migrate', 'up'], { TENANT: 'x' })).report.databases[0]?.error
    expect(bare?.code).toBe('workspace.unquoted-variable')
    write({}, PAIR('0002_a', "select '${TENANT}';", 'select 1;'))
    expect((await json(['migrate', 'up'])).exit).toBe(0)
  })
})
