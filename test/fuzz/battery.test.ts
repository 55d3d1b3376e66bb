import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from '@jest/globals'
import { makeFolder } from '../support/cli.js'
import { figure, proving, sampled } from '../support/prove.js'
import { lintIn } from '../lint/harness.js'
import { fuzzIn } from './harness.js'

/** Migrations of a shop: those that incident reports tell of, and those that people are told to write instead. */
interface Case {
  readonly name: string
  readonly up: string
  readonly down: string | undefined
}

const read = (name: string): string =>
  readFileSync(new URL(`../../fixtures/battery/${name}.sql`, import.meta.url), 'utf8')

function casesOf(name: string): readonly Case[] {
  return read(name)
    .split(/^-- case /m)
    .slice(1)
    .map((text) => {
      const [head = '', ...lines] = text.split('\n')
      const [up = '', down] = lines.join('\n').split(/^-- down\n/m)
      return { name: head.split(':')[0] ?? head, up, down }
    })
}

const setup = `-- dbkit: irreversible the first\n${read('setup')}`
const bad = casesOf('bad')
const safe = casesOf('safe')

/** What was said of a migration: hazards, failures, or that it cannot be applied at all. */
async function saidOf({ up, down }: Case): Promise<readonly string[]> {
  const folder = makeFolder({
    'dbkit.config.json': '{ "databases": { "freight": {} } }',
    'sql/freight/migrations/0001_setup.up.sql': setup,
    'sql/freight/migrations/0002_case.up.sql': up,
    ...(down === undefined ? {} : { 'sql/freight/migrations/0002_case.down.sql': down }),
  })
  try {
    const linted = await lintIn(folder, { versions: ['2'] })
    const fuzzed = await fuzzIn(folder, { versions: ['2'] })
    const hazards = linted.lint?.migrations.flatMap(({ findings }) => findings.map(({ code }) => code)) ?? []
    const failures =
      fuzzed.fuzz?.migrations.flatMap(({ findings }) =>
        findings.map(({ direction, error }) => `${direction}: ${error.message}`),
      ) ?? []
    const errors = [linted, fuzzed].flatMap(({ error }) => (error === undefined ? [] : [error.message]))
    return [...new Set([...hazards, ...failures, ...errors])]
  } finally {
    folder.remove()
  }
}

const outcomes = { caught: [] as string[], missed: [] as string[], flagged: [] as string[], quiet: 0 }

test('there are sixty of each, and no two of one name', () => {
  for (const cases of [bad, safe]) {
    expect(cases.length).toBeGreaterThanOrEqual(60)
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  }
})

describe('lint and fuzz together', () => {
  afterAll(() => {
    const { caught, missed, flagged, quiet } = outcomes
    figure('bad migrations caught', `${String(caught.length)} of ${String(caught.length + missed.length)}`)
    figure('bad migrations missed', missed.length === 0 ? 'none' : missed.join(', '))
    figure('safe migrations flagged', `${String(flagged.length)} of ${String(flagged.length + quiet)}`)
    figure('flagged', flagged.length === 0 ? 'none' : `\n  ${flagged.join('\n  ')}`)
  })

  test('catch at least 95 % of what has gone wrong somewhere', async () => {
    for (const one of sampled(bad, 5)) {
      const said = await saidOf(one)
      if (said.length > 0) outcomes.caught.push(one.name)
      else outcomes.missed.push(one.name)
    }
    const { caught, missed } = outcomes
    expect({ share: caught.length / (caught.length + missed.length) >= 0.95, missed }).toEqual({
      share: true,
      missed: proving ? (expect.any(Array) as unknown) : [],
    })
  }, 1_800_000)

  test('flag at most 2 % of what is safe', async () => {
    for (const one of sampled(safe, 5)) {
      const said = await saidOf(one)
      if (said.length === 0) outcomes.quiet++
      else outcomes.flagged.push(`${one.name}: ${said.join(', ')}`)
    }
    const { flagged, quiet } = outcomes
    expect({ share: flagged.length / (flagged.length + quiet) <= 0.02, flagged }).toEqual({
      share: true,
      flagged: proving ? (expect.any(Array) as unknown) : [],
    })
  }, 1_800_000)
})
