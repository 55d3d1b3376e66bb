import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { hasServer, makeWorkspace, openArena, type Arena, type ArenaDatabase } from '../support/arena.js'
import { runCli, type Ended, type Folder } from '../support/cli.js'
import { findPooler, startPooler, type Pooler } from '../support/pooler.js'
import { startSlowLink } from '../support/proxy.js'

const succeeded = ({ exit, stderr }: Ended): void => {
  expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' })
}

/** What a session shows of what a migration has left in it; empty: nothing. */
const TRACES = `
select 'search_path ' || current_setting('search_path') as trace where current_setting('search_path') <> '"$user", public'
union all select 'role ' || current_user where current_user <> session_user
union all select 'session_user ' || session_user where session_user <> 'postgres'
union all select 'setting ' || name || ' = ' || setting from pg_settings
  where source = 'session' and name not in ('client_encoding', 'application_name', 'DateStyle', 'TimeZone', 'transaction_isolation')
union all select 'chaos.mark ' || current_setting('chaos.mark', true) where current_setting('chaos.mark', true) <> ''
union all select 'prepared ' || name from pg_prepared_statements where from_sql
union all select 'listens ' || channel from pg_listening_channels() channel
union all select 'cursor ' || name from pg_cursors where is_holdable
union all select 'temporary ' || relname from pg_class where relpersistence = 't' and pg_table_is_visible(oid) and relkind = 'r'
union all select 'advisory ' || objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and objid = 4711`

/** Leaves in its session whatever can be left there. */
const UNTIDY = `
set search_path to elsewhere;
set statement_timeout = '7s';
set lock_timeout = '7s';
select set_config('chaos.mark', 'left behind', false);
set chaos.other = 'left behind';
create temp table scratch (n int);
prepare look as select 1;
listen gossip;
declare slow cursor with hold for select 1;
select pg_advisory_lock(4711);
set timezone to 'Asia/Kolkata';
set role helper;
`

/** A migration that fails when it finds anything of that. */
const LOOKS = `
do $look$
declare found text;
begin
  select string_agg(trace, ', ') into found from (${TRACES}) t
   where trace not like 'setting lock_timeout = 5000'
     and trace not like 'setting search_path = %' and trace not like 'setting client_connection_check_interval = %'
     and trace not like 'setting statement_timeout = 0';
  if found is not null then raise exception 'found %', found; end if;
end $look$;
`

const suite = hasServer ? describe : describe.skip

