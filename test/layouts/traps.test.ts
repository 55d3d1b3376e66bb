import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { migrateCreate, migrateStatus, settleConfig, type LayoutName } from 'dbkit'
import { DbkitError } from '../../src/errors.js'
import { refuseObstacles } from '../../src/workspace/migration-file.js'
import { readScriptText, readWorkspace, type Workspace } from '../../src/workspace/workspace.js'
import { makeFolder, type Folder } from '../support/cli.js'

type Files = Readonly<Record<string, string>>

let folder: Folder | undefined
afterEach(() => {
  folder?.remove()
})

function read(
  files: Files,
  layout?: LayoutName,
  more: Partial<Parameters<typeof readWorkspace>[0]> = {},
): Workspace {
  folder = makeFolder(files)
  const source = {
    name: 'shop',
    migrations: join(folder.path, 'm'),
    ...(layout === undefined ? {} : { layout }),
    ...more,
  }
  return readWorkspace(source, folder.path)
}

/** "code file:line:column message" of what is refused, also where only the text of a script shows it. */
function refusal(files: Files, layout?: LayoutName): string {
  try {
    const { migrations } = read(files, layout)
    for (const { up } of migrations) {
      const [obstacle] = refuseObstacles(readScriptText(up))
      if (obstacle !== undefined) throw obstacle
    }
    return 'nothing is refused'
  } catch (error) {
    if (!(error instanceof DbkitError)) throw error
    const { code, location, message } = error
    const place =
      location === undefined ? '' : ` ${location.file}:${String(location.line)}:${String(location.column)}`
    return `${code}${place} ${message}`
  }
}

const versions = ({ migrations }: Workspace): readonly string[] => migrations.map(({ version }) => version)
const upOf = (workspace: Workspace, index = 0): string => {
  const migration = workspace.migrations[index]
  if (migration === undefined) throw new Error('there is no such migration')
  return readScriptText(migration.up).text.trim()
}
const together = ({ migrations }: Workspace): readonly boolean[] =>
  migrations.map(({ up }) => readScriptText(up).directives.transaction)

describe('whose folder it is', () => {
  test.each<readonly [what: string, files: Files, layout: LayoutName]>([
    ['pairs alone', { 'm/1_a.up.sql': '', 'm/1_a.down.sql': '' }, 'dbkit'],
    ['pairs in a Go module', { 'go.mod': '', 'm/1_a.up.sql': '', 'm/1_a.down.sql': '' }, 'golang-migrate'],
    [
      'pairs with a directive in a Go module',
      { 'go.mod': '', 'm/1_a.up.sql': '-- dbkit: irreversible no' },
      'dbkit',
    ],
    ['pairs in a Rust package', { 'Cargo.toml': '', 'm/1_a.up.sql': '', 'm/1_a.down.sql': '' }, 'sqlx'],
    ['plain numbered files', { 'm/1_a.sql': 'select 1' }, 'sqlx'],
    ['goose in a Rust package', { 'Cargo.toml': '', 'm/1_a.sql': '-- +goose Up\nselect 1;' }, 'goose'],
    ['folders with a snapshot', { 'm/1_a/migration.sql': '', 'm/1_a/snapshot.json': '' }, 'drizzle'],
    ['an empty folder', { 'm/README.md': '' }, 'dbkit'],
  ])('%s', (_, files, layout) => {
    expect(read(files).layout).toBe(layout)
  })

  test.each<readonly [what: string, files: Files, candidates: readonly string[]]>([
    [
      'marks of two tools',
      { 'm/1_a.sql': '-- +goose Up\nselect 1;', 'm/2_b.sql': '-- migrate:up\nselect 1;' },
      ['goose', 'dbmate'],
    ],
    [
      'pairs beside the mark of a tool',
      { 'm/1_a.up.sql': '', 'm/1_a.down.sql': '', 'm/2_b.sql': '-- migrate:up\nselect 1;' },
      ['dbmate', 'dbkit'],
    ],
    [
      'pairs between Go and Rust',
      { 'go.mod': '', 'Cargo.toml': '', 'm/1_a.up.sql': '', 'm/1_a.down.sql': '' },
      ['golang-migrate', 'sqlx'],
    ],
  ])('%s are refused, with the names of both', (_, files, candidates) => {
    const told = refusal(files)
    expect(told).toMatch(/^layout\.ambiguous /)
    for (const candidate of candidates) expect(told).toContain(`${candidate} (`)
  })
})

