import { describe, expect, test } from '@jest/globals'
import { JsonSyntaxError, parseJson, type JsonNode } from '../../src/seed/json-text.js'

/** The value that JSON.parse would give; numbers through Number, which tests only compare. */
function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null
    case 'boolean':
      return node.value === 'true'
    case 'number':
      return Number(node.value)
    case 'string':
      return node.value
    case 'array':
      return node.items.map(valueOf)
    case 'object':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, valueOf(value)]))
  }
}

describe('JSON with its places', () => {
  test.each([
    '{}',
    '[]',
    ' [ 1 , -2.5e+3, 0, "a\\u00e9\\n\\"\\\\\\/", true, false, null, {"a":{"b":[[]]}} ] ',
    '"plain"',
    '"\\ud83d\\ude00"',
    '[{"k": 1},\r\n\t{"k": 2}]',
  ])('reads %s as JSON.parse does', (text) => {
    expect(valueOf(parseJson(text))).toEqual(JSON.parse(text))
  })

  test('keeps numbers as they are written', () => {
    const node = parseJson('12345678901234567890.10')
    expect(node).toMatchObject({ kind: 'number', value: '12345678901234567890.10' })
  })

  test('says where a value stands', () => {
    const text = '{"a": [1, "x"]}'
    const node = parseJson(text)
    if (node.kind !== 'object') throw new Error('no object')
    const [entry] = node.entries
    expect(entry?.keyStart).toBe(1)
    expect(text.slice(entry?.value.start, entry?.value.end)).toBe('[1, "x"]')
  })

  test('reads a long string', () => {
    const long = `${'a'.repeat(2_000_000)}\\n${'b'.repeat(1_000_000)}`
    const node = parseJson(`"${long}"`)
    expect(node.kind === 'string' && node.value.length).toBe(3_000_001)
  })

  test.each([
    ['', 0, 'it ends where a value is expected'],
    ['{"a" 1}', 5, '"1" where ":" is expected'],
    ['{"a": 1,}', 8, '"}" where a key in double quotes is expected'],
    ['[1,]', 3, '"]" where a value is expected'],
    ['[1 2]', 3, '"2" where "," is expected'],
    ['[1', 2, 'it ends where "," is expected'],
    ['{"a": 1, "a": 2}', 9, 'the key "a" is there twice'],
    ['"a\nb"', 0, 'a string that is not closed'],
    ['"\\x"', 0, 'a string that is not closed'],
    ["{'a': 1}", 1, `"'" where a key in double quotes is expected`],
    ['nul', 0, '"n" where a value is expected'],
    ['01', 1, '"1" where the end is expected'],
    ['1 2', 2, '"2" where the end is expected'],
    ['NaN', 0, 'a value is expected'],
  ])('refuses %j at %d', (text, index, what) => {
    let thrown: unknown
    try {
      parseJson(text)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(JsonSyntaxError)
    expect((thrown as JsonSyntaxError).message).toContain(what)
    expect((thrown as JsonSyntaxError).index).toBe(index)
    // JSON.parse takes the last of two equal keys, and a seed file with two has a mistake in it.
    if (!what.includes('twice')) expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
  })
})
