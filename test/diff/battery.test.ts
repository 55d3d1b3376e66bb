import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from '@jest/globals'
import { figure, sampled } from '../support/prove.js'
import { readPairs, refusals, tryPair } from '../support/pairs.js'
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

/** Each with the one that is so many further on: nothing of the one is in the other but by chance. */
const STRIDE = 37

onServer('between two that have nothing to do with each other nothing is wrong without being told', () => {
  const crossed = pairs.map((pair, index) => {
    const other = pairs[(index + STRIDE) % pairs.length] ?? pair
    return {
      ...pair,
      name: `${pair.name} to ${other.name}`,
      after: other.after,
      renames: [],
      refused: [],
      losesDown: [],
      strangers: true,
    }
  })
  afterAll(() => {
    figure('strangers', crossed.length)
    figure('strangers refused by name', refusals.length === 0 ? 'none' : `\n  ${refusals.join('\n  ')}`)
  })
  test.each(sampled(crossed, 3).map((pair) => [pair.name, pair] as const))(
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
