import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { openEmbedded } from '../../src/database/embedded.js'
import { serveEmbedded, type EmbeddedServer } from '../../src/database/serve-embedded.js'
import { splitStatements } from '../../src/workspace/statements.js'
import { makeFolder, type Folder } from '../support/cli.js'
import { noteEngine } from '../support/server.js'

/** How long a client waits behind one that sits in a transaction: short, so that a test can wait for it. */
const PATIENCE_MS = 700

let folder: Folder
let server: EmbeddedServer
const clients = new Set<pg.Client>()

beforeAll(async () => {
  folder = makeFolder()
  const opened = await openEmbedded({
    folder: join(folder.path, '.dbkit', 'freight'),
    root: folder.path,
    purpose: 'db serve',
    extensions: [],
    extensionsOnLock: false,
    states: [],
    environment: { HOME: process.env['HOME'] },
  })
  if ('served' in opened) throw new Error('somebody else serves it')
  noteEngine('embedded PGlite 0.5.8')
  server = await serveEmbedded(opened, {
    host: '127.0.0.1',
    port: 0,
    nextFree: false,
    split: splitStatements,
    patienceMs: PATIENCE_MS,
    noticeAfterMs: 100,
    cancelAfterMs: 100,
  })
})
afterEach(async () => {
  for (const client of clients) await client.end()
  clients.clear()
})
afterAll(async () => {
  await server.close()
  folder.remove()
})

interface Told {
  readonly client: pg.Client
  readonly notices: string[]
  readonly ended: Promise<void>
  /** Rows as arrays of text. */
  rows(sql: string, parameters?: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]>
  /** What the first column of the first row says. */
  one(sql: string, parameters?: readonly unknown[]): Promise<string | null | undefined>
  /** The SQLSTATE and message with which it fails. */
  fails(sql: string): Promise<string>
}

async function connect(config: pg.ClientConfig = {}): Promise<Told> {
  const client = new pg.Client({
    host: server.host,
    port: server.port,
    user: 'postgres',
    database: 'postgres',
    ...config,
  })
  const notices: string[] = []
  client.on('notice', ({ message }) => notices.push(message ?? ''))
  client.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
  await client.connect()
  clients.add(client)
  const rows: Told['rows'] = async (sql, parameters = []) => {
    const result = await client.query<(string | null)[]>({
      text: sql,
      ...(parameters.length === 0 ? {} : { values: [...parameters] }),
      rowMode: 'array',
      types: { getTypeParser: () => (value: string) => value },
    })
    return ((Array.isArray(result) ? result.at(-1) : result) as pg.QueryArrayResult<(string | null)[]>).rows
  }
  return {
    client,
    notices,
    ended,
    rows,
    one: async (sql, parameters) => (await rows(sql, parameters))[0]?.[0],
    fails: (sql) =>
      client.query(sql).then(
        () => 'it did not fail',
        (error: unknown) => `${String((error as { code?: unknown }).code)} ${(error as Error).message}`,
      ),
  }
}

const settled = async (promise: Promise<unknown>, afterMs: number): Promise<boolean> => {
  let done = false
  const note = (): void => void (done = true)
  promise.then(note, note)
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  return done
}

