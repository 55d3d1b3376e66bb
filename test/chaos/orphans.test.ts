import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  eventually,
  hasServer,
  makeWorkspace,
  openArena,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { runCli, startCli, type Ended } from '../support/cli.js'

/** A server goes on with what a client asked for after the client is gone, until it has something to tell it. */
const suite = hasServer ? describe : describe.skip

suite('a statement that goes on after its runner was killed', () => {
  let arena: Arena
  beforeAll(async () => {
    arena = await openArena(['deadlock_timeout=100ms'])
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })

  const up = (url: string): readonly string[] => ['migrate', 'up', '--url', url, '-d', 'freight']
  const succeeded = ({ exit, stderr }: Ended): void => {
    expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' })
  }
  const running = async (database: ArenaDatabase, part: string): Promise<boolean> =>
    (
      await database.query(
        `select 1 from pg_stat_activity where state = 'active' and position($1 in query) > 0 and pid <> pg_backend_pid()`,
        [part],
      )
    ).length > 0

  test('a transaction is waited for, and is not applied twice', async () => {
    const folder = makeWorkspace({
      '0001_slow.up.sql': 'create table t (n int);\ninsert into t values (1);\nselect pg_sleep(2);\n',
      '0001_slow.down.sql': 'drop table t;\n',
      '0002_next.up.sql': 'insert into t values (2);\n',
      '0002_next.down.sql': 'delete from t where n = 2;\n',
    })
    const database = await arena.database()
    const { child, ended } = startCli(up(database.url), { cwd: folder.path })
    await eventually('the migration runs', () => running(database, 'pg_sleep(2)'))
    child.kill('SIGKILL')
    await ended
    succeeded(await runCli(up(database.url), { cwd: folder.path }))
    expect(await database.query('select n from t order by n')).toEqual([{ n: '1' }, { n: '2' }])
    await database.drop()
    folder.remove()
  })

  test('a rollback is waited for, and is not done twice', async () => {
    const folder = makeWorkspace({
      '0001_t.up.sql': 'create table t (n int);\ninsert into t values (10);\n',
      '0001_t.down.sql': 'drop table t;\n',
      '0002_more.up.sql': 'update t set n = n + 1;\n',
      '0002_more.down.sql': 'update t set n = n - 1;\nselect pg_sleep(2);\n',
    })
    const database = await arena.database()
    succeeded(await runCli(up(database.url), { cwd: folder.path }))
    const down = ['migrate', 'down', '--to', '1', '--url', database.url, '-d', 'freight']
    const { child, ended } = startCli(down, { cwd: folder.path })
    await eventually('the rollback runs', () => running(database, 'pg_sleep(2)'))
    child.kill('SIGKILL')
    await ended
    succeeded(await runCli(down, { cwd: folder.path }))
    expect(await database.query('select n from t')).toEqual([{ n: '10' }])
    await database.drop()
    folder.remove()
  })
})
