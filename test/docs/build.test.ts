import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  docsBuild,
  settleConfig,
  type Config,
  verify,
  type DatabaseReport,
  type DocsBuildOptions,
} from '../../src/index.js'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { noteEngine } from '../support/server.js'

const odd = fileURLToPath(new URL('../../fixtures/docs/odd/migrations', import.meta.url))

let folder: Folder
let config: Config

async function build(options: DocsBuildOptions): Promise<DatabaseReport> {
  const { databases } = await docsBuild(config, options)
  const [report] = databases
  if (report === undefined) throw new Error('no report')
  return report
}

const page = (name: string): string => readFileSync(join(folder.path, 'docs/schema', name), 'utf8')

beforeAll(async () => {
  noteEngine('embedded PGlite 0.5.8')
  folder = makeFolder({
    'dbkit.config.json': JSON.stringify({
      databases: {
        odd: {
          codegen: { jsonTypes: { 'loads.data': { type: 'object', properties: { a: { type: 'number' } } } } },
          docs: { formats: ['markdown', 'mermaid', 'dbml', 'dot'] },
        },
      },
    }),
  })
  cpSync(odd, join(folder.path, 'sql/odd/migrations'), { recursive: true })
  config = await settleConfig({}, { cwd: folder.path, environment: {} })
  const report = await build({})
  expect(report).toMatchObject({ ok: true, docs: { tables: 6, views: 3, described: 2, describable: 32 } })
}, 60_000)

afterAll(() => folder.remove())

