import { describe, expect, test } from '@jest/globals'
import { codesOf, freight, lintIn, migrationsOf, more, setup } from './harness.js'

type Case = readonly [sql: string, ...codes: readonly string[]]

/** Each finds what the ones before it have left. */
const harmless: readonly Case[] = [
  ['alter table wide alter column b type text'],
  ['alter table wide alter column b type varchar(20)', 'type-change-rewrite'],
  ['alter table wide alter column c type timestamptz'],
  ['alter table wide alter column d type numeric(10,2)'],
  [
    'alter table loads add column z1 integer not null default 0; alter table loads add column z2 timestamptz default now(); alter table loads add column z3 text',
  ],
  ['alter table loads add column z4 integer; create index on loads (z4)', 'index-not-concurrent'],
  ['alter table loads add column carrier2 bigint references carriers', 'foreign-key-without-index'],
  ["alter table carriers add column t text default 'x' not null"],
  [
    'create table n1 (id int primary key, load_id bigint references loads, unique(load_id)); insert into n1 values (1,1); update n1 set load_id=2; create index on n1(load_id); alter table n1 alter column load_id set not null; alter table n1 add column q uuid default gen_random_uuid(); drop table n1',
  ],
  [
    'create table n2 (id int); alter table n2 rename to n3; alter table n3 rename column id to idd; truncate n3',
  ],
  ['update loads set weight = 7 where id = 1'],
  ['insert into loads (id) values (77)'],
  ['delete from quotes where id = 2'],
  ['update loads set weight = 1', 'unbatched-write'],
  ['alter table loads alter column weight set default 3'],
  ['alter table loads alter column status drop not null'],
  ['alter table loads drop constraint loads_pkey cascade'],
  ['create or replace view open_loads as select id, reference, weight from loads'],
  ['drop view open_loads; create view open_loads as select id from loads'],
  ['create trigger t before insert on loads for each row execute function touch()'],
  ["alter type load_status add value 'lost'"],
  ["create table events_2027 partition of events for values from ('2027-01-01') to ('2028-01-01')"],
  ['alter table proved alter column x set not null'],
  ["comment on table loads is 'x'"],
  ['grant select on loads to public'],
  ['analyze loads'],
  ['alter table wide drop constraint wide_f_check'],
  [
    'create or replace function touch() returns trigger language plpgsql as $$ begin new.a := 1; return new; end $$',
  ],
  ['alter function touch() rename to touched2'],
  ['alter sequence numbers restart with 100'],
  ["select setval('numbers', 5)"],
  ['alter table events detach partition events_2025'],
  ['create schema s2; create table s2.x(id int)'],
  ['create materialized view m2 as select * from loads'],
  ['alter table wide disable trigger touched'],
  ['create policy p on loads using (true)'],
  ['create extension if not exists pg_trgm'],
  ['alter table child rename constraint child_parent_id_fkey to of_parent'],
  ['alter index quotes_load_idx rename to q2'],
  ['do $$ begin perform 1; end $$'],
]

const harmful: readonly Case[] = [
  ['alter table loads alter column status drop default', 'drop-default'],
  ['alter table loads add column u1 text unique', 'constraint-builds-index'],
  ['alter table loads add column s1 bigserial', 'volatile-default-rewrite'],
  ['alter table loads add column i1 bigint generated always as identity', 'volatile-default-rewrite'],
  ['alter table loads add column c1 timestamptz default clock_timestamp()', 'volatile-default-rewrite'],
  ['create unique index on carriers (name)', 'index-not-concurrent'],
  ['create index on events (id)', 'index-not-concurrent'],
  ['alter table loads alter column weight type numeric', 'type-change-rewrite'],
  ['alter table wide alter column b type varchar(5)', 'type-change-rewrite'],
  ['alter table wide alter column d type numeric(8,3)', 'type-change-rewrite'],
  ['alter table wide alter column e type text collate "POSIX"', 'index-rebuild'],
  ['alter table quotes add constraint qf foreign key (load_id) references loads', 'foreign-key-scan'],
  ['alter table loads add check (weight > 0)', 'check-scan'],
  [
    'alter table loads add check (weight > -1) not valid; alter table loads validate constraint loads_weight_check1',
    'scan-under-exclusive-lock',
  ],
  ['alter table child alter column parent_id set not null', 'not-null-scan'],
  ['cluster loads using loads_reference_idx', 'table-rewrite'],
  ['-- dbkit: no-transaction\nvacuum full quotes', 'table-rewrite'],
  ['reindex table carriers', 'index-rebuild', 'index-rebuild'],
  ['refresh materialized view load_counts', 'refresh-not-concurrent'],
  ['alter table wide add exclude using btree (a with =)', 'constraint-builds-index'],
  ['drop schema aside cascade', 'drop-table', 'drop-cascade'],
  ['drop type load_status cascade', 'drop-column', 'drop-cascade'],
  ['alter table loads set schema elsewhere', 'rename-table', 'used-by-function'],
  ['drop table parent cascade', 'drop-table', 'drop-cascade'],
  ['alter table proved add column z int; update proved set z = 1', 'scan-under-exclusive-lock'],
  ['alter domain short add constraint cc check (length(value) < 100)', 'check-scan'],
  ['drop function touch() cascade', 'drop-function', 'drop-cascade'],
  ['truncate carriers cascade', 'truncate-table'],
  ['do $$ begin alter table wide drop column b; end $$', 'drop-column'],
  [
    'alter table child drop constraint child_pkey; alter table child add primary key (id, parent_id)',
    'constraint-builds-index',
  ],
  ['lock table carriers in share mode', 'lock-table'],
  ['delete from carriers where email is null', 'unbatched-write'],
  ['with gone as (delete from quotes returning *) select count(*) from gone', 'unbatched-write'],
  ['with new as (insert into quotes values (901, 1) returning *) select count(*) from new'],
  ['alter table wide alter column a set default 1; alter table wide alter column a drop default'],
  ['revoke all on all tables in schema public from public', 'revoke'],
  [
    'revoke create on schema elsewhere from public; create table mine (id int); revoke all on mine from public',
  ],
  ['alter table wide enable row level security', 'row-security-without-policy'],
  ['alter table elsewhere.loads rename to freight', 'rename-table', 'used-by-function'],
]

async function lintAll(cases: readonly Case[]): Promise<readonly Case[]> {
  const files = Object.fromEntries(
    cases.map(([sql], index) => [
      `${String(index + 2).padStart(4, '0')}_case.up.sql`,
      `-- dbkit: irreversible the next one stands on it\n${sql};\n`,
    ]),
  )
  const base = `${setup}${more}create schema aside; create table aside.a (id int); create view aside.v as select * from aside.a;`
  const report = await lintIn(freight({ '0001_base.up.sql': base, ...files }), { since: '1' })
  return migrationsOf(report).map((migration, index) => [cases[index]?.[0] ?? '', ...codesOf(migration)])
}

describe('a history', () => {
  test('of changes that stop nobody, but for four', async () => {
    const findings = harmless.flatMap(([, ...codes]) => codes)
    expect(findings).toEqual([
      'type-change-rewrite',
      'index-not-concurrent',
      'foreign-key-without-index',
      'unbatched-write',
    ])
    expect(await lintAll(harmless)).toEqual(harmless)
  }, 300_000)

  test('of changes that stop somebody, but for three that look like it', async () => {
    expect(await lintAll(harmful)).toEqual(harmful)
  }, 300_000)
})