describe('one client', () => {
  test('sends parameters of every kind and gets typed rows back', async () => {
    const { client } = await connect()
    const { rows } = await client.query(
      'select $1::int + 1 as n, $2::text as t, $3::jsonb as j, $4::timestamptz as d, $5::text[] as a, $6::bytea as b, null as nothing',
      [41, 'ünï', { a: 1 }, new Date('2026-01-02T03:04:05Z'), ['x', 'y'], Buffer.from([0, 255])],
    )
    expect(rows).toEqual([
      {
        n: 42,
        t: 'ünï',
        j: { a: 1 },
        d: new Date('2026-01-02T03:04:05Z'),
        a: ['x', 'y'],
        b: Buffer.from([0, 255]),
        nothing: null,
      },
    ])
  })

  test('gets an error once, with its place, and can go on', async () => {
    const a = await connect()
    const simple = await a.client.query('select 1;\nselect nowhere').catch((error: unknown) => error)
    expect(simple).toMatchObject({ code: '42703', position: '18' })
    const extended = await a.client.query('select $1::int / 0', [1]).catch((error: unknown) => error)
    expect(extended).toMatchObject({ code: '22012' })
    expect(await a.one('select 7')).toBe('7')
    expect(await a.one('select $1::int', [8])).toBe('8')
  })

  test('sees a failed transaction as PostgreSQL has it', async () => {
    const a = await connect()
    await a.rows('create table attempts (n int)')
    await a.rows('begin')
    await a.rows('insert into attempts values (1)')
    expect(await a.fails('select 1/0')).toContain('22012')
    expect(await a.fails('select 1')).toContain('25P02')
    const { command } = await a.client.query('commit')
    expect(command).toBe('ROLLBACK')
    expect(await a.one('select count(*) from attempts')).toBe('0')
    await a.rows('drop table attempts')
  })

  test('reads a large result whole', async () => {
    const a = await connect()
    const rows = await a.rows("select g, repeat('x', 100) from generate_series(1, 50000) g")
    expect(rows.length).toBe(50_000)
    expect(rows.at(-1)).toEqual(['50000', 'x'.repeat(100)])
  })

  test('sends a statement of several megabytes', async () => {
    const a = await connect()
    expect(await a.one(`select length('${'y'.repeat(5_000_000)}')`)).toBe('5000000')
  })
})

