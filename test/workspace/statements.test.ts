import { describe, expect, test } from '@jest/globals'
import {
  findObstacles,
  indexOfCodePoint,
  lineColumnAt,
  parseIndexStatement,
  splitStatements,
  transactionality,
  type Statement,
} from '../../src/workspace/statements.js'

const texts = (source: string): string[] => splitStatements(source).map(({ text }) => text)
const obstacles = (source: string): [kind: string, what: string][] =>
  findObstacles(source).map(({ kind, what }) => [kind, what])

function only(source: string): Statement {
  const statements = splitStatements(source)
  expect(statements).toHaveLength(1)
  return statements[0] as Statement
}

describe('splitStatements', () => {
  describe('keeps together what a semicolon does not end', () => {
    test.each([
      ['a string', `select ';', 'it''s; ', ''`],
      ['a backslash before the closing quote', String.raw`select 'c:\', ';'`],
      ['escapes', String.raw`select E'\';', e'a\\', E'\\\';'''`],
      ['a string that goes on in the next line', "select 'a'\n  ';'"],
      ['a string that does not go on in the same line', String.raw`select E'a' 'b\'`],
      ['escapes that go on in the next line', "select E'a' -- why ' not\n\t'b\\';'"],
      ['prefixed strings', String.raw`select U&'d\0061;', u&'\', B'1;', x'F;', N'n;', n'\'`],
      ['quoted identifiers', 'create table "a;""b;" ("c;" int, U&"d\\0061;" int)'],
      ['a dollar quote', 'do $$ begin perform 1; end $$'],
      ['a tagged dollar quote around others', 'do $a$ x; $$ y; $$ $b$ z; $ab$ $a$'],
      ['a tag beyond ASCII', 'select $é$ ; $e$ ; $é$'],
      ['parameters, identifiers and numbers with a dollar', 'select $1, a$b$c, b$$, $2, 1e5, 0x1F, $1a$b$c'],
      ['line comments', 'select 1 -- a; b\n  , 2 --; c\r\n  , /* ; */ 3'],
      ['nested comments', 'select /* ; /* ; */ ; /*/ ; */ */ 1'],
      ['parentheses', 'create rule r as on insert to t do also (delete from a; delete from b; notify c)'],
      ['operators made of the marks of comments', `select a @- 1, b ->> 'x;', c::text, d #>> '{;}', e <-> f`],
      ['elements of a schema', 'create schema s create table t (a int) create view v as select a from t'],
      ['names beyond ASCII', `select 'ж;', "😀;" as 😀, ø from таблица`],
      ['a no-break space, which is a letter to PostgreSQL', 'select\u00a0 from\u00a0e'],
    ])('%s', (_name, statement) => {
      expect(texts(`${statement};select 2`)).toEqual([statement, 'select 2'])
      expect(texts(statement)).toEqual([statement])
    })
  })

  describe('knows where the body of an SQL routine ends', () => {
    const routine = (body: string, head = 'create function f() returns int language sql'): string =>
      `${head} begin atomic ${body} end`
    test.each([
      ['no statement', routine('')],
      ['statements', routine('insert into t values (1); select 1;')],
      ['CASE', routine('select case when true then case 1 when 1 then 2 end end;')],
      [
        'CASE in parentheses',
        routine('select (case when true then 1 end), coalesce(case a when 1 then 2 end);'),
      ],
      [
        'columns called end and case',
        routine('select t.end, t.case, 1 as end from t; select 1 end; select 2 as case;'),
      ],
      ['a column called begin', routine('select begin from t; select begin;')],
      [
        'comments between the words',
        'create procedure p() begin /* ; */ atomic -- ;\n ; select 1; /* end; */ end',
      ],
      ['OR REPLACE', routine('select 1;', 'CREATE OR REPLACE PROCEDURE "begin"()')],
    ])('%s', (_name, statement) => {
      expect(texts(`${statement}; select 2;`)).toEqual([statement, 'select 2'])
    })

    test('takes "atomic" and "begin" for names elsewhere', () => {
      expect(
        texts('create function begin() returns int return 1; select begin atomic; select 1'),
      ).toHaveLength(3)
      expect(
        texts('create function fn_atomic() returns void as $$ begin end $$ language plpgsql; select 1'),
      ).toHaveLength(2)
    })

    test('a body without END reaches to the end of the file', () => {
      expect(texts('create function f() begin atomic select 1; select 2;')).toHaveLength(1)
    })
  })

  test('leaves out empty statements, blanks, comments and a byte order mark', () => {
    expect(texts('\ufeff;; -- a\n;/* b; */ select 1 ; ;\r\n-- c')).toEqual(['select 1 '])
    expect(texts('')).toEqual([])
    expect(texts('-- nothing but this')).toEqual([])
    expect(texts(' \t\r\n\f\v')).toEqual([])
  })

  test('ends the last statement at its last token when it has no semicolon', () => {
    const source = 'select 1;\nselect 2 -- two\n/* end */\n'
    expect(splitStatements(source)[1]).toMatchObject({ text: 'select 2', start: 10, end: 18 })
  })

  test('tells where a statement stands', () => {
    const source = "\ufeff-- 😀\r\n  select '😀'; /* ж */ select 2;\nselect 3"
    expect(splitStatements(source).map(({ line, column }) => [line, column])).toEqual([
      [2, 3],
      [2, 23],
      [3, 1],
    ])
    for (const { text, start, end } of splitStatements(source)) expect(source.slice(start, end)).toBe(text)
  })

  test('gives the first bare words', () => {
    expect(only('CREATE /* a */ UNIQUE INDEX -- b\n Concurrently "c" ON ONLY d.e (f)').words).toEqual([
      ...['create', 'unique', 'index', 'concurrently'],
      ...['on', 'only', 'd', 'e'],
    ])
    expect(only(`prepare transaction 'commit'`).words).toEqual(['prepare', 'transaction'])
    expect(only('(select 1)').words).toEqual(['select'])
    expect(only(`select n'a', B'1', x'1', u&'b', e'c', n`).words).toEqual(['select', 'n'])
  })

  describe('inline data', () => {
    // null, because toEqual() takes arrays for equal that differ in undefined at their ends.
    const data = (source: string): (string | null)[] =>
      splitStatements(source).map(({ copyData }) =>
        copyData === undefined ? null : source.slice(copyData.start, copyData.end),
      )

    test.each([
      ['text', 'copy t (a, b) from stdin;\n1;2\tit\'s "\n\\N\t$$\n\\.\n', '1;2\tit\'s "\n\\N\t$$\n'],
      [
        'CSV',
        'COPY public.t FROM STDIN WITH (FORMAT csv);\n"a;b",\'\n\\.x\nx\\.\n\\.\n',
        '"a;b",\'\n\\.x\nx\\.\n',
      ],
      ['Windows line ends', 'copy t from stdin;\r\n1;\r\n\\.\r\n', '1;\r\n'],
      ['none', 'copy t from stdin;\n\\.\n', ''],
      ['empty lines first', 'copy t from stdin;\n\n \n\\.\n', '\n \n'],
      ['after a comment', "copy t from stdin; -- data: it's\n1\n\\.\n", '1\n'],
      ['STDOUT, which the grammar takes too', 'copy t from stdout;\n1\n\\.\n', '1\n'],
    ])('%s', (_name, copy, expected) => {
      expect(data(`${copy}select 1;`)).toEqual([expected, null])
      expect(texts(`${copy}select 1;`)[1]).toBe('select 1')
    })

    test('two on a line take their data in turn', () => {
      expect(data('copy a from stdin; copy b from stdin;\n1;\n\\.\n2;\n\\.\nselect 1')).toEqual([
        '1;\n',
        '2;\n',
        null,
      ])
    })

    test('does not begin inside of a string', () => {
      expect(texts("copy t from stdin; select 'a\n\\.\nb'; select 1")).toEqual([
        ...['copy t from stdin', "select 'a\n\\.\nb'", 'select 1'],
      ])
    })

    test('without \\. it reaches to the end of the file', () => {
      expect(data('copy t from stdin;\n1;\n2;')).toEqual(['1;\n2;'])
      expect(data('copy t from stdin;')).toEqual([''])
      expect(data('copy t from stdin')).toEqual([''])
    })

    test('not of a COPY from elsewhere', () => {
      expect(
        data(
          `copy t from '/tmp/stdin'; copy t from program 'cat'; copy t to stdout; copy (select 1 from stdin) to stdout; select 1 from stdin`,
        ),
      ).toEqual([null, null, null, null, null])
    })
  })

  test("passes over psql's commands, of which some end a statement", () => {
    expect(texts("\\set a 'x;\nselect 1 \\gset b_ \nselect 2\n\\gexec\nselect 3\\; select 4;\n\\q")).toEqual([
      ...['select 1', 'select 2', 'select 3', 'select 4'],
    ])
    expect(texts("\\copy t from stdin csv\nit's;\n\\.\nselect 1;")).toEqual(['select 1'])
    expect(texts("\\copy t from 'stdin'\nselect 1;")).toEqual(['select 1'])
  })

  test('keeps an error inside its statement', () => {
    expect(texts('select (1)); create tabel t ((a int); select ]; x')).toEqual([
      'select (1))',
      'create tabel t ((a int); select ]; x',
    ])
  })
})

