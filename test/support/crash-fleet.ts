import { OUTSIDE, TRANSACTIONAL } from './crash-workspaces.js'

/** A folder of a database called freight, and the commands that bring it to its end, in this order. */
export interface CrashWorkspace {
  readonly name: string
  /** Below sql/freight/ for what ends in .sql, and as they are for seeds/. */
  readonly files: Readonly<Record<string, string>>
  readonly commands: readonly (readonly string[])[]
}

const UP = ['migrate', 'up'] as const
const OUT = '-- dbkit: no-transaction\n'
const IRREVERSIBLE = '-- dbkit: irreversible it is a test of the way up\n'

/** Numbered migrations without a way back: what is tested is the way up. */
function numbered(...ups: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ups.map((sql, index) => [
      `migrations/${String(index + 1).padStart(4, '0')}_step.up.sql`,
      `${IRREVERSIBLE}${sql}\n`,
    ]),
  )
}

const loads = (rows: number): string =>
  `create table loads (id int primary key, origin text not null, miles int not null, filled int);
   insert into loads select g, 'city ' || g % 37, g % 500, null from generate_series(1, ${String(rows)}) g;
   create table ran (what text not null);`

const ran = (what: string): string => `insert into ran values ('${what}');`

/**
 * Twenty ways in which a history is made, each so that a statement that ran twice, or not, or by half, shows in the rows or the schema.
 * What commits by itself is written so that it can be run again, as such things have to be.
 */
