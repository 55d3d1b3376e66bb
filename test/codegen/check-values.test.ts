import { describe, expect, test } from '@jest/globals'
import { allowedBy, allowedByAll } from '../../src/codegen/check-values.js'

/** The list that an expression leaves for the column "status". */
function values(expression: string): readonly string[] | undefined {
  return allowedBy(expression, 'status').values
}

describe('a CHECK, as PostgreSQL writes it out', () => {
  test.each<[string, string, readonly string[] | undefined]>([
    ['a list', "(status = ANY (ARRAY['a'::text, 'b'::text]))", ['a', 'b']],
    [
      'a list of varchars',
      "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
      ['a', 'b'],
    ],
    ['a quote inside a value', "(status = ANY (ARRAY['it''s'::text, 'b, c'::text]))", ["it's", 'b, c']],
    ['one value', "((status)::text = 'a'::text)", ['a']],
    ['values joined by OR', "((status = 'a'::text) OR (status = 'b'::text))", ['a', 'b']],
    ['a list, or NULL', "((status IS NULL) OR (status = ANY (ARRAY['a'::text])))", ['a']],
    [
      'lists that both hold',
      "((status = ANY (ARRAY['a'::text, 'b'::text])) AND (status = 'b'::text))",
      ['b'],
    ],
    ['a list and something else', "((status = ANY (ARRAY['a'::text])) AND (length(note) > 1))", ['a']],
    ['a list or something else', "((status = ANY (ARRAY['a'::text])) OR (length(note) > 1))", undefined],
    ['the list of another column', "(kind = ANY (ARRAY['a'::text]))", undefined],
    ['what it must not be', "(status <> ALL (ARRAY['a'::text]))", undefined],
    ['a negated list', "(NOT (status = ANY (ARRAY['a'::text])))", undefined],
    ['a function of it', "(lower(status) = ANY (ARRAY['a'::text]))", undefined],
    ['a case', "CASE WHEN flag THEN (status = 'a'::text) ELSE true END", undefined],
    ['a value that is put together', "(status = ('a'::text || 'b'::text))", undefined],
    ['a list that is compared once more', "((status = ANY (ARRAY['a'::text])) = flag)", undefined],
    ['a list with NULL in it', "(status = ANY (ARRAY['a'::text, NULL::text]))", ['a']],
  ])('%s', (_, expression, expected) => {
    expect(values(expression)).toEqual(expected)
  })

  test('of numbers', () => {
    expect(allowedBy('(status = ANY (ARRAY[1, 2, 3]))', 'status')).toEqual({
      values: ['1', '2', '3'],
      numbers: true,
      notNull: false,
    })
    expect(allowedBy("(status = ANY (ARRAY['-1'::integer, 2]))", 'status').values).toEqual(['-1', '2'])
  })

  test('that says NOT NULL', () => {
    const all = ['(status IS NOT NULL)', "(status = 'a'::text)"].map((one) => allowedBy(one, 'status'))
    expect(allowedByAll(all)).toEqual({ values: ['a'], numbers: false, notNull: true })
  })

  test('of a domain', () => {
    expect(allowedBy("(VALUE = ANY (ARRAY['a'::text]))", undefined).values).toEqual(['a'])
  })

  test('of a column with a name that needs quotes', () => {
    expect(allowedBy(`("Is it?" = ANY (ARRAY['a'::text]))`, 'Is it?').values).toEqual(['a'])
  })
})
