import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { startCli } from '../support/cli.js'
import { describeEngines, describeFastest, type Bench, type Files } from '../support/engines.js'

const KYSELY = new URL('../../node_modules/', import.meta.url).pathname

const benches: Bench[] = []
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.remove()
})

type Open = (files: Files) => Promise<Bench>

/** With Kysely installed beside the migrations, as an application has it. */
async function opened(open: Open, files: Files, kysely: string | null = 'kysely'): Promise<Bench> {
  const bench = await open(files)
  benches.push(bench)
  if (kysely !== null) {
    mkdirSync(join(bench.folder.path, 'node_modules'))
    symlinkSync(join(KYSELY, kysely), join(bench.folder.path, 'node_modules', 'kysely'))
  }
  return bench
}

const PEOPLE = {
  '0001_people.up.sql':
    'create table people (id bigint generated always as identity primary key, name text not null, touched int not null default 0);',
  '0001_people.down.sql': 'drop table people;',
}

const ROWS = (count: number): Files => ({
  ...PEOPLE,
  '0001_people.up.sql': `${PEOPLE['0001_people.up.sql']}insert into people (name) select 'n' || i from generate_series(1, ${String(count)}) i;`,
})

const SHOUT = `
import { sql, type Kysely } from 'kysely'
import { shouting } from './helper.js'

interface People { id: string; name: string; shout?: string }

export async function up(db: Kysely<{ people: People }>): Promise<void> {
  await db.schema.alterTable('people').addColumn('shout', 'text').execute()
  await db.insertInto('people').values({ name: 'ann' } as never).execute()
  const { n, now } = await db
    .selectFrom('people')
    .select((eb) => [eb.fn.countAll<string>().as('n'), sql<Date>\`now()\`.as('now')])
    .executeTakeFirstOrThrow()
  if (n !== '1' || !(now instanceof Date)) throw new Error(\`values are not those of pg: \${typeof n}\`)
  await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx.updateTable('people').set({ shout: shouting('ann') }).executeTakeFirst()
    if (numUpdatedRows !== 1n) throw new Error('no row')
  })
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('people').execute()
    throw new Error('given up')
  }).catch(() => undefined)
}

export async function down(db: Kysely<any>): Promise<void> {
  await db.deleteFrom('people').execute()
  await db.schema.alterTable('people').dropColumn('shout').execute()
}
`

describeEngines('migrations as code', (open, { everywhere, once }) => {
  everywhere('run beside SQL, in their transaction with the ledger row, up and down', async () => {
    const bench = await opened(open, {
      ...PEOPLE,
      '0002_shout.ts': SHOUT,
      'helper.ts': 'export const shouting = (text: string): string => text.toUpperCase()',
      '0003_check.up.sql': "alter table people add check (shout = 'ANN');",
      '0003_check.down.sql': 'alter table people drop constraint people_shout_check;',
    })
    const up = await bench.json('migrate', 'up')
    expect(up.report.databases[0]?.steps?.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['0001_people', 'applied'],
      ['0002_shout', 'applied'],
      // The rolled back transaction of 0002 has left its row, or this would have nothing to check.
      ['0003_check', 'applied'],
    ])
    const down = await bench.json('migrate', 'down', '--to', '1')
    expect(down.report.databases[0]?.steps?.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['0003_check', 'rolled-back'],
      ['0002_shout', 'rolled-back'],
    ])
    expect((await bench.json('migrate', 'up')).exit).toBe(0)
  })

  once('a failure rolls all of it back and is told at its line, with the statement', async () => {
    const bench = await opened(open, {
      ...PEOPLE,
      '0002_bad.ts': [
        "import { sql, type Kysely } from 'kysely'",
        'export async function up(db: Kysely<any>): Promise<void> {',
        "  await db.schema.createTable('left_behind').addColumn('id', 'integer').execute()",
        '  await sql`update people set nmae = 1`.execute(db)',
        '}',
        'export const down = async (): Promise<void> => undefined',
      ].join('\n'),
    })
    const { exit, report } = await bench.json('migrate', 'up')
    const error = report.databases[0]?.error
    expect([exit, error?.code, error?.file, error?.line]).toEqual([
      3,
      'database.refused',
      'sql/0002_bad.ts',
      4,
    ])
    expect(error?.hint).toContain('update people set nmae = 1')
    bench.folder.write({
      '0002_bad.ts':
        'export async function up(db) {\n  throw new RangeError("no")\n}\nexport function down() {}',
    })
    const thrown = (await bench.json('migrate', 'up')).report.databases[0]?.error
    expect([thrown?.code, thrown?.message, thrown?.line]).toEqual(['module.failed', 'RangeError: no', 2])
  })

  once('keep their source in the ledger, and are not rolled back from there', async () => {
    const bench = await opened(open, {
      ...PEOPLE,
      '0002_shout.mjs': 'export async function up() {}\nexport async function down() {}',
    })
    await bench.json('migrate', 'up')
    rmSync(join(bench.folder.path, 'sql', '0002_shout.mjs'))
    const { exit, report } = await bench.json('migrate', 'down')
    expect([exit, report.databases[0]?.error?.code]).toEqual([2, 'plan.module-gone'])
    const missing = await bench.json('migrate', 'status')
    expect(missing.report.databases[0]?.summary?.['missing']).toBe(1)
  })
})