describe('findObstacles', () => {
  test.each([
    ['\\set a 1', '\\set'],
    ['  \\copy t from file', '\\copy'],
    ['select 1 \\gexec', '\\gexec'],
    ['select 1\\; select 2', '\\;'],
    ['\\d+ t', '\\d+'],
    ['\\! ls', '\\!'],
    ["\\set v `echo 'it;`", '\\set'],
    ['\\\\', '\\\\'],
  ])('a command of psql: %s', (source, what) => {
    expect(obstacles(source)).toEqual([['psql-meta-command', what]])
  })

  test.each([
    ['select :a', ':a'],
    ['select * from :schema.t', ':schema'],
    [`select :'a_1'`, `:'a_1'`],
    ['select :"ä"', ':"ä"'],
    ['select :{?a}', ':{?a}'],
    ['select 1+:a', ':a'],
    ['select array[:a]', ':a'],
    ['select x[1 + :a]', ':a'],
    ['select x[:lo : :a]', ':a'],
    ['select f(b, :a)', ':a'],
    [`select json_object('k': :a)`, ':a'],
    ['select :a::int', ':a'],
    ['limit :a', ':a'],
    ['select 1::numeric:a', ':a'],
    ['select x[1; select :a', ':a'],
  ])('a variable of psql: %s', (source, what) => {
    expect(obstacles(source)).toEqual([['psql-variable', what]])
  })

  test.each([
    'select a::text, a :: text, x[1:2], x[:2], x[1:], x[lo:hi], x[:hi], (a)[f(1):b], $1[a:b]',
    `select time '12:30', '12:a', ':a', ":a", $$ :a $$, E'\\':a' -- :a`,
    'select f(a := 1), f(a => 1)',
    `select json_object('a':b, k:v), JSON_OBJECTAGG(k:v), json_object("k":'v')`,
    `do $$ begin a := 1; execute 'x' using :b; end $$`,
    `select '\\d', $$\\d$$, "\\d" /* \\d */ -- \\d`,
    'copy t from program $$ cat $$',
  ])('neither: %s', (source) => {
    expect(obstacles(source).filter(([kind]) => kind !== 'copy-from-stdin')).toEqual([])
  })

  test.each([
    ['begin', 'BEGIN'],
    ['Begin Isolation Level Serializable', 'BEGIN'],
    ['start /* a */ transaction read only', 'START TRANSACTION'],
    ['commit and chain', 'COMMIT'],
    ['end work', 'END'],
    ['rollback', 'ROLLBACK'],
    ['rollback work', 'ROLLBACK'],
    ['abort', 'ABORT'],
    [`prepare transaction 'x'`, 'PREPARE TRANSACTION'],
    [`commit prepared 'x'`, 'COMMIT PREPARED'],
    [`rollback prepared 'x'`, 'ROLLBACK PREPARED'],
  ])('transaction control: %s', (source, what) => {
    expect(obstacles(`select 1;\n ${source};`)).toEqual([['transaction-control', what]])
    expect(findObstacles(`select 1;\n ${source};`)[0]).toMatchObject({ line: 2, column: 2, start: 11 })
  })

  test.each([
    'savepoint a; release savepoint a; rollback to savepoint a; rollback work to a; rollback transaction to a',
    'do $$ begin commit; end $$; create procedure p() begin atomic select 1; end',
    'set transaction read only; set constraints all deferred',
    'prepare begin as select 1; prepare transaction as select 1; execute commit',
    'select begin, "commit" from "end"; comment on table t is \'begin\'',
  ])('no transaction control: %s', (source) => {
    expect(obstacles(source)).toEqual([])
  })

  test.each([
    [`select 'a;\n`, 'unterminated string'],
    [`select E'a\\'`, 'unterminated string'],
    [`select "a`, 'unterminated quoted identifier'],
    ['select 1; /* a /* b */', 'unterminated comment'],
    ['do $body$ x; $bod$', 'unterminated dollar quote $body$'],
    ['do $$ x; $', 'unterminated dollar quote $$'],
  ])('not closed: %s', (source, what) => {
    expect(obstacles(source)).toEqual([['unterminated', what]])
    // It is never left out without a word: the server gets it, and refuses it.
    expect(texts(source).at(-1)).toBe(source.slice(splitStatements(source).at(-1)?.start))
  })

  test('inline data, and nothing of what is in it', () => {
    const source =
      "select 1; copy t from stdin;\n:a it's \\b\n\\.\n\\copy t from stdin\n:a $$\n\\.\nselect :b"
    expect(obstacles(source)).toEqual([
      ['copy-from-stdin', 'COPY ... FROM STDIN'],
      ['psql-meta-command', '\\copy'],
      ['psql-variable', ':b'],
    ])
    expect(findObstacles(source)[0]).toMatchObject({ start: 10, end: source.indexOf('\\.') })
  })

  describe('passwords', () => {
    const literals = (source: string): string[] =>
      findObstacles(source).map(({ kind, start, end, what }) => {
        expect(kind).toBe('password-literal')
        expect(what).not.toMatch(/s3|hush/)
        return source.slice(start, end)
      })

    test.each([
      [`create role a login password 's3'`, [`'s3'`]],
      [`ALTER USER "a" WITH ENCRYPTED PASSWORD E's\\'3' VALID UNTIL 'infinity'`, [`E's\\'3'`]],
      ['create group a password $$s3$$', ['$$s3$$']],
      [`create role a password 's3'\n  'hush'`, [`'s3'\n  'hush'`]],
      [`create user mapping for a server b options (user 'c', password 's3')`, [`'s3'`]],
      [
        `alter user mapping for a server b options (set "password" 's3', add sslpassword 'hush')`,
        [`'s3'`, `'hush'`],
      ],
      [`create subscription s connection 'host=a password=s3' publication p`, [`'host=a password=s3'`]],
      [`alter subscription s connection 'postgresql://u:s3@a/b'`, [`'postgresql://u:s3@a/b'`]],
      [`select * from dblink('password = s3', 'select 1') as t (a int)`, [`'password = s3'`]],
      [`do $$ begin create role a password 's3'; end $$`, [`'s3'`]],
      [
        `do $$ begin if true then execute 'create role a password ''s3'''; end if; end $$`,
        [`'create role a password ''s3'''`],
      ],
      [`do $$ begin execute 'alter role ' || a || ' password ''s3'''; end $$`, [`' password ''s3'''`]],
      [`do $a$ begin execute $b$alter role a password 's3'$b$; end $a$`, [`'s3'`]],
      [
        `do $$ begin execute E'create role a password \\'s3\\''; end $$`,
        [`E'create role a password \\'s3\\''`],
      ],
      [
        `do $$ begin execute 'do $x$ begin create role a password ''s3''; end $x$'; end $$`,
        [`'do $x$ begin create role a password ''s3''; end $x$'`],
      ],
      [`select dblink_connect('postgresql://u:s3@a/b')`, [`'postgresql://u:s3@a/b'`]],
      [`alter system set primary_conninfo = 'postgres://u:s3@a'`, [`'postgres://u:s3@a'`]],
      [
        `create or replace function f() returns void language plpgsql as 'begin create role a password ''s3''; end'`,
        [`'begin create role a password ''s3''; end'`],
      ],
    ])('found: %s', (source, expected) => {
      expect(literals(`select '😀';\n${source};`)).toEqual(expected)
    })

    test.each([
      'create role a password null; alter role a login; create role password',
      `create role a password ''`,
      `create table users (password text default 'none'); insert into users (password) values ('s3')`,
      `comment on column users.password is 'a password of the create role kind'`,
      `create role a valid until '2030-01-01'; select password 'x'`,
      `do $$ begin create role a; perform password 's3'; perform dblink('a'); perform 'password=s3'; end $$`,
      `do $$ begin perform dblink_connect(format('postgresql://u:%s@a/b', v) || 'password=%s'); end $$`,
      `do $$ begin execute format('create role a password %L', v); raise 'create role a password ''%''', v; end $$`,
      `create subscription s connection 'host=a passfile=b' publication p`,
      `select dblink_connect('host=a user=b'); select 'password=x'`,
      `select 'create role a password ''s3'''`,
      `create user mapping for a server b options (user 'password')`,
    ])('none: %s', (source) => {
      expect(literals(source)).toEqual([])
    })

    test('that psql would have filled in are its variables', () => {
      expect(obstacles(`create role a password :'pw'`)).toEqual([['psql-variable', `:'pw'`]])
    })
  })

  test('come in the order of the file, and take the statements they are given', () => {
    const source = "begin;\n\\set a 1\nselect :a;\ncommit;\nselect 'x"
    const found = findObstacles(source, splitStatements(source))
    expect(found.map(({ line, column, what }) => [line, column, what])).toEqual([
      [1, 1, 'BEGIN'],
      [2, 1, '\\set'],
      [3, 8, ':a'],
      [4, 1, 'COMMIT'],
      [5, 8, 'unterminated string'],
    ])
    expect(findObstacles(source)).toEqual(found)
  })
})

