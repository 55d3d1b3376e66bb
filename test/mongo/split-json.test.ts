import { describe, expect, test } from '@jest/globals'
import { JsonSplitter, type JsonPiece } from '../../src/mongo/split-json.js'

/** Everything a splitter makes of these bytes, given to it in pieces of a size. */
function split(bytes: Buffer | string, size = Number.MAX_SAFE_INTEGER): readonly JsonPiece[] {
  const whole = Buffer.from(bytes)
  const splitter = new JsonSplitter()
  const pieces: JsonPiece[] = []
  for (let at = 0; at < whole.length; at += size) pieces.push(...splitter.push(whole.subarray(at, at + size)))
  return [...pieces, ...splitter.end()]
}

const documents = [
  '{"a":1}',
  '{"b":"} ] \\" { [ \\\\"}',
  '{"c":{"d":[{"e":"ü🚚"},[]]}}',
  '{"f":"line\\nbreak"}',
]

const parsed = (pieces: readonly JsonPiece[]): readonly unknown[] =>
  pieces.map(({ text, broken }) => (text === undefined ? broken : (JSON.parse(text) as unknown)))

const expected = documents.map((text) => JSON.parse(text) as unknown)

describe('a file of documents', () => {
  const formats: readonly (readonly [string, string, readonly number[]])[] = [
    ['one a line', documents.join('\n') + '\n', [1, 2, 3, 4]],
    ['one a line, the last without an end', documents.join('\n'), [1, 2, 3, 4]],
    ['one a line, with empty lines between', documents.join('\n\n \n'), [1, 4, 7, 10]],
    ['an array in one line', `[${documents.join(',')}]\n`, [1, 1, 1, 1]],
    ['an array, one a line', `[${documents.join(',\n')}]\n`, [1, 2, 3, 4]],
    ['an array that begins on a line of its own', `\n[\n${documents.join(',\n')}\n]`, [3, 4, 5, 6]],
    [
      'indented documents',
      documents.map((text) => JSON.stringify(JSON.parse(text), undefined, 2)).join('\n'),
      [1, 4, 7, 17],
    ],
  ]

  describe.each(formats)('%s', (_, text, lines) => {
    test.each([1, 2, 3, 7, 64, 100_000])('is cut into its documents, read in pieces of %d bytes', (size) => {
      const pieces = split(text, size)
      expect(parsed(pieces)).toEqual(expected)
      expect(pieces.map(({ line }) => line)).toEqual(lines)
    })
  })

  test('may begin with a byte order mark', () => {
    for (const size of [1, 2, 1000]) expect(parsed(split('\ufeff{"a":1}\n', size))).toEqual([{ a: 1 }])
  })

  test('may be empty', () => {
    for (const text of ['', '\n', ' \n\n', '[]', '[ ]\n']) expect(split(text)).toEqual([])
  })

  test('has to be UTF-8, document by document', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n{"b":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n{"c":3}\n'),
    ])
    expect(parsed(split(bytes))).toEqual([{ a: 1 }, 'it is not UTF-8 text', { c: 3 }])
    expect(parsed(split(bytes, 1))).toEqual([{ a: 1 }, 'it is not UTF-8 text', { c: 3 }])
    const array = Buffer.concat([Buffer.from('[{"b":"'), Buffer.from([0xff]), Buffer.from('"},{"c":3}]')])
    expect(parsed(split(array))).toEqual(['it is not UTF-8 text', { c: 3 }])
  })

  test('is told apart from UTF-16', () => {
    const [piece, ...more] = split(Buffer.from('\ufeff{"a":1}\n{"a":2}\n', 'utf16le'), 4)
    expect(piece?.broken).toMatch(/UTF-16/)
    expect(more).toEqual([])
  })

  test('says where an array goes astray, once, and goes on with the next document', () => {
    expect(split('[{"a":1},\noops oops,\n{"b":2}]')).toEqual([
      { line: 1, text: '{"a":1}' },
      { line: 2, broken: 'a document is expected here, and none begins' },
      { line: 3, text: '{"b":2}' },
    ])
  })

  test('says which document the end cuts off', () => {
    expect(split('[{"a":1},\n{"b":')).toEqual([
      { line: 1, text: '{"a":1}' },
      { line: 2, broken: 'the file ends within this document' },
    ])
    // As a line, it is whatever JSON.parse says of it.
    expect(split('{"a":1}\n{"b":')).toEqual([
      { line: 1, text: '{"a":1}' },
      { line: 2, text: '{"b":' },
    ])
  })
})
