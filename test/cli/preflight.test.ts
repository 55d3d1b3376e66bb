import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ErrorReport, Report } from 'dbkit'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'

const onServer = serverUrl() === undefined ? describe.skip : describe

onServer('a role that owns only its schema', () => {
  const role = `plain_${String(process.pid)}`
  let database: ServerDatabase
  let url: string
  let folder: Folder

  beforeAll(async () => {
    noteEngine('server PostgreSQL')
    database = await createServerDatabase('preflight')
    await database.query(`create role ${role} login`)
    await database.query(`create schema app authorization ${role}`)
    await database.query('revoke create on schema public from public')
    await database.query('create table public.shared (id int primary key, what text)')
    await database.query('create schema closed')
    await database.query('create table closed.hidden (id int primary key)')
    const own = new URL(database.url)
    own.username = role
    url = own.href
  })
  afterAll(async () => {
    await database.query(`drop owned by ${role} cascade`)
    await database.query(`drop role ${role}`)
    await database.drop()
  })

  /** Rights that are missing, by file and line, each with the statement that grants it. */
  async function missing(
    files: Readonly<Record<string, string>>,
    ...more: readonly string[]
  ): Promise<{
    exit: number | null
    told: readonly (readonly [string, string])[]
    notes: readonly string[]
  }> {
    folder = makeFolder(Object.fromEntries(Object.entries(files).map(([name, sql]) => [`sql/${name}`, sql])))
    const { exit, stdout } = await runCli(
      ['migrate', 'up', '--dir', 'sql', '--url', url, '--json', ...more],
      { cwd: folder.path },
    )
    folder.remove()
    const [report] = (JSON.parse(stdout) as Report).databases
    const errors: readonly ErrorReport[] =
      report?.error === undefined ? [] : [report.error, ...(report.error.others ?? [])]
    return {
      exit,
      told: errors.map(({ code, line, hint = '' }) => [
        `${code}${line === undefined ? '' : ` line ${String(line)}`}`,
        / could run: (.*); or leave/.exec(hint)?.[1] ?? '',
      ]),
      notes: report?.notes ?? [],
    }
  }

  const up = (sql: string): Readonly<Record<string, string>> => ({
    '1_own.up.sql': '-- dbkit: irreversible a test\ncreate table app.mine (id int primary key);\n',
    '2_other.up.sql': `-- dbkit: irreversible a test\n${sql}\n`,
  })

  test('is told what it may not do before anything is changed, and each grant that it is told mends it', async () => {
    const files = up(
      [
        'create table app.more (id int references public.shared);',
        'alter table public.shared add column more int;',
        'create schema further;',
        'create table further.t (id int);',
        'create table stray (id int);',
        'insert into public.shared values (1);',
        'alter table closed.hidden add column x int;',
        'create role somebody;',
      ].join('\n'),
    )
    const first = await missing(files)
    const name = database.name
    expect(first.exit).toBe(3)
    expect(first.told).toEqual([
      [
        'plan.missing-right',
        `create schema if not exists dbkit; grant usage, create on schema dbkit to ${role}`,
      ],
      ['plan.missing-right line 2', `grant references on public.shared to ${role}`],
      ['plan.missing-right line 3', `grant postgres to ${role}`],
      ['plan.missing-right line 4', `grant create on database ${name} to ${role}`],
      ['plan.missing-right line 6', `grant usage, create on schema public to ${role}`],
      ['plan.missing-right line 7', `grant insert on public.shared to ${role}`],
      ['plan.missing-right line 9', `alter role ${role} createrole`],
    ])
    // Not even the first migration, which it may run.
    expect(
      await database.query(`select to_regclass('app.mine') as mine, to_regnamespace('dbkit') as ledger`),
    ).toEqual([{ mine: null, ledger: null }])
    const dry = await missing(files, '--dry-run')
    expect([dry.exit, dry.notes.length]).toEqual([0, first.told.length])
    expect(dry.notes[0]).toContain(`The role ${role} may not create the ledger in schema dbkit`)
    // As told, but for the one that would make it all of postgres.
    for (const [, grant] of first.told)
      if (!grant.startsWith('grant postgres')) for (const one of grant.split('; ')) await database.query(one)
    const second = await missing(files)
    expect(second.told).toEqual([['plan.missing-right line 3', `grant postgres to ${role}`]])
  })

  test('works within its schema, with a ledger that was made for it', async () => {
    const { exit, told } = await missing(
      up(
        'alter table app.mine add column what text;\ncreate index on app.mine (what);\ncomment on table app.mine is $$x$$;',
      ),
    )
    expect({ exit, told }).toEqual({ exit: 0, told: [] })
    // What a program of the same database needs no right on.
    expect(await database.query(`select has_schema_privilege('public', 'dbkit', 'usage') as open`)).toEqual([
      { open: 'f' },
    ])
  })

  test('is asked a superuser for an extension that is not trusted, and may leave the check out', async () => {
    const files = {
      ...up(
        'alter table app.mine add column what text;\ncreate index on app.mine (what);\ncomment on table app.mine is $$x$$;',
      ),
      '3_extension.up.sql': '-- dbkit: irreversible a test\ncreate extension if not exists dblink;\n',
    }
    const asked = await missing(files)
    expect([asked.exit, asked.told]).toEqual([3, [['plan.missing-right line 2', 'create extension dblink']]])
    const tried = await missing(files, '--no-preflight')
    expect([tried.exit, tried.told[0]?.[0]]).toEqual([3, 'database.refused line 2'])
  })
})
