// Rows a second of `dbkit import mongo`, beside psql's COPY of the very same rows into the same tables in the same run: reading,
// checking and merging documents costs something, and the ratio says how much, whatever the machine.
//
//   node bench/import-mongo.js --documents 1000000 [--rounds 3] [--url postgresql://postgres@localhost:5432/postgres]
//
// The server is the one of --url or DBKIT_TEST_SERVER_URL; the two databases that are made on it are dropped at the end.
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { clearInterval, setInterval } from 'node:timers'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '1' },
    url: { type: 'string', default: process.env.DBKIT_TEST_SERVER_URL },
  },
})
const documents = Number(values.documents)
const rounds = Number(values.rounds)
if (
  !values.url ||
  !Number.isInteger(documents) ||
  documents < 100 ||
  !Number.isInteger(rounds) ||
  rounds < 1
) {
  console.error(
    'usage: node bench/import-mongo.js --documents N [--rounds N] --url postgresql://... (a server to make databases on)',
  )
  process.exit(2)
}

/** In an order in which psql can load them one by one. */
const TABLES = [
  'agents',
  'customers',
  'deliveries',
  'delivery_tracking_events',
  'call_logs',
  'system_metrics',
]

const folder = mkdtempSync(join(tmpdir(), 'dbkit-bench-'))
const databases = ['dbkit', 'psql'].map((name) => ({ name: `bench_import_${name}_${process.pid}` }))
for (const database of databases) {
  const url = new URL(values.url)
  url.pathname = `/${database.name}`
  database.url = url.href
}
const [ours, theirs] = databases

try {
  await prepare()
  const results = []
  for (let round = 0; round < rounds; round++) results.push(await measure())
  report(results)
} finally {
  for (const { name } of databases) psql(values.url, `drop database if exists "${name}" with (force)`)
  rmSync(folder, { recursive: true, force: true })
}

async function prepare() {
  for (const { name, url } of databases) {
    psql(values.url, `create database "${name}"`)
    run(process.execPath, [
      join(root, 'bin/dbkit.cjs'),
      'migrate',
      'up',
      '-d',
      'delauto',
      '--url',
      url,
      '--quiet',
    ])
  }
  await writeDocuments()
}

/** One round: the import, the same rows out of it, and psql's COPY of these. */
async function measure() {
  for (const { url } of databases) psql(url, `truncate ${TABLES.join(', ')} cascade`)
  const imported = await timed(process.execPath, [
    ...[join(root, 'bin/dbkit.cjs'), 'import', 'mongo', '-d', 'delauto', '--url', ours.url, '--json'],
    folder,
  ])
  const { bad } = JSON.parse(imported.stdout).databases[0].import
  if (imported.code !== 0 || bad !== 0)
    throw new Error(`the import failed: ${imported.stdout.slice(0, 2000)}`)
  const again = await timed(process.execPath, [
    ...[join(root, 'bin/dbkit.cjs'), 'import', 'mongo', '-d', 'delauto', '--url', ours.url, '--json'],
    folder,
  ])
  const columns = Object.fromEntries(TABLES.map((table) => [table, columnsOf(table)]))
  for (const table of TABLES)
    psql(ours.url, `\\copy ${table} (${columns[table]}) to '${join(folder, table)}.copy'`)
  const commands = TABLES.map(
    (table) => `\\copy ${table} (${columns[table]}) from '${join(folder, table)}.copy'`,
  )
  // In one transaction, as the import: the calls and deliveries that refer to one another are checked at its end.
  const copied = await timed('psql', [
    ...['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-d', theirs.url],
    ...commands.flatMap((command) => ['-c', command]),
  ])
  if (copied.code !== 0) throw new Error(`psql failed: ${copied.stderr}`)
  const count = TABLES.map((table) => `(select count(*) from ${table})`).join(' + ')
  const [rows, copiedRows] = databases.map(({ url }) => Number(psql(url, `select ${count}`)))
  if (rows !== copiedRows) throw new Error(`the import has ${rows} rows, the copy ${copiedRows}`)
  return { rows, imported, again, copied }
}

function report(results) {
  const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
  const line = (name, pick) => {
    const seconds = median(results.map((result) => pick(result).seconds))
    const memory = Math.max(...results.map((result) => pick(result).memory))
    const rate = Math.round(results[0].rows / seconds).toLocaleString('en-US')
    console.log(
      `${name.padEnd(28)} ${seconds.toFixed(1).padStart(7)} s ${rate.padStart(10)} rows/s  ${String(Math.round(memory / 1024)).padStart(5)} MB`,
    )
    return seconds
  }
  const size = statSync(join(folder, 'deliveries.json')).size + statSync(join(folder, 'calllogs.json')).size
  console.log(
    `${results[0].rows.toLocaleString('en-US')} rows of ${documents.toLocaleString('en-US')} documents (deliveries and calls: ${Math.round(size / 1e6)} MB), median of ${rounds}`,
  )
  const imported = line('dbkit import mongo', ({ imported }) => imported)
  line('dbkit import mongo, again', ({ again }) => again)
  const copied = line('psql \\copy of these rows', ({ copied }) => copied)
  console.log(`ratio to psql: ${(imported / copied).toFixed(2)} (1 would be as fast)`)
}

