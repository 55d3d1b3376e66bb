// The same migrations in the layout of each tool: a table and an index each, and what takes them back.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const title = (number) => `create_t_${String(number).padStart(5, '0')}`

const up = (number) => {
  const table = `t_${String(number).padStart(5, '0')}`
  return `create table ${table} (
  id bigint primary key,
  name text not null,
  created_at timestamptz not null default now()
);
create index ${table}_name on ${table} (name);
`
}

const down = (number) => `drop table t_${String(number).padStart(5, '0')};\n`

const serial = (number, width) => String(number).padStart(width, '0')

/** A layout writes `size` migrations into a folder. */
export const layouts = {
  dbkit(folder, size) {
    const migrations = join(folder, 'sql', 'bench', 'migrations')
    mkdirSync(migrations, { recursive: true })
    for (let number = 1; number <= size; number++) {
      const name = join(migrations, `${serial(number, 5)}_${title(number)}`)
      writeFileSync(`${name}.up.sql`, up(number))
      writeFileSync(`${name}.down.sql`, down(number))
    }
  },

  /** One script: each file in a transaction with its row, as one writes it by hand. */
  psql(folder, size) {
    const lines = [
      '\\set ON_ERROR_STOP 1',
      'create table ledger (name text primary key, at timestamptz default now());',
    ]
    for (let number = 1; number <= size; number++) {
      const file = join(folder, `${serial(number, 5)}.sql`)
      writeFileSync(file, up(number))
      lines.push('begin;', `\\i ${file}`, `insert into ledger (name) values ('${title(number)}');`, 'commit;')
    }
    writeFileSync(join(folder, 'apply.psql'), lines.join('\n') + '\n')
  },

  plain(folder, size) {
    for (let number = 1; number <= size; number++)
      writeFileSync(join(folder, `${serial(number, 5)}_${title(number)}.sql`), up(number))
  },

  dbmate(folder, size) {
    for (let number = 1; number <= size; number++)
      writeFileSync(
        join(folder, `${String(20_200_101_000_000 + number)}_${title(number)}.sql`),
        `-- migrate:up\n${up(number)}\n-- migrate:down\n${down(number)}`,
      )
  },

  nodePgMigrate(folder, size) {
    for (let number = 1; number <= size; number++)
      writeFileSync(
        join(folder, `${String(1_577_836_800_000 + number)}_${title(number)}.sql`),
        `-- Up Migration\n${up(number)}\n-- Down Migration\n${down(number)}`,
      )
  },

  /** Committed migrations name the hash of the one before them. */
  graphileMigrate(folder, size) {
    const committed = join(folder, 'migrations', 'committed')
    mkdirSync(committed, { recursive: true })
    writeFileSync(join(folder, 'migrations', 'current.sql'), '')
    writeFileSync(join(folder, '.gmrc'), '{ "pgSettings": {} }\n')
    let previous
    for (let number = 1; number <= size; number++) {
      const body = up(number).trim() + '\n'
      const hashed = `${previous ?? ''}\n${body.trim()}`.trim() + '\n'
      const hash = `sha1:${createHash('sha1').update(hashed).digest('hex')}`
      writeFileSync(
        join(committed, `${serial(number, 6)}.sql`),
        `--! Previous: ${previous ?? '-'}\n--! Hash: ${hash}\n\n${body}`,
      )
      previous = hash
    }
  },

  knex(folder, size) {
    const migrations = join(folder, 'migrations')
    mkdirSync(migrations, { recursive: true })
    writeFileSync(
      join(folder, 'knexfile.cjs'),
      `module.exports = { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './migrations' } }\n`,
    )
    for (let number = 1; number <= size; number++)
      writeFileSync(
        join(migrations, `${String(20_200_101_000_000 + number)}_${title(number)}.cjs`),
        `exports.up = (knex) => knex.raw(\`${up(number)}\`)\nexports.down = (knex) => knex.raw(\`${down(number)}\`)\n`,
      )
  },
}