describe('transactionality', () => {
  test.each([
    'create index concurrently on t (a)',
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)',
    'drop index concurrently if exists i',
    'reindex index concurrently i',
    'reindex (verbose, concurrently) table t',
    'reindex (concurrently true) table t',
    'reindex schema s',
    'reindex (verbose) database d',
    'reindex system',
    'vacuum',
    'vacuum (analyze) t',
    'cluster',
    'cluster verbose',
    'cluster (verbose)',
    'create database d',
    'drop database if exists d with (force)',
    'alter database "my db" set tablespace t',
    `create tablespace t location '/t'`,
    'drop tablespace t',
    `alter system set work_mem = '1MB'`,
    'discard all',
    'alter table p detach partition q concurrently',
    'alter table p * detach partition q concurrently',
    'alter table if exists only "s s"."p" detach partition s.q concurrently',
    `commit prepared 'x'`,
    `create subscription s connection 'connect = false' publication p`,
    `create subscription s connection '' publication p with (connect = true)`,
    'drop subscription s',
    'alter subscription s refresh publication',
    'alter subscription s add publication p',
    'alter subscription "s" set publication p with (copy_data = false)',
    'alter subscription s set (slot_name = x, failover)',
    'alter subscription s set (two_phase = false)',
  ])('outside only: %s', (source) => {
    expect(transactionality(only(source))).toBe('outside-only')
  })

  test.each([
    'create index concurrent on t (a)',
    'create index "concurrently" on t (a)',
    'drop index i',
    'reindex table t',
    'reindex (concurrently false) table t',
    'reindex (concurrently off, verbose) index i',
    'cluster t using i',
    'cluster verbose "t"',
    'alter database d set work_mem = 1',
    'discard plans',
    'alter table p detach partition q',
    'alter table p detach partition q finalize',
    `comment on table t is 'vacuum'`,
    'refresh materialized view concurrently m',
    `alter type t add value 'x'`,
    `create subscription s connection '' publication p with (slot_name = x, connect = false)`,
    `create subscription s connection '' publication p with (create_slot = false)`,
    'alter subscription s disable',
    'alter subscription s set publication p with (refresh = false)',
    'alter subscription s set (synchronous_commit = off)',
    'create table vacuum (a int)',
    'select 1',
  ])('anywhere: %s', (source) => {
    expect(transactionality(only(source))).toBe('any')
  })

  test.each(['call p()', 'do $$ begin commit; end $$', 'DO LANGUAGE plpgsql $$ begin end $$'])(
    'unknown: %s',
    (source) => {
      expect(transactionality(only(source))).toBe('unknown')
    },
  )
})

