import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCli } from '../support/cli.js'
import {
  describeEngines,
  describeFastest,
  type Bench,
  type JsonError,
  type JsonReport,
} from '../support/engines.js'
import { serverUrl } from '../support/server.js'

/** Rows that stand in the way of everything that is tried below. */
const BASE = `
create schema app;
create table app.depots (id int primary key);
create table carriers (id int primary key, code text not null, region text, unique (code, region));
insert into carriers values (1, 'A', 'n'), (2, 'B', 's'), (3, 'C', 's');
create table people (
  id int primary key, email text, age text, carrier_id int, code text, region text, "Joined On" text, note text
);
insert into people
select n, case when n % 10 = 0 then null when n <= 4 then 'ann@example.org' when n <= 6 then 'Bob@example.org' else n || '@example.org' end,
       case when n = 5 then 'forty' when n in (6, 7) then 'old (very)' else n::text end,
       case when n > 37 then 90 + n else 1 + n % 3 end,
       chr(65 + n % 3), case when n = 40 then 'w' when n % 3 = 0 then 'n' else 's' end,
       case when n = 8 then '2024-02-30' else '2024-02-28' end,
       repeat('x', n)
  from generate_series(1, 40) n;
alter table people add constraint old_check check (length(note) < 39) not valid;
alter table people add constraint old_key foreign key (carrier_id) references carriers not valid;
create table visits (person int, at date);
insert into visits values (1, null), (2, '2024-01-01');
create table loads (id int primary key, carrier int not null references carriers);
insert into loads select n, 3 from generate_series(1, 7) n;
create view adults as select id, email from people where id > 1;
create view adult_mails as select email from adults;
create materialized view mail_count as select count(*) from adult_mails;
create type mood as enum ('calm', 'busy');
create table desks (id int, mood mood);
create function add_up(a int, b int) returns int language sql as 'select a + b';
`

interface Case {
  readonly sql: string
  readonly kind: string
  readonly summary: string
  readonly examples?: readonly string[]
}