suite('what a migration sets in its session', () => {
  let arena: Arena
  let database: ArenaDatabase
  let folder: Folder

  beforeAll(async () => {
    arena = await openArena()
    const setup = await arena.database()
    await setup.query('create role helper')
    await setup.query('create role deputy login superuser')
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })
  beforeEach(async () => {
    database = await arena.database()
    await database.query('create schema elsewhere')
    await database.query('grant usage on schema elsewhere to helper')
  })
  afterEach(async () => {
    await database.drop()
    folder.remove()
  })

  const up = (url = database.url, ...more: readonly string[]): Promise<Ended> =>
    runCli(['migrate', 'up', '--url', url, '-d', 'freight', ...more], { cwd: folder.path })
  const ledger = async (): Promise<readonly string[]> =>
    (await database.query('select version, state, applied_by from dbkit.migrations order by position')).map(
      (row) => Object.values(row).join(' '),
    )

  test('does not reach the next one', async () => {
    folder = makeWorkspace({
      '0001_untidy.up.sql': UNTIDY,
      '0001_untidy.down.sql': UNTIDY,
      '0002_looks.up.sql': LOOKS,
      '0002_looks.down.sql': LOOKS,
    })
    succeeded(await up())
    expect(await ledger()).toEqual(['1 applied postgres', '2 applied postgres'])
    succeeded(
      await runCli(['migrate', 'redo', '--step', '2', '--url', database.url, '-d', 'freight'], {
        cwd: folder.path,
      }),
    )
  })

  test('does not reach the next one in a single transaction', async () => {
    folder = makeWorkspace({
      '0001_untidy.up.sql': UNTIDY,
      '0001_untidy.down.sql': '',
      '0002_looks.up.sql': LOOKS,
      '0002_looks.down.sql': '',
    })
    succeeded(await up(database.url, '--single-transaction'))
    expect(await ledger()).toEqual(['1 applied postgres', '2 applied postgres'])
  })

  test('does not reach the next one from a file outside a transaction', async () => {
    folder = makeWorkspace({
      '0001_untidy.up.sql': `-- dbkit: no-transaction\n${UNTIDY}`,
      '0001_untidy.down.sql': '',
      '0002_looks.up.sql': LOOKS,
      '0002_looks.down.sql': '',
    })
    succeeded(await up())
    expect(await ledger()).toEqual(['1 applied postgres', '2 applied postgres'])
  })

  test('does not keep the ledger row from being written', async () => {
    folder = makeWorkspace({
      '0001_role.up.sql': 'set role helper;\n',
      '0001_role.down.sql': '',
      '0002_authorization.up.sql': 'set session authorization helper;\n',
      '0002_authorization.down.sql': '',
      '0003_both.up.sql':
        'set session authorization deputy;\nset role helper;\nset search_path to elsewhere;\n',
      '0003_both.down.sql': '',
      '0004_alone.up.sql':
        '-- dbkit: no-transaction\nset role deputy;\nvacuum;\nset session authorization helper;\n',
      '0004_alone.down.sql': '',
    })
    succeeded(await up())
    expect(await ledger()).toEqual(['1', '2', '3', '4'].map((version) => `${version} applied postgres`))
  })

  test('holds for the rest of its own file, also outside a transaction', async () => {
    folder = makeWorkspace({
      '0001_paths.up.sql': `-- dbkit: no-transaction
set search_path to elsewhere, public;
create table here (n int);
set chaos.mark = 'kept';
create index concurrently here_n on here (n);
insert into here values (length(current_setting('chaos.mark')));
`,
      '0001_paths.down.sql': '-- dbkit: irreversible nothing to see\n',
    })
    succeeded(await up())
    expect(await database.query('select n from elsewhere.here')).toEqual([{ n: '4' }])
    expect(await database.query(`select schemaname from pg_indexes where indexname = 'here_n'`)).toEqual([
      { schemaname: 'elsewhere' },
    ])
  })

  test('is not inherited from the role: a limit for applications does not end a migration', async () => {
    await database.query(`alter role postgres set statement_timeout = '2s'`)
    await database.query(`alter role postgres set default_transaction_isolation = 'serializable'`)
    try {
      folder = makeWorkspace({
        '0001_slow.up.sql': 'select pg_sleep(2.5);\n',
        '0001_slow.down.sql': '',
        '0002_slow.up.sql': '-- dbkit: no-transaction\nselect pg_sleep(2.5);\nvacuum;\n',
        '0002_slow.down.sql': '',
      })
      succeeded(await up())
    } finally {
      await database.query('alter role postgres reset all')
    }
  })

  if (findPooler() === undefined)
    test.skip('does not reach the next client of pgbouncer (pgbouncer is not installed)', () => undefined)
  else
    describe('through a transaction-pooling pgbouncer', () => {
      const SIZE = 4
      let pooler: Pooler
      let link: Awaited<ReturnType<typeof startSlowLink>> | undefined
      beforeEach(async () => {
        pooler = await startPooler(arena.cluster.port, SIZE)
      })
      afterEach(async () => {
        await link?.close()
        await pooler.stop()
      })

      /** Runs a query on every server connection that the pooler has for this database. */
      async function onAll(sql: string): Promise<readonly (readonly unknown[])[]> {
        const clients = Array.from(
          { length: SIZE },
          () => new pg.Client({ connectionString: pooler.url(database.name) }),
        )
        const answers: (readonly unknown[])[] = []
        for (const client of clients) {
          await client.connect()
          await client.query('begin')
        }
        for (const client of clients) answers.push((await client.query<object>(sql)).rows)
        for (const client of clients) {
          await client.query('commit')
          await client.end()
        }
        return answers
      }

      test('does not reach the next client', async () => {
        folder = makeWorkspace({
          '0001_untidy.up.sql': UNTIDY,
          '0001_untidy.down.sql': '',
          '0002_untidy.up.sql': `-- dbkit: no-transaction\n${UNTIDY}vacuum;\n`,
          '0002_untidy.down.sql': '',
        })
        expect((await onAll(TRACES)).flat()).toEqual([])
        succeeded(await up(pooler.url(database.name)))
        expect((await onAll(TRACES)).flat()).toEqual([])
      })

      const SIX_INDEXES = Array.from(
        { length: 6 },
        (_, n) => `create index concurrently t_${String(n)} on t (n);\n`,
      ).join('')

      test.each([
        ['', 0],
        [', also through a slow link', 20],
      ])('reaches the statement that it is meant for%s', async (_, delayMs) => {
        link = await startSlowLink(pooler.port, delayMs)
        folder = makeWorkspace(
          {
            '0001_t.up.sql': 'create table t (n int);\n',
            '0001_t.down.sql': 'drop table t;\n',
            '0002_index.up.sql': `-- dbkit: no-transaction\n${SIX_INDEXES}`,
            '0002_index.down.sql': '',
          },
          { searchPath: 'elsewhere' },
        )
        await onAll('select 1')
        succeeded(await up(link.url(database.name)))
        expect(
          await database.query(`select count(*) from pg_indexes where schemaname = 'elsewhere'`),
        ).toEqual([{ count: '6' }])
      })
    })
})
