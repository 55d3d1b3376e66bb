import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { amcheck } from '@electric-sql/pglite/contrib/amcheck'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { removeAbandoned } from '../../src/database/state-cache.js'
import { eventually, makeWorkspace } from '../support/arena.js'
import { makeFolder, startCli, type Ended, type Folder } from '../support/cli.js'
import { OUTSIDE } from '../support/crash-workspaces.js'
import { figure, proving, rounds } from '../support/prove.js'
import { noteEngine } from '../support/server.js'

interface Told {
  readonly databases: readonly {
    readonly steps?: readonly { readonly name: string; readonly outcome: string }[]
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
  }[]
}
const told = ({ stdout }: Ended): Told['databases'][number] => (JSON.parse(stdout) as Told).databases[0] ?? {}

describe('the embedded engine', () => {
  let cache: string
  let folder: Folder
  beforeAll(() => {
    // A cache of its own: what one run has kept would be the start of the next one.
    cache = mkdtempSync(join(tmpdir(), 'dbkit-cache-'))
  })
  afterAll(() => {
    rmSync(cache, { recursive: true, force: true })
  })
  afterEach(() => {
    folder.remove()
  })

  const start = (direction: 'up' | 'down'): ReturnType<typeof startCli> =>
    startCli(
      [
        'migrate',
        ...(direction === 'up' ? ['up'] : ['down', '--all']),
        '--embedded',
        '-d',
        'freight',
        '--json',
      ],
      { cwd: folder.path, env: { XDG_CACHE_HOME: cache } },
    )
  async function finishes(direction: 'up' | 'down'): Promise<void> {
    const ended = await start(direction).ended
    expect({ exit: ended.exit, error: told(ended).error }).toEqual({ exit: 0, error: undefined })
  }

  /** What is in the database, after its indexes were held against their tables. */
  async function state(): Promise<string> {
    const db = await PGlite.create({
      dataDir: join(folder.path, '.dbkit/freight/data'),
      extensions: { amcheck },
    })
    noteEngine('embedded PGlite 0.5.8')
    try {
      await db.exec('begin; create extension amcheck')
      await db.exec(`select bt_index_check(c.oid::regclass, true) from pg_class c join pg_index i on i.indexrelid = c.oid
        join pg_am a on a.oid = c.relam where a.amname = 'btree' and i.indisvalid and c.relpersistence = 'p'`)
      await db.exec('rollback')
      const { rows } = await db.query<{ line: string }>(
        `select concat_ws(' ', 'index', indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid) as line
           from pg_index join pg_class c on c.oid = indrelid where relnamespace = 'public'::regnamespace
         union all select concat_ws(' ', relkind, relname) from pg_class where relnamespace = 'public'::regnamespace
         union all select concat_ws(' ', 'function', proname, md5(prosrc)) from pg_proc
          where pronamespace = 'public'::regnamespace and probin is null
         union all select concat_ws(' ', 'value', enumlabel) from pg_enum
         union all select concat_ws(' ', 'ledger', version, state, up_checksum, attempt) from dbkit.migrations
         order by 1`,
      )
      const lines = rows.map(({ line }) => line)
      const tables = await db.query<{ name: string }>(
        `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
      )
      for (const { name } of tables.rows) {
        const content = await db.query<{ all: string }>(
          `select string_agg(t::text, e'\\n' order by t::text) as all from "${name}" t`,
        )
        lines.push(name, content.rows[0]?.all ?? '')
      }
      return lines.join('\n')
    } finally {
      await db.close()
    }
  }

  /** Of its own each time, so that nothing of it is kept for another. */
  let workspaces = 0
  const makeOwn = (files: Readonly<Record<string, string>>): Folder =>
    makeWorkspace({ ...files, '0009_own.up.sql': `-- ${String(workspaces++)}\n`, '0009_own.down.sql': '' })
  /** The ledger knows the text of each file. */
  const comparable = (text: string): string => text.replaceAll(/^ledger 9 .*$/gm, 'ledger 9')

  const directions = proving ? (['up', 'down'] as const) : (['up'] as const)
  test.each(directions)(
    'migrate %s goes on to the right end after kill -9',
    async (direction) => {
      folder = makeOwn(OUTSIDE)
      if (direction === 'down') await finishes('up')
      const started = performance.now()
      await finishes(direction)
      const wholeMs = performance.now() - started
      const clean = comparable(await state())
      const kills = rounds(1, 40)
      let midway = 0
      for (let round = 0; round < kills; round++) {
        folder.remove()
        folder = makeOwn(OUTSIDE)
        if (direction === 'down') await finishes('up')
        const running = start(direction)
        const timer = setTimeout(() => running.child.kill('SIGKILL'), wholeMs * (0.2 + 0.8 * Math.random()))
        if ((await running.ended).signal === 'SIGKILL') midway++
        clearTimeout(timer)
        await finishes(direction)
        expect(comparable(await state())).toBe(clean)
        expect(readdirSync(join(folder.path, '.dbkit/freight')).sort()).toEqual([
          'data',
          'engine.json',
          'locks',
        ])
        expect(readdirSync(join(folder.path, '.dbkit/freight/locks'))).toEqual([])
      }
      figure(
        `kill -9 of migrate ${direction} on the embedded engine`,
        `${String(kills)} rounds (${String(midway)} killed midway), all converged, indexes checked`,
      )
    },
    1_800_000,
  )

  test('a second process is refused while the first one works', async () => {
    folder = makeOwn({
      '0001_t.up.sql': 'create table t (n int);\ninsert into t values (1);\nselect pg_sleep(2);\n',
      '0001_t.down.sql': 'drop table t;\n',
    })
    const first = start('up')
    const locks = join(folder.path, '.dbkit/freight/locks')
    await eventually('the first one has the folder', () => existsSync(locks) && readdirSync(locks).length > 0)
    const second = await start('up').ended
    expect({ exit: second.exit, error: told(second).error }).toEqual({
      exit: 3,
      error: expect.objectContaining({
        code: 'database.embedded-busy',
        message: expect.stringContaining(`process ${String(first.child.pid)} (dbkit migrate up), since `),
      }),
    })
    expect((await first.ended).exit).toBe(0)
    await finishes('up')
    expect(await state()).toContain('\nt\n(1)')
  })

  test('of ten processes at once one works at a time', async () => {
    folder = makeOwn({
      ...Object.fromEntries(
        [1, 2, 3].flatMap((n) => [
          [
            `000${String(n)}_step.up.sql`,
            `create table if not exists ran (n int);\ninsert into ran values (${String(n)});\n`,
          ],
          [`000${String(n)}_step.down.sql`, '-- stays\n'],
        ]),
      ),
    })
    await finishes('up')
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, n) => {
        const name = `sql/freight/migrations/01${String(n).padStart(2, '0')}_late`
        folder.write({
          [`${name}.up.sql`]: `insert into ran values (1${String(n)});\n`,
          [`${name}.down.sql`]: '',
        })
        return start('up').ended
      }),
    )
    const outcomes = all.map((ended) =>
      ended.exit === 0 ? 'worked' : `${String(ended.exit)} ${told(ended).error?.code ?? ''}`,
    )
    expect([...new Set(outcomes)].filter((outcome) => outcome !== 'worked')).toEqual(
      outcomes.every((outcome) => outcome === 'worked') ? [] : ['3 database.embedded-busy'],
    )
    figure(
      'ten embedded runs at once',
      `${String(outcomes.filter((one) => one === 'worked').length)} worked, the others were refused`,
    )
    await finishes('up')
    const expected = [1, 2, 3, ...Array.from({ length: 10 }, (_, n) => 10 + n)]
    expect((await state()).split('\nran\n')[1]).toBe(
      expected
        .map((n) => `(${String(n)})`)
        .sort()
        .join('\n'),
    )
  })

  test('a kill in the middle of a copy leaves nothing behind', async () => {
    folder = makeOwn({ '0001_t.up.sql': 'create table t (n int);\n', '0001_t.down.sql': 'drop table t;\n' })
    folder.write({ '.dbkit/freight/data.4711/PG_VERSION': '18', '.dbkit/freight/engine.json.4711': '{' })
    await finishes('up')
    expect(readdirSync(join(folder.path, '.dbkit/freight')).sort()).toEqual(['data', 'engine.json', 'locks'])
    expect(JSON.parse(readFileSync(join(folder.path, '.dbkit/freight/engine.json'), 'utf8'))).toEqual(
      expect.objectContaining({ engine: 'pglite' }),
    )
  })

  test('nor does one in the cache, once nobody can still be copying', () => {
    folder = makeFolder()
    const hash = 'f'.repeat(64)
    const [pristine, old, half, state, oldState] = [
      'pglite-0.5.8',
      'pglite-0.5.8.4711.new',
      'pglite-0.5.8.4712',
      hash,
      `${hash}.4711`,
    ]
    for (const name of [pristine, old, half, state, oldState]) {
      folder.write({ [`${name}/PG_VERSION`]: '18' })
      if (name !== half) utimesSync(join(folder.path, name), 0, 0)
    }
    removeAbandoned(folder.path)
    expect(readdirSync(folder.path).sort()).toEqual([hash, pristine, half])
  })
})
