// How each tool is asked for the same thing. A command is { argv, cwd?, env?, exit? }; where a tool has none, it is left out.
import { existsSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const node = process.execPath
const dbkit = here('../bin/dbkit.cjs')
const peer = (path) => here(`node_modules/${path}`)

/** With --dir and --url: no configuration is read. */
export const dbkitOn = (folder, url, ...words) => ({
  argv: [node, dbkit, ...words, '--dir', join(folder, 'sql/bench/migrations'), '--url', url],
  cwd: folder,
})

export const tools = {
  node: { version: { argv: [node, '-e', '0'] } },

  dbkit: {
    layout: 'dbkit',
    version: { argv: [node, dbkit, '--version'] },
    up: (folder, url) => dbkitOn(folder, url, 'migrate', 'up'),
    status: (folder, url) => dbkitOn(folder, url, 'migrate', 'status'),
  },

  psql: {
    layout: 'psql',
    version: { argv: ['psql', '--version'] },
    up: (folder, url) => ({ argv: ['psql', '-X', '-q', '-f', join(folder, 'apply.psql'), url] }),
    again: (_folder, url) => ({ argv: ['psql', '-X', '-q', '-At', '-c', 'select name from ledger', url] }),
    status: (_folder, url) => ({ argv: ['psql', '-X', '-q', '-At', '-c', 'select name from ledger', url] }),
  },

  'pg script': {
    layout: 'plain',
    up: (folder, url) => ({ argv: [node, here('peers/pg.js'), 'up', folder], env: { DATABASE_URL: url } }),
    status: (folder, url) => ({
      argv: [node, here('peers/pg.js'), 'status', folder],
      env: { DATABASE_URL: url },
    }),
  },

  'umzug script': {
    needs: 'umzug',
    layout: 'plain',
    up: (folder, url) => ({ argv: [node, here('peers/umzug.js'), 'up', folder], env: { DATABASE_URL: url } }),
    status: (folder, url) => ({
      argv: [node, here('peers/umzug.js'), 'status', folder],
      env: { DATABASE_URL: url },
    }),
  },

  'dbmate binary': dbmate([peer(`@dbmate/${platform()}-${arch()}/bin/dbmate`)]),

  'dbmate npm': dbmate([node, peer('dbmate/dist/cli.js')]),

  'node-pg-migrate': {
    needs: 'node-pg-migrate',
    layout: 'nodePgMigrate',
    version: { argv: [node, peer('node-pg-migrate/bin/node-pg-migrate.js'), '--version'] },
    up: (folder, url) => ({
      argv: [
        ...[node, peer('node-pg-migrate/bin/node-pg-migrate.js'), 'up', '-m', folder],
        // As all others here: a transaction for each migration.
        '--no-single-transaction',
        '--no-verbose',
      ],
      cwd: folder,
      env: { DATABASE_URL: url },
    }),
  },

  'graphile-migrate': {
    needs: 'graphile-migrate',
    layout: 'graphileMigrate',
    version: { argv: [node, peer('graphile-migrate/dist/cli.js'), '--version'] },
    up: (folder, url) => graphile(folder, url, 'migrate'),
    status: (folder, url) => graphile(folder, url, 'status'),
  },

  knex: {
    needs: 'knex',
    layout: 'knex',
    version: { argv: [node, peer('knex/bin/cli.js'), '--version'] },
    up: (folder, url) => knex(folder, url, 'migrate:latest'),
    status: (folder, url) => knex(folder, url, 'migrate:status'),
  },
}

function dbmate(program) {
  const run = (folder, url, ...words) => ({
    argv: [...program, '-u', `${url}?sslmode=disable`, '-d', folder, '--no-dump-schema', ...words],
    cwd: folder,
  })
  return {
    needs: 'dbmate',
    layout: 'dbmate',
    version: { argv: [...program, '--version'] },
    up: (folder, url) => run(folder, url, 'migrate'),
    status: (folder, url) => run(folder, url, 'status'),
  }
}

function graphile(folder, url, ...words) {
  return {
    argv: [node, peer('graphile-migrate/dist/cli.js'), ...words],
    cwd: folder,
    env: {
      DATABASE_URL: url,
      SHADOW_DATABASE_URL: `${url}_shadow`,
      ROOT_DATABASE_URL: new URL('/postgres', url).href,
    },
  }
}

function knex(folder, url, word) {
  return {
    argv: [node, peer('knex/bin/cli.js'), word, '--knexfile', join(folder, 'knexfile.cjs')],
    cwd: folder,
    env: { DATABASE_URL: url, NODE_PATH: peer('') },
  }
}

/** The tools that can be run: the peers are installed apart, by `npm ci --prefix bench`. */
export function installed() {
  return Object.fromEntries(
    Object.entries(tools).filter(([, { needs }]) => needs === undefined || existsSync(peer(needs))),
  )
}
