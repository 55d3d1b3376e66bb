// What each generator of types says that is not so, counted alike: every value that PostgreSQL gives `pg` is held against the type of its
// column, and every form of value that the type of an insert allows is written (test/support/truth.ts does it for dbkit's own test).
//
//   node bench/types.js <url of a server's database> <folder> [happyrobot | ... | public_schema]
//
// The folder is where the other tools are installed, by this script; dbkit depends on none of them. Databases named
// dbkit_types_* are made on the server and dropped.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import pg from 'pg'
import { publicSchema } from './types-schema.js'

const PEERS = {
  'kysely-codegen': '0.20.0',
  kanel: '4.0.4',
  'kanel-kysely': '0.8.0',
  '@supabase/postgres-meta': '0.99.0',
  kysely: '0.28.18',
  pg: '8.23.1',
  '@types/pg': '8.23.1',
  '@types/node': '20.19.43',
  typescript: '5.9.3',
}
const SYSTEMS = ['happyrobot', 'escalation', 'smartscheduler', 'delauto']

const root = fileURLToPath(new URL('..', import.meta.url))
const [server, tools, ...chosen] = process.argv.slice(2)
if (server === undefined || tools === undefined) {
  console.error('Usage: node bench/types.js postgresql://user@host/database folder')
  process.exit(2)
}

function installPeers() {
  mkdirSync(tools, { recursive: true })
  if (existsSync(join(tools, 'node_modules/@supabase/postgres-meta'))) return
  writeFileSync(join(tools, 'package.json'), JSON.stringify({ private: true, dependencies: PEERS }))
  execFileSync('npm', ['i', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tools, stdio: 'inherit' })
}

/** The judge of the tests, which is TypeScript. */
async function loadJudge() {
  const folder = mkdtempSync(join(root, '.dbkit/types-judge-'))
  const bundled = {}
  for (const name of ['emitted-types', 'truth']) {
    const outfile = join(folder, `${name}.mjs`)
    // Beside test/support, because it looks for the checkout from there.
    await build({
      entryPoints: [join(root, 'test/support', `${name}.ts`)],
      outfile,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
    })
    Object.assign(bundled, await import(pathToFileURL(outfile).href))
  }
  rmSync(folder, { recursive: true })
  return bundled
}

function run(argv, options = {}) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: tools,
    encoding: 'utf8',
    maxBuffer: 1e9,
    ...options,
  })
  if (status !== 0) throw new Error(`${argv.slice(0, 2).join(' ')} failed:\n${stdout}${stderr}`)
  return { stdout, seconds: (performance.now() - started) / 1000 }
}

/** Of a folder of modules: its files by their path with dashes, so that all stand in one folder. */
function flat(folder) {
  const files = {}
  for (const entry of readdirSync(folder, { recursive: true })) {
    const path = join(folder, entry)
    if (statSync(path).isFile() && path.endsWith('.ts'))
      files[relative(folder, path)] = readFileSync(path, 'utf8')
  }
  return files
}

/** Kysely's three sides of each table. */
const kyselySides = (name, module) => `import type { Insertable, Selectable, Updateable } from 'kysely'
import type { ${name} as DB } from '${module}'
export type Read = { [K in keyof DB]: Selectable<DB[K]> }
export type Insert = { [K in keyof DB]: Insertable<DB[K]> }
export type Update = { [K in keyof DB]: Updateable<DB[K]> }
`

