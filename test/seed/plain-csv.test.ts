import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { from as copyFrom } from 'pg-copy-streams'
import { CsvReader } from '../../src/seed/csv.js'
import { isPlainCsv } from '../../src/seed/plain-csv.js'
import type { SeedFile } from '../../src/seed/read-seeds.js'
import { makeFolder } from '../support/cli.js'
import { onServer, serverUrl } from '../support/server.js'

const folder = makeFolder()
afterAll(() => {
  folder.remove()
})

/** The file as if it were large enough to be sent as it is. */
function csvFile(text: string): SeedFile {
  folder.write({ 'items.csv': text })
  return {
    set: 'sample',
    path: join(folder.path, 'items.csv'),
    file: 'items.csv',
    format: 'csv',
    bytes: 2_000_000,
    candidates: [],
  }
}

describe('a CSV file that goes to the server as it is', () => {
  test.each([
    ['a,b\n1,2\n', true],
    ['a,b\n"1","2 ""x"""\r\n"","x\ny"', true],
    ['a,b\n1,5" pipe\n', false],
    ['a,b\n1,"x"y\n', false],
    ['a,b\n1, "x"\n', false],
    ['a,b\n1,"x\n', false],
    ['a,b\n\\.\n', false],
    ['a,b\n1,today - 1\n', false],
  ])('%j: %p', async (text, plain) => {
    expect(await isPlainCsv(csvFile(text), { dates: true })).toBe(plain)
  })

  test('may hold the word today where no column holds dates', async () => {
    expect(await isPlainCsv(csvFile('a,b\n1,not today\n'), { dates: false })).toBe(true)
  })

  test('is looked at across the seams of its pieces', async () => {
    const piece = 1_024 * 1_024
    const upTo = (length: number): string => `a,b\n${'x'.repeat(length - 4)}`
    const options = { dates: true }
    expect(await isPlainCsv(csvFile(`${upTo(piece - 2)}today`), options)).toBe(false)
    expect(await isPlainCsv(csvFile(`${upTo(piece - 1)}\\.`), options)).toBe(false)
    expect(await isPlainCsv(csvFile(`${upTo(piece)}"`), options)).toBe(false)
    expect(await isPlainCsv(csvFile(`${upTo(piece - 1)},"x"`), options)).toBe(true)
    // The last byte of the first piece is a quote: the first of the second says what it meant.
    const quoted = `a,b\n"${'x'.repeat(piece - 6)}"`
    expect(quoted).toHaveLength(piece)
    expect(await isPlainCsv(csvFile(`${quoted}"",y\n`), options)).toBe(true)
    expect(await isPlainCsv(csvFile(`${quoted}",y\n`), options)).toBe(false)
    expect(await isPlainCsv(csvFile(`${quoted},y\n`), options)).toBe(true)
    expect(await isPlainCsv(csvFile(`${quoted}y\n`), options)).toBe(false)
  })

  const url = serverUrl()
  if (url === undefined)
    test.skip('means the same to COPY: needs PostgreSQL server binaries, which this machine lacks', () =>
      undefined)
  else
    test('means the same to COPY as to dbkit', async () => {
      const bits = [
        '"',
        '"',
        ',',
        ',',
        '\n',
        'a',
        '\\',
        '.',
        'é',
        '\r',
        "'",
        '""',
        '\r\n',
        'b c',
        '"x"',
        '"y,z"',
        '"q""r"',
      ]
      let state = 7
      const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below
      const field = (): string => Array.from({ length: random(3) }, () => bits[random(bits.length)]).join('')
      let compared = 0
      await onServer(url, async (client) => {
        await client.query('create temp table items (n int generated always as identity, a text, b text)')
        for (let n = 0; n < 600; n++) {
          const rows = Array.from({ length: 1 + random(3) }, () => `${field()},${field()}\n`)
          const text = `a,b\n${rows.join('')}`
          if (!(await isPlainCsv(csvFile(text), { dates: true }))) continue
          await client.query('truncate items')
          const copy = client.query(copyFrom('copy items (a, b) from stdin with (format csv, header true)'))
          // What COPY refuses is read by dbkit after all.
          const accepted = await pipeline(Readable.from([text]), copy).then(
            () => true,
            () => false,
          )
          if (!accepted) continue
          const { rows: theirs } = await client.query({
            text: 'select a, b from items order by n',
            rowMode: 'array',
          })
          const reader = new CsvReader()
          const records = [...reader.push(text), ...reader.end()]
          expect([text, records.slice(1).map(({ fields }) => fields)]).toEqual([text, theirs])
          compared++
        }
      })
      expect(compared).toBeGreaterThan(80)
    })
})
