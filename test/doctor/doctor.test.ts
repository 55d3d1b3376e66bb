import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as dbkit from 'dbkit'
import type { DoctorFinding, DoctorOptions, DoctorReport } from 'dbkit'
import pg from 'pg'
import { hasServer, makeWorkspace, openArena, type Arena, type ArenaDatabase } from '../support/arena.js'
import { makeFolder, runCli, type Folder } from '../support/cli.js'

const MIGRATION = {
  '0001_base.up.sql': 'create table base (id integer primary key);',
  '0001_base.down.sql': 'drop table base;',
}

interface Look extends DoctorOptions {
  readonly folder?: Folder
  readonly url?: string
}

let arena: Arena
let db: ArenaDatabase
let workspace: Folder
const folders: Folder[] = []

function folderOf(
  migrations: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
): Folder {
  const folder = makeWorkspace(migrations, options)
  folders.push(folder)
  return folder
}

async function settled({ path }: Folder, url: string): Promise<dbkit.Config> {
  return dbkit.settleConfig({ url }, { cwd: path, environment: { HOME: process.env['HOME'] } })
}

async function look({ folder = workspace, url = db.url, ...options }: Look = {}): Promise<DoctorReport> {
  const report = await dbkit.doctor(await settled(folder, url), options)
  const [only] = report.databases
  if (only?.doctor === undefined) throw new Error(JSON.stringify(report))
  expect(report.ok).toBe(only.doctor.summary.error + only.doctor.summary.warning === 0)
  return only.doctor
}

async function found(check: string, options: Look = {}): Promise<readonly DoctorFinding[]> {
  return (await look(options)).findings.filter((one) => one.check === check)
}

/** Runs what a finding says, statement by statement, as a user would. */
async function mend(
  { mend: { kind, text } }: DoctorFinding,
  on: Pick<ArenaDatabase, 'query'> = db,
): Promise<void> {
  expect(kind).toBe('sql')
  for (const statement of text.split(';\n')) await on.query(statement)
}

async function run(...statements: readonly string[]): Promise<void> {
  for (const statement of statements) await db.query(statement)
}

interface Case {
  readonly name: string
  readonly fault: readonly string[]
  readonly check: string
  readonly object: string
  readonly level: string
  readonly says: RegExp
  /** What has to happen before the statement can help. */
  readonly first?: readonly string[]
}