describeFastest('migrations as code', (open) => {
  test('are read, and not run, to say what is pending; an edit is seen', async () => {
    const bench = await opened(open, {
      '0001_a.ts':
        "throw new Error('was run')\nexport async function up() {}\nexport async function down() {}",
    })
    const status = await bench.json('migrate', 'status')
    expect([status.exit, status.report.databases[0]?.summary?.['pending']]).toEqual([0, 1])
    const dry = await bench.json('migrate', 'up', '--dry-run')
    expect(dry.report.databases[0]?.sql?.[0]?.sql).toMatch(/^-- Code: .*\n-- \| throw/)
    const up = await bench.json('migrate', 'up')
    expect([up.exit, up.report.databases[0]?.error?.code, up.report.databases[0]?.error?.line]).toEqual([
      2,
      'module.unloadable',
      1,
    ])
    bench.folder.write({ '0001_a.ts': 'export async function up() {}\nexport async function down() {}' })
    expect((await bench.json('migrate', 'up')).exit).toBe(0)
    bench.folder.write({ '0001_a.ts': 'export async function up() { }\nexport async function down() {}' })
    const edited = await bench.json('migrate', 'status')
    expect(edited.report.databases[0]?.summary?.['edited']).toBe(1)
  })

  test.each([
    ['no up', '0001_a.ts', 'export const down = 1', 'workspace.no-up-exported'],
    ['no down and no reason', '0001_a.ts', 'export async function up() {}', 'workspace.no-down-exported'],
    ['both directions in the name', '0001_a.up.ts', 'export async function up() {}', 'workspace.bad-name'],
    [
      'a syntax error',
      '0001_a.ts',
      'export async function up( {}\nexport function down() {}',
      'module.unloadable',
    ],
    [
      'an unknown package',
      '0001_a.ts',
      "import 'not-there'\nexport async function up() {}\nexport function down() {}",
      'module.unloadable',
    ],
    [
      'a transaction of its own',
      '0001_a.ts',
      "import { sql } from 'kysely'\nexport const up = (db) => sql`commit`.execute(db)\nexport function down() {}",
      'module.transaction-control',
    ],
    [
      'what is not awaited',
      '0001_a.ts',
      "import { sql } from 'kysely'\nexport const up = async (db) => { void sql`select pg_sleep(0.2)`.execute(db).catch(() => 1) }\nexport function down() {}",
      'module.unawaited',
    ],
    [
      'a failure that is caught',
      '0001_a.ts',
      "import { sql } from 'kysely'\nexport const up = async (db) => { await sql`select 1/0`.execute(db).catch(() => 1) }\nexport function down() {}",
      'database.refused',
    ],
    [
      'a back-fill in a transaction',
      '0001_a.ts',
      "import { backfill } from 'dbkit'\nexport const up = (db) => backfill(db, { table: 't', key: 'id', set: {} })\nexport function down() {}",
      'backfill.in-transaction',
    ],
    [
      'a hidden transaction',
      '0001_a.ts',
      'export const [transaction] = [false]\nexport const up = () => 1\nexport function down() {}',
      'module.not-literal',
    ],
  ])('%s is refused', async (_, name, text, code) => {
    const bench = await opened(open, { [name]: text })
    const { exit, report } = await bench.json('migrate', 'up')
    expect([exit, report.error?.code ?? report.databases[0]?.error?.code]).toEqual([
      code === 'database.refused' ? 3 : 2,
      code,
    ])
  })

  test('need Kysely beside them, of either version, and say so', async () => {
    const files = {
      '0001_a.ts':
        'export async function up(db) { await db.schema.createTable("t").execute() }\nexport function down() {}',
    }
    const without = await opened(open, files, null)
    expect((await without.json('migrate', 'up')).report.databases[0]?.error?.code).toBe(
      'module.kysely-missing',
    )
    const newest = await opened(open, files, 'kysely-newest')
    expect((await newest.json('migrate', 'up')).exit).toBe(0)
  })

  test('are written by migrate create, verified and linted statement by statement', async () => {
    const bench = await opened(open, {
      ...ROWS(3),
      '0002_more.ts': [
        "import { sql, type Kysely } from 'kysely'",
        'export async function up(db: Kysely<any>): Promise<void> {',
        "  await db.schema.alterTable('people').addColumn('score', 'integer').execute()",
        '  await sql`alter table people alter column score type bigint`.execute(db)',
        '}',
        'export async function down(db: Kysely<any>): Promise<void> {',
        "  await db.schema.alterTable('people').dropColumn('name').execute()",
        '}',
      ].join('\n'),
    })
    expect(
      (await bench.json('migrate', 'create', 'later', '--kind', 'ts')).report.databases[0]?.files,
    ).toEqual(['sql/0003_later.ts'])
    const { stdout } = await bench.dbkit('verify', '--json')
    const verified = JSON.parse(stdout) as {
      databases: { verify: { migrations: { name: string; verdict: string }[] } }[]
    }
    expect(verified.databases[0]?.verify.migrations.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['0001_people', 'exact'],
      ['0002_more', 'different'],
      ['0003_later', 'exact'],
    ])
    const linted = JSON.parse((await bench.dbkit('lint', '2', '--json')).stdout) as {
      databases: {
        lint: { migrations: { findings: { code: string; line: number }[]; locks: { mode: string }[] }[] }
      }[]
    }
    const [second] = linted.databases[0]?.lint.migrations ?? []
    expect(second?.locks.map(({ mode }) => mode)).toEqual(['ACCESS EXCLUSIVE'])
    expect(second?.findings.map(({ code, line }) => [code, line])).toContainEqual(['type-change-rewrite', 4])
  })
})

