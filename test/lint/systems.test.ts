import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { lint, settleConfig } from 'dbkit'
import { proving } from '../support/prove.js'
import { noteEngine, serverUrl } from '../support/server.js'
import { migrationsOf } from './harness.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MINUTES = 60_000

describe.each(['happyrobot', 'escalation', 'smartscheduler', 'delauto'])('the migrations of %s', (name) => {
  const url = serverUrl()
  const clean = async (shadowUrl: string | undefined): Promise<void> => {
    const environment = { HOME: process.env['HOME'] }
    const config = await settleConfig({ database: [name] }, { cwd: root, environment })
    const options = { since: '0', ...(shadowUrl === undefined ? {} : { shadowUrl }) }
    const [report] = (await lint(config, options)).databases
    if (report === undefined) throw new Error('no database in the report')
    const migrations = migrationsOf(report)
    expect(migrations.length).toBeGreaterThan(4)
    expect(migrations.flatMap(({ findings }) => findings)).toEqual([])
    expect(migrations.flatMap(({ notes }) => notes)).toEqual([])
  }
  // The embedded engine takes several times as long, and is as good where there is no server.
  if (url === undefined || (proving && name === 'delauto'))
    test(
      'have no hazard that they do not allow, on PGlite',
      () => {
        noteEngine('embedded PGlite 0.5.8')
        return clean(undefined)
      },
      10 * MINUTES,
    )
  if (url === undefined)
    test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
  else test('have no hazard that they do not allow, on a server', () => clean(url), 5 * MINUTES)
})
