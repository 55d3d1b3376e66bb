import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, expect } from '@jest/globals'
import { describeEngines, type Bench } from '../support/engines.js'

const source = fileURLToPath(new URL('../../fixtures/workspaces/bazaar/', import.meta.url))

describeEngines(
  'a history in another style: nested comments, dollar quotes, BEGIN ATOMIC, rules, unicode, CRLF',
  (open, { everywhere }) => {
    let bench: Bench
    afterEach(async () => {
      await bench.remove()
    })
    /** The schema as pg_dump says it, which knows nothing of dbkit. Only where there is a server of its version. */
    const dump = (): string =>
      bench.server === undefined
        ? ''
        : execFileSync('pg_dump', ['--schema-only', '--exclude-schema=dbkit', bench.server.url], {
            encoding: 'utf8',
          }).replaceAll(/^\\(un)?restrict .*$/gm, '')

    everywhere('goes up, down to nothing and up again to the same', async () => {
      bench = await open(
        Object.fromEntries(readdirSync(source).map((name) => [name, readFileSync(source + name)])),
      )
      const empty = dump()
      const up = await bench.json('migrate', 'up')
      expect(up.report.databases[0]?.error).toBeUndefined()
      expect(up.report.databases[0]?.steps?.map(({ name }) => name)).toEqual([
        '1_catalogue',
        '2_behaviour',
        '10_views',
        '11_indexes',
        '20240229120000_empty',
      ])
      const full = dump()
      const down = await bench.json('migrate', 'down', '--all')
      expect(down.report.databases[0]?.error).toBeUndefined()
      expect(dump()).toBe(empty)
      const again = await bench.json('migrate', 'up')
      expect(again.report.databases[0]?.error).toBeUndefined()
      expect(dump()).toBe(full)
      if (bench.server !== undefined)
        expect(
          await bench.server.query('select название as name, price from bazaar.товары order by "№"'),
        ).toEqual([
          { name: 'чайник 🫖', price: '39.80' },
          { name: 'data', price: '0.00' },
        ])
    })
  },
)