describe('parseIndexStatement', () => {
  const neither = { ifNotExists: false, ifExists: false }
  test.each([
    ['create index concurrently on t (a)', { action: 'create', table: 't', ...neither }],
    [
      'CREATE UNIQUE INDEX /* a */ CONCURRENTLY IF NOT EXISTS "My ""i""" ON ONLY App . "T t" USING btree (a)',
      { action: 'create', index: '"My ""i"""', table: 'App."T t"', ifNotExists: true, ifExists: false },
    ],
    ['create index concurrently If on t(a)', { action: 'create', index: 'If', table: 't', ...neither }],
    [
      'create index concurrently U&"d\\0061" on ü.ж (a)',
      { action: 'create', index: 'U&"d\\0061"', table: 'ü.ж', ...neither },
    ],
    ['drop index concurrently s.i', { action: 'drop', index: 's.i', ...neither }],
    [
      'drop index concurrently if exists "S".I cascade',
      { action: 'drop', index: '"S".I', ifNotExists: false, ifExists: true },
    ],
    ['reindex index concurrently s."i"', { action: 'reindex', index: 's."i"', ...neither }],
    ['reindex (verbose, concurrently) index i', { action: 'reindex', index: 'i', ...neither }],
    ['REINDEX TABLE CONCURRENTLY t', { action: 'reindex', table: 't', ...neither }],
  ])('%s', (source, expected) => {
    expect(parseIndexStatement(only(source))).toEqual(expected)
  })

  test.each([
    'create index i on t (a)',
    'drop index i',
    'reindex index i',
    'reindex (concurrently false) table t',
    'reindex schema concurrently s',
    'refresh materialized view concurrently m',
    'vacuum t',
    'select 1',
  ])('undefined: %s', (source) => {
    expect(parseIndexStatement(only(source))).toBeUndefined()
  })
})

