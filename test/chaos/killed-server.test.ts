import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  hasServer,
  makeWorkspace,
  openArena,
  stateOf,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { runCli, startCli, type Folder } from '../support/cli.js'
import { OUTSIDE, TRANSACTIONAL } from '../support/crash-workspaces.js'
import { figure, sampled } from '../support/prove.js'
import { startProxy } from '../support/proxy.js'

const suite = hasServer ? describe : describe.skip

suite('kill -9 of the server', () => {
  let arena: Arena
  beforeAll(async () => {
    arena = await openArena()
  }, 60_000)
  afterAll(() => {
    arena.stop()
  })

  describe.each([
    ['transactional files', TRANSACTIONAL],
    ['files outside a transaction', OUTSIDE],
  ])('under %s', (kind, files) => {
    let folder: Folder
    let states: Readonly<Record<'up' | 'down', string>>
    let messages: Readonly<Record<'up' | 'down', number>>
    let finished: ArenaDatabase

    const command = (direction: 'up' | 'down', url: string): readonly string[] => [
      ...['migrate', ...(direction === 'up' ? ['up'] : ['down', '--all', '--yes'])],
      ...['--url', url, '-d', 'freight'],
    ]
    const before = (direction: 'up' | 'down'): Promise<ArenaDatabase> =>
      arena.database(direction === 'down' ? finished.name : undefined)

    beforeAll(async () => {
      folder = makeWorkspace(files)
      finished = await arena.database()
      const up = await crashAt('up', Infinity, finished)
      const state = await stateOf(finished)
      const database = await before('down')
      const down = await crashAt('down', Infinity, database)
      states = { up: state, down: await stateOf(database) }
      messages = { up: up.seen, down: down.seen }
    }, 60_000)
    afterAll(() => {
      folder.remove()
    })

    /** The server dies while it works on the n-th message. */
    async function crashAt(
      direction: 'up' | 'down',
      n: number,
      database: ArenaDatabase,
    ): Promise<{ seen: number; exit: number | null; stderr: string }> {
      let seen = 0
      const proxy = await startProxy(arena.cluster.port, {
        onClient({ type }) {
          if ((type === 'Q' || type === 'P') && seen++ === n)
            setTimeout(() => arena.cluster.crash(), Math.random() * 15)
          return 'forward'
        },
      })
      const { exit, stderr } = await startCli(command(direction, proxy.url(database.name)), {
        cwd: folder.path,
      }).ended
      await proxy.close()
      return { seen, exit, stderr }
    }

    test.each(['up', 'down'] as const)(
      '%s ends right when it is run again',
      async (direction) => {
        const chosen = sampled(
          Array.from({ length: messages[direction] }, (_, index) => index),
          2,
        )
        let failed = 0
        for (const n of chosen) {
          const database = await before(direction)
          const { exit, stderr } = await crashAt(direction, n, database)
          // The last messages may be answered before the server is gone.
          if (exit !== 0) failed++
          expect({ exit, stderr }).toEqual({ exit: exit === 0 ? 0 : 3, stderr: expect.any(String) })
          await arena.cluster.restart()
          const again = await runCli(command(direction, database.url), { cwd: folder.path })
          expect({ exit: again.exit, stderr: again.exit === 0 ? '' : again.stderr }).toEqual({
            exit: 0,
            stderr: '',
          })
          expect(await stateOf(database)).toBe(states[direction])
          await database.drop()
        }
        figure(
          `kill -9 of the server during each message, ${kind}, ${direction}`,
          `${String(chosen.length)} crashes at ${String(messages[direction])} messages (${String(failed)} runs failed with exit 3), all converged`,
        )
      },
      900_000,
    )
  })
})