describe('versions and their order', () => {
  test('dbmate goes by text: 10 before 9, eighteen digits between fourteen', () => {
    const file = '-- migrate:up\nselect 1;'
    const names = ['9_a', '10_b', '20260102000000_c', '202601010000000000_d', '20260101000000_e']
    const workspace = read(Object.fromEntries(names.map((name) => [`m/${name}.sql`, file])))
    expect(versions(workspace)).toEqual(['10', '20260101000000', '202601010000000000', '20260102000000', '9'])
  })
  test('golang-migrate goes by number, to a thousand and two without padding', () => {
    const names = Array.from({ length: 1003 }, (_, index) => `m/${String(index)}_step.up.sql`)
    const workspace = read(Object.fromEntries(names.map((name) => [name, 'select 1'])), 'golang-migrate')
    expect(versions(workspace)).toEqual(Array.from({ length: 1003 }, (_, index) => String(index)))
  })
  test('Flyway compares part by part, and takes 1_02 and 1.2.0 for one', () => {
    const workspace = read({
      'm/V1_10__a.sql': '',
      'm/V1.9__b.sql': '',
      'm/V1__c.sql': '',
      'm/deep/V2026.01__d.sql': '',
    })
    expect(versions(workspace)).toEqual(['1', '1.9', '1.10', '2026.1'])
    folder?.remove()
    expect(refusal({ 'm/V1_02__a.sql': '', 'm/V1.2.0__b.sql': '' })).toMatch(
      /^workspace.duplicate-version .*1\.2\.$/,
    )
  })
  test('whole names tell migrations of one moment apart where the tool does so', () => {
    const prisma = read({ 'm/20260101_b/migration.sql': '', 'm/20260101_a/migration.sql': '' })
    expect(versions(prisma)).toEqual(['20260101_a', '20260101_b'])
    folder?.remove()
    expect(refusal({ 'm/20260101_b/up.sql': '', 'm/20260101_a/up.sql': '' })).toMatch(
      /^workspace.duplicate-version /,
    )
  })
  test('one of them is found by its number as long as only one begins so', async () => {
    folder = makeFolder({
      'm/20260101_a/migration.sql': '',
      'm/20260102_b/migration.sql': '',
      'm/20260102_c/migration.sql': '',
    })
    const config = await settleConfig({ dir: 'm', embedded: true }, { cwd: folder.path, environment: {} })
    const status = await migrateStatus(config)
    expect(status.databases[0]?.migrations?.map(({ name, state }) => `${name} ${state}`)).toEqual([
      '20260101_a pending',
      '20260102_b pending',
      '20260102_c pending',
    ])
  })
  test('a reworked change of sqitch keeps the name of its first script', () => {
    const plan =
      '%project=p\n\na 2026-01-01T00:00:00Z A <a@b> # one\n@v1 2026-01-01T00:00:00Z A <a@b>\na [a@v1] 2026-01-01T00:00:00Z A <a@b>\n'
    const workspace = read({
      'm/sqitch.plan': plan,
      'm/deploy/a.sql': 'select 2',
      'm/deploy/a@v1.sql': 'select 1',
    })
    expect(versions(workspace)).toEqual(['a', 'a#2'])
    expect([upOf(workspace), upOf(workspace, 1)]).toEqual(['select 1', 'select 2'])
  })
})

