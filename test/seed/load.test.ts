import { afterEach, expect } from '@jest/globals'
import { changes, describeSeeds, failure, type SeedBench } from '../support/seeds.js'

const carriers = `
create table carriers (
  carrier_id uuid primary key default gen_random_uuid(),
  mc_number varchar(10) not null unique,
  name text,
  score numeric(4, 1) default 5.0,
  tags text[] default '{}',
  profile jsonb,
  founded date,
  seen_at timestamptz,
  active boolean default true
);`

/** Counts how often its triggers fire, and for what. */
const counted = `${carriers}
create table firings (what text);
create function count_firing() returns trigger language plpgsql as $$
begin
  insert into firings values (tg_when || ' ' || tg_op);
  return new;
end $$;
create trigger before_change before insert or update on carriers for each row execute function count_firing();
create trigger after_change after insert or update on carriers for each row execute function count_firing();`

let bench: SeedBench
afterEach(async () => {
  await bench.remove()
})

describeSeeds('seeds', (open, { everywhere, once }) => {
  everywhere('load every format, once: a second run changes nothing and fires no trigger', async () => {
    bench = await open(counted, {
      'reference/01_carriers.csv':
        'mc_number,name,score,tags,profile,founded,seen_at\r\n' +
        '100001,"Acme, ""Inc""",4.5,"{a,""b c""}","{""a"": 1}",2001-02-03,2026-01-02 03:04:05+02\r\n' +
        '100002,,,,,,\r\n100003,"",,,,,\r\n',
      'sample/carriers.json': JSON.stringify([
        {
          mc_number: '200001',
          name: 'Line\nbreak\tand \\ "quotes"',
          tags: ['x', 'y"z', null],
          profile: { deep: [1, { a: null }] },
        },
        { mc_number: '200002', name: null, score: null, tags: null },
        { mc_number: '200003' },
      ]),
      'sample/public.carriers.ndjson':
        '{"mc_number": "300001", "score": 12.50, "active": false}\n\n{"mc_number": "300002", "profile": "text"}\n',
    })
    expect(changes(await bench.seed())).toEqual([
      'carriers 3 new, 0 changed, 0 same',
      'carriers 5 new, 0 changed, 0 same',
    ])
    const all = `select mc_number, name, score, tags, profile, founded, seen_at, active from carriers order by 1`
    expect(await bench.rows(all)).toEqual([
      '100001|Acme, "Inc"|4.5|{a,"b c"}|{"a": 1}|2001-02-03|2026-01-02 01:04:05+00|t',
      '100002|∅|∅|∅|∅|∅|∅|t',
      '100003||∅|∅|∅|∅|∅|t',
      '200001|Line\nbreak\tand \\ "quotes"|5.0|{x,"y\\"z",NULL}|{"deep": [1, {"a": null}]}|∅|∅|t',
      '200002|∅|∅|∅|∅|∅|∅|t',
      '200003|∅|5.0|{}|∅|∅|∅|t',
      '300001|∅|12.5|{}|∅|∅|∅|f',
      '300002|∅|5.0|{}|"text"|∅|∅|t',
    ])
    expect(await bench.rows('select what, count(*) from firings group by 1 order by 1')).toEqual([
      'AFTER INSERT|8',
      'BEFORE INSERT|8',
    ])
    expect(changes(await bench.seed())).toEqual([
      'carriers 0 new, 0 changed, 3 same',
      'carriers 0 new, 0 changed, 5 same',
    ])
    expect(await bench.rows('select count(*) from firings')).toEqual(['16'])
  })

  once(
    'a changed file changes its rows and no others; a key that a row leaves out is left as it is',
    async () => {
      bench = await open(counted, {
        'sample/carriers.json': JSON.stringify([
          { mc_number: '1', name: 'one', score: 1 },
          { mc_number: '2', name: 'two', score: 2 },
          { mc_number: '3', name: 'three', score: 3 },
        ]),
      })
      await bench.seed()
      bench.write({
        'sample/carriers.json': JSON.stringify([
          { mc_number: '1', name: 'one' },
          { mc_number: '2', name: null, score: 2 },
          { mc_number: '3', name: 'three', score: 3 },
          { mc_number: '4' },
        ]),
      })
      expect(changes(await bench.seed())).toEqual(['carriers 1 new, 1 changed, 2 same'])
      expect(await bench.rows('select mc_number, name, score from carriers order by 1')).toEqual([
        '1|one|1.0',
        '2|∅|2.0',
        '3|three|3.0',
        '4|∅|5.0',
      ])
      expect(await bench.rows(`select what, count(*) from firings group by 1 order by 1`)).toEqual([
        'AFTER INSERT|4',
        'AFTER UPDATE|1',
        'BEFORE INSERT|4',
        'BEFORE UPDATE|1',
      ])
    },
  )

  once(
    'knows a change that = does not see: the scale of a number, the case of a citext, the text of json',
    async () => {
      bench = await open(
        `create extension citext;
       create table facts (id int primary key, amount numeric, word citext, doc json, t timestamptz);`,
        { 'sample/facts.csv': 'id,amount,word,doc,t\n1,1.0,Word,"{""a"":1}",2026-01-01 00:00+00\n' },
      )
      await bench.seed()
      bench.write({
        'sample/facts.csv': 'id,amount,word,doc,t\n1,1.0,Word,"{""a"":1}",2026-01-01 02:00+02\n',
      })
      expect(changes(await bench.seed())).toEqual(['facts 0 new, 0 changed, 1 same'])
      bench.write({
        'sample/facts.csv': 'id,amount,word,doc,t\n1,1.00,Word,"{""a"":1}",2026-01-01 00:00+00\n',
      })
      expect(changes(await bench.seed())).toEqual(['facts 0 new, 1 changed, 0 same'])
      bench.write({
        'sample/facts.csv': 'id,amount,word,doc,t\n1,1.00,word,"{""a"":1}",2026-01-01 00:00+00\n',
      })
      expect(changes(await bench.seed())).toEqual(['facts 0 new, 1 changed, 0 same'])
      bench.write({
        'sample/facts.csv': 'id,amount,word,doc,t\n1,1.00,word,"{""a"": 1}",2026-01-01 00:00+00\n',
      })
      expect(changes(await bench.seed())).toEqual(['facts 0 new, 1 changed, 0 same'])
    },
  )

  everywhere('relative dates count from the day in UTC, and move on with it', async () => {
    bench = await open(
      `create table days (id int primary key, d date, t timestamp, tz timestamptz, ds date[], word text);`,
      {
        'sample/days.csv':
          'id,d,t,tz,word\n1,today - 1,today + 2 weeks 14:00,today + 2 hours,today - 1\n2,2020-01-01,,today 09:30,\n',
        'sample/02_days.json': JSON.stringify([{ id: 3, d: 'today', ds: ['today', 'today + 1', null] }]),
      },
    )
    // Sessions in other time zones read the same moments.
    await bench.seed({ today: '2026-03-01' })
    const all = 'select id, d, t, tz, ds, word from days order by id'
    expect(await bench.rows(all)).toEqual([
      '1|2026-02-28|2026-03-15 14:00:00|2026-03-01 02:00:00+00|∅|today - 1',
      '2|2020-01-01|∅|2026-03-01 09:30:00+00|∅|∅',
      '3|2026-03-01|∅|∅|{2026-03-01,2026-03-02,NULL}|∅',
    ])
    expect(changes(await bench.seed({ today: '2026-03-01' }))).toEqual(['days 0 new, 0 changed, 3 same'])
    expect(changes(await bench.seed({ today: '2026-03-02' }))).toEqual(['days 0 new, 3 changed, 0 same'])
    expect(changes(await bench.seed())).toEqual(['days 0 new, 3 changed, 0 same'])
    expect(await bench.rows(`select d = (now() at time zone 'UTC')::date from days where id = 3`)).toEqual([
      't',
    ])
  })

  everywhere('tables load in the order of their references, which may be natural keys', async () => {
    bench = await open(
      `create table states (state_id int generated by default as identity primary key, code text not null unique);
       create table cities (
         city_id int generated by default as identity primary key, state_id int not null references states, name text not null,
         unique (state_id, name));
       create table depots (depot_id int generated always as identity primary key, name text unique, city_id int references cities);
       create table visits (visit_id int primary key, depot_id int references depots, city_id int references cities);`,
      {
        'sample/cities.csv': 'state_id.code,name\nTX,Dallas\nCA,Fresno\nTX,Austin\n',
        'sample/depots.csv':
          'name,city_id.name,city_id.state_id.code\nNorth,Dallas,TX\nSouth,Austin,TX\nNowhere,,\n',
        'sample/states.csv': 'code\nCA\nTX\n',
        'sample/visits.ndjson':
          '{"visit_id": 1, "depot_id": {"name": "South"}, "city_id": {"state_id": {"code": "CA"}, "name": "Fresno"}}\n' +
          '{"visit_id": 2, "depot_id": null, "city_id": 3}\n{"visit_id": 3, "depot_id": {"name": "North"}}\n',
      },
    )
    const order = await bench.seed()
    expect(changes(order)).toEqual([
      'states 2 new, 0 changed, 0 same',
      'cities 3 new, 0 changed, 0 same',
      'depots 3 new, 0 changed, 0 same',
      'visits 3 new, 0 changed, 0 same',
    ])
    expect(
      await bench.rows(
        `select visit_id, d.name, dc.name, c.name from visits v left join depots d using (depot_id)
           left join cities dc on dc.city_id = d.city_id left join cities c on c.city_id = v.city_id order by 1`,
      ),
    ).toEqual(['1|South|Austin|Fresno', '2|∅|∅|Austin', '3|North|Dallas|∅'])
    expect(await bench.rows('select name, city_id is null from depots order by 1')).toEqual([
      'North|f',
      'Nowhere|t',
      'South|f',
    ])
    expect(changes(await bench.seed())).toEqual([
      'states 0 new, 0 changed, 2 same',
      'cities 0 new, 0 changed, 3 same',
      'depots 0 new, 0 changed, 3 same',
      'visits 0 new, 0 changed, 3 same',
    ])
  })

  everywhere('a cycle without a deferrable constraint is loaded in two steps', async () => {
    bench = await open(
      `create table teams (id serial primary key, name text not null unique, lead_id int);
       create table people (
         id serial primary key, name text not null unique, team_id int not null references teams, boss_id int references people);
       alter table teams add constraint teams_lead_id_fkey foreign key (lead_id) references people;`,
      {
        'sample/people.csv': 'name,team_id.name,boss_id.name\nAda,Red,Bob\nBob,Red,\nCy,Blue,Ada\n',
        'sample/teams.csv': 'name,lead_id.name\nRed,Bob\nBlue,Cy\nGreen,\n',
      },
    )
    expect(changes(await bench.seed())).toEqual([
      'teams 3 new, 0 changed, 0 same',
      'people 3 new, 0 changed, 0 same',
    ])
    const leads = 'select t.name, p.name from teams t left join people p on p.id = t.lead_id order by 1'
    expect(await bench.rows(leads)).toEqual(['Blue|Cy', 'Green|∅', 'Red|Bob'])
    expect(
      await bench.rows(
        'select p.name, b.name from people p left join people b on b.id = p.boss_id order by 1',
      ),
    ).toEqual(['Ada|Bob', 'Bob|∅', 'Cy|Ada'])
    expect(changes(await bench.seed())).toEqual([
      'teams 0 new, 0 changed, 3 same',
      'people 0 new, 0 changed, 3 same',
    ])
    bench.write({ 'sample/teams.csv': 'name,lead_id.name\nRed,Ada\nBlue,Cy\nGreen,Di\n' })
    bench.write({
      'sample/people.csv': 'name,team_id.name,boss_id.name\nAda,Red,\nBob,Red,Ada\nCy,Blue,Ada\nDi,Green,\n',
    })
    // Counted once, although it changes in the second step only.
    expect(changes(await bench.seed())).toEqual([
      'teams 0 new, 2 changed, 1 same',
      'people 1 new, 2 changed, 1 same',
    ])
    expect(await bench.rows(leads)).toEqual(['Blue|Cy', 'Green|Di', 'Red|Ada'])
  })

  once(
    'a cycle of deferrable constraints is checked at its end, and a row that breaks it is named',
    async () => {
      bench = await open(
        `create table a (id int primary key, b_id int not null);
       create table b (id int primary key, a_id int not null references a deferrable);
       alter table a add constraint a_b_id_fkey foreign key (b_id) references b deferrable initially deferred;`,
        { 'sample/a.csv': 'id,b_id\n1,1\n2,2\n', 'sample/b.csv': 'id,a_id\n1,2\n2,1\n' },
      )
      expect(changes(await bench.seed())).toEqual([
        'a 2 new, 0 changed, 0 same',
        'b 2 new, 0 changed, 0 same',
      ])
      bench.write({ 'sample/a.csv': 'id,b_id\n1,1\n2,2\n3,9\n' })
      const failed = await bench.seed()
      expect(failure(failed)).toContain(
        'seed.refused sample/a.csv:4:3 insert or update on table "a" violates',
      )
      expect(failed.error?.sql?.constraint).toBe('a_b_id_fkey')
    },
  )

  once('a table may refer to itself by ids, in any order', async () => {
    bench = await open('create table nodes (id int primary key, parent_id int not null references nodes);', {
      'sample/nodes.csv': 'id,parent_id\n1,2\n2,3\n3,3\n',
    })
    expect(changes(await bench.seed())).toEqual(['nodes 3 new, 0 changed, 0 same'])
    expect(changes(await bench.seed())).toEqual(['nodes 0 new, 0 changed, 3 same'])
  })

  once('sequences are left above the data, never set back, and not moved by a second run', async () => {
    bench = await open(
      `create table s (id serial primary key, name text unique);
       create table i (id bigint generated by default as identity (increment by -1) primary key, name text);
       create table o (id int primary key, n int default 0);`,
      {
        'sample/s.csv': 'id,name\n7,seven\n',
        'sample/i.csv': 'id,name\n-5,minus five\n',
        'sample/more.sql': `insert into s (id, name) values (40, 'forty') on conflict do nothing;`,
      },
    )
    await bench.seed()
    await bench.seed()
    expect(await bench.rows(`select nextval('s_id_seq'), nextval('i_id_seq')`)).toEqual(['41|-6'])
    await bench.seed()
    expect(await bench.rows(`select nextval('s_id_seq'), nextval('i_id_seq')`)).toEqual(['42|-7'])
  })

  once(
    'new rows get their serial numbers in the order of the file, and rows that are there take none',
    async () => {
      bench = await open('create table s (id serial primary key, name text not null unique);', {
        'sample/s.csv': 'name\nc\na\nb\n',
      })
      await bench.seed()
      await bench.seed()
      bench.write({ 'sample/s.csv': 'name\nc\na\nb\nd\n' })
      await bench.seed()
      expect(await bench.rows('select id, name from s order by id')).toEqual(['1|c', '2|a', '3|b', '4|d'])
    },
  )

  everywhere('a dry run says what would change and changes nothing', async () => {
    bench = await open(carriers, {
      'sample/carriers.csv': 'mc_number,name\n1,one\n2,two\n',
      'sample/extra.sql': `insert into carriers (mc_number) values ('3') on conflict do nothing;`,
    })
    const dry = await bench.seed({ dryRun: true })
    expect(dry.dryRun).toBe(true)
    expect(changes(dry)).toEqual(['carriers 2 new, 0 changed, 0 same'])
    expect(dry.seedScripts?.map(({ tables }) => tables)).toEqual([
      [{ table: 'carriers', inserted: 1, updated: 0, deleted: 0 }],
    ])
    expect(await bench.rows('select count(*) from carriers')).toEqual(['0'])
    await bench.seed()
    bench.write({ 'sample/carriers.csv': 'mc_number,name\n1,uno\n2,two\n' })
    expect(changes(await bench.seed({ dryRun: true }))).toEqual(['carriers 0 new, 1 changed, 1 same'])
    expect(await bench.rows('select mc_number, name from carriers order by 1')).toEqual([
      '1|one',
      '2|two',
      '3|∅',
    ])
  })

  once(
    'a .sql file runs after the data, in the same transaction, and its SET does not outlast it',
    async () => {
      bench = await open(`${carriers} create table log (n int); create table zone (name text);`, {
        'sample/00_first.sql': `set timezone to 'Asia/Tokyo'; set role none; insert into log select count(*) from carriers;`,
        'sample/carriers.csv': 'mc_number\n1\n2\n',
        'sample/zz.sql': `truncate zone; insert into zone values (current_setting('timezone'));`,
      })
      const report = await bench.seed()
      expect(report.error).toBeUndefined()
      expect(report.seedScripts?.map(({ file, tables }) => [file, tables])).toEqual([
        ['seeds/freight/sample/00_first.sql', [{ table: 'log', inserted: 1, updated: 0, deleted: 0 }]],
        ['seeds/freight/sample/zz.sql', [{ table: 'zone', inserted: 1, updated: 0, deleted: 0 }]],
      ])
      expect(await bench.rows('select n, name from log, zone')).toEqual(['2|UTC'])
      bench.write({ 'sample/zz.sql': `insert into zone values ('x');\nselect 1 / 0;\n` })
      expect(failure(await bench.seed())).toBe('database.refused sample/zz.sql:2:1 division by zero')
      expect(await bench.rows('select count(*) from zone')).toEqual(['1'])
    },
  )

  once('sets: reference and sample unless asked otherwise, reference first; others by name', async () => {
    bench = await open(carriers, {
      'sample/carriers.csv': 'mc_number,name\n1,sample\n',
      'reference/carriers.csv': 'mc_number,name\n2,reference\n',
      'demo/carriers.csv': 'mc_number,name\n3,demo\n',
      'demo/notes.md': 'not a seed',
      '.hidden/carriers.csv': 'x',
    })
    const usual = await bench.seed()
    expect(usual.seedSets).toEqual(['reference', 'sample'])
    expect(await bench.rows('select mc_number, name from carriers order by 1')).toEqual([
      '1|sample',
      '2|reference',
    ])
    const demo = await bench.seed({ sets: ['demo'] })
    expect(demo.seedSets).toEqual(['demo'])
    expect(demo.notes).toEqual([
      'seeds/freight/demo/notes.md is passed over: seed files end in .csv, .json, .ndjson or .sql',
    ])
    const mixed = await bench.seed({ sets: ['demo', 'sample', 'reference'] })
    expect(mixed.seedSets).toEqual(['reference', 'sample', 'demo'])
    await expect(bench.seed({ sets: ['demos'] })).rejects.toMatchObject({
      code: 'seed.unknown-set',
      hint: 'Did you mean demo?',
    })
  })

  once(
    'two files may each say something of the same row, but not different things of one column',
    async () => {
      bench = await open(carriers, {
        'reference/carriers.csv': 'mc_number,name\n1,x\n2,y\n',
        'sample/carriers.json':
          '[\n{"mc_number": "2", "score": 1, "name": "y"},\n{"mc_number": "1", "score": 2}]',
      })
      expect(changes(await bench.seed())).toEqual([
        'carriers 2 new, 0 changed, 0 same',
        'carriers 0 new, 2 changed, 0 same',
      ])
      expect(changes(await bench.seed())).toEqual([
        'carriers 0 new, 0 changed, 2 same',
        'carriers 0 new, 0 changed, 2 same',
      ])
      bench.write({ 'sample/carriers.json': '[\n{"mc_number": "2", "score": 1, "name": "z"}]' })
      expect(failure(await bench.seed())).toBe(
        'seed.contradiction sample/carriers.json:2:40 seeds/freight/reference/carriers.csv:3 says another name of the same row (mc_number = 2): each run would change it twice.',
      )
    },
  )

  once('keys that are checked late, domains that are never null, and nulls that are equal', async () => {
    bench = await open(
      `create domain code as text not null check (value ~ '^[a-z]+$');
       create table late (id int unique deferrable initially deferred, n int);
       create table coded (id int primary key, c code default 'dflt');
       do $$ begin
         -- PostgreSQL 14 cannot say it.
         if current_setting('server_version_num')::int < 150000 then create table pairs (a int, b int, n int primary key);
         else execute 'create table pairs (a int, b int, n int, constraint pairs_key unique nulls not distinct (a, b))'; end if;
       end $$;`,
      {
        'sample/late.csv': 'id,n\n1,1\n2,2\n',
        'sample/coded.json': '[{"id": 1}, {"id": 2, "c": "abc"}]',
        'sample/pairs.csv': 'a,b,n\n1,,1\n,,2\n',
        // A constraint that is deferred by itself still is when the script runs.
        'sample/z.sql': 'insert into late values (1, 9); delete from late where n = 9;',
      },
    )
    expect(changes(await bench.seed())).toEqual([
      'coded 2 new, 0 changed, 0 same',
      'late 2 new, 0 changed, 0 same',
      'pairs 2 new, 0 changed, 0 same',
    ])
    expect(await bench.rows('select id, c from coded order by 1')).toEqual(['1|dflt', '2|abc'])
    expect(changes(await bench.seed())).toEqual([
      'coded 0 new, 0 changed, 2 same',
      'late 0 new, 0 changed, 2 same',
      'pairs 0 new, 0 changed, 2 same',
    ])
    bench.write({ 'sample/coded.json': '[{"id": 1}, {"id": 2, "c": "ABC"}]' })
    expect(failure(await bench.seed())).toContain(
      'seed.refused sample/coded.json:1:13 value for domain code violates',
    )
  })

  once('no seeds at all is a note, and empty files are fine', async () => {
    bench = await open(carriers)
    const none = await bench.seed()
    expect([none.ok, none.notes]).toEqual([
      true,
      ['nothing to load: seeds/freight has no seed set reference or sample'],
    ])
    bench.write({
      'sample/01_carriers.csv': '',
      'sample/02_carriers.csv': 'mc_number,name\n',
      'sample/03_carriers.json': '',
      'sample/04_carriers.json': '[]',
      'sample/05_carriers.ndjson': '\n\n',
      'sample/06_carriers.csv': '\ufeffmc_number\n1\n',
      'sample/empty.sql': '-- nothing\n',
    })
    expect(changes(await bench.seed())).toEqual(['carriers 1 new, 0 changed, 0 same'])
  })

  once('names of tables and columns are names, whatever they look like', async () => {
    bench = await open(
      `create schema "Odd one";
       create table "Odd one"."01_select.from" ("Key ""k""" int primary key, "a.b" text, "user" text);`,
      { 'sample/Odd one.01_select.from.csv': '"Key ""k""",a.b,user\n1,x,y\n' },
    )
    expect(changes(await bench.seed())).toEqual(['Odd one.01_select.from 1 new, 0 changed, 0 same'])
    expect(await bench.rows('select * from "Odd one"."01_select.from"')).toEqual(['1|x|y'])
  })

  once('the next best key is taken when the best has no value in some row', async () => {
    bench = await open('create table t (id int primary key, ref text unique, n int);', {
      'sample/t.csv': 'id,ref,n\n1,a,1\n2,,2\n',
    })
    expect(changes(await bench.seed())).toEqual(['t 2 new, 0 changed, 0 same'])
    expect(changes(await bench.seed())).toEqual(['t 0 new, 0 changed, 2 same'])
  })

  once('partitioned tables, arrays of enums, domains, ranges and bytea', async () => {
    bench = await open(
      `create type mode as enum ('ftl', 'ltl');
       create domain positive as int check (value > 0);
       create table runs (id int, day date not null, modes mode[], n positive, r int4range, b bytea, i interval, primary key (id, day))
         partition by range (day);
       create table runs_2026 partition of runs for values from ('2026-01-01') to ('2027-01-01');`,
      {
        'sample/runs.json': JSON.stringify([
          {
            id: 1,
            day: '2026-05-01',
            modes: ['ftl', 'ltl'],
            n: 3,
            r: '[1,5)',
            b: '\\x00ff',
            i: '1 day 2 hours',
          },
        ]),
      },
    )
    expect(changes(await bench.seed())).toEqual(['runs 1 new, 0 changed, 0 same'])
    expect(await bench.rows('select * from runs_2026')).toEqual([
      '1|2026-05-01|{ftl,ltl}|3|[1,5)|\\x00ff|1 day 02:00:00',
    ])
    expect(changes(await bench.seed())).toEqual(['runs 0 new, 0 changed, 1 same'])
  })
})
