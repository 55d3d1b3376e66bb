import { afterEach, expect } from '@jest/globals'
import { seed, type RunEvent } from 'dbkit'
import { changes, describeSeeds, failure, type SeedBench } from '../support/seeds.js'

const schema = 'create table items (id int primary key, name text, made date, price numeric);'

const columns = 'id,name,made,price\n'

/** More than a megabyte of CSV, so that it need not be read; `line` may spoil one. */
function large(rows: number, line: (n: number) => string = plain): string {
  return columns + Array.from({ length: rows }, (_, n) => line(n)).join('')
}

function plain(n: number): string {
  return `${String(n)},"item, ""${String(n)}"" of many",2026-01-02,${String(n)}.50\n`
}

const ROWS = 40_000

let bench: SeedBench
afterEach(async () => {
  await bench.remove()
})

describeSeeds('a large CSV file', (open, { everywhere, once }) => {
  everywhere('goes to the server as it is, into an empty table and into one with rows', async () => {
    bench = await open(schema, { 'sample/items.csv': large(ROWS) })
    expect(changes(await bench.seed())).toEqual([`items ${String(ROWS)} new, 0 changed, 0 same`])
    expect(await bench.rows('select count(*), max(name), sum(price) from items')).toEqual([
      `${String(ROWS)}|item, "9999" of many|${String((ROWS * (ROWS - 1)) / 2 + ROWS / 2)}.00`,
    ])
    expect(changes(await bench.seed())).toEqual([`items 0 new, 0 changed, ${String(ROWS)} same`])
    bench.write({
      'sample/items.csv': large(ROWS + 1, (n) => (n === 17 ? '17,changed,,\n' : plain(n))),
    })
    expect(changes(await bench.seed())).toEqual([`items 1 new, 1 changed, ${String(ROWS - 1)} same`])
  })

  once('may hold relative dates', async () => {
    bench = await open(schema, {
      'sample/items.csv': large(ROWS, (n) => (n === ROWS - 1 ? `${String(n)},x,today - 1,\n` : plain(n))),
    })
    expect(changes(await bench.seed({ today: '2026-03-01' }))).toEqual([
      `items ${String(ROWS)} new, 0 changed, 0 same`,
    ])
    expect(await bench.rows(`select made from items where name = 'x'`)).toEqual(['2026-02-28'])
  })

  const spoiled = (bad: string): string => large(ROWS, (n) => (n === 30_000 ? bad : plain(n)))
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'with a bad value',
      '30000,x,2026-13-01,1\n',
      'seed.refused sample/items.csv:30002:9 date/time field value out of range: "2026-13-01"',
    ],
    [
      'with a missing field',
      '30000,x\n',
      'seed.bad-csv sample/items.csv:30002:7 The file is not CSV: 2 fields where the header has 4.',
    ],
    [
      'with a stray quote',
      '30000,5" pipe,2026-01-01,1\n',
      'seed.bad-csv sample/items.csv:30002:8 The file is not CSV: a quote inside an unquoted field (quote the field, and double the quote).',
    ],
    [
      'with a key that is there already',
      '7,again,,\n',
      'seed.duplicate-key sample/items.csv:30002:1 Lines 9 and 30002 are the same row: id = 7.',
    ],
    [
      'without a key',
      ',x,,\n',
      'seed.refused sample/items.csv:30002:1 null value in column "id" of relation "items" violates not-null constraint',
    ],
    [
      'that looks like the end of the data',
      '30000,x,,\n\\.\n',
      'seed.bad-csv sample/items.csv:30003:1 The file is not CSV: 1 field where the header has 4.',
    ],
  ]
  for (const [what, bad, expected] of cases)
    once(`${what} says where`, async () => {
      bench = await open(schema, { 'sample/items.csv': spoiled(bad) })
      expect(failure(await bench.seed())).toBe(expected)
      expect(await bench.rows('select count(*) from items')).toEqual(['0'])
    })

  once('tells how far it has come', async () => {
    bench = await open(schema, { 'sample/items.csv': large(ROWS) })
    const events: RunEvent[] = []
    await bench.seed({ observer: (event) => events.push(event) })
    const progress = events.filter((event) => event.kind === 'seed-progress')
    expect(progress.length).toBeGreaterThan(0)
    const last = progress.at(-1)
    expect(last).toMatchObject({ database: 'freight', file: 'seeds/freight/sample/items.csv' })
    expect(last?.bytes).toBeLessThanOrEqual(last?.totalBytes ?? 0)
  })

  once('can be interrupted, and leaves nothing', async () => {
    bench = await open(
      `${schema}
       create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.01); return new; end $$;
       create trigger slow before insert on items for each row execute function slow();`,
      { 'sample/items.csv': large(ROWS) },
    )
    const controller = new AbortController()
    setTimeout(() => {
      controller.abort()
    }, 700)
    const startedAt = Date.now()
    const stopped = await bench.seed({ signal: controller.signal })
    expect(stopped.error).toMatchObject({ code: 'run.interrupted', exit: 130 })
    expect(Date.now() - startedAt).toBeLessThan(10_000)
    expect(await bench.rows('select count(*) from items')).toEqual(['0'])
  })
})

describeSeeds('two runs at once', (open, { once }) => {
  once('load one after the other', async () => {
    bench = await open(schema, { 'sample/items.csv': 'id,name\n1,x\n2,y\n' })
    const reports = await Promise.all([bench.seed(), bench.seed(), bench.seed()])
    const outcomes = reports.map((report) => changes(report)[0]).sort()
    expect(outcomes).toEqual([
      'items 0 new, 0 changed, 2 same',
      'items 0 new, 0 changed, 2 same',
      'items 2 new, 0 changed, 0 same',
    ])
  })
})

describeSeeds('what a run refuses before it begins', (open, { once }) => {
  once('an embedded engine that nobody asked for, in CI', async () => {
    bench = await open(schema, { 'sample/items.csv': 'id\n1\n' })
    const [database] = bench.config.databases
    if (database === undefined) throw new Error('no database')
    const config = {
      ...bench.config,
      environment: { CI: 'true' },
      databases: [
        {
          ...database,
          target: {
            kind: 'embedded' as const,
            folder: bench.folder.path,
            asked: false,
            emptyVariable: undefined,
          },
        },
      ],
    }
    await expect(seed(config)).rejects.toMatchObject({ code: 'request.embedded-in-ci' })
  })

  once('a reset of several databases that nobody named', async () => {
    bench = await open(schema)
    const [database] = bench.config.databases
    if (database === undefined) throw new Error('no database')
    const config = { ...bench.config, chosen: false, databases: [database, { ...database, name: 'second' }] }
    await expect(seed(config, { reset: true })).rejects.toMatchObject({ code: 'request.needs-confirmation' })
  })
})
