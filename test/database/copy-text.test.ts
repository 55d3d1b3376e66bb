import { describe, expect, test } from '@jest/globals'
import { arrayLiteral, copyLine } from '../../src/database/copy-text.js'

describe('the text of COPY', () => {
  test('escapes what COPY reads as its own, and tells null from its letters', () => {
    expect(copyLine(['a', null, '', 'x\ty', 'l\nm\r', 'b\\c', '\\N', '\\.'])).toBe(
      'a\t\\N\t\tx\\ty\tl\\nm\\r\tb\\\\c\t\\\\N\t\\\\.\n',
    )
  })

  test('writes arrays so that no element can be mistaken', () => {
    expect(arrayLiteral(['a', null, 'NULL', '', 'q"b\\', '{x,y}'])).toBe(
      String.raw`{"a",NULL,"NULL","","q\"b\\","{x,y}"}`,
    )
    expect(
      arrayLiteral([
        ['1', '2'],
        ['3', null],
      ]),
    ).toBe('{{"1","2"},{"3",NULL}}')
    expect(arrayLiteral([])).toBe('{}')
  })
})
