import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { converse } from '../../src/cli/shell/converse.js'
import { renderTable } from '../../src/cli/shell/render-table.js'
import { dbShell, settleConfig, type Shell } from '../../src/index.js'
import { makeFolder, runCli, type Ended, type Folder } from '../support/cli.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from '../support/server.js'
import { startServe } from '../support/serve.js'

let folder: Folder
beforeAll(() => {
  folder = makeFolder({
    'dbkit.config.json': JSON.stringify({ databases: { freight: {}, billing: {} } }),
  })
  noteEngine('embedded PGlite 0.5.8')
})
afterAll(() => {
  folder.remove()
})

/** Without a PATH there is no psql. */
const shell = (input: string, ...args: string[]): Promise<Ended> =>
  runCli(['db', 'shell', '-d', 'freight', ...args], { cwd: folder.path, env: { PATH: '' }, input })

describe('the shell without psql', () => {
  test('runs statements that take several lines, and shows rows in columns', async () => {
    const { exit, stdout, stderr } = await shell(`
      create table loads (
        id int primary key, -- a ; that ends nothing
        note text default 'a;b', miles numeric(8,1)
      ); insert into loads (id, note) values (1, $$x;y$$), (20, null);
      select id, note, miles from loads
       order by id;
      begin; delete from loads; rollback;
      select count(*) from loads`)
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toBe(
      [
        'CREATE',
        'INSERT 0 2',
        ' id | note | miles',
        '----+------+-------',
        '  1 | x;y  |     ∅',
        ' 20 | ∅    |     ∅',
        '(2 rows)',
        '',
        'BEGIN',
        'DELETE 2',
        'ROLLBACK',
        ' count',
        '-------',
        '     2',
        '(1 row)',
        '',
        '',
      ].join('\n'),
    )
  })

  test('stops at the first error, pointing at it', async () => {
    const { exit, stdout, stderr } = await shell(
      'select 1 as one;\nselect\n  nowhere from loads;\nselect 2 as two;',
    )
    expect(exit).toBe(3)
    expect(stdout).toContain('one')
    expect(stdout).not.toContain('two')
    expect(stderr).toBe(
      [
        'error column "nowhere" does not exist (SQLSTATE 42703)',
        '  input:2:3',
        '  2 |   nowhere from loads',
        '    |   ^',
        '',
      ].join('\n'),
    )
  })

  test('lists tables, describes one, and ends at \\q', async () => {
    const { exit, stdout } = await shell('\\d\n\\d loads\n\\q\nselect 1/0;')
    expect(exit).toBe(0)
    expect(stdout).toContain(' public | loads | table\n')
    expect(stdout).toContain(" note   | text         |          | 'a;b'::text\n")
  })

  test('shows notices, and refuses commands that it does not know', async () => {
    const told = await shell("do $$ begin raise notice 'hello'; end $$;")
    expect(told).toMatchObject({ exit: 0, stderr: 'notice hello\n' })
    const unknown = await shell('\\timing\nselect 1;')
    expect(unknown).toMatchObject({ exit: 2, stdout: '' })
    expect(unknown.stderr).toContain('\\timing is not known here')
  })

  test('works beside a serve of the same database', async () => {
    const served = await startServe(folder.path, ['-d', 'freight', '--port', '0'])
    const { exit, stdout } = await shell('select count(*) from loads;')
    expect((await served.stop()).exit).toBe(0)
    expect(exit).toBe(0)
    expect(stdout).toContain('     2\n')
  })
})

