import { describe, expect, test } from '@jest/globals'
import {
  complaint,
  copyInResponse,
  encodeIntegers,
  encodeMessage,
  encodeString,
  fieldOf,
  MessageReader,
  messagesIn,
  ProtocolViolation,
  readyForQuery,
} from '../../src/database/wire.js'

const startup = (): Buffer => {
  const body = Buffer.concat([
    encodeIntegers(196_608),
    ...['user', 'ann', 'database', 'postgres', ''].map(encodeString),
  ])
  return Buffer.concat([encodeIntegers(body.length + 4), body])
}

describe('the reader of messages', () => {
  const stream = Buffer.concat([
    startup(),
    encodeMessage('Q', encodeString('select 1')),
    encodeMessage('S'),
    encodeMessage('Q', encodeString('é'.repeat(3_000))),
    encodeMessage('X'),
  ])
  const read = (chunks: readonly Buffer[]): string[] => {
    const reader = new MessageReader()
    const seen: string[] = []
    for (const chunk of chunks) {
      reader.push(chunk)
      if (seen.length === 0) {
        const body = reader.startup()
        if (body === undefined) continue
        seen.push(`startup ${body.toString('latin1', 4)}`)
      }
      for (let message = reader.message(); message !== undefined; message = reader.message())
        seen.push(message.type + message.body.toString('utf8'))
    }
    expect(reader.size).toBe(0)
    return seen
  }
  const whole = [
    'startup user\0ann\0database\0postgres\0\0',
    'Qselect 1\0',
    'S',
    `Q${'é'.repeat(3_000)}\0`,
    'X',
  ]

  test('gives the same messages wherever the network cuts', () => {
    expect(read([stream])).toEqual(whole)
    for (let cut = 1; cut < 60; cut++)
      expect(read([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole)
    expect(read([...stream].map((byte) => Buffer.from([byte])))).toEqual(whole)
  })

  test.each([
    ['HTTP', Buffer.from('POST / HTTP/1.1\r\n')],
    ['a TLS hello', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc])],
    ['a length of nothing', encodeIntegers(4, 0)],
    ['a negative length', encodeIntegers(-1, 196_608)],
  ])('refuses %s in place of a startup', (_, bytes) => {
    const reader = new MessageReader()
    reader.push(bytes)
    expect(() => reader.startup()).toThrow(ProtocolViolation)
  })

  test.each([
    ['a type that does not exist', Buffer.from('z\0\0\0\x04')],
    ['a length shorter than itself', Buffer.from('Q\0\0\0\x03')],
    ['a length beyond 1 GB', Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])],
  ])('refuses %s', (_, bytes) => {
    const reader = new MessageReader()
    reader.push(bytes)
    expect(() => reader.message()).toThrow(ProtocolViolation)
  })
})

test('an error says all that PostgreSQL would say', () => {
  const [message] = [
    ...messagesIn(
      complaint({ severity: 'ERROR', sqlstate: '0A000', message: 'not here', hint: 'elsewhere' }),
    ),
  ]
  expect(message?.type).toBe('E')
  expect(
    ['S', 'V', 'C', 'M', 'D', 'H'].map((code) => fieldOf(message?.body ?? Buffer.alloc(0), code)),
  ).toEqual(['ERROR', 'ERROR', '0A000', 'not here', undefined, 'elsewhere'])
})

test('messages are cut out of an answer, also out of the middle of a larger buffer', () => {
  const answer = Buffer.concat([
    Buffer.alloc(7),
    copyInResponse(2, true),
    readyForQuery('T'),
    Buffer.alloc(3),
  ])
  const view = new Uint8Array(answer.buffer, answer.byteOffset + 7, answer.length - 10)
  expect([...messagesIn(view)].map(({ type, body }) => [type, body.toString('hex')])).toEqual([
    ['G', '01000200010001'],
    ['Z', '54'],
  ])
})