describe('Markdown', () => {
  test('a comment is text, whatever it looks like', () => {
    const text = page('odd/tables/~4f~dd~20~~22~~4e~ame~22~~2f~with~5c~slash.md')
    expect(text).toContain(
      String.raw`\<script\>alert("x")\</script\> \& \| pipes \`ticks\` \[link\](javascript:alert(1)) second line`,
    )
    expect(text.replaceAll(/`[^`]*`/g, '')).not.toMatch(/(?<!\\)<(?:script|img|b)/)
    expect(text).toContain('| `<b>bold</b>` | `text` | no |')
  })

  test('tells values, shapes, references, uses and what an index costs', () => {
    const text = page('odd/tables/loads.md')
    expect(text).toContain('| `state` | `text` | yes |  | One of `new` `old` |')
    expect(text).toContain('Shape: `{ a?: number')
    expect(text).toContain('→ [loads.id](../tables/loads.md)')
    expect(text).toContain('- [sales."select"](../tables/sales.select.md) by `c`')
    expect(text).toContain('- view [v](../views/v.md)')
    expect(text).toContain(
      'Written on every INSERT, of rows that its condition takes, and on an UPDATE of an expression.',
    )
    expect(text).toContain('`touching`')
    expect(page('odd/tables/~4f~dd~20~~22~~4e~ame~22~~2f~with~5c~slash.md')).toContain('One of `1` `2` `3`')
    // The only thing that knows: the text of the trigger's function.
    expect(page('odd/tables/sales.select.md')).toContain('- function `touch()` (named in its text)')
  })

  test('follows the columns of views to those of tables, through views between', () => {
    expect(page('odd/views/v.md')).toContain(
      '| `sum` | `integer` | computed from [loads.id](../tables/loads.md), [loads.parent](../tables/loads.md) |',
    )
    expect(page('odd/views/chain.md')).toContain(
      '| `sum` | `integer` | computed from [loads.id](../tables/loads.md), [loads.parent](../tables/loads.md) |',
    )
  })

  test('a partition has no page of its own, and names that differ in case have two', () => {
    expect(readdirSync(join(folder.path, 'docs/schema/odd/tables')).sort()).toEqual([
      'loads.md',
      'sales.child.md',
      'sales.part.md',
      'sales.select.md',
      '~4c~oads.md',
      '~4f~dd~20~~22~~4e~ame~22~~2f~with~5c~slash.md',
    ])
  })
})

test('Mermaid, DBML and dot know the same tables and foreign keys', () => {
  expect(page('odd.mmd')).toContain('loads |o--o| sales__select_ : "c"')
  expect(page('odd.mmd')).toContain(`sales__select_["sales.'select'"] {`)
  expect(page('odd.dbml')).toContain('Enum mood {\n  sad\n  "so-so"\n  "hap\'py"\n}')
  expect(page('odd.dbml')).toContain(
    'Ref child_a_b_fkey: sales.child.(a, b) > sales."select".(a, b) [delete: cascade]'.replace(
      '"select"',
      'select',
    ),
  )
  expect(page('odd.dot')).toContain('&quot;Odd &quot;&quot;Name&quot;&quot;/with\\slash&quot;')
  expect(page('odd.dot').match(/ -> /g)).toHaveLength(4)
})

test('--check and --require-comments say what is stale and what has no comment', async () => {
  folder.write({ 'docs/schema/odd/tables/gone.md': '# gone\n', 'docs/schema/odd.mmd': 'erDiagram\n' })
  rmSync(join(folder.path, 'docs/schema/odd/views/mv.md'))
  const { exit, stdout } = await runCli(
    ['docs', 'build', '--check', '--require-comments', '50', '--no-color'],
    {
      cwd: folder.path,
    },
  )
  expect(exit).toBe(1)
  expect(stdout).toContain('docs/schema/odd/views/mv.md does not exist')
  expect(stdout).toContain('docs/schema/odd.mmd is out of date\n')
  expect(stdout).toContain('docs/schema/odd/tables/gone.md is of nothing that is there')
  expect(stdout).toContain('2 of 32 have a comment (6.2 %), 50 % are asked for; without:')
  expect(existsSync(join(folder.path, 'docs/schema/odd/views/mv.md'))).toBe(false)
}, 60_000)

test('dbkit verify says whether they are up to date', async () => {
  const proved = async (): Promise<unknown> => (await verify(config)).databases[0]?.verify?.docs
  expect(await proved()).toMatchObject({
    outcome: 'failed',
    notes: expect.arrayContaining(['run dbkit docs build']) as unknown,
  })
}, 60_000)

test('--base draws what changed since a commit, and nothing when nothing did', async () => {
  const git = (...args: string[]): void => {
    const { status, stderr } = spawnSync(
      'git',
      ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args],
      { cwd: folder.path },
    )
    expect({ status, stderr: status === 0 ? '' : stderr.toString() }).toEqual({ status: 0, stderr: '' })
  }
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'first')
  folder.write({
    'sql/odd/migrations/0003_more.up.sql':
      'alter table loads add rating integer not null default 0;\ncreate table stars (load integer references loads, n integer);\n',
    'sql/odd/migrations/0003_more.down.sql': 'drop table stars; alter table loads drop rating;\n',
  })
  const { text } = await build({ base: 'HEAD' })
  expect(text).toContain('loads["loads (changed)"] {')
  expect(text).toContain('    integer rating "added"')
  expect(text).toContain('stars["stars (added)"] {')
  expect(text).toContain('loads |o--o{ stars : "load: added"')
  // Neighbours of what was touched, without their columns; what has nothing to do with it is not there.
  expect(text).toContain('  sales__select_["sales.\'select\'"]\n')
  expect(text).not.toContain('sales_part')
  git('add', '.')
  git('commit', '-qm', 'second')
  expect(await build({ base: 'HEAD' })).toMatchObject({
    ok: true,
    notes: ['no table is another than at HEAD'],
  })
}, 60_000)

describe('refusals', () => {
  test.each([
    [['--format', 'pdf'], 'Expected site, markdown, mermaid'],
    [['--check', '--out', '-'], '--check and --out - do not go together'],
    [['--base', 'HEAD', '--check'], '--base and --check do not go together'],
    [['--base', 'HEAD', '--format', 'dbml'], '--format was given "dbml"'],
    [['--base', 'no-such-ref'], 'no-such-ref'],
    [['--require-comments', '101'], 'Expected a percentage from 0 to 100.'],
    [['--dir', 'sql/odd/migrations', '--check'], 'The configuration commits no documentation of odd'],
  ])('%j', async (args, message) => {
    const { exit, stderr } = await runCli(['docs', 'build', ...args], { cwd: folder.path })
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining(message) as unknown })
  })
})
