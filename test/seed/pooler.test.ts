import { describe, expect, test } from '@jest/globals'
import { migrateUp, seed, settleConfig } from 'dbkit'
import { makeFolder } from '../support/cli.js'
import { findPooler, startPooler } from '../support/pooler.js'
import { createServerDatabase, onServer, serverUrl } from '../support/server.js'

const maintenance = serverUrl()

describe('seeds through a transaction-pooling pgbouncer', () => {
  if (maintenance === undefined || findPooler() === undefined) {
    test.skip('need a server and pgbouncer, which this machine lacks', () => undefined)
    return
  }

  test('load by COPY, and leave no setting of a script behind', async () => {
    const server = await createServerDatabase('seed')
    const pooler = await startPooler(Number(new URL(maintenance).port), 2)
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { freight: {} } }),
      'sql/freight/migrations/0001_items.up.sql': 'create table items (id int primary key, name text);',
      'sql/freight/migrations/0001_items.down.sql': 'drop table items;',
      'seeds/freight/sample/items.csv': 'id,name\n1,x\n2,y\n',
      'seeds/freight/sample/zone.sql': `set work_mem to '7MB'; set session authorization postgres;`,
    })
    try {
      const url = pooler.url(server.name)
      const config = await settleConfig({ url }, { cwd: folder.path, environment: {} })
      expect((await migrateUp(config)).ok).toBe(true)
      for (const inserted of [2, 0]) {
        const [report] = (await seed(config)).databases
        expect([report?.error, report?.seed?.[0]?.inserted]).toEqual([undefined, inserted])
      }
      // Both connections of the pool take turns.
      for (let turn = 0; turn < 4; turn++) {
        const memory = await onServer(url, (client) => client.query<{ work_mem: string }>('show work_mem'))
        expect(memory.rows[0]?.work_mem).toBe('4MB')
      }
    } finally {
      folder.remove()
      await pooler.stop()
      await server.drop()
    }
  })
})