describe('transactions', () => {
  test.each<readonly [layout: LayoutName, files: Files, expected: boolean]>([
    ['golang-migrate', { 'm/1_a.up.sql': 'create index concurrently i on t (a)' }, false],
    ['golang-migrate', { 'm/1_a.up.sql': 'begin;\ncreate table t ();\ncommit;' }, true],
    ['golang-migrate', { 'm/1_a.up.sql': 'create table t ();\nbegin;\nselect 1;\ncommit;' }, false],
    ['golang-migrate', { 'm/1_a.autocommit.up.sql': 'create table t ()' }, false],
    ['golang-migrate', { 'm/1_a.up.sql': 'do $$ begin perform 1; end $$' }, true],
    ['dbmate', { 'm/1_a.sql': "-- migrate:up transaction: 'false'\nselect 1" }, false],
    ['diesel', { 'm/1_a/up.sql': 'select 1', 'm/1_a/metadata.toml': 'run_in_transaction = false' }, false],
    ['sqlx', { 'm/1_a.sql': '-- no-transaction\nselect 1' }, false],
    ['sqlx', { 'm/1_a.sql': '\n-- no-transaction\nselect 1' }, true],
    ['goose', { 'm/1_a.sql': '-- +goose Up\nselect 1;\n-- +goose NO TRANSACTION' }, false],
    [
      'sql-migrate',
      { 'm/1_a.sql': '-- +migrate Up\nselect 1;\n-- +migrate Up notransaction\nselect 2;' },
      false,
    ],
    ['flyway', { 'm/V1__a.sql': 'select 1', 'm/V1__a.sql.conf': 'executeInTransaction=false' }, false],
    ['prisma', { 'm/1_a/migration.sql': 'vacuum' }, false],
    ['graphile-migrate', committed('--! no-transaction\nselect 1'), false],
  ])('%s %j: %s', (layout, files, expected) => {
    expect(together(read(files, layout))).toEqual([expected])
  })
  test('BEGIN and COMMIT give way to blanks, and every place stays where it was', () => {
    const workspace = read({ 'm/1_a.up.sql': '-- é\nBEGIN;\nselect 1;\nCOMMIT;\n' }, 'golang-migrate')
    expect(upOf(workspace)).toBe('-- é\n      \nselect 1;')
  })
  test.each(['rollback', 'savepoint s', 'set local role x', 'lock table t'])(
    '%s in one part of many is refused',
    (sql) => {
      const told = refusal(
        { 'm/1_a.up.sql': `begin;\nselect 1;\ncommit;\nbegin;\n  ${sql};\ncommit;` },
        'golang-migrate',
      )
      expect(told).toMatch(/^layout\.transaction-parts m\/1_a\.up\.sql:5:3 /)
    },
  )
})

function committed(body: string, hash = '', name = '000001'): Files {
  return {
    [`m/committed/${name}.sql`]: `--! Previous: -\n--! Hash: ${hash}\n--! AllowInvalidHash\n\n${body}\n`,
  }
}

describe('sections, marks and what is put in', () => {
  test('a place in a section is a place in its file', () => {
    const files = {
      'm/1_a.sql': "-- +goose Up\n-- +goose ENVSUB ON\nselect '${LONG}',\n  '${SHORT:-x}';\n\\set a b\n",
    }
    folder = makeFolder(files)
    const source = {
      name: 'shop',
      migrations: join(folder.path, 'm'),
      environment: { LONG: 'a much longer text' },
    }
    const [first] = readWorkspace(source, folder.path).migrations
    if (first === undefined) throw new Error('it was not read')
    const script = readScriptText(first.up)
    expect(script.text.trim()).toContain("select 'a much longer text',\n  'x';")
    expect(refuseObstacles(script).map(({ location }) => [location?.line, location?.column])).toEqual([
      [5, 1],
    ])
  })
  test('ENVSUB leaves what is off, and \\$ as a dollar', () => {
    const text =
      "-- +goose Up\nselect '$A';\n-- +goose ENVSUB ON\nselect '$A', '\\$A', $$x$$;\n-- +goose ENVSUB OFF\nselect '$A';\n"
    const workspace = read({ 'm/1_a.sql': text }, 'goose', { environment: { A: 'one' } })
    expect(upOf(workspace).replaceAll(/-- .*\n?/g, '')).toBe(
      "select '$A';\nselect 'one', '$A', $$x$$;\nselect '$A';",
    )
  })
  test('a value of Flyway comes from its file, the environment or the configuration, in this order', () => {
    const files = {
      'm/V1__a.sql': '${a} ${B} ${c} ${flyway:filename}',
      'flyway.conf': 'flyway.placeholders.a=1\nflyway.placeholders.b=1\nflyway.placeholders.c=1',
    }
    const workspace = read(files, undefined, {
      environment: { FLYWAY_PLACEHOLDERS_B: '2', FLYWAY_PLACEHOLDERS_C: '2' },
      placeholders: { C: '3' },
    })
    expect(upOf(workspace)).toBe('1 2 3 V1__a.sql')
  })
  test('what Flyway and others pass over is told', () => {
    const { notes, repeatable } = read({
      'm/V1__a.sql': '',
      'm/R__view.sql': '',
      'm/beforeMigrate.sql': '',
      'm/V2_b.sql': '',
      'm/B1__base.sql': '',
    })
    expect(repeatable.map(({ name }) => name)).toEqual(['R__view'])
    expect(notes.slice(1)).toEqual([
      'm/V2_b.sql is not named V1__name.sql, U1__name.sql or R__name.sql, and Flyway passes over it',
      'callbacks of Flyway are not run: m/beforeMigrate.sql',
      'm/B1__base.sql stands for migrations that are all here: those are run, and it is not',
    ])
  })
  test('Drizzle would pass over what is dated before the last one, which is told', () => {
    const entries = [
      { idx: 0, when: 2, tag: '0000_a' },
      { idx: 1, when: 1, tag: '0001_b' },
    ]
    const { notes } = read({
      'm/meta/_journal.json': JSON.stringify({ dialect: 'postgresql', entries }),
      'm/0000_a.sql': '',
      'm/0001_b.sql': '',
      'm/0002_c.sql': '',
    })
    expect(notes.slice(1)).toEqual([
      '0001_b is dated before 0000_a: where that one was applied, Drizzle would pass over this one in silence',
      'm/0002_c.sql is not in the journal, and Drizzle passes over it',
    ])
  })
})

