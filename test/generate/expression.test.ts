import { describe, expect, test } from '@jest/globals'
import { constant } from '../../src/generate/compiled.js'
import type { Value } from '../../src/generate/copy-values.js'
import { draw, uuid } from '../../src/generate/draw.js'
import { compile, ExpressionError } from '../../src/generate/expression.js'
import { schemaOf } from '../../src/generate/sample-json.js'

let salt = 0
const values: Readonly<Record<string, Value>> = {
  miles: 100,
  empty: null,
  cities: ['a', 'b', 'c'],
  name: "O'Hara",
}
const scope = {
  name: (path: readonly string[]) => {
    const value = values[path.join('.')]
    return value === undefined ? undefined : constant(value)
  },
  salt: () => ++salt,
}
const run = (text: string, row = 0): Value => compile(text, scope).get(row)

describe('expressions of recipes', () => {
  test.each<[string, Value]>([
    ['1 + 2 * 3 - 4 / 2', 5],
    ['-(2 + 3) % 3', -2],
    ['miles * 2 = 200 and not miles < 100', true],
    ["miles > 99 ? 'far' : 'near'", 'far'],
    ["false ? 1 : miles = 100 or empty = 1 ? 'yes' : 'no'", 'yes'],
    ['empty + 1', null],
    ['1 / 0', null],
    ['empty = null', true],
    ["'it''s'", "it's"],
    ["text('A-', pad(7, 3), '/', miles, empty)", 'A-007/100'],
    ['round(1234.567, 1)', 1234.6],
    ['round(1234, -2)', 1200],
    ["coalesce(empty, lower('X'))", 'x'],
    ['nth(cities, 4)', 'b'],
    ["[1, 'two', null]", [1, 'two', null]],
    ['weekday(days(2))', 6],
    ['workday(days(2)) = days(4)', true],
    ["slug('Ab & Co.')", 'ab-co'],
    ['isodate(days(365))', '1971-01-01'],
  ])('%s is %j', (text, expected) => {
    expect(run(text)).toEqual(expected)
  })

  test('chance follows from the row and the place of the call', () => {
    const { get } = compile("weighted('a', 1, 'b', 3)", scope)
    const rows = Array.from({ length: 4_000 }, (_, row) => get(row))
    expect(rows).toEqual(Array.from({ length: 4_000 }, (_, row) => get(row)))
    const share = rows.filter((value) => value === 'b').length / rows.length
    expect(share).toBeGreaterThan(0.72)
    expect(share).toBeLessThan(0.78)
    const other = compile("weighted('a', 1, 'b', 3)", scope).get
    expect(rows.some((value, row) => value !== other(row))).toBe(true)
  })

  test.each([
    ['miles +', 'it ends too early', 7],
    ['round(miles', '")" is missing', 11],
    ['rund(1)', 'there is no function rund', 0],
    ['pick()', 'pick takes a list', 0],
    ['loads.miles', 'nothing is called loads.miles', 0],
    ['1 2', '"2" does not belong there', 2],
    ['a # b', 'what is "# b"', 1],
  ])('%s is refused: %s', (text, message, at) => {
    let refused: unknown
    try {
      run(text)
    } catch (error) {
      refused = error
    }
    expect(refused).toBeInstanceOf(ExpressionError)
    expect((refused as ExpressionError).message).toContain(message)
    expect((refused as ExpressionError).at).toBe(at)
  })
})

test('no two rows draw the same, and every UUID is one of version 4', () => {
  const drawn = new Set(Array.from({ length: 100_000 }, (_, row) => draw(row, 99)))
  expect(drawn.size).toBe(100_000)
  for (let row = 0; row < 100; row++)
    expect(uuid(row, 5)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('shapes written as TypeScript are read, those of an application are not', () => {
  expect(schemaOf("{ a: string; b?: ('x' | 2)[] }")).toEqual({
    type: 'object',
    properties: {
      a: { type: 'string' },
      b: { type: 'array', items: { anyOf: [{ const: 'x' }, { const: 2 }] } },
    },
    required: ['a'],
  })
  expect(schemaOf('Record<string, number>')).toEqual({
    type: 'object',
    additionalProperties: { type: 'number' },
  })
  expect(schemaOf('OrderState')).toBeUndefined()
  expect(schemaOf('{ a: OrderState }')).toBeUndefined()
})
