/** Branches of a history as people make them: they share a beginning, and then one adds, one edits, one deletes, one puts in between. */
export interface Branch {
  readonly migrations: readonly Made[]
  /** Which text of each repeatable file the branch has. */
  readonly repeatable: readonly number[]
}

interface Made {
  /** Gaps of 100 leave room in between. */
  readonly version: number
  /** Who made it: no two are the same. */
  readonly id: number
  readonly kind: Kind
  /** The table it is about: the id of the migration that makes it. */
  readonly table: number
  /** The text of the up, and of the down, that it has by now. */
  readonly up: number
  readonly down: number
}

const KINDS = ['table', 'column', 'index', 'concurrently', 'view', 'function', 'rows', 'type'] as const
type Kind = (typeof KINDS)[number]

export type Random = () => number

/** The same numbers for the same seed. https://en.wikipedia.org/wiki/Linear_congruential_generator, by Knuth's MMIX */
export function randomFrom(seed: number): Random {
  let state = BigInt(seed)
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n)
    return Number(state >> 11n) / 2 ** 53
  }
}

const below = (random: Random, end: number): number => Math.floor(random() * end)

/** Branches, each made from one before it by a few changes. */
export function makeBranches(random: Random, count: number, length: number): readonly Branch[] {
  let id = 0
  const make = (version: number, tables: readonly number[]): Made => {
    id += 1
    const kind = tables.length === 0 ? 'table' : (KINDS[below(random, KINDS.length)] ?? 'table')
    const table = kind === 'table' ? id : (tables[below(random, tables.length)] ?? id)
    return { version, id, kind, table, up: 0, down: 0 }
  }
  const tablesOf = (migrations: readonly Made[]): readonly number[] =>
    migrations.filter(({ kind }) => kind === 'table').map((one) => one.id)
  const append = (migrations: readonly Made[], more: number): readonly Made[] => {
    const all = [...migrations]
    for (let n = 0; n < more; n++) all.push(make((all.at(-1)?.version ?? 0) + 100, tablesOf(all)))
    return all
  }
  const branches: Branch[] = [{ migrations: append([], length), repeatable: [0, 0] }]
  while (branches.length < count) {
    const from = branches[below(random, branches.length)] as Branch
    let migrations = [...from.migrations]
    const at = below(random, migrations.length)
    const change = (text: Partial<Made>): void => {
      migrations = migrations.map((one, index) => (index === at ? { ...one, ...text } : one))
    }
    for (const what of ['cut', 'edit', 'edit down', 'delete', 'between', 'append'])
      if (random() < 0.45)
        if (what === 'cut') migrations = migrations.slice(0, 1 + below(random, migrations.length))
        else if (what === 'edit') change({ up: ++id })
        else if (what === 'edit down') change({ down: ++id })
        else if (what === 'delete') migrations = migrations.filter((_, index) => index !== at)
        else if (what === 'append') migrations = [...append(migrations, 1 + below(random, 4))]
        else if (at > 0 && at < migrations.length) {
          const version = (migrations[at - 1]?.version ?? 0) + 1 + below(random, 40)
          if (version < (migrations[at]?.version ?? 0))
            migrations.splice(at, 0, make(version, tablesOf(migrations.slice(0, at))))
        }
    const left = whole(migrations)
    // That is refused, and no branch that anybody works on.
    if (left.length === 0) continue
    branches.push({
      migrations: left,
      repeatable: from.repeatable.map((text) => (random() < 0.2 ? ++id : text)),
    })
  }
  return branches
}

/** Without what needs a table that the branch lacks, or has only later. */
function whole(migrations: readonly Made[]): readonly Made[] {
  const tables = new Set<number>()
  return migrations.filter(({ kind, table }) => {
    if (kind === 'table') tables.add(table)
    return tables.has(table)
  })
}

/** The files of a branch by their names, below the folder of the configuration. */
export function filesOf({ migrations, repeatable }: Branch): Readonly<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const migration of migrations) {
    const { version, id, kind } = migration
    const name = `sql/shop/migrations/${String(version).padStart(6, '0')}_${kind}_${String(id)}`
    const { up, down } = sqlOf(migration)
    const outside = kind === 'concurrently' ? '-- dbkit: no-transaction\n' : ''
    files[`${name}.up.sql`] = `${outside}${up}\n`
    files[`${name}.down.sql`] = `${outside}${down}\n-- text ${String(migration.down)}\n`
  }
  for (const [index, text] of repeatable.entries())
    files[`sql/shop/repeatable/r${String(index)}.sql`] =
      index === 0
        ? `create or replace function r0() returns integer language sql as 'select ${String(text)}';\n`
        : `drop view if exists r1;\ncreate view r1 as select ${String(text)} as n, '${String(text)}'::text as t;\n`
  return files
}

function sqlOf({ id, kind, table, up }: Made): { readonly up: string; readonly down: string } {
  const t = `t${String(table)}`
  const n = String(id)
  const text = String(up)
  switch (kind) {
    case 'table':
      return {
        up: `create table ${t} (id integer primary key, v${text} text default '${text}');`,
        down: `drop table ${t};`,
      }
    case 'column':
      return {
        up: `alter table ${t} add column c${n} integer default ${text};`,
        down: `alter table ${t} drop column c${n};`,
      }
    case 'index':
      return {
        up: `create index i${n} on ${t} ((id + ${text}));`,
        down: `drop index i${n};`,
      }
    case 'concurrently':
      return {
        up: `create index concurrently j${n} on ${t} ((id * ${text}));\ncomment on index j${n} is '${text}';`,
        down: `comment on index j${n} is null;\ndrop index concurrently j${n};`,
      }
    case 'view':
      return {
        up: `create view w${n} as select id, ${text} as n from ${t};`,
        down: `drop view w${n};`,
      }
    case 'function':
      return {
        up: `create function f${n}() returns integer language plpgsql as 'begin return ${text}; end';`,
        down: `drop function f${n}();`,
      }
    case 'rows':
      return {
        up: `insert into ${t} (id) values (${n});\n-- text ${text}`,
        down: `delete from ${t} where id = ${n};`,
      }
    case 'type':
      return {
        up: `create type e${n} as enum ('a', 'b${text}');`,
        down: `drop type e${n};`,
      }
  }
}
