import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { makeFolder, runCli } from '../support/cli.js'
import { noteEngine } from '../support/server.js'

test('several databases start at once on a machine that has never started an engine', async () => {
  noteEngine('embedded PGlite 0.5.8')
  const migrations = (table: string): Record<string, string> => ({
    [`sql/${table}/migrations/0001_${table}.up.sql`]: `create table ${table} (n int primary key);\n`,
    [`sql/${table}/migrations/0001_${table}.down.sql`]: `drop table ${table};\n`,
  })
  const folder = makeFolder({
    'dbkit.config.json': JSON.stringify({ databases: { apples: {}, pears: {} } }),
    ...migrations('apples'),
    ...migrations('pears'),
  })
  try {
    const env = { XDG_CACHE_HOME: join(folder.path, 'cache') }
    const { exit, stderr } = await runCli(['codegen'], { cwd: folder.path, env })
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
  } finally {
    folder.remove()
  }
})