describe('lineColumnAt', () => {
  test.each([
    ['a\nb', 0, 1, 1],
    ['a\nb', 1, 1, 2],
    ['a\nb', 2, 2, 1],
    ['a\r\nb', 3, 2, 1],
    ['a\rb', 2, 1, 3],
    ['a\n\nb', 3, 3, 1],
    ['😀é\nx😀y', 3, 1, 3],
    ['😀é\nx😀y', 7, 2, 3],
    ['\ufeffa', 1, 1, 1],
    ['\ufeffa', 0, 1, 1],
    ['a', 9, 1, 2],
    ['', 0, 1, 1],
  ])('%j at %i is %i:%i', (source, index, line, column) => {
    expect(lineColumnAt(source, index)).toEqual({ line, column })
  })
})

describe('indexOfCodePoint', () => {
  test.each([
    ['abc', 0, 0],
    ['abc', 2, 2],
    ['😀b😀d', 1, 2],
    ['😀b😀d', 3, 5],
    ['\ud83d\ud83d\ude00b', 2, 3],
    ['ж\ude00b', 2, 2],
    ['ab', 2, 2],
    ['ab', 9, 2],
    ['', 0, 0],
  ])('%j: %i is at %i', (source, n, index) => {
    expect(indexOfCodePoint(source, n)).toBe(index)
  })
})