describe('two clients', () => {
  test('keep their settings apart, also those that PostgreSQL does not list', async () => {
    const [a, b] = [
      await connect({ options: '-c TimeZone=Asia/Tokyo' }),
      await connect({ application_name: 'b' }),
    ]
    await a.rows(
      "set search_path to pg_catalog, public; set app.tenant = '42'; select set_config('app.user', 'ann', false)",
    )
    const look = (who: Told): Promise<readonly (readonly (string | null)[])[]> =>
      who.rows(`select current_setting('timezone'), current_setting('search_path'), current_setting('application_name'),
                       nullif(current_setting('app.tenant', true), ''), nullif(current_setting('app.user', true), '')`)
    const zone = await b.one('show timezone')
    expect(zone).not.toBe('Asia/Tokyo')
    expect(await look(b)).toEqual([[zone, 'public', 'b', null, null]])
    expect(await look(a)).toEqual([['Asia/Tokyo', 'pg_catalog, public', '', '42', 'ann']])
    await b.rows("set timezone to 'Europe/Berlin'")
    expect((await look(a))[0]?.[0]).toBe('Asia/Tokyo')
    expect((await look(b))[0]?.[0]).toBe('Europe/Berlin')
  })

  test('keep their roles apart', async () => {
    const [a, b] = [await connect(), await connect()]
    await a.rows('create role driver; create role dispatcher login')
    await a.rows('set role driver')
    expect(await b.one('select current_user')).toBe('postgres')
    expect(await a.one('select current_user')).toBe('driver')
    const c = await connect({ user: 'dispatcher' })
    expect(await c.rows('select session_user, current_user')).toEqual([['dispatcher', 'dispatcher']])
    expect(await b.one('select session_user')).toBe('postgres')
    expect(await c.fails('create role another')).toContain('42501')
    await a.rows('reset role')
    await c.client.end()
    await a.rows('drop role driver; drop role dispatcher')
  })

  test('may give their prepared statements the same name', async () => {
    const [a, b] = [await connect(), await connect()]
    const named = async ({ client }: Told, text: string, n: number): Promise<unknown> =>
      (await client.query({ name: 'same', text, values: [n] })).rows
    for (const n of [1, 2, 3]) {
      expect(await named(a, 'select $1::int as a', n)).toEqual([{ a: n }])
      expect(await named(b, 'select $1::int * 10 as b', n)).toEqual([{ b: n * 10 }])
    }
    await a.rows('prepare typed(int) as select $1 + 1')
    await b.rows('prepare typed(int) as select $1 - 1')
    expect(await a.one('execute typed(5)')).toBe('6')
    expect(await b.one('execute typed(5)')).toBe('4')
    // Dropped in SQL, by a client that did not have the session just before.
    await a.rows('deallocate same')
    expect(await a.rows('select name from pg_prepared_statements order by 1')).toEqual([['typed']])
    expect(await b.rows('select name from pg_prepared_statements order by 1')).toEqual([['same'], ['typed']])
  })

  test('wait for a transaction to end, and are told for whose', async () => {
    const [a, b] = [await connect({ application_name: 'billing' }), await connect()]
    await a.rows('create table entries (n int)')
    await a.rows('begin; insert into entries values (1)')
    const waiting = b.one('select count(*) from entries')
    expect(await settled(waiting, 300)).toBe(false)
    await a.rows('insert into entries values (2)')
    await a.rows('commit')
    expect(await waiting).toBe('2')
    expect(b.notices).toEqual([
      expect.stringMatching(/^waiting for billing \(pid \d+\), which is in a transaction$/),
    ])
    await a.rows('drop table entries')
  })

  test('are not kept waiting for ever by one that does nothing', async () => {
    const [a, b] = [await connect({ application_name: 'idler' }), await connect()]
    await a.rows('begin')
    expect(await b.fails('select 1')).toMatch(
      /^55P03 waited \d+ s for idler \(pid \d+\), which is in a transaction/,
    )
    await expect(connect()).rejects.toMatchObject({ code: '55P03' })
    expect(await a.one('select 1')).toBe('1')
    await a.rows('rollback')
    expect(await b.one('select 2')).toBe('2')
  })

  test.each([
    ['temporary tables', 'create temporary table scratch (n int)', 'drop table scratch'],
    [
      'a cursor that outlives its transaction',
      'begin; declare c cursor with hold for select 1; commit',
      'close c',
    ],
    ['an advisory lock', 'select pg_advisory_lock(5)', 'select pg_advisory_unlock(5)'],
  ])('keep the session while they have %s', async (_, take, release) => {
    const [a, b] = [await connect(), await connect()]
    await a.rows(take)
    const waiting = b.one('select 1')
    expect(await settled(waiting, 300)).toBe(false)
    await a.rows(release)
    expect(await waiting).toBe('1')
  })

  test('lose nothing but what they had not committed when they are killed', async () => {
    const [a, b] = [await connect(), await connect()]
    await a.rows('create table survivors (n int)')
    await a.rows('create temporary table scratch (n int)')
    await a.rows("set app.tenant = '1'")
    await a.rows('begin; insert into survivors values (1); create temporary table more (n int)')
    const waiting = b.one('select count(*) from survivors')
    a.client.connection.stream.destroy()
    await a.ended
    expect(await waiting).toBe('0')
    expect(
      await b.rows(
        "select nullif(current_setting('app.tenant', true), ''), to_regclass('scratch'), to_regclass('more')",
      ),
    ).toEqual([[null, null, null]])
    await b.rows('drop table survivors')
  })

  test('roll back what was sent without its Sync when they are killed', async () => {
    const [a, b] = [await connect(), await connect()]
    await b.rows('create table halves (n int)')
    const { stream } = a.client.connection
    const message = (type: string, body: string): Buffer => {
      const head = Buffer.alloc(5)
      head.write(type, 0, 'latin1')
      head.writeInt32BE(body.length + 4, 1)
      return Buffer.concat([head, Buffer.from(body, 'latin1')])
    }
    const messages = [
      message('P', '\0insert into halves values (1)\0\0\0'),
      message('B', '\0\0\0\0\0\0\0\0'),
      message('E', '\0\0\0\0\0'),
      message('H', ''),
    ]
    const answered = new Promise((resolve) => stream.once('data', resolve))
    stream.write(Buffer.concat(messages))
    await answered
    const waiting = b.one('select count(*) from halves')
    expect(await settled(waiting, 200)).toBe(false)
    stream.destroy()
    expect(await waiting).toBe('0')
    await b.rows('drop table halves')
  })

  test('hear notifications that are for them, and only those', async () => {
    const [a, b, c] = [await connect(), await connect(), await connect()]
    const heard: string[] = []
    for (const [name, { client }] of Object.entries({ a, b, c }))
      client.on('notification', ({ channel, payload = '', processId }) => {
        const from = processId === (a.client as unknown as { processID: number }).processID ? 'a' : 'another'
        heard.push(`${name}: ${channel} ${payload} from ${from}`)
      })
    await b.rows('listen loads')
    await c.rows('listen "Loads"; listen loads')
    await c.rows('unlisten loads')
    await a.rows("notify loads, 'first'; notify \"Loads\", 'second'")
    await a.client.query('select pg_notify($1, $2)', ['loads', 'third'])
    await b.rows('select 1')
    await c.rows('select 1')
    expect(heard).toEqual(['b: loads first from a', 'c: Loads second from a', 'b: loads third from a'])
    await b.client.end()
    await a.rows('notify "Loads", \'fourth\'')
    await c.rows('select 1')
    expect(heard.at(-1)).toBe('c: Loads fourth from a')
  })

  test('take turns fairly, and nothing gets lost between them', async () => {
    const owner = await connect()
    await owner.rows('create table counters (who int, n int)')
    const workers = await Promise.all([1, 2, 3, 4].map(() => connect()))
    await Promise.all(
      workers.map(async ({ client }, who) => {
        for (let n = 0; n < 10; n++) {
          await client.query('begin')
          await client.query('insert into counters select $1, count(*) from counters where who = $1', [who])
          await client.query(n % 3 === 2 ? 'rollback' : 'commit')
        }
      }),
    )
    expect(await owner.rows('select who, count(*), max(n) from counters group by 1 order by 1')).toEqual(
      [0, 1, 2, 3].map((who) => [String(who), '7', '6']),
    )
    await owner.rows('drop table counters')
  })
})