/** Deliveries with two events each, half as many calls and metrics, a tenth as many customers, as mongoexport writes them. */
async function writeDocuments() {
  const part = (share) => Math.max(1, Math.floor(documents * share))
  const counts = { agents: 100, customers: part(0.05), deliveries: part(0.5), calllogs: part(0.25) }
  const metrics = documents - counts.agents - counts.customers - counts.deliveries - counts.calllogs
  const oid = (kind, number) => ({ $oid: `65a1b2c3d4${kind}0000${number.toString(16).padStart(8, '0')}` })
  const date = (number) => ({ $date: new Date(1_735_689_600_000 + number * 61_007).toISOString() })
  const times = (number) => ({ createdAt: date(number), updatedAt: date(number + 7), __v: 0 })
  await write('agents', counts.agents, (n) => ({
    _id: oid('a0', n),
    name: `Agent ${n}`,
    phone: `+1212${String(n).padStart(7, '0')}`,
    email: `agent${n}@example.com`,
    password: '$2a$10$abcdefghijklmnopqrstuv',
    role: n % 20 === 0 ? 'admin' : 'agent',
    current_location: { type: 'Point', coordinates: [-74 + n / 1000, 40.7] },
    performance_metrics: {
      total_deliveries: n,
      successful_deliveries: n,
      average_rating: 4.7,
      response_time: 12,
    },
    ...times(n),
  }))
  await write('customers', counts.customers, (n) => ({
    _id: oid('b0', n),
    name: `Customer ${n}`,
    phone: `+1646${String(n).padStart(7, '0')}`,
    address: `${n} Main St, Springfield`,
    preferences: {
      preferred_times: ['09:00-12:00'],
      preferred_days: ['monday', 'friday'],
      contact_method: 'sms',
    },
    total_deliveries: 12,
    ...times(n),
  }))
  await write('deliveries', counts.deliveries, (n) => ({
    _id: oid('c0', n),
    customer_id: oid('b0', n % counts.customers),
    agent_id: oid('a0', n % counts.agents),
    address: `${n} Main St, City, State 12345`,
    coordinates: { type: 'Point', coordinates: [-74 + (n % 1000) / 1000, 40 + (n % 777) / 1000] },
    scheduled_time: date(n + 100),
    status: ['scheduled', 'assigned', 'in_transit', 'completed', 'failed'][n % 5],
    priority: ['low', 'normal', 'high', 'urgent'][n % 4],
    package_details: {
      weight: (n % 300) / 10,
      dimensions: { length: 30, width: 20, height: 10 },
      value: 150,
      fragile: n % 3 === 0,
    },
    ...(n < counts.calllogs ? { call_log_id: oid('d0', n) } : {}),
    tracking_events: [
      { status: 'assigned', timestamp: date(n), notes: 'Assigned by the system' },
      {
        status: 'in_transit',
        timestamp: date(n + 30),
        location: { type: 'Point', coordinates: [-74, 40.7] },
      },
    ],
    ...times(n),
  }))
  await write('calllogs', counts.calllogs, (n) => ({
    _id: oid('d0', n),
    delivery_id: oid('c0', n),
    call_sid: `CA${String(n).padStart(32, '0')}`,
    status: 'completed',
    from_number: '+12125550199',
    to_number: `+1646${String(n % counts.customers).padStart(7, '0')}`,
    start_time: date(n),
    duration: 45.5,
    ai_analysis: { sentiment: 'positive', keywords: ['door', 'bell'], confidence_score: 0.93 },
    ...times(n),
  }))
  await write('systemmetrics', metrics, (n) => ({
    _id: oid('e0', n),
    timestamp: date(n),
    metric_type: 'api_response_time',
    value: n / 7,
    unit: 'ms',
    tags: { route: '/deliveries', host: `api-${n % 8}` },
  }))
}

async function write(collection, count, document) {
  const stream = createWriteStream(join(folder, `${collection}.json`), { highWaterMark: 1024 * 1024 })
  let lines = ''
  for (let number = 0; number < count; number++) {
    lines += JSON.stringify(document(number)) + '\n'
    if (lines.length < 1_000_000) continue
    if (!stream.write(lines)) await once(stream, 'drain')
    lines = ''
  }
  stream.end(lines)
  await once(stream, 'close')
}

function columnsOf(table) {
  return psql(
    ours.url,
    `select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
      where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
  )
}

function psql(url, command) {
  return run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', command]).trim()
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: root })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} failed: ${stderr || stdout}`)
  return stdout
}

/** Wall time of a process, and the most memory it had. */
async function timed(command, args) {
  const started = performance.now()
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr, memory] = ['', '', 0]
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const watch = setInterval(() => (memory = Math.max(memory, peakOf(child.pid))), 100)
  const [code] = await once(child, 'close')
  clearInterval(watch)
  return { code, stdout, stderr, memory, seconds: (performance.now() - started) / 1000 }
}

/** Kilobytes, from Linux; elsewhere 0. */
function peakOf(pid) {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    // It has ended, or this is no Linux.
    return 0
  }
}
