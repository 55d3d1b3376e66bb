import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import * as dbkit from 'dbkit'
import { showProgress } from '../../src/cli/progress.js'
import { makeFolder, runCli, startCli, type Ended, type Folder } from '../support/cli.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'
import { lines, oid, valid, type Doc } from './documents.js'
import { root } from './import-harness.js'

const config = JSON.stringify({
  databases: {
    delauto: {
      migrations: join(root, 'sql/delauto/migrations'),
      mongo: join(root, 'sql/delauto/mongo.json'),
    },
    other: { migrations: join(root, 'sql/delauto/migrations') },
  },
})

interface Report {
  readonly ok: boolean
  readonly databases: readonly dbkit.DatabaseReport[]
  readonly error?: dbkit.ErrorReport
}

const parse = ({ stdout }: Ended): Report => JSON.parse(stdout) as Report

let folder: Folder
beforeEach(() => {
  folder = makeFolder({ 'dbkit.config.json': config })
})
afterEach(() => {
  folder.remove()
})

describe('the command', () => {
  const run = (...args: readonly string[]): Promise<Ended> =>
    runCli(['import', 'mongo', '-d', 'delauto', '--embedded', ...args], { cwd: folder.path })

  test.each<[what: string, args: readonly string[], code: string]>([
    ['a file that is not there', ['nowhere.json'], 'import.missing-file'],
    ['a file of no collection', ['drivers.json'], 'import.unknown-collection'],
    [
      'a collection that the mapping does not have',
      ['drivers.json', '--collection', 'drivers'],
      'import.unknown-collection',
    ],
    ['a folder without documents', ['empty'], 'import.no-files'],
  ])('refuses %s before it opens a database', async (_, args, code) => {
    folder.write({ 'drivers.json': '', 'empty/readme.txt': '' })
    const ended = await run(...args, '--json')
    expect(ended.exit).toBe(2)
    expect(parse(ended).error?.code).toBe(code)
  })

  test('needs one database, and one with a mapping', async () => {
    folder.write({ 'agents.json': '' })
    const all = await runCli(['import', 'mongo', 'agents.json', '--embedded', '--json'], { cwd: folder.path })
    expect([all.exit, parse(all).error?.code]).toEqual([2, 'request.choose-one'])
    const other = await runCli(['import', 'mongo', '-d', 'other', 'agents.json', '--embedded', '--json'], {
      cwd: folder.path,
    })
    expect([other.exit, parse(other).error?.code]).toEqual([2, 'import.no-mapping'])
  })

  test('names what is wrong with the mapping', async () => {
    folder.write({
      'agents.json': '',
      'mongo.json': '{"collections": {"agents": {"table": "agents", "fields": {"name": "sting"}}}}',
      'dbkit.config.json': JSON.stringify({
        databases: { delauto: { migrations: join(root, 'sql/delauto/migrations'), mongo: 'mongo.json' } },
      }),
    })
    const wrong = await run('agents.json')
    expect(wrong.exit).toBe(2)
    expect(wrong.stderr).toContain(
      'mongo.json: collections.agents.fields.name.type is "sting", expected one of string',
    )
    folder.write({ 'mongo.json': '{' })
    expect((await run('agents.json')).stderr).toContain('The mapping mongo.json could not be read')
  })

  test('does not take the embedded engine for a server that CI forgot', async () => {
    folder.write({ 'agents.json': '' })
    const ended = await runCli(['import', 'mongo', '-d', 'delauto', 'agents.json', '--json'], {
      cwd: folder.path,
      env: { CI: 'true' },
    })
    expect([ended.exit, parse(ended).error?.code]).toEqual([2, 'request.embedded-in-ci'])
  })
})