test('a session that was cancelled is followed by a new one', async () => {
  const config = await settleConfig(
    { database: ['freight'], embedded: true },
    { cwd: folder.path, environment: { HOME: process.env['HOME'], PATH: '' } },
  )
  const notices: string[] = []
  const status = await dbShell(config, {
    observer(event) {
      if (event.kind === 'notice') notices.push(event.message)
    },
    runProgram: () => Promise.reject(new Error('there is no psql on this PATH')),
    async converse(shell) {
      await shell.run('create table before (id int)')
      const slow = shell.run('select count(*) from generate_series(1, 100000000000)')
      setTimeout(() => {
        shell.cancel()
      }, 200)
      const stopped = await slow
      expect(stopped.error?.sql?.sqlstate).toBe('57014')
      expect(stopped.lost).toBe(false)
      const { results, error } = await shell.describe(undefined)
      expect(error).toBeUndefined()
      expect(results[0]?.table?.rows).toContainEqual(['public', 'before', 'table'])
      return 5
    },
  })
  expect(status).toBe(5)
  expect(notices).toEqual([expect.stringContaining('connected again')])
})

describe('on a terminal', () => {
  const terminal = (): {
    readonly typed: PassThrough
    readonly shown: () => string
    readonly stderr: () => string
    readonly it: Parameters<typeof converse>[0]
  } => {
    const typed = Object.assign(new PassThrough(), { isTTY: true })
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
    let shown = ''
    let errors = ''
    stdout.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
    return {
      typed,
      shown: () => shown,
      stderr: () => errors,
      it: {
        argv: [],
        env: {},
        cwd: () => '/',
        stdin: typed,
        stdout,
        stderr: { write: (text: string) => (errors += text) },
        on: () => undefined,
        removeListener: () => undefined,
        exit: () => undefined,
      },
    }
  }
  const seen: string[] = []
  let release: (() => void) | undefined
  const fake: Shell = {
    database: 'freight',
    split(typed) {
      const parts = typed.split(';')
      const rest = parts.pop() ?? ''
      return { statements: parts.map((part) => part.trim()), rest }
    },
    async run(sql) {
      seen.push(sql)
      if (sql === 'slow')
        await new Promise<void>((resolve) => {
          release = resolve
        })
      const message = `no ${sql}`
      return sql.startsWith('bad') || sql === 'slow'
        ? { results: [], error: { code: 'database.refused', exit: 3, message }, lost: sql === 'bad end' }
        : { results: [{ tag: 'OK', table: undefined }], error: undefined, lost: false }
    },
    describe: () => Promise.resolve({ results: [], error: undefined, lost: false }),
    cancel() {
      seen.push('cancelled')
      release?.()
    },
  }
  beforeEach(() => {
    seen.length = 0
  })
  const talk = async (
    keys: readonly string[],
  ): Promise<{ status: number; shown: string; errors: string }> => {
    const { typed, shown, stderr, it } = terminal()
    const status = converse(it, fake, { color: false, signal: new AbortController().signal })
    for (const key of keys) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (key === 'END') typed.end()
      else typed.write(key)
    }
    return { status: await status, shown: shown(), errors: stderr() }
  }

  test('it prompts, goes on after an error, and ends at Ctrl-D', async () => {
    const { status, shown, errors } = await talk(['bad;\r', 'good\r', '  one;\r', '\x04'])
    expect(seen).toEqual(['bad', 'good\n  one'])
    expect(status).toBe(0)
    expect(errors).toBe('error no bad\n')
    expect(shown).toContain('freight=> ')
    expect(shown).toContain('freight-> ')
    expect(shown).toContain('OK\n')
  })

  test('Ctrl-C forgets what was typed, and stops what is running', async () => {
    const { status } = await talk(['half a\r', '\x03', 'good;\r', 'slow;\r', '\x03', '\\q\r'])
    expect(seen).toEqual(['good', 'slow', 'cancelled'])
    expect(status).toBe(0)
  })

  test('it ends when the session is lost', async () => {
    expect((await talk(['bad end;\r'])).status).toBe(3)
  })
})

