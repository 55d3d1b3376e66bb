import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hasServer, makeWorkspace, openArena, type Arena } from '../support/arena.js'
import { runCli } from '../support/cli.js'
import { figure } from '../support/prove.js'
import { startProxy } from '../support/proxy.js'

const suite = hasServer ? describe : describe.skip

/** Over a network each message is a round trip: a hundred migrations are to cost a hundred, where they may not share messages. */
suite('what a run asks of the server', () => {
  let arena: Arena
  beforeAll(async () => {
    arena = await openArena(['log_statement=all'])
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })

  const MIGRATIONS = 100
  const files = Object.fromEntries(
    Array.from({ length: MIGRATIONS }, (_, index) => {
      const name = `${String(index + 1).padStart(4, '0')}_step`
      const table = `step_${String(index + 1)}`
      return [
        [`${name}.up.sql`, `create table ${table} (id int primary key);\ninsert into ${table} values (1);\n`],
        [`${name}.down.sql`, `drop table ${table};\n`],
      ] as const
    }).flat(),
  )

  test('a message a migration, and one for a run with nothing to do', async () => {
    const folder = makeWorkspace(files)
    const database = await arena.database()
    const proxy = await startProxy(arena.cluster.port)
    const up = ['migrate', 'up', '--url', proxy.url(database.name), '-d', 'freight']
    const logged = (): number =>
      arena
        .log()
        .split('\n')
        .filter(
          (line) =>
            line.includes(` ${database.name} LOG:  `) && /LOG: {2}(?:statement|execute [^:]*): /.test(line),
        ).length

    expect((await runCli(up, { cwd: folder.path })).exit).toBe(0)
    const statements = logged()
    figure(
      `messages for ${String(MIGRATIONS)} migrations`,
      `${String(statements)} (${String(statements / MIGRATIONS)} each)`,
    )
    expect(statements).toBe(proxy.queries().length)
    expect(statements / MIGRATIONS).toBeLessThanOrEqual(1.1)
    // The ledger before and under the lock, what the role may do, the lock, what the server can set, the schema and the table of the
    // ledger.
    expect(statements - MIGRATIONS).toBeLessThanOrEqual(7)
    expect(proxy.connections()).toBe(2)

    const ended = await runCli(up, { cwd: folder.path })
    expect({ exit: ended.exit, stdout: ended.stdout }).toEqual({
      exit: 0,
      stdout: expect.stringContaining('nothing to do'),
    })
    figure(
      'a run with nothing to do',
      `${String(proxy.connections() - 2)} connection, ${String(logged() - statements)} query`,
    )
    expect(logged() - statements).toBe(1)
    expect(proxy.connections() - 2).toBe(1)

    await proxy.close()
    await database.drop()
    folder.remove()
  })
})
