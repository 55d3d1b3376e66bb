// Rows made by `dbkit seed generate`, beside what faker needs to make such rows and psql to load them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const root = here('..')
const node = process.execPath

// 1.2 kB each in COPY.
const ROWS = 100_000
const MANY = 1_000_000

const dbkit = (url, ...words) => ({
  argv: [node, here('../bin/dbkit.cjs'), ...words, '-d', 'happyrobot', '--url', url, '--quiet'],
  cwd: root,
})
const calls = (url, rows) =>
  dbkit(url, 'seed', 'generate', '--today', '2026-01-31', '--rows', `calls=${rows}`)
const psql = (url, ...commands) => ({
  argv: ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', ...commands.flatMap((command) => ['-c', command]), url],
})

/** HappyRobot with loads and carriers that calls can be about; without the audit trail, which is the server's work alone. */
const filled = (url) => [
  dbkit(url, 'migrate', 'up'),
  dbkit(url, 'seed'),
  dbkit(url, 'seed', 'generate', '--today', '2026-01-31', '--rows', 'carriers=500,loads=5000'),
  psql(url, 'alter table calls disable trigger user', 'truncate calls cascade'),
]

export const generate = {
  name: 'generate',
  title: 'Rows for calls of HappyRobot',
  base: 'psql \\copy',
  reported: true,
  rounds: 5,
  async prepare(bench) {
    const template = await bench.template(filled)
    const file = join(bench.folder('generate'), 'calls.copy')
    // Of the same loads, whose keys are not the same in another database.
    await bench.template((url) => [calls(url, ROWS), psql(url, `\\copy calls to '${file}'`)], template)
    const expect = (rows) => ({ sql: 'select count(*) from calls', value: rows })
    return [
      { name: 'dbkit', template, fresh: (url) => calls(url, ROWS), expect: expect(ROWS) },
      {
        name: 'psql \\copy',
        template,
        fresh: (url) => psql(url, `\\copy calls from '${file}'`),
        expect: expect(ROWS),
      },
      ...(bench.quick || !existsSync(here('node_modules/@faker-js/faker'))
        ? []
        : [
            {
              name: 'faker',
              command: { argv: [node, here('peers/faker.js'), String(ROWS)] },
            },
          ]),
      ...(bench.quick
        ? []
        : [
            {
              name: 'dbkit, a million',
              template,
              once: true,
              fresh: (url) => calls(url, MANY),
              expect: expect(MANY),
            },
          ]),
    ]
  },
  limits: ({ cpu, wall, rss, median }) => [
    { what: '60,000 rows: client CPU, ms', value: (median('cpuMs', 'dbkit') / ROWS) * 60_000, atMost: 1_000 },
    {
      what: 'client CPU a row / faker',
      value: cpu('dbkit', 'faker'),
      atMost: 0.25,
    },
    { what: 'wall / psql \\copy', value: wall('dbkit', 'psql \\copy'), atMost: 1.6 },
    {
      what: 'a million: client CPU a row / faker',
      value: (cpu('dbkit, a million', 'faker') * ROWS) / MANY,
      atMost: 0.25,
    },
    { what: 'RSS, MB', value: rss('dbkit'), atMost: 110 },
    { what: 'a million: RSS, MB', value: rss('dbkit, a million'), atMost: 110 },
  ],
}