const BACKFILL = (options: string): string =>
  [
    '// dbkit: irreversible rows are counted once',
    "import { backfill } from 'dbkit'",
    "import { sql, type Kysely } from 'kysely'",
    'export const transaction = false',
    `export const up = (db: Kysely<any>) => backfill(db, { table: 'people', key: 'id', ${options} })`,
  ].join('\n')

describeEngines('back-fills', (open, { everywhere, once }) => {
  everywhere('go over every row once, batch by batch', async () => {
    const bench = await opened(open, {
      ...ROWS(2_500),
      '0002_touch.ts': BACKFILL('batch: 1000, where: sql`id <> 7`, set: { touched: sql`touched + 1` }'),
      '0003_check.up.sql':
        '-- dbkit: irreversible a check\ndo $$ begin assert (select count(*) = 2499 and sum(touched) = 2499 from people where touched = 1); end $$;',
    })
    const { exit, report } = await bench.json('migrate', 'up')
    expect([exit, report.databases[0]?.error]).toEqual([0, undefined])
    expect((report.databases[0]?.steps?.[1] as { rows?: number } | undefined)?.rows).toBe(2_499)
  })

  once('without a unique key are refused', async () => {
    const bench = await opened(open, {
      ...ROWS(10),
      '0002_touch.ts': BACKFILL('set: { touched: 1 }').replace("key: 'id'", "key: 'name'"),
    })
    expect((await bench.json('migrate', 'up')).report.databases[0]?.error?.code).toBe('backfill.no-key')
    // Mended, it goes on: nothing had been done.
    bench.folder.write({
      '0002_touch.ts': BACKFILL(
        'batch: 4, run: (trx, { keys }) => trx.updateTable("people").set({ touched: keys.length }).where("id", "in", keys).execute()',
      ),
    })
    expect((await bench.json('migrate', 'up')).exit).toBe(0)
  })
})

describe('a back-fill that is killed', () => {
  const url = process.env['DBKIT_TEST_SERVER_URL'] ?? ''
  const onServer = url === '' ? test.skip : test
  onServer('goes on behind the last batch: no row twice, none lost', async () => {
    const { createServerDatabase } = await import('../support/server.js')
    const { makeFolder } = await import('../support/cli.js')
    const server = await createServerDatabase('backfill')
    const folder = makeFolder(
      Object.fromEntries(
        Object.entries({
          ...ROWS(6_000),
          '0002_touch.ts': BACKFILL('batch: 100, pauseMs: 15, set: { touched: sql`touched + 1` }'),
        }).map(([name, text]) => [`sql/${name}`, text]),
      ),
    )
    mkdirSync(join(folder.path, 'node_modules'))
    symlinkSync(join(KYSELY, 'kysely'), join(folder.path, 'node_modules', 'kysely'))
    const done = async (): Promise<number> => {
      const rows = await server
        .query("select statements_done from dbkit.migrations where version = '2'")
        .catch(() => [])
      return Number(rows[0]?.['statements_done'] ?? 0)
    }
    try {
      let before = 0
      for (const stop of [10, 30]) {
        const run = startCli(['migrate', 'up', '--dir', 'sql', '--url', server.url], { cwd: folder.path })
        while ((await done()) < stop) await sleep(10)
        run.child.kill('SIGKILL')
        expect((await run.ended).signal).toBe('SIGKILL')
        const after = await done()
        expect(after).toBeGreaterThan(before)
        before = after
      }
      const last = startCli(['migrate', 'up', '--dir', 'sql', '--url', server.url, '--json'], {
        cwd: folder.path,
      })
      const { exit, stdout } = await last.ended
      expect([
        exit,
        (JSON.parse(stdout) as { databases: { steps: { rows: number }[] }[] }).databases[0]?.steps[0]?.rows,
      ]).toEqual([0, 6_000])
      expect(await server.query('select touched, count(*) from people group by touched')).toEqual([
        { touched: '1', count: '6000' },
      ])
    } finally {
      folder.remove()
      await server.drop()
    }
  })
})
