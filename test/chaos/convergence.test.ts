import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hasServer, openArena, stateOf, type Arena, type ArenaDatabase } from '../support/arena.js'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'
import { FLEET, type CrashWorkspace } from '../support/crash-fleet.js'
import { figure, proving, sampled } from '../support/prove.js'
import { startProxy } from '../support/proxy.js'
import { onServer } from '../support/server.js'

/**
 * Twenty histories, each cut at every one of its messages: a message is what a statement boundary is outside of transactions, and inside
 * of one nobody sees any boundary. What is run again has to end where a run that nobody has cut does.
 */
type Way = 'runner killed' | 'server killed' | 'connection cut'

const suite = hasServer ? describe : describe.skip
/** Without proving, one cut in each of a few histories: all of it takes the better part of an hour. */
const chosen = sampled(FLEET, 4)

test('there are twenty histories', () => {
  expect(new Set(FLEET.map(({ name }) => name)).size).toBe(20)
})

suite('whatever is cut, the same commands end where a clean run does', () => {
  let arena: Arena
  const totals = { cuts: 0, unfinishedIndexes: 0, histories: 0 }
  beforeAll(async () => {
    arena = await openArena()
  }, 60_000)
  afterAll(() => {
    figure(
      'cuts of twenty histories',
      `${String(totals.cuts)} in ${String(totals.histories)} histories, all converged; ${String(totals.unfinishedIndexes)} left an unfinished index behind`,
    )
    arena.stop()
  })

  const args = (command: readonly string[], url: string): readonly string[] => [
    ...command,
    ...['--url', url, '-d', 'freight'],
  ]

  /** Runs the commands through a proxy and cuts at the n-th message; returns how many there were, and which command was cut. */
  async function cutAt(
    { commands }: CrashWorkspace,
    folder: Folder,
    database: ArenaDatabase,
    n: number,
    way: Way,
  ): Promise<{ readonly seen: number; readonly at: number }> {
    let seen = 0
    let kill: () => void = () => undefined
    const proxy = await startProxy(arena.cluster.port, {
      onClient({ type, cut }) {
        if ((type !== 'Q' && type !== 'P') || seen++ !== n) return 'forward'
        // Shortly after the server got it: before, while and after it works on it, as chance will have it.
        setTimeout(() => {
          if (way === 'connection cut') cut()
          else kill()
        }, Math.random() * 6)
        return 'forward'
      },
    })
    try {
      for (const [at, command] of commands.entries()) {
        const running = startCli(args(command, proxy.url(database.name)), { cwd: folder.path })
        kill = () => {
          if (way === 'server killed') arena.cluster.crash()
          else running.child.kill('SIGKILL')
        }
        const { exit, signal, stderr } = await running.ended
        if (signal === 'SIGKILL' || (exit !== 0 && seen > n)) return { seen, at }
        if (exit !== 0) throw new Error(`the run failed before it was cut: ${stderr}`)
      }
      return { seen, at: commands.length - 1 }
    } finally {
      await proxy.close()
    }
  }

  const ledgerOfRepeatables = (database: ArenaDatabase): Promise<string> =>
    onServer(database.url, async (client) => {
      const there = await client.query<{ there: boolean }>(
        `select to_regclass('dbkit.migrations_repeatable') is not null as there`,
      )
      if (there.rows[0]?.there !== true) return ''
      const rows = await client.query<{ entry: string }>(
        `select concat_ws(' ', name, checksum) as entry from dbkit.migrations_repeatable order by name`,
      )
      return rows.rows.map(({ entry }) => entry).join('\n')
    })
  const endOf = async (database: ArenaDatabase): Promise<string> =>
    `${await stateOf(database)}\n${await ledgerOfRepeatables(database)}`

  test.each(chosen.map((workspace) => [workspace.name, workspace] as const))(
    '%s',
    async (_, workspace) => {
      const folder = makeFolder({
        'dbkit.config.json': JSON.stringify({ databases: { freight: {} } }),
        ...Object.fromEntries(
          Object.entries(workspace.files).map(([name, text]) => [
            name.startsWith('seeds/') ? name : `sql/freight/${name}`,
            text,
          ]),
        ),
      })
      try {
        const clean = await arena.database()
        const { seen: messages } = await cutAt(workspace, folder, clean, Infinity, 'runner killed')
        const wanted = await endOf(clean)
        await clean.drop()
        expect(messages).toBeGreaterThan(3)
        const every = Array.from({ length: messages }, (_unused, index) => index)
        const ways: readonly Way[] = ['runner killed', 'connection cut', 'server killed']
        for (const way of proving ? ways : ways.slice(0, 2))
          for (const n of sampled(every, 1)) {
            const database = await arena.database()
            const { at } = await cutAt(workspace, folder, database, n, way)
            if (way === 'server killed') await arena.cluster.restart()
            totals.cuts++
            totals.unfinishedIndexes += Number(
              (await database.query('select count(*) from pg_index where not indisvalid'))[0]?.['count'] ?? 0,
            )
            for (const command of workspace.commands.slice(at)) {
              const again = await runCli(args(command, database.url), { cwd: folder.path })
              expect({ way, n, exit: again.exit, stderr: again.exit === 0 ? '' : again.stderr }).toEqual({
                way,
                n,
                exit: 0,
                stderr: '',
              })
            }
            expect({ way, n, end: await endOf(database) }).toEqual({ way, n, end: wanted })
            await database.drop()
          }
        totals.histories++
      } finally {
        folder.remove()
      }
    },
    1_800_000,
  )
})
