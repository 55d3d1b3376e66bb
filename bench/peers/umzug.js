// What one writes to run SQL files with Umzug and pg: a transaction a migration, the row inside it.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { Umzug } from 'umzug'

const [command, folder] = process.argv.slice(2)
const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
await client.connect()
await client.query('create table if not exists ledger (name text primary key, at timestamptz default now())')
const umzug = new Umzug({
  migrations: {
    glob: ['*.sql', { cwd: folder }],
    resolve: ({ name, path }) => ({
      name,
      async up() {
        await client.query('begin')
        await client.query(readFileSync(path, 'utf8'))
        await client.query('insert into ledger (name) values ($1)', [name])
        await client.query('commit')
      },
    }),
  },
  storage: {
    executed: async () =>
      (await client.query('select name from ledger order by name')).rows.map(({ name }) => name),
    logMigration: async () => {},
    unlogMigration: async () => {},
  },
  logger: undefined,
})
if (command === 'status') {
  for (const { name } of await umzug.executed()) console.log(`applied  ${name}`)
  for (const { name } of await umzug.pending()) console.log(`pending  ${name}`)
} else await umzug.up()
await client.end()
