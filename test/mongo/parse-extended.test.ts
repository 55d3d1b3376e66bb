import { expect, test } from '@jest/globals'
import { parseExtended } from '../../src/mongo/parse-extended.js'

test.each([
  ['{"n":9007199254740993}', { n: { $numberLong: '9007199254740993' } }],
  ['{"n": -9223372036854775808 }', { n: { $numberLong: '-9223372036854775808' } }],
  ['[1,9007199254740993,2]', [1, { $numberLong: '9007199254740993' }, 2]],
  // What a double holds stays one.
  ['{"n":9007199254740991}', { n: Number.MAX_SAFE_INTEGER }],
  ['{"n":1234567890123456.5}', { n: 1234567890123456.5 }],
  ['{"n":12345678901234567e3}', { n: 12345678901234567e3 }],
  // Beyond 64 bits it was a double when it was written.
  ['{"n":10000000000000000000}', { n: 1e19 }],
  ['{"n":100000000000000000000000}', { n: 1e23 }],
  // Digits in texts are texts, whatever surrounds them.
  [
    '{"t":"a:9007199254740993,","n":9007199254740993}',
    { t: 'a:9007199254740993,', n: { $numberLong: '9007199254740993' } },
  ],
  ['{"t":"\\",[9007199254740993,","n":1}', { t: '",[9007199254740993,', n: 1 }],
  ['{"9007199254740993":9007199254740993}', { '9007199254740993': { $numberLong: '9007199254740993' } }],
])('%s keeps its integers exact', (text, expected) => {
  expect(parseExtended(text)).toEqual(expected)
})

test('what is no JSON is refused', () => {
  expect(() => parseExtended('{"n":9007199254740993')).toThrow(SyntaxError)
  expect(() => parseExtended('{n:9007199254740993}')).toThrow(SyntaxError)
})
