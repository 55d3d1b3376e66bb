import { expect, test } from '@jest/globals'
import { areComparable, castOf, losesValues } from '../../src/diff/cast.js'

test.each([
  // PostgreSQL assigns these by itself, and refuses what does not fit.
  ['integer', 'bigint', undefined],
  ['bigint', 'smallint', undefined],
  ['character varying(10)', 'character varying(5)', undefined],
  ['integer', 'text', undefined],
  ['public.mood', 'text', undefined],
  ['timestamp(3) without time zone', 'timestamp with time zone', undefined],
  ['text', 'integer', 'c::integer'],
  ['text', 'public.mood', 'c::public.mood'],
  ['boolean', 'integer', 'c::integer'],
  ['public.mood', 'public.state', 'c::text::public.state'],
  ['integer[]', 'public.mood[]', 'c::text[]::public.mood[]'],
  ['text', 'text[]', 'case when c is not null then array[c]::text[] end'],
  ['text[]', 'text', 'c[1]::text'],
])('from %s to %s: %s', (from, to, using) => {
  expect(castOf('c', from, to)).toBe(using)
})

test.each([
  ['integer', 'bigint', false],
  ['bigint', 'integer', false],
  ['bigint', 'double precision', true],
  ['numeric', 'integer', true],
  ['numeric(10,4)', 'numeric(10,2)', true],
  ['numeric(10,2)', 'numeric(8,2)', false],
  ['numeric', 'numeric(10,2)', true],
  ['integer', 'numeric(10,2)', false],
  ['text', 'numeric(10,2)', true],
  ['double precision', 'real', true],
  ['real', 'double precision', false],
  ['timestamp with time zone', 'date', true],
  ['date', 'timestamp with time zone', false],
  ['timestamp without time zone', 'time without time zone', true],
  ['timestamp(6) without time zone', 'timestamp(0) without time zone', true],
  ['text[]', 'text', true],
  ['text', 'text[]', false],
  ['text', 'character varying(5)', false],
  ['text', 'public.mood', false],
])('from %s to %s values are lost: %s', (from, to, lost) => {
  expect(losesValues(from, to)).toBe(lost)
})

test('a foreign key can stand between integers, and between texts', () => {
  expect(areComparable('integer', 'bigint')).toBe(true)
  expect(areComparable('character varying(5)', 'text')).toBe(true)
  expect(areComparable('uuid', 'text')).toBe(false)
  expect(areComparable('integer[]', 'integer')).toBe(false)
})
