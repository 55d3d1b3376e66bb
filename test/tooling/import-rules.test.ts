import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('../..', import.meta.url))
const rules = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: { name: string; comment: string }[]
}

/** One module that breaks each rule, and the line that breaks it. */
const violations: Record<string, [from: string, line: string][]> = {
  'cli-enters-by-the-front-door': [['src/cli/a.ts', "import '../workspace/workspace.js'"]],
  'library-does-not-know-the-cli': [['src/verbs/a.ts', "import type { Cli } from '../cli/program.js'"]],
  'front-door-opens-inwards': [['src/verbs/b.ts', "import type { Door } from '../index.js'"]],
  'deciding-is-pure': [
    ['src/plan/a.ts', "import 'node:fs'"],
    ['src/plan/b.ts', "import '../database/database.js'"],
    ['src/report.ts', "import 'node:child_process'"],
    ['src/workspace/migration-file.ts', "import './workspace.js'"],
    ['src/workspace/statements.ts', "import 'node:fs/promises'"],
  ],
  'only-verbs-compose': [
    ['src/config/a.ts', "import '../verbs/migrate.js'"],
    ['src/workspace/a.ts', "import '../verbs/migrate.js'"],
    ['src/database/a.ts', "import '../apply/apply.js'"],
    ['src/plan/c.ts', "import type { Applied } from '../apply/apply.js'"],
  ],
  'types-come-from-one-read': [['src/apply/g.ts', "import '../codegen/emit.js'"]],
  'one-door-for-kysely': [['src/verbs/i.ts', "import 'kysely'"]],
  'generated-types-load-nothing': [['src/generated/a.ts', "import '../plan/hazards.js'"]],
  'client-is-for-applications': [['src/verbs/h.ts', "import '../client/client.js'"]],
  'apply-does-not-know-verbs': [['src/apply/a.ts', "import '../verbs/migrate.js'"]],
  'seeds-are-a-step-of-verbs': [
    ['src/seed/a.ts', "import '../verbs/migrate.js'"],
    ['src/seed/b.ts', "import '../apply/apply.js'"],
    ['src/seed/c.ts', "import '../plan/plan.js'"],
  ],
  'only-verbs-load-seeds': [['src/apply/d.ts', "import '../seed/load-seeds.js'"]],
  'files-and-databases-are-strangers': [['src/workspace/b.ts', "import '../database/database.js'"]],
  'catalog-reads-through-the-port': [
    ['src/catalog/a.ts', "import '../workspace/workspace.js'"],
    ['src/catalog/b.ts', "import '../database/database.js'"],
  ],
  'catalog-is-for-who-asks': [['src/apply/e.ts', "import type { Catalog } from '../catalog/catalog.js'"]],
  'differ-knows-catalogs-only': [['src/diff/a.ts', "import type { Session } from '../database/database.js'"]],
  'differ-is-for-proofs': [['src/verbs/j.ts', "import '../diff/a.js'"]],
  'proving-is-a-step-of-verbs': [
    ['src/prove/a.ts', "import '../verbs/migrate.js'"],
    ['src/prove/b.ts', "import '../mongo/read.js'"],
  ],
  'only-verbs-prove': [['src/apply/f.ts', "import type { Shadow } from '../prove/shadow.js'"]],
  'linting-is-a-step-of-verbs': [
    ['src/lint/a.ts', "import '../verbs/migrate.js'"],
    ['src/lint/b.ts', "import '../mongo/read.js'"],
  ],
  'only-verbs-lint': [['src/apply/h.ts', "import type { Trace } from '../lint/trace.js'"]],
  'examining-is-a-step-of-verbs': [['src/doctor/a.ts', "import '../workspace/workspace.js'"]],
  'only-verbs-examine': [['src/apply/j.ts', "import '../doctor/examine.js'"]],
  'docs-are-made-of-values': [['src/docs/a.ts', "import '../workspace/workspace.js'"]],
  'only-verbs-document': [['src/apply/i.ts', "import '../docs/a.js'"]],
  'maintaining-is-a-step-of-verbs': [['src/maintain/a.ts', "import '../workspace/workspace.js'"]],
  'only-verbs-maintain': [['src/apply/k.ts', "import '../maintain/action.js'"]],
  'fuzzing-is-a-step-of-verbs': [
    ['src/fuzz/a.ts', "import '../verbs/migrate.js'"],
    ['src/fuzz/b.ts', "import '../mongo/read.js'"],
  ],
  'only-verbs-fuzz': [['src/apply/of-fuzz.ts', "import type { Try } from '../fuzz/try.js'"]],
  'backing-up-is-a-step-of-verbs': [['src/backup/a.ts', "import '../workspace/workspace.js'"]],
  'only-verbs-back-up': [['src/apply/l.ts', "import '../backup/manifest.js'"]],
  'one-door-for-elkjs': [['src/verbs/m.ts', "import 'elkjs'"]],
  'one-door-for-minisearch': [['src/verbs/n.ts', "import 'minisearch'"]],
  'measuring-knows-its-session': [['src/bench/a.ts', "import '../workspace/workspace.js'"]],
  'only-verbs-generate': [['src/apply/m.ts', "import '../generate/a.js'"]],
  'generating-knows-catalog-and-session': [['src/generate/a.ts', "import '../workspace/workspace.js'"]],
  'errors-stand-alone': [['src/errors.ts', "import type { Report } from './report.js'"]],
  'one-door-for-the-terminal': [
    ['src/verbs/c.ts', "import 'commander'"],
    ['src/apply/b.ts', "import 'chalk'"],
  ],
  'one-door-for-umzug': [['src/verbs/d.ts', "import 'umzug'"]],
  'one-door-for-engines': [
    ['src/verbs/e.ts', "import 'pg'"],
    ['src/apply/c.ts', "import { from } from 'pg-copy-streams'"],
    ['src/cli/b.ts', "import { PGlite } from '@electric-sql/pglite'"],
    ['src/config/b.ts', "import type { Client } from 'pg'"],
    ['src/verbs/f.ts', "await import('pg')"],
  ],
  'one-door-for-esbuild': [['src/workspace/c.ts', "await import('esbuild')"]],
  'one-door-for-kysely-codegen': [['src/verbs/k.ts', "import 'kysely-codegen'"]],
  'one-door-for-age': [['src/backup/b.ts', "import 'age-encryption'"]],
  'one-door-for-bson': [
    ['src/verbs/g.ts', "import { EJSON } from 'bson'"],
    ['src/cli/c.ts', "await import('bson')"],
  ],
  'mongo-is-told-what-to-do': [
    ['src/mongo/a.ts', "import '../verbs/migrate.js'"],
    ['src/mongo/b.ts', "import type { Applied } from '../apply/apply.js'"],
  ],
  'no-circular': [['src/apply/ring-a.ts', "import './ring-b.js'"]],
  'not-to-dev-dep': [['src/config/c.ts', "import 'prettier'"]],
  'not-to-unlisted': [['src/config/d.ts', "import 'acorn'"]],
  'not-to-unresolvable': [['src/config/e.ts', "import './no-such-file.js'"]],
  'no-orphans': [['src/verbs/lonely.ts', 'export const lonely = true']],
}