const CASES: readonly Case[] = [
  {
    name: 'an index whose concurrent build failed',
    fault: [
      'create table i1 (id int primary key, a int)',
      'insert into i1 select n, 1 from generate_series(1, 3) n',
    ],
    check: 'invalid-index',
    object: 'public.i1_a',
    level: 'warning',
    says: /did not end, perhaps because of duplicates/,
    first: ['update i1 set a = id'],
  },
  {
    name: 'what an interrupted REINDEX CONCURRENTLY left behind',
    fault: [
      'create table i2 (id int primary key, a int)',
      'insert into i2 select n, 1 from generate_series(1, 3) n',
    ],
    check: 'invalid-index',
    object: 'public.i2_a_ccnew1',
    level: 'warning',
    says: /interrupted REINDEX CONCURRENTLY left on public\.i2/,
  },
  {
    name: 'an index with the first columns of another',
    fault: [
      'create table r1 (id int primary key, a int, b int)',
      'create index r1_a on r1 (a)',
      'create index r1_ab on r1 (a, b)',
    ],
    check: 'redundant-index',
    object: 'public.r1_a',
    level: 'info',
    says: /first columns of public\.r1_ab/,
  },
  {
    name: 'the younger of two indexes that are the same',
    fault: [
      'create table r2 (id int primary key, a text)',
      'create index r2_one on r2 (lower(a)) where id > 5',
      'create index r2_two on r2 (lower(a)) where id > 5',
    ],
    check: 'redundant-index',
    object: 'public.r2_two',
    level: 'info',
    says: /same columns as public\.r2_one/,
  },
  {
    name: 'an index beside the constraint that has the same',
    fault: ['create table r3 (id int primary key, a int)', 'create unique index r3_x on r3 (id)'],
    check: 'redundant-index',
    object: 'public.r3_x',
    level: 'info',
    says: /same columns as public\.r3_pkey/,
  },
  {
    name: 'a foreign key without an index, of a small table',
    fault: [
      'create table f1 (id int primary key, base_id int references base)',
      'create index f1_part on f1 (base_id) where id > 3',
    ],
    check: 'foreign-key-index',
    object: 'public.f1.f1_base_id_fkey',
    level: 'info',
    says: /starts with \(base_id\)/,
  },
  {
    name: 'a foreign key without an index, of a large table',
    fault: [
      'create table "F 2" (id int primary key, "Base" int references base, pad text)',
      `insert into "F 2" select n, null, repeat('x', 900) from generate_series(1, 10000) n`,
    ],
    check: 'foreign-key-index',
    object: 'public."F 2"."F 2_Base_fkey"',
    level: 'warning',
    says: /starts with \("Base"\), and public\."F 2" has 9\.\d MB/,
  },
  {
    name: 'a table without a primary key, and with a unique index that can become it',
    fault: [
      'create table p1 (a int not null, b int)',
      'create unique index p1_a on p1 (a)',
      'create unique index p1_b on p1 (b)',
    ],
    check: 'primary-key',
    object: 'public.p1',
    level: 'warning',
    says: /has no primary key/,
  },
  {
    name: 'a table without any key, and with a column that is called id',
    fault: ['create table p2 (id int, x int)', 'insert into p2 values (1, 1), (1, 1)'],
    check: 'primary-key',
    object: 'public.p2',
    level: 'warning',
    says: /has no primary key/,
  },
  {
    name: 'a serial whose column is almost full, with a column that refers to it',
    fault: [
      'create table s1 (id serial primary key)',
      'create table s1_child (id int primary key, s1_id int references s1)',
      'create index on s1_child (s1_id)',
      `select setval('s1_id_seq', 2100000000)`,
    ],
    check: 'sequence-end',
    object: 'public.s1_id_seq',
    level: 'error',
    says: /97\.8 % of its numbers are gone/,
  },
  {
    name: 'an identity of a small type',
    fault: [
      'create table s2 (id smallint generated always as identity primary key)',
      `select setval('s2_id_seq', 26000)`,
    ],
    check: 'sequence-end',
    object: 'public.s2_id_seq',
    level: 'warning',
    says: /at 26000 of 32767, and public\.s2\.id is smallint/,
  },
  {
    name: 'a constraint that was never validated',
    fault: [
      'create table v1 (id int primary key, a int)',
      'alter table v1 add constraint "a > 0" check (a > 0) not valid',
    ],
    check: 'not-validated',
    object: 'public.v1."a > 0"',
    level: 'warning',
    says: /never checked/,
  },
  {
    name: 'a table that autovacuum leaves alone',
    fault: ['create table a1 (id int primary key) with (autovacuum_enabled = off)'],
    check: 'autovacuum',
    object: 'public.a1',
    level: 'warning',
    says: /switched off for this table/,
  },
  {
    name: 'autovacuum switched off',
    fault: ['alter system set autovacuum = off', 'select pg_reload_conf()', 'select pg_sleep(0.2)'],
    check: 'autovacuum',
    object: 'autovacuum',
    level: 'warning',
    says: /off for the whole server/,
  },
  {
    name: 'dead rows',
    fault: [
      'create table d1 (id int primary key, a int) with (autovacuum_enabled = on, autovacuum_vacuum_threshold = 100000000)',
      'insert into d1 select n, n from generate_series(1, 30000) n',
      'delete from d1 where id > 10000',
    ],
    check: 'bloat',
    object: 'public.d1',
    level: 'warning',
    says: /20,000 dead rows beside 10,000 live ones/,
  },
  {
    name: 'a table of empty pages',
    fault: [
      'create table b1 (id int primary key, a text)',
      `insert into b1 select n, repeat('x', 1000) from generate_series(1, 20000) n`,
      'delete from b1 where id % 10 <> 0 and id < 19990',
      'vacuum (analyze) b1',
    ],
    check: 'bloat',
    object: 'public.b1',
    level: 'warning',
    says: /about 9\d % of \d\d MB holds nothing/,
  },
  {
    name: 'an index of empty pages',
    fault: [
      'create table b2 (id int primary key, a text)',
      `insert into b2 select n, md5(n::text) || md5(n::text) from generate_series(1, 150000) n`,
      'create index b2_a on b2 (a) with (fillfactor = 10)',
      'vacuum (analyze) b2',
      'alter index b2_a reset (fillfactor)',
    ],
    check: 'bloat',
    object: 'public.b2_a',
    level: 'warning',
    says: /about [89]\d % of \d+ MB holds nothing/,
  },
  {
    name: 'a table that was never analyzed',
    fault: [
      'create table n1 (id int primary key) with (autovacuum_analyze_threshold = 100000000)',
      'insert into n1 select generate_series(1, 2000)',
    ],
    check: 'statistics',
    object: 'public.n1',
    level: 'info',
    says: /2,000 rows and was never analyzed/,
  },
  {
    name: 'an index that nobody reads',
    fault: [
      'create table u1 (id int primary key, a text)',
      `insert into u1 select n, md5(n::text) from generate_series(1, 30000) n`,
      'create index u1_a on u1 (a)',
      'analyze u1',
      'do $$ begin for n in 1..1500 loop perform a from u1 where id = n; end loop; end $$',
    ],
    check: 'unused-index',
    object: 'public.u1_a',
    level: 'info',
    says: /never read, while public\.u1 was read 1,\d{3} times/,
  },
  {
    name: 'a collation whose library has changed',
    fault: [
      `create collation german (provider = icu, locale = 'de')`,
      `create table c1 (id int primary key, a text collate german)`,
      'create index "c1 a" on c1 (a)',
      `update pg_collation set collversion = '1' where collname = 'german'`,
    ],
    check: 'collation',
    object: 'public.german',
    level: 'warning',
    says: /made with version 1, the server has/,
  },
]

