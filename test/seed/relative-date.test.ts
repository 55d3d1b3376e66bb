import { describe, expect, test } from '@jest/globals'
import { looksRelative, resolveRelativeDate, type DateKind } from '../../src/seed/relative-date.js'

// 31 January of a leap year: where months and weeks are easily got wrong.
const today = '2024-01-31'

describe('relative dates', () => {
  test.each<[string, DateKind, string]>([
    ['today', 'date', '2024-01-31'],
    ['today + 1', 'date', '2024-02-01'],
    ['today+1', 'date', '2024-02-01'],
    ['today - 3', 'date', '2024-01-28'],
    ['today - 31 days', 'date', '2023-12-31'],
    ['today + 1 day', 'date', '2024-02-01'],
    ['today + 2 weeks', 'date', '2024-02-14'],
    ['today + 1 month', 'date', '2024-02-29'],
    ['today + 13 months', 'date', '2025-02-28'],
    ['today - 1 year', 'date', '2023-01-31'],
    ['today', 'timestamptz', '2024-01-31 00:00:00+00'],
    ['today 09:30', 'timestamptz', '2024-01-31 09:30:00+00'],
    ['today - 1 09:30', 'timestamptz', '2024-01-30 09:30:00+00'],
    ['today - 1 9:30:05', 'timestamp', '2024-01-30 09:30:05'],
    ['today + 2 hours', 'timestamptz', '2024-01-31 02:00:00+00'],
    ['today - 90 minutes', 'timestamptz', '2024-01-30 22:30:00+00'],
    ['today - 2 weeks 14:00', 'timestamptz', '2024-01-17 14:00:00+00'],
    ['  today  +  1  ', 'date', '2024-02-01'],
  ])('%s as %s is %s', (text, kind, expected) => {
    expect(looksRelative(text)).toBe(true)
    expect(resolveRelativeDate(text, kind, today)).toBe(expected)
  })

  test.each<[string, DateKind, string]>([
    ['today + ', 'date', 'not written like'],
    ['today + one', 'date', 'not written like'],
    ['today +1 +2', 'date', 'not written like'],
    ['today + 1.5', 'date', 'not written like'],
    ['today - 1 25:00', 'timestamptz', 'not written like'],
    ['today - 1 09:60', 'timestamptz', 'not written like'],
    ['today + 2 fortnights', 'date', 'not written like'],
    ['today 09:30', 'date', 'no time of day'],
    ['today + 2 hours', 'date', 'no time of day'],
    ['today + 2 hours 09:30', 'timestamptz', 'both hours and a time of day'],
    ['today + 9000 years', 'date', 'out of the calendar'],
  ])('%s as %s is refused', (text, kind, why) => {
    const resolved = resolveRelativeDate(text, kind, today)
    expect(typeof resolved === 'string' ? resolved : resolved.wrong).toContain(why)
  })

  test('other words are no relative dates', () => {
    for (const text of ['2024-01-31', 'todays', 'not today', 'tomorrow', ''])
      expect(looksRelative(text)).toBe(false)
  })
})
