import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { codegen, schemaDump, settleConfig, type Config } from 'dbkit'
import { runCli, type Folder } from '../support/cli.js'
import { freight, proveIn, shadow } from './harness.js'

const MINUTES = 60_000

const carriers = {
  '0001_carriers.up.sql': `create table carriers (id integer primary key, name text not null);
    create function rate(x integer) returns integer language sql immutable as 'select x';`,
  '0001_carriers.down.sql': 'drop function rate(integer); drop table carriers;',
  '0002_rates.up.sql': 'create view rated as select id, rate(id) as rate from carriers;',
  '0002_rates.down.sql': 'drop view rated;',
}

function configOf({ path }: Folder): Promise<Config> {
  return settleConfig({}, { cwd: path, environment: { HOME: process.env['HOME'] } })
}

async function dumped(): Promise<Folder> {
  const folder = freight(carriers)
  const { ok } = await schemaDump(await configOf(folder), shadow())
  expect(ok).toBe(true)
  return folder
}

describe('the declared schema', () => {
  test('is said to be missing where there is none', async () => {
    const { ok, verify } = await proveIn(freight(carriers))
    expect(ok).toBe(true)
    expect([verify?.schema?.outcome, verify?.schema?.notes]).toEqual([
      'not-run',
      ['there is none in sql/freight/schema: dbkit schema dump writes it'],
    ])
  })

  test('is taken as it was dumped, and as somebody else would write it', async () => {
    const folder = await dumped()
    expect((await proveIn(folder)).verify?.schema).toEqual({ outcome: 'ok', findings: [] })
    // Another file, another order: the view is made before what it reads.
    folder.write({
      'sql/freight/schema/functions/rate.sql': '-- moved\n',
      'sql/freight/schema/a_first.sql':
        "CREATE VIEW rated AS SELECT carriers.id, rate(id) AS rate FROM carriers;\nCREATE FUNCTION rate(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'select x';",
      'sql/freight/schema/views/rated.sql': '',
    })
    const { ok, verify } = await proveIn(folder)
    expect([ok, verify?.schema]).toEqual([
      true,
      {
        outcome: 'ok',
        findings: [],
        notes: ['3 files are written otherwise than by dbkit schema dump, and mean the same'],
      },
    ])
  })

  test('that says something else fails the proof, object by object', async () => {
    const folder = await dumped()
    folder.write({
      'sql/freight/schema/tables/carriers.sql':
        'create table public.carriers (id integer not null primary key, name text, phone text);\ncreate index on public.carriers (name);',
    })
    const { ok, verify } = await proveIn(folder)
    expect(ok).toBe(false)
    expect(verify?.schema?.outcome).toBe('failed')
    expect(verify?.schema?.findings.map(({ message }) => message)).toEqual([
      'column public.carriers.name: not null yes -> no',
      'only the declared schema has column public.carriers.phone',
      'only the declared schema has index public.carriers_name_idx',
    ])
  })

  test('that cannot be run fails with its place', async () => {
    const folder = await dumped()
    folder.write({
      'sql/freight/schema/views/rated.sql': 'create view rated as\n  select nothing from carriers;',
    })
    const { ok, verify } = await proveIn(folder)
    expect(ok).toBe(false)
    const error = verify?.schema?.error
    expect([error?.file, error?.line, error?.column, error?.message]).toEqual([
      'sql/freight/schema/views/rated.sql',
      2,
      10,
      'column "nothing" does not exist',
    ])
  })
})

describe('the emitted types', () => {
  test(
    'are looked at where there are some',
    async () => {
      const folder = freight(carriers)
      expect((await proveIn(folder)).verify?.types?.outcome).toBe('not-run')
      await codegen(await configOf(folder))
      expect((await proveIn(folder)).verify?.types).toEqual({ outcome: 'ok', findings: [] })
      folder.write({
        'sql/freight/migrations/0003_phone.up.sql': 'alter table carriers add phone text;',
        'sql/freight/migrations/0003_phone.down.sql': 'alter table carriers drop phone;',
      })
      const { ok, verify } = await proveIn(folder)
      expect([ok, verify?.types?.outcome]).toEqual([false, 'failed'])
      expect(verify?.types?.notes?.join('\n')).toMatch(/types\/freight\.ts is out of date[^]*\+ .*phone/)
    },
    2 * MINUTES,
  )
})

describe('seeds that claim older versions', () => {
  const history = {
    ...carriers,
    'seeds/freight/reference/carriers.csv': 'id,name\n1,Acme\n',
    '0003_phone.up.sql': 'alter table carriers add phone text;',
    '0003_phone.down.sql': 'alter table carriers drop phone;',
  }

  test('are loaded at each of them, twice', async () => {
    const { ok, verify } = await proveIn(freight(history, { seedsFrom: { reference: '1' } }))
    expect([ok, verify?.seedClaims]).toEqual([
      true,
      { outcome: 'ok', findings: [], notes: ['reference from 0001_carriers on'] },
    ])
  })

  test('are told where they do not fit', async () => {
    const files = { ...history, 'seeds/freight/reference/carriers.csv': 'id,name,phone\n1,Acme,1\n' }
    const { ok, verify } = await proveIn(freight(files, { seedsFrom: { reference: '0002_rates' } }))
    expect([ok, verify?.seeds?.outcome, verify?.seedClaims?.outcome]).toEqual([false, 'ok', 'failed'])
    expect(verify?.seedClaims?.notes).toEqual(['set reference at 0002_rates'])
    expect(verify?.seedClaims?.error?.message).toContain('phone')
  })

  test('are told where a second load changes something', async () => {
    const files = {
      ...history,
      'seeds/freight/reference/carriers.csv': 'id,name\n',
      'seeds/freight/reference/more.sql':
        'insert into carriers values ((select coalesce(max(id), 0) + 1 from carriers), $$x$$);',
    }
    const { verify } = await proveIn(freight(files, { seedsFrom: { reference: '1' } }))
    expect(verify?.seedClaims?.findings.map(({ message }) => message)).toEqual([
      'a second load of the seeds adds 1 row of table public.carriers',
    ])
  })
})