export const FLEET: readonly CrashWorkspace[] = [
  { name: 'transactions', files: inMigrations(TRANSACTIONAL), commands: [UP] },
  { name: 'files outside a transaction', files: inMigrations(OUTSIDE), commands: [UP] },
  {
    name: 'one index CONCURRENTLY',
    files: numbered(loads(3000), `${OUT}create index concurrently loads_miles on loads (miles);`),
    commands: [UP],
  },
  {
    name: 'an index CONCURRENTLY without a name, twice',
    files: numbered(
      loads(2000),
      `${OUT}create index concurrently on loads (origin);\ncreate index concurrently on loads (origin, miles);`,
    ),
    commands: [UP],
  },
  {
    name: 'a unique index CONCURRENTLY, and the key made of it',
    files: numbered(
      loads(2000),
      `${OUT}create unique index concurrently loads_key on loads (origin, id);`,
      'alter table loads add constraint loads_key unique using index loads_key;',
    ),
    commands: [UP],
  },
  {
    name: 'an index dropped and another one built CONCURRENTLY',
    files: numbered(
      `${loads(2000)} create index loads_old on loads (origin);`,
      `${OUT}create index concurrently loads_new on loads (miles, origin);\ndrop index concurrently loads_old;`,
    ),
    commands: [UP],
  },
  {
    name: 'a reindex CONCURRENTLY',
    files: numbered(
      `${loads(2000)} create index loads_miles on loads (miles);`,
      `${OUT}${ran('before')}\nreindex index concurrently loads_miles;\n${ran('after')}`,
    ),
    commands: [UP],
  },
  {
    name: 'counting statements outside a transaction',
    files: numbered(
      loads(50),
      `${OUT}update loads set miles = miles + 1;\nupdate loads set miles = miles * 2;\n${ran('both')}`,
    ),
    commands: [UP],
  },
  {
    name: 'a label of an enum, and its first use',
    files: numbered(
      `create type lane as enum ('short'); create table lanes (id int primary key, kind lane);`,
      `${OUT}alter type lane add value 'long';`,
      `insert into lanes select g, 'long' from generate_series(1, 5) g;`,
    ),
    commands: [UP],
  },
  {
    name: 'a materialized view, refreshed CONCURRENTLY',
    files: numbered(
      `${loads(500)} create materialized view by_origin as select origin, count(*) as loads from loads group by origin;
       create unique index by_origin_key on by_origin (origin);`,
      `insert into loads values (9001, 'elsewhere', 1);`,
      `${OUT}refresh materialized view concurrently by_origin;`,
    ),
    commands: [UP],
  },
  {
    name: 'a procedure that commits in batches',
    files: numbered(
      `${loads(2000)}
       create procedure fill() language plpgsql as $$
       begin
         for part in 0..3 loop
           update loads set filled = miles * 2 where id % 4 = part and filled is null;
           commit;
         end loop;
       end $$;`,
      `${OUT}call fill();`,
      `update loads set filled = filled + 1;`,
    ),
    commands: [UP],
  },
  {
    name: 'vacuum and analyze between rows that count',
    files: numbered(
      loads(300),
      `${OUT}${ran('one')}\nvacuum loads;\n${ran('two')}\nanalyze loads;\n${ran('three')}`,
    ),
    commands: [UP],
  },
  {
    name: 'forty-eight plain migrations',
    files: numbered(
      ...Array.from(
        { length: 48 },
        (_, index) =>
          `create table t${String(index)} (id int primary key, what text default 'x${String(index)}');`,
      ),
    ),
    commands: [UP],
  },
  {
    name: 'forty-four plain migrations among others',
    files: numbered(
      loads(100),
      ...Array.from({ length: 22 }, (_, index) => `create table a${String(index)} (id int primary key);`),
      `update loads set miles = miles + 1; ${ran('middle')}`,
      ...Array.from(
        { length: 22 },
        (_, index) => `create view v${String(index)} as select ${String(index)} as n;`,
      ),
      `${OUT}create index concurrently loads_origin on loads (origin);`,
    ),
    commands: [UP],
  },
  {
    name: 'one transaction for all',
    files: numbered(loads(100), 'update loads set miles = miles + 1;', ran('end')),
    commands: [[...UP, '--single-transaction']],
  },
  {
    name: 'repeatable files after migrations',
    files: {
      ...numbered(loads(50), 'alter table loads add column rating int not null default 3;'),
      'repeatable/far.sql': 'create or replace view far as select id, miles from loads where miles > 20;\n',
      'repeatable/rate.sql':
        "create or replace function rate(n int) returns int language sql as 'select n * 2';\n",
    },
    commands: [UP],
  },
  {
    name: 'repeatable files, CONCURRENTLY and rows that count',
    files: {
      ...numbered(
        loads(500),
        `${OUT}create index concurrently loads_miles on loads (miles);\n${ran('index')}`,
        ran('end'),
      ),
      'repeatable/counted.sql':
        'create or replace view counted as select what, count(*) as times from ran group by what;\n',
    },
    commands: [UP],
  },
  {
    name: 'seeds at the end',
    files: {
      ...numbered(
        'create table carriers (id int primary key, name text not null, visits int not null default 0);',
      ),
      'seeds/freight/reference/carriers.csv': csv(40),
    },
    commands: [UP, ['seed']],
  },
  {
    name: 'seeds between two runs of migrations',
    files: {
      ...numbered(
        'create table carriers (id int primary key, name text not null);',
        'alter table carriers add column score int not null default 1; update carriers set score = score + id;',
        `${OUT}create index concurrently carriers_score on carriers (score);`,
      ),
      'seeds/freight/reference/carriers.csv': csv(40),
    },
    commands: [[...UP, '--to', '1'], ['seed'], UP],
  },
  {
    name: 'foreign keys and checks, not valid and then validated',
    files: numbered(
      `create table carriers (id int primary key); insert into carriers select generate_series(1, 50);
       create table trips (id int primary key, carrier_id int); insert into trips select g, 1 + g % 50 from generate_series(1, 2000) g;`,
      `${OUT}create index concurrently trips_carrier on trips (carrier_id);
       alter table trips add constraint trips_carrier_fkey foreign key (carrier_id) references carriers not valid;
       alter table trips add constraint trips_positive check (id > 0) not valid;
       alter table trips validate constraint trips_carrier_fkey;
       alter table trips validate constraint trips_positive;`,
    ),
    commands: [UP],
  },
]

function inMigrations(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([name, sql]) => [`migrations/${name}`, sql]))
}

function csv(rows: number): string {
  return `id,name\n${Array.from({ length: rows }, (_, index) => `${String(index + 1)},carrier ${String(index + 1)}\n`).join('')}`
}
