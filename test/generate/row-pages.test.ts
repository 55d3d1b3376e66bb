import { describe, expect, test } from '@jest/globals'
import { RowPages } from '../../src/generate/row-pages.js'
import { fixedText, integerText, momentText, paddedText } from '../../src/generate/value-texts.js'

/** All that is written, through pages of this size. */
function written(line: (row: number) => string, rows: number, size: number): Buffer {
  const pages = new RowPages(line, 0, rows)
  const page = Buffer.alloc(size)
  const parts: Buffer[] = []
  for (let length = pages.fill(page); length > 0; length = pages.fill(page)) {
    expect(length).toBeLessThanOrEqual(size)
    parts.push(Buffer.from(page.subarray(0, length)))
  }
  expect(pages.bytes).toBe(parts.reduce((sum, { length }) => sum + length, 0))
  return Buffer.concat(parts)
}

describe('rows in pages', () => {
  const lines: readonly (readonly [string, (row: number) => string])[] = [
    ['short', (row) => `${String(row)}\n`],
    ['of all lengths', (row) => `${'x'.repeat((row * 7_919) % 5_000)}\n`],
    ['longer than a page', (row) => `${'é'.repeat(9_000 + row)}\n`],
    ['of characters of three bytes', (row) => `${'€'.repeat(row % 3_000)}\n`],
    ['of characters of four bytes', (row) => `${'😀'.repeat(row % 900)}\n`],
  ]
  test.each(lines)('%s: nothing is lost between them', (_, line) => {
    const expected = Buffer.from(Array.from({ length: 300 }, (__, row) => line(row)).join(''))
    for (const size of [4_096, 10_007, 1 << 18]) expect(written(line, 300, size).equals(expected)).toBe(true)
  })

  test('no rows are no pages', () => {
    expect(written(() => 'x\n', 0, 100).length).toBe(0)
  })
})

describe('numbers and moments as texts', () => {
  test('are what JavaScript writes', () => {
    for (const value of [0, -0, 7, 9_999, 10_000, -3, 2 ** 40, 0.5, NaN])
      expect(integerText(value)).toBe(String(value))
    for (const value of [0, 0.005, 1.005, -1.5, 99.995, 12_345.678, 1e9])
      for (const digits of [0, 1, 2, 3, 4, 6]) {
        const text = fixedText(value, digits)
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(0.5 * 10 ** -digits + 1e-9)
        expect(text.split('.')[1]?.length ?? 0).toBe(digits)
      }
    expect([fixedText(-0.001, 2), fixedText(-12.5, 2), fixedText(3, 0)]).toEqual(['0.00', '-12.50', '3'])
    // A numeric takes NaN; nobody has asked for one.
    expect(fixedText(NaN, 2)).not.toBe('NaN')
    for (const value of [0, 7, 999, 1_000, 999_999, 1_000_000, 12_345_678, 999_999_999, 1e9])
      for (const digits of [1, 3, 6, 7, 8, 9, 10])
        expect(paddedText(value, digits)).toBe(String(value).padStart(digits, '0'))
  })

  test('moments go by the second, before 1970 and after 2060 too', () => {
    for (const text of [
      '1955-11-05 06:15:09',
      '1970-01-01 00:00:00',
      '2024-02-29 23:59:59',
      '2099-12-31 12:00:01',
    ])
      expect([
        momentText(Date.parse(`${text.replace(' ', 'T')}Z`)),
        momentText(Date.parse(`${text.replace(' ', 'T')}Z`)),
      ]).toEqual([text, text])
  })
})
