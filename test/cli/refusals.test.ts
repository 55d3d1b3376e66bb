import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import {
  describeEngines,
  describeFastest,
  type Bench,
  type Files,
  type JsonError,
  type JsonReport,
} from '../support/engines.js'

const good: Files = { '1_a.up.sql': 'create table a ()', '1_a.down.sql': 'drop table a' }

describe('a folder that is not a workspace', () => {
  let folder: Folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => {
    folder.remove()
  })
  const refuse = async (files: Files): Promise<JsonError | undefined> => {
    folder.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [`sql/${name}`, text])))
    const { exit, stdout } = await runCli(['migrate', 'up', '--dir', 'sql', '--embedded', '--json'], {
      cwd: folder.path,
    })
    expect(exit).toBe(2)
    return (JSON.parse(stdout) as JsonReport).error
  }

  test('is refused when it is missing', async () => {
    expect((await refuse({}))?.code).toBe('workspace.missing-folder')
  })
  test.each([
    ['no version', 'add_rating.up.sql'],
    ['no direction', '0002_add_rating.sql'],
    ['no name', '0002.up.sql'],
    ['a space in the name', '0002_add rating.up.sql'],
  ])('is refused for a file with %s', async (_, name) => {
    const error = await refuse({ ...good, [name]: 'select 1' })
    expect(error?.code).toBe('workspace.bad-name')
    expect(error?.message).toContain(`sql/${name}`)
  })
  test('is refused for two migrations with one version, also when it is written differently', async () => {
    const error = await refuse({ ...good, '0001_b.up.sql': 'select 1', '0001_b.down.sql': 'select 1' })
    expect(error?.code).toBe('workspace.duplicate-version')
    expect(error?.message).toContain('sql/0001_b.up.sql and sql/1_a.up.sql')
  })
  test('is refused for an up without a down, a down without an up, and names both at once', async () => {
    const error = await refuse({ '1_a.up.sql': 'select 1', '2_b.down.sql': 'select 1' })
    expect(error?.code).toBe('workspace.unpaired')
    expect([error?.message, ...(error?.others ?? []).map(({ message }) => message)]).toEqual([
      'sql/1_a.up.sql has no partner 1_a.down.sql.',
      'sql/2_b.down.sql has no partner 2_b.up.sql.',
    ])
  })
  test('sorts versions as numbers, and 18 digits exactly', async () => {
    folder.write({
      'sql/9_a.up.sql': 'create table a ()',
      'sql/9_a.down.sql': 'drop table a',
      'sql/10_b.up.sql': 'create table b ()',
      'sql/10_b.down.sql': 'drop table b',
      'sql/202501010000000001_c.up.sql': 'create table c ()',
      'sql/202501010000000001_c.down.sql': 'drop table c',
      'sql/202501010000000002_d.up.sql': 'create table d ()',
      'sql/202501010000000002_d.down.sql': 'drop table d',
    })
    const { stdout } = await runCli(['migrate', 'up', '--dir', 'sql', '--embedded', '--json', '--dry-run'], {
      cwd: folder.path,
    })
    const report = JSON.parse(stdout) as JsonReport
    expect(report.databases[0]?.steps?.map(({ name }) => name.slice(-1))).toEqual(['a', 'b', 'c', 'd'])
  })
})

