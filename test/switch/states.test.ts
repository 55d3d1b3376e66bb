import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { settleConfig } from '../../src/index.js'
import { seededState, startingStates, wholeState } from '../../src/verbs/kept-states.js'
import { readWorkspace } from '../../src/workspace/workspace.js'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { dumpSchema } from '../support/databases.js'
import type { JsonReport } from '../support/engines.js'
import {
  createServerDatabase,
  noteEngine,
  onServer,
  serverUrl,
  type ServerDatabase,
} from '../support/server.js'

/** Its templates are told from those of other tests by its name. */
const NAME = `kept_${String(process.pid)}`

const files = (more: Readonly<Record<string, string>> = {}, options = {}): Record<string, string> => ({
  'dbkit.config.json': JSON.stringify({ databases: { [NAME]: options } }),
  [`sql/${NAME}/migrations/1_loads.up.sql`]:
    "create table loads (id integer primary key, due date not null); create sequence s start 5; select nextval('s');",
  [`sql/${NAME}/migrations/1_loads.down.sql`]: 'drop sequence s; drop table loads;',
  [`sql/${NAME}/migrations/2_view.up.sql`]: 'create view due as select due from loads;',
  [`sql/${NAME}/migrations/2_view.down.sql`]: 'drop view due;',
  [`sql/${NAME}/repeatable/total.sql`]: 'create or replace view total as select count(*) from loads;',
  [`seeds/${NAME}/reference/loads.csv`]: 'id,due\n1,2026-01-01\n2,2026-01-02\n',
  ...more,
})

let folder: Folder
beforeEach(() => {
  folder = makeFolder(files())
})
afterEach(() => {
  folder.remove()
})

describe('the key of a state', () => {
  const keys = async (
    environment: Readonly<Record<string, string>> = {},
    day = '2026-03-01',
    engine = 'test',
  ): Promise<{ whole: string | undefined; seeded: string | undefined; all: readonly string[] }> => {
    const config = await settleConfig({ embedded: true }, { cwd: folder.path, environment })
    const [database] = config.databases
    if (database === undefined) throw new Error('the configuration has no database')
    const workspace = readWorkspace(database, folder.path)
    return {
      whole: wholeState(workspace, database, { engine }),
      seeded: seededState(workspace, database, { engine, day, root: folder.path }),
      all: startingStates(workspace, database, { kind: 'latest' }, { engine }),
    }
  }

  test('holds the migrations, what is repeatable, the seeds, the engine and the day', async () => {
    const first = await keys()
    expect(await keys()).toEqual(first)
    expect(first.all).toHaveLength(3)
    expect((await keys({}, '2026-03-02')).seeded).not.toBe(first.seeded)
    expect((await keys({}, '2026-03-01', 'other')).all.some((key) => first.all.includes(key))).toBe(false)
    folder.write({ [`seeds/${NAME}/reference/loads.csv`]: 'id,due\n1,2026-01-01\n' })
    const seeded = await keys()
    expect([seeded.whole === first.whole, seeded.seeded === first.seeded]).toEqual([true, false])
    folder.write({ [`sql/${NAME}/repeatable/total.sql`]: 'create or replace view total as select 1 as one;' })
    const repeatable = await keys()
    expect(repeatable.whole).not.toBe(first.whole)
    // Before what is repeatable has run they are the same.
    expect(repeatable.all.slice(1)).toEqual(first.all.slice(1))
    folder.write({ [`sql/${NAME}/migrations/2_view.down.sql`]: 'drop view if exists due;' })
    expect((await keys()).all.at(-1)).toBe(first.all.at(-1))
    expect((await keys()).all.at(-2)).not.toBe(first.all.at(-2))
  })

  test('holds the values of variables that a file names', async () => {
    folder.write({
      [`sql/${NAME}/migrations/2_view.up.sql`]:
        "-- dbkit: substitute=TENANT\ncreate view due as select '${TENANT}' as t;",
    })
    const [a, b, again] = [
      await keys({ TENANT: 'a' }),
      await keys({ TENANT: 'b' }),
      await keys({ TENANT: 'a' }),
    ]
    expect(a.whole).not.toBe(b.whole)
    expect(again).toEqual(a)
  })

  test('does not exist where something else than files has a hand in it', async () => {
    folder.write({
      [`seeds/${NAME}/reference/now.sql`]: 'insert into loads values (9, now()) on conflict do nothing;',
    })
    const clock = await keys()
    expect([clock.seeded, typeof clock.whole]).toEqual([undefined, 'string'])
    folder.write(files({}, { hooks: { afterRun: { sql: 'select 1' } } }))
    expect(await keys()).toEqual({ whole: undefined, seeded: undefined, all: [] })
    folder.write({
      ...files(),
      [`sql/${NAME}/migrations/3_code.mjs`]:
        'export async function up(db) {}\nexport async function down(db) {}\n',
    })
    const code = await keys()
    expect([code.whole, code.seeded, code.all.length]).toEqual([undefined, undefined, 2])
  })
})

