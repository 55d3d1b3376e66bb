import { describe, expect, test } from '@jest/globals'
import { CsvReader, CsvSyntaxError, fieldPlaces, type CsvRecord } from '../../src/seed/csv.js'

function read(...pieces: readonly string[]): CsvRecord[] {
  const reader = new CsvReader()
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()]
}

function fields(...pieces: readonly string[]): (readonly (string | null)[])[] {
  return read(...pieces).map((record) => record.fields)
}

describe('CSV', () => {
  test('an empty field is null, a quoted empty field the empty string', () => {
    expect(fields('a,,""\n')).toEqual([['a', null, '']])
    expect(fields(',\n')).toEqual([[null, null]])
  })

  test('a quoted field holds commas, line ends and doubled quotes', () => {
    expect(fields('"a,b","c\nd","say ""hi"""\r\nx,y,z')).toEqual([
      ['a,b', 'c\nd', 'say "hi"'],
      ['x', 'y', 'z'],
    ])
    expect(fields('""""\n"a"""\n')).toEqual([['"'], ['a"']])
  })

  test('blanks belong to the field', () => {
    expect(fields(' a , b\n')).toEqual([[' a ', ' b']])
  })

  test('the last record may lack its line end, and empty lines are no records', () => {
    expect(fields('a\n\n\r\nb')).toEqual([['a'], ['b']])
    expect(fields('')).toEqual([])
    expect(fields('\n')).toEqual([])
  })

  test('says on which line each record begins', () => {
    const records = read('a,b\n"1\n2\n3",x\n\ny,z\n')
    expect(records.map(({ line }) => line)).toEqual([1, 2, 6])
  })

  test('says where each field of a record begins, in characters', () => {
    const [record] = read('😀,"one\ntwo",,x\n')
    expect(fieldPlaces(record as CsvRecord)).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 6 },
      { line: 2, column: 7 },
    ])
  })

  // A quote, a carriage return or a doubled quote at the end of a piece means what comes with the next one.
  test('gives the same records however the text is cut', () => {
    const text = 'k,"a ""b"" c",\r\n"x\r\ny","",z\r\n"""",q,"1,2"\n'
    const whole = read(text)
    expect(whole).toHaveLength(3)
    for (let at = 0; at <= text.length; at++) expect(read(text.slice(0, at), text.slice(at))).toEqual(whole)
    expect(read(...text.split(/(?<=.)/su))).toEqual(whole)
  })

  test.each([
    ['a,b"c\n', 'a quote inside an unquoted field', 1, 4],
    ['a\n"b" c,d\n', 'text after the closing quote', 2, 4],
    ['a\n"b""\nc', 'the quote that opens here is not closed', 2, 1],
    ['a\rb\n', 'a carriage return without a line feed', 1, 2],
    ['é,"x\ny"z\n', 'text after the closing quote', 2, 3],
  ])('refuses %j', (text, what, line, column) => {
    let thrown: unknown
    try {
      read(text)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(CsvSyntaxError)
    const error = thrown as CsvSyntaxError
    expect(error.message).toContain(what)
    expect([error.line, error.column]).toEqual([line, column])
  })
})