const GENERATORS = {
  dbkit(url, folder, name) {
    const config = SYSTEMS.includes(name)
      ? {
          migrations: join(root, 'sql', name, 'migrations'),
          jsonTypes: join(root, 'sql', name, 'json-types.json'),
        }
      : {}
    const { migrations, jsonTypes } = config
    mkdirSync(join(folder, 'sql'), { recursive: true })
    writeFileSync(join(folder, 'sql/1_a.up.sql'), 'select 1')
    writeFileSync(join(folder, 'sql/1_a.down.sql'), 'select 1')
    const database = {
      migrations: migrations ?? 'sql',
      codegen: { out: 'types.ts', ...(jsonTypes === undefined ? {} : { jsonTypes }) },
    }
    writeFileSync(join(folder, 'dbkit.config.json'), JSON.stringify({ databases: { [name]: database } }))
    const { seconds } = run([join(root, 'bin/dbkit.cjs'), 'codegen', '-q', '--url', url], { cwd: folder })
    return {
      seconds,
      files: { 'emitted.ts': readFileSync(join(folder, 'types.ts'), 'utf8') },
      probe: kyselySides('DB', './emitted.js'),
    }
  },
  'kysely-codegen'(url, folder) {
    const out = join(folder, 'kc.ts')
    const { seconds } = run([
      'node_modules/kysely-codegen/dist/cli/bin.js',
      '--url',
      url,
      '--dialect',
      'postgres',
      '--out-file',
      out,
    ])
    return {
      seconds,
      files: { 'emitted.ts': readFileSync(out, 'utf8') },
      probe: kyselySides('DB', './emitted.js'),
    }
  },
  'kanel + kanel-kysely'(url, folder) {
    const out = join(folder, 'kanel')
    const config = join(tools, 'bench.kanelrc.js')
    mkdirSync(out, { recursive: true })
    writeFileSync(
      config,
      `const { makeKyselyHook } = require('kanel-kysely')
module.exports = { connection: ${JSON.stringify(url)}, outputPath: ${JSON.stringify(out)}, schemas: ['public'], preDeleteOutputFolder: true, preRenderHooks: [makeKyselyHook()] }`,
    )
    const { seconds } = run(['node_modules/kanel/bin/kanel', '-c', 'bench.kanelrc.js'])
    return { seconds, files: flat(out), probe: kyselySides('default', './Database.js'), loose: true }
  },
  'Supabase (postgres-meta)'(url) {
    const { stdout, seconds } = run(['node_modules/@supabase/postgres-meta/dist/server/server.js'], {
      env: {
        ...process.env,
        PG_META_GENERATE_TYPES: 'typescript',
        PG_META_GENERATE_TYPES_INCLUDED_SCHEMAS: 'public',
        PG_META_DB_URL: url,
      },
    })
    const probe = `import type { Database } from './emitted.js'
type Public = Database['public']
type All = Public['Tables'] & Public['Views']
type Side<K extends keyof All, S extends string> = All[K] extends { [P in S]: infer T } ? T : {}
export type Read = { [K in keyof All]: All[K]['Row'] }
export type Insert = { [K in keyof All]: Side<K, 'Insert'> }
export type Update = { [K in keyof All]: Side<K, 'Update'> }
`
    return { seconds, files: { 'emitted.ts': stdout }, probe }
  },
}

async function onServer(url, work) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function urlOf(name) {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function makeDatabase(name) {
  const database = `dbkit_types_${name}`
  await onServer(server, (client) => client.query(`drop database if exists ${database} with (force)`))
  await onServer(server, (client) => client.query(`create database ${database}`))
  const url = urlOf(database)
  if (SYSTEMS.includes(name)) {
    for (const verb of [['migrate', 'up'], ['seed']])
      run([join(root, 'bin/dbkit.cjs'), ...verb, '-q', '-y', '-d', name, '--url', url], { cwd: root })
    // The ledger is dbkit's, and nobody's types.
    await onServer(url, (client) => client.query('drop schema dbkit cascade'))
  } else await onServer(url, (client) => client.query(publicSchema()))
  return { database, url }
}

/** Columns of tables and views of the application, extensions left out. */
const COLUMNS = `select c.relname::text as relation, a.attname::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`

installPeers()
mkdirSync(join(root, '.dbkit'), { recursive: true })
const { typesOf, truthOf } = await loadJudge()
const rows = []
for (const name of chosen.length > 0 ? chosen : [...SYSTEMS, 'public_schema']) {
  const { database, url } = await makeDatabase(name)
  try {
    for (const [tool, generate] of Object.entries(GENERATORS)) {
      const folder = mkdtempSync(join(tmpdir(), 'dbkit-types-'))
      try {
        const { files, probe, seconds } = generate(url, folder, name)
        rows.push({ name, tool, seconds, ...(await judge(url, files, probe)) })
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
      console.log(JSON.stringify(rows.at(-1)))
    }
  } finally {
    await onServer(server, (client) => client.query(`drop database ${database} with (force)`))
  }
}

async function judge(url, files, probe) {
  const types = typesOf(files, { probe, lenient: true })
  return onServer(url, async (client) => {
    const { rows: columns } = await client.query(COLUMNS)
    const missing = columns.filter(({ relation, name }) => !types.relations.get(relation)?.read.has(name))
    const relations = new Map(
      [...types.relations].filter(([relation]) => columns.some((one) => one.relation === relation)),
    )
    const { lies } = await truthOf(client, { ...types, relations }, {})
    const named = (pattern) =>
      new Set(lies.filter((lie) => pattern.test(lie)).map((lie) => /^[\w.]+/.exec(lie)[0])).size
    return {
      columns: columns.length,
      read: named(/ is read as | has no type$/),
      written: named(/ is refused: | may be written$| cannot be inserted$/),
      missing: missing.length,
      broken: types.errors.length,
    }
  })
}

const head = ['tool', ...new Set(rows.map(({ name }) => name))]
console.log(`\n| ${head.join(' | ')} |\n| ${head.map(() => '---').join(' | ')} |`)
for (const tool of Object.keys(GENERATORS)) {
  const cells = rows
    .filter((row) => row.tool === tool)
    .map(
      ({ read, written, missing, broken, columns }) =>
        `${read} + ${written} + ${missing} of ${columns}${broken > 0 ? `, ${broken} errors` : ''}`,
    )
  console.log(`| ${[tool, ...cells].join(' | ')} |`)
}