describe('a statement that is cancelled', () => {
  test('ends, and with it the session of its client alone', async () => {
    const [a, b] = [await connect(), await connect()]
    await b.rows("set app.tenant = '7'")
    await b.rows('create table kept (n int); insert into kept values (1)')
    await a.rows('begin; insert into kept values (2)')
    const running = a.fails('select count(*) from generate_series(1, 10000000000)')
    const waiting = b.one('select count(*) from kept')
    expect(await settled(running, 300)).toBe(false)
    cancel(a)
    expect(await running).toBe('57014 canceling statement due to user request')
    await a.ended
    expect(await waiting).toBe('1')
    expect(await b.one("select current_setting('app.tenant')")).toBe('7')
    await b.rows('drop table kept')
  })

  test('leaves its client as it was while that still waits', async () => {
    const [a, b] = [await connect(), await connect()]
    await a.rows('begin')
    const waiting = b.fails('select 1')
    expect(await settled(waiting, 150)).toBe(false)
    cancel(b)
    expect(await waiting).toBe('57014 canceling statement due to user request')
    await a.rows('commit')
    expect(await b.one('select 1')).toBe('1')
  })

  function cancel({ client }: Told): void {
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
    const connection = new pg.Connection({ keepAlive: false }) as unknown as {
      connect(port: number, host: string): void
      cancel(pid: number, secret: number): void
      on(event: 'connect', listener: () => void): void
    }
    connection.on('connect', () => connection.cancel(processID, secretKey))
    connection.connect(server.port, server.host)
  }
})

