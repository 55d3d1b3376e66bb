import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { figure, sampled } from '../support/prove.js'
import { readPairs, tryPair } from '../support/pairs.js'
import { serverUrl } from '../support/server.js'

const pairs = readPairs()
const EMPTY = { before: '', rows: '', renames: [], loses: [], losesDown: [], refused: [] }

test('there are at least a hundred pairs', () => {
  expect(pairs.length).toBeGreaterThanOrEqual(100)
  figure('pairs of the differ', pairs.length)
})

const onServer = serverUrl() === undefined ? describe.skip : describe
onServer('from one schema to the other and back, judged by pg_dump', () => {
  test.each(sampled(pairs, 10).map((pair) => [pair.name, pair] as const))(
    '%s',
    async (_, pair) => {
      expect(await tryPair(pair, 'server')).toEqual([])
    },
    120_000,
  )
})

onServer('one object of every kind', () => {
  test('from nothing and back, judged by pg_dump', async () => {
    const text = readFileSync(new URL('../../fixtures/catalog/zoo.sql', import.meta.url), 'utf8')
    // A password is not brought over.
    const zoo = text.replace(", password 'hidden'", '')
    const pair = { ...EMPTY, name: 'zoo', after: zoo }
    expect(await tryPair(pair, 'server')).toEqual([])
  }, 120_000)
})

describe('from one schema to the other and back on PGlite', () => {
  test.each(sampled(pairs, 1).map((pair) => [pair.name, pair] as const))(
    '%s',
    async (_, pair) => {
      expect(await tryPair(pair, 'embedded')).toEqual([])
    },
    180_000,
  )
})