const CASES: Readonly<Record<string, Case>> = {
  'a unique constraint': {
    sql: 'alter table people add constraint one_email unique (email)',
    kind: 'duplicate-keys',
    summary: '2 values of people (email) stand in 6 rows',
    examples: ['(ann@example.org) in 4 rows', '(Bob@example.org) in 2 rows'],
  },
  'a unique index on an expression': {
    sql: 'create unique index on people (lower(email))',
    kind: 'duplicate-keys',
    summary: '2 values of people (lower(email)) stand in 6 rows',
  },
  'a partial unique index': {
    sql: `create unique index on people (email) where email like 'B%'`,
    kind: 'duplicate-keys',
    summary: '1 value of people (email) stands in 2 rows',
    examples: ['(Bob@example.org) in 2 rows'],
  },
  'a primary key': {
    sql: 'alter table loads drop constraint loads_pkey, add primary key (carrier)',
    kind: 'duplicate-keys',
    summary: '1 value of loads (carrier) stands in 7 rows',
    examples: ['(3) in 7 rows'],
  },
  'a unique constraint on two columns': {
    sql: 'alter table people add unique (code, region)',
    kind: 'duplicate-keys',
    summary: '3 values of people (code, region) stand in 39 rows',
  },
  'a unique index that is built concurrently': {
    sql: '-- dbkit: no-transaction\ncreate unique index concurrently held on people (email);\ndrop index held',
    kind: 'duplicate-keys',
    summary: '2 values of people (email) stand in 6 rows',
  },
  'SET NOT NULL': {
    sql: 'alter table people alter column email set not null',
    kind: 'null-rows',
    summary: '4 of 40 rows of people have no email',
    examples: ['(id) = (10)', '(id) = (20)', '(id) = (30)'],
  },
  'SET NOT NULL on a table without a key': {
    sql: 'alter table visits alter column at set not null',
    kind: 'null-rows',
    summary: '1 of 2 rows of visits has no at',
    examples: ['ctid = (0,1)'],
  },
  'a primary key over NULLs': {
    sql: 'alter table visits add primary key (at)',
    kind: 'null-rows',
    summary: '1 of 2 rows of visits has no at',
  },
  'a new column that must not be NULL': {
    sql: 'alter table people add column nick text not null',
    kind: 'null-rows',
    summary: 'people has 40 rows, and the new column has no DEFAULT for them',
  },
  'a CHECK': {
    sql: 'alter table people add constraint short check (length(note) <= 38)',
    kind: 'violating-rows',
    summary: '2 of 40 rows of people break short',
    examples: ['(id) = (39)', '(id) = (40)'],
  },
  'a CHECK without a name, with brackets in its text': {
    sql: `alter table people add check (age not like '%)%' and (age <> '('))`,
    kind: 'violating-rows',
    summary: '2 of 40 rows of people break people_age_check',
    examples: ['(id) = (6)', '(id) = (7)'],
  },
  'the second of two CHECKs': {
    sql: `alter table people add constraint one check (id > 0), add constraint two check (id < 40)`,
    kind: 'violating-rows',
    summary: '1 of 40 rows of people breaks two',
  },
  'a CHECK that is validated': {
    sql: 'alter table people validate constraint old_check',
    kind: 'violating-rows',
    summary: '2 of 40 rows of people break old_check',
  },
  'a foreign key': {
    sql: 'alter table people add constraint works_for foreign key (carrier_id) references carriers (id)',
    kind: 'orphans',
    summary: '3 rows of people refer to 3 values of (carrier_id) that carriers does not have',
    examples: ['(128) in 1 row', '(129) in 1 row', '(130) in 1 row'],
  },
  'a foreign key to a primary key that it does not name': {
    sql: 'alter table people add foreign key (carrier_id) references public."carriers"',
    kind: 'orphans',
    summary: '3 rows of people refer to 3 values of (carrier_id) that public."carriers" does not have',
  },
  'a foreign key of two columns': {
    sql: 'alter table people add foreign key (code, region) references carriers (code, region)',
    kind: 'orphans',
    summary: '1 row of people refers to 1 value of (code, region) that carriers does not have',
    examples: ['(B,w) in 1 row'],
  },
  'a foreign key that is validated': {
    sql: 'alter table people validate constraint old_key',
    kind: 'orphans',
    summary: '3 rows of people refer to 3 values of (carrier_id) that carriers does not have',
  },
  'a foreign key to an empty table of another schema': {
    sql: 'alter table loads add foreign key (carrier) references app.depots',
    kind: 'orphans',
    summary: '7 rows of loads refer to 1 value of (carrier) that app.depots does not have',
    examples: ['(3) in 7 rows'],
  },
  'rows that others refer to': {
    sql: 'delete from carriers where id = 3',
    kind: 'still-referenced',
    summary: '12 rows of people have carrier_id = 3',
  },
  'a table that others refer to': {
    sql: 'drop table carriers',
    kind: 'dependents',
    summary: '2 objects depend on table carriers',
  },
  'a column that views are made of': {
    sql: 'alter table people drop column email',
    kind: 'dependents',
    summary: '3 objects depend on column email of table people',
    examples: ['view adults', '  view adult_mails', '    materialized view mail_count'],
  },
  'a type that a column has': {
    sql: 'drop type mood',
    kind: 'dependents',
    summary: '1 object depends on type mood',
    examples: ['column mood of table desks'],
  },
  'a column that is spelled wrongly': {
    sql: 'alter table people drop column emial',
    kind: 'nearest-names',
    summary: 'there is people.email',
  },
  'a table that is spelled wrongly': {
    sql: 'alter table poeple add x int',
    kind: 'nearest-names',
    summary: 'there is public.people',
  },
  'a table of another schema': {
    sql: 'alter table depots add x int',
    kind: 'nearest-names',
    summary: 'there is app.depots, which search_path does not reach',
  },
  'a function that is spelled wrongly': {
    sql: 'select add_upp(1, 2)',
    kind: 'nearest-names',
    summary: 'there is public.add_up(a integer, b integer)',
  },
  'a type that is spelled wrongly': {
    sql: 'alter table people add x moood',
    kind: 'nearest-names',
    summary: 'there is public.mood',
  },
  'a schema that is spelled wrongly': {
    sql: 'create table apps.t (n int)',
    kind: 'nearest-names',
    summary: 'there is app',
  },
  'text that is no number': {
    sql: 'alter table people alter column age type integer using age::integer',
    kind: 'bad-values',
    summary: '3 rows of people have a age that is no integer',
    examples: ['old (very) in 2 rows', 'forty in 1 row'],
  },
  'text that is no date, beside a change that is none': {
    sql: `alter table people alter note type varchar, alter column "Joined On" set data type date using ("Joined On")::date, add x numeric(5, 2)`,
    kind: 'bad-values',
    summary: '1 row of people has a "Joined On" that is no date',
    examples: ['2024-02-30 in 1 row'],
  },
  'text that is too long': {
    sql: 'alter table people alter column note type varchar(38)',
    kind: 'bad-values',
    summary: '2 rows of people have a note that is no varchar(38)',
  },
}