;(hasServer ? describe : describe.skip)('dbkit doctor on a server', () => {
  beforeAll(async () => {
    arena = await openArena([
      'shared_preload_libraries=pg_stat_statements',
      'autovacuum_freeze_max_age=100000',
    ])
    db = await arena.database()
    workspace = folderOf(MIGRATION)
    await dbkit.migrateUp(await settled(workspace, db.url))
  }, 120_000)
  afterAll(() => {
    arena.stop()
    for (const folder of folders) folder.remove()
  })

  test('finds nothing in a database with nothing wrong', async () => {
    const report = await look({ poolSize: 10 })
    expect(report.findings).toEqual([])
    expect(report.checks.filter(({ outcome }) => outcome !== 'nothing-found')).toEqual([
      { check: 'tls', outcome: 'not-looked-at', reason: 'the server is this machine' },
      {
        check: 'slow-statement',
        outcome: 'not-looked-at',
        reason: 'the extension pg_stat_statements is not installed',
      },
    ])
  })

  test.each(CASES)(
    'finds $name, and its statement mends it',
    async ({ fault, check, object, level, says, first = [] }) => {
      await run(...fault)
      const build = /^public\.(i\d)_a(_ccnew1)?$/.exec(object)
      if (build !== null)
        await expect(
          db.query(`create unique index concurrently ${object.slice(7)} on ${build[1] ?? ''} (a)`),
        ).rejects.toThrow('could not create unique index')
      // Counters reach the view when a session has been idle for a moment.
      const seen = (await found(check)).filter((one) => one.object === object)
      expect(seen).toEqual([
        expect.objectContaining({ check, level, message: expect.stringMatching(says) as unknown }),
      ])
      await run(...first)
      await mend(seen[0] as DoctorFinding)
      await run('select pg_sleep(0.1)')
      expect((await found(check)).filter((one) => one.object === object)).toEqual([])
    },
  )

  test('leaves alone what only looks redundant or uncovered', async () => {
    await run(
      'create table k1 (id int primary key, a int, b text, c int references base, d int references base)',
      'create index k1_one on k1 (a, b)',
      'create index k1_desc on k1 (a desc)',
      'create index k1_partial on k1 (a) where b is not null',
      'create unique index k1_unique on k1 (a)',
      'create index k1_pattern on k1 (b text_pattern_ops)',
      'create index k1_b on k1 (b, a)',
      'create index k1_hash on k1 using hash (a)',
      'create index k1_include on k1 (b) include (c)',
      'create index k1_c on k1 (c) where c is not null',
      'create index k1_d on k1 (d, a)',
    )
    const findings = (await look()).findings.filter(({ object }) => object.startsWith('public.k1'))
    expect(findings).toEqual([])
    await run('drop table k1')
  })

  test('names the partitioned index that a partition lacks', async () => {
    await run(
      'create table q1 (id int, day date, primary key (id, day)) partition by range (day)',
      `create table q1_a partition of q1 for values from ('2026-01-01') to ('2027-01-01')`,
      'create index q1_day on only q1 (day)',
    )
    const [one] = await found('invalid-index')
    expect(one).toMatchObject({ object: 'public.q1_day', mend: { kind: 'advice' } })
    await run('create index q1_a_day on q1_a (day)', 'alter index q1_day attach partition q1_a_day')
    expect(await found('invalid-index')).toEqual([])
  })

  test('finds statements that are slow, once pg_stat_statements is there', async () => {
    await run(
      'create extension pg_stat_statements',
      'select pg_stat_statements_reset()',
      'select pg_sleep(0.15) as slow_one',
    )
    const [slow] = await found('slow-statement')
    expect(slow).toMatchObject({ level: 'info', message: expect.stringContaining('slow_one') as unknown })
    await run('select pg_stat_statements_reset()')
    expect(await found('slow-statement')).toEqual([])
    await run('drop extension pg_stat_statements')
  })

  test('finds extensions that are missing or old', async () => {
    const folder = folderOf({
      '0001_x.up.sql': 'create extension if not exists hstore;',
      '0001_x.down.sql': 'drop extension hstore;',
      '0002_y.up.sql': 'create extension no_such_thing;',
      '0002_y.down.sql': 'drop extension no_such_thing;',
    })
    const own = await arena.database()
    expect(await found('extensions', { folder, url: own.url })).toMatchObject([
      { level: 'error', object: 'no_such_thing', mend: { kind: 'advice' } },
    ])
    await own.query(`create extension hstore version '1.4'`)
    const [, old] = await found('extensions', { folder, url: own.url })
    expect(old).toMatchObject({ level: 'info', object: 'hstore' })
    await mend(old as DoctorFinding, own)
    expect(await found('extensions', { folder, url: own.url })).toHaveLength(1)

    const applied = folderOf({
      '0001_x.up.sql': 'create extension if not exists citext;',
      '0001_x.down.sql': 'drop extension citext;',
    })
    const other = await arena.database()
    await dbkit.migrateUp(await settled(applied, other.url))
    await other.query('drop extension citext')
    const [gone] = await found('extensions', { folder: applied, url: other.url })
    expect(gone).toMatchObject({ level: 'error', object: 'citext' })
    await mend(gone as DoctorFinding, other)
    expect(await found('extensions', { folder: applied, url: other.url })).toEqual([])
  })

  test('finds rights that are missing', async () => {
    const own = await arena.database()
    await own.query(
      'create role weak login; create role owner; create table theirs (id int primary key); alter table theirs owner to owner',
    )
    const url = own.url.replace('postgres@', 'weak@')
    const findings = await found('rights', { url })
    expect(findings.map(({ level, object }) => `${level} ${object}`)).toEqual([
      'error weak',
      'error weak',
      'warning owner',
    ])
    for (const one of findings) await mend(one, own)
    expect(await found('rights', { url })).toEqual([])
    expect(await dbkit.migrateUp(await settled(workspace, url))).toMatchObject({ ok: true })
  })

  test('finds another time zone, which matters where columns keep none', async () => {
    const own = await arena.database()
    await own.query(`alter database ${own.name} set timezone to 'Europe/Berlin'`)
    expect(await found('time-zone', { url: own.url })).toMatchObject([{ level: 'info' }])
    await own.query('create table naive (id int primary key, at timestamp)')
    const [one] = await found('time-zone', { url: own.url })
    expect(one).toMatchObject({
      level: 'warning',
      message: 'sessions start in Europe/Berlin, migrations run in UTC',
    })
    await mend(one as DoctorFinding, own)
    expect(await found('time-zone', { url: own.url })).toEqual([])
  })

  test('finds another encoding and another version of the collation', async () => {
    await db.query(
      `create database latin template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'`,
    )
    expect(await found('encoding', { url: arena.cluster.url('latin') })).toMatchObject([
      { level: 'warning', object: 'latin', mend: { kind: 'command' } },
    ])
    if (Number(arena.cluster.major) < 15) return
    await db.query(`create database icu template template0 locale_provider icu icu_locale 'en'`)
    await db.query(`update pg_database set datcollversion = '1' where datname = 'icu'`)
    const url = arena.cluster.url('icu')
    const [one] = await found('collation', { url })
    expect(one).toMatchObject({ level: 'warning', object: 'icu' })
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    for (const statement of one?.mend.text.split(';\n') ?? []) await client.query(statement)
    await client.end()
    expect(await found('collation', { url })).toEqual([])
  })

  test('reckons whether the pools of all instances fit', async () => {
    const own = await arena.database()
    const options = { url: own.url, poolSize: 20, instances: 3 }
    expect(await found('connections', options)).toEqual([])
    await own.query(`alter database ${own.name} connection limit 30`)
    const [limit] = await found('connections', options)
    expect(limit).toMatchObject({
      level: 'warning',
      message:
        'the pools may open 3 instances x 20 connections + 2 of dbkit = 62, and 30 are allowed for this database',
    })
    await mend(limit as DoctorFinding, own)
    expect(await found('connections', options)).toEqual([])
    const all = (await found('connections', { ...options, instances: 10 })).find(
      ({ object }) => object === 'max_connections',
    )
    expect(all).toMatchObject({
      object: 'max_connections',
      mend: { text: 'alter system set max_connections = 205;' },
    })
    await own.query(`alter database ${own.name} connection limit -1`)
    const fromConfig = folderOf(MIGRATION, { pool: { size: 20, overflow: 10, instances: 7 } })
    expect(await found('connections', { folder: fromConfig, url: own.url })).toHaveLength(1)
    expect(await found('connections', { folder: fromConfig, url: own.url, instances: 6 })).toEqual([])
  })

  test('finds a major version without fixes', async () => {
    expect(await found('server-version', { now: new Date('2026-06-01') })).toEqual([])
    expect(await found('server-version', { now: new Date('2039-01-01') })).toMatchObject([
      { level: 'warning', message: expect.stringContaining('no fixes since 20') as unknown },
    ])
  })

  test('finds a connection to another machine that is not encrypted, and one that trusts anybody', async () => {
    // The same machine under a name that does not say so.
    const remote = db.url.replace('127.0.0.1', '0.0.0.0')
    expect(await found('tls', { url: `${remote}?sslmode=disable` })).toMatchObject([
      { level: 'warning', mend: { text: expect.stringContaining('ssl = on') as unknown } },
    ])
    const file = (name: string): string => join(arena.cluster.dataDir, name)
    const made = spawnSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=0.0.0.0',
        '-addext',
        'subjectAltName=IP:0.0.0.0',
      ],
      ...['-keyout', file('server.key'), '-out', file('server.crt')],
    ])
    if (made.error !== undefined) throw new Error('this test needs openssl', { cause: made.error })
    const { uid, gid } = statSync(arena.cluster.dataDir)
    chmodSync(file('server.key'), 0o600)
    for (const name of ['server.key', 'server.crt']) chownSync(file(name), uid, gid)
    await run('alter system set ssl = on', 'select pg_reload_conf()', 'select pg_sleep(0.2)')
    expect(await found('tls', { url: `${remote}?sslmode=disable` })).toMatchObject([
      { level: 'warning', mend: { text: expect.stringContaining('sslmode=verify-full') as unknown } },
    ])
    expect(await found('tls', { url: `${remote}?sslmode=require` })).toMatchObject([{ level: 'info' }])
    expect(
      await found('tls', {
        url: `${remote}?sslmode=verify-full&sslrootcert=${encodeURIComponent(file('server.crt'))}`,
      }),
    ).toEqual([])
    await run('alter system set ssl = off', 'select pg_reload_conf()')
  })

  test('says what is wrong with the ledger, and the command that settles it', async () => {
    const folder = folderOf({
      ...MIGRATION,
      '0003_c.up.sql': 'create table c (id int primary key);',
      '0003_c.down.sql': 'drop table c;',
    })
    const own = await arena.database()
    const options = { folder, url: own.url }
    expect(await found('ledger', options)).toMatchObject([
      { level: 'info', message: 'dbkit has never migrated this database: all 2 are pending' },
    ])
    await dbkit.migrateUp(await settled(folder, own.url))
    expect(await found('ledger', options)).toEqual([])
    folder.write({
      'sql/freight/migrations/0001_base.up.sql': 'create table base (id bigint primary key);',
      'sql/freight/migrations/0002_b.up.sql': 'create table b (id int primary key);',
      'sql/freight/migrations/0002_b.down.sql': 'drop table b;',
    })
    const told = (await found('ledger', options)).map(({ level, object, mend: { text } }) => [
      level,
      object,
      text,
    ])
    expect(told).toEqual([
      ['error', '0001_base', 'dbkit migrate repair -d freight'],
      ['warning', '0002_b', 'dbkit migrate up -d freight --allow-out-of-order'],
    ])
    await dbkit.migrateRepair(await settled(folder, own.url))
    await dbkit.migrateUp(await settled(folder, own.url), { allowOutOfOrder: true })
    expect(await found('ledger', options)).toEqual([])
    const fewer = folderOf(MIGRATION)
    expect((await found('ledger', { folder: fewer, url: own.url })).map(({ object }) => object)).toEqual([
      '0001_base',
      '0002_b',
      '0003_c',
    ])
    const broken = folderOf({
      '0001_i.up.sql':
        '-- dbkit: no-transaction\ncreate table i (id int primary key);\ncreate index concurrently on i (nope);',
      '0001_i.down.sql': '-- dbkit: no-transaction\ndrop table i;',
    })
    const half = await arena.database()
    await dbkit.migrateUp(await settled(broken, half.url))
    expect(await found('ledger', { folder: broken, url: half.url })).toMatchObject([
      { level: 'error', object: '0001_i', mend: { kind: 'command', text: 'dbkit migrate up -d freight' } },
    ])
  })

  test('what the configuration accepts is told and does not count; what it accepts in vain is a note', async () => {
    const own = await arena.database()
    await own.query('create table keyless (x int)')
    const folder = folderOf(MIGRATION, {
      doctor: { accept: { 'primary-key public.keyless': 'a log', 'primary-key public.nothing': 'gone' } },
    })
    await dbkit.migrateUp(await settled(folder, own.url))
    const { exit, stdout } = await runCli(['doctor', '--url', own.url], { cwd: folder.path })
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: expect.stringContaining('accepted  primary-key  public.keyless: a log') as unknown,
    })
    expect(stdout).toContain('accepts "primary-key public.nothing", which is not there')
  })

  test('exits 1 from a warning on, 0 for less, 3 without a server, and prints one document with --json', async () => {
    const own = await arena.database()
    await dbkit.migrateUp(await settled(workspace, own.url))
    const doctor = (...more: string[]) =>
      runCli(['doctor', '--url', own.url, ...more], { cwd: workspace.path })
    expect((await doctor('--pool-size', '10')).exit).toBe(0)
    const json = await doctor('--pool-size', '1000', '--instances', '2', '--json')
    expect(json.exit).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      command: 'doctor',
      ok: false,
      databases: [{ doctor: { summary: { error: 0, warning: 1, info: 0, accepted: 0 } } }],
    })
    const none = await runCli(['doctor', '--url', 'postgresql://postgres@127.0.0.1:1/x', '--json'], {
      cwd: workspace.path,
    })
    expect(none.exit).toBe(3)
    expect(JSON.parse(none.stdout)).toMatchObject({
      databases: [{ error: { code: 'database.unreachable' } }],
    })
    expect((await doctor('--pool-size', 'many')).exit).toBe(2)
  })

  // The last: every other database of this cluster is as old afterwards.
  test('finds transaction numbers that run out', async () => {
    const holder = new pg.Client({ connectionString: db.url })
    await holder.connect()
    await holder.query('begin; select txid_current()')
    await run('do $$ begin for n in 1..155000 loop perform txid_current(); commit; end loop; end $$')
    const old = await found('wraparound')
    expect(old.length).toBeGreaterThan(0)
    expect(old[0]).toMatchObject({ level: 'warning' })
    await holder.query('commit')
    await holder.end()
    let left = old
    for (let round = 0; left.length > 0 && round < 20; round++) {
      for (const one of left) await mend(one)
      left = await found('wraparound')
    }
    expect(left).toEqual([])
  })
})