describe('what is refused, by name and place', () => {
  test.each<readonly [files: Files, layout: LayoutName | undefined, told: RegExp]>([
    [
      { 'm/1_a.up.go': '', 'm/1_a.down.sql': '' },
      'golang-migrate',
      /^layout\.not-sql m\/1_a\.up\.go is a migration of golang-migrate that is a program/,
    ],
    [{ 'm/2_a.down.sql': '' }, 'golang-migrate', /^workspace\.unpaired m\/2_a\.down\.sql has no partner/],
    [{ 'm/1_a.sql': 'select 1' }, 'dbmate', /^layout\.no-up m\/1_a\.sql has no "-- migrate:up" line/],
    [{ 'm/1_a.sql': '-- migrate:down\n-- migrate:up' }, 'dbmate', /^layout\.down-first m\/1_a\.sql/],
    [{ 'm/1_a.sql': '-- +goose Up\n-- +goose Upp\n' }, undefined, /^layout\.unknown-mark m\/1_a\.sql:2:1 /],
    [
      { 'm/1_a.sql': '-- +goose Up\n-- +goose ENVSUB ON\nselect 1,\n $NO;\n' },
      undefined,
      /^layout\.unset-variable m\/1_a\.sql:4:2 The environment variable NO has no value/,
    ],
    [{ 'm/00001_a.go': '', 'm/00002_b.sql': '-- +goose Up\n' }, undefined, /^layout\.not-sql m\/00001_a\.go/],
    [
      { 'm/V1__a.sql': 'select\n ${x}' },
      undefined,
      /^layout\.unset-variable m\/V1__a\.sql:2:2 The placeholder x has no value/,
    ],
    [{ 'm/V1__a.java': '', 'm/V2__b.sql': '' }, undefined, /^layout\.not-sql m\/V1__a\.java/],
    [{ 'm/U1__a.sql': '' }, undefined, /^workspace\.unpaired m\/U1__a\.sql has no partner V1__a\.sql/],
    [{ 'm/V1__a.sql': '', 'm/V1__a.sql.conf': 'shouldExecute=${x}' }, undefined, /^layout\.unknown-setting /],
    [
      { 'm/migration_lock.toml': 'provider = "mysql"', 'm/1_a/migration.sql': '' },
      undefined,
      /^layout\.other-dialect m\/migration_lock\.toml is for mysql/,
    ],
    [
      { 'm/migration_lock.toml': '', 'm/1_a/README.md': '' },
      undefined,
      /^layout\.missing-file m\/1_a\/migration\.sql is missing/,
    ],
    [
      { 'm/meta/_journal.json': '{"entries": [{"tag": 1}]}' },
      undefined,
      /^layout\.unreadable m\/meta\/_journal\.json is not what Drizzle writes/,
    ],
    [{ 'm/meta/_journal.json': '{' }, undefined, /^layout\.unreadable /],
    [
      { 'm/meta/_journal.json': '{"entries": [{"tag": "0000_a", "when": 1}]}' },
      undefined,
      /^layout\.missing-file m\/0000_a\.sql is missing/,
    ],
    [
      { 'm/committed/000001.sql': '--! Previous: -\n--! Hash: sha1:00\n\nselect 1\n' },
      undefined,
      /^layout\.broken-chain m\/committed\/000001\.sql does not fit .* does not have the hash sha1:00/,
    ],
    [
      { 'm/committed/000002.sql': '--! Previous: sha1:1\n--! Hash: sha1:00\n\nselect 1\n' },
      undefined,
      /^layout\.broken-chain .* it follows sha1:1, and before it is nothing/,
    ],
    [
      committed('alter database :DATABASE_NAME set x = 1'),
      undefined,
      /^layout\.unset-variable m\/committed\/000001\.sql:5:16 The placeholder DATABASE_NAME/,
    ],
    [{ 'm/sqitch.plan': 'what is this\n' }, undefined, /^layout\.unreadable m\/sqitch\.plan:1:1 /],
    [
      { 'm/sqitch.plan': 'a 2026-01-01T00:00:00Z A <a@b>\n' },
      undefined,
      /^layout\.missing-file m\/deploy\/a\.sql/,
    ],
    [{ 'm/1_a.sql': '-- Up Migration\n', 'm/2_b.js': '' }, undefined, /^layout\.not-sql m\/2_b\.js/],
    [
      { 'm/1_a.up.sql': 'select 1;\ncommit;', 'm/1_a.down.sql': '' },
      'golang-migrate',
      /^workspace\.transaction-control m\/1_a\.up\.sql:2:1 COMMIT/,
    ],
    [
      { 'm/1_a.sql': '-- migrate:up\n\n\\copy t from x' },
      undefined,
      /^workspace\.psql-meta-command m\/1_a\.sql:3:1 /,
    ],
  ])('%j as %s', (files, layout, told) => {
    expect(refusal(files, layout)).toMatch(told)
  })
})

