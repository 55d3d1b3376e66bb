// How fast dbkit is, beside other tools, on a PostgreSQL of its own.
//
//   npm ci --prefix bench     the tools it is compared with, once; without them dbkit, Node and psql are measured
//   npm run bench -- [--quick] [--check | --save] [--rounds=N] [goal...]
//
// --quick   fewer rounds, and none of the other tools
// --check   exit 1 when CPU or messages grew by more than a fifth over bench/baseline.json; seconds are not compared, because they are
//           another machine's: each figure is a ratio to `node -e 0` or to a minimal program with pg in the same run
// --save    writes bench/baseline.json
//           Both leave out the other tools, and the goals of which the baseline holds nothing.
//
// A round runs each case once, in another order each time. A ratio is taken inside a round, and the median over the rounds is shown: what
// else the machine does meanwhile slows both sides.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { goals } from './goals.js'
import { measure } from './measure.js'
import { startServer } from './server.js'
import { installed, tools as allTools } from './tools.js'
import { layouts } from './workspaces.js'

const baselineFile = fileURLToPath(new URL('baseline.json', import.meta.url))
// How much a figure may grow before --check fails: the medians of two quiet runs differ by up to a tenth.
const TOLERANCE = 1.2

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
})
const unknown = positionals.filter((name) => !goals.some((goal) => goal.name === name))
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Goals: ${goals.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const compares = flags.check || flags.save
const selected = goals.filter(({ name, reported = false }) =>
  positionals.length === 0 ? !(compares && reported) : positionals.includes(name),
)

// To make the three files of a table on a disk takes a server up to three times the CPU of all else that a small migration asks of it,
// the same for every tool, and half as much an hour later.
const inMemory = process.env.TMPDIR === undefined && freeBytes('/dev/shm') >= 4e9
if (inMemory) process.env.TMPDIR = '/dev/shm'
const scratch = mkdtempSync(join(tmpdir(), 'dbkit-bench-'))
const server = await startServer()
let ended = false
async function end() {
  if (ended) return
  ended = true
  await server.stop()
  rmSync(scratch, { recursive: true, force: true })
}
process.once('SIGINT', () => void end().then(() => process.exit(130)))
process.once('SIGTERM', () => void end().then(() => process.exit(143)))

try {
  process.exitCode = await main()
} finally {
  await end()
}

async function main() {
  const tools = installed()
  console.log(
    `Node ${process.versions.node}, PostgreSQL ${server.version} without fsync${inMemory ? ', its files in memory' : ''}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}`,
  )
  const missing = Object.keys(allTools).filter((name) => !(name in tools))
  if (!flags.quick && !compares && missing.length > 0)
    console.log(`Left out, because npm ci --prefix bench was not run: ${missing.join(', ')}`)
  const bench = createBench(tools)
  const limits = []
  for (const goal of selected) {
    const rounds = Number(flags.rounds ?? (flags.quick ? Math.ceil(goal.rounds / 2) : goal.rounds))
    const measured = async (times) => {
      const results = await run(goal, bench, times)
      const reached = goal
        .limits(figures(results))
        .filter(({ value }) => Number.isFinite(value))
        .map((limit) => ({ ...limit, goal: goal.name }))
      print(goal, results, reached, times)
      return reached
    }
    let reached = await measured(rounds)
    // What other programs did meanwhile makes a figure worse once, not twice.
    if (flags.check && worseOf(reached).length > 0) reached = await measured(2 * rounds)
    limits.push(...reached)
  }
  if (flags.save) save(limits)
  return flags.check ? check(limits) : 0
}

function freeBytes(folder) {
  if (!existsSync(folder)) return 0
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Workspaces and databases that have been made once are used by all goals. */
function createBench(tools) {
  const workspaces = new Map()
  const databases = new Map()
  let databaseCount = 0
  const folder = (name) => {
    const path = join(scratch, name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const workspace = (layout, size) => {
    const key = `${layout}-${size}`
    if (!workspaces.has(key)) {
      workspaces.set(key, folder(key))
      layouts[layout](workspaces.get(key), size)
    }
    return workspaces.get(key)
  }
  const freshDatabase = async (template) => {
    const name = `bench_${++databaseCount}`
    await server.create(name, template)
    return name
  }
  return {
    tools,
    quick: flags.quick || compares,
    folder,
    workspace,
    freshDatabase,
    execute,
    /** A database in which these commands have been run, for others to be copies of. */
    async template(commandsOn, from) {
      const name = await freshDatabase(from)
      for (const command of commandsOn(server.url(name))) await execute(command)
      return name
    },
    /** A workspace of which a tool has applied everything to a database of its own. */
    async applied(tool, size) {
      const key = `${tool}-${size}`
      if (!databases.has(key)) {
        const files = workspace(tools[tool].layout, size)
        const url = server.url(await freshDatabase())
        await execute(tools[tool].up(files, url))
        databases.set(key, { folder: files, url })
      }
      return databases.get(key)
    },
  }
}

/** The environment is the same for all, and none of ours: a PGHOST or a CI of this machine would decide for some of the tools. */
function execute(command) {
  const env = { PATH: process.env.PATH, HOME: scratch, LANG: 'C.UTF-8', ...command.env }
  return measure({ cwd: scratch, ...command, env }, join(scratch, 'output'))
}

async function run(goal, bench, rounds) {
  const cases = await goal.prepare(bench)
  const samples = new Map(cases.map(({ name }) => [name, []]))
  // Once unmeasured: the files get into the page cache, and what a tool keeps from its first run is kept.
  for (const one of cases.filter(({ command }) => command !== undefined))
    await sample(one, bench, { warm: true })
  for (let round = 0; round < rounds; round++)
    for (let index = 0; index < cases.length; index++) {
      const one = cases[goal.inOrder === true ? index : (index + round) % cases.length]
      if (one.once === true && round > 0) continue
      samples.get(one.name).push(await sample(one, bench, {}))
    }
  return samples
}

async function sample(one, bench, { warm = false }) {
  if (one.fresh === undefined) {
    if (warm && one.changes === true) return undefined
    return server.cpuOf(() => execute(one.command))
  }
  const database = await bench.freshDatabase(one.template)
  try {
    let figures
    const work = () => server.cpuOf(() => execute(one.fresh(server.url(database))))
    const statements = one.count
      ? await server.statements(database, async () => (figures = await work()))
      : ((figures = await work()), undefined)
    if (one.expect !== undefined) {
      const found = await server.count(database, one.expect.sql)
      if (found !== one.expect.value)
        throw new Error(
          `${one.name} left ${found} tables or rows instead of ${one.expect.value}:\n${figures.output}`,
        )
    }
    return { ...figures, ...(statements === undefined ? {} : { statements }) }
  } finally {
    await server.drop(database)
  }
}

/** What limits are computed from. A ratio is taken inside each round; a case that was not run gives NaN, and its limit is left out. */
function figures(samples) {
  const of = (name) => samples.get(name) ?? []
  const ratio = (pick) => (name, base) =>
    middle(of(name).map((sampled, round) => pick(sampled) / pick(of(base)[round] ?? {})))
  return {
    cases: [...samples.keys()],
    cpu: ratio(({ cpuMs }) => cpuMs),
    wall: ratio(({ wallMs }) => wallMs),
    total: ratio(({ cpuMs, serverMs }) => cpuMs + serverMs),
    rss: (name) => Math.max(...of(name).map(({ rssMb }) => rssMb)),
    median: (metric, name) => middle(of(name).map((sampled) => sampled[metric])),
    slope: (metric, small, large, by) =>
      middle(of(large).map((sampled, round) => (sampled[metric] - (of(small)[round]?.[metric] ?? NaN)) / by)),
  }
}

function middle(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  const half = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2
}

function print(goal, samples, limits, rounds) {
  console.log(
    `\n## ${goal.title}\n\n\`npm run bench -- ${goal.name}\`, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}\n`,
  )
  const { cpu, wall, total, rss, median } = figures(samples)
  const { base } = goal
  const counted = [...samples.values()].some(([first]) => first?.statements !== undefined)
  const columns = [
    ['', (name) => name],
    ['client CPU, ms', (name) => median('cpuMs', name).toFixed(0)],
    ...(base === undefined ? [] : [[`/ ${base}`, (name) => cpu(name, base).toFixed(2)]]),
    ['server CPU, ms', (name) => median('serverMs', name).toFixed(0)],
    ...(base === undefined ? [] : [[`both / ${base}`, (name) => total(name, base).toFixed(2)]]),
    ['wall, ms', (name) => median('wallMs', name).toFixed(0)],
    ...(base === undefined ? [] : [[`wall / ${base}`, (name) => wall(name, base).toFixed(2)]]),
    ['RSS, MB', (name) => rss(name).toFixed(0)],
    ...(counted ? [['messages', (name) => String(median('statements', name))]] : []),
  ]
  const rows = [...samples.keys()].map((name) => columns.map(([, cell]) => cell(name)))
  printTable([columns.map(([heading]) => heading), ...rows])
  if (limits.length === 0) return
  console.log()
  printTable([
    ['goal', 'measured', 'at most', ''],
    ...limits.map(({ what, value, atMost }) => [
      what,
      value.toFixed(2),
      atMost === undefined ? '' : String(atMost),
      atMost === undefined ? '' : value <= atMost ? 'reached' : 'missed',
    ]),
  ])
}

function printTable([headings, ...rows]) {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column].length)),
  )
  const line = (cells) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`
  console.log(line(headings))
  console.log(
    `| ${widths.map((width, column) => '-'.repeat(width - 1) + (column === 0 ? '-' : ':')).join(' | ')} |`,
  )
  for (const row of rows) console.log(line(row))
}

// A function, because the run above waits before it gets here.
function keyOf({ goal, what }) {
  return `${goal}: ${what}`
}

function save(limits) {
  const held = limits
    .filter((limit) => limit.held)
    .map((limit) => [keyOf(limit), Number(limit.value.toFixed(3))])
  writeFileSync(
    baselineFile,
    JSON.stringify({ ...readBaseline(), ...Object.fromEntries(held) }, undefined, 2) + '\n',
  )
}

function worseOf(limits) {
  const baseline = readBaseline()
  return limits
    .filter((limit) => limit.held)
    .map((limit) => [keyOf(limit), limit.value])
    .filter(([key, value]) => !(value <= baseline[key] * TOLERANCE))
}

function readBaseline() {
  return existsSync(baselineFile) ? JSON.parse(readFileSync(baselineFile, 'utf8')) : {}
}

/** Exit 1 when something costs more than it did; a figure that the baseline has and this run has not is told. */
function check(limits) {
  const baseline = readBaseline()
  const held = new Set(limits.filter((limit) => limit.held).map(keyOf))
  const worse = worseOf(limits)
  console.log()
  for (const [key, value] of worse)
    console.log(`worse  ${key}: ${value.toFixed(2)}, was ${String(baseline[key] ?? 'not in the baseline')}`)
  const unmeasured = Object.keys(baseline).filter((key) => !held.has(key))
  if (unmeasured.length > 0) console.log(`Not measured in this run: ${unmeasured.join('; ')}`)
  console.log(`${held.size - worse.length} of ${held.size} figures are within a fifth of the baseline.`)
  return worse.length > 0 || held.size === 0 ? 1 : 0
}