describe('dbkit doctor on the embedded engine', () => {
  test('looks at the schema, and says which engines there were to choose from', async () => {
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { shop: { migrations: 'm' } } }),
      'm/0001_a.up.sql':
        'create table a (id int primary key); create table b (x int, a_id int references a); create index b_x on b (x); create index b_x2 on b (x);',
      'm/0001_a.down.sql': 'drop table b; drop table a;',
    })
    try {
      const config = await dbkit.settleConfig(
        { embedded: true },
        { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
      )
      await dbkit.migrateUp(config)
      const [report] = (await dbkit.doctor(config)).databases
      expect(report?.doctor?.findings.map(({ check, object }) => `${check} ${object}`)).toEqual([
        'primary-key public.b',
        'redundant-index public.b_x2',
        'foreign-key-index public.b.b_a_id_fkey',
      ])
      const [chosen, ...rejected] = report?.doctor?.engines ?? []
      expect(chosen).toMatchObject({ chosen: true, engine: expect.stringContaining('PGlite') as unknown })
      expect(rejected.length).toBeGreaterThan(2)
      for (const one of rejected)
        expect(one).toMatchObject({ chosen: false, reason: expect.stringMatching(/\w{3}/) as unknown })
    } finally {
      folder.remove()
    }
  })
})
