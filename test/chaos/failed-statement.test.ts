import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { hasServer, makeWorkspace, openArena, type Arena, type ArenaDatabase } from '../support/arena.js'
import { runCli, type Ended, type Folder } from '../support/cli.js'

interface Told {
  readonly databases: readonly {
    readonly steps?: readonly { readonly outcome: string; readonly statements?: number }[]
    readonly error?: {
      readonly file?: string
      readonly line?: number
      readonly column?: number
      readonly sql?: { readonly sqlstate: string }
    }
  }[]
}

const suite = hasServer ? describe : describe.skip

suite('a statement that has to run alone fails', () => {
  let arena: Arena
  let database: ArenaDatabase
  let folder: Folder

  beforeAll(async () => {
    arena = await openArena()
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })
  beforeEach(async () => {
    database = await arena.database()
    await database.query('create table t (n int, m int)')
    await database.query('insert into t select g % 10, g from generate_series(1, 100) g')
  })
  afterEach(async () => {
    await database.drop()
    folder.remove()
  })

  const up = (): Promise<Ended> =>
    runCli(['migrate', 'up', '--url', database.url, '-d', 'freight', '--json'], { cwd: folder.path })
  async function fails(): Promise<unknown> {
    const ended = await up()
    const [report] = (JSON.parse(ended.stdout) as Told).databases
    const { file, line, column, sql } = report?.error ?? {}
    const [step] = report?.steps ?? []
    return {
      exit: ended.exit,
      sqlstate: sql?.sqlstate,
      place: `${String(file)}:${String(line)}:${String(column)}`,
      outcome: step?.outcome,
      done: step?.statements,
    }
  }
  const indexes = async (): Promise<readonly string[]> =>
    (
      await database.query(
        `select indexrelid::regclass::text as name, indisvalid from pg_index where indrelid = 't'::regclass order by 1`,
      )
    ).map(({ name, indisvalid }) => `${String(name)} ${indisvalid === 't' ? 'valid' : 'unfinished'}`)

  test.each([
    ['named', 'create unique index concurrently t_n on t (n)', 't_n'],
    ['unnamed', 'create unique index concurrently on t (n)', 't_n_idx'],
  ])('an index, %s: what is left of it is built anew once the rows fit', async (_, statement, name) => {
    folder = makeWorkspace({
      '0001_unique.up.sql': `-- dbkit: no-transaction\nupdate t set m = m + 1;\n\n  ${statement};\nupdate t set m = m + 1;\n`,
      '0001_unique.down.sql': `drop index ${name};\n`,
    })
    const failure = {
      exit: 3,
      sqlstate: '23505',
      place: 'sql/freight/migrations/0001_unique.up.sql:4:3',
      outcome: 'failed',
    }
    expect(await fails()).toEqual({ ...failure, done: 1 })
    expect(await indexes()).toEqual([`${name} unfinished`])
    expect(await fails()).toEqual({ ...failure, done: 0 })
    expect(await indexes()).toEqual([`${name} unfinished`])
    await database.query('delete from t where m > 11')
    expect((await up()).exit).toBe(0)
    expect(await indexes()).toEqual([`${name} valid`])
    expect(await database.query('select min(m), max(m) from t')).toEqual([{ min: '3', max: '12' }])
  })

  test('where the statement is wrong, the place is in it', async () => {
    folder = makeWorkspace({
      '0001_wrong.up.sql':
        "-- dbkit: no-transaction\ncreate index concurrently\n  t_n on t (('é' || n), +);\n",
      '0001_wrong.down.sql': '',
    })
    expect(await fails()).toEqual({
      exit: 3,
      sqlstate: '42601',
      place: 'sql/freight/migrations/0001_wrong.up.sql:3:25',
      outcome: 'failed',
      done: 0,
    })
  })

  test('an index that was there before is not taken for its work', async () => {
    await database.query('create index t_n on t (m)')
    folder = makeWorkspace({
      '0001_taken.up.sql': '-- dbkit: no-transaction\ncreate index concurrently t_n on t (n);\n',
      '0001_taken.down.sql': '',
    })
    const failure = expect.objectContaining({ exit: 3, sqlstate: '42P07' })
    expect(await fails()).toEqual(failure)
    expect(await fails()).toEqual(failure)
    expect(await indexes()).toEqual(['t_n valid'])
  })

  test('a rebuild in its middle: no half-built copy is left', async () => {
    await database.query(
      'create function broken(int) returns int immutable language plpgsql as $$ begin return $1; end $$',
    )
    await database.query('create unique index t_m on t (broken(m))')
    await database.query('create table long (n int primary key, body text)')
    folder = makeWorkspace({
      '0001_rebuild.up.sql':
        '-- dbkit: no-transaction\nreindex table concurrently t;\nreindex (verbose) schema concurrently public;\n',
      '0001_rebuild.down.sql': '',
    })
    await database.query(
      `create or replace function broken(int) returns int immutable language plpgsql as $$ begin raise 'broken'; end $$`,
    )
    expect(await fails()).toEqual(expect.objectContaining({ exit: 3, sqlstate: 'P0001', done: 0 }))
    expect(await indexes()).toEqual(['t_m valid', 't_m_ccnew unfinished'])
    await database.query(
      `create or replace function broken(int) returns int immutable language plpgsql as $$ begin return $1; end $$`,
    )
    expect((await up()).exit).toBe(0)
    expect(await indexes()).toEqual(['t_m valid'])
  })

  test('a rebuild of a whole schema in its middle: only its own half-built copies are cleared away', async () => {
    const set = (body: string): Promise<unknown> =>
      database.query(
        `create or replace function broken(int) returns int immutable language plpgsql as $$ begin ${body}; end $$`,
      )
    await set('return $1')
    await database.query('create schema other')
    await database.query('create table other.t (n int)')
    await database.query('create index other_n on other.t (broken(n))')
    await database.query('insert into other.t values (1)')
    await database.query('create index t_m on t (broken(m))')
    await set(`raise 'broken'`)
    await database.query('reindex index concurrently other.other_n').catch(() => undefined)
    folder = makeWorkspace({
      '0001_rebuild.up.sql': '-- dbkit: no-transaction\nreindex schema concurrently public;\n',
      '0001_rebuild.down.sql': '',
    })
    expect(await fails()).toEqual(expect.objectContaining({ exit: 3, sqlstate: 'P0001' }))
    await set('return $1')
    expect((await up()).exit).toBe(0)
    expect(await indexes()).toEqual(['t_m valid'])
    expect(
      await database.query(`select indexrelid::regclass::text as name from pg_index where not indisvalid`),
    ).toEqual([{ name: 'other.other_n_ccnew' }])
  })
})