describe('for any text', () => {
  /** The same numbers on every run, so that a failure can be seen again. */
  function dice(seed: number): <T>(sides: readonly T[]) => T {
    let state = seed
    return (sides) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
      return sides[(state >> 8) % sides.length] as (typeof sides)[number]
    }
  }
  const soup = [
    ...[
      "'",
      "'",
      '"',
      'E',
      "E'",
      'U&',
      'b',
      'n',
      '$',
      '$$',
      '$a$',
      'a$',
      '$1',
      '1',
      '.',
      'a',
      '_',
      'é',
      '😀',
    ],
    ...[
      ' ',
      '\n',
      '\r\n',
      '\t',
      '-',
      '--',
      '/',
      '*',
      '/*',
      '*/',
      '+',
      '@',
      '=',
      ':',
      '::',
      ';',
      ';',
      ';',
      '(',
      ')',
    ],
    ...['[', ']', "''", '""', ',', 'select', 'end', '{', '`', '\u00a0'],
  ]
  const psql = [
    '\\',
    '\\.',
    '\n\\.\n',
    'copy t from stdin',
    '\\copy t from stdin',
    '\\g',
    ':a',
    ":'a'",
    'begin atomic',
  ]

  test('the statements are slices of it, in order, and between them is nothing', () => {
    const roll = dice(7)
    for (let round = 0; round < 2_000; round += 1) {
      const source = Array.from({ length: 30 }, () => roll([...soup, ...psql])).join('')
      const statements = splitStatements(source)
      // The data of a COPY may begin after further statements on its line.
      const withoutData = statements.every(({ copyData }) => copyData === undefined)
      let last = 0
      for (const { text, start, end, line, column } of statements) {
        const gap = withoutData ? texts(source.slice(last, start)) : []
        expect({ text, line, column, gap, inOrder: last <= start && start < end }).toEqual({
          text: source.slice(start, end),
          ...lineColumnAt(source, start),
          gap: [],
          inOrder: true,
        })
        last = end
      }
      expect(findObstacles(source).filter(({ start, end }) => start >= end)).toEqual([])
    }
  })

  test('joined again they split the same', () => {
    const roll = dice(11)
    let compared = 0
    for (let round = 0; round < 5_000; round += 1) {
      const source = Array.from({ length: 30 }, () => roll(soup)).join('')
      if (findObstacles(source).some(({ kind }) => kind === 'unterminated')) continue
      const statements = texts(source)
      if (statements.length > 1) compared += 1
      for (const separator of [';', ';;\n', ' ; -- ;\n', '/* ; */ ;']) {
        const again = splitStatements(statements.join(separator)).map(({ text }) => text.trimEnd())
        expect(again.map((text) => text.replace(/\s*\/\* ; \*\/$/, ''))).toEqual(
          statements.map((text) => text.trimEnd()),
        )
      }
      for (const statement of statements) expect(texts(statement)).toHaveLength(1)
    }
    expect(compared).toBeGreaterThan(200)
  })

  test('statements are found again at their places, whatever stands between them', () => {
    const roll = dice(13)
    const statements = [
      ...[
        "select ';'",
        'select 1',
        "insert into t values (E'\\';', 'é')",
        'do $$ begin; end $$',
        'table "a;b"',
      ],
      'create function f() begin atomic select case when a then b end; select 1 as end; end',
      ...[
        'create rule r as on update to t do (a; b)',
        'select /* ; */ 😀 -- ;\n from t',
        'select x[1:2]::int',
      ],
    ]
    const between = [
      ';',
      ';;',
      ';\n',
      ' ;\r\n',
      ";-- a; it's\n",
      '; /* b; /* c */ $$ */ ',
      ';\n\n\t',
      '; --\n;',
    ]
    for (let round = 0; round < 500; round += 1) {
      let source = roll(['', '\ufeff', '-- head\n'])
      const expected: unknown[] = []
      for (let count = roll([1, 5, 20]); count > 0; count -= 1) {
        const text = roll(statements)
        const lines = source.replace('\ufeff', '').split('\n')
        expected.push({
          text,
          start: source.length,
          line: lines.length,
          column: [...(lines.at(-1) ?? '')].length + 1,
        })
        source += text + roll(between)
      }
      expect(
        splitStatements(source).map(({ text, start, line, column }) => ({
          text: text.trimEnd(),
          start,
          line,
          column,
        })),
      ).toEqual(expected)
    }
  })

  /** CPU, because other work on the machine must not fail a test; far above what is needed, far below quadratic time. */
  function expectQuick(source: string): number {
    const before = process.cpuUsage()
    const statements = splitStatements(source)
    findObstacles(source, statements)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000_000).toBeLessThan(4)
    return statements.length
  }

  test.each([
    ['dollars', '$'.repeat(400_000)],
    ['tags', '$a'.repeat(200_000)],
    ['blanks after an E string', `E'a'${' '.repeat(400_000)}`],
    ['dashes after an E string', `E'a' ${'-'.repeat(400_000)}`],
    ['strings that go on', "E'a'\n--\n".repeat(50_000)],
    ['comments that open', '/*'.repeat(200_000)],
    ['quotes', "'".repeat(400_001)],
    ['COPY without data, on one line', 'copy t from stdin;'.repeat(20_000)],
    ['data that nearly ends', `copy t from stdin;\n${'\\.x\n'.repeat(100_000)}`],
    ['parentheses', '('.repeat(400_000)],
    ['statements on one line', 'select 1;'.repeat(40_000)],
    [
      'dollar quotes inside of each other',
      `do ${Array.from({ length: 5_000 }, (_, n) => `$a${n}$ role password `).join('')}`,
    ],
    [
      'an address that nearly holds a password',
      `create subscription s connection '${'://:'.repeat(100_000)}'`,
    ],
  ])('time grows with the text: %s', (_name, source) => {
    expectQuick(source)
  })

  test('time grows with the text: 5 MB', () => {
    const statements = [
      'create table t (id uuid primary key default gen_random_uuid(), name varchar(100) not null /* why */);\n',
      "insert into carriers (id, name) values (1, 'Carrier ''1'''); -- a note\n",
      "create function f() returns trigger language plpgsql as $body$\nbegin\n  new.a := ';';\n  return new;\nend\n$body$;\n",
    ].join('')
    const source = statements.repeat(Math.ceil(5_000_000 / statements.length))
    expect(expectQuick(source)).toBe(3 * (source.length / statements.length))
  })
})