describe('the bar', () => {
  const shown = (isTTY: boolean): string => {
    let text = ''
    const stderr = { isTTY, columns: 120, write: (more: string) => (text += more) }
    const { observer, clear } = showProgress({ stderr } as unknown as Parameters<typeof showProgress>[0], {
      color: false,
    })
    const about = {
      kind: 'import-progress',
      database: 'delauto',
      documents: 1_234_567,
      totalBytes: 1_000,
    } as const
    observer({ ...about, phase: 'reading', bytes: 500 })
    observer({ ...about, phase: 'writing', bytes: 1_000 })
    clear()
    return text
  }

  test('is drawn on a terminal', () => {
    expect(shown(true)).toContain('delauto: reading ████████████░░░░░░░░░░░░  50 %, 1,234,567 documents')
    expect(shown(true)).toContain('delauto: writing 1,234,567 documents')
  })

  test('is silent in a pipe', () => {
    expect(shown(false)).toBe('')
  })
})

const many = (count: number, more: (index: number) => Doc = () => ({})): string =>
  lines(...Array.from({ length: count }, (_, index) => valid.agent(index + 1, more(index))))

const describeOnServer = serverUrl() === undefined ? describe.skip : describe

describeOnServer('the command on a server', () => {
  let database: ServerDatabase
  beforeAll(async () => {
    database = await createServerDatabase('import_command')
    const settled = await dbkit.settleConfig(
      { url: database.url, config: join(root, 'dbkit.config.ts'), database: ['delauto'] },
      { cwd: root, environment: {} },
    )
    expect((await dbkit.migrateUp(settled)).ok).toBe(true)
  }, 120_000)
  beforeEach(async () => {
    await database.query('truncate agents, customers cascade')
  })
  afterAll(async () => {
    await database.drop()
  })

  const args = (...more: readonly string[]): readonly string[] => [
    'import',
    'mongo',
    '-d',
    'delauto',
    '--url',
    database.url,
    ...more,
  ]
  const run = (...more: readonly string[]): Promise<Ended> => runCli(args(...more), { cwd: folder.path })
  const agents = async (): Promise<number> =>
    Number((await database.query('select count(*) from agents'))[0]?.['count'])

  test('imports a folder, and names the files it left out', async () => {
    folder.write({
      'dump/delauto.agents.json': many(2),
      'dump/customers.json': lines(valid.customer(9)),
      'dump/agents.metadata.json': '{"indexes":[]}',
      'dump/sessions.json': '{}',
    })
    const ended = await run('dump')
    expect(ended.exit).toBe(0)
    expect(ended.stderr).toBe('')
    expect(ended.stdout).toMatch(/✓ agents +2 new +0 changed +0 as they were/)
    expect(ended.stdout).toMatch(/✓ customers +1 new/)
    expect(ended.stdout).toContain('note dump/agents.metadata.json was left out')
    expect(ended.stdout).toContain('note dump/sessions.json was left out')
    expect(await agents()).toBe(2)
  })

  test('reads a file once, however often it is named', async () => {
    folder.write({ 'dump/agents.json': many(2) })
    const ended = await run('dump', 'dump/agents.json', './dump/../dump/agents.json')
    expect(ended.exit).toBe(0)
    expect(await agents()).toBe(2)
  })

  test('takes the name of the collection from the command line, and paths from where it is run', async () => {
    folder.write({ 'deep/down/export-2025-11.json': many(3) })
    const ended = await runCli(args('export-2025-11.json', '--collection', 'agents'), {
      cwd: join(folder.path, 'deep/down'),
    })
    expect(ended.exit).toBe(0)
    expect(await agents()).toBe(3)
  })

  test('lists the first bad documents for people and all of them for programs', async () => {
    folder.write({
      'agents.json': many(50, (index) => (index % 2 === 0 ? { role: 'boss' } : { nickname: 'x' })) + many(1),
    })
    const human = await run('agents.json')
    expect(human.exit).toBe(2)
    expect(human.stderr).toContain('error delauto: 50 documents of 51 cannot be imported.')
    expect(human.stderr).toContain(`enum  agents.json:1  ${oid(1)}  role  "boss" is none of agent, admin`)
    expect(human.stderr.split('\n').filter((line) => / agents\.json:\d+ /.test(line))).toHaveLength(20)
    expect(human.stderr).toMatch(/\.\.\. and 30 more \(15 enum, 15 unknown-field\); --json lists them/)
    const ended = await run('agents.json', '--json')
    expect(ended.exit).toBe(2)
    expect(ended.stderr).toBe('')
    const { ok, databases } = parse(ended)
    expect(ok).toBe(false)
    expect(databases[0]?.error?.code).toBe('import.bad-documents')
    expect(databases[0]?.import?.findings).toHaveLength(50)
    expect(databases[0]?.import?.findings[1]).toEqual({
      severity: 'error',
      code: 'unknown-field',
      collection: 'agents',
      file: 'agents.json',
      line: 2,
      id: oid(2),
      path: 'nickname',
      message: 'the mapping has no such field',
    })
    expect(await agents()).toBe(0)
  })

  test('prints errors only, when it is to be quiet', async () => {
    folder.write({ 'agents.json': lines({ ...valid.agent(1), _id: 'plain' }) })
    const quiet = await run('agents.json', '--quiet')
    expect([quiet.exit, quiet.stdout, quiet.stderr]).toEqual([0, '', ''])
    expect((await run('agents.json')).stderr).toContain('warning opaque-id  agents.json:1  plain  _id')
    folder.write({ 'agents.json': lines({ ...valid.agent(1), _id: 'plain', role: 'boss' }) })
    const wrong = await run('agents.json', '--quiet')
    expect(wrong.stdout).toBe('')
    expect(wrong.stderr).toContain('enum  agents.json:1  plain  role')
    expect(wrong.stderr).not.toContain('warning')
  })

  test('ends with 1 when it left bad documents out, and with 0 after a dry run that would', async () => {
    folder.write({ 'agents.json': lines(valid.agent(1), valid.agent(2, { role: 'boss' })) })
    const skipped = await run('agents.json', '--skip-bad')
    expect(skipped.exit).toBe(1)
    expect(await agents()).toBe(1)
    folder.write({ 'agents.json': lines(valid.agent(3)) })
    const dry = await run('agents.json', '--dry-run')
    expect(dry.exit).toBe(0)
    expect(dry.stdout).toMatch(/✓ agents +1 new/)
    expect(dry.stdout).toContain('nothing was written')
    expect(await agents()).toBe(1)
  })

  test('says what the database lacks', async () => {
    const empty = await createServerDatabase('import_empty')
    try {
      folder.write({ 'agents.json': many(1) })
      const ended = await runCli(['import', 'mongo', '-d', 'delauto', '--url', empty.url, 'agents.json'], {
        cwd: folder.path,
      })
      expect(ended.exit).toBe(2)
      expect(ended.stderr).toContain('does not fit the table agents: there is no such table.')
      expect(ended.stderr).toContain('Migrate up first (dbkit migrate up)')
    } finally {
      await empty.drop()
    }
  })

  test('changes rows only as their owner, because of the triggers', async () => {
    folder.write({ 'agents.json': many(2) })
    await run('agents.json')
    await database.query('drop role if exists import_guest')
    await database.query('create role import_guest login')
    await database.query(
      'grant select, insert, update, delete on all tables in schema public to import_guest',
    )
    try {
      const url = new URL(database.url)
      url.username = 'import_guest'
      const asGuest = (): Promise<Ended> =>
        runCli(['import', 'mongo', '-d', 'delauto', '--url', url.href, 'agents.json', '--json'], {
          cwd: folder.path,
        })
      // Nothing that changed, nothing to switch off.
      expect((await asGuest()).exit).toBe(0)
      folder.write({ 'agents.json': many(2, () => ({ name: 'New' })) })
      const refused = await asGuest()
      expect([refused.exit, parse(refused).databases[0]?.error?.code]).toEqual([3, 'import.not-owner'])
      expect(await database.query("select count(*) from agents where name = 'New'")).toEqual([{ count: '0' }])
    } finally {
      await database.query('revoke all on all tables in schema public from import_guest')
      await database.query('drop role import_guest')
    }
  })

  describe('interrupted', () => {
    /** Starts an import of many documents and waits until some of them are in the database. */
    async function startLarge(): Promise<ReturnType<typeof startCli>> {
      folder.write({ 'agents.json': many(60_000) })
      const started = startCli(args('agents.json'), { cwd: folder.path })
      const deadline = Date.now() + 30_000
      for (;;) {
        const [row] = await database.query(
          "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'dbkit import%' and query like 'copy%'",
        )
        if (row?.['count'] !== '0') return started
        if (Date.now() > deadline || started.child.exitCode !== null)
          throw new Error('the import was never seen')
        await sleep(5)
      }
    }

    async function expectNothingLeft(): Promise<void> {
      const deadline = Date.now() + 10_000
      for (;;) {
        const [row] = await database.query(
          "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'dbkit import%'",
        )
        if (row?.['count'] === '0') break
        if (Date.now() > deadline) throw new Error('the import still holds its connection')
        await sleep(20)
      }
      expect(await agents()).toBe(0)
      const again = await run('agents.json')
      expect(again.exit).toBe(0)
      expect(await agents()).toBe(60_000)
    }

    test('by Ctrl-C it leaves nothing, and the same command goes through', async () => {
      const { child, ended } = await startLarge()
      child.kill('SIGINT')
      const { exit, stderr } = await ended
      expect(exit).toBe(130)
      expect(stderr).toContain('Interrupted.')
      await expectNothingLeft()
    })

    test('by kill -9 it leaves nothing, and the same command goes through', async () => {
      const { child, ended } = await startLarge()
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
      await expectNothingLeft()
    })

    test('by a lost connection it leaves nothing, and the same command goes through', async () => {
      const { ended } = await startLarge()
      await database.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'dbkit import%' and query like 'copy%'",
      )
      expect((await ended).exit).toBe(3)
      await expectNothingLeft()
    })
  })

  test('waits for another import instead of meeting it', async () => {
    folder.write({ 'agents.json': many(5_000) })
    const both = [
      startCli(args('agents.json', '--json'), { cwd: folder.path }),
      startCli(args('agents.json', '--json'), { cwd: folder.path }),
    ]
    const reports = (await Promise.all(both.map(({ ended }) => ended))).map(parse)
    const inserted = reports.map(({ databases }) => databases[0]?.import?.tables[0]?.inserted)
    expect(inserted.sort()).toEqual([0, 5_000])
    expect(await agents()).toBe(5_000)
  })
})

