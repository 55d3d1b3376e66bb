import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { from as copyFrom } from 'pg-copy-streams'
import { CsvReader } from '../../src/seed/csv.js'
import { isPlainCsv } from '../../src/seed/plain-csv.js'
import type { SeedFile } from '../../src/seed/read-seeds.js'
import { looksRelative } from '../../src/seed/relative-date.js'
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
    ['\\.\n', false],
    ['a,b\n1,x\\.y\n', true],
    ['a,b\n1,"\\."\n', true],
    ['a,b\n1,today - 1\n', false],
    ['a,b\n1, \t today\n', false],
    ['a,b\ntoday,1\n', false],
    ['a,b\n1,"today"\n', false],
    ['a,b\n1,"  today"\n', false],
    [`a,b\n1,"${' '.repeat(80)}today"\n`, false],
    [`a,b\n1,${' '.repeat(80)}today\n`, false],
    ['a,b\n1,not today\n', true],
    ['a,b\n1,"well, today"\n', true],
    ['a,b\n1,"so\ntoday"\n', true],
    ['a,b\n1,"""today"" he said"\n', true],
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
    for (let before = 1; before <= 8; before++) {
      const plain = (text: string): Promise<boolean> =>
        isPlainCsv(csvFile(`${upTo(piece - before)}${text}`), options)
      for (const text of [',today', ', today\n', '\ntoday', ',"today"', ',"  today"', '\n\\.'])
        expect([before, text, await plain(text)]).toEqual([before, text, false])
      for (const text of ['today', ',x today', ',"x today"', ',"""today"""', 'x\\.', ',toda', ',"x"'])
        expect([before, text, await plain(text)]).toEqual([before, text, true])
    }
    for (const blanks of [60, 63, 64, 70])
      for (const text of [`,${' '.repeat(blanks)}today`, `,"${' '.repeat(blanks)}today"`])
        for (const before of [1, 3, blanks, blanks + 4]) {
          const file = csvFile(`${upTo(piece - before)}${text}`)
          expect([before, text, await isPlainCsv(file, options)]).toEqual([before, text, false])
        }
    expect(await isPlainCsv(csvFile(`${upTo(piece)}"`), options)).toBe(false)
    // The last byte of the first piece is a quote: the first of the second says what it meant.
    const quoted = `a,b\n"${'x'.repeat(piece - 6)}"`
    expect(quoted).toHaveLength(piece)
    expect(await isPlainCsv(csvFile(`${quoted}"",y\n`), options)).toBe(true)
    expect(await isPlainCsv(csvFile(`${quoted}",y\n`), options)).toBe(false)
    expect(await isPlainCsv(csvFile(`${quoted},y\n`), options)).toBe(true)
    expect(await isPlainCsv(csvFile(`${quoted}y\n`), options)).toBe(false)
  })

  test('holds no relative date, however it is cut into pieces', async () => {
    const bits = ['"', '"', ',', ',', '\n', 'today', 'today', ' ', 'x', '""', 'to', '"today"', '\t']
    let state = 11
    const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below
    const seen = { plain: 0, relative: 0 }
    for (let n = 0; n < 3_000; n++) {
      const body = Array.from({ length: 1 + random(12) }, () => bits[random(bits.length)]).join('')
      const text = `a,b\n${body}\n`
      const file = csvFile(text)
      const whole = await isPlainCsv(file, { dates: true })
      const inPieces = await isPlainCsv(file, { dates: true, chunk: 1 + random(9) })
      expect([text, inPieces]).toEqual([text, whole])
      if (!(await isPlainCsv(file, { dates: false }))) continue
      const reader = new CsvReader()
      const records = [...reader.push(text), ...reader.end()]
      const holds = records.some(({ fields }) =>
        fields.some((field) => field !== null && looksRelative(field)),
      )
      // What only looks so may be read all the same.
      if (whole) expect([text, holds]).toEqual([text, false])
      seen[whole ? 'plain' : 'relative']++
    }
    expect(seen.plain).toBeGreaterThan(200)
    expect(seen.relative).toBeGreaterThan(200)
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
