import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'
import { dumpSchema } from '../support/databases.js'
import { sampled } from '../support/prove.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'

/** Long enough to be met in it, also on a busy machine. */
const SLEEP = 'select pg_sleep(1.5);'

const pair = (file: string, up: string, down: string): Record<string, string> => ({
  [`sql/shop/migrations/${file}.up.sql`]: `${up}\n`,
  [`sql/shop/migrations/${file}.down.sql`]: `${down}\n`,
})

const SHARED = {
  'dbkit.config.json': JSON.stringify({ databases: { shop: {} } }),
  ...pair('1_loads', 'create table loads (id integer);', 'drop table loads;'),
}
const VIEW = 'drop view if exists seen; create view seen as select id from loads;'

/** Where the switch sleeps when it is killed. */
const MOMENTS = {
  'a rollback': { down: `${SLEEP} drop table stops;` },
  'a rollback outside a transaction': {
    down: `-- dbkit: no-transaction\nalter table stops rename to places;\n${SLEEP}\ndrop table places;`,
  },
  'an up after the rollback': { up: `create table fares (id integer); ${SLEEP}` },
  'an up outside a transaction': {
    up: `-- dbkit: no-transaction\ncreate table fares (id integer);\n${SLEEP}\ncreate index on fares (id);`,
  },
  'what is repeatable': { repeatable: `${VIEW} ${SLEEP}` },
} satisfies Record<string, { up?: string; down?: string; repeatable?: string }>

const suite = serverUrl() === undefined ? describe.skip : describe

suite('kill -9 in the middle of a switch', () => {
  let folder: Folder
  const databases: ServerDatabase[] = []
  const database = async (): Promise<ServerDatabase> => {
    const made = await createServerDatabase('switch')
    databases.push(made)
    return made
  }
  beforeAll(() => {
    folder = makeFolder(SHARED)
  })
  afterAll(async () => {
    folder.remove()
    for (const made of databases) await made.drop()
  })

  const stateOf = async ({ url, query }: ServerDatabase): Promise<readonly unknown[]> => [
    dumpSchema(url),
    await query(
      'select version, name, state, up_sql, down_sql, statements_done from dbkit.migrations order by position',
    ),
    await query('select name, checksum from dbkit.migrations_repeatable order by name'),
  ]
  const checkout = (files: Record<string, string>): void => {
    rmSync(join(folder.path, 'sql'), { recursive: true, force: true })
    folder.write({ ...SHARED, ...files })
  }

  test.each(sampled(Object.entries(MOMENTS), 2))(
    'in %s: the same command goes on to the right end',
    async (_, moment) => {
      const { up, down, repeatable } = { up: undefined, down: undefined, repeatable: undefined, ...moment }
      const walked = await database()
      const args = ['switch', '--yes', '-d', 'shop', '--url', walked.url]
      checkout({
        ...pair('2_stops', 'create table stops (id integer);', down ?? 'drop table stops;'),
        'sql/shop/repeatable/seen.sql': VIEW,
      })
      expect((await runCli(args, { cwd: folder.path })).exit).toBe(0)

      checkout({
        ...pair('3_fares', up ?? 'create table fares (id integer);', 'drop table fares;'),
        'sql/shop/repeatable/seen.sql': repeatable ?? VIEW,
      })
      const { child, ended } = startCli(args, { cwd: folder.path })
      const sleeping = `select count(*) as n from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and wait_event = 'PgSleep'`
      for (let tries = 0; (await walked.query(sleeping))[0]?.['n'] === '0'; tries++) {
        if (tries > 400) throw new Error('it never came to the sleep')
        await sleep(25)
      }
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
      const again = await runCli(args, { cwd: folder.path })
      expect({ exit: again.exit, stderr: again.exit === 0 ? '' : again.stderr }).toEqual({
        exit: 0,
        stderr: '',
      })

      const fresh = await database()
      await runCli(['migrate', 'up', '-d', 'shop', '--url', fresh.url], { cwd: folder.path })
      expect(await stateOf(walked)).toEqual(await stateOf(fresh))
    },
  )
})