describe('verify --base', () => {
  const git = (folder: Folder, ...args: string[]): void => {
    const { status, stderr } = spawnSync(
      'git',
      ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args],
      { cwd: folder.path, encoding: 'utf8' },
    )
    expect([args[0], status, status === 0 ? '' : stderr]).toEqual([args[0], 0, ''])
  }

  /** A repository whose main has 0001 and what is given; the branch that is checked out parted after 0001. */
  function repository(
    onMain: Readonly<Record<string, string>>,
    here: Readonly<Record<string, string>>,
  ): Folder {
    const folder = freight({
      '0001_t.up.sql': 'create table t (id integer primary key, a integer);',
      '0001_t.down.sql': 'drop table t;',
    })
    const write = (files: Readonly<Record<string, string>>): void => {
      for (const [name, text] of Object.entries(files))
        writeFileSync(join(folder.path, 'sql/freight/migrations', name), text)
    }
    git(folder, 'init', '--quiet', '--initial-branch=main')
    git(folder, 'add', '.')
    git(folder, 'commit', '--quiet', '-m', 'Begin')
    git(folder, 'checkout', '--quiet', '-b', 'branch')
    git(folder, 'checkout', '--quiet', 'main')
    write(onMain)
    git(folder, 'add', '.')
    git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'Go on')
    git(folder, 'checkout', '--quiet', 'branch')
    write(here)
    return folder
  }

  const viewOfA = {
    '0003_v.up.sql': 'create or replace function f() returns integer language sql as $$select 3$$;',
    '0003_v.down.sql': 'drop function f();',
  }

  test('finds that two migrations do not commute', async () => {
    const folder = repository(viewOfA, {
      '0002_f.up.sql': 'create or replace function f() returns integer language sql as $$select 2$$;',
      '0002_f.down.sql': 'drop function f();',
    })
    const { ok, verify } = await proveIn(folder, { ...shadow(), base: 'main' })
    expect([ok, verify?.merge?.outcome, verify?.merge?.notes]).toEqual([
      false,
      'failed',
      ['applied late: 0002_f'],
    ])
    expect(verify?.merge?.findings.map(({ object }) => object)).toEqual(['function public.f()'])
  })

  test('finds a migration that cannot come late', async () => {
    const folder = repository(
      { '0003_a.up.sql': 'alter table t drop a;', '0003_a.down.sql': 'alter table t add a integer;' },
      { '0002_i.up.sql': 'create index t_a on t (a);', '0002_i.down.sql': 'drop index t_a;' },
    )
    const { ok, verify } = await proveIn(folder, { ...shadow(), base: 'main' })
    expect([ok, verify?.merge?.error?.message, verify?.merge?.error?.file]).toEqual([
      false,
      'column "a" does not exist',
      'sql/freight/migrations/0002_i.up.sql',
    ])
    expect(verify?.merge?.notes).toEqual(['applied in the order main first, then what is new here'])
  })

  test('is content with what commutes, and with what comes in order', async () => {
    const late = repository(viewOfA, {
      '0002_b.up.sql': 'alter table t add b integer;',
      '0002_b.down.sql': 'alter table t drop b;',
    })
    const { ok, verify } = await proveIn(late, { ...shadow(), base: 'main' })
    expect([ok, verify?.merge]).toEqual([
      true,
      { outcome: 'ok', findings: [], notes: ['applied late: 0002_b'] },
    ])
    const inOrder = repository({}, viewOfA)
    expect((await proveIn(inOrder, { ...shadow(), base: 'main' })).verify?.merge).toEqual({
      outcome: 'ok',
      findings: [],
      notes: ['nothing comes late: 0003_v is new here, nothing is new on main'],
    })
  })

  test('names a version that both sides have taken', async () => {
    const folder = repository(viewOfA, { '0003_w.up.sql': 'select 1;', '0003_w.down.sql': 'select 1;' })
    const { ok, verify } = await proveIn(folder, { ...shadow(), base: 'main' })
    expect([ok, verify?.merge?.findings[0]?.message]).toEqual([
      false,
      'version 3 is 0003_w here and 0003_v on main: give one of them a later version',
    ])
  })

  test('says what is wrong with the ref', async () => {
    const folder = repository({}, {})
    const { exit, stderr } = await runCli(['verify', '--base', 'elsewhere'], { cwd: folder.path })
    expect([exit, stderr]).toEqual([2, expect.stringContaining('The migrations at elsewhere cannot be read')])
  })
})
