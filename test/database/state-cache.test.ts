import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import type { JsonReport } from '../support/engines.js'
import { noteEngine } from '../support/server.js'

describe('a state that was expensive to make', () => {
  let folder: Folder
  beforeEach(() => {
    noteEngine('embedded PGlite 0.5.8')
    folder = makeFolder({
      'shop/1_slow.up.sql':
        'create table slow (id integer); select pg_sleep(2.1); insert into slow values (1);',
      'shop/1_slow.down.sql': 'drop table slow;',
      'shop/2_quick.up.sql': 'create table quick ();',
      'shop/2_quick.down.sql': 'drop table quick;',
    })
  })
  afterEach(() => {
    folder.remove()
  })
  const up = async (...args: string[]): Promise<readonly string[]> => {
    const env = { XDG_CACHE_HOME: join(folder.path, 'cache') }
    const { exit, stdout } = await runCli(
      ['migrate', 'up', '--dir', 'shop', '--embedded', '--json', ...args],
      { cwd: folder.path, env },
    )
    expect(exit).toBe(0)
    return ((JSON.parse(stdout) as JsonReport).databases[0]?.steps ?? []).map(
      ({ name, source }) => `${name} ${source ?? 'run'}`,
    )
  }
  const forget = (): void => {
    rmSync(join(folder.path, '.dbkit'), { recursive: true })
  }

  test('is where the next database starts from, and goes on from', async () => {
    expect(await up()).toEqual(['1_slow run', '2_quick run'])
    expect(await up()).toEqual([])
    forget()
    folder.write({
      'shop/3_more.up.sql': 'insert into slow values (2);',
      'shop/3_more.down.sql': 'delete from slow where id = 2;',
    })
    expect(await up()).toEqual(['1_slow cache', '2_quick cache', '3_more run'])
    const down = await runCli(['migrate', 'down', '--all', '--dir', 'shop', '--embedded'], {
      cwd: folder.path,
    })
    expect(down.exit).toBe(0)
  })

  test('is left alone by a history that differs from it, and by a goal before it', async () => {
    await up()
    forget()
    expect(await up('--to', '1')).toEqual(['1_slow run'])
    forget()
    folder.write({ 'shop/2_quick.down.sql': 'drop table quick; -- otherwise' })
    expect(await up()).toEqual(['1_slow cache', '2_quick run'])
    expect(readdirSync(join(folder.path, 'cache/dbkit/states')).length).toBeGreaterThan(1)
  })
})