describe('migrate create goes on in the layout of the folder', () => {
  const now = new Date('2026-02-03T04:05:06.789Z')
  test.each<readonly [layout: LayoutName, files: Files, written: readonly string[]]>([
    [
      'golang-migrate',
      { 'm/000009_a.up.sql': '' },
      ['m/000010_add_rating.up.sql', 'm/000010_add_rating.down.sql'],
    ],
    ['dbmate', { 'm/20260101000000_a.sql': '-- migrate:up\n' }, ['m/20260203040506_add_rating.sql']],
    [
      'diesel',
      {},
      ['m/2026-02-03-040506-0000_add_rating/up.sql', 'm/2026-02-03-040506-0000_add_rating/down.sql'],
    ],
    ['sqlx', { 'm/20260101000000_a.sql': '' }, ['m/20260203040506_add_rating.sql']],
    ['goose', { 'm/00007_a.sql': '-- +goose Up\n' }, ['m/00008_add_rating.sql']],
    [
      'flyway',
      { 'm/a/V1.2__a.sql': '', 'm/a/U1.2__a.sql': '' },
      ['m/a/V1_3__add_rating.sql', 'm/a/U1_3__add_rating.sql'],
    ],
    ['prisma', {}, ['m/migration_lock.toml', 'm/20260203040506_add_rating/migration.sql']],
    ['drizzle', {}, ['m/0000_add_rating.sql', 'm/meta/_journal.json']],
    [
      'sqitch',
      {},
      ['m/deploy/add_rating.sql', 'm/revert/add_rating.sql', 'm/verify/add_rating.sql', 'm/sqitch.plan'],
    ],
    ['graphile-migrate', {}, ['m/current.sql']],
    ['node-pg-migrate', { 'm/1700000000000_a.sql': '-- Up Migration' }, ['m/1770091506789_add_rating.sql']],
    ['sql-migrate', { 'm/3_a.sql': '-- +migrate Up' }, ['m/4-add_rating.sql']],
  ])('%s %j', async (layout, files, written) => {
    folder = makeFolder(files)
    const config = await settleConfig({ dir: 'm', layout }, { cwd: folder.path, environment: {} })
    const report = await migrateCreate(config, { name: 'add rating', now })
    expect(report.databases[0]?.files).toEqual(written)
    // What was written is read again as one more migration; graphile-migrate's only once it is committed.
    const again = readWorkspace({ name: 'shop', migrations: join(folder.path, 'm'), layout }, folder.path)
    const before = Object.keys(files).filter((name) => !/U1|\.down/.test(name)).length
    expect(again.migrations).toHaveLength(layout === 'graphile-migrate' ? 0 : before + 1)
    if (layout === 'drizzle')
      expect(readFileSync(join(folder.path, 'm/meta/_journal.json'), 'utf8')).toContain(
        '"when": 1770091506789',
      )
  })
})
