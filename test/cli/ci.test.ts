import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { noteEngine, serverUrl } from '../support/server.js'

// What eslint reads its configurations with: for a test it need not be a dependency of its own.
const { load } = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown }

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>
  readonly outputs: Readonly<Record<string, { readonly value: string }>>
  readonly runs: {
    readonly using: string
    readonly steps: readonly {
      readonly name: string
      readonly if: string
      readonly shell: string
      readonly run: string
      readonly env: Readonly<Record<string, string>>
    }[]
  }
}

const action = load(readFileSync(join(root, '.github/actions/dbkit/action.yml'), 'utf8')) as Action

let folder: Folder

function git(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(
    'git',
    ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false', ...args],
    { cwd: folder.path, encoding: 'utf8' },
  )
  expect([args, status, stderr.includes('fatal')]).toEqual([args, 0, false])
}

beforeAll(() => {
  noteEngine(serverUrl() === undefined ? 'embedded PGlite 0.5.8' : 'server PostgreSQL')
  folder = makeFolder({
    'dbkit.config.json': '{ "databases": { "shop": {} } }',
    'sql/shop/migrations/0001_people.up.sql':
      'create table people (id bigint primary key, name text, age integer);\ncreate table orders (id bigint primary key, people_id bigint references people);',
    'sql/shop/migrations/0001_people.down.sql': 'drop table orders; drop table people;',
  })
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-qm', 'base')
  git('checkout', '-q', '-b', 'change')
  folder.write({
    'sql/shop/migrations/0002_age.up.sql':
      'alter table people alter column age type bigint;\ncreate table "a|b" (id int);',
    'sql/shop/migrations/0002_age.down.sql':
      'drop table "a|b"; alter table people alter column age type integer;',
  })
  git('add', '.')
  git('commit', '-qm', 'change')
})
afterAll(() => {
  folder.remove()
})

/** A step as the runner would run it: its expressions replaced, its script given to bash. */
function run(
  name: string,
  inputs: Readonly<Record<string, string>>,
): { status: number | null; stdout: string; stderr: string } {
  const step = action.runs.steps.find((one) => one.name === name)
  if (step === undefined) throw new Error(`no step ${name}`)
  const env = Object.fromEntries(
    Object.entries(step.env).map(([key, expression]) => {
      const input = /^\$\{\{ inputs\.([\w-]+)/.exec(expression)?.[1] ?? ''
      expect(Object.keys(action.inputs)).toContain(input)
      return [key, inputs[input] ?? action.inputs[input]?.default ?? '']
    }),
  )
  return spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
    cwd: folder.path,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      CI: 'true',
      RUNNER_TEMP: folder.path,
      GITHUB_STEP_SUMMARY: join(folder.path, 'summary.md'),
      GITHUB_OUTPUT: join(folder.path, 'output'),
      ...env,
    },
  })
}

const INPUTS = {
  dbkit: `${process.execPath} ${join(root, 'bin/dbkit.cjs')}`,
  base: 'main',
  databases: 'shop',
  'shadow-url': serverUrl() ?? '',
}

describe('the GitHub Action', () => {
  test('is one, and puts no input into a script', () => {
    expect(action.runs.using).toBe('composite')
    expect(action.runs.steps.map(({ name, shell }) => [name, shell])).toEqual([
      ['Lint', 'bash'],
      ['Verify', 'bash'],
      ['Drift', 'bash'],
      ['Summary', 'bash'],
    ])
    for (const step of action.runs.steps) {
      expect(step.run).not.toContain('${{')
      // A finding must not keep the summary from being written.
      if (step.name !== 'Lint') expect(step.if).toContain('!cancelled()')
    }
  })

  test('annotates, proves, and writes the summary of a change', () => {
    const lint = run('Lint', INPUTS)
    expect([lint.status, lint.stdout]).toEqual([
      1,
      expect.stringContaining('::error file=sql/shop/migrations/0002_age.up.sql,line=1'),
    ])
    const verify = run('Verify', INPUTS)
    expect([verify.status, verify.stdout]).toEqual([0, expect.stringContaining('0002_age')])
    const summary = run('Summary', INPUTS)
    expect([summary.status, summary.stderr]).toEqual([0, ''])
    const written = readFileSync(join(folder.path, 'summary.md'), 'utf8')
    expect(written).toContain('New against `main`: `0002_age`.')
    expect(written).toContain('| ~ | `column public.people.age` | type integer -> bigint |')
    expect(written).toContain('| + | `table public."a\\|b"` | added |')
    expect(written).toContain('| `0002_age` | 1 | `public.people` | ACCESS EXCLUSIVE | reads and writes |')
    expect(written).toMatch(
      /### Hazards\n\n.*\n.*\n\| `type-change-rewrite` \| `sql\/shop\/migrations\/0002_age.up.sql:1` \|/,
    )
    expect(written).toMatch(/```mermaid\nerDiagram\n[^]*people[^]*```/)
    expect(readFileSync(join(folder.path, 'output'), 'utf8')).toBe(
      `file=${join(folder.path, 'dbkit-report.md')}\n`,
    )
  })

  test('finds nothing where nothing is new, and says what is wrong with the base', async () => {
    const target = serverUrl() === undefined ? [] : ['--shadow-url', serverUrl() ?? '']
    const same = await runCli(['report', '--base', 'HEAD', ...target], { cwd: folder.path })
    expect([same.exit, same.stdout]).toEqual([0, '## shop\n\nNo migration is new against `HEAD`.\n'])
    const wrong = await runCli(['report', '--base', 'nowhere', '--json'], { cwd: folder.path })
    expect([wrong.exit, wrong.stdout]).toEqual([2, expect.stringContaining('request.bad-base')])
  })
})

describe('the examples of docs/ci.md', () => {
  const text = readFileSync(join(root, 'docs/ci.md'), 'utf8')
  const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(
    ([, yaml = '']) => load(yaml) as Record<string, unknown>,
  )

  test('are YAML, and give the action inputs that it has', () => {
    expect(examples.map((example) => Object.keys(example))).toEqual([
      ['name', 'on', 'permissions', 'jobs'],
      ['migrations'],
    ])
    const jobs = examples[0]?.['jobs'] as { migrations: { steps: { uses?: string; with?: object }[] } }
    const step = jobs.migrations.steps.find(({ uses }) => uses?.endsWith('/dbkit'))
    for (const input of Object.keys(step?.with ?? {})) expect(Object.keys(action.inputs)).toContain(input)
    for (const input of Object.keys(action.inputs)) expect(text).toContain(`\`${input}\``)
  })
})