describe('COPY', () => {
  test('takes rows from the client and gives them back', async () => {
    const { client, rows } = await connect()
    await rows('create table freight (id int, note text, twice int generated always as (id * 2) stored)')
    const into = client.query(copyFrom('copy freight (id, note) from stdin with (format csv, header)'))
    await pipeline(Readable.from(['id,note\n1,"a, b"\n', '2,\n3,"li', 'ne\n2"\n']), into)
    expect(into.rowCount).toBe(3)
    await rows('begin')
    await pipeline(Readable.from(['4\tfour\n']), client.query(copyFrom('COPY freight FROM STDIN')))
    await rows('rollback')
    let text = ''
    const out = client.query(copyTo('copy (select * from freight order by id) to stdout'))
    await pipeline(out, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) text += chunk.toString()
    })
    expect(text).toBe('1\ta, b\t2\n2\t\\N\t4\n3\tline\\n2\t6\n')
    await rows('drop table freight')
  })

  test('fails as on a server, and the connection goes on', async () => {
    const a = await connect()
    await a.rows('create table freight (id int)')
    const load = (sql: string, text: string): Promise<unknown> =>
      pipeline(Readable.from([text]), a.client.query(copyFrom(sql))).then(
        () => 'it did not fail',
        (error: unknown) => error,
      )
    expect(await load('copy freight from stdin', '1\nx\n')).toMatchObject({
      code: '22P02',
      where: 'COPY freight, line 2, column id: "x"',
    })
    expect(await load('copy nowhere from stdin', '1\n')).toMatchObject({ code: '42P01' })
    // pg itself sends CopyFail, because it was given no rows.
    await a.rows('begin')
    expect(await a.fails('copy freight from stdin')).toContain('57014 COPY from stdin failed')
    expect(await a.fails('select 1')).toContain('25P02')
    await a.rows('rollback')
    expect(await a.one('select count(*) from freight')).toBe('0')
    await a.rows('drop table freight')
  })

  test('is refused where the engine would hang, and fails the transaction as any error does', async () => {
    const a = await connect()
    await a.rows('begin')
    expect(await a.fails("copy (select 1) to program 'cat'")).toContain('0A000')
    expect(await a.fails('select 1')).toContain('25P02')
    await a.rows('rollback')
    expect(await a.fails('select 1; copy freight from stdin')).toContain('0A000')
    const extended = a.client.query({ name: 'load', text: 'copy freight from stdin' })
    await expect(extended).rejects.toMatchObject({ code: '0A000' })
    expect(await a.one('select 1')).toBe('1')
  })
})

describe('what the engine cannot do', () => {
  test('another encoding is refused before it breaks the engine', async () => {
    const a = await connect()
    expect(await a.fails("set client_encoding to 'LATIN1'")).toContain('0A000')
    expect(await a.one("select 'é'")).toBe('é')
    const b = await connect({ client_encoding: 'LATIN1' })
    expect(await b.one("select 'é'")).toBe('é')
  })

  test('an engine that broke down is started anew', async () => {
    const [a, b] = [await connect(), await connect()]
    await b.rows('create table kept (n int); insert into kept values (1)')
    // A conversion that it lacks, in one message with the text that needs it.
    const broken = a.fails("set client_encoding to 'LATIN1'; select 'é'")
    expect(await broken).toMatch(/^57P02 the embedded engine broke down/)
    await a.ended
    expect(await b.one('select count(*) from kept')).toBe('1')
    await b.rows('drop table kept')
  })

  test.each([
    ['a role that does not exist', { user: 'nobody' }, '22023'],
    ['a database that does not exist', { database: 'freight' }, '3D000'],
    ['a setting that does not exist', { options: '-c no_such_setting=1' }, '42704'],
    ['replication', { replication: 'database' } as pg.ClientConfig, '0A000'],
  ])('%s is refused at the door', async (_, config, code) => {
    await expect(connect(config)).rejects.toMatchObject({ code })
    expect(await (await connect()).one('select 1')).toBe('1')
  })

  test('TLS is declined', async () => {
    await expect(connect({ ssl: true })).rejects.toThrow('does not support SSL')
  })
})