describe('an import into the embedded engine', () => {
  // A child that says where it is, so that it can be killed there.
  const child = `
    import { importMongo, settleConfig } from ${JSON.stringify(pathToFileURL(join(root, 'dist/lib/index.js')).href)}
    const config = await settleConfig({ database: ['delauto'], embedded: true }, { cwd: process.cwd(), environment: process.env })
    const observer = ({ phase }) => process.stdout.write(phase + '\\n')
    const report = await importMongo(config, { paths: ['agents.json'], observer })
    process.stdout.write(JSON.stringify(report.databases[0]))`

  async function settled(): Promise<dbkit.Config> {
    return dbkit.settleConfig(
      { database: ['delauto'], embedded: true },
      { cwd: folder.path, environment: process.env },
    )
  }

  test('leaves nothing when it is killed or interrupted', async () => {
    const config = await settled()
    expect((await dbkit.migrateUp(config)).ok).toBe(true)
    folder.write({ 'agents.json': many(8_000), 'import.mjs': child })
    const killed = spawn(process.execPath, ['import.mjs'], {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    killed.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('writing')) killed.kill('SIGKILL')
    })
    expect(await once(killed, 'close')).toEqual([null, 'SIGKILL'])

    const controller = new AbortController()
    const interrupted = await dbkit.importMongo(config, {
      paths: ['agents.json'],
      signal: controller.signal,
      observer(event) {
        if (event.kind === 'import-progress') controller.abort()
      },
    })
    expect(interrupted.databases[0]?.error?.code).toBe('run.interrupted')

    const { databases } = await dbkit.importMongo(config, { paths: ['agents.json'] })
    expect(databases[0]?.error).toBeUndefined()
    expect(databases[0]?.import?.tables).toEqual([
      { table: 'agents', inserted: 8_000, updated: 0, unchanged: 0, removed: 0 },
    ])
  }, 240_000)
})