describeFastest('a file that no server could take', (open) => {
  let bench: Bench
  afterEach(async () => {
    await bench.remove()
  })
  const refuse = async (files: Files): Promise<JsonError | undefined> => {
    bench = await open(files)
    const { exit, report } = await bench.json('migrate', 'up')
    expect(exit).toBe(2)
    const status = await bench.json('migrate', 'status')
    expect(status.report.databases[0]?.summary?.['applied']).toBe(0)
    return report.databases[0]?.error
  }
  const cases: readonly (readonly [
    what: string,
    up: string | Buffer,
    code: string,
    line: number,
    column: number,
  ])[] = [
    ['a psql command', 'select 1;\n\\copy a from a.csv\n', 'workspace.psql-meta-command', 2, 1],
    ['a psql variable', "select 'ok';\n  select :'name';", 'workspace.psql-meta-command', 2, 10],
    [
      'COPY from the file itself',
      'create table b (i integer);\nCOPY b FROM stdin;\n1\n\\.\n',
      'workspace.copy-from-stdin',
      2,
      1,
    ],
    ['BEGIN', 'begin;\nselect 1;\ncommit;', 'workspace.transaction-control', 1, 1],
    [
      'COMMIT after text of several bytes a letter',
      "select '🚚ü'; commit",
      'workspace.transaction-control',
      1,
      14,
    ],
    [
      'an open dollar quote',
      'select 1;\ncreate function f() returns void language sql as $body$ select 1;',
      'workspace.unterminated',
      2,
      50,
    ],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from('select 1;\nselect '), Buffer.from([0xe4, 0x3b])]),
      'workspace.undecodable',
      2,
      8,
    ],
    ['a NUL', 'select 1;\n\0', 'workspace.undecodable', 2, 1],
    ['an unknown directive', '-- dbkit: no-transactions\nselect 1', 'workspace.bad-directive', 1, 11],
    ['a password', "create role r\n  password 'secret-word';", 'workspace.password-literal', 2, 12],
  ]
  for (const [what, up, code, line, column] of cases)
    test(`is refused with its place: ${what}`, async () => {
      const error = await refuse({ ...good, '2_b.up.sql': up, '2_b.down.sql': 'select 1' })
      expect(error).toMatchObject({ code, file: 'sql/2_b.up.sql', line, column })
      expect(JSON.stringify(error)).not.toContain('secret-word')
    })
  test('is refused in a down too, before its up has run', async () => {
    const error = await refuse({ ...good, '2_b.up.sql': 'select 1', '2_b.down.sql': 'begin; select 1;' })
    expect(error).toMatchObject({ code: 'workspace.transaction-control', file: 'sql/2_b.down.sql' })
  })
  test('lets BEGIN stand where it is no transaction', async () => {
    bench = await open({
      '1_a.up.sql': `
        do $$ begin perform 1; end $$;
        create function twice(i integer) returns integer language sql begin atomic select case when i > 0 then 2 * i end; end;
        create procedure p() language plpgsql as 'begin commit; end';
      `,
      '1_a.down.sql': 'drop procedure p(); drop function twice(integer);',
    })
    expect((await bench.json('migrate', 'up')).report.databases[0]?.error).toBeUndefined()
    expect((await bench.json('migrate', 'down')).report.databases[0]?.error).toBeUndefined()
  })
})

describeEngines('the place of an SQL error', (open, { everywhere }) => {
  let bench: Bench
  afterEach(async () => {
    await bench.remove()
  })
  const cases: readonly (readonly [
    what: string,
    up: string,
    line: number,
    column: number,
    sqlstate: string,
  ])[] = [
    ['after letters of several bytes', "select 'Größe 🚚🚚', nothing;", 1, 20, '42703'],
    ['with CRLF line ends', 'select 1;\r\nselect 2;\r\n  select nothing;\r\n', 3, 10, '42703'],
    ['behind a byte order mark', '\uFEFFselect nothing;', 1, 8, '42703'],
    ['of a syntax error', "select 'ü';\ncreat table t ();", 2, 1, '42601'],
    [
      'of a statement whose error has no position',
      'create table t (i integer primary key);\ninsert into t values (1);\n\n  insert into t values (1);\nselect 2;',
      4,
      3,
      '23505',
    ],
    ['inside a DO block', "select 1;\ndo $$\nbegin\n  raise exception 'no';\nend $$;", 2, 1, 'P0001'],
  ]
  everywhere('is right in every kind of file', async () => {
    bench = await open({})
    for (const [what, up, line, column, sqlstate] of cases) {
      bench.folder.write({ '1_t.up.sql': up, '1_t.down.sql': 'select 1' })
      const { report } = await bench.json('migrate', 'up')
      const error = report.databases[0]?.error
      expect({ what, line: error?.line, column: error?.column, sqlstate: error?.sql?.['sqlstate'] }).toEqual({
        what,
        line,
        column,
        sqlstate,
      })
    }
  })
  everywhere('is the first thing that is told of wrong syntax', async () => {
    bench = await open({ '1_t.up.sql': 'creat table t ();', '1_t.down.sql': 'select 1' })
    const { stderr, exit } = await bench.dbkit('migrate', 'up')
    expect(exit).toBe(3)
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      'error sql: syntax error at or near "creat" (SQLSTATE 42601)',
      '  sql/1_t.up.sql:1:1',
    ])
  })
  everywhere('is drawn with a caret under the column', async () => {
    bench = await open({ '1_t.up.sql': "-- ü\n\tselect 'ö', nothing;", '1_t.down.sql': 'select 1' })
    const { stderr, exit } = await bench.dbkit('migrate', 'up')
    expect(exit).toBe(3)
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      'error sql: column "nothing" does not exist (SQLSTATE 42703)',
      '  sql/1_t.up.sql:2:14',
      "  2 | \tselect 'ö', nothing;",
      '    | \t            ^',
    ])
  })
})