const reset = async (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{
  exit: number | null
  sources: readonly string[]
  notes: readonly string[]
  seeded: boolean
}> => {
  const { exit, stdout } = await runCli(['db', 'reset', '-d', NAME, ...args, '--json'], {
    cwd: folder.path,
    env,
  })
  const [database] = (JSON.parse(stdout) as JsonReport & { databases: readonly { seed?: unknown }[] })
    .databases
  return {
    exit,
    sources: (database?.steps ?? []).map(({ name, source }) => `${name} ${source ?? 'run'}`),
    notes: database?.notes ?? [],
    seeded: database !== undefined && 'seed' in database,
  }
}
const RUN = ['1_loads run', '2_view run', 'total run']
const COPIED = ['1_loads cache', '2_view cache', 'total cache']

test('db reset --seed on PGlite begins with the seeds when nothing has changed', async () => {
  noteEngine('embedded PGlite 0.5.8')
  folder.write({
    [`sql/${NAME}/migrations/2_view.up.sql`]:
      'select pg_sleep(2.1); create view due as select due from loads;',
  })
  const env = { XDG_CACHE_HOME: join(folder.path, 'cache') }
  const rows = async (): Promise<string> => {
    const input = "select string_agg(id::text || ' ' || due::text, ',' order by id) from loads;"
    const { stdout } = await runCli(['db', 'shell', '-d', NAME], {
      cwd: folder.path,
      env: { ...env, PATH: '' },
      input,
    })
    return stdout
  }
  expect(await reset(['--seed'], env)).toMatchObject({ exit: 0, sources: RUN, seeded: true })
  const before = await rows()
  expect(before).toContain('1 2026-01-01,2 2026-01-02')
  const again = await reset(['--seed'], env)
  expect(again).toMatchObject({ exit: 0, seeded: false })
  expect(again.sources.slice(0, 2)).toEqual(COPIED.slice(0, 2))
  expect(again.notes).toEqual(['the seeds are those of a state that was kept today'])
  expect(await rows()).toBe(before)
}, 120_000)

const suite = serverUrl() === undefined ? describe.skip : describe

suite('templates of a server', () => {
  let database: ServerDatabase
  const maintenance = async (sql: string): Promise<readonly string[]> =>
    onServer(serverUrl() ?? '', async (client) => {
      const result = await client.query<{ name: string }>(sql)
      return result.rows.map(({ name }) => name)
    })
  const templates = (): Promise<readonly string[]> =>
    maintenance(
      `select datname as name from pg_database where datname like 'dbkit_state_%'
        and shobj_description(oid, 'pg_database') like '%"${NAME}"%' order by 1`,
    )
  const kept = (keep: string, ...args: string[]): ReturnType<typeof reset> =>
    reset(['--yes', '--templates', keep, '--url', database.url, ...args])

  beforeEach(async () => {
    database = await createServerDatabase('switch')
  })
  const cleanUp = async (): Promise<void> => {
    for (const name of await templates()) await maintenance(`drop database "${name}"`)
  }
  afterEach(async () => {
    await database.drop()
    await cleanUp()
  })
  afterAll(cleanUp)

  test('are what a reset would make, seeds included, and nobody can connect to them', async () => {
    expect(await reset(['--yes', '--seed', '--url', database.url])).toMatchObject({
      sources: RUN,
      seeded: true,
    })
    expect(await templates()).toEqual([])
    const plain = dumpSchema(database.url)
    expect(await kept('2', '--seed')).toMatchObject({ exit: 0, sources: RUN, seeded: true })
    expect(dumpSchema(database.url)).toBe(plain)
    const [template = ''] = await templates()
    await database.query('insert into loads values (77, now())')
    const again = await kept('2', '--seed')
    expect(again).toMatchObject({ exit: 0, sources: COPIED, seeded: false })
    expect(again.notes).toEqual([`copied from the template ${template}, seeds included`])
    expect(dumpSchema(database.url)).toBe(plain)
    expect(await database.query('select id, due from loads order by id')).toEqual([
      { id: '1', due: '2026-01-01' },
      { id: '2', due: '2026-01-02' },
    ])
    expect(await database.query("select nextval('s')::text as n, current_setting('timezone') as tz")).toEqual(
      [{ n: '6', tz: 'UTC' }],
    )
    await expect(
      onServer(database.url.replace(database.name, template), () => Promise.resolve(0)),
    ).rejects.toThrow('not currently accepting connections')
  })

  test('are few: the least recently used goes, and what nobody goes on making', async () => {
    const old = `dbkit_state_${'0'.repeat(32)}_${(Date.now() - 7_200_000).toString(36)}_0000`
    const young = `dbkit_state_${'0'.repeat(32)}_${Date.now().toString(36)}_0000`
    for (const name of [old, young]) await maintenance(`create database "${name}"`)
    try {
      const texts = ['select 1;', 'select 2;', 'select 3;']
      const version = (text: string): void => {
        folder.write({ [`sql/${NAME}/migrations/2_view.down.sql`]: text })
      }
      for (const text of texts) {
        version(text)
        expect((await kept('2')).sources).toEqual(RUN)
      }
      expect(await templates()).toHaveLength(2)
      version('select 2;')
      expect((await kept('2')).sources).toEqual(COPIED)
      version('select 1;')
      expect((await kept('2')).sources).toEqual(RUN)
      version('select 2;')
      expect((await kept('2')).sources).toEqual(COPIED)
      const left = await maintenance(
        `select datname as name from pg_database where datname in ('${old}', '${young}')`,
      )
      expect(left).toEqual([young])
    } finally {
      for (const name of [old, young]) await maintenance(`drop database if exists "${name}"`)
    }
  })

  test('are made once by runners that begin together', async () => {
    const other = await createServerDatabase('switch')
    try {
      const both = await Promise.all([kept('2'), reset(['--yes', '--templates', '2', '--url', other.url])])
      expect(both.map(({ exit }) => exit)).toEqual([0, 0])
      expect(await templates()).toHaveLength(1)
      expect(dumpSchema(other.url)).toBe(dumpSchema(database.url))
      expect(
        await maintenance("select datname as name from pg_database where datname ~ '^dbkit_state_.*_.*_'"),
      ).toEqual([])
    } finally {
      await other.drop()
    }
  })

  test('are left alone when they are not what dbkit made, and not made of what is about the database itself', async () => {
    await kept('2')
    const [template = ''] = await templates()
    await maintenance(`alter database "${template}" with allow_connections true`)
    const taken = await kept('2')
    expect(taken).toMatchObject({ exit: 0, sources: RUN })
    expect(taken.notes[0]).toContain('can be connected to, and is left alone')
    expect(await templates()).toEqual([template])
    folder.write({
      [`sql/${NAME}/migrations/2_view.up.sql`]:
        "create view due as select due from loads; do $$ begin execute format('alter database %I set work_mem = ''5MB''', current_database()); end $$;",
    })
    const named = await kept('2')
    expect(named).toMatchObject({ exit: 0, sources: RUN })
    expect(named.notes[0]).toContain('2_view.up.sql is about the database by its name')
    expect(await database.query("select current_setting('work_mem') as m")).toEqual([{ m: '5MB' }])
    expect(await templates()).toEqual([template])
  })

  test('are left alone when they belong to another role', async () => {
    const role = `kept_role_${String(process.pid)}`
    const own = new URL(database.url)
    own.username = role
    const asRole = (): ReturnType<typeof reset> => reset(['--yes', '--templates', '2', '--url', own.href])
    await maintenance(`create role ${role} login createdb`)
    try {
      await maintenance(`alter database "${database.name}" owner to ${role}`)
      expect((await asRole()).sources).toEqual(RUN)
      expect((await asRole()).sources).toEqual(COPIED)
      const [template = ''] = await templates()
      await maintenance(`alter database "${template}" owner to current_user`)
      const taken = await asRole()
      expect(taken).toMatchObject({ exit: 0, sources: RUN })
      expect(taken.notes[0]).toContain("is another role's")
      expect(await templates()).toEqual([template])
    } finally {
      await database.drop()
      await cleanUp()
      await maintenance(`drop role ${role}`)
    }
  })

  test('serve `switch --reset` too, and a build that fails leaves nothing', async () => {
    await kept('2')
    folder.write({
      [`sql/${NAME}/migrations/3_gone.up.sql`]:
        '-- dbkit: irreversible it is gone\ndrop view total; drop view due;',
    })
    await runCli(['migrate', 'up', '-d', NAME, '--url', database.url], { cwd: folder.path })
    folder.remove()
    folder = makeFolder(files())
    const args = [
      'switch',
      '-d',
      NAME,
      '--reset',
      '--yes',
      '--templates',
      '2',
      '--url',
      database.url,
      '--json',
    ]
    const { exit, stdout } = await runCli(args, { cwd: folder.path })
    const [report] = (JSON.parse(stdout) as JsonReport).databases
    expect([exit, report?.steps?.map(({ source }) => source)]).toEqual([0, ['cache', 'cache', 'cache']])
    folder.write({
      [`sql/${NAME}/migrations/2_view.up.sql`]: 'create view due as select nothing from loads;',
    })
    expect((await kept('2')).exit).toBe(3)
    expect(await templates()).toHaveLength(1)
    expect(
      await maintenance("select datname as name from pg_database where datname ~ '^dbkit_state_.*_.*_'"),
    ).toEqual([])
  })
})
