import { describe, expect, test } from '@jest/globals'
import { readCopy } from '../../src/database/copy-from-client.js'
import { splitStatements } from '../../src/workspace/statements.js'

const read = (sql: string, protocol: 'simple' | 'extended' = 'simple') =>
  readCopy(sql, splitStatements, protocol)

/** The statement that reads what the client has sent; undefined when nothing special is to be done. */
const rewritten = (sql: string): string | undefined => {
  const copy = read(sql)
  return copy !== undefined && 'copyIn' in copy ? copy.copyIn.sql : undefined
}
const refused = (sql: string, protocol?: 'extended'): string | undefined => {
  const copy = read(sql, protocol)
  return copy !== undefined && 'refusal' in copy ? copy.refusal.message : undefined
}

describe('COPY FROM STDIN', () => {
  test.each([
    ['copy loads from stdin', "copy loads from '/dev/blob'"],
    ['COPY "Loads"."My ""t" FROM STDIN;', `COPY "Loads"."My ""t" FROM '/dev/blob'`],
    [
      'copy public.loads (id, "a)b") from stdin with (format csv, header)',
      `copy public.loads (id, "a)b") from '/dev/blob' with (format csv, header)`,
    ],
    ['copy loads from stdin where miles > 3', "copy loads from '/dev/blob' where miles > 3"],
    ['-- rows\ncopy/* all */loads --x\n from\nstdin', "copy/* all */loads --x\n from\n'/dev/blob'"],
    ['copy binary loads from stdin', "copy binary loads from '/dev/blob'"],
    // The grammar takes STDOUT for the same.
    ['copy loads from stdout', "copy loads from '/dev/blob'"],
  ])('%s reads the device', (sql, expected) => {
    expect(rewritten(sql)).toBe(expected)
  })

  test.each([
    'copy loads to stdout',
    "copy loads from '/tmp/stdin'",
    "select 'copy loads from stdin'",
    'select $$copy loads from stdin$$',
    'select 1 -- copy loads from stdin',
    'create table copy (stdin int)',
    'comment on table copy is null; select stdin from copy',
  ])('%s is left alone', (sql) => {
    expect(read(sql)).toBeUndefined()
    expect(read(sql, 'extended')).toBeUndefined()
  })

  test('with other statements, or in the extended protocol, is refused', () => {
    expect(refused('begin; copy loads from stdin')).toContain('together with other statements')
    expect(refused('copy a from stdin; copy b from stdin')).toContain('together with other statements')
    expect(refused('copy loads from stdin', 'extended')).toContain('in the extended protocol')
  })

  test('counts the columns that are named', () => {
    const copy = read('copy t (a, "b,c", d) from stdin')
    expect(copy !== undefined && 'copyIn' in copy && copy.copyIn.columnsSql).toMatch(/^select 3 where/)
  })

  test.each([
    ['copy t from stdin', false],
    ['copy t from stdin binary', true],
    ['copy t from stdin with (format binary)', true],
    ['copy binary t from stdin', true],
    ["copy t from stdin with (format csv, null 'none')", false],
  ])('%s: binary %s', (sql, binary) => {
    const copy = read(sql)
    expect(copy !== undefined && 'copyIn' in copy && copy.copyIn.binary).toBe(binary)
  })
})

describe('COPY PROGRAM', () => {
  test.each([
    "copy t from program 'ls'",
    "copy (select 1) to program 'cat'",
    "select 1; copy t from program E'ls'",
  ])('%s is refused', (sql) => {
    expect(refused(sql)).toContain('PROGRAM')
  })
  test('a table of that name is not', () => {
    expect(read('copy program to stdout')).toBeUndefined()
    expect(rewritten('copy program from stdin')).toBe("copy program from '/dev/blob'")
  })
})
