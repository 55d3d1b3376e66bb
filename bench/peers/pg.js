// The least that a Node program with pg can do: read and hash every file, ask the ledger once, one message a migration.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

const [command, folder] = process.argv.slice(2)
const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
await client.connect()
if (command === 'up')
  await client.query(
    'create table if not exists ledger (name text primary key, checksum text not null, sql text not null)',
  )
const { rows } = await client.query('select name, checksum from ledger')
const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]))
const lines = []
for (const name of readdirSync(folder).sort()) {
  const sql = readFileSync(join(folder, name), 'utf8')
  const checksum = createHash('sha256').update(sql).digest('hex')
  lines.push(`${applied.get(name) === checksum ? 'applied' : 'pending'}  ${name}`)
  if (command === 'up' && !applied.has(name))
    await client.query(
      `begin;${sql};insert into ledger values (${[name, checksum, sql].map((text) => client.escapeLiteral(text)).join(',')});commit`,
    )
}
if (command === 'status') console.log(lines.join('\n'))
await client.end()
