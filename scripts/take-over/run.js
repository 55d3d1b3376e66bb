// Each tool migrates a database of its own, dbkit takes its ledger over, and then both have to agree that nothing is left to do.
// npm ci --prefix scripts/take-over, then node scripts/take-over/run.js; dbkit has to be built.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { startServer } from '../../bench/server.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const fixtures = fileURLToPath(new URL('../../fixtures/layouts/', import.meta.url))
const dbkit = fileURLToPath(new URL('../../bin/dbkit.cjs', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'dbkit-tools-'))
const run = promisify(execFile)

/** A program that is run by what is installed here. */
async function tool(cwd, command, args, env = {}) {
  const path = [join(here, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  const { stdout, stderr } = await run(command, args, { cwd, env: { ...process.env, PATH: path, ...env } })
  return stdout + stderr
}

/** The tables that the programs make. */
const ACCOUNTS =
  'create table accounts (id bigint generated always as identity primary key, email text not null unique)'
const EMAILS = 'create view emails as select email from accounts'

async function withPool(url, body) {
  const pool = new pg.Pool({ connectionString: url })
  try {
    return await body(pool)
  } finally {
    await pool.end()
  }
}

/** Each returns how many migrations it has applied; a second run has to find nothing to do. */
const tools = {
  dbmate: {
    args: ['--dir', 'migrations'],
    async migrate(cwd, url) {
      const said = await tool(cwd, 'dbmate', ['-d', 'migrations', '--no-dump-schema', 'up'], {
        DATABASE_URL: `${url}?sslmode=disable`,
      })
      return said.match(/^Applied: /gm)?.length ?? 0
    },
  },
  'node-pg-migrate': {
    args: ['--dir', 'migrations'],
    async migrate(cwd, url) {
      const said = await tool(cwd, 'node-pg-migrate', ['up', '-m', 'migrations'], { DATABASE_URL: url })
      return said.match(/^### MIGRATION /gm)?.length ?? 0
    },
  },
  'graphile-migrate': {
    args: ['--dir', 'migrations'],
    async migrate(cwd, url, root) {
      const said = await tool(cwd, 'graphile-migrate', ['migrate'], {
        DATABASE_URL: url,
        SHADOW_DATABASE_URL: `${url}_shadow`,
        ROOT_DATABASE_URL: root,
      })
      return said.match(/Running migration/g)?.length ?? 0
    },
  },
  sqitch: {
    args: ['--dir', '.'],
    // A package of Debian, not of npm.
    needs: 'sqitch',
    async migrate(cwd, url) {
      const env = { SQITCH_FULLNAME: 'A Person', SQITCH_EMAIL: 'person@example.com' }
      const said = await tool(
        cwd,
        'sqitch',
        ['deploy', '--verify', url.replace(/^postgres(?:ql)?:/, 'db:pg:')],
        env,
      )
      return said.match(/^ {2}\+ /gm)?.length ?? 0
    },
  },
  drizzle: {
    args: ['--dir', 'drizzle'],
    // Drizzle runs all of them in one transaction, which CONCURRENTLY does not bear.
    prepare(cwd) {
      writeFileSync(
        join(cwd, 'drizzle/0003_index.sql'),
        'create index orders_customer on orders (customer);\n',
      )
    },
    async migrate(cwd, url) {
      const { drizzle } = await import('drizzle-orm/node-postgres')
      const { migrate } = await import('drizzle-orm/node-postgres/migrator')
      return withPool(url, async (pool) => {
        const count = async () => {
          const there = await pool.query(
            "select to_regclass('drizzle.__drizzle_migrations') is not null as there",
          )
          if (!there.rows[0].there) return 0
          const { rows } = await pool.query('select count(*)::int as n from drizzle.__drizzle_migrations')
          return rows[0].n
        }
        const before = await count()
        await migrate(drizzle(pool), { migrationsFolder: join(cwd, 'drizzle') })
        return (await count()) - before
      })
    },
  },
  knex: {
    args: ['--from', 'knex', '--dir', 'migrations'],
    async migrate(cwd, url) {
      const { default: knex } = await import('knex')
      const names = ['001_accounts', '002_emails']
      const migrationSource = {
        getMigrations: async () => names,
        getMigrationName: (name) => name,
        getMigration: async (name) => ({
          up: (db) => db.raw(name === names[0] ? ACCOUNTS : EMAILS),
          down: async () => undefined,
        }),
      }
      const db = knex({ client: 'pg', connection: url, migrations: { migrationSource } })
      try {
        return (await db.migrate.latest())[1].length
      } finally {
        await db.destroy()
      }
    },
  },
  umzug: {
    args: ['--from', 'umzug', '--dir', 'migrations'],
    async migrate(cwd, url) {
      const { Umzug } = await import('umzug')
      return withPool(url, async (pool) => {
        await pool.query('create table if not exists "SequelizeMeta" (name varchar(255) primary key)')
        const umzug = new Umzug({
          migrations: [
            { name: '001.js', up: () => pool.query(ACCOUNTS) },
            { name: '002.js', up: () => pool.query(EMAILS) },
          ],
          storage: {
            executed: async () =>
              (await pool.query('select name from "SequelizeMeta" order by 1')).rows.map(({ name }) => name),
            logMigration: ({ name }) => pool.query('insert into "SequelizeMeta" values ($1)', [name]),
            unlogMigration: ({ name }) => pool.query('delete from "SequelizeMeta" where name = $1', [name]),
          },
          logger: undefined,
        })
        return (await umzug.up()).length
      })
    },
  },
  kysely: {
    args: ['--from', 'kysely', '--dir', 'migrations'],
    async migrate(cwd, url) {
      const { Kysely, Migrator, PostgresDialect, sql } = await import('kysely')
      const db = new Kysely({
        dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
      })
      const provider = {
        getMigrations: async () => ({
          '001_accounts': { up: (on) => sql.raw(ACCOUNTS).execute(on) },
          '002_emails': { up: (on) => sql.raw(EMAILS).execute(on) },
        }),
      }
      try {
        const { error, results = [] } = await new Migrator({ db, provider }).migrateToLatest()
        if (error !== undefined) throw error
        return results.length
      } finally {
        await db.destroy()
      }
    },
  },
}

async function take(name, { args, prepare, migrate }, server) {
  const cwd = join(root, name)
  const isProgram = args[0] === '--from'
  if (isProgram) mkdirSync(cwd)
  else cpSync(join(fixtures, name), cwd, { recursive: true })
  prepare?.(cwd)
  const database = `take_over_${name.replaceAll('-', '_')}`
  await server.create(database)
  await server.create(`${database}_shadow`)
  const url = server.url(database)
  const shop = (...more) =>
    run(process.execPath, [dbkit, ...more, '-d', 'shop', '--url', url], {
      cwd,
      env: { PATH: process.env.PATH },
    })
  const applied = await migrate(cwd, url, server.url('postgres'))
  if (applied === 0) throw new Error('the tool applied nothing')
  const shadow = ['--shadow-url', server.url('postgres')]
  const taken = JSON.parse((await shop('import', 'migrations', ...args, ...shadow, '--json')).stdout)
    .databases[0]
  if (taken.takeOver.proof !== 'equal') throw new Error(`the proof says ${taken.takeOver.proof}`)
  const known = taken.takeOver.migrations.filter(({ state }) => state === 'applied').length
  if (known !== applied) throw new Error(`the tool applied ${applied}, and dbkit took ${known} over`)
  await shop('migrate', 'status', '--dir', 'sql/shop/migrations', '--exit-code')
  await shop('schema', 'drift', '--dir', 'sql/shop/migrations', ...shadow)
  const again = await migrate(cwd, url, server.url('postgres'))
  if (again !== 0) throw new Error(`the tool applied ${again} more afterwards`)
  return applied
}

async function isInstalled(command) {
  try {
    await run(command, ['--version'])
    return true
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

const server = await startServer()
let failed = 0
try {
  symlinkSync(join(here, 'node_modules'), join(root, 'node_modules'))
  // Without names, all of them.
  const chosen = process.argv.slice(2)
  for (const [name, one] of Object.entries(tools)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    if (one.needs !== undefined && !(await isInstalled(one.needs))) {
      console.log(`left out ${name}: ${one.needs} is not installed`)
      continue
    }
    try {
      console.log(`ok      ${name}: ${await take(name, one, server)} migrations, and both agree`)
    } catch (error) {
      failed++
      console.log(`FAILED  ${name}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
    }
  }
} finally {
  await server.stop()
  rmSync(root, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1