describe('psql', () => {
  let bin: Folder
  beforeEach(() => {
    bin = makeFolder({
      services: '[other]\nhost=elsewhere\n',
      psql: '#!/bin/sh\nread line\nprintf \'%s\\n\' "$0" "$@" "input $line"\nenv | /bin/grep ^PG | /bin/sort\nexit 7\n',
    })
    chmodSync(join(bin.path, 'psql'), 0o755)
  })
  afterEach(() => {
    bin.remove()
  })
  const shellWithFake = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ended> =>
    runCli(['db', 'shell', '-d', 'freight', ...args], {
      cwd: folder.path,
      env: { ...env, PATH: `${bin.path}:/usr/bin:/bin` },
      input: 'typed\n',
    })

  test('gets the address and the password in its environment, never as an argument', async () => {
    const url = 'postgresql://ann:s%20cret@db.example:6543/freight?sslmode=require&connect_timeout=3'
    const { exit, stdout } = await shellWithFake(['--url', url], {
      PGSERVICE: 'other',
      PGSERVICEFILE: join(bin.path, 'services'),
      PGHOSTADDR: '10.0.0.1',
      PGOPTIONS: '-c work_mem=8MB',
    })
    expect(exit).toBe(7)
    expect(stdout.trimEnd().split('\n')).toEqual([
      join(bin.path, 'psql'),
      'input typed',
      'PGAPPNAME=dbkit db shell',
      'PGCONNECT_TIMEOUT=3',
      'PGDATABASE=freight',
      'PGHOST=db.example',
      'PGOPTIONS=-c work_mem=8MB',
      'PGPASSWORD=s cret',
      'PGPORT=6543',
      `PGSERVICEFILE=${join(bin.path, 'services')}`,
      'PGSSLMODE=require',
      'PGUSER=ann',
    ])
  })

  test('is used for an embedded database too, on a port of its own', async () => {
    const { exit, stdout } = await shellWithFake([])
    expect(exit).toBe(7)
    expect(stdout).toContain('PROMPT1=freight%R%x%# \n')
    expect(stdout).toContain('PGHOST=127.0.0.1\n')
    expect(stdout).toContain('PGUSER=postgres\n')
  })

  const real = spawnSync('psql', ['--version']).status === 0 ? test : test.skip
  real('answers from the embedded database', async () => {
    const { exit, stdout, stderr } = await runCli(['db', 'shell', '-d', 'billing'], {
      cwd: folder.path,
      input: 'create table bills (id int);\n\\d bills\nselect version();\n',
    })
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toContain('Table "public.bills"')
    expect(stdout).toContain('PGlite')
  })

  const suite = serverUrl() === undefined ? describe.skip : describe
  suite('on a server', () => {
    let server: ServerDatabase
    beforeAll(async () => {
      server = await createServerDatabase('shell')
    })
    afterAll(async () => {
      await server.drop()
    })
    real('answers from it', async () => {
      const { exit, stdout } = await runCli(['db', 'shell', '-d', 'freight', '--url', server.url], {
        cwd: folder.path,
        input: 'select current_database();\n',
      })
      expect(exit).toBe(0)
      expect(stdout).toContain(server.name)
    })
    test('has to be installed', async () => {
      const { exit, stderr } = await shell('select 1;', '--url', server.url)
      expect(exit).toBe(2)
      expect(stderr).toContain('psql was not found on the PATH')
    })
  })
})

test.each([
  ['several databases', ['db', 'shell'], 'works on one database'],
  ['--json', ['db', 'shell', '-d', 'freight', '--json'], 'do not go together'],
])('%s is refused', async (_, args, words) => {
  const { exit, stdout, stderr } = await runCli(args, { cwd: folder.path })
  expect(exit).toBe(2)
  expect(stdout + stderr).toContain(words)
})

test('a value of several lines stands in its column', () => {
  const columns = [
    { name: 'n', isNumber: true },
    { name: 'text', isNumber: false },
  ]
  expect(
    renderTable({
      columns,
      rows: [
        ['7', 'first\nsecond'],
        [null, ''],
      ],
    }),
  ).toBe([' n | text', '---+--------', ' 7 | first', '   | second', ' ∅ |', '(2 rows)', ''].join('\n'))
  expect(renderTable({ columns: [], rows: [[]] })).toBe('\n\n\n(1 row)\n')
})
