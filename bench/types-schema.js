// A public schema in the style of large applications, 120 tables, from a few words: every kind of column that such a schema has, spread so
// that no two tables are alike. The same on each run.
const AREAS = [
  'account',
  'billing',
  'catalog',
  'content',
  'delivery',
  'forum',
  'media',
  'notice',
  'project',
  'release',
  'search',
  'ticket',
]
const THINGS = [
  'entries',
  'members',
  'events',
  'labels',
  'policies',
  'links',
  'states',
  'batches',
  'reviews',
  'tokens',
]

const KINDS = [
  ['title', 'text not null', "'a title'"],
  ['slug', 'varchar(80) not null', "'a-slug'"],
  ['state', "varchar(12) not null default 'open' check (state in ('open', 'closed', 'on hold'))", "'open'"],
  ['grade', 'smallint check (grade in (1, 2, 3))', '2'],
  ['visibility', "visibility not null default 'private'", "'public'"],
  ['seen_by', 'visibility[]', "'{public}'"],
  ['amount', 'numeric(12,2) not null default 0', '12.5'],
  ['shares', 'numeric(5,2)[]', "'{1.5}'"],
  ['counter', 'bigint not null default 0', '9007199254740993'],
  ['position', 'integer', '4'],
  ['ratio', 'double precision', '0.5'],
  ['due_on', 'date', "'2024-02-29'"],
  ['created_at', 'timestamptz not null default now()', 'now()'],
  ['published_at', 'timestamp', "'2024-01-01 10:00'"],
  ['opens_at', 'time', "'08:30'"],
  ['takes', 'interval', "'2 hours'"],
  ['settings', "jsonb not null default '{}'", '\'{"a": 1}\''],
  ['tags', "text[] not null default '{}'", "'{a,b}'"],
  ['token', 'uuid not null default gen_random_uuid()', 'gen_random_uuid()'],
  ['address', 'inet', "'192.0.2.1'"],
  ['digest', 'bytea', "'\\x00ff'"],
  ['span', 'int4range', "'[1,5)'"],
  ['place', 'point', "'(1,2)'"],
  ['score', 'positive', '3'],
  ['pair', 'pair', "'(1,x)'"],
  ['active', 'boolean not null default true', 'true'],
  ['words', 'tsvector', "'a b'"],
]

export function publicSchema() {
  const lines = [
    "create type visibility as enum ('public', 'private', 'it''s \"odd\"')",
    'create domain positive as integer check (value > 0)',
    'create type pair as (a integer, b text)',
  ]
  let turn = 0
  for (const [area, prefix] of AREAS.entries())
    for (const thing of THINGS) {
      const table = `${prefix}_${thing}`
      const columns = ['id bigint generated always as identity primary key']
      const chosen = Array.from(
        { length: 7 + (turn % 4) },
        (_, index) => KINDS[(turn * 5 + index * 4 + area) % KINDS.length],
      )
      const own = [...new Set(chosen)]
      if (turn % 10 > 0) columns.push(`parent_id bigint references ${prefix}_${THINGS[0]} (id)`)
      columns.push(...own.map(([name, type]) => `${name} ${type}`))
      const computed = own.find(([name]) => name === 'amount') !== undefined
      if (computed) columns.push('gross numeric(14,2) generated always as (amount * 1.2) stored')
      lines.push(
        `create table ${table} (${columns.join(', ')})`,
        `comment on table ${table} is 'The ${thing} of ${prefix}.'`,
      )
      const names = own.map(([name]) => name).join(', ')
      const values = own.map(([, , value]) => value).join(', ')
      // One row with everything, and one with as little as possible.
      lines.push(`insert into ${table} (${names}) values (${values})`)
      const needed = own.filter(([, type]) => type.includes('not null') && !type.includes('default'))
      lines.push(
        needed.length === 0
          ? `insert into ${table} default values`
          : `insert into ${table} (${needed.map(([name]) => name).join(', ')}) values (${needed.map(([, , value]) => value).join(', ')})`,
      )
      turn++
    }
  for (const prefix of AREAS)
    lines.push(
      `create view ${prefix}_overview as select e.id, e.parent_of, m.id as member, count(*) over () as all_rows, coalesce(m.parent_id, 0) as parent
       from (select id, null::bigint as parent_of from ${prefix}_${THINGS[0]}) e left join ${prefix}_${THINGS[1]} m on m.parent_id = e.id`,
      `create materialized view ${prefix}_totals as select count(*) as rows, sum(id) as ids, max(parent_id) as latest from ${prefix}_${THINGS[2]}`,
    )
  return lines.join(';\n')
}
