import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect } from '@jest/globals'
import { describeEngines, type Bench, type Files } from '../support/engines.js'

const three: Files = {
  '0001_people.up.sql': 'create table people (id integer primary key, name text not null);',
  '0001_people.down.sql': 'drop table people;',
  '0002_email.up.sql':
    "alter table people add email text;\ninsert into people values (1, 'Ada', 'ada@example.org');\n",
  '0002_email.down.sql': 'alter table people drop email;\ndelete from people;\n',
  '0003_view.up.sql':
    'create view names as select name from people; -- ends in a comment, without a semicolon after it',
  '0003_view.down.sql': 'drop view names',
}

describeEngines('migrate', (open, { everywhere, once }) => {
  let bench: Bench
  const start = async (files: Files): Promise<Bench> => (bench = await open(files))
  afterEach(async () => {
    await bench.remove()
  })
  const steps = (report: Awaited<ReturnType<Bench['json']>>['report']): readonly string[] =>
    (report.databases[0]?.steps ?? []).map(({ name, outcome }) => `${name} ${outcome}`)
  const states = async (): Promise<readonly string[]> => {
    const { report } = await bench.json('migrate', 'status')
    return (report.databases[0]?.migrations ?? []).map(({ name, state }) => `${name} ${state}`)
  }

  everywhere('applies what is pending in order, once, and rolls it back in reverse', async () => {
    await start(three)
    const up = await bench.json('migrate', 'up')
    expect(up.exit).toBe(0)
    expect(steps(up.report)).toEqual(['0001_people applied', '0002_email applied', '0003_view applied'])
    const again = await bench.json('migrate', 'up')
    expect([again.exit, steps(again.report)]).toEqual([0, []])
    const down = await bench.json('migrate', 'down')
    expect(steps(down.report)).toEqual(['0003_view rolled-back'])
    const all = await bench.json('migrate', 'down', '--all')
    expect(steps(all.report)).toEqual(['0002_email rolled-back', '0001_people rolled-back'])
    expect(await states()).toEqual(['0001_people pending', '0002_email pending', '0003_view pending'])
  })

  once('goes to a version, by number or name, and by a number of steps', async () => {
    await start(three)
    expect(steps((await bench.json('migrate', 'up', '--to', '2')).report)).toHaveLength(2)
    expect(steps((await bench.json('migrate', 'up', '--step', '5')).report)).toEqual(['0003_view applied'])
    expect(steps((await bench.json('migrate', 'down', '--to', '0001_people')).report)).toEqual([
      '0003_view rolled-back',
      '0002_email rolled-back',
    ])
    expect(steps((await bench.json('migrate', 'up', '--step', '1')).report)).toEqual(['0002_email applied'])
    expect(steps((await bench.json('migrate', 'down', '--to', '0')).report)).toHaveLength(2)
    const unknown = await bench.json('migrate', 'up', '--to', '7')
    expect([unknown.exit, unknown.report.databases[0]?.error?.code]).toEqual([2, 'request.unknown-version'])
  })

  once('redo rolls the last one back and applies it again', async () => {
    await start(three)
    await bench.dbkit('migrate', 'up')
    const { exit, report } = await bench.json('migrate', 'redo', '--step', '2')
    expect(exit).toBe(0)
    expect(steps(report)).toEqual([
      '0003_view rolled-back',
      '0002_email rolled-back',
      '0002_email applied',
      '0003_view applied',
    ])
  })

  once('status names what is pending, edited, missing and out of order, and exits 1 when asked', async () => {
    await start(three)
    expect((await bench.dbkit('migrate', 'status')).exit).toBe(0)
    expect((await bench.dbkit('migrate', 'status', '--exit-code')).exit).toBe(1)
    await bench.dbkit('migrate', 'up')
    expect((await bench.dbkit('migrate', 'status', '--exit-code')).exit).toBe(0)
    bench.folder.write({
      '0000_early.up.sql': 'select 1',
      '0000_early.down.sql': 'select 1',
      '0001_people.up.sql': `${String(three['0001_people.up.sql'])} -- edited`,
      '0002_email.down.sql': 'select 1',
    })
    rmSync(join(bench.folder.path, 'sql/0003_view.up.sql'))
    rmSync(join(bench.folder.path, 'sql/0003_view.down.sql'))
    expect(await states()).toEqual([
      '0000_early out-of-order',
      '0001_people edited',
      '0002_email edited-down',
      '0003_view missing',
    ])
    expect((await bench.dbkit('migrate', 'status', '--exit-code')).exit).toBe(1)
  })

  once('refuses to go on over an edited migration until repair accepts its text', async () => {
    await start(three)
    await bench.dbkit('migrate', 'up', '--to', '2')
    bench.folder.write({
      '0001_people.up.sql': 'create table people (id bigint primary key, name text not null);',
    })
    const refused = await bench.json('migrate', 'up')
    expect([refused.exit, refused.report.databases[0]?.error?.code]).toEqual([2, 'plan.edited'])
    expect(refused.report.databases[0]?.error?.message).toContain('sql/0001_people.up.sql')
    expect(await states()).toContain('0003_view pending')
    const seen = await bench.json('migrate', 'repair', '--dry-run')
    expect(seen.report.databases[0]?.notes).toEqual(["0001_people: the file's present text is accepted"])
    expect(await states()).toContain('0001_people edited')
    await bench.dbkit('migrate', 'repair')
    expect((await bench.dbkit('migrate', 'up')).exit).toBe(0)
  })

  once('takes line ends and a byte order mark for what they are: no edit', async () => {
    await start({ '1_a.up.sql': 'select 1;\nselect 2;\n', '1_a.down.sql': 'select 3;\n' })
    await bench.dbkit('migrate', 'up')
    bench.folder.write({ '1_a.up.sql': '\uFEFFselect 1;\r\nselect 2;\r\n' })
    expect(await states()).toEqual(['1_a applied'])
  })

  once('refuses what is pending below the head unless it is allowed, and records that it was', async () => {
    await start(three)
    await bench.dbkit('migrate', 'up')
    bench.folder.write({
      '0000_early.up.sql': 'create table early ()',
      '0000_early.down.sql': 'drop table early',
    })
    const refused = await bench.json('migrate', 'up')
    expect([refused.exit, refused.report.databases[0]?.error?.code]).toEqual([2, 'plan.out-of-order'])
    const allowed = await bench.json('migrate', 'up', '--allow-out-of-order')
    expect(allowed.report.databases[0]?.steps).toMatchObject([{ name: '0000_early', outOfOrder: true }])
    // The last applied one is rolled back first, whatever its number.
    expect(steps((await bench.json('migrate', 'down')).report)).toEqual(['0000_early rolled-back'])
  })

  everywhere(
    'rolls back a migration whose file is gone from the SQL in the ledger, and says so',
    async () => {
      await start(three)
      await bench.dbkit('migrate', 'up')
      for (const file of ['0003_view.up.sql', '0003_view.down.sql'])
        rmSync(join(bench.folder.path, 'sql', file))
      const { exit, report } = await bench.json('migrate', 'down')
      expect(exit).toBe(0)
      expect(report.databases[0]?.steps).toMatchObject([
        { name: '0003_view', outcome: 'rolled-back', source: 'ledger' },
      ])
      expect(report.databases[0]?.notes?.[0]).toContain('its file is gone')
      expect(await states()).toEqual(['0001_people applied', '0002_email applied'])
    },
  )

  everywhere('prints the SQL of a dry run and writes nothing, not even the ledger', async () => {
    await start(three)
    const { exit, stdout } = await bench.dbkit('migrate', 'up', '--dry-run')
    expect(exit).toBe(0)
    expect(stdout).toContain('create table people')
    expect(stdout).toContain('0003_view (up)')
    expect(await states()).toEqual(['0001_people pending', '0002_email pending', '0003_view pending'])
    if (bench.server !== undefined)
      expect(await bench.server.query("select to_regnamespace('dbkit') as ledger")).toEqual([
        { ledger: null },
      ])
    await bench.dbkit('migrate', 'up')
    const down = await bench.json('migrate', 'down', '--all', '--dry-run')
    expect(down.report.databases[0]?.sql?.map(({ name }) => name)).toEqual([
      '0003_view',
      '0002_email',
      '0001_people',
    ])
    expect(await states()).toContain('0003_view applied')
  })

  everywhere('an error undoes its own migration and keeps the ones before it', async () => {
    await start({ ...three, '0002_email.up.sql': 'alter table people add email text;\nselect nothing;\n' })
    const { exit, report } = await bench.json('migrate', 'up')
    expect(exit).toBe(3)
    expect(steps(report)).toEqual(['0001_people applied', '0002_email failed', '0003_view not-run'])
    expect(report.databases[0]?.error).toMatchObject({
      code: 'database.refused',
      file: 'sql/0002_email.up.sql',
      line: 2,
      column: 8,
      excerpt: 'select nothing;',
      sql: { sqlstate: '42703' },
    })
    expect(await states()).toEqual(['0001_people applied', '0002_email pending', '0003_view pending'])
    // Nothing of the failed one is left: its first statement can run again.
    bench.folder.write({ '0002_email.up.sql': three['0002_email.up.sql'] ?? '' })
    expect((await bench.dbkit('migrate', 'up')).exit).toBe(0)
  })

  once('--single-transaction keeps nothing of a run that fails', async () => {
    await start({ ...three, '0003_view.up.sql': 'select nothing' })
    const { exit, report } = await bench.json('migrate', 'up', '--single-transaction')
    expect(exit).toBe(3)
    expect(steps(report)).toEqual(['0001_people not-run', '0002_email not-run', '0003_view failed'])
    expect(report.databases[0]?.error).toMatchObject({ file: 'sql/0003_view.up.sql', line: 1, column: 8 })
    expect(await states()).toEqual(['0001_people pending', '0002_email pending', '0003_view pending'])
    bench.folder.write({ '0003_view.up.sql': three['0003_view.up.sql'] ?? '' })
    expect(steps((await bench.json('migrate', 'up', '--single-transaction')).report)).toHaveLength(3)
    expect(await states()).toContain('0003_view applied')
  })

  once('--single-transaction refuses a file that runs outside one, before anything has run', async () => {
    await start({
      ...three,
      '0004_index.up.sql':
        '-- dbkit: no-transaction\ncreate index concurrently people_name on people (name);',
      '0004_index.down.sql': '-- dbkit: no-transaction\ndrop index concurrently people_name;',
    })
    const { exit, report } = await bench.json('migrate', 'up', '--single-transaction')
    expect([exit, report.databases[0]?.error?.code]).toEqual([2, 'plan.no-transaction-in-single'])
    expect(await states()).toContain('0001_people pending')
  })

  everywhere(
    'runs a no-transaction file statement by statement and points at the one that failed',
    async () => {
      await start({
        '1_t.up.sql': 'create table t (a integer, b text)',
        '1_t.down.sql': 'drop table t',
        '2_i.up.sql':
          '-- dbkit: no-transaction\ncreate index concurrently t_a on t (a);\n\ninsert into t values (1);\nselect größe from t;\n',
        '2_i.down.sql': '-- dbkit: no-transaction\ndrop index concurrently t_a;\ndelete from t;\n',
      })
      const failed = await bench.json('migrate', 'up')
      expect(failed.exit).toBe(3)
      expect(failed.report.databases[0]?.error).toMatchObject({ file: 'sql/2_i.up.sql', line: 5, column: 8 })
      expect(await states()).toEqual(['1_t applied', '2_i interrupted'])
      // Its text has to stay, because two of its statements are done.
      bench.folder.write({ '2_i.up.sql': '-- dbkit: no-transaction\nselect 1' })
      expect((await bench.json('migrate', 'up')).report.databases[0]?.error?.code).toBe('plan.interrupted')
      expect((await bench.json('migrate', 'down')).report.databases[0]?.error?.code).toBe(
        'plan.interrupted-other-way',
      )
      await bench.dbkit('migrate', 'repair', '--mark-applied', '2')
      await bench.dbkit('migrate', 'repair')
      const down = await bench.json('migrate', 'down')
      expect(down.report.databases[0]?.steps).toMatchObject([
        { name: '2_i', outcome: 'rolled-back', statements: 2 },
      ])
    },
  )

  once('finishes an interrupted no-transaction file from where it stopped', async () => {
    await start({
      '1_t.up.sql':
        '-- dbkit: no-transaction\ncreate table t (a integer);\ninsert into t values (1);\nselect 1 / (select count(*) from gate);\ninsert into t values (2);\n',
      '1_t.down.sql': 'drop table t',
    })
    expect((await bench.dbkit('migrate', 'up')).exit).toBe(3)
    if (bench.server === undefined) return
    await bench.server.query('create table gate as select 1')
    const again = await bench.json('migrate', 'up')
    expect(again.report.databases[0]?.steps).toMatchObject([{ outcome: 'applied', statements: 2 }])
    expect(await bench.server.query('select array_agg(a order by a) as rows from t')).toEqual([
      { rows: '{1,2}' },
    ])
  })

  once('stops at an irreversible migration before it changes anything', async () => {
    await start({
      ...three,
      '0004_drop.up.sql':
        '-- dbkit: irreversible the names were wrong, and nobody has the right ones\ndrop view names;',
      '0005_last.up.sql': 'create table last ()',
      '0005_last.down.sql': 'drop table last',
    })
    await bench.dbkit('migrate', 'up')
    const { exit, report } = await bench.json('migrate', 'down', '--step', '2')
    expect([exit, report.databases[0]?.error?.code]).toEqual([2, 'plan.irreversible'])
    expect(report.databases[0]?.error?.message).toContain('the names were wrong')
    expect(await states()).toContain('0005_last applied')
  })

  once('baseline records a history that the database has already', async () => {
    await start(three)
    const { exit, report } = await bench.json('migrate', 'baseline', '2')
    expect(exit).toBe(0)
    expect(steps(report)).toEqual(['0001_people recorded', '0002_email recorded'])
    expect(await states()).toEqual(['0001_people applied', '0002_email applied', '0003_view pending'])
    expect((await bench.json('migrate', 'baseline', '3')).report.databases[0]?.error?.code).toBe(
      'plan.baseline-not-empty',
    )
    // It believed what it was told: the tables are not there.
    expect((await bench.json('migrate', 'up')).report.databases[0]?.error?.sql?.['sqlstate']).toBe('42P01')
  })

  everywhere('keeps what a file sets to itself', async () => {
    await start({
      '1_a.up.sql':
        "create schema other; set search_path to other; set timezone to 'Asia/Tokyo'; set statement_timeout to '1h'; create table here (id integer)",
      '1_a.down.sql': 'drop schema other cascade',
      '2_b.up.sql':
        "do $$ begin if current_setting('TimeZone') <> 'UTC' or current_setting('search_path') <> '\"$user\", public' or current_setting('statement_timeout') <> '0' then raise exception '% % %', current_setting('TimeZone'), current_setting('search_path'), current_setting('statement_timeout'); end if; end $$;\ncreate table there (id integer)",
      '2_b.down.sql': 'drop table there',
    })
    const { exit, report } = await bench.json('migrate', 'up')
    expect(report.databases[0]?.error).toBeUndefined()
    expect(exit).toBe(0)
  })
})