/** The other half of a violation that takes two. */
const accomplices: [from: string, line: string][] = [['src/apply/ring-b.ts', "import './ring-a.js'"]]

/** What the layout allows, and the rules therefore have to let pass. */
const allowed: [from: string, line: string][] = [
  ['src/index.ts', "export * from './verbs/migrate.js'\nexport * from './lint/hazards.js'"],
  [
    'src/verbs/migrate.ts',
    "import '../apply/apply.js'\nimport '../lint/trace.js'\nimport '../workspace/workspace.js'\nexport {}",
  ],
  ['src/apply/apply.ts', "import 'umzug'\nimport '../plan/plan.js'\nimport '../database/database.js'"],
  [
    'src/plan/plan.ts',
    "import type { Database } from '../database/database.js'\nimport '../plan/hazards.js'",
  ],
  ['src/plan/hazards.ts', "import type { Plan } from './plan.js'"],
  ['src/mongo/read.ts', "import 'bson'\nimport '../database/database.js'"],
  ['src/workspace/workspace.ts', "import 'node:fs'"],
  ['src/workspace/migration-file.ts', "import 'node:crypto'\nimport './statements.js'"],
  ['src/workspace/statements.ts', 'export {}'],
  ['src/database/quote.ts', 'export {}'],
  [
    'src/catalog/catalog.ts',
    "import type { Database } from '../database/database.js'\nimport '../database/quote.js'\nexport {}",
  ],
  ['src/prove/shadow.ts', "import '../catalog/catalog.js'\nexport {}"],
  ['src/lint/trace.ts', "import '../apply/apply.js'\nimport type { Shadow } from '../prove/shadow.js'"],
  ['src/lint/hazards.ts', 'export {}'],
  ['src/maintain/action.ts', "import '../database/quote.js'\nexport {}"],
  ['src/backup/manifest.ts', "import '../database/quote.js'\nexport {}"],
  ['src/doctor/examine.ts', "import '../database/quote.js'\nexport {}"],
  ['src/fuzz/try.ts', "import '../apply/apply.js'\nimport type { Shadow } from '../prove/shadow.js'"],
  ['src/database/database.ts', "import 'pg'\nawait import('@electric-sql/pglite')"],
  ['src/config/config.ts', "import 'esbuild'"],
  ['src/codegen/emit.ts', "import type { Database } from '../database/database.js'\nexport {}"],
  ['src/client/client.ts', "import type { Database } from '../database/database.js'\nexport {}"],
  ['src/verbs/seed.ts', "import '../seed/load-seeds.js'\nimport '../apply/apply.js'\nexport {}"],
  ['src/seed/load-seeds.ts', "import '../database/database.js'\nimport '../workspace/statements.js'"],
  ['src/cli/program.ts', "import 'commander'\nimport 'chalk'\nimport '../index.js'"],
]

interface Cruise {
  summary: { violations: { rule: { name: string }; from: string }[] }
}

async function cruise(modules: readonly (readonly [path: string, lines: string])[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dbkit-imports-'))
  folders.push(folder)
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
    await copyFile(join(root, file), join(folder, file))
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [path, lines] of modules) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `${lines}\n`)
  }
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  })
  const { summary } = JSON.parse(stdout) as Cruise
  return summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`)
}

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

describe('the import rules', () => {
  let found: string[]
  beforeAll(async () => {
    const planted = Object.values(violations).flat()
    const places = new Set(planted.map(([path]) => path))
    found = await cruise([...planted, ...accomplices, ...allowed.filter(([path]) => !places.has(path))])
  })

  test.each(Object.entries(violations))('%s', (name, planted) => {
    expect(found.filter((line) => line.startsWith(`${name}: `)).sort()).toEqual(
      planted.map(([from]) => `${name}: ${from}`).sort(),
    )
  })

  test('each rule has a violation planted against it, and a reason', () => {
    expect(rules.forbidden.map(({ name }) => name).sort()).toEqual(Object.keys(violations).sort())
    expect(rules.forbidden.filter(({ comment }) => comment.length < 20)).toEqual([])
  })

  test('what the layout allows passes', async () => {
    expect(await cruise(allowed)).toEqual([])
  })
})