describeEngines('the culprit of a refusal', (open, tests) => {
  let bench: Bench
  beforeAll(async () => {
    bench = await open({ '1_base.up.sql': BASE, '1_base.down.sql': '-- never' })
    const { exit, report } = await bench.json('migrate', 'up')
    expect({ exit, error: report.databases[0]?.error }).toEqual({ exit: 0, error: undefined })
  }, 120_000)
  afterAll(() => bench.remove())

  const fail = async (sql: string, ...flags: readonly string[]): Promise<JsonError | undefined> => {
    bench.folder.write({ '2_fails.up.sql': `${sql};\n`, '2_fails.down.sql': '-- never' })
    const { exit, report } = await bench.json('migrate', 'up', ...flags)
    expect(exit).toBe(3)
    // What ran outside a transaction stopped midway, and would be gone on with.
    if (sql.includes('no-transaction')) await bench.dbkit('migrate', 'repair', '--forget', '2', '--yes')
    return report.databases[0]?.error
  }

  const EVERYWHERE = new Set(['a unique constraint', 'a CHECK', 'a foreign key', 'text that is no number'])
  for (const [name, { sql, kind, summary, examples }] of Object.entries(CASES)) {
    const add = EVERYWHERE.has(name) ? tests.everywhere : tests.once
    add(`is told for ${name}`, async () => {
      const { culprit } = (await fail(sql)) ?? {}
      expect(culprit).toEqual({ kind, summary, examples: examples ?? expect.any(Array) })
    })
  }

  tests.once('is shown below the detail, in at most twelve lines', async () => {
    await fail('alter table people add unique (email)')
    const { stderr } = await bench.dbkit('migrate', 'up')
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(12)
    expect(stderr).toContain(`  culprit 2 values of people (email) stand in 6 rows
            (ann@example.org) in 4 rows
            (Bob@example.org) in 2 rows
`)
  })

  tests.once('hides values with --redact, and still counts them', async () => {
    const error = await fail('alter table people add unique (email)', '--redact')
    expect(error?.culprit).toEqual({
      kind: 'duplicate-keys',
      summary: '2 values of people (email) stand in 6 rows',
      examples: ['‹17 characters› in 4 rows', '‹17 characters› in 2 rows'],
    })
    expect(error?.sql?.detail).toBe('Key (email)=(‹…›) is duplicated.')
    const cast = await fail('alter table people alter age type int using age::int', '--redact')
    expect(cast?.message).toBe('invalid input syntax for type integer: "‹…›"')
    for (const report of [error, cast]) expect(JSON.stringify(report)).not.toMatch(/example\.org|forty|very/)
  })

  tests.once('is not told where nothing is found: the rows came with the migration itself', async () => {
    const error = await fail(
      'create table fresh (n int);\ninsert into fresh values (1), (1);\nalter table fresh add unique (n)',
    )
    expect({ sqlstate: error?.sql?.sqlstate, line: error?.line, culprit: error?.culprit }).toEqual({
      sqlstate: '23505',
      line: 3,
      culprit: undefined,
    })
  })
})

test('every kind of culprit is tried', () => {
  expect([...new Set(Object.values(CASES).map(({ kind }) => kind))].sort()).toEqual([
    'bad-values',
    'dependents',
    'duplicate-keys',
    'nearest-names',
    'null-rows',
    'orphans',
    'still-referenced',
    'violating-rows',
  ])
})

describeFastest('a right that is missing', (open) => {
  // The embedded engine has one user, who may do everything.
  const onServer = serverUrl() === undefined ? test.skip : test
  onServer('is told with its owner and the statement that grants it', async () => {
    const bench = await open({
      // What a block does is seen only when it is run.
      '1_t.up.sql': 'do $$ begin create table app.t (n int); end $$;\n',
      '1_t.down.sql': 'drop table app.t;\n',
    })
    const { server } = bench
    if (server === undefined) throw new Error('this bench has no server')
    const role = `lowly_${String(process.pid)}`
    const url = new URL(server.url)
    url.username = role
    const up = async (): Promise<{ exit: number | null; error: JsonError | undefined }> => {
      const { exit, stdout } = await runCli(['migrate', 'up', '--dir', 'sql', '--url', url.href, '--json'], {
        cwd: bench.folder.path,
      })
      return { exit, error: (JSON.parse(stdout) as JsonReport).databases[0]?.error }
    }
    try {
      await server.query(`create role ${role} login`)
      await server.query('create schema app')
      await server.query(`create schema dbkit authorization ${role}`)
      const { exit, error } = await up()
      expect({ exit, culprit: error?.culprit }).toEqual({
        exit: 3,
        culprit: {
          kind: 'missing-right',
          summary: 'schema app belongs to postgres, who could run:',
          examples: [`grant usage, create on schema app to ${role}`],
        },
      })
      await server.query(error?.culprit?.examples[0] ?? '')
      expect(await up()).toEqual({ exit: 0, error: undefined })
    } finally {
      await server.query(`drop owned by ${role} cascade`)
      await server.query(`drop role ${role}`)
      await bench.remove()
    }
  })
})
