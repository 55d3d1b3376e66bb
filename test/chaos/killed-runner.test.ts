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
import { findPooler, startPooler } from '../support/pooler.js'
import { figure, rounds, sampled } from '../support/prove.js'
import { startProxy } from '../support/proxy.js'

/**
 * Between two messages a runner has done nothing that anybody can see. So a run is cut at every one of its messages: before the
 * server gets it, while the server works on it, and after the server has answered it.
 */
type Moment = 'before' | 'during' | 'after'

const suite = hasServer ? describe : describe.skip

suite('kill -9 of the runner', () => {
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
  ])('with %s', (kind, files) => {
    let folder: Folder
    let migrated: string
    let empty: string
    let finished: ArenaDatabase
    /** What a run from end to end is like. */
    let whole: Readonly<Record<'up' | 'down', { readonly messages: number; readonly tookMs: number }>>

    const command = (direction: 'up' | 'down', url: string): readonly string[] => [
      ...['migrate', ...(direction === 'up' ? ['up'] : ['down', '--all', '--yes'])],
      ...['--url', url, '-d', 'freight'],
    ]
    /** A database before the run that is to be killed. */
    const before = (direction: 'up' | 'down'): Promise<ArenaDatabase> =>
      arena.database(direction === 'down' ? finished.name : undefined)
    /** The same command again, which has to go on to the end at once. */
    async function finish(direction: 'up' | 'down', database: ArenaDatabase): Promise<void> {
      const ended = await runCli(command(direction, database.url), { cwd: folder.path })
      expect({ exit: ended.exit, output: ended.exit === 0 ? '' : ended.stderr }).toEqual({
        exit: 0,
        output: '',
      })
    }
    async function converges(direction: 'up' | 'down', database: ArenaDatabase): Promise<void> {
      await finish(direction, database)
      expect(await stateOf(database)).toBe(direction === 'up' ? migrated : empty)
    }

    async function measure(
      direction: 'up' | 'down',
      database: ArenaDatabase,
    ): Promise<{ messages: number; tookMs: number; state: string }> {
      const started = performance.now()
      const messages = await killAt(direction, 'before', Infinity, database)
      return { messages, tookMs: performance.now() - started, state: await stateOf(database) }
    }

    beforeAll(async () => {
      folder = makeWorkspace(files)
      finished = await arena.database()
      const up = await measure('up', finished)
      const database = await before('down')
      const down = await measure('down', database)
      await database.drop()
      migrated = up.state
      empty = down.state
      whole = { up, down }
    }, 60_000)
    afterAll(() => {
      folder.remove()
    })

    /** Kills the runner at its n-th message; returns how many messages a whole run has. */
    async function killAt(
      direction: 'up' | 'down',
      moment: Moment,
      n: number,
      database: ArenaDatabase,
    ): Promise<number> {
      let seen = 0
      let awaited: number | undefined
      const kill = (cut: () => void): 'swallow' => {
        running.child.kill('SIGKILL')
        cut()
        return 'swallow'
      }
      const proxy = await startProxy(arena.cluster.port, {
        onClient({ type, connection, cut }) {
          if (type !== 'Q' && type !== 'P') return 'forward'
          if (seen++ !== n) return 'forward'
          if (moment === 'before') return kill(cut)
          if (moment === 'during') setTimeout(() => kill(cut), Math.random() * 10)
          else awaited = connection
          return 'forward'
        },
        // "Ready for query": the server is done with all of it.
        onServer: ({ type, connection, cut }) =>
          connection === awaited && type === 'Z' ? kill(cut) : 'forward',
      })
      const running = startCli(command(direction, proxy.url(database.name)), { cwd: folder.path })
      const { exit, signal, stderr } = await running.ended
      await proxy.close()
      if (signal !== 'SIGKILL' && exit !== 0)
        throw new Error(`the run failed before it was killed: ${stderr}`)
      return seen
    }

    test.each([
      ['up', 'before'],
      ['up', 'during'],
      ['up', 'after'],
      ['down', 'before'],
      ['down', 'during'],
      ['down', 'after'],
    ] as const)(
      '%s goes on to the right end when killed %s a message',
      async (direction, moment) => {
        const { messages } = whole[direction]
        const every = Array.from({ length: messages }, (_, index) => index)
        const chosen = sampled(every, files === OUTSIDE ? 2 : 1)
        for (const n of chosen) {
          const database = await before(direction)
          await killAt(direction, moment, n, database)
          await converges(direction, database)
          await database.drop()
        }
        figure(
          `kill -9 of the runner ${moment} each message, ${kind}, ${direction}`,
          `${String(chosen.length)} kills at ${String(messages)} messages, all converged`,
        )
      },
      900_000,
    )

    test.each(['up', 'down'] as const)(
      '%s goes on to the right end when killed at any time',
      async (direction) => {
        const { tookMs } = whole[direction]
        const kills = rounds(1, 100)
        let midway = 0
        for (let round = 0; round < kills; round++) {
          const database = await before(direction)
          const running = startCli(command(direction, database.url), { cwd: folder.path })
          // The first part of a run is the start of Node, during which nothing can go wrong.
          const delay = tookMs * (0.3 + 0.7 * Math.random())
          const timer = setTimeout(() => running.child.kill('SIGKILL'), delay)
          if ((await running.ended).signal === 'SIGKILL') midway++
          clearTimeout(timer)
          await converges(direction, database)
          await database.drop()
        }
        figure(
          `kill -9 of the runner at random moments, ${kind}, ${direction}`,
          `${String(kills)} rounds (${String(midway)} killed midway), all converged`,
        )
      },
      900_000,
    )

    if (findPooler() === undefined)
      test.skip('up through pgbouncer (pgbouncer is not installed)', () => undefined)
    else
      test('up goes on to the right end through pgbouncer', async () => {
        const pooler = await startPooler(arena.cluster.port, 3)
        try {
          const kills = rounds(1, 50)
          for (let round = 0; round < kills; round++) {
            const database = await before('up')
            const running = startCli(command('up', pooler.url(database.name)), { cwd: folder.path })
            const timer = setTimeout(
              () => running.child.kill('SIGKILL'),
              whole.up.tookMs * (0.3 + 0.7 * Math.random()),
            )
            await running.ended
            clearTimeout(timer)
            const again = await runCli(command('up', pooler.url(database.name)), { cwd: folder.path })
            expect({ exit: again.exit, stderr: again.exit === 0 ? '' : again.stderr }).toEqual({
              exit: 0,
              stderr: '',
            })
            expect(await stateOf(database)).toBe(migrated)
            await database.drop()
          }
          figure(
            `kill -9 of the runner through pgbouncer, ${kind}, up`,
            `${String(kills)} rounds, all converged`,
          )
        } finally {
          await pooler.stop()
        }
      }, 900_000)
  })
})
